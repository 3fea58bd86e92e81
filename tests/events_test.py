# SPDX-License-Identifier: Apache-2.0
"""Watching: what happens is told in order, to everybody who asks, and slows nobody."""

import contextlib
import json
import os
import signal
import socket

import pytest

from support import DEADLINE, Failure, Session, Watcher, data_of, out, qemu_pid, wait_for

CELL_KINDS = ["cell.started", "cell.output", "cell.waiting", "cell.finished"]


def test_a_session_from_its_opening_to_its_end(server, client):
    with Watcher(server, kinds=["session.opened", "session.changed", "session.closed"]) as watcher:
        first = watcher.next()
        assert first["kind"] == "snapshot" and first["seq"] == 1
        assert {"sessions", "cells", "pool", "host"} <= first.keys()
        s = Session(client, label="seen", owner="events")
        opened = watcher.until("session.opened", session=s.id)[-1]
        assert opened["info"]["label"] == "seen" and opened["info"]["state"] == "starting"
        assert watcher.until("session.changed", session=s.id)[-1]["info"]["owner"] == "events"
        while watcher.seen[-1]["info"]["state"] != "idle":
            watcher.until("session.changed", session=s.id)
        s.close()
        closed = watcher.until("session.closed", session=s.id)[-1]
        assert closed["reason"] == "closed" and closed["message"] == "it was closed"


def test_a_vm_that_dies_is_told(server, client):
    s = Session(client, "shell")
    with Watcher(server, sessions=[s.id], kinds=["session.closed", "cell.finished"]) as watcher:
        pending = s.send("sleep 1000")
        wait_for(lambda: s.get()["state"] == "running")
        os.kill(qemu_pid(client, s.id), signal.SIGKILL)
        finished = watcher.until("cell.finished")[-1]
        assert finished["info"]["error"]["kind"] == "outcome_unknown"
        assert finished["info"]["error"]["dispatched"] is True
        assert watcher.until("session.closed")[-1]["reason"] == "crashed"
        with pytest.raises(Failure):
            pending.wait()


def test_a_cell_as_its_watchers_see_it(server, py):
    watchers = [Watcher(server, sessions=[py.id], kinds=CELL_KINDS, output=True) for _ in range(3)]
    cell = py.exec("import sys\nfor i in range(200): print('ü€', i)\nsys.stderr.write('bad\\n')\n6*7")
    for watcher in watchers:
        events = watcher.until("cell.finished", cell=cell["cell"])
        assert events[0]["kind"] == "snapshot"
        assert [s["session"] for s in events[0]["sessions"]] == [py.id]
        assert events[1]["kind"] == "cell.started" and events[1]["info"]["state"] == "running"
        assert events[1]["info"]["code"].startswith("import sys")
        joined = {"stdout": b"", "stderr": b""}
        for event in events[2:-1]:
            assert event["kind"] == "cell.output" and event["cell"] == cell["cell"]
            joined[event["stream"]] += data_of(event)
        assert joined == {"stdout": data_of(cell, "stdout"), "stderr": data_of(cell, "stderr")}
        info = events[-1]["info"]
        assert info["value"] == "42" and info["stdout_bytes"] == len(joined["stdout"])
        assert "stdout" not in info and info["wall_ms"] == cell["wall_ms"]
        watcher.close()


def test_output_only_when_asked_for(server, py):
    with Watcher(server, sessions=[py.id]) as watcher:
        cell = py.exec("print('x' * 100)")
        kinds = [event["kind"] for event in watcher.until("cell.finished", cell=cell["cell"])]
        assert "cell.output" not in kinds and "cell.started" in kinds


def test_characters_are_whole_also_in_large_pieces(server, py):
    with Watcher(server, sessions=[py.id], kinds=CELL_KINDS, output=True) as watcher:
        cell = py.exec("import os\nfor i in range(3): os.write(1, ('€' * 60000).encode())")
        events = watcher.until("cell.finished", cell=cell["cell"])
        pieces = [event["text"] for event in events if event["kind"] == "cell.output"]
        assert "".join(pieces) == out(cell)
        assert all(len(piece.encode()) <= 64 << 10 for piece in pieces)


def test_one_who_comes_late_sees_what_runs(server, fresh):
    s = fresh()
    pending = s.send("print('so far')\nprint(input())", interactive=True, stream=True)
    while s.note().get("text") != "so far\n":
        pass
    with Watcher(server, sessions=[s.id], kinds=CELL_KINDS, output=True, replay=True) as watcher:
        snapshot = watcher.next()
        assert [cell["state"] for cell in snapshot["cells"]] == ["running"]
        assert snapshot["cells"][0]["code"].startswith("print('so far')")
        replayed = watcher.next()
        assert replayed["replay"] is True and replayed["text"] == "so far\n"
        s.call("session.stdin", text="now\n", eof=True)
        events = watcher.until("cell.finished")
        assert "".join(e["text"] for e in events if e["kind"] == "cell.output") == "now\n"
        assert out(pending.wait()) == "so far\nnow\n"


def test_the_past_and_what_follows_have_no_hole(server, fresh):
    """Who subscribes and then reads the history knows every cell."""
    s = fresh("shell")
    gate = "while [ ! -e go ]; do sleep 0.02; done"
    pending = [s.send(gate if number == 50 else "true") for number in range(60)]
    pending.pop(10).wait()
    with Watcher(server, sessions=[s.id], kinds=["cell.finished"]) as watcher:
        past = [cell["cell"] for cell in watcher.client.call("session.history", session=s.id)["cells"]
                if cell["state"] == "done"]
        s.write("go", b"")
        following = [event["cell"] for event in watcher.until("cell.finished", cell=60)[1:]]
    assert past == list(range(1, len(past) + 1)) and len(past) >= 11
    assert following == list(range(following[0], 61)) and following[0] <= len(past) + 1
    for request in pending:
        request.wait()


def test_waiting_for_input_is_told(server, fresh):
    s = fresh()
    with Watcher(server, sessions=[s.id], kinds=["cell.waiting", "cell.finished"]) as watcher:
        pending = s.send("input()", interactive=True)
        assert watcher.until("cell.waiting")[-1]["waiting"] is True
        s.call("session.stdin", text="x\n", eof=True)
        pending.wait()
        assert watcher.until("cell.finished")[-1]["info"]["value"] == "'x'"


def test_background_output_is_told(server, sh):
    with Watcher(server, sessions=[sh.id], kinds=CELL_KINDS, output=True) as watcher:
        cell = sh.exec("mkfifo late.fifo; { read -r _ < late.fifo; printf 'späte'; } &")
        sh.exec("echo > late.fifo; wait; rm late.fifo")
        event = watcher.until("cell.output", cell=cell["cell"])[-1]
        assert event["background"] is True and event["text"] == "späte"


def test_who_stops_reading_costs_little_and_slows_nobody(server, py):
    """It misses events, is told how many, and goes on from a new snapshot."""
    slow = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    slow.connect(str(server.socket))
    slow.settimeout(DEADLINE)
    request = {"id": 1, "method": "events.subscribe",
               "params": {"sessions": [py.id], "kinds": CELL_KINDS, "output": True}}
    slow.sendall(json.dumps(request).encode() + b"\n")
    with slow.makefile("rb") as lines:
        assert json.loads(lines.readline())["result"]["subscription"] == 1
        assert json.loads(lines.readline())["params"]["kind"] == "snapshot"
        for _ in range(8):  # far more than all buffers on the way hold
            cell = py.exec("import sys\nfor i in range(1000): sys.stdout.write('a' * 1000)")
            assert cell["truncated"]["stdout"] == 0
        last = py.exec("'the last'")
        read, kinds, seq = 0, [], 1
        while True:
            line = lines.readline()
            event = json.loads(line)["params"]
            if event["kind"] == "gap":
                seq += event["dropped"]
                kinds.append("gap")
                assert event["dropped"] > 0
                snapshot = json.loads(lines.readline())["params"]
                seq += 2
                assert snapshot["kind"] == "snapshot" and snapshot["seq"] == seq
                assert snapshot["sessions"][0]["cells"] == last["cell"]
                break
            seq += 1
            assert event["seq"] == seq
            read += len(line)
        assert read < 1 << 20  # what the server and the kernel kept
        py.exec("'after'")
        assert json.loads(lines.readline())["params"]["kind"] == "cell.started"
    slow.close()


def test_figures_come_by_themselves(server, py):
    with Watcher(server, kinds=["sample"]) as watcher:
        for _ in range(2):
            sample = watcher.until("sample")[-1]
            assert sample["host"]["cpus"] > 0 and sample["host"]["memory_available"] > 0
            mine = [s for s in sample["sessions"] if s["session"] == py.id]
            assert {"memory_bytes", "cpu_ms", "guest_memory"} <= mine[0].keys()
        watcher.client.call("events.unsubscribe", subscription=watcher.number)
        with pytest.raises(Failure) as caught:
            watcher.client.call("events.unsubscribe", subscription=watcher.number)
        assert caught.value.kind == "not_found"


def test_figures_of_before_are_told(server, py):
    """Who begins to watch is told what was before, as far as the server remembers."""
    def told():
        past = []
        with Watcher(server, kinds=["sample"], replay=True) as watcher:
            while not past or past[-1].get("replay"):
                past.append(watcher.until("sample")[-1])
        assert sorted(past, key=lambda sample: sample["at"]) == past
        return [s for sample in past[:-1] for s in sample["sessions"] if s["session"] == py.id and s["memory_bytes"] > 0]
    wait_for(told, what="a figure of the past")


def test_the_log_is_told(server, client):
    with Watcher(server, kinds=["server.log"]) as watcher:
        s = Session(client, "shell")
        s.close()
        event = watcher.until("server.log")[-1]
        assert event["level"] == "info" and s.id in event["message"]


def test_a_snapshot_is_bounded(server):
    """Cells that wait are named with a piece of their code, and above a number only counted."""
    code = "#" + "é" * 30_000 + "\n"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(5)]
        sessions = [Session(clients[0], "shell", idle_ms=0, checkpoints="asked") for _ in range(5)]
        for client, session in zip(clients, sessions):
            session.send("read x", interactive=True, timeout_ms=600_000)
            for _ in range(250):
                client.send("session.exec", session=session.id, code=code)
            client.call("hello")  # all before it were taken
        watcher = stack.enter_context(server.client())
        number = watcher.call("events.subscribe", sessions=[s.id for s in sessions], kinds=[])["subscription"]
        note = next(n["params"] for n in iter(lambda: watcher.notes.get(timeout=DEADLINE), None)
                    if n["params"]["subscription"] == number)
        assert note["kind"] == "snapshot"
        cells = note["cells"]
        waiting = [cell for cell in cells if cell["state"] == "queued"]
        assert len(waiting) == 1000 and note["cells_left"] == 5 * 250 - 1000
        assert {cell["session"] for cell in cells if cell["state"] == "running"} == {s.id for s in sessions}
        assert len(json.dumps(note, ensure_ascii=False).encode()) < 2 << 20
        assert waiting[0]["code"] == code and "code_cut" not in waiting[0]
        last = waiting[-1]
        assert last["code_cut"] is True and code.startswith(last["code"]) and 250 <= len(last["code"].encode()) <= 256
        for session in sessions:
            session.close()


def test_sixteen_subscriptions_and_no_more(server):
    with server.client() as client:
        for number in range(1, 17):
            assert client.call("events.subscribe", kinds=[])["subscription"] == number
        with pytest.raises(Failure) as caught:
            client.call("events.subscribe", kinds=[])
        assert caught.value.kind == "busy"
