# SPDX-License-Identifier: Apache-2.0
"""A cell that is a program: a file with its arguments, run as `python3 FILE ARGS` runs it, or code
with arguments, as `python3 -c CODE ARGS`; and the end of the interpreter with a final cell.

A file is read by the interpreter itself (native.c), which knows the encodings.  It runs in the real
`__main__`, so that in a session its names stay, as those of any cell do, and `__file__` with them.
"""

from . import __builtins__  # noqa: F401  # the originals, as in there

import re
import sys
from _frozen_importlib_external import SourceFileLoader
from _stat import S_ISDIR
from posix import O_CLOEXEC, O_RDONLY, close, fstat, open as open_fd, strerror

from . import ENDING, MISSING, NAMESPACE, ending, field, native, state, u32

PYTHON = '/usr/bin/python3'
PEP_263 = 'see https://peps.python.org/pep-0263/ for details'


# The encoding that a first line names, or a second one behind a comment or nothing.
ENCODING = re.compile(
    rb'(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))??[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)')


UTF_8 = re.compile(r'utf[-_]8(?:[-_]|$)', re.I)
BOM = b'\xef\xbb\xbf'


def decode(code):
    """The text of code that comes as bytes and is no file: in the encoding that it names, as
    `python3 -` reads it."""
    has_bom = code.startswith(BOM)
    code = code.removeprefix(BOM)
    named = ENCODING.match(code)
    encoding = named[1].decode('ascii', 'replace') if named else 'utf-8'
    if UTF_8.match(encoding):
        encoding = 'utf-8'
    elif has_bom:
        raise SyntaxError(f'encoding problem: {encoding} with BOM')
    try:
        return code.decode(encoding)
    except LookupError:
        problem = f'encoding problem: {encoding}'
    except ValueError as found:
        problem = f'(unicode error) {found}'
        at = getattr(found, 'start', 0)
    if not named:
        line = code.count(b'\n', 0, at) + 1
        problem = (f"Non-UTF-8 code starting with '\\x{code[at]:02x}' on line {line}, "
                   f'but no encoding declared; {PEP_263}')
    raise SyntaxError(problem) from None


def search_path():
    """sys.path, unless the session has made something else of it."""
    path = sys.__dict__.get('path')
    return path if type(path) is list else []


class Program:
    """What a program finds: its file, its arguments, its folder on the path."""

    def __init__(self, file, argv):
        self.file = file
        self.argv = [item.decode('utf-8', 'surrogateescape') for item in argv.split(b'\0')[:-1]]
        self.path = file.decode('utf-8', 'surrogateescape')
        # Code from standard input is a file's bytes (`python3 -`); any other is text (`python3 -c`).
        self.is_source = self.argv[:1] == ['-']

    def enter(self):
        self.before = {name: sys.__dict__.get(name, MISSING) for name in ('argv', 'orig_argv')}
        if self.argv:
            sys.argv = self.argv[:]
            sys.orig_argv = [PYTHON, *self.argv]
        if self.file:
            self.folder = self.path.rpartition('/')[0] or '/'
            # In the place of the working directory, which an interpreter without a file looks in.
            path = search_path()
            self.replaced = path[:1] == ['']
            path[0:self.replaced] = [self.folder]

    def run(self):
        fd = self.open()
        NAMESPACE.update(__file__=self.path, __cached__=None,
                         __loader__=SourceFileLoader('__main__', self.path))
        state.name = self.path
        state.is_program = True
        return (yield state.context.run, native.run_file, fd, self.file, NAMESPACE)

    def open(self):
        """Its descriptor; says what `python3 FILE` says of what it cannot run.  A FIFO gives its
        bytes to the first who opens it, so nobody else does."""
        try:
            fd = open_fd(self.file, O_RDONLY | O_CLOEXEC)
        except OSError as error:
            print(f"{PYTHON}: can't open file {self.path!r}: [Errno {error.errno}] {strerror(error.errno)}",
                  file=sys.stderr)
            raise SystemExit(2) from None
        if S_ISDIR(fstat(fd).st_mode):
            close(fd)
            print(f"{PYTHON}: can't find '__main__' module in {self.path!r}", file=sys.stderr)
            raise SystemExit(1)
        return fd

    def leave(self):
        for name, value in self.before.items():
            if value is MISSING:
                sys.__dict__.pop(name, None)
            else:
                sys.__dict__[name] = value
        path = search_path()
        if self.file and self.folder in path:
            at = path.index(self.folder)
            path[at:at + 1] = [''] if self.replaced else []


def end(outcome):
    """Ends the interpreter as it ends by itself, with its threads, exit hooks and objects (ending.py);
    what is left of us does not show in it."""
    if state.runner is not None and not state.runner.get_loop().is_closed():
        yield state.runner.close,
    native.send(ENDING, u32(state.cell) + bytes((outcome.flags,)) + field(outcome.value or b''))
    state.final = outcome.code
    yield from ending.leave()
    native.pause()
    ending.begin()
    yield None, SystemExit(outcome.code)
