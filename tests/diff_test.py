# SPDX-License-Identifier: Apache-2.0
"""How two moments differ: `glassbell diff`, on real VMs."""

import json
import subprocess

import pytest

from support import BINARY, Server, Session, Watcher, wait_for


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
    """What is beyond the limit is left out, and that is said."""
    session = Session(client, label="diff-many", idle_ms=0)
    session.exec("globals().update({f'v{i:05}': i for i in range(20001)}); z = 1")
    session.call("session.checkpoint")
    session.exec("v00000 = 'changed'; z = 2")
    done = diff(server, "diff-many@1", "diff-many")
    assert done.returncode == 1 and done.stdout == "~ v00000  int 0 → str 'changed'\n"
    assert "there are more variables than can be compared" in done.stderr
    session.close()


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
