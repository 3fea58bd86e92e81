# SPDX-License-Identifier: Apache-2.0
"""The past of a session in the front end: moving in it, seeing how it was, going back to it."""


import pytest
from support import Session, wait_for
from terminal import FakeServer, front_end, made_up

PROGRAM = """import pathlib
pathlib.Path('notes.txt').write_text('version %d')
print('output of %d')"""


@pytest.fixture
def session(client):
    made = Session(client, idle_ms=0, label="travelled", checkpoints="asked")  # no moments but those of keep()
    yield made
    for each in client.call("session.list")["sessions"]:
        client.call("session.close", session=each["session"])


def keep(client, session, **more):
    return client.call("session.checkpoint", session=session.id, **more)


def names(client):
    return [each["label"] for each in client.call("session.list")["sessions"]]


def run(client, session, numbers):
    for number in numbers:
        assert session.exec(PROGRAM % (number, number))["exit_code"] == 0
        keep(client, session)


def test_moments(server, client, session, tmp_path):
    """Output and files follow the cursor, also into a branch that was undone; Enter goes back."""
    run(client, session, (1, 2, 3))
    client.call("session.rewind", session=session.id, cell=1)
    run(client, session, (4,))
    with front_end(tmp_path, server.socket, columns=120, rows=40) as terminal:
        terminal.wait("travelled")
        terminal.command("open travelled")
        terminal.wait("output of 4")
        terminal.keys("5")
        terminal.wait("as it is now", "output of 1", "output of 4", "notes.txt", without=["output of 2", "output of 3"])
        terminal.keys("Left", "Left")
        terminal.wait("as it was after cell 1", "output of 1", without=["output of 4", "output of 2", "since undone"])
        terminal.keys("Right")
        terminal.wait("as it was after cell 4", "output of 4", without=["output of 2"])
        # Down the list, into what was undone.
        terminal.keys("g", "j", "j")
        terminal.wait("as it was after cell 3", "since undone", "output of 1", "output of 2", "output of 3",
                      without=["output of 4"])
        terminal.keys("Enter")
        terminal.wait("another client works here, you watch; T takes it over")
        terminal.keys("T")
        terminal.wait("You hold this session")
        terminal.keys("Enter")
        terminal.wait("back to after cell 3? cell 4 goes, and its changes to 1 file: notes.txt", "[y/N]")
        terminal.keys("n")
        terminal.wait("as it was after cell 3", without=["[y/N]"])
        assert client.call("file.read", session=session.id, path="notes.txt")["text"] == "version 4"
        terminal.keys("R")
        terminal.wait("[y/N]")
        terminal.keys("y")
        terminal.wait("as it was after cell 3; u goes back")
        assert client.call("file.read", session=session.id, path="notes.txt")["text"] == "version 3"
        terminal.keys("End")
        terminal.wait("as it is now", "output of 3", without=["output of 4"])
        terminal.keys("Enter")
        terminal.wait("this is the present")
        # A fork of the moment under the cursor, not of the newest after that cell.
        terminal.keys("g", "F")
        terminal.wait("forked as it was after cell 1")


def test_files_as_they_were(server, client, session, tmp_path):
    """A copy of the session, opened to be looked at, and closed when it is left, however it is."""
    run(client, session, (1, 2))
    with front_end(tmp_path, server.socket, columns=120, rows=40) as terminal:
        terminal.wait("travelled")
        terminal.command("open travelled")
        terminal.wait("output of 2")
        terminal.keys("5")
        terminal.wait("[2]")
        terminal.keys("g", "v")
        terminal.wait("a copy of it as it was after cell 1", "version 1", without=["version 2"])
        assert "travelled as of cell 1" in names(client)
        assert client.call("file.read", session=session.id, path="notes.txt")["text"] == "version 2"
        terminal.command("remove")
        terminal.wait("this is a copy of the past")
        terminal.command(f"download {tmp_path}/old.txt")
        wait_for(lambda: (tmp_path / "old.txt").exists() and (tmp_path / "old.txt").read_text() == "version 1")
        terminal.keys("Escape")
        terminal.wait("as it was after cell 1", without=["a copy of it"])
        wait_for(lambda: names(client) == ["travelled"])
        # By another tab, and by leaving the session while it is being opened.
        terminal.keys("v")
        terminal.wait("a copy of it")
        terminal.keys("1")
        wait_for(lambda: names(client) == ["travelled"])
        terminal.keys("5")
        terminal.wait("as it was after cell 1")
        terminal.keys("j", "v")
        terminal.command("back")
        terminal.wait("sessions (")
        wait_for(lambda: names(client) == ["travelled"])
        # By the end of the program.
        terminal.command("open travelled")
        terminal.wait("output of 2")
        terminal.keys("5")
        terminal.wait("[2]")
        terminal.keys("g", "v")
        terminal.wait("a copy of it as it was after cell 1")
        terminal.command("quit")
        assert terminal.status() == 0
    wait_for(lambda: names(client) == ["travelled"])


def test_no_moment(server, client, tmp_path):
    """Without a checkpoint it says so, and what takes one; nothing can be gone back to."""
    session = Session(client, idle_ms=0, label="travelled", checkpoints="asked")
    session.exec("print('alone')")
    with front_end(tmp_path, server.socket) as terminal:
        terminal.wait("travelled")
        terminal.command("open travelled")
        terminal.wait("alone")
        terminal.keys("5")
        terminal.wait("no moment of this session is kept; c keeps the present one")
        terminal.keys("Enter")
        terminal.wait("this is the present")
        terminal.keys("Left")
        terminal.wait("nothing before this moment is kept")
        terminal.keys("c")
        terminal.wait("kept as it is after cell 1", "● ", "○ now")
    session.close()


class Long(FakeServer):
    """One session with 3,000 cells, of which the journal only knows the last ones, and a checkpoint after each."""

    def __init__(self, folder, refuse=None):
        self.refuse = refuse
        super().__init__(folder, [made_up(0, label="long", cells=3000)])

    def _answer(self, connection, call):
        params = call.get("params", {})
        if call["method"] == "session.checkpoints":
            first = params["after"] + 1
            found = [{"seq": seq, "parent": seq - 1 or None, "cell": seq, "epoch": 1, "at": 1.7e9 + seq, "bytes": 1000,
                      "name": None, "here": seq == 3000} for seq in range(first, min(first + params["limit"], 3001))]
            self.reply(connection, call, {"checkpoints": found, "more": bool(found) and found[-1]["seq"] < 3000, "epoch": 1,
                                          "bytes": 1})
        elif call["method"] == "session.history":
            cells = [{"session": params["session"], "cell": number, "image": "python", "client": "c", "mode": "kernel",
                      "code": f"step({number})", "state": "done", "stdout_bytes": 0, "stderr_bytes": 0, "exit_code": 0,
                      "signal": None, "timed_out": False, "interrupted": False, "oom": False, "state_lost": False,
                      "truncated": {"stdout": 0, "stderr": 0}, "files": [], "started_at": 1.7e9, "wall_ms": 1, "cpu_ms": 1,
                      "peak_memory_bytes": 1, "incarnation": 1}
                     for number in range(max(params["after"] + 1, 1000), 3001)][:params["limit"]]
            self.reply(connection, call, {"cells": cells, "more": False})
        elif call["method"] == "session.fork" and self.refuse:
            self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": {
                "code": -32000, "message": self.refuse, "data": {"kind": "capacity"}}})
        else:
            super()._answer(connection, call)


def asked(server, method):
    return [call["params"] for call in server.calls if call["method"] == method]


def test_thousands_of_moments(tmp_path):
    """What is not loaded is requested once, whether the journal has it or not; moving requests nothing else."""
    with Long(tmp_path) as server, front_end(tmp_path, server.path, columns=120, rows=40) as terminal:
        terminal.wait("long")
        terminal.command("open long")
        terminal.wait("step(3000)")
        terminal.keys("5")
        terminal.wait("as it is now", "[2999]", "[3000]")
        before = len(asked(server, "session.history"))
        for _ in range(20):
            terminal.keys("Up")
        terminal.wait("as it was after cell 2981")
        assert len(asked(server, "session.history")) == before
        terminal.keys("g")
        terminal.wait("as it was after cell 1,", "[30]")
        wait_for(lambda: len(asked(server, "session.history")) > before)
        terminal.keys("j", "k", "j", "k", "j")
        terminal.wait("as it was after cell 2,")
        ranges = [(params["after"], params["limit"]) for params in asked(server, "session.history")[before:]]
        assert len(ranges) == len(set(ranges)) <= 3, ranges


def test_a_copy_that_there_is_no_room_for(tmp_path):
    with Long(tmp_path, "no room for another VM") as server, \
            front_end(tmp_path, server.path, columns=120, rows=40) as terminal:
        terminal.wait("long")
        terminal.command("open long")
        terminal.wait("step(3000)")
        terminal.keys("5")
        terminal.wait("as it is now", "[3000]")
        terminal.keys("k")
        terminal.wait("as it was after cell 3000")
        terminal.keys("v")
        terminal.wait("look: no room for another VM", "as it was after cell 3000")
        assert asked(server, "session.fork")[0]["bound"] is True
        terminal.keys("Escape")
        terminal.wait("sessions (1)")


@pytest.mark.parametrize("points", [
    [{"seq": 5, "parent": 5}], [{"seq": 5, "parent": 9}, {"seq": 9, "parent": 5}], [{"seq": 5}, {"seq": 4}],
    [{"seq": 1, "bytes": 2**60, "name": "\x1b[31mred\u202e" + "x" * 300}]])
def test_a_server_that_tells_nonsense(tmp_path, points):
    """A tree that is none ends in a list that is, and a name cannot paint."""
    class Nonsense(Long):
        def _answer(self, connection, call):
            if call["method"] != "session.checkpoints":
                super()._answer(connection, call)
                return
            self.reply(connection, call, {"more": False, "epoch": 1, "bytes": 1, "checkpoints": [
                {"parent": None, "cell": 3000, "epoch": 1, "at": 1.7e9, "bytes": 1, "name": None, "here": True, **point}
                for point in points]})
    with Nonsense(tmp_path) as server, front_end(tmp_path, server.path, columns=120, rows=40) as terminal:
        terminal.wait("long")
        terminal.command("open long")
        terminal.wait("step(3000)")
        terminal.keys("5", "Left", "Right", "g", "Left", "R", "n", "End")
        terminal.command("tab stats")
        terminal.wait("started from")
