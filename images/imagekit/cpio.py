# SPDX-License-Identifier: Apache-2.0
"""Writes newc archives that depend on nothing but their content: no owner, no time, fixed order."""

import os
import stat

BLOCK = 512


class Archive:
    def __init__(self, file):
        self.file = file
        self.inode = 0
        self.size = 0

    def directory(self, name, mode=0o755):
        self._entry(name, stat.S_IFDIR | mode)

    def data(self, name, data, mode=0o644):
        self._entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character(self, name, major, minor, mode=0o600):
        self._entry(name, stat.S_IFCHR | mode, device=(major, minor))

    def tree(self, name, source, read=lambda path: open(path, "rb").read()):
        """Adds what is in the directory `source` as `name`; only the execute bit is kept."""
        self.directory(name)
        for entry in sorted(os.listdir(source)):
            path, inside = os.path.join(source, entry), f"{name}/{entry}"
            if os.path.islink(path):
                self.link(inside, os.readlink(path))
            elif os.path.isdir(path):
                self.tree(inside, path, read)
            else:
                executable = os.stat(path).st_mode & 0o100
                self.data(inside, read(path), 0o755 if executable else 0o644)

    def close(self):
        self.inode = 0
        self._entry("TRAILER!!!", 0)
        self._write(b"\0" * (-self.size % BLOCK))

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        path = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(data),
                  0, 0, *device, len(path), 0)
        self.inode += 1
        self._write(b"070701" + b"".join(b"%08X" % field for field in fields) + path)
        self._write(b"\0" * (-self.size % 4))
        self._write(data)
        self._write(b"\0" * (-self.size % 4))

    def _write(self, data):
        self.file.write(data)
        self.size += len(data)
