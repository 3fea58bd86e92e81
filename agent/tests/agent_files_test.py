# SPDX-License-Identifier: Apache-2.0
"""Files of a real guest, as a host reads and writes them through the port."""

import hashlib
import os
import struct

import guest as g
import pytest
from box import (BUSY, INVALID, NOT_FOUND, POLICY, TOO_LARGE, boot, entries, needs_guest, read, refused, write)
from guest import Refused, blob

pytestmark = needs_guest


@pytest.mark.parametrize("size", [0, 1, 65535, 131072, 1 << 20, 20 << 20])
def test_files_round_trip(vm, size):
    data = os.urandom(size)
    assert write(vm, f"dir/sub/f{size}", data, 0o755) == size
    assert hashlib.sha256(read(vm, f"/home/user/dir/sub/f{size}")[0]).digest() == hashlib.sha256(data).digest()
    _, found = entries(vm, "FILE_STAT", blob(f"dir/sub/f{size}"))
    assert found[0][:3] == (b"f%d" % size, 0, size) and found[0][5] == 0o755
    vm.ask("FILE_REMOVE", blob("dir") + b"\1")
    refused(NOT_FOUND, lambda: vm.ask("FILE_STAT", blob("dir")))


def test_file_escapes(vm):
    vm.exec("import os\nos.symlink('/etc/passwd', 'link')\nos.symlink('/etc', 'etc')\n"
            "os.symlink('../..', 'up')\nos.mkfifo('fifo')\n"
            "import socket\nsocket.socket(socket.AF_UNIX).bind('socket')")
    for path in ("../x", "/etc/passwd", "a/../../b", "x\0y", "link", "etc/passwd", "up/etc/passwd",
                 "/home/user/../x", "/home/user2"):
        with pytest.raises(Refused) as caught:
            read(vm, path)
        assert caught.value.code in (POLICY, NOT_FOUND), path
        with pytest.raises(Refused) as caught:
            write(vm, path, b"x")
        assert caught.value.code in (POLICY, NOT_FOUND, INVALID), path
    for path in ("../x", "/etc/passwd", "x\0y", "link", "etc/passwd"):
        refused(POLICY, lambda: read(vm, path))
        refused(POLICY, lambda: write(vm, path, b"x"))
    refused(INVALID, lambda: read(vm, "fifo"))
    refused(INVALID, lambda: read(vm, "socket"))
    refused(INVALID, lambda: read(vm, "."))
    refused(NOT_FOUND, lambda: read(vm, "missing"))
    refused(TOO_LARGE, lambda: write(vm, "n" * 256, b"x"))
    assert write(vm, "n" * 255, b"x") == 1
    vm.exec("import os\nfor n in ('link', 'etc', 'up', 'fifo', 'socket', 'n' * 255): os.unlink(n)")


@pytest.mark.parametrize("offset, length, eof", [(0, 10, 0), (0, 99999, 0), (0, 100000, 1), (0, 100001, 1), (5, 1 << 60, 1),
                                                 (99999, 1, 1), (100000, 1, 1), (1 << 50, 1, 1), (1 << 63, 1 << 63, 1)])
def test_pieces_of_files(vm, offset, length, eof):
    data = os.urandom(100000)
    write(vm, "pieces", data)
    assert read(vm, "pieces", offset, length) == (data[offset:offset + length], len(data), eof)
    vm.ask("FILE_REMOVE", blob("pieces") + b"\0")


def test_uploads_are_whole_or_absent(vm):
    upload = vm.upload("half")
    upload.give(vm, b"part")
    refused(NOT_FOUND, lambda: read(vm, "half"))
    upload.give_up(vm)
    refused(NOT_FOUND, lambda: read(vm, "half"))
    uploads = [vm.upload("half") for _ in range(16)]
    for upload in uploads:
        upload.give(vm, b"part")
    refused(BUSY, lambda: write(vm, "half", b""))
    for upload in uploads:
        upload.give_up(vm)
    assert entries(vm, "FILE_LIST", blob(".") + blob("") + struct.pack("<I", 10)) == (0, [])
    assert write(vm, "whole", b"") == 0
    vm.ask("FILE_REMOVE", blob("whole") + b"\0")


@pytest.mark.parametrize("mode", [0o1000, 0o4755, 1 << 31])
def test_modes_that_are_none(vm, mode):
    refused(INVALID, lambda: write(vm, "moded", b"x", mode))
    refused(NOT_FOUND, lambda: read(vm, "moded"))


def test_too_large_a_file(vm):
    with pytest.raises(Refused) as caught:
        write(vm, "huge", bytes(150 << 20))
    assert caught.value.code == TOO_LARGE
    refused(NOT_FOUND, lambda: read(vm, "huge"))


def test_a_download_waits_for_credit(vm):
    """Without it no more than the window comes, and others go on."""
    write(vm, "large", bytes(2 << 20))
    number = vm.next_stream
    vm.next_stream += 2

    def of_it():
        """Its next frame; those of cells' output are not meant here."""
        while (frame := vm.receive_any(60)).id != number:
            assert vm.take_stream(frame), frame
        return frame

    try:
        vm.send("OPEN", bytes([g.DOWNLOAD]) + blob(blob("large") + struct.pack("<QQ", 0, 1 << 60)), 0, number)
        came = 0
        while g.STREAM_WINDOW - came > g.COST:
            frame = of_it()
            assert frame.type == "DATA"
            came += g.cost(frame)
        assert vm.exec("print(6*7)").out == b"42\n"
        vm.send("RESET", struct.pack("<I", 1) + blob(""), 0, number)
        while (frame := of_it()).type == "DATA":
            came += g.cost(frame)
        assert frame.type == "RESET" and came <= g.STREAM_WINDOW
    finally:
        vm.ask("FILE_REMOVE", blob("large") + b"\0")


def test_listing(vm):
    vm.exec("import os\nos.mkdir('many')\nfor i in range(2500): open(f'many/f{i:04}', 'w').close()\n"
            "f = open('many/sparse', 'w'); f.truncate(100 << 30); f.close()")
    names, after = [], b""
    while True:
        more, found = entries(vm, "FILE_LIST", blob("many") + blob(after) + struct.pack("<I", 1000))
        names += [entry[0] for entry in found]
        if not more:
            break
        after = names[-1]
    assert names == [b"f%04d" % i for i in range(2500)] + [b"sparse"]
    assert found[-1][2:4] == (100 << 30, 0)
    vm.ask("FILE_MKDIR", blob("many/a/b/c") + b"\1")
    refused(INVALID, lambda: vm.ask("FILE_MKDIR", blob("many/a") + b"\0"))
    refused(INVALID, lambda: vm.ask("FILE_REMOVE", blob("many") + b"\0"))
    vm.ask("FILE_REMOVE", blob("many") + b"\1")
    assert vm.exec("import os; print(os.listdir('.'))").out == b"[]\n"


def test_deep_trees_are_removed(vm):
    vm.exec("import os\nfor i in range(600):\n    os.mkdir('deep'); os.chdir('deep')\n    open('f', 'w').close()\n"
            "os.chdir('/home/user')")
    vm.ask("FILE_REMOVE", blob("deep") + b"\1")
    assert vm.exec("import os; print(os.listdir('.'))").out == b"[]\n"


def test_trees_with_names_of_any_kind_are_removed(vm):
    """Removing moves folders up, under names that may be taken."""
    vm.exec("import os\nfor i in range(4):\n    os.makedirs(f'tree/.removed-{i}/a/b'); os.makedirs(f'tree/{i}/a/b/c')\n"
            "    os.makedirs(f'tree/{i}/.removed-{i + 3}/a'); open(f'tree/.removed-{i + 4}', 'w').close()")
    vm.ask("FILE_REMOVE", blob("tree") + b"\1")
    assert vm.exec("import os; print(os.listdir('.'))").out == b"[]\n"


def test_removing_many_files_holds_nothing_up(vm):
    """It is done in steps: what is asked meanwhile is answered first, and it counts as something under way."""
    vm.exec("import os\nfor name in 'ab':\n    os.mkdir(name)\n"
            "    for i in range(4000): open(f'{name}/{i}', 'w').close()")
    *removals, hold, ping = vm.send_together(*(("FILE_REMOVE", blob(name) + b"\1") for name in "ab"),
                                             ("HOLD", b""), ("PING", b""))
    answers = [vm.wait(lambda frame: frame.id in (*removals, hold, ping)) for _ in range(4)]
    assert [answer.id for answer in answers][:2] == [hold, ping] and answers[1].type == "PONG"
    assert answers[0].type == "ERROR" and "being removed" in g.Refused(answers[0]).message
    assert [answer.type for answer in answers[2:]] == ["OK", "OK"]
    assert vm.exec("import os; print(os.listdir('.'))").out == b"[]\n"


def test_files_while_a_cell_runs(vm):
    started = vm.exec_start("while True: pass", timeout_ms=2000)
    assert write(vm, "during", b"now") == 3 and read(vm, "during")[0] == b"now"
    assert vm.exec_wait(started).flags & g.TIMED_OUT
    vm.ask("FILE_REMOVE", blob("during") + b"\0")


def test_files_leave_a_small_guest_alive(tmp_path, memory=112):
    """Whoever fills the memory, by the host's calls, from a cell, or both at once, is refused, and the guest
    goes on: an upload too large, as many small ones as there is room for, folders, a cell's files and a hog."""
    guest = boot(str(tmp_path), memory=memory)
    try:
        guest.ready()
        fill = ("import os\nb, n = bytes(1 << 20), 0\nfor d in ('/tmp', '/dev/shm', '/home/user'):\n"
                "  try:\n    with open(d + '/fill', 'wb', 0) as f:\n      while f.write(b): pass\n"
                "  except OSError as e: n += e.errno == 28\nprint(n)\n")
        hog = "a = []\nwhile True: a.append(bytes(os.urandom(1 << 16)))"
        clear = "for d in ('/tmp', '/dev/shm', '/home/user'):\n  os.path.exists(d + '/fill') and os.unlink(d + '/fill')"
        refused(TOO_LARGE, lambda: write(guest, "huge", bytes(memory << 20)))
        refused(NOT_FOUND, lambda: read(guest, "huge"))
        refused(TOO_LARGE, lambda: [write(guest, f"small/{i}", bytes(8000)) for i in range(memory << 7)])
        done = guest.exec(fill + hog, timeout_ms=120000, timeout=150)
        assert done.flags & g.OOM or done.exit_code != 0, done
        guest.ask("FILE_REMOVE", blob("small") + b"\1")
        started = guest.exec_start("import os\n" + clear + "\n" + fill + hog, timeout_ms=120000)
        refused(TOO_LARGE, lambda: [write(guest, f"beside{i}", bytes(4 << 20)) for i in range(memory)])
        done = guest.exec_wait(started, timeout=150)
        assert done.flags & g.OOM or done.exit_code != 0, done
        assert guest.ask("PING", timeout=60).type == "PONG"
        # What is not in memory any more is read anew, page by page: that takes its time.
        done = guest.exec("import os\n" + clear + "\nfor n in os.listdir('/home/user'): os.unlink(n)",
                          timeout_ms=120000, timeout=150)
        assert (done.exit_code, done.flags) == (0, 0), (done, guest.console())
        done = guest.exec("print('alive')", timeout_ms=120000, timeout=150)
        assert (done.exit_code, done.flags, done.out) == (0, 0, b"alive\n"), (done, guest.console())
        assert write(guest, "again", b"room") == 4
    finally:
        guest.close()
