# SPDX-License-Identifier: Apache-2.0
"""Forks: sessions that go on from a moment of another one, each by itself."""

import json
import subprocess

import pytest

import past
from support import BINARY, Failure, Session, Watcher, out, qemu_pid, wait_for, with_settings

server, client = past.server, past.client  # the fixtures


class Child(Session):
    """A session that exists."""

    def __init__(self, client, id):
        self.client = client
        self.id = id


def fork(session, **options):
    """The result, and the sessions, all of which have to be open."""
    told = session.call("session.fork", **options)
    assert all("error" not in one for one in told["sessions"]), told
    return told, [Child(session.client, one["session"]) for one in told["sessions"]]


def close_all(sessions):
    for session in sessions:
        session.close()


def test_children_have_all_and_are_independent(client, session):
    session.exec("import os, random, subprocess, threading; random.seed(42); x = [1]; random.random()")
    session.exec("open('f', 'w').write('parent'); g = (i * i for i in range(100)); next(g)")
    session.exec("helper = subprocess.Popen(['sleep', '1000'])")
    told, children = fork(session, count=3)
    assert told["cell"] == 3 and len({child.id for child in children} | {session.id}) == 4
    show = ("print(x, open('f').read(), helper.poll(), next(g), random.random(), "
            "os.urandom(8).hex(), os.uname().nodename)")
    shown = [out(one.exec(show)).split() for one in [session, *children]]
    assert {tuple(line[:5]) for line in shown} == {("[1]", "parent", "None", "1", "0.025010755222666936")}
    assert len({line[5] for line in shown}) == 4  # the kernel's numbers are each's own
    assert len({line[6] for line in shown}) == 4  # and so is the name
    for i, child in enumerate(children):
        child.exec(f"x.append({i + 10}); open('f', 'w').write('child {i}')")
    session.exec("x.append(2); helper.kill(); helper.wait()")
    for i, child in enumerate(children):
        assert out(child.exec("print(x, open('f').read(), helper.poll())")) == \
            f"[1, {i + 10}] child {i} None\n"
    assert out(session.exec("print(x, open('f').read())")) == "[1, 2] parent\n"
    assert len({qemu_pid(client, one.id) for one in [session, *children]}) == 4
    close_all(children)
    assert out(session.exec("print(x)")) == "[1, 2]\n"


@pytest.mark.parametrize("image, change, show", [
    ("javascript", "var x = 41;", "console.log(x + 1)"), ("shell", "x=41", "echo $((x + 1))")])
def test_other_languages(client, image, change, show):
    parent = Session(client, image=image)
    parent.exec(change)
    _, children = fork(parent, count=2)
    assert [out(child.exec(show)) for child in children] == ["42\n", "42\n"]
    close_all([parent, *children])


def test_where_it_comes_from_is_told(server, client, session):
    session.exec("x = 1")
    session.exec("x = 2")
    with Watcher(server) as watcher:
        told, (child,) = fork(session, label="twin")
        origin = {"session": session.id, "checkpoint": told["seq"], "cell": 2}
        opened = watcher.until("session.opened", session=child.id)[-1]
        assert opened["info"]["origin"] == origin
        forked = watcher.until("session.forked", session=session.id)[-1]
        assert (forked["checkpoint"], forked["cell"], forked["sessions"]) == (told["seq"], 2, [child.id])
    info = child.get()
    assert info["origin"] == origin and info["label"] == "twin" and info["source"] == "fork"
    assert info["key"] is None and info["lease"] is None and info["network"] == "none"
    assert "origin" not in session.get()
    cell = child.exec("print(x)")
    assert cell["cell"] == 3 and out(cell) == "2\n"  # numbers go on
    assert [one["cell"] for one in child.call("session.history")["cells"]] == [3]
    _, (grandchild,) = fork(child)
    assert grandchild.get()["origin"]["session"] == child.id
    assert out(grandchild.exec("print(x)")) == "2\n"
    close_all([grandchild, child])
    past = client.call("session.list", state="closed")["sessions"]
    assert [one for one in past if one["session"] == child.id][0]["origin"] == origin


def test_from_an_earlier_moment(session):
    for i in range(1, 5):
        session.exec(f"x = {i}; open('f{i}', 'w').close()")
        session.call("session.checkpoint", **({"name": "third"} if i == 3 else {}))
    before = session.call("session.checkpoints")["checkpoints"]
    first, (one,) = fork(session, cell=1)
    second, (two,) = fork(session, seq=before[1]["seq"])
    third, (three,) = fork(session, name="third")
    assert [told["cell"] for told in (first, second, third)] == [1, 2, 3]
    assert session.call("session.checkpoints")["checkpoints"] == before
    for i, child in enumerate((one, two, three), 1):
        cell = child.exec("import os; print(x, sorted(n for n in os.listdir() if n[0] == 'f'))")
        assert cell["cell"] == i + 1
        assert out(cell) == f"{i} {[f'f{k}' for k in range(1, i + 1)]}\n"
    close_all([one, two, three])


def test_from_an_earlier_moment_while_a_cell_runs(client, session):
    session.exec("x = 1")
    seq = session.call("session.checkpoint")["seq"]
    running = session.send("import time\ntry:\n  time.sleep(1000)\nexcept KeyboardInterrupt: x = 3")
    wait_for(lambda: session.get()["state"] == "running")
    with pytest.raises(Failure) as caught:  # for now it would have to be idle
        session.call("session.fork", wait_ms=0)
    assert caught.value.kind == "busy"
    _, (child,) = fork(session, seq=seq)
    assert out(child.exec("print(x)")) == "1\n"
    assert not running.done()
    session.call("session.interrupt")
    running.wait()
    assert out(session.exec("print(x)")) == "3\n"
    child.close()


def test_a_moment_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    with with_settings(tmp_path, "[past]\nkeep = 4\ncheckpoints = asked\n") as server, server.client() as client:
        session = Session(client)
        for i in range(1, 8):
            session.exec(f"x = {i}")
            session.call("session.checkpoint")
        left = session.call("session.checkpoints")["checkpoints"]
        assert 1 not in [one["cell"] for one in left]
        with pytest.raises(Failure) as caught:
            session.call("session.fork", cell=1)
        assert caught.value.kind == "gone"
        nearest = caught.value.error["data"]["nearest"]
        assert nearest == {"seq": left[0]["seq"], "cell": left[0]["cell"]}
        _, (child,) = fork(session, seq=nearest["seq"])
        assert out(child.exec("print(x)")) == f"{nearest['cell']}\n"
        for wrong in ({"seq": 1, "cell": 1}, {"count": 0}, {"count": 65}):
            with pytest.raises(Failure) as caught:
                session.call("session.fork", **wrong)
            assert caught.value.kind == "invalid_input"
        close_all([child, session])


def test_ten_at_once(server, client, session):
    session.exec("import os; data = list(range(100000)); open('f', 'w').write('1')")
    _, children = fork(session, count=10, wait_ms=60000)
    assert len({child.id for child in children}) == 10
    cells = [child.send(f"data.append({i}); open('f', 'a').write('{i}'); "
                        "print(data[-1], sum(data[:-1]), open('f').read())")
             for i, child in enumerate(children)]
    for i, cell in enumerate(cells):
        assert out(cell.wait()) == f"{i} 4999950000 1{i}\n"
    close_all(children)
    assert out(session.exec("print(len(data), open('f').read())")) == "100000 1\n"


def test_children_outlive_their_parent(server, client):
    parent = Session(client)
    parent.exec("x = 41")
    _, (child, other) = fork(parent, count=2)
    parent.close()
    assert out(child.exec("x += 1; print(x)")) == "42\n"
    # They have a past of their own, without the parent's.
    child.call("session.checkpoint")
    child.exec("x = 0")
    child.call("session.rewind", steps=1)
    assert out(child.exec("print(x)")) == "42\n"
    _, (grandchild,) = fork(child)
    child.close()
    assert out(grandchild.exec("print(x)")) == "42\n"
    assert out(other.exec("print(x)")) == "41\n"
    close_all([grandchild, other])


def test_each_failure_is_its_own(tmp_path):
    with with_settings(tmp_path, "[sessions]\nmaximum = 4\n") as server, server.client() as client:
        session = Session(client)
        session.exec("x = 1")
        told = session.call("session.fork", count=6)["sessions"]
        assert len(told) == 6
        good = [Child(client, one["session"]) for one in told if "error" not in one]
        bad = [one for one in told if "error" in one]
        assert len(good) == 3 and len(bad) == 3
        for one in bad:
            assert one["session"] is None and one["error"]["kind"] == "capacity"
            assert "[sessions] maximum" in one["error"]["message"]
        assert [out(child.exec("print(x)")) for child in good] == ["1\n"] * 3
        close_all([*good, session])


def test_there_is_no_room_for_some(tmp_path):
    # For two of this image, and not for copies of their memory.
    text = "[admission]\nmemory = 150M\n[pool]\nceiling = 0\n[past]\ncheckpoints = asked\n"
    with with_settings(tmp_path, text) as server, server.client() as client:
        session = Session(client, image="shell")
        session.exec("x=1")
        told = session.call("session.fork", count=3, wait_ms=500)["sessions"]
        good = [Child(client, one["session"]) for one in told if "error" not in one]
        assert len(good) == 1, told
        for one in told:
            if "error" in one:
                assert one["error"]["kind"] == "capacity" and "no memory" in one["error"]["message"]
        assert out(good[0].exec("echo $x")) == "1\n"
        # What waits for room gets it when there is some.
        pending = client.send("session.fork", session=session.id, wait_ms=60000)
        wait_for(lambda: client.call("stats")["admission"]["waiting"] == 1)
        good[0].close()
        (late,) = pending.wait()["sessions"]
        assert out(Child(client, late["session"]).exec("echo $x")) == "1\n"
        assert out(session.exec("echo $x")) == "1\n"
        session.close()


def test_a_client_that_goes_away_leaves_no_children(server, client, session):
    session.exec("x = 1")
    with server.client() as other:
        other.send("session.fork", session=session.id, count=4)
        wait_for(lambda: any(one.get("origin", {}).get("session") == session.id
                             for one in client.call("session.list")["sessions"]))
    wait_for(lambda: not any(one.get("origin", {}).get("session") == session.id
                             for one in client.call("session.list")["sessions"]))
    assert out(session.exec("print(x)")) == "1\n"
    _, (child,) = fork(session)
    assert out(child.exec("print(x)")) == "1\n"
    child.close()


def test_a_child_that_has_ended_when_the_client_goes_away(tmp_path):
    """It was open, and others still wait for room: nobody may touch it any more."""
    # For two of this image, and not for copies of their memory.
    text = "[admission]\nmemory = 150M\n[pool]\nceiling = 0\n[past]\ncheckpoints = asked\n"
    with with_settings(tmp_path, text) as server, server.client() as client:
        parent = Session(client, image="shell")
        parent.exec("x=1")

        def children(state=None):
            return [one["session"] for one in client.call("session.list")["sessions"]
                    if one.get("origin", {}).get("session") == parent.id and state in (None, one["state"])]

        with server.client() as other:
            other.send("session.fork", session=parent.id, count=3, wait_ms=60000)
            (first,) = wait_for(lambda: children("idle"))
            client.call("session.close", session=first)
            wait_for(lambda: first not in children())
            assert children()
        wait_for(lambda: not children())
        assert out(parent.exec("echo $x")) == "1\n"
        parent.close()


def test_a_parent_that_ends_meanwhile(server, client):
    parent = Session(client)
    parent.exec("x = 1")
    pending = client.send("session.fork", session=parent.id, count=8)
    wait_for(lambda: any(one.get("origin", {}).get("session") == parent.id
                         for one in client.call("session.list")["sessions"]))
    parent.close()
    told = pending.wait()["sessions"]
    assert len(told) == 8
    for one in told:
        if "error" in one:
            assert one["error"]["kind"] == "session_closed", one
        else:
            child = Child(client, one["session"])
            assert out(child.exec("print(x)")) == "1\n"
            child.close()
    wait_for(lambda: client.call("session.list")["sessions"] == [])


def test_a_child_that_is_closed_meanwhile(server, client, session):
    session.exec("x = 1")
    pending = client.send("session.fork", session=session.id, count=4)

    def children():
        return [one["session"] for one in client.call("session.list")["sessions"]
                if one.get("origin", {}).get("session") == session.id]

    wait_for(lambda: len(children()) == 4)
    last = children()[-1]
    client.call("session.close", session=last)
    told = pending.wait()["sessions"]
    open_ones = [one["session"] for one in told if "error" not in one]
    assert len(open_ones) >= 3
    for one in set(open_ones) - {last}:
        child = Child(client, one)
        assert out(child.exec("print(x)")) == "1\n"
        child.close()
    assert out(session.exec("print(x)")) == "1\n"


def test_a_program_goes_on_in_each(client, session):
    session.exec("import threading, time\nn = 0\n"
                 "def count():\n  global n\n  while True:\n    n += 1; print(n); time.sleep(0.01)\n"
                 "threading.Thread(target=count, daemon=True).start()")
    wait_for(lambda: int(out(session.exec("print('at', n)")).split("at")[1].split()[0]) > 5)
    _, children = fork(session, count=2)
    for one in (session, *children):
        before = int(out(one.exec("print('at', n)")).split("at")[1].split()[0])
        wait_for(lambda one=one, before=before: int(
            out(one.exec("print('at', n)")).split("at")[1].split()[0]) > before)
    close_all(children)


def test_no_past_no_forks(tmp_path):
    with with_settings(tmp_path, "[past]\ncheckpoints = off\n") as server, server.client() as client:
        session = Session(client)
        with pytest.raises(Failure) as caught:
            session.call("session.fork")
        assert caught.value.kind == "no_past" and "[past] checkpoints" in str(caught.value)
        session.close()


def glassbell(server, *arguments):
    return subprocess.run([BINARY, *arguments], env=server.env, capture_output=True, text=True, check=False)


def test_from_the_command_line(server, client):
    session = Session(client, key="tree")
    session.exec("x = 1")
    session.call("session.checkpoint")
    session.exec("x = 2")
    done = glassbell(server, "fork", "tree", "-n", "2")
    assert done.returncode == 0, done
    ids = done.stdout.split()
    assert len(ids) == 2
    done = glassbell(server, "fork", "tree", "--at", "1", "--label", "old")
    ids.append(done.stdout.strip())
    assert [out(Child(client, one).exec("print(x)")) for one in ids] == ["2\n", "2\n", "1\n"]
    assert Child(client, ids[2]).get()["label"] == "old"
    done = glassbell(server, "fork", "tree", "--at", "77")
    assert done.returncode == 125 and "no checkpoint" in done.stderr, done
    for wrong in (["fork"], ["fork", "tree", "-n", "0"], ["fork", "tree", "-n", "65"],
                  ["fork", "tree", "--at", "x"], ["fork", "tree", "--at", "1", "-c", "1"]):
        assert glassbell(server, *wrong).returncode == 2, wrong
    for one in ids:
        Child(client, one).close()
    session.close()


def test_the_same_code_several_times(server, client):
    session = Session(client, key="tried")
    session.exec("x = [1]; open('f', 'w').write('one')")
    code = ("import os, sys; n = int(os.environ['TRY']); x.append(n)\n"
            "print(x, open('f').read(), flush=True); open('f', 'w').write('changed')\n"
            "sys.exit(n if n > 1 else 0)")
    before = {one["session"] for one in client.call("session.list")["sessions"]}
    done = glassbell(server, "exec", "--try", "3", "tried", "-c", code)
    assert done.returncode == 3, done
    lines = done.stdout.splitlines()
    assert [line.split(": s-")[0] for line in lines[::2]] == ["== try 1", "== try 2", "== try 3"]
    assert lines[1::2] == ["[1, 1] one", "[1, 2] one", "[1, 3] one"]
    wait_for(lambda: {one["session"] for one in client.call("session.list")["sessions"]} == before)
    assert out(session.exec("print(x, open('f').read())")) == "[1] one\n"
    done = glassbell(server, "exec", "--try", "2", "--keep", "--json", "tried", "-c", code)
    cells = json.loads(done.stdout)
    assert [cell["exit_code"] for cell in cells] == [0, 2]
    kept = [Child(client, cell["session"]) for cell in cells]
    assert [out(child.exec("print(x)")) for child in kept] == ["[1, 1]\n", "[1, 2]\n"]
    close_all([*kept, session])
    done = glassbell(server, "run", "--try", "2", "-c", "import os; print(os.environ['TRY'])")
    assert done.returncode == 0, done
    assert done.stdout.splitlines()[1::2] == ["1", "2"]
    wait_for(lambda: {one["session"] for one in client.call("session.list")["sessions"]} <= before)
    for wrong in (["run", "--try", "0", "-c", "1"], ["run", "--try", "65", "-c", "1"],
                  ["run", "--try", "2", "-c", "1", "-c", "2"], ["run", "--try", "2", "--stdin", "-c", "1"]):
        assert glassbell(server, *wrong).returncode == 2, wrong
