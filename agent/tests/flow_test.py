# SPDX-License-Identifier: Apache-2.0
"""All kinds of streams of a real guest at once, through a port that is read slowly and in small pieces,
with credit that comes when it likes: no byte is lost or changes its place, nobody starves, and the
agent holds little."""

import hashlib
import random
import select
import struct

import pytest

import box
import guest as g
from guest import COST, PIECE, STREAM_WINDOW, Fields, blob

pytestmark = box.needs_guest

EACH = 3 << 20  # bytes of each stream

# What of the guest's memory neither is free nor holds files is what processes have: the program's own is
# there from the beginning.
CODE = f"""
import hashlib, os, random, struct, threading
def free():
    with open('/proc/meminfo') as file:
        lines = dict(line.split(':') for line in file)
    home = os.statvfs('/home/user')
    return int(lines['MemAvailable'].split()[0]) * 1024 + (home.f_blocks - home.f_bfree) * home.f_frsize
def pour(fd, data):
    at = 0
    while at < len(data):
        at += os.write(fd, data[at:at + 50000])
data = {{fd: random.Random(SEED + fd).randbytes({EACH}) for fd in (1, 2)}}
threads = [threading.Thread(target=pour, args=item) for item in data.items()]
digest, first, least = hashlib.sha256(), free(), 1 << 60
for thread in threads: thread.start()
while piece := os.read(0, 65536):
    digest.update(piece)
    least = min(least, free())
for thread in threads: thread.join()
os.write(1, digest.digest() + struct.pack('<q', first - least))
"""


class Receiver:
    """A flow that comes: what there is of it, and credit that is granted when it likes."""

    def __init__(self, number, cell):
        self.number, self.cell = number, cell
        self.data, self.owed, self.word = bytearray(), 0, None
        self.waited = 0  # bytes of others since its last one

    def grant(self, guest, most):
        size = min(self.owed, most)
        if size:
            guest.send("CREDIT", struct.pack("<Q", size), self.cell, self.number)
            self.owed -= size


class Sender:
    def __init__(self, number, cell, data):
        self.number, self.cell, self.data = number, cell, data
        self.at, self.window, self.ended, self.word = 0, STREAM_WINDOW, False, None

    def step(self, guest, rng):
        size = min(len(self.data) - self.at, rng.randrange(1, PIECE), self.window - COST)
        if size > 0:
            guest.send("DATA", self.data[self.at:self.at + size], self.cell, self.number)
            self.at += size
            self.window -= size + COST
        if self.at == len(self.data) and not self.ended:
            guest.send("SHUT", b"", self.cell, self.number)
            self.ended = True


class Drive:
    """Everything at once; what comes is looked at frame by frame."""

    def __init__(self, guest, seed):
        self.vm, self.rng, self.seed = guest, random.Random(seed), seed
        self.came, self.sent, self.done, self.most_waited = {}, {}, None, 0
        self.cell, self.number = guest.exec_start(CODE.replace("SEED", str(seed)), flags=1, max_stdout=EACH + 40,
                                                  max_stderr=EACH, timeout_ms=300_000)
        self.sent[guest.inputs[self.cell]] = Sender(guest.inputs[self.cell], self.cell, self.rng.randbytes(EACH))
        self.uploads = [self.open(g.UPLOAD, blob(f"up{i}") + bytes(4)) for i in range(2)]
        for number in self.uploads:
            self.sent[number] = Sender(number, 0, self.rng.randbytes(EACH))
        self.downloads = [self.open(g.DOWNLOAD, blob(f"down{i}") + struct.pack("<QQ", 0, 1 << 60)) for i in range(2)]
        for number in self.downloads:
            self.came[number] = Receiver(number, 0)

    def open(self, kind, params):
        number, self.vm.next_stream = self.vm.next_stream, self.vm.next_stream + 2
        self.vm.send("OPEN", bytes([kind]) + blob(params), 0, number)
        return number

    def run(self):
        files = [*(self.came[number] for number in self.downloads), *(self.sent[number] for number in self.uploads)]
        while self.done is None or any(flow.word is None for flow in files):
            ours = self.rng.choice(list(self.sent.values()))
            if ours.word is None:
                ours.step(self.vm, self.rng)
            self.read(self.rng.randrange(1, 20_000))
            for flow in self.came.values():
                # Downloads always have room, so that nothing but the others can hold them up.
                if flow.number in self.downloads or self.rng.randrange(4) == 0:
                    flow.grant(self.vm, STREAM_WINDOW if flow.number in self.downloads else self.rng.randrange(1, 200_000))

    def read(self, most):
        """A little of what is there; waits when nothing of ours can go on without."""
        guest = self.vm
        if not select.select([guest.port], [], [], 0.02)[0]:
            return
        data = guest.port.recv(most)
        assert data, "the guest is gone: " + guest.console()
        guest.input += data
        while len(guest.input) >= 16:
            size, kind, _, number, cell = struct.unpack_from("<IHHII", guest.input)
            if len(guest.input) < 16 + size:
                return
            payload = bytes(guest.input[16:16 + size])
            del guest.input[:16 + size]
            self.take(g.NAMES[kind], number, cell, payload)

    def take(self, kind, number, cell, payload):
        if kind == "OPEN":
            assert payload[0] in (g.STDOUT, g.STDERR) and cell == self.cell
            self.vm.outputs[number] = payload[0], cell  # its SHUT may come after all else
            self.came[number] = Receiver(number, cell)
            self.came[number].kind = payload[0]
        elif kind == "DATA":
            flow = self.came[number]
            assert len(payload) <= PIECE
            flow.data += payload
            flow.owed += len(payload) + COST
            assert flow.owed <= STREAM_WINDOW
            for other in self.came.values():
                other.waited += len(payload)
            # Its first piece waits for the file to be opened, behind what the guest had sent by then.
            if number in self.downloads and len(flow.data) > len(payload):
                self.most_waited = max(self.most_waited, flow.waited - len(payload))
            flow.waited = 0
        elif kind == "CREDIT":
            self.sent[number].window += struct.unpack("<Q", payload)[0]
            assert self.sent[number].window <= STREAM_WINDOW
        elif kind == "SHUT":
            flow = self.came.get(number) or self.sent[number]
            flow.word = payload
            self.vm.outputs.pop(number, None)
        elif kind == "DONE":
            assert number == self.number
            self.done = g.Done(g.Frame(g.TYPES["DONE"], 0, number, cell, payload), b"", b"")
            self.sent[self.vm.inputs[self.cell]].word = b""
        else:
            assert kind in ("LOG", "WAITING"), kind


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_at_once_through_a_slow_port(vm, seed):
    contents = [random.Random(seed * 100 + i).randbytes(EACH) for i in range(2)]
    for i, content in enumerate(contents):
        box.write(vm, f"down{i}", content)
    drive = Drive(vm, seed)
    try:
        drive.run()
        check(vm, drive, seed, contents)
    finally:
        for name in ("up0", "up1", "down0", "down1"):
            vm.ask("FILE_REMOVE", blob(name) + b"\0")


def check(guest, drive, seed, contents):
    assert drive.done.exit_code == 0 and drive.done.dropped == (0, 0)
    outputs = {flow.kind: bytes(flow.data) for flow in drive.came.values() if hasattr(flow, "kind")}
    assert outputs[g.STDOUT][:-8] == random.Random(seed + 1).randbytes(EACH) + hashlib.sha256(
        drive.sent[guest.inputs[drive.cell]].data).digest()
    held = struct.unpack("<q", outputs[g.STDOUT][-8:])[0]
    assert outputs[g.STDERR] == random.Random(seed + 2).randbytes(EACH)
    for number, content in zip(drive.downloads, contents):
        assert bytes(drive.came[number].data) == content
        assert struct.unpack("<QB", drive.came[number].word) == (EACH, 1)
    for i, number in enumerate(drive.uploads):
        assert Fields(drive.sent[number].word).number("Q") == EACH
        assert box.read(guest, f"up{i}")[0] == drive.sent[number].data
    # A turn of each of the three others, and what these may send besides when their pipes become ready.
    assert drive.most_waited <= 2 * 3 * PIECE, drive.most_waited
    # The agent's queues, and pipes: of 15 MiB that go through, many of which wait for credit.
    print(f"held {held >> 10} KiB, waited for {drive.most_waited >> 10} KiB of others")
    assert held < 4 << 20
