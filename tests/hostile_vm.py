#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A VM that does whatever a test wants: it stands where glassbell-launcher stands.

The server starts it like the launcher and hands it the same descriptors. It says HELLO, answers
CONFIGURE, PING and STAT, and runs the code of each cell as Python *in this process*, which is the
guest's agent and QEMU in one: what the functions below send, no honest guest has to be able to.
bounds_test.py tells how it gets into its place.
"""

import contextlib
import os
import pathlib
import select
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "agent/tests"))
from guest import NAMES, TYPES, blob, version  # noqa: E402

ERRORS, STATUS, LIFELINE, MONITOR, AGENT, CONSOLE = 2, 3, 4, 5, 6, 7
HEAD = struct.Struct("<IHHII")
STREAMS = ("OPEN", "DATA", "SHUT", "CREDIT", "RESET")


def write(fd, data):
    """All of it; the server may take its time, or be gone."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view):]
        except BlockingIOError:
            select.select([], [fd], [])
        except BrokenPipeError:
            os._exit(0)


def frame(kind, payload=b"", cell=0, flags=0, number=0):
    kind = TYPES.get(kind, kind)
    return HEAD.pack(len(payload), kind, flags, number, cell) + payload


def done(exit_code=0, flags=0, value=b"", note=b"", signal=0, changed=b"\0\0\0\0"):
    return struct.pack("<qIIQQQQQ", exit_code, signal, flags, 0, 0, 0, 0, 0) + blob(value) + blob(note) + changed


def entry(name, kind=0, size=1, allocated=1, mtime=0, mode=0o644):
    """One of FILE_ENTRIES."""
    return blob(name) + struct.pack("<BQQqI", kind, size, allocated, mtime, mode)


def entries(*all_entries, more=0, count=None):
    return struct.pack("<BI", more, len(all_entries) if count is None else count) + b"".join(all_entries)


class Vm:
    def __init__(self):
        self.input = b""
        self.cell = 0         # that runs, or ran last
        self.answered = False  # and has been told to have ended
        self.answers = {}     # by type of request: its answer's type and payload, as a test has set them
        self.received = []    # names of what came, CREDIT with its cell and bytes, DATA with its size
        self.at_open = None   # what is done when a stream of a file is opened, instead of what is right
        self.at_shut = self.take_file  # and when one has come to its end
        self.files = {}       # streams of uploads and downloads: bytes that have come
        self.streams = {}     # ids of what was opened for OUTPUT, by cell and kind

    def send(self, kind, payload=b"", cell=None, flags=0, number=0, times=1):
        """@times many frames that are the same, in large writes. OUTPUT is DATA of the stream of the cell,
        whose kind is @flags, and which is opened when there is none."""
        cell = self.cell if cell is None else cell
        if kind == "OUTPUT":
            kind, number, flags = "DATA", self.stream(cell, flags), 0
        one = frame(kind, payload, cell, flags, number)
        many = max(1, min(times, (1 << 20) // len(one)))
        while times > 0:
            write(AGENT, one * min(many, times))
            times -= many

    def stream(self, cell, kind):
        if (cell, kind) not in self.streams:
            self.streams[cell, kind] = 2 * len(self.streams) + 2
            write(AGENT, frame("OPEN", struct.pack("<BI", kind & 255, 0), cell, 0, self.streams[cell, kind]))
        return self.streams[cell, kind]

    def end(self, cell=None, **fields):
        self.answered = True
        self.send("DONE", done(**fields), cell)

    def receive(self):
        """The next frame of the host: its name, id, cell and payload. Ends with the host."""
        while True:
            if len(self.input) >= HEAD.size:
                size, kind, _, number, cell = HEAD.unpack_from(self.input)
                if len(self.input) >= HEAD.size + size:
                    payload = self.input[HEAD.size:HEAD.size + size]
                    self.input = self.input[HEAD.size + size:]
                    return NAMES[kind], number, cell, payload
            data = os.read(AGENT, 1 << 20)
            if not data:
                os._exit(0)
            self.input += data

    def pending(self, seconds=0):
        """Whether the host has sent something that was not received."""
        return bool(self.input) or bool(select.select([AGENT], [], [], seconds)[0])

    def serve(self):
        """Serves one frame."""
        name, number, cell, payload = self.receive()
        self.received.append((name, cell, payload if name == "CREDIT" else len(payload)))
        if name in self.answers:
            kind, content = self.answers[name]
            self.send(kind, content, 0, number=number)
        elif name == "EXEC":
            self.run(cell, payload)
        elif name in STREAMS:
            self.take_stream(name, number, cell, payload)
        elif name == "PING":
            self.send("PONG", struct.pack("<QQB", 1, time.time_ns(), 1), 0, number=number)
        elif name == "STAT":
            self.send("STATUS", struct.pack("<QQQQIQQ", 1, 1, 1, 1, 1, 1, 1), 0, number=number)
        else:
            self.send("OK", b"", 0, number=number)

    def take_stream(self, name, number, cell, payload):
        """Streams of files: an upload is consumed, and a download is of nothing."""
        if name == "OPEN" and payload[0] in (4, 5):
            self.files[number] = 0
            if self.at_open:
                self.at_open(payload[0], number)
            elif payload[0] == 5:
                self.send("SHUT", struct.pack("<QB", 0, 1), 0, number=number)
        elif name == "DATA" and number in self.files:
            self.files[number] += len(payload)
            if not self.at_open:
                self.send("CREDIT", struct.pack("<Q", len(payload) + 256), 0, number=number)
        elif name == "SHUT" and number in self.files:
            self.at_shut(number)
        elif name == "RESET" and number % 2 == 1:
            self.files.pop(number, None)
            self.send("RESET", struct.pack("<I", 1) + blob(""), cell, number=number)

    def take_file(self, number):
        self.send("SHUT", struct.pack("<Q", self.files.pop(number)), 0, number=number)

    def run(self, cell, payload):
        at = struct.calcsize("<BBIQQ")
        for _ in range(2 * struct.unpack_from("<I", payload, at)[0]):  # env: after the count, pairs
            at += 4 + struct.unpack_from("<I", payload, at + 4)[0]
        at += 4
        for _ in range(2):  # file, argv
            at += 4 + struct.unpack_from("<I", payload, at)[0]
        size = struct.unpack_from("<I", payload, at)[0]
        code = payload[at + 4:at + 4 + size].decode()
        self.cell, self.answered = cell, False
        space = dict(globals(), vm=self, send=self.send, end=self.end, cell=cell)
        exec(compile(code, f"<cell {cell}>", "exec"), space)  # the tests' own code
        if not self.answered:
            self.end()


def main():
    if "--" not in sys.argv:
        return  # asked which stages of isolation work: none of them
    write(STATUS, b"pid %d\n" % os.getpid())
    vm = Vm()
    vm.send("HELLO", struct.pack("<I", version()) + blob("python") + blob("none") + bytes(8))
    vm.send("READY", blob("python") + struct.pack("<IQ", 1, 1))
    gone = select.poll()
    gone.register(LIFELINE, 0)
    gone.register(AGENT, select.POLLIN)
    while True:
        if vm.input or not any(fd == LIFELINE for fd, _ in gone.poll()):
            vm.serve()
        else:
            return


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
