# SPDX-License-Identifier: Apache-2.0
"""Bookmarks and notes that people give to cells: kept with them, told to whoever watches."""

import json
import os
import signal
import subprocess

import pytest

from support import BINARY, DEADLINE, Failure, Session, Watcher, forgetful, wait_for
from terminal import FakeServer, front_end, made_up


def annotated(client, session, **params):
    cells = client.call("session.history", session=session, annotated=True, output=False, **params)["cells"]
    return {cell["cell"]: (cell["annotation"]["bookmark"], cell["annotation"].get("note")) for cell in cells}


def glassbell(server, *arguments, status=0):
    done = subprocess.run([BINARY, *arguments], env=dict(server.env, NO_COLOR="1"), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_kept_after_a_kill_and_after_the_end():
    server = forgetful()
    try:
        with server.client() as client:
            s = Session(client, "shell")
            for i in range(1, 5):
                s.exec(f"echo {i}")
            assert client.call("session.annotate", session=s.id, cell=2, bookmark=True) == {}
            client.call("session.annotate", session=s.id, cell=2, note="the größte one")
            client.call("session.annotate", session=s.id, cell=4, bookmark=True, note="x")
            client.call("session.annotate", session=s.id, cell=4, bookmark=False)
            assert annotated(client, s.id) == {2: (True, "the größte one"), 4: (False, "x")}
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
        server.start()
        with server.client() as client:
            assert annotated(client, s.id) == {2: (True, "the größte one"), 4: (False, "x")}
            client.call("session.annotate", session=s.id, cell=4, note="")
            client.call("session.annotate", session=s.id, cell=1, note="of one that has ended")
            assert annotated(client, s.id) == {1: (False, "of one that has ended"), 2: (True, "the größte one")}
            assert annotated(client, s.id, before=2) == {1: (False, "of one that has ended")}
            assert client.call("session.list", state="lost")["sessions"][0]["session"] == s.id
    finally:
        server.stop()


def test_whoever_watches_is_told(server, client):
    s = Session(client, "shell")
    s.exec("echo 1")
    with Watcher(server, sessions=[s.id], kinds=["cell.annotated"]) as watcher:
        client.call("session.annotate", session=s.id, cell=1, bookmark=True)
        client.call("session.annotate", session=s.id, cell=1, note="here")
        first = watcher.until("cell.annotated")[-1]
        assert first["cell"] == 1 and first["info"]["bookmark"] is True and "note" not in first["info"]
        second = watcher.until("cell.annotated")[-1]
        assert second["info"]["note"] == "here" and "bookmark" not in second["info"]
        s.close()
        client.call("session.annotate", session=s.id, cell=1, note="")
        assert watcher.until("cell.annotated")[-1]["info"]["note"] == ""


def test_what_cannot_be_a_note(server, client):
    s = Session(client, "shell")
    s.exec("echo 1")
    for given, kind in (({}, "invalid_input"), ({"note": "two\nlines"}, "invalid_input"),
                        ({"note": "\x1b[2J"}, "invalid_input"), ({"note": "\x9b2J"}, "invalid_input"),
                        ({"note": "x" * 501}, "too_large"), ({"bookmark": 1}, "invalid_input"),
                        ({"cell": 2, "bookmark": True}, "not_found"), ({"cell": 0, "bookmark": True}, "invalid_input"),
                        ({"session": "s-none", "bookmark": True}, "not_found")):
        with pytest.raises(Failure) as failure:
            client.call("session.annotate", **{"session": s.id, "cell": 1, **given})
        assert failure.value.kind == kind, given
    client.call("session.annotate", session=s.id, cell=1, note="é" * 250)
    assert annotated(client, s.id) == {1: (False, "é" * 250)}


def test_at_the_command_line(server, client):
    label = "noted-" + os.urandom(4).hex()
    s = Session(client, "shell", label=label)
    for i in range(1, 4):
        s.exec(f"echo {i}")
    glassbell(server, "note", label, "2", "look", "here")
    glassbell(server, "note", label, "3", "--bookmark")
    assert glassbell(server, "note", label) == "[2]  look here\n[3]  bookmark\n"
    s.close()
    glassbell(server, "note", label, "2", "-b")
    log = glassbell(server, "log", label)
    assert "  bookmark\n[note: look here]\n$ echo 2" in log
    cells = [json.loads(line) for line in glassbell(server, "log", label, "--json").splitlines()]
    assert cells[1]["annotation"]["note"] == "look here" and "annotation" not in cells[0]
    glassbell(server, "note", label, "2", "--no-bookmark", "")
    assert glassbell(server, "note", label) == "[3]  bookmark\n"
    assert "no cell 9" in glassbell(server, "note", label, "9", "x", status=125)
    for wrong in ([], [label, "two", "x"], [label, "2"], [label, "--bookmark"],
                  [label, "2", "--bookmark", "--no-bookmark"]):
        glassbell(server, "note", *wrong, status=2)


def test_in_the_front_end(server, client, tmp_path):
    """Keys, what others annotate, the way to cells that are not loaded, and only the annotated ones."""
    label = "marked-" + os.urandom(4).hex()
    s = Session(client, "shell", label=label)
    for i in range(1, 131):
        s.exec(f"echo output-{i}-of-it")
    client.call("session.annotate", session=s.id, cell=3, note="from another client")
    with front_end(tmp_path, server.socket, columns=100, rows=30) as terminal:
        terminal.wait(label)
        terminal.command(f"open {label}")
        terminal.wait("output-130-of-it")
        terminal.keys("m")
        terminal.wait("130 ★")
        terminal.keys("K", "M")
        terminal.wait("note")
        terminal.type("a line for later")
        terminal.keys("Enter")
        terminal.wait("» a line for later")
        assert annotated(client, s.id) == {3: (False, "from another client"), 129: (False, "a line for later"),
                                           130: (True, None)}
        terminal.keys('"')
        terminal.wait("» from another client", "output-3-of-it")
        terminal.keys("'")
        terminal.wait("» a line for later", "output-129-of-it", without=["output-3-of-it"])
        terminal.keys("B")
        terminal.wait("» from another client", "» a line for later", "130 ★", "bookmarks only", without=["output-128-of-it"])
        client.call("session.annotate", session=s.id, cell=129, note="", bookmark=False)
        terminal.wait("» from another client", "130 ★", without=["» a line for later"])
        terminal.keys("B")
        terminal.wait("output-128-of-it", without=["bookmarks only"])
        terminal.keys("B")
        terminal.wait("bookmarks only", without=["output-128-of-it"])
        terminal.keys("Escape")
        terminal.wait("output-128-of-it", without=["bookmarks only"])
        # A long note is there as a whole.
        terminal.keys("End")
        terminal.command("note " + " ".join(f"word-{number}" for number in range(40)) + " the-end")
        terminal.wait("» word-0 word-1", "word-20", "the-end")
        terminal.command('note ""')
        terminal.wait("output-128-of-it", without=["word-39"])
        terminal.keys("End", "m")
        terminal.wait("output-130-of-it", without=["★"])
        assert annotated(client, s.id) == {3: (False, "from another client")}
        terminal.keys("q")
        assert terminal.status() == 0


def test_in_one_that_has_ended(server, client, tmp_path):
    """Nobody watches it: no event tells."""
    label = "ended-" + os.urandom(4).hex()
    s = Session(client, "shell", label=label)
    for i in range(1, 4):
        s.exec(f"echo output-{i}-of-it")
    s.close()
    with front_end(tmp_path, server.socket, columns=100, rows=30) as terminal:
        terminal.wait("sessions (")
        terminal.keys("E")
        terminal.wait("ended (", label)
        terminal.keys("Home", "Enter")
        terminal.wait("the session is closed", "output-3-of-it")
        terminal.keys("m")
        terminal.wait("3 ★")
        assert annotated(client, s.id) == {3: (True, None)}
        terminal.command("note too late")
        terminal.wait("» too late")
        terminal.keys("m")
        terminal.wait("» too late", without=["★"])
        assert annotated(client, s.id) == {3: (False, "too late")}
        terminal.command('note ""')
        terminal.wait("output-3-of-it", without=["» too late"])
        assert annotated(client, s.id) == {}


class Forgetting(FakeServer):
    """A session with five cells, of which a test says what they are annotated with."""

    marks = {2: {"bookmark": True, "at": 1}}

    def _answer(self, connection, call):
        if call["method"] != "session.history":
            super()._answer(connection, call)
            return
        params = call["params"]
        cells = [{"session": params["session"], "cell": number, "client": "agent", "mode": "kernel", "code": f"f({number})",
                  "state": "done", "exit_code": 0, "started_at": 1700000000 + number, "wall_ms": 1.0, "stdout_bytes": 0,
                  "stderr_bytes": 0, **({"annotation": self.marks[number]} if number in self.marks else {})}
                 for number in range(1, 6) if number in self.marks or not params.get("annotated")]
        self.reply(connection, call, {"cells": cells, "more": False})


def test_events_that_were_missed(tmp_path):
    with Forgetting(tmp_path, [made_up(1, label="long", cells=5)]) as server, \
            front_end(tmp_path, server.path, columns=100, rows=30) as terminal:
        terminal.wait("long")
        terminal.keys("Enter")
        terminal.wait("2 ★", "f(5)")
        server.marks = {4: {"bookmark": False, "note": "came meanwhile", "at": 2}}
        for connection in server.connections:
            for number, params in server.subscriptions[connection].items():
                if params is not None and "sessions" in params:
                    server._event(connection, number, "gap", dropped=3)
        terminal.wait("» came meanwhile", without=["★"])


class Late(Forgetting):
    """One whose answers about cells are from before the event that comes first."""

    marks, late = {}, None

    def _answer(self, connection, call):
        if self.late is not None and call["method"] == "session.history" and "offset" not in call["params"] and \
                not call["params"].get("annotated"):
            self.late.append((connection, call))
        else:
            super()._answer(connection, call)


def test_an_event_that_is_newer_than_an_answer(tmp_path):
    with Late(tmp_path, [made_up(1, label="long", cells=5)]) as server, \
            front_end(tmp_path, server.path, columns=100, rows=30) as terminal:
        terminal.wait("long")
        server.late = []
        terminal.keys("Enter")
        wait_for(lambda: server.late, what="the question for the cells")
        (connection, call), = server.late
        server.late = None
        server.marks = {4: {"bookmark": True, "at": 2}}
        server.tell("cell.annotated", session=call["params"]["session"], cell=4, info={"bookmark": True, "at": 2})
        cells = [{"session": call["params"]["session"], "cell": number, "client": "agent", "mode": "kernel", "code": f"f({number})",
                  "state": "done", "exit_code": 0, "started_at": 1700000000 + number, "wall_ms": 1.0, "stdout_bytes": 0,
                  "stderr_bytes": 0} for number in range(1, 6)]
        server.reply(connection, call, {"cells": cells, "more": False})
        terminal.wait("f(5)", "4 ★")


def test_a_note_of_a_server_that_refuses_nothing(tmp_path):
    """Of another machine: it cannot forge a line of the list, nor colour one."""
    with Forgetting(tmp_path, [made_up(1, label="long", cells=5)]) as server:
        server.marks = {2: {"bookmark": False, "note": "a\n[9]  forged \x1b[31mred\x1b]0;title\x07 ö", "at": 1}}
        done = subprocess.run([BINARY, "note", "--socket", str(server.path), "long"], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 1 and "\x1b" not in done.stdout and "\\x0a[9]  forged red" in done.stdout, done.stdout
        assert done.stdout.endswith(" ö\n")
