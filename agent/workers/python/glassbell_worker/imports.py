# SPDX-License-Identifier: Apache-2.0
"""Finders that see what a cell wrote just before.

The interpreter's own finder takes a folder's contents as known while the folder's time of change
stays the same; but that time has a grain of some milliseconds, in which a program writes a module
and imports the next.  And a folder that is not there when it is first looked for is never looked for
again.  Both hold where files can change only: the system's folders stay with the original.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import sys
from _frozen_importlib_external import (BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES,
                                        ExtensionFileLoader, FileFinder as Original,
                                        SourceFileLoader, SourcelessFileLoader, _path_isdir)
from posix import stat
from time import time

UNCHANGING = ('/usr/', '/run/glassbell/')
GRAIN_S = 0.05  # of a folder's time, with much to spare
UNKNOWN = float('nan')
LOADERS = ((ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceFileLoader, SOURCE_SUFFIXES),
           (SourcelessFileLoader, BYTECODE_SUFFIXES))


class FileFinder(Original):
    """Forgets what it has read of a folder that had changed just before."""

    asked_s = read_s = 0.0
    known = -1

    @property
    def _path_mtime(self):
        """Read before the folder is, and compared with the folder's own time."""
        self.asked_s = time()
        return self.known

    @_path_mtime.setter
    def _path_mtime(self, mtime):
        """Set when it was read: a change that came later has a time of its own, or is not seen."""
        self.known = mtime if mtime < self.asked_s - GRAIN_S else UNKNOWN


FileFinder.__module__ = Original.__module__
FileFinder.__qualname__ = Original.__qualname__


def finder_of(path):
    """A hook of sys.path_hooks."""
    if path.startswith(UNCHANGING):
        raise ImportError('the original looks after it', path=path)
    if not _path_isdir(path):
        try:
            stat(path)
        except FileNotFoundError:
            if not path.endswith(('.zip', '.whl', '.egg')):
                return FileFinder(path, *LOADERS)  # It may come.
        except (OSError, ValueError):
            pass
        raise ImportError('only directories are supported', path=path)
    return FileFinder(path, *LOADERS)


def install():
    sys.path_hooks.insert(0, finder_of)
    for path in list(sys.path_importer_cache):
        if not path.startswith(UNCHANGING):
            del sys.path_importer_cache[path]
