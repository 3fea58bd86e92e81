# SPDX-License-Identifier: Apache-2.0
"""Sessions that are put to sleep, and wake when they are used."""

import json
import os
import re
import socket
import time

import pytest

import past
from past import asked, small_disk
from support import Cli, Failure, Session, Watcher, alive, out, qemu_pid, wait_for

server, client = past.server, past.client  # the fixtures


@pytest.fixture
def session(client):
    session = Session(client, idle_ms=0)
    yield session
    session.close()


def state(session):
    return session.get()["state"]


def sleep(session, client):
    """Puts it to sleep, and waits until its VM is gone."""
    pid = qemu_pid(client, session.id)
    told = session.call("session.sleep")
    wait_for(lambda: not alive(pid), what="the end of the VM")
    assert state(session) == "asleep"
    return told


def refused(kind, session, method, **options):
    with pytest.raises(Failure) as caught:
        session.call(method, **options)
    assert caught.value.kind == kind, caught.value.error
    return caught.value


def in_one_piece(server, **calls):
    """Sends these requests at once; gives the answers as they come."""
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(server.socket))
        raw.sendall("".join(json.dumps({"jsonrpc": "2.0", "id": name, "method": method, "params": params}) + "\n"
                            for name, (method, params) in calls.items()).encode())
        answers = raw.makefile()
        for _ in calls:
            yield json.loads(answers.readline())


def chains(server):
    (folder,) = (server.folder / "state/glassbell").glob("past*")
    return sorted(path for path in folder.iterdir() if path.name.startswith("s-"))


def vms(client):
    return [one for one in client.call("stats")["vms"] if one.get("session")]


def test_it_goes_on_as_it_was(session, client):
    session.exec("import os, random, subprocess, time; random.seed(42); x = [1]; n = random.random()")
    session.exec("child = subprocess.Popen(['sleep', '1000']); open('f', 'w').write('one')")
    session.exec("g = (i for i in range(10)); next(g); half = open('half', 'w'); half.write('buffered')")
    kernel = out(session.exec("print(os.urandom(8).hex(), os.urandom(8).hex())")).split()
    told = sleep(session, client)
    assert told["cell"] == 4 and told["bytes"] > 0 and told["seq"] == 1
    assert not [one for one in vms(client) if one["session"] == session.id]
    woken = session.exec("print(x, open('f').read(), child.poll(), random.random(), next(g), "
                         "os.urandom(8).hex(), time.time(), os.getppid() > 0)")
    now = time.time()
    assert woken["cell"] == 5  # numbers go on
    words = out(woken).split()
    assert words[:3] == ["[1]", "one", "None"]
    assert float(words[3]) == 0.025010755222666936  # the second of the seed
    assert words[4] == "1"
    kernel.append(words[5])
    assert abs(float(words[6]) - now) < 5
    assert state(session) == "idle"
    assert session.get()["incarnation"] == 1
    assert session.call("session.checkpoints")["epoch"] == 1  # nothing was undone
    assert out(session.exec("child.kill(); half.flush(); print(child.wait(), open('half').read())")) == "-9 buffered\n"
    for _ in range(2):
        # Twice from the same moment.
        session.call("session.sleep")
        kernel.append(out(session.exec("print(os.urandom(8).hex())")).strip())
    assert len(set(kernel)) == len(kernel)


@pytest.mark.parametrize("image, change, show", [
    ("javascript", "x = (globalThis.x ?? 0) + 1; require('fs').writeFileSync('f', `${x}`)",
     "console.log(x, require('fs').readFileSync('f', 'utf8'))"),
    ("shell", "x=$((x + 1)); echo $x > f", "echo $x $(cat f)"),
])
def test_other_languages(client, image, change, show):
    client.send("image.warm", image=image).wait(240)
    session = Session(client, image=image)
    for i in range(1, 4):
        assert session.exec(change)["exit_code"] == 0
        sleep(session, client)
        assert out(session.exec(show)) == f"{i} {i}\n"
    session.close()


def test_files_wake_it(session, client):
    session.write("f", b"one")
    sleep(session, client)
    assert session.read("f") == b"one"
    assert state(session) == "idle"
    sleep(session, client)
    session.write("g", b"two")
    assert out(session.exec("print(open('f').read(), open('g').read())")) == "one two\n"
    sleep(session, client)
    assert {one["name"] for one in session.call("file.list", path=".")["entries"]} >= {"f", "g"}


def test_a_terminal_wakes_it(session, client):
    session.exec("import os; os.environ['WHO'] = 'me'; open('f', 'w').write('here')")
    sleep(session, client)
    terminal = client.call("session.terminal", session=session.id, args=["sleep", "1000"])
    assert terminal["terminal"] > 0
    assert state(session) == "idle"
    assert "terminal" in refused("busy", session, "session.sleep", wait_ms=100).error["message"]


def test_opening_it_by_its_key_wakes_it(client):
    session = Session(client, key="sleeper", idle_ms=0)
    session.exec("x = 7")
    sleep(session, client)
    again = client.call("session.open", key="sleeper")
    assert again["session"] == session.id and not again["created"]
    wait_for(lambda: state(session) == "idle", what="waking")
    assert out(session.exec("print(x)")) == "7\n"
    session.close()


def test_to_look_does_not_wake_it(session, client, server):
    session.exec("x = 1")
    sleep(session, client)
    (shown,) = client.call("session.list", state="asleep")["sessions"]
    assert shown["session"] == session.id and shown["cells"] == 1
    assert client.call("stats")["sessions"]["asleep"] == 1
    assert len(session.call("session.checkpoints")["checkpoints"]) == 1
    assert len(session.call("session.history")["cells"]) == 1
    cli = Cli(server.socket)
    assert "asleep" in cli.out("ls")
    assert state(session) == "asleep"
    assert session.call("session.sleep")["seq"] == 1  # it is already
    assert state(session) == "asleep"


def test_watchers_and_verbs(session, client, server):
    session.exec("x = 1")
    cli = Cli(server.socket)
    with Watcher(server, sessions=[session.id]) as watcher:
        cli.out("sleep", session.id)
        told = watcher.until("session.asleep")[-1]
        assert told["checkpoint"] == 1 and told["cell"] == 1 and told["bytes"] > 0
        assert watcher.until("session.changed")[-1]["info"]["state"] == "asleep"
        assert "after cell 1" in cli.out("wake", session.id)
        assert watcher.until("session.awake")[-1]["checkpoint"] == 1
    assert state(session) == "idle"
    assert session.call("session.wake")["seq"] == 1  # it is already
    cli("sleep", "nobody", status=125)


def test_many_calls_at_once_wake_it_once(session, client, server):
    session.exec("x = []")
    sleep(session, client)
    with Watcher(server, sessions=[session.id], kinds=["session.awake", "cell.finished"]) as watcher:
        cells = [session.send(f"x.append({i}); print(x)") for i in range(20)]
        files = [client.send("file.write", session=session.id, path=f"f{i}", text="a") for i in range(5)]
        for i, cell in enumerate(cells):
            assert out(cell.wait()) == f"{list(range(i + 1))}\n"
        for file in files:
            file.wait()
        told = [one["kind"] for one in watcher.until("cell.finished", cell=21)]
        assert told.count("session.awake") == 1


def test_input_waits_with_the_cell_that_it_is_for(session, client):
    """A cell that waits because the session is asleep, or a checkpoint is taken, is fed as if it ran."""
    session.exec("import sys")
    sleep(session, client)
    cell = session.send("a = sys.stdin.readline(); b = sys.stdin.read(); print(repr(a), repr(b))", interactive=True)
    wait_for(lambda: session.get()["queued"] == 1 or state(session) != "asleep")
    fed = [session.client.send("session.stdin", session=session.id, text=text, eof=eof)
           for text, eof in (("one\ntw", False), ("o\n", False), ("three", True))]
    assert out(cell.wait()) == "'one\\n' 'two\\nthree'\n"
    for one in fed:
        one.wait()
    for i in range(20):  # also while a checkpoint is taken
        taken = client.send("session.checkpoint", session=session.id)
        cell = session.send("print(input())", interactive=True)
        fed = client.send("session.stdin", session=session.id, cell=2 + i + 1, text=f"{i}\n", eof=True)
        assert out(cell.wait()) == f"{i}\n"
        fed.wait()
        taken.wait()


def test_input_of_a_cell_that_waits_is_bounded(tmp_path):
    text = "[admission]\nmemory = 150M\nwait = 60s\n[pool]\nceiling = 0\n"  # for two of this image
    with asked(tmp_path, text) as server, server.client() as client:
        session = Session(client, image="shell", wait_ms=60000)
        sleep(session, client)
        others = [Session(client, image="shell", wait_ms=60000) for _ in range(2)]  # in its place
        cell = session.send("cat", interactive=True)  # it waits for room
        wait_for(lambda: session.get()["queued"] == 1)

        def feed(text, **options):
            return feeder.send("session.stdin", session=session.id, text=text, **options)

        feeder, gone = server.client(), server.client()
        first = feed("x" * 700000)
        feeder.call("session.get", session=session.id)  # it has come
        refused("too_large", session, "session.stdin", text="x" * 700000)
        refused("not_found", session, "session.stdin", cell=2, text="x")
        more = [feed("y") for _ in range(255)]
        with pytest.raises(Failure, match="256 requests"):  # so they have come
            feeder.call("session.get", session=session.id)
        refused("busy", session, "session.stdin", text="y")
        client.call("session.interrupt", session=session.id)
        assert cell.wait()["interrupted"]
        for one in (first, *more):
            with pytest.raises(Failure) as caught:
                one.wait()
            assert caught.value.kind == "not_found" and not caught.value.dispatched
        # What a client that goes away has sent stays: the cell may be another's.
        cell = session.send("cat", interactive=True)
        wait_for(lambda: session.get()["queued"] == 1)
        gone.send("session.stdin", session=session.id, text="of one that is gone\n")
        gone.call("session.get", session=session.id)
        gone.close()
        feed("the end\n", eof=True)
        refused("invalid_input", session, "session.stdin", text="behind the end")
        for one in others:
            one.close()
        assert out(cell.wait()) == "of one that is gone\nthe end\n"
        feeder.close()
        session.close()


def test_it_can_be_rewound_and_forked_asleep(session, client):
    for i in range(1, 4):
        session.exec(f"x = {i}")
        session.call("session.checkpoint")
    sleep(session, client)
    forked = session.call("session.fork", count=2)["sessions"]
    assert state(session) == "asleep"
    for one in forked:
        child = client.call("session.exec", session=one["session"], code="print(x)")
        assert out(child) == "3\n"
        client.call("session.close", session=one["session"])
    assert session.call("session.rewind", cell=1)["cell"] == 1
    assert out(session.exec("print(x)")) == "1\n"
    sleep(session, client)
    assert session.call("session.rewind", seq=3)["cell"] == 3
    assert out(session.exec("print(x)")) == "3\n"
    sleep(session, client)
    assert session.call("session.checkpoint", name="awake")["seq"] > 3  # taken of a VM again
    assert state(session) == "idle"


def test_closing_it_removes_its_files(client, server):
    session = Session(client, idle_ms=0)
    session.exec("x = 1")
    sleep(session, client)
    path = [path for path in chains(server) if session.id in path.name]
    assert path
    session.close()
    wait_for(lambda: not [one for one in chains(server) if session.id in one.name], what="an empty folder")
    refused("session_closed", session, "session.wake")


def test_a_cell_that_loses_its_interpreter_after_waking_is_rolled_back(session, client):
    session.exec("x = 5")
    sleep(session, client)
    done = session.exec("x = 6; import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", timeout_ms=1000)
    assert done["timed_out"] and done["rolled_back"]["cell"] == 1
    assert out(session.exec("print(x)")) == "5\n"


def test_a_damaged_checkpoint_is_told_and_costs_nothing_else(client, server):
    session = Session(client, idle_ms=0)
    session.exec("x = 1")
    sleep(session, client)
    (path,) = [path for path in chains(server) if path.name == session.id]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    for _ in range(2):
        cell = session.send("print(x)")
        with pytest.raises(Failure) as caught:
            cell.wait()
        assert caught.value.kind == "gone" and not caught.value.error["data"]["dispatched"]
        assert "checkpoint 1" in caught.value.error["message"]
        assert state(session) == "asleep"  # not a fresh one
    refused("gone", session, "file.list", path=".")
    refused("gone", session, "session.wake")
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    session.close()


def test_without_room_it_stays_asleep(tmp_path):
    text = "[admission]\nmemory = 150M\nwait = 0\n[pool]\nceiling = 0\n"  # for two of this image
    with asked(tmp_path, text) as server, server.client() as client:
        session = Session(client, image="shell", wait_ms=60000)
        session.exec("x=1")
        sleep(session, client)
        others = [Session(client, image="shell", wait_ms=60000) for _ in range(2)]  # in its place
        with pytest.raises(Failure) as caught:
            session.exec("echo $x")
        assert caught.value.kind == "capacity" and not caught.value.dispatched
        assert refused("capacity", session, "session.wake", wait_ms=0)
        assert state(session) == "asleep"
        pending = client.send("session.wake", session=session.id, wait_ms=60000)
        wait_for(lambda: client.call("stats")["admission"]["waiting"] == 1)
        others.pop().close()
        assert pending.wait()["cell"] == 1
        assert out(session.exec("echo $x")) == "1\n"
        for one in (session, *others):
            one.close()


def test_the_impatience_of_one_is_not_that_of_others(tmp_path):
    text = "[admission]\nmemory = 150M\nwait = 60s\n[pool]\nceiling = 0\n"
    with asked(tmp_path, text) as server, server.client() as client:
        session = Session(client, image="shell")
        session.exec("x=1")
        sleep(session, client)
        others = [Session(client, image="shell") for _ in range(2)]  # in its place
        # In one piece: the wake fails before the cell has asked for one.
        answers = in_one_piece(server, cell=("session.exec", {"session": session.id, "code": "echo $x"}),
                               wake=("session.wake", {"session": session.id, "wait_ms": 0}))
        first = next(answers)
        assert first["id"] == "wake" and first["error"]["data"]["kind"] == "capacity"
        wait_for(lambda: client.call("stats")["admission"]["waiting"] == 1)
        others.pop().close()
        second = next(answers)
        assert second["id"] == "cell" and out(second["result"]) == "1\n"
        for one in (session, *others):
            one.close()


def test_it_counts_as_open(tmp_path):
    with asked(tmp_path, "[sessions]\nmaximum = 2\n") as server, server.client() as client:
        sessions = [Session(client, image="shell") for _ in range(2)]
        for session in sessions:
            session.exec("x=1")
            sleep(session, client)
        with pytest.raises(Failure) as caught:
            Session(client, image="shell")
        assert caught.value.kind == "capacity" and "[sessions] maximum" in caught.value.error["message"]
        sessions[0].close()
        Session(client, image="shell").close()
        assert out(sessions[1].exec("echo $x")) == "1\n"


def test_a_full_disk_leaves_it_awake(tmp_path):
    with small_disk(tmp_path, "24m"):
        with asked(tmp_path, "[journal]\nenabled = no\n") as server, server.client() as client:
            session = Session(client)
            session.exec("import os; x = os.urandom(40 << 20)")
            failed = refused("disk_full", session, "session.sleep")
            assert not failed.dispatched
            assert state(session) == "idle"
            assert session.exec("len(x)")["value"] == f"{40 << 20}"
            session.exec("del x; y = 1")
            session.close()


def test_one_that_cannot_fall_asleep_is_not_tried_for_ever(tmp_path):
    with small_disk(tmp_path, "48m"):
        text = "[journal]\nenabled = no\n[past]\nhibernate = 300ms\ncheckpoints = asked\n"
        with asked(tmp_path, text) as server, server.client() as client:
            session, other = Session(client), Session(client, image="shell")
            since = time.monotonic()
            session.exec("import os; x = os.urandom(60 << 20)")
            wait_for(lambda: "cannot be put to sleep" in server.log.read_text())
            for i in range(3):
                with Watcher(server, sessions=[other.id]) as watcher:
                    other.exec(f"x={i}")
                    watcher.until("session.asleep")
            tries = server.log.read_text().count(f"{session.id}: it cannot be put to sleep")
            assert tries <= 1 + (time.monotonic() - since) // 60
            assert state(session) == "idle"
            assert session.exec("len(x)")["value"] == f"{60 << 20}"
            session.close()
            other.close()


def test_no_checkpoints_no_sleep(tmp_path):
    with asked(tmp_path, "[past]\ncheckpoints = off\n") as server, server.client() as client:
        session = Session(client, image="shell")
        assert "[past] checkpoints" in refused("no_past", session, "session.sleep").error["message"]
        assert state(session) == "idle"
        session.close()


def test_idle_ones_are_put_to_sleep(tmp_path):
    with asked(tmp_path, "[past]\nhibernate = 300ms\n") as server, server.client() as client:
        session = Session(client, image="shell")
        with Watcher(server, sessions=[session.id]) as watcher:
            for i in range(1, 4):
                session.exec(f"x={i}")
                watcher.until("session.asleep", cell=2 * i - 1)
                assert out(session.exec("echo $x")) == f"{i}\n"
            watcher.until("session.asleep", cell=6)
        # Not one whose lease somebody holds.
        client.call("session.lease", session=session.id, action="take")
        assert out(session.exec("echo $x")) == "3\n"
        later = Session(client, image="shell")
        with Watcher(server, sessions=[later.id]) as watcher:
            later.exec("x=1")
            watcher.until("session.asleep", cell=1)
        later.close()
        assert state(session) == "idle"  # it has been idle for longer
        client.call("session.lease", session=session.id, action="release")
        wait_for(lambda: state(session) == "asleep")
        session.close()


def test_an_expired_one_is_kept_asleep_for_a_while(tmp_path):
    with asked(tmp_path, "[past]\nasleep = 1s\n") as server, server.client() as client:
        session = Session(client, image="shell", idle_ms=200)
        with Watcher(server, sessions=[session.id]) as watcher:
            session.exec("x=1")
            watcher.until("session.asleep", cell=1)
            assert session.get()["expires_at"] is not None
            assert out(session.exec("echo $x")) == "1\n"
            watcher.until("session.asleep", cell=2)
            told = watcher.until("session.closed")[-1]
        assert told["reason"] == "expired" and "asleep" in told["message"]
        wait_for(lambda: not chains(server))
        # Without a past it is closed as before.
        booted = Session(client, image="shell", idle_ms=200, network="none", memory_mb=200)
        wait_for(lambda: not [one for one in client.call("session.list")["sessions"] if one["session"] == booted.id])


def test_the_idle_time_begins_anew_after_it_could_not_fall_asleep(tmp_path):
    with asked(tmp_path, "[past]\nasleep = 1h\n[server]\nlog_level = debug\n") as server, \
            server.client() as client:
        session = Session(client, image="shell", idle_ms=300)
        session.exec("x=1")
        tries = server.log.read_text().count("a file is on its way")
        client.call("file.write", session=session.id, path="half", text="half", final=False)
        wait_for(lambda: server.log.read_text().count("a file is on its way") > tries + 1)
        with Watcher(server, sessions=[session.id]) as watcher:
            client.call("file.write", session=session.id, path="half", offset=4, text="whole")
            watcher.until("session.asleep")
        session.close()


# ---- when the server ends ----


def end(server, how):
    if how == "kill":
        server.process.kill()
        server.process.wait()
    else:
        assert server.stop() == 0


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_it_outlives_its_server(tmp_path, how):
    server = asked(tmp_path, "")
    with server.client() as client:
        session = Session(client, key="long", label="a label", owner="ann", idle_ms=0,
                          env={"WHO": "me = you\t"})
        session.exec("import os, random, subprocess; random.seed(42); x = [1]; n = random.random()")
        session.exec("child = subprocess.Popen(['sleep', '1000']); open('f', 'w').write('one')")
        session.call("session.checkpoint", name="named")
        session.exec("x.append(2)")
        session.call("session.rewind", name="named")
        kernel = out(session.exec("print(os.urandom(8).hex())")).strip()
        before = session.get()
        moments = session.call("session.checkpoints")
        sleep(session, client)
        other = Session(client, image="shell")  # awake
        other.exec("x=1")
    end(server, how)
    assert {path.name.split(".")[0] for path in chains(server)} >= {session.id}
    server.start()
    with server, server.client() as client:
        (shown,) = client.call("session.list")["sessions"]
        assert (shown["session"], shown["state"]) == (session.id, "asleep")
        for name in ("key", "label", "owner", "client", "image", "cells", "incarnation", "memory_mb"):
            assert shown[name] == before[name], name
        assert abs(shown["created_at"] - before["created_at"]) < 0.01
        assert {path.name.split(".")[0] for path in chains(server)} == {session.id}  # nothing else
        again = client.call("session.open", key="long")
        assert again["session"] == session.id and not again["created"]
        session.client = client
        assert [one for one in session.call("session.checkpoints")["checkpoints"]
                if one["seq"] <= 2] == [dict(one, here=False) for one in moments["checkpoints"]]
        assert session.call("session.checkpoints")["epoch"] == 2
        woken = session.exec("print(x, open('f').read(), child.poll(), random.random(), os.environ['WHO'], "
                             "os.urandom(8).hex())")
        assert woken["cell"] == 5
        words = out(woken).split()
        assert words[:7] == ["[1]", "one", "None", "0.025010755222666936", "me", "=", "you"]
        assert words[7] != kernel
        told = session.call("session.history", limit=10)["cells"]
        assert [(one["cell"], one.get("undone", False)) for one in told] == \
            [(1, False), (2, False), (3, True), (4, False), (5, False)]
        assert session.call("session.rewind", cell=3)["cell"] == 3
        assert out(session.exec("print(x)")) == "[1, 2]\n"
        # Awake again, it is not as its note said.
        assert not [path for path in chains(server) if path.name.endswith(".note")]
        session.close()
        wait_for(lambda: not chains(server), what="an empty folder")


def test_it_sleeps_through_many_servers(tmp_path):
    server = asked(tmp_path, "[past]\nasleep = 1h\n")
    for i in range(4):
        with server.client() as client:
            if i == 0:
                session = Session(client, image="shell", lifetime_ms=3600000)
                session.exec("x=0")
                sleep(session, client)
            shown = client.call("session.get", session=session.id)
            assert shown["state"] == "asleep" and shown["cells"] == 1
            assert 0 < shown["expires_at"] - time.time() <= 3600
        end(server, "kill" if i % 2 else "stop")
        server.start()
    with server, server.client() as client:
        session.client = client
        assert out(session.exec("echo $x")) == "0\n"
        session.close()


def test_what_cannot_be_woken_here_says_why(tmp_path):
    server = asked(tmp_path, "")
    with server.client() as client:
        session = Session(client, image="shell", idle_ms=0)
        session.exec("x=1")
        sleep(session, client)
    end(server, "kill")
    (path,) = [path for path in chains(server) if path.name.endswith(".note")]
    note = path.read_text()
    qemu = re.search(r"\\nqemu ([^\\]+)\\n", note).group(1)
    path.write_text(note.replace(f"qemu {qemu}", "qemu 3.14"))
    server.start()
    with server.client() as client:
        session.client = client
        for method, params in (("session.exec", {"code": "echo $x"}), ("session.wake", {}),
                               ("file.list", {"path": "."})):
            message = refused("gone", session, method, **params).error["message"]
            assert '"qemu 3.14"' in message and f'"qemu {qemu}"' in message
            assert state(session) == "asleep"
    end(server, "stop")
    path.write_text(note)  # the QEMU of before is installed again
    server.start()
    with server, server.client() as client:
        session.client = client
        assert out(session.exec("echo $x")) == "1\n"
        session.close()


@pytest.mark.parametrize("harm", ["note", "size", "chain", "ram", "image", "link", "fifo", "mode"])
def test_what_is_damaged_meanwhile(tmp_path, harm):
    server = asked(tmp_path, "")
    with server.client() as client:
        session = Session(client, image="shell", idle_ms=0)
        session.exec("x=1")
        sleep(session, client)
        other = Session(client, image="shell", idle_ms=0)
        other.exec("x=2")
        sleep(other, client)
    end(server, "kill")
    files = {path.name: path for path in chains(server) if path.name.startswith(session.id)}
    note = files[f"{session.id}.note"]
    if harm == "note":
        note.write_text(note.read_text()[:-20])
    elif harm == "size":
        note.write_text(note.read_text() + " " * (1 << 20))
    elif harm == "chain":
        data = files[session.id].read_bytes()
        files[session.id].write_bytes(data[:len(data) - 100])
    elif harm == "ram":
        files[f"{session.id}.ram"].unlink()
    elif harm == "link":
        note.rename(note.with_name("elsewhere"))
        note.symlink_to("elsewhere")
    elif harm == "fifo":
        note.unlink()
        os.mkfifo(note, 0o600)
    elif harm == "mode":
        note.chmod(0o622)
    else:
        note.write_text(note.read_text().replace('"image":"shell"', '"image":"gone"'))
    server.start()
    with server, server.client() as client:
        session.client = other.client = client
        if harm == "chain":
            assert state(session) == "asleep"
            refused("gone", session, "session.exec", code="echo $x")
            assert state(session) == "asleep"
        else:
            for method, params in (("session.exec", {"code": "echo $x"}), ("session.get", {})):
                message = refused("session_closed", session, method, **params).error["message"]
                assert "could not take it up" in message
            assert "is not taken up" in server.log.read_text()
            assert note.exists()  # nothing of it is removed
            session.close()
            assert not [path for path in chains(server) if session.id in path.name]
            refused("session_closed", session, "session.get")
        assert out(other.exec("echo $x")) == "2\n"


def test_one_that_was_closed_does_not_come_back(tmp_path):
    server = asked(tmp_path, "")
    with server.client() as client:
        sessions = [Session(client, image="shell", idle_ms=0) for _ in range(2)]
        for session in sessions:
            session.exec("x=1")
            sleep(session, client)
        assert len([path for path in chains(server) if path.name.endswith(".note")]) == 2
        sessions.pop().close()
        assert not [path for path in chains(server) if session.id in path.name]
        # In one piece: it has not ended yet when the server begins to close.
        session, = sessions
        answers = in_one_piece(server, close=("session.close", {"session": session.id}),
                               shutdown=("server.shutdown", {}))
        assert {answer["id"]: "error" in answer for answer in answers} == {"close": False, "shutdown": False}
    assert server.process.wait(60) == 0
    assert not chains(server)
    server.start()
    with server, server.client() as client:
        assert client.call("session.list")["sessions"] == []


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_bound_forks_do_not_outlive_the_server(tmp_path, how):
    server = asked(tmp_path, "")
    with server.client() as client:
        session = Session(client, image="shell", idle_ms=0)
        session.exec("x=1")
        (made,) = session.call("session.fork", count=1, bound=True)["sessions"]
        client.call("session.sleep", session=made["session"])
        assert client.call("session.get", session=made["session"])["state"] == "asleep"
        assert out(client.call("session.exec", session=made["session"], code="echo $x")) == "1\n"
        client.call("session.sleep", session=made["session"])
        sleep(session, client)
        assert [path.name for path in chains(server) if path.name.endswith(".note")] == [f"{session.id}.note"]
        end(server, how)
    server.start()
    with server, server.client() as client:
        assert [one["session"] for one in client.call("session.list")["sessions"]] == [session.id]
        assert {path.name.split(".")[0] for path in chains(server)} == {session.id}
        client.call("session.close", session=session.id)


def test_numbers_of_refused_cells_are_not_used_again(tmp_path):
    text = "[admission]\nmemory = 150M\nwait = 0\n[pool]\nceiling = 0\n"
    server = asked(tmp_path, text)
    with server.client() as client:
        session = Session(client, image="shell", wait_ms=60000, idle_ms=0)
        session.exec("x=1")
        sleep(session, client)
        others = [Session(client, image="shell", wait_ms=60000) for _ in range(2)]
        for _ in range(2):
            refused("capacity", session, "session.exec", code="echo $x")
        assert session.get()["cells"] == 3 and others
    end(server, "kill")
    server.start()
    with server, server.client() as client:
        session.client = client
        assert session.get()["cells"] == 3
        done = session.exec("echo $x")
        assert (done["cell"], out(done)) == (4, "1\n")
        told = session.call("session.history", limit=10)["cells"]
        assert [one["cell"] for one in told] == [1, 2, 3, 4]
        session.close()


def test_its_own_policy_outlives_the_server(tmp_path):
    server = asked(tmp_path, "[past]\ncheckpoints = asked\n")
    with server.client() as client:
        session = Session(client, image="shell", idle_ms=0, checkpoints="cell")
        session.exec("x=1")
        sleep(session, client)
    end(server, "kill")
    server.start()
    with server, server.client() as client, Watcher(server, sessions=[session.id]) as watcher:
        session.client = client
        for request in [session.send(f"x={i}") for i in (2, 3)]:
            request.wait()
        watcher.until("session.checkpointed", cell=2)  # by itself, on the way of the next
        session.close()


def test_of_two_with_one_key_one_is_taken_up(tmp_path):
    server = asked(tmp_path, "")
    with server.client() as client:
        sessions = [Session(client, image="shell", idle_ms=0, key=key) for key in ("one", "two")]
        for session in sessions:
            session.exec("x=1")
            sleep(session, client)
    end(server, "kill")
    (note,) = [path for path in chains(server) if path.name == f"{sessions[1].id}.note"]
    note.write_text(note.read_text().replace('"key":"two"', '"key":"one"'))
    server.start()
    with server, server.client() as client:
        (shown,) = client.call("session.list")["sessions"]
        (other,) = [session for session in sessions if session.id != shown["session"]]
        other.client = client
        assert "its key" in refused("session_closed", other, "session.get").error["message"]
        assert client.call("session.open", key="one")["session"] == shown["session"]
        client.call("session.close", session=shown["session"])


def test_what_cannot_be_taken_up_goes_with_its_time(tmp_path):
    server = asked(tmp_path, "[past]\nasleep = 1h\n")
    with server.client() as client:
        session = Session(client, image="shell", idle_ms=0)
        session.exec("x=1")
        sleep(session, client)
    end(server, "kill")
    (note,) = [path for path in chains(server) if path.name.endswith(".note")]
    note.write_text("{")
    note.with_name(f"{note.name}.1.new").write_text("half")
    server.start()
    with server.client() as client:
        session.client = client
        assert "could not take it up" in refused("session_closed", session, "session.get").error["message"]
        assert note.exists() and not [path for path in chains(server) if path.name.endswith(".new")]
    end(server, "stop")
    os.utime(note, (time.time() - 7200,) * 2)
    server.start()
    with server:
        with server.client() as client:
            client.call("session.list")
        assert not chains(server)
