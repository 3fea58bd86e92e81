# SPDX-License-Identifier: Apache-2.0
"""What a guest that was taken over can do to the server with each thing that it may send.

The VM here is hostile_vm.py, started in the launcher's place by a copy of the program that lies beside
it. The server's memory is bounded whatever comes and however much; what no honest guest sends ends the
VM; and what is told to clients stays true. docs/threat-model.md has the table of all queues, and names
the test of each: here is also the test of that table.
"""

import base64
import itertools
import json
import os
import pathlib
import re
import shutil
import socket
import sys
import tempfile
import threading
import time

import pytest

from support import BINARY, DEADLINE, ROOT, Failure, Server, Session, Watcher, comes_to_rest, wait_for

sys.path.insert(0, str(ROOT / "agent/tests"))
from guest import TYPES
from hostile_vm import STREAMS

MIB = 1 << 20
SLACK = 48 * MIB  # what a sanitised server may keep of what it has freed, and what replies take
PYTHON = "python"


class HostileServer(Server):
    def __init__(self, *arguments):
        folder = tempfile.mkdtemp(prefix="glassbell-test-")
        for name in ("bin", "libexec/glassbell"):
            os.makedirs(f"{folder}/{name}")
        shutil.copy(BINARY, f"{folder}/bin/glassbell")
        os.symlink(pathlib.Path(__file__).with_name("hostile_vm.py"), f"{folder}/libexec/glassbell/glassbell-launcher")
        options = os.environ.get("ASAN_OPTIONS", "")
        super().__init__(*arguments, binary=f"{folder}/bin/glassbell", folder=folder,
                         env={"GLASSBELL_ACCEL": "tcg",
                              "ASAN_OPTIONS": options + ":quarantine_size_mb=4:allocator_release_to_os_interval_ms=0"})

    def memory(self, field="VmHWM"):
        """The most that it has had at once since forget_peak(), in bytes; VmRSS: what it has now."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(field))

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def hostile():
    with HostileServer("-v") as server:
        yield server


sizes = itertools.count(1001)  # a size of memory that nobody asked for before is booted


@pytest.fixture
def client(hostile):
    with hostile.client() as client:
        yield client


@pytest.fixture
def vm(hostile, client):
    session = Session(client, PYTHON, memory_mb=next(sizes))
    session.client_of = hostile.client
    session.call_later = lambda method, **params: client.send(method, session=session.id, **params)
    yield session
    try:
        session.close()
    except Failure as failure:
        assert failure.kind == "session_closed"


@pytest.fixture
def bounded(hostile, request):
    """The server's memory does not grow while a test runs: not by more than its mark `takes`, or SLACK."""
    mark = request.node.get_closest_marker("takes")
    hostile.forget_peak()
    before = hostile.memory("VmRSS")
    yield
    grown = hostile.memory() - before
    assert grown < (mark.args[0] if mark else SLACK), f"{grown >> 20} MiB more"


def ends(session, code, sentence, **options):
    """The cell's code breaks the rules: the VM ends, and its client hears what may have happened."""
    with pytest.raises(Failure) as failure:
        session.exec(code, **options)
    assert failure.value.kind == "outcome_unknown", failure.value
    assert failure.value.dispatched is True and failure.value.retryable is False
    assert "broke the protocol" in str(failure.value) and sentence in str(failure.value), failure.value
    with pytest.raises(Failure) as failure:
        session.exec("end()")
    assert failure.value.kind == "session_closed"


class Mute:
    """A client that reads nothing until it is asked to."""

    def __init__(self, server):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(server.socket))
        self.sock.settimeout(DEADLINE)

    def send(self, method, **params):
        self.sock.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")

    def lines(self):
        """All lines up to the reply."""
        with self.sock.makefile("rb") as lines:
            for line in lines:
                line = json.loads(line)
                yield line
                if "id" in line:
                    return


# ---- cells ----

def test_output_is_kept_up_to_the_cap(vm, bounded):
    cell = vm.exec("send('OUTPUT', b'x' * 1000, flags=1, times=1000)\nend()", max_stdout=1000_000)
    assert cell["stdout"] == "x" * 1000_000
    ends(vm, "send('OUTPUT', b'x' * 1001, flags=2)", "DATA: more of stderr than the cell may have", max_stderr=1000)


@pytest.mark.parametrize("size", [1, 4096, 65536, 1000_000])
def test_output_needs_credit(hostile, client, vm, bounded, size):
    """A client that does not read holds its cell; the guest that goes on printing is ended."""
    mute = Mute(hostile)
    mute.send("session.exec", session=vm.id, code=f"send('OUTPUT', b'\\1' * {size}, flags=1, times={64 * MIB // size})",
              stream=True, max_stdout=64 * MIB, timeout_ms=600_000)
    wait_for(lambda: vm.id not in [s["session"] for s in client.call("session.list")["sessions"]], what="the VM's end")
    reply = list(mute.lines())[-1]
    assert reply["error"]["data"]["kind"] == "outcome_unknown" and reply["error"]["data"]["dispatched"] is True
    assert "credit" in reply["error"]["message"]


def test_output_in_one_frame(vm):
    ends(vm, f"send('OUTPUT', b'x' * {MIB // 2 - 255}, flags=1)", "credit", max_stdout=64 * MIB)


def test_output_of_ended_cells_is_bounded(vm, bounded):
    """Of each stream 64 KiB wait for the next reply, of 64 streams at most, and the guest gets its credit."""
    for _ in range(70):
        vm.exec("end()")
    cell = vm.exec("end()\n"
                   "for number in range(1, cell):\n"
                   f"    for stream in (1, 2): send('OUTPUT', b'x' * {MIB // 8}, number, stream, times=16)\n")
    cell = vm.exec("while len([1 for name, _, _ in vm.received if name == 'CREDIT']) < 70: vm.serve()\nend()")
    assert len(cell["background"]) == 64
    assert all(len(piece["text"]) == 65536 and piece["dropped"] == 2 * MIB - 65536 for piece in cell["background"])


def test_output_of_a_cell_that_has_not_begun(vm):
    ends(vm, "send('OUTPUT', b'x', cell + 1, 1)", "has not begun")


def test_output_of_a_queued_cell(vm):
    """Queued is not begun: nothing of it can have been printed."""
    first = vm.send("while not vm.pending(0.01): pass\nsend('OUTPUT', b'x', cell + 1, 1)")
    queued = vm.send("end()")
    vm.call("session.interrupt")
    with pytest.raises(Failure) as failure:
        first.wait()
    assert failure.value.kind == "outcome_unknown" and "has not begun" in str(failure.value)
    with pytest.raises(Failure) as failure:
        queued.wait()
    assert failure.value.kind == "session_closed" and failure.value.dispatched is False


@pytest.mark.parametrize("kind", ["DISPLAY", "WAITING", "DONE", "ERROR"])
def test_frames_of_cells_that_have_not_begun(vm, kind):
    ends(vm, f"send('{kind}', b'', cell + 1)", "has not begun")


@pytest.mark.parametrize("kind, sentence", [(0, "there are no streams"), (10, "there are no streams"), (255, "there are no streams"),
                                            (6, "on this port"), (7, "on this port"),
                                            (3, "must not open"), (4, "must not open"), (5, "must not open"),
                                            (9, "must not open")])
def test_output_of_no_stream(vm, kind, sentence):
    ends(vm, f"send('OUTPUT', b'x', flags={kind})", sentence)


@pytest.mark.parametrize("frames, sentence", [
    ("send('DATA', b'x', number=2)", "DATA: stream 2 was not opened"),
    ("send('OUTPUT', b'x', flags=1)\nsend('SHUT', b'', number=2)\nsend('DATA', b'x', number=2)", "DATA: stream 2 has ended"),
    ("send('OUTPUT', b'x', flags=1)\nsend('SHUT', b'', number=2)\nsend('SHUT', b'', number=2)", "SHUT: stream 2 has ended"),
    ("send('OUTPUT', b'x', flags=1)\nsend('SHUT', b'word', number=2)", "has no fields"),
    ("send('OUTPUT', b'', flags=1)", "DATA: nothing"),
    ("send('OUTPUT', b'x', flags=1)\nsend('DATA', b'x', number=2, cell=0)", "does not belong to cell 0"),
    ("send('OUTPUT', b'x', flags=1)\nsend('DATA', b'x', number=2, flags=2)", "unknown flags"),
    ("send('OPEN', b'\\1' + bytes(4), number=1)", "not the next"),
    ("send('OPEN', b'\\1' + bytes(4), number=4)", "not the next"),
    ("send('OUTPUT', b'x', flags=1)\nsend('OPEN', b'\\1' + bytes(4), number=2)", "not the next"),
    ("send('OUTPUT', b'x', flags=1)\nsend('OPEN', b'\\1' + bytes(4), number=4)", "has a stdout already"),
    ("send('OPEN', b'\\1' + blob('x'), number=2)", "no parameters"),
    ("send('CREDIT', struct.pack('<Q', 1), number=1)", "was not opened"),
    ("send('OUTPUT', b'x', flags=1)\nsend('CREDIT', struct.pack('<Q', 1), number=2)", "used less"),
    ("send('RESET', struct.pack('<I', 0) + blob(''), 0)", "cannot begin again"),
    ("send('OUTPUT', b'x', flags=1)\nsend('RESET', struct.pack('<I', 3) + blob(''), number=2)", "a guest never sends"),
])
def test_streams_that_break_the_rules(vm, frames, sentence):
    ends(vm, frames, sentence)


def test_streams_are_bounded(vm, bounded):
    """One cell has one of each kind; ended cells have theirs, up to a number."""
    for _ in range(514):
        vm.exec("end()")
    ends(vm, "for number in range(1, cell):\n    for kind in (1, 2): vm.stream(number, kind)", "streams are open already")


@pytest.mark.takes(6 * 32 * MIB)  # the displays, in the journal's record, in the reply as base64, in growing buffers
def test_displays_are_bounded(vm, bounded):
    cell = vm.exec(f"send('DISPLAY', blob('image/png') + blob(b'x' * {MIB}), times=400)\n"
                   "send('DISPLAY', blob('a/b') + blob(b''), times=100000)\nend()")
    sizes = [len(base64.b64decode(display["base64"])) for display in cell["displays"]]
    assert sum(sizes) <= 32 * MIB and len(sizes) <= 256
    assert "left out" in cell["note"]


def test_waiting_is_a_state(hostile, vm, bounded):
    """A million changes for a client that does not read: it hears of the last, not of each."""
    mute = Mute(hostile)
    flip = "write(AGENT, (frame('WAITING', b'\\1', cell) + frame('WAITING', b'\\0', cell)) * 5000)"
    mute.send("session.exec", session=vm.id, stream=True, timeout_ms=600_000,
              code=f"for _ in range(100): {flip}\nsend('WAITING', b'\\1')\n"
                   "while 'INTERRUPT' not in [name for name, _, _ in vm.received]: vm.serve()\nend()")
    wait_for(lambda: vm.get()["state"] == "waiting_input", what="the end of the flood")
    vm.call("session.interrupt")
    told = [line["params"]["on"] for line in mute.lines() if line.get("method") == "cell.waiting"]
    assert 0 < len(told) < 20000
    assert all(a is not b for a, b in itertools.pairwise(told))


def test_waiting_is_told_once(vm):
    cell = vm.exec("send('WAITING', b'\\1', times=1000)\nsend('WAITING', b'\\0', times=1000)\nend()", stream=True)
    told = []
    while not vm.client.notes.empty():
        note = vm.client.notes.get()
        if note["method"] == "cell.waiting" and note["params"]["cell"] == cell["cell"]:
            told.append(note["params"]["on"])
    assert told == [True, False]


def test_an_end_is_one(vm, bounded):
    """What comes after DONE changes nothing, however often it comes."""
    cell = vm.exec("end(value=b'first', flags=16)\n"
                   "send('DONE', done(value=b'second' * 1000, flags=16), times=20000)\n"
                   "send('DISPLAY', blob('a/b') + blob(b'x' * 100000), times=1000)\n"
                   "send('WAITING', b'\\1', times=100000)")
    assert cell["value"] == "first" and cell["displays"] == []
    assert vm.exec("end()")["state"] == "done"
    assert vm.get()["state"] == "idle"


@pytest.mark.parametrize("code", [*range(16), 4294967295])
@pytest.mark.parametrize("printed", [False, True])
def test_a_refusal_never_says_that_nothing_ran(vm, code, printed):
    """The cell was sent: whatever the guest says of it afterwards, it may have run."""
    before = "send('OUTPUT', b'I ran\\n', flags=1)\n" if printed else ""
    ends(vm, before + f"send('ERROR', struct.pack('<I', {code}) + blob('try again'))", "cell 1 was refused")


# ---- the session ----

def ready(generation):
    return f"send('READY', blob('python') + struct.pack('<IQ', {generation}, 1), 0, times=1)\n"


def incarnation(vm):
    return vm.get()["incarnation"]


def test_the_incarnation_rises_by_one(vm):
    assert incarnation(vm) == 1
    vm.exec(ready(1) * 1000 + "end()")
    assert incarnation(vm) == 1
    vm.exec(ready(2) * 1000 + "end()")
    assert incarnation(vm) == 2
    # Told by DONE and by READY, it is one loss.
    vm.exec("end(flags=8)\n" + ready(3))
    vm.exec("end()")
    assert incarnation(vm) == 3
    vm.exec(ready(4) + "end()")
    assert incarnation(vm) == 4


@pytest.mark.parametrize("generation", [0, 3, 4, 2**31, 2**32 - 1])
def test_the_incarnation_cannot_jump(vm, generation):
    ends(vm, ready(generation) + "end()", "READY: generation")


def test_the_guests_log_is_bounded(hostile, vm, bounded):
    before = hostile.log.stat().st_size
    vm.exec("send('LOG', b'\\3' + blob(b'l' * 4000), 0, times=50000)\nend()")
    comes_to_rest(vm.client)
    assert hostile.log.stat().st_size - before < MIB
    assert "it has said too much" in hostile.log.read_text(errors="replace")
    ends(vm, "send('LOG', b'\\3' + blob(b'l' * 4097), 0)", "LOG")


def test_reports_of_ports_are_bounded(hostile, vm, bounded):
    with Watcher(hostile, sessions=[vm.id], kinds=["network.listening"]) as watcher:
        begun = time.monotonic()
        vm.exec("""
for i in range(20000):
    send('LISTENING', blob(struct.pack('<H', 1 + i % 2)), 0)
send('LISTENING', blob(struct.pack('<HH', 80, 8000)), 0)
end()""", timeout_ms=600_000)
        events = watcher.until("network.listening", ports=[80, 8000])
        assert len(events) <= 2 + 10 * (time.monotonic() - begun)
    assert [one["port"] for one in vm.call("session.network")["listening"]] == [80, 8000]
    ends(vm, "send('LISTENING', blob(struct.pack('<HH', 8000, 80)), 0)", "LISTENING")


ANSWERS = ["HELD", "PONG", "STATUS", "COMPLETIONS", "COMPLETENESS", "DESCRIPTION", "FILE_ENTRIES", "OK",
           "ERROR"]


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_that_nobody_asked_for(vm, bounded, kind):
    vm.exec(f"send('{kind}', b'x' * 1000, 0, number=4711, times=200_000)\nend()", timeout_ms=600_000)
    assert vm.exec("end()")["state"] == "done"


@pytest.mark.parametrize("kind", sorted(set(TYPES) - set(ANSWERS) - {"HELLO", "READY", "LOG", "LISTENING", "DISPLAY", "WAITING", "DONE"} - set(STREAMS)) + [0, 99, 65535])
@pytest.mark.parametrize("cell", [0, 1])
def test_what_only_the_host_sends(vm, kind, cell):
    ends(vm, f"send({kind!r}, b'', {cell})", "a guest never sends")


def test_a_second_hello(vm):
    ends(vm, "send('HELLO', bytes(20), 0)", "a second HELLO")


def test_a_frame_that_is_too_long(vm, bounded):
    ends(vm, f"write(AGENT, HEAD.pack({16 * MIB + 1}, TYPES['LOG'], 0, 0, 0))", "exceeds the limit")


def test_a_frame_that_does_not_end(vm):
    """It costs what there is of it, at most 16 MiB, and the cell's time-out ends it."""
    cell = vm.send(f"write(AGENT, HEAD.pack({16 * MIB}, TYPES['LOG'], 0, 0, 0) + b'x' * 1000)\n"
                   "while True: vm.receive()", timeout_ms=60_000)
    assert vm.get()["state"] == "running"
    vm.close()
    with pytest.raises(Failure) as failure:
        cell.wait()
    assert failure.value.kind == "outcome_unknown"


# ---- answers to what was asked ----

def answer(vm, name, kind, payload):
    """From now on a request @name is answered so; @payload as an expression of hostile_vm.py."""
    vm.exec(f"vm.answers[{name!r}] = ({kind!r}, {payload})\nend()")


BAD_ENTRIES = {
    "a slash": "entries(entry('a/b'))",
    "the parent": "entries(entry('..'))",
    "itself": "entries(entry('.'))",
    "nothing": "entries(entry(''))",
    "a NUL": "entries(entry(b'a\\0b'))",
    "too long": "entries(entry('n' * 256))",
    "twice the same": "entries(entry('a'), entry('a'))",
    "downwards": "entries(entry('b'), entry('a'))",
    "a size of no file": "entries(entry('a', size=2**63))",
    "blocks of no file": "entries(entry('a', allocated=2**63))",
    "a mode of no file": "entries(entry('a', mode=0o10000))",
    "a type that is none": "entries(entry('a', kind=4))",
    "more than it says": "entries(entry('a'), count=0)",
    "less than it says": "entries(entry('a'), count=2)",
    "too many": "entries(*[entry('%04d' % i) for i in range(1001)])",
    "nothing, and more": "entries(more=1)",
    "a head that is none": "entries(entry('a'), more=2)",
    "half a head": "b'\\0\\1'",
}


@pytest.mark.parametrize("what", BAD_ENTRIES)
def test_listings_that_cannot_be(vm, what):
    answer(vm, "FILE_LIST", "FILE_ENTRIES", BAD_ENTRIES[what])
    with pytest.raises(Failure) as failure:
        vm.call("file.list")
    assert "broke the protocol" in str(failure.value), failure.value
    with pytest.raises(Failure) as failure:
        vm.exec("end()")
    assert failure.value.kind == "session_closed"


def test_a_listing_that_goes_back(vm):
    """The next page begins behind the last name."""
    answer(vm, "FILE_LIST", "FILE_ENTRIES", "entries(entry('m'), more=1)")
    with pytest.raises(Failure) as failure:
        vm.call("file.list")
    assert "broke the protocol" in str(failure.value)


def test_a_listing_without_end(vm, bounded):
    """A guest may have any number of files: a listing ends at its limits."""
    vm.exec("import itertools\nnames = itertools.count()\n"
            "class Endless(dict):\n"
            "    def __contains__(self, name): return name == 'FILE_LIST'\n"
            "    def __getitem__(self, name):\n"
            "        page = [entry('%0200d' % next(names)) for _ in range(1000)]\n"
            "        return 'FILE_ENTRIES', entries(*page, more=1)\n"
            "vm.answers = Endless()\nend()")
    listing = vm.call("file.list", limit=100_000)
    assert listing["more"] is True and len(listing["entries"]) <= 100_000


@pytest.mark.parametrize("method, asked, kind, payload", [
    ("file.stat", "FILE_STAT", "FILE_ENTRIES", "entries()"),
    ("file.stat", "FILE_STAT", "FILE_ENTRIES", "entries(entry('a'), entry('b'))"),
    ("file.stat", "FILE_STAT", "FILE_ENTRIES", "entries(entry('a'), more=1)"),
    ("session.complete", "COMPLETE", "COMPLETIONS", "b'x'"),
    ("session.is_complete", "IS_COMPLETE", "COMPLETENESS", "b'\\7' + blob('')"),
    ("session.describe", "DESCRIBE", "DESCRIPTION", "blob('function') + blob(b's' * 1025) + blob('')"),
    ("session.describe", "DESCRIBE", "DESCRIPTION", "blob('function') + blob('()')"),
    ("session.describe", "DESCRIBE", "COMPLETENESS", "b'\\0' + blob('')"),
    ("file.mkdir", "FILE_MKDIR", "PONG", "bytes(17)"),
    ("file.mkdir", "FILE_MKDIR", "ERROR", "struct.pack('<I', 99) + blob('x')"),
])
def test_answers_that_cannot_be(vm, method, asked, kind, payload):
    answer(vm, asked, kind, payload)
    params = {"code": "x"} if method.startswith("session.") else {"path": "f"}
    with pytest.raises(Failure) as failure:
        vm.call(method, **params)
    assert "broke the protocol" in str(failure.value), failure.value


DOWNLOADS_THAT_CANNOT_BE = {
    "more than was asked for": ("send('DATA', b'x' * 1001, 0, number=number)", "more of the file"),
    "more in the end": ("send('DATA', b'x' * 1000, 0, number=number)\nsend('DATA', b'x', 0, number=number)", "more of the file"),
    "less than was asked for": ("send('DATA', b'x' * 999, 0, number=number)\nsend('SHUT', struct.pack('<QB', 5, 0), 0, number=number)",
                                "less of the file"),
    "nothing": ("send('SHUT', struct.pack('<QB', 5, 0), 0, number=number)", "less of the file"),
    "no word": ("send('SHUT', b'', 0, number=number)", "download"),
    "half a word": ("send('SHUT', b'short', 0, number=number)", "download"),
    "a word too long": ("send('SHUT', bytes(10), 0, number=number)", "download"),
    "a credit": ("send('CREDIT', struct.pack('<Q', 1), 0, number=number)", "used less"),
    "of a cell": ("send('DATA', b'x', 1, number=number)", "does not belong to cell 1"),
    "of another": ("send('DATA', b'x', 0, number=number + 2)", "was not opened"),
    "a reason that is none": ("send('RESET', struct.pack('<I', 3) + blob('x'), 0, number=number)", "a guest never sends"),
}


@pytest.mark.parametrize("what", DOWNLOADS_THAT_CANNOT_BE)
def test_downloads_that_cannot_be(vm, bounded, what):
    frames, sentence = DOWNLOADS_THAT_CANNOT_BE[what]
    vm.exec("def at_open(kind, number):\n    " + frames.replace("\n", "\n    ") + "\nvm.at_open = at_open\nend()")
    with pytest.raises(Failure) as failure:
        vm.call("file.read", path="f", length=1000)
    assert "broke the protocol" in str(failure.value) and sentence in str(failure.value), failure.value
    with pytest.raises(Failure) as failure:
        vm.exec("end()")
    assert failure.value.kind == "session_closed"


UPLOADS_THAT_CANNOT_BE = {
    "data": ("send('DATA', b'x', 0, number=number)", "credit"),
    "an end before ours": ("send('SHUT', bytes(8), 0, number=number)", "not what was sent"),
    "another size": ("vm.at_shut = lambda number: send('SHUT', struct.pack('<Q', 5), 0, number=number)", "not what was sent"),
    "a size too long": ("vm.at_shut = lambda number: send('SHUT', bytes(9), 0, number=number)", "upload"),
    "two ends": ("vm.at_shut = lambda number: [send('SHUT', struct.pack('<Q', 4), 0, number=number) for _ in range(2)]", None),
    "credit for nothing": ("send('CREDIT', struct.pack('<Q', 1 << 40), 0, number=number)", "used less"),
    "no credit": ("send('CREDIT', bytes(8), 0, number=number)", "used less"),
}


@pytest.mark.parametrize("what", UPLOADS_THAT_CANNOT_BE)
def test_uploads_that_cannot_be(vm, bounded, what):
    frames, sentence = UPLOADS_THAT_CANNOT_BE[what]
    vm.exec(f"def at_open(kind, number):\n    {frames}\nvm.at_open = at_open\nend()")
    if sentence is None:  # the first is a good one
        assert vm.call("file.write", path="f", text="four")["size"] == 4
    else:
        with pytest.raises(Failure) as failure:
            vm.call("file.write", path="f", text="four")
        assert "broke the protocol" in str(failure.value) and sentence in str(failure.value), failure.value
    with pytest.raises(Failure) as failure:
        vm.exec("end()")
    assert failure.value.kind in ("session_closed", "outcome_unknown")


@pytest.mark.takes(3 * 32 * MIB)
def test_uploads_that_nobody_takes_are_bounded(vm, bounded):
    """What a guest does not consume waits up to a limit, and no more than a window of it has left."""
    vm.exec("vm.at_open = lambda kind, number: None\nend()")
    sent = []

    def write():  # stands still when the server has stopped reading this connection
        for at in range(8):
            sent.append(vm.call_later("file.write", path="f", offset=at * MIB, text="x" * MIB, final=False))

    writer = threading.Thread(target=write)
    writer.start()
    wait_for(lambda: len(sent) > 4)
    with vm.client_of() as other:
        cell = other.call("session.exec", session=vm.id,
                          code="assert sum(size for name, _, size in vm.received if name == 'DATA') <= 512 << 10\nend()")
        assert cell["state"] == "done"
        assert len(sent) < 8
        other.call("session.close", session=vm.id)
    writer.join()
    for pending in sent:
        with pytest.raises(Failure):
            pending.wait()


def test_errors_that_are_none_of_a_guests(vm):
    """A guest says why it could not do what it was asked; not that there is no session, or no image."""
    answer(vm, "FILE_MKDIR", "ERROR", "struct.pack('<I', 3) + blob('x')")  # closed
    with pytest.raises(Failure) as failure:
        vm.call("file.mkdir", path="d")
    assert "broke the protocol" in str(failure.value)


# ---- towards the guest ----

@pytest.mark.takes(3 * 32 * MIB)  # GB_GUEST_QUEUE_MAX in a buffer that grows by doubling
def test_a_guest_that_reads_nothing(vm, client, bounded):
    """What waits for it is bounded; then it is busy."""
    cell = vm.send("import time\nwhile True: time.sleep(1)", timeout_ms=600_000)
    wait_for(lambda: vm.get()["state"] == "running")
    code = "x" * 3 * MIB
    answers = [vm.client.send("session.complete", session=vm.id, code=code) for _ in range(30)]
    kinds = []
    for pending in answers:
        with pytest.raises(Failure) as failure:
            pending.wait()
        kinds.append(failure.value.kind)
    assert "busy" in kinds
    vm.close()
    with pytest.raises(Failure):
        cell.wait()


# ---- clients ----

HALF = b'{"id": 1, "method": "hello", "params": {"client": "' + b"x" * (31 * MIB)


@pytest.mark.takes(320 * MIB)  # GB_LINES_MAX and what is being copied
def test_half_lines_are_bounded_together(hostile, bounded):
    """Twenty clients send 31 MiB without an end: who has stood still for longest makes room, and is told so."""
    clients = []
    for _ in range(20):
        clients.append(Mute(hostile))
        clients[-1].sock.sendall(HALF)
        with hostile.client() as other:
            other.call("hello")  # what was sent before has been read
    told = []
    for mute in clients[:12]:
        reply = list(mute.lines())[-1]
        assert reply["id"] is None
        told.append((reply["error"]["data"]["kind"], reply["error"]["data"]["retryable"]))
    assert told == [("busy", True)] * 12
    # The last of them goes on, and gets the answer to its line (the name is too long); a refused one is as good as new.
    clients[-1].sock.sendall(b'"}}\n')
    assert list(clients[-1].lines())[-1]["error"]["data"]["kind"] == "too_large"
    clients[0].sock.sendall(b'"}}\n{"id": 2, "method": "hello", "params": {}}\n')
    assert list(clients[0].lines())[-1]["id"] == 2
    for mute in clients:
        mute.sock.close()


def test_small_lines_are_not_in_the_way(hostile, client):
    """Who is slow with a line of ordinary length never makes room for others."""
    slow = Mute(hostile)
    slow.sock.sendall(b'{"id": 7, "method": "hello", "params": {"client": "' + b"s" * 60)
    client.call("hello")
    crowd = [Mute(hostile) for _ in range(10)]
    for mute in crowd:
        mute.sock.sendall(HALF)
    client.call("hello")
    slow.sock.sendall(b'"}}\n')
    assert list(slow.lines())[-1]["id"] == 7
    for mute in [slow, *crowd]:
        mute.sock.close()


def test_a_line_that_is_too_long_costs_nothing(hostile, bounded):
    mute = Mute(hostile)
    for _ in range(10):
        mute.sock.sendall(HALF)
    reply = list(mute.lines())[-1]
    assert reply["error"]["data"]["kind"] == "too_large"
    mute.sock.sendall(b'"}}\n{"id": 2, "method": "hello", "params": {}}\n')
    assert list(mute.lines())[-1]["id"] == 2


def test_requests_under_way_are_bounded_together(hostile, client, vm):
    """Cells wait in one session up to 128 MiB of code and standard input."""
    with hostile.client() as other:
        first = vm.send("while 'INTERRUPT' not in [name for name, _, _ in vm.received]: vm.serve()")
        wait_for(lambda: vm.get()["state"] == "running")
        ran, kinds = 0, []
        sent = [c.send("session.exec", session=vm.id, code="end()", stdin="i" * 8 * MIB)
                for c in [client] * 14 + [other] * 14]
        other.call("hello")
        vm.call("session.interrupt")
        first.wait()
        for pending in sent:
            try:
                pending.wait()
                ran += 1
            except Failure as failure:
                assert failure.dispatched is False and failure.retryable is True
                kinds.append(failure.kind)
    assert ran == 15 and set(kinds) == {"busy"}


def busy(pending, word):
    """Refused, with that reason, or not."""
    try:
        pending.wait()
    except Failure as failure:
        assert failure.kind == "busy" and word in str(failure), failure
        assert failure.dispatched is False and failure.retryable is True
        return True
    return False


UNTIL_INTERRUPTED = "while 'INTERRUPT' not in [name for name, _, _ in vm.received]: vm.serve()"


def test_requests_of_a_connection_are_bounded(client, vm):
    first = vm.send(UNTIL_INTERRUPTED)
    sent = [vm.send("end()") for _ in range(300)]
    with vm.client_of() as other:
        other.call("session.interrupt", session=vm.id)
    assert sum(busy(pending, "requests of this connection") for pending in sent) == 300 - 255
    first.wait()


def test_cells_that_wait_are_bounded(client, vm):
    first = vm.send(UNTIL_INTERRUPTED)
    wait_for(lambda: vm.get()["state"] == "running")
    with vm.client_of() as one, vm.client_of() as two:
        sent = [c.send("session.exec", session=vm.id, code="end()") for c in [one] * 200 + [two] * 200]
        one.call("hello"), two.call("hello")
        vm.call("session.interrupt")
        assert sum(busy(pending, "cells of this session wait") for pending in sent) == 400 - 256
        first.wait()


def test_requests_to_a_guest_are_bounded(client, vm):
    cell = vm.send("while True: time.sleep(1)", timeout_ms=600_000)
    wait_for(lambda: vm.get()["state"] == "running")
    others = [vm.client_of() for _ in range(5)]
    sent = [other.send("file.stat", session=vm.id, path="f") for other in others for _ in range(250)]
    for other in others:
        other.call("hello")
    vm.close()
    kinds = []
    for pending in [*sent, cell]:
        with pytest.raises(Failure) as failure:
            pending.wait()
        kinds.append(failure.value.kind)
    # get() of this test has asked for one, too.
    assert 1250 - 1024 <= kinds.count("busy") <= 1250 - 1024 + 1
    for other in others:
        other.close()


def test_open_uploads_are_bounded(vm):
    sent = [vm.call_later("file.write", path=f"f{i}", offset=0, text="x", final=False) for i in range(20)]
    assert [busy(pending, "uploads of this session") for pending in sent] == [False] * 16 + [True] * 4


def test_notes_of_leases_are_bounded(hostile, client, vm):
    with hostile.client() as person:
        for i in range(40):
            person.call("session.lease", session=vm.id, action="take")
            person.call("session.lease", session=vm.id, action="release", note=f"{i} " + "n" * 900)
    cell = vm.exec("end()")
    assert len(cell["notice"]) <= 8 << 10 and "39 nnn" in cell["notice"]


def test_connections_are_bounded(hostile, client):
    """The 513th is told so, and comes in when another one has gone."""
    crowd = [Mute(hostile) for _ in range(512 - client.call("stats")["connections"])]
    wait_for(lambda: client.call("stats")["connections"] == 512)
    assert list(Mute(hostile).lines())[-1]["error"]["data"]["kind"] in ("busy", "capacity")
    assert client.call("stats")["connections"] == 512
    crowd.pop().sock.close()
    wait_for(lambda: client.call("stats")["connections"] == 511)
    late = Mute(hostile)
    late.send("hello")
    assert list(late.lines())[-1]["id"] == 1
    for mute in [late, *crowd]:
        mute.sock.close()


# ---- figures ----

def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) << 10 for line in rollup if line.startswith("Pss:"))


def test_every_session_gets_its_figures(client, tmp_path):
    """However many there are, and however long it takes to read those of one: all come to be those of today."""
    file = tmp_path / "memory"
    file.write_bytes(bytes(256 * MIB))  # mapped by all of them: reading the figures walks over it each time
    sessions = [Session(client, PYTHON, memory_mb=next(sizes)) for _ in range(60)]
    for session in sessions:
        session.exec(f"import mmap\nm = open({str(file)!r}, 'rb')\n"
                     f"vm.kept = mmap.mmap(m.fileno(), 0, mmap.MAP_SHARED, mmap.PROT_READ)\nvm.kept[::4096]\nend()")
    pids = {vm["session"]: vm["pid"] for vm in client.call("stats")["vms"] if vm["session"]}
    truth = {session.id: pss(pids[session.id]) for session in sessions}

    def told():
        seen = {entry["session"]: entry["memory_bytes"] for entry in client.call("session.list")["sessions"]}
        return all(seen[name] is not None and abs(seen[name] - truth[name]) < 2 * MIB for name in truth)
    for _ in range(15):  # somebody looks once a second: those that were read first are old again by then
        if told():
            break
        time.sleep(1.1)
    else:
        raise AssertionError("some sessions have no figures")
    assert all(abs(vm["memory_bytes"] - truth[vm["session"]]) < 2 * MIB
               for vm in client.call("stats")["vms"] if vm["session"] in truth)
    for session in sessions:
        session.close()


# ---- QEMU itself ----

@pytest.mark.parametrize("fd", ["CONSOLE", "ERRORS"])
def test_last_words_are_a_tail(vm, bounded, fd):
    vm.exec(f"for _ in range(100): write({fd}, b'word ' * 200_000)\nend()", timeout_ms=600_000)
    assert vm.exec("end()")["state"] == "done"


def test_a_monitor_that_does_not_end_its_line(vm, bounded):
    with pytest.raises(Failure) as failure:
        vm.exec("for _ in range(100): write(MONITOR, b'x' * 1000_000)\nwhile True: vm.receive()", timeout_ms=600_000)
    assert failure.value.kind == "outcome_unknown" and "monitor" in str(failure.value)


def test_a_status_that_is_none(vm, bounded):
    with pytest.raises(Failure) as failure:
        vm.exec("for _ in range(100): write(STATUS, b'x' * 1000_000)\nwhile True: vm.receive()", timeout_ms=600_000)
    assert failure.value.kind == "outcome_unknown" and "status" in str(failure.value)


# ---- the table ----

def test_every_queue_has_its_test():
    """The table of docs/threat-model.md names tests that there are."""
    text = (ROOT / "docs/threat-model.md").read_text()
    table = text[text.index("| queue |"):].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 20
    for row in table:
        queue, bound, tests = [cell.strip() for cell in row.strip("|").split("|")]
        assert bound, queue
        names = re.findall(r"`([^`]+)::(\w+)`", tests)
        assert names, f"{queue} names no test"
        for path, name in names:
            source = (ROOT / path).read_text()
            pattern = rf"START_TEST\({name}\)" if path.endswith(".c") else rf"^def {name}\("
            assert re.search(pattern, source, re.M), f"{queue}: {path} has no test {name}"


def test_every_frame_has_a_row():
    """Each type that a guest sends is named in the table."""
    text = (ROOT / "docs/threat-model.md").read_text()
    table = text[text.index("| queue |"):].split("\n\n")[0]
    for kind in [*ANSWERS, *STREAMS, "HELLO", "READY", "LOG", "DISPLAY", "WAITING", "DONE"]:
        assert kind in table, kind
