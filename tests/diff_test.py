# SPDX-License-Identifier: Apache-2.0
"""How two moments differ: `glassbell diff`, on real VMs."""

import json
import signal
import subprocess

import pytest

from support import BINARY, Failure, Server, Session, Watcher, wait_for, with_settings
from terminal import FakeServer, made_up


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


class Child(Session):
    """A session that exists."""

    def __init__(self, client, id):
        self.client = client
        self.id = id


def diff(server, *words):
    return subprocess.run([BINARY, "diff", "--socket", str(server.socket), *words], env=server.env,
                          capture_output=True, text=True)


def forks(client):
    return [one for one in client.call("session.list")["sessions"] if "origin" in one]


def test_two_moments_of_a_session(server, client):
    session = Session(client, label="diff-work", idle_ms=0)
    session.exec("import os\nx, gone, many = 1, 'a', list(range(1000))\ndef f(): return 1\n"
                 "for name in ('a', 'same', 'went'): _ = open(name, 'w').write('1')")
    session.call("session.checkpoint")
    session.exec("x = 'one'; del gone; many[900] = 0; new = {'k': [1]}\ndef f(): return g()\n"
                 "_ = open('a', 'w').write('2'); os.remove('went'); os.mkdir('d')\n"
                 "_ = open('d/odd\\n name', 'w').write('')")
    before = session.get()["cells"]
    done = diff(server, "diff-work@1", "diff-work")
    assert done.returncode == 1 and done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "~ f", "- gone", "~ many", "+ new", "~ x", "~ a", "+ d/odd\\x0a name", "- went"]
    assert "~ x  int 1 → str 'one'" in lines and "+ new  dict {'k': [1]}" in lines
    # The same the other way round, for programs.
    told = json.loads(diff(server, "--json", "diff-work", "diff-work@1").stdout)
    assert {one["name"]: one["change"] for one in told["variables"]} == {
        "f": "changed", "gone": "added", "many": "changed", "new": "removed", "x": "changed"}
    assert {one["path"]: one["change"] for one in told["files"]} == {
        "a": "changed", "d/odd\n name": "removed", "went": "added"}
    assert told["complete"] is True and told["remarks"] == [] and told["cells"] == []
    assert [one for one in told["variables"] if one["name"] == "x"] == [
        {"name": "x", "change": "changed", "before": {"type": "str", "repr": "'one'"},
         "after": {"type": "int", "repr": "1"}}]
    same = diff(server, "diff-work", "diff-work")
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    # Nothing of it is left, and the session does not know of it.
    wait_for(lambda: not forks(client))
    assert session.get()["cells"] == before
    assert session.exec("x")["value"] == "'one'"
    session.close()


def test_two_sessions(server, client):
    shell, other = Session(client, image="shell", label="diff-a", idle_ms=0), Session(client, image="shell", label="diff-b")
    shell.exec("x=1; list=(1 2); printf -v both 'two\\nlines \"quoted\" \\\\'; echo hi >f")
    other.exec("x=2; list=(1 2); echo hi >f")
    done = diff(server, "diff-a", "diff-b")
    assert done.returncode == 1 and done.stderr == ""
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["- both", "~ x"]
    python = Session(client, label="diff-python")
    done = diff(server, "diff-a", "diff-python")
    assert done.returncode == 1 and done.stdout == "- f\n"
    assert "variables are not compared: shell and python" in done.stderr
    for session in (shell, other, python):
        session.close()


def test_the_output_of_cells(server, client):
    """Of those that led to one of the moments only; what is undone led to none."""
    session = Session(client, label="diff-output", idle_ms=0)
    session.exec("print('common')")
    session.call("session.checkpoint")
    session.exec("print('undone')")
    session.call("session.rewind", cell=1)
    session.exec("print('x' * 2000); 7")
    session.call("session.checkpoint")
    session.exec("1/0")
    session.exec("_ = 1")  # says nothing
    done = diff(server, "diff-output@1", "diff-output")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and done.stderr == ""
    assert len(lines) == 2 and lines[0] == "+ output of cell 3  7"
    assert lines[1].startswith("+ output of cell 4  failed: ") and lines[1].endswith("by zero")
    told = session.call("session.diff", to_cell=3)
    assert told["before"]["cell"] == 5 and told["after"]["cell"] == 3
    assert [(one["cell"], one["change"]) for one in told["cells"]] == [(4, "removed")]
    assert not told["cells"][0]["before"]["ok"] and "after" not in told["cells"][0]
    assert "ZeroDivisionError" in told["cells"][0]["before"]["stderr"]
    # To the life that was left.
    told = session.call("session.diff", cell=3, to_cell=2)
    assert [(one["cell"], one["change"]) for one in told["cells"]] == [(2, "added"), (3, "removed")]
    assert told["cells"][1]["before"] == {"ok": True, "stdout": "x" * 1000, "stderr": "", "value": "7"}
    # In two forks the same number is of two cells.
    one, other = (Child(client, fork["session"])
                  for fork in session.call("session.fork", cell=1, count=2)["sessions"])
    for number, fork in enumerate((one, other)):
        fork.exec("print('same')")
        fork.exec(f"a = {number}; print(a)")
    told = one.call("session.diff", to=other.id)
    assert [(cell["cell"], cell["change"], cell["before"]["stdout"], cell["after"]["stdout"])
            for cell in told["cells"]] == [(3, "changed", "0\n", "1\n")]
    assert [(one["name"], one["before"]["repr"], one["after"]["repr"]) for one in told["variables"]] == [
        ("a", "0", "1")]
    # And with the session that it is of, what led to it is common.
    told = one.call("session.diff", to=session.id, to_cell=1)
    assert [(cell["cell"], cell["change"]) for cell in told["cells"]] == [(2, "removed"), (3, "removed")]
    for each in (one, other, session):
        each.close()


def test_only_so_many_at_a_time(server, client):
    session = Session(client, label="diff-busy", idle_ms=0)
    session.exec("class Slow:\n def __repr__(self):\n  import time; time.sleep(600)\nx = Slow()")
    with server.client() as other:
        for _ in range(2):
            other.send("session.diff", session=session.id)
        wait_for(lambda: any(one["state"] == "running" for one in forks(client)))
        wait_for(lambda: len([one for one in forks(client) if one["state"] == "running"]) == 2)
        with pytest.raises(Failure) as refused:
            session.call("session.diff")
        assert refused.value.kind == "busy" and "2 other comparisons are under way" in str(refused.value)
    # With the client they end, and there is room again.
    wait_for(lambda: not forks(client))
    session.exec("del x")
    assert session.call("session.diff")["complete"] is True
    session.close()


def test_what_is_asked_wrongly(server, client):
    session = Session(client, label="diff-wrong", idle_ms=0)
    session.exec("x = 1")
    session.call("session.checkpoint")
    for params, kind in (({"cell": 1, "seq": 1}, "invalid_input"), ({"to_cell": 1, "to_name": "n"}, "invalid_input"),
                         ({"to": "nosuch"}, "not_found"), ({"cell": 7}, "gone"), ({"to_seq": 99}, "gone")):
        with pytest.raises(Failure) as refused:
            session.call("session.diff", **params)
        assert refused.value.kind == kind, (params, refused.value)
    assert refused.value.error["data"]["nearest"]["cell"] == 1
    wait_for(lambda: not forks(client))
    # Two comparisons are allowed at a time: none of these counts any more.
    for _ in range(3):
        assert session.call("session.diff", cell=1)["variables"] == []
    session.close()


def test_a_second_moment_that_is_not_there_is_told_at_once(server, client):
    """Before anything is made for the first one."""
    session, other = (Session(client, image="shell", checkpoints="asked", idle_ms=0) for _ in range(2))
    for one in (session, other):
        one.exec("x=1")
        one.call("session.checkpoint", name="named")
        one.exec("x=2")
    with Watcher(server, kinds=["session.opened", "session.checkpointed"]) as watcher:
        for params in ({"to_seq": 999}, {"to_name": "nosuch"}, {"to_cell": 7}, {"cell": 1, "to_cell": 2},
                       {"to": other.id, "to_cell": 2}, {"to": other.id, "to_seq": 999}):
            with pytest.raises(Failure) as refused:
                session.call("session.diff", **params)
            assert refused.value.kind == "gone", (params, refused.value)
            assert refused.value.error["data"]["nearest"]["cell"] == 1
        session.call("session.checkpoint")
        assert [event["kind"] for event in watcher.until("session.checkpointed")] == ["snapshot", "session.checkpointed"]
    # That of the present is taken for the first moment, and may be the second one.
    session.exec("x=3")
    told = session.call("session.diff", to_cell=3)
    assert told["before"]["cell"] == told["after"]["cell"] == 3 and told["variables"] == []
    for one in (session, other):
        one.close()


def test_what_is_kept_is_compared_where_no_more_can_be_kept(tmp_path):
    asked = "[server]\nlog_level = info\n[past]\ncheckpoints = asked\n"
    with with_settings(tmp_path, asked) as server, server.client() as client:
        session = Session(client, image="shell", idle_ms=0)
        for value in (1, 2):
            session.exec(f"x={value}")
            session.call("session.checkpoint")
        (tmp_path / "a.conf").write_text(asked + "total = 1\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "settings: read again" in server.log.read_text(), what="the reload")
        with pytest.raises(Failure) as refused:
            session.call("session.checkpoint")
        assert refused.value.kind == "capacity"
        told = session.call("session.diff", cell=1, to_cell=2)
        assert [one["name"] for one in told["variables"] if one["name"] == "x"] == ["x"]
        session.close()


def test_a_guest_that_lies(server, client):
    """What runs in a fork is not trusted: its lines are parsed, and shown as text."""
    session = Session(client, label="diff-liar", idle_ms=0)
    session.exec("class Liar:\n def __repr__(self): return 'a\\x1b[31m\\nb\\u202e'\n"
                 "class Dead:\n def __repr__(self): raise SystemExit\nx = 1")
    session.call("session.checkpoint")
    session.exec("liar = Liar(); dead = Dead()\nimport sys\nclass Loud:\n def __repr__(self):\n"
                 "  print('no json'); print('{\"name\": 1}'); print('[' * 100); return 'loud'\nloud = Loud()")
    done = diff(server, "diff-liar@1", "diff-liar")
    assert done.returncode == 1
    assert [line.split("  ")[0] for line in done.stdout.splitlines()] == ["+ Loud", "+ dead", "+ liar", "+ loud", "+ sys"]
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout and "SystemExit" in done.stdout
    session.close()


def test_very_many_variables(server, client):
    """What is beyond the limit is left out of both, and that is said."""
    session = Session(client, label="diff-many", idle_ms=0)
    session.exec("globals().update({f'v{i:05}': i for i in range(20001)}); z = 1")
    session.call("session.checkpoint")
    session.exec("v00000 = 'changed'; z = 2")
    done = diff(server, "diff-many@1", "diff-many")
    assert done.returncode == 1 and done.stdout == "~ v00000  int 0 → str 'changed'\n"
    assert "there are more variables than can be compared: those after v19999 are left out" in done.stderr
    # One less, so that the second list goes on to v20000, which the first one has left out.
    session.call("session.checkpoint")
    session.exec("del v00007")
    done = diff(server, "--json", "diff-many@2", "diff-many")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["complete"] is False
    assert [(one["name"], one["change"]) for one in told["variables"]] == [("v00007", "removed")]
    # "Nothing differs" is not said of what was not compared to its end.
    session.call("session.checkpoint")
    session.exec("z = 3")
    done = diff(server, "diff-many@2", "diff-many@2")
    assert (done.returncode, done.stdout) == (125, "") and "are left out" in done.stderr
    session.close()


def test_very_many_files(server, client):
    session = Session(client, image="shell", label="diff-files", idle_ms=0)
    session.exec("mkdir d; cd d; touch $(seq -f %05g 0 20001); cd ..", timeout_ms=120000)
    session.call("session.checkpoint")
    session.exec("rm d/00007; echo 1 >d/00008; echo 1 >d/20001", timeout_ms=120000)
    done = diff(server, "diff-files@1", "diff-files")
    assert done.returncode == 1 and done.stdout == "- d/00007\n~ d/00008\n"
    assert "those after d/19999 are left out" in done.stderr
    session.close()


def test_a_list_that_cannot_be_had_is_not_compared(server, client):
    """Neither as if it was empty, nor as far as it came; the other one is compared."""
    session = Session(client, label="diff-broken", idle_ms=0)
    session.exec("import json; a = 1")
    session.call("session.checkpoint")
    session.exec("def broken(thing, there=json.dumps):\n if thing['name'] > 'b': raise ValueError('no list')\n"
                 " return there(thing)\njson.dumps = broken; a = 2; z = 1; _ = open('new', 'w').write('1')")
    done = diff(server, "diff-broken@1", "diff-broken")
    assert done.returncode == 125 and done.stdout == "+ new\n"
    assert "the variables of the second moment could not be listed: ValueError: no list" in done.stderr
    done = diff(server, "--json", "diff-broken", "diff-broken@1")
    told = json.loads(done.stdout)
    assert done.returncode == 125 and told["complete"] is False and told["variables"] is None
    assert [(one["path"], one["change"]) for one in told["files"]] == [("new", "removed")]
    # The same with the files, of which one cannot be read.
    session.call("session.checkpoint")
    session.exec("import os; os.chmod('new', 0); json.dumps = broken.__defaults__[0]; del broken")
    done = diff(server, "diff-broken@1", "diff-broken")
    assert done.returncode == 125 and "~ a  int 1 → 2\n" in done.stdout and "new" not in done.stdout
    assert "the files of the second moment could not be listed: sha256sum: " in done.stderr
    session.close()


class ForklessServer(FakeServer):
    """Says that it has forked, and names no session."""

    def _answer(self, connection, call):
        if call["method"] == "session.fork":
            self.reply(connection, call, {"sessions": [], "seq": 1, "cell": 1, "took_us": 1})
        else:
            super()._answer(connection, call)


def test_a_fork_of_which_nothing_is_told_is_an_error(tmp_path):
    with ForklessServer(tmp_path, [made_up(1, label="work")]) as fake:
        done = subprocess.run([BINARY, "fork", "--socket", str(fake.path), "work"],
                              capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (125, "")
    assert "the server opened no session, and gave no reason" in done.stderr


def test_what_cannot_be_compared_is_said(server, client):
    session = Session(client, label="diff-gone", idle_ms=0)
    session.exec("x = 1")
    for words, said in ((["diff-gone@7", "diff-gone"], "no checkpoint of the moment after cell 7"),
                        (["diff-gone", "nosuch"], "nosuch")):
        done = diff(server, *words)
        assert done.returncode == 125 and said in done.stderr, done.stderr
    assert diff(server, "diff-gone").returncode == 2
    with Watcher(server, kinds=["session.opened"]) as watcher:
        killed = subprocess.Popen([BINARY, "diff", "--socket", str(server.socket), "diff-gone", "diff-gone"],
                                  env=server.env, stdout=subprocess.DEVNULL)
        watcher.until("session.opened")
        killed.kill()
        killed.wait()
    wait_for(lambda: not forks(client))
    session.close()
