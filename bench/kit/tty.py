# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of ours: bytes in, bytes out."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

from kit.server import BINARY


class Terminal:
    def __init__(self, *arguments, env, columns=120, rows=40):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BINARY, [BINARY, *arguments],
                      dict(env, TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8"))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.text, self.size = b"", 0

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if ready:
            data = os.read(self.fd, 1 << 16)
            self.size += len(data)
            self.text = (self.text + data)[-200000:]
        return bool(ready)

    def until(self, text, seconds=60):
        end = time.perf_counter() + seconds
        while text not in self.text:
            if time.perf_counter() > end:
                raise RuntimeError(f"{text!r} did not come: {self.text[-2000:]!r}")
            self.read(1)
        return time.perf_counter()

    def drain(self):
        """Until the program is gone."""
        try:
            while self.read(5):
                pass
        except OSError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.fd)
