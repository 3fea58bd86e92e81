# SPDX-License-Identifier: Apache-2.0
"""The journal: what every session did is there after its end, after the server's, and after a kill."""

import contextlib
import json
import os
import pathlib
import signal
import struct
import subprocess

import pytest

from support import BINARY, Failure, Server, Session, alive, data_of, forgetful, out, qemu_pid, wait_for


def history(client, session, **params):
    return client.call("session.history", session=session.id, **params)


def test_a_cell_is_told_again_as_it_was_told(py):
    before = py.get()["cells"]
    cells = [py.exec("x = 41\nx + 1"),
             py.exec("import sys\nprint('ü€')\nsys.stderr.write('bad')\nraise SystemExit(3)"),
             py.exec("import os\nos.write(1, b'\\xff\\xfe')\nopen('made.txt', 'w').write('m')"),
             py.exec("import os\nos.remove('made.txt')", mode="process")]
    reply = history(py.client, py, after=before)
    assert reply["more"] is False and len(reply["cells"]) == 4
    for told, again in zip(cells, reply["cells"]):
        assert again.pop("incarnation") >= 1
        kept = again.pop("pace")
        for name in ("stdout", "stderr"):
            assert sum(size for _, stream, size in kept if stream == name) == len(data_of(told, name))
        for passing in ("background", "notice"):
            told.pop(passing, None)
        assert again == told
    assert [f["change"] for f in reply["cells"][2]["files"]] == ["added"]


def test_pages(py):
    first = py.get()["cells"]
    for i in range(5):
        py.exec(f"print({i})")
    reply = history(py.client, py, after=first, limit=2)
    assert [out(cell) for cell in reply["cells"]] == ["0\n", "1\n"] and reply["more"] is True
    reply = history(py.client, py, after=reply["cells"][-1]["cell"], limit=10)
    assert [out(cell) for cell in reply["cells"]] == ["2\n", "3\n", "4\n"] and not reply["more"]
    brief = history(py.client, py, after=first, limit=1, output=False)["cells"][0]
    assert "stdout" not in brief and brief["stdout_bytes"] == 2


def search(client, session, text, **params):
    """All numbers that a search finds, and how many calls it took."""
    found, calls, key = [], 0, "before" if "before" in params else "after"
    while True:
        reply = history(client, session, find=text, output=False, **params)
        found += [cell["cell"] for cell in reply["cells"]]
        calls += 1
        if not reply["more"]:
            assert "next" not in reply
            return found, calls
        params[key] = reply["next"]


def test_a_whole_history_is_searched(fresh):
    """In the code, both streams, the value and the error; from either end, and page by page."""
    s = fresh("python")
    for code in ("# Needle in the code", "print('a nee', end=''); print('dle')", "'the needle'",
                 "print('\\x1b[31mnee\\x1b[1mdle\\x1b[0m')", "import sys; sys.stderr.write('needle?')",
                 "1", "raise RuntimeError('NEEDLE')", "2"):
        s.exec(code)
    assert search(s.client, s, "needle") == ([1, 2, 3, 4, 5, 7], 1)
    assert search(s.client, s, "needle", before=1 << 31, limit=4)[0] == [7, 5, 4, 3, 2, 1]
    assert search(s.client, s, "needle", before=5, after=1)[0] == [4, 3, 2]
    assert search(s.client, s, "needle", limit=1)[0] == [1, 2, 3, 4, 5, 7]
    assert search(s.client, s, "Needle")[0] == [1]
    assert search(s.client, s, "not there") == ([], 1)
    back = history(s.client, s, before=5, limit=2)
    assert [cell["cell"] for cell in back["cells"]] == [4, 3] and back["more"] and back["next"] == 3
    for wrong in ("", "x\0", "x" * 1025):
        with pytest.raises(Failure) as caught:
            history(s.client, s, find=wrong)
        assert caught.value.kind in ("invalid_input", "too_large")


def test_a_search_through_much_output_comes_in_steps(fresh):
    s = fresh("python")
    for i in range(6):
        s.exec(f"print(('nee' + 'dle') * {i % 2}); print('y' * 30_000_000)", max_stdout=32 << 20, timeout_ms=60000)
    found, calls = search(s.client, s, "needle")
    assert found == [2, 4, 6] and calls > 1


def test_displays_and_large_output_come_back(py):
    cell = py.exec("import sys\nclass P:\n  def _repr_png_(self): return b'\\x89PNG' + b'x' * 99\n"
                   "sys.stdout.write('y' * 3_000_000)\nP()", max_stdout=4 << 20)
    again = history(py.client, py, after=cell["cell"] - 1, limit=1)["cells"][0]
    assert data_of(again, "stdout") == data_of(cell, "stdout") == b"y" * 3_000_000
    assert again["displays"] == cell["displays"]


def test_a_part_of_the_output_comes_back(py):
    """Counted over both streams; from the end, too; cut characters, and what is asked wrongly."""
    cell = py.exec("import sys\nsys.stdout.write('0123456789')\nsys.stderr.write('abüd')")

    def part(**params):
        found = history(py.client, py, after=cell["cell"] - 1, limit=1, **params)["cells"][0]
        assert (found["stdout_bytes"], found["stderr_bytes"]) == (10, 5)
        return found["offset"], data_of(found, "stdout"), data_of(found, "stderr")

    assert part(length=4) == (0, b"0123", b"")
    assert part(offset=8, length=4) == (8, b"89", b"ab")
    assert part(offset=8, length=5) == (8, b"89", b"ab\xc3")
    assert part(offset=12, length=4 << 20, output=False) == (12, b"", "üd".encode())
    assert part(offset=-4, length=2) == (11, b"", b"b\xc3")
    assert part(offset=-(1 << 50), length=11) == (0, b"0123456789", b"a")
    assert part(offset=1 << 50, length=9) == (15, b"", b"")
    whole = history(py.client, py, after=cell["cell"] - 1, limit=1, offset=3, length=3)["cells"][0]
    brief = history(py.client, py, after=cell["cell"] - 1, limit=1, output=False)["cells"][0]
    assert "pace" in whole and "displays" in whole and "stdout" not in brief and "offset" not in brief
    for wrong in ({"offset": 1}, {"length": 0}, {"length": (4 << 20) + 1}, {"length": 1, "offset": 1 << 51}):
        with pytest.raises(Failure) as caught:
            history(py.client, py, **wrong)
        assert caught.value.kind == "invalid_input"


def test_after_the_session(client):
    s = Session(client, "shell", key="kept", label="to be closed", owner="journal")
    s.exec("echo one")
    s.close()
    assert out(history(client, s)["cells"][0]) == "one\n"
    listed = client.call("session.list", state="closed", owner="journal")["sessions"]
    assert listed[0]["session"] == s.id and listed[0]["reason"] == "closed"
    assert listed[0]["label"] == "to be closed" and listed[0]["cells"] == 1
    with pytest.raises(Failure) as caught:
        client.call("session.history", session="s-0123456789")
    assert caught.value.kind == "not_found"


def test_a_run_is_recorded(client):
    cell = client.call("run", image="shell", code="echo run")
    again = client.call("session.history", session=cell["session"])["cells"][0]
    assert out(again) == "run\n"


def test_after_the_server_was_killed():
    """History, reasons and incarnations outlive it; its VMs do not."""
    server = forgetful()
    try:
        with server.client() as client:
            done = Session(client, "shell")
            done.close()
            s = Session(client, "python", key="lost one", owner="me")
            acknowledged = [s.exec(f"print({i})") for i in range(3)]
            s.send("print('begun', flush=True)\nwhile True: pass", stream=True)
            while s.note().get("text") != "begun\n":
                pass
            vm = qemu_pid(client, s.id)
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
        server.start()
        wait_for(lambda: not alive(vm), what="the end of the VM")
        with server.client() as client:
            lost = client.call("session.list", state="lost")["sessions"]
            assert [session["session"] for session in lost] == [s.id]
            assert lost[0]["reason"] == "lost" and lost[0]["key"] == "lost one"
            cells = client.call("session.history", session=s.id)["cells"]
            assert [out(cell) for cell in cells[:3]] == [out(cell) for cell in acknowledged]
            assert cells[3]["code"].startswith("print('begun'")
            assert cells[3]["error"]["kind"] == "outcome_unknown"
            assert cells[3]["error"]["dispatched"] is True
            with pytest.raises(Failure) as caught:
                client.call("session.get", session=s.id)
            assert caught.value.kind == "session_closed" and "server" in str(caught.value)
            with pytest.raises(Failure) as caught:
                client.call("session.exec", session=done.id, code="1")
            assert caught.value.kind == "session_closed" and "closed" in str(caught.value)
            again = client.call("session.open", image="python", key="lost one")
            assert again["reason"] == "lost" and again["incarnation"] == 2
    finally:
        server.stop()


def test_settings_of_the_journal(tmp_path):
    config = tmp_path / "glassbell.conf"
    config.write_text(f"[journal]\npath = {tmp_path}/kept\nsync = cell\nsize = 4M\n")
    with Server("--config", str(config)) as server, server.client() as client:
        s = Session(client, "shell")
        s.exec("echo synced")
        assert out(history(client, s)["cells"][0]) == "synced\n"
        figures = client.call("stats")["journal"]
        assert figures["sessions"] == 1 and figures["failures"] == 0
        assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
        segments = list((tmp_path / "kept").glob("*.gbj"))
        assert segments and all(path.stat().st_mode & 0o777 == 0o600 for path in segments)
    config.write_text("[journal]\nenabled = no\n")
    with Server("--config", str(config)) as server, server.client() as client:
        with pytest.raises(Failure) as caught:
            client.call("session.history", session="s-1")
        assert caught.value.kind == "unsupported"


# Trouble with the disk.

START, CELL = 2, 3


def records(path):
    """Where the records of a journal's file stand: (begin, end, type, cell)."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        assert data[at:at + 4] == b"GbB:"
        kind, = struct.unpack_from("<I", data, at + 4)
        size, = struct.unpack_from("<I", data, at + 24)
        cell, = struct.unpack_from("<I", data, at + 56)
        yield at, at + 80 + size, kind, cell
        at += 80 + size


def glassbell(server, *arguments):
    done = subprocess.run([BINARY, *arguments], env=dict(server.env, TZ="UTC", NO_COLOR="1"), check=True,
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout, done.stderr


@pytest.mark.parametrize("where", ["head", "payload"])
@pytest.mark.parametrize("killed", [False, True])
def test_damaged_records_are_told_as_damaged(where, killed):
    """Of the cells whose records were hit what is left is told, and the others are whole."""
    server = forgetful()
    try:
        with server.client() as client:
            s = Session(client, "shell", key="hurt")
            for i in range(1, 7):
                s.exec(f"echo out {i}")
            if not killed:
                s.close()
            server.process.send_signal(signal.SIGKILL if killed else signal.SIGTERM)
            server.process.wait()
        path, = pathlib.Path(server.env["XDG_STATE_HOME"]).glob("**/*.gbj")
        data = bytearray(path.read_bytes())
        for begin, end, kind, cell in records(path):
            if (kind, cell) in ((START, 2), (CELL, 4), (START, 5), (CELL, 5)):
                data[begin + 17 if where == "head" else end - 2] ^= 1
        path.write_bytes(data)
        server.start()
        with server.client() as client:
            told = history(client, s)["cells"]
            by_number = {cell["cell"]: cell for cell in told}
            for number in (1, 3, 6):
                assert by_number[number]["code"] == f"echo out {number}"
                assert out(by_number[number]) == f"out {number}\n" and by_number[number]["exit_code"] == 0
            assert by_number[2]["code"] is None and by_number[2]["code_lost"] and out(by_number[2]) == "out 2\n"
            assert by_number[4]["code"] == "echo out 4" and by_number[4]["result_lost"]
            assert not {"exit_code", "stdout", "error", "wall_ms"} & set(by_number[4])
            if where == "payload":  # where both heads are gone, nothing says that there was a fifth
                assert by_number[5]["code_lost"] and by_number[5]["result_lost"]
            for again in (history(client, s, output=False)["cells"], history(client, s, length=10)["cells"]):
                assert [cell.get("result_lost", False) for cell in again] == [
                    cell.get("result_lost", False) for cell in told]
            assert client.call("stats")["journal"]["lost"] >= (3 if where == "head" else 0)
        text, _ = glassbell(server, "log", s.id)
        assert "its code is lost" in text and "what became of it is lost" in text
        assert json.loads(glassbell(server, "export", s.id, "--format", "json")[0])["cells"][1]["code_lost"] is True
        _, said = glassbell(server, "log", s.id, "--code")
        assert "the code of cell 2 is lost" in said
        assert path.read_bytes()[:len(data)] == data
    finally:
        server.stop()


@pytest.mark.parametrize("obstacle", ["file", "link"])
def test_a_server_without_a_folder_for_its_journal(tmp_path, obstacle):
    """It starts, runs cells, says that they are not recorded, and records as soon as it can."""
    config = tmp_path / "glassbell.conf"
    config.write_text(f"[journal]\npath = {tmp_path}/state/journal\n")
    in_the_way = tmp_path / "state"
    if obstacle == "file":
        in_the_way.write_text("")
    else:
        in_the_way.symlink_to("/nowhere/at/all")
    with Server("--config", str(config)) as server, server.client() as client:
        s = Session(client, "shell")
        cells = [s.exec("echo run") for _ in range(3)]
        assert all(out(cell) == "run\n" and cell["unrecorded"] is True for cell in cells)
        figures = client.call("stats")["journal"]
        assert figures["failures"] >= 3 and figures["trouble"]
        assert server.log.read_text().count("cells are run and not recorded") == 1
        in_the_way.unlink()
        cell = s.exec("echo kept")
        assert "unrecorded" not in cell and client.call("stats")["journal"]["trouble"] is None
        assert [out(told) for told in history(client, s)["cells"]] == ["kept\n"]


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
def test_a_disk_that_others_fill(tmp_path):
    with small_disk(tmp_path / "disk", "8m") as disk:
        config = tmp_path / "glassbell.conf"
        config.write_text(f"[journal]\npath = {disk}/journal\nsize = 16M\n")
        with Server("--config", str(config)) as server, server.client() as client:
            old = Session(client, "shell")
            for _ in range(20):
                old.exec("head -c 50000 /dev/zero | tr '\\0' x")
            old.close()
            s = Session(client, "shell")
            with open(disk / "hog", "wb", buffering=0) as hog:
                for _ in range(20):
                    with contextlib.suppress(OSError):
                        while True:
                            hog.write(b"h" * 4096)
                    assert s.exec("head -c 40000 /dev/zero | tr '\\0' y")["unrecorded"] is True
                    assert len(history(client, old, output=False)["cells"]) == 20
                assert "running" not in [cell["state"] for cell in history(client, s, output=False)["cells"]]
                hog.truncate(0)
            assert "unrecorded" not in s.exec("head -c 40000 /dev/zero | tr '\\0' z")
            assert out(history(client, s)["cells"][-1]) == "z" * 40000
            assert server.log.read_text().count("cells are run and not recorded") == 1
