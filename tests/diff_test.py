# SPDX-License-Identifier: Apache-2.0
"""How two moments differ: `glassbell diff`, on real VMs."""

import json
import subprocess

import pytest

from support import BINARY, Server, Session, Watcher, wait_for
from terminal import FakeServer, made_up


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


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
    assert told["complete"] is True
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
    assert "the variables of diff-broken could not be listed: ValueError: no list" in done.stderr
    done = diff(server, "--json", "diff-broken", "diff-broken@1")
    told = json.loads(done.stdout)
    assert done.returncode == 125 and told["complete"] is False and "variables" not in told
    assert [(one["path"], one["change"]) for one in told["files"]] == [("new", "removed")]
    # The same with the files, of which one cannot be read.
    session.call("session.checkpoint")
    session.exec("import os; os.chmod('new', 0); json.dumps = broken.__defaults__[0]; del broken")
    done = diff(server, "diff-broken@1", "diff-broken")
    assert done.returncode == 125 and "~ a  int 1 → 2\n" in done.stdout and "new" not in done.stdout
    assert "the files of diff-broken could not be listed: sha256sum: " in done.stderr
    session.close()


class ForklessServer(FakeServer):
    """Says that it has forked, and names no session."""

    def _answer(self, connection, call):
        if call["method"] == "session.get":
            self.reply(connection, call, self.sessions[0])
        elif call["method"] == "session.fork":
            self.reply(connection, call, {"sessions": [], "seq": 1, "cell": 1, "took_us": 1})
        else:
            super()._answer(connection, call)


@pytest.mark.parametrize("verb", ["diff", "fork"])
def test_a_fork_of_which_nothing_is_told_is_an_error(tmp_path, verb):
    with ForklessServer(tmp_path, [made_up(1, label="work")]) as fake:
        done = subprocess.run([BINARY, verb, "--socket", str(fake.path), *["work"] * (1 + (verb == "diff"))],
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
