# SPDX-License-Identifier: Apache-2.0
"""A program that waits for input: everybody who comes later sees it, sees what it asks, and can answer."""

import subprocess

import pytest

from support import BINARY, DEADLINE, Session, Watcher, out, wait_for
from terminal import front_end

ASKS = "answer = input('Type yes: ')\nprint('got', answer)"


def waits(session, prompt="Type yes: "):
    found = wait_for(lambda: (session.get().get("waiting") or {}).get("prompt") == prompt and session.get()["waiting"],
                     what="a program that waits")
    assert found["prompt"] == prompt
    return found


def glassbell(server, *arguments, **options):
    return subprocess.run([BINARY, *arguments], env=server.env, capture_output=True, text=True, timeout=DEADLINE,
                          check=False, **options)


@pytest.fixture
def agent(server):
    with server.client() as client:
        client.call("hello", client="migrator", protocol=1)
        yield client


@pytest.fixture
def asking(agent):
    session = Session(agent, label="db migration", idle_ms=0)
    pending = session.send(ASKS, interactive=True)
    waits(session)
    yield session, pending
    session.close()


def test_all_who_ask_are_told(server, client, asking):
    session, pending = asking
    assert session.get()["waiting"] == {"cell": 1, "client": "migrator", "prompt": "Type yes: "}
    listed = {s["session"]: s for s in client.call("session.list")["sessions"]}
    assert listed[session.id]["waiting"]["prompt"] == "Type yes: "
    past = client.call("session.history", session=session.id)["cells"]
    assert past[-1]["state"] == "running" and past[-1]["waiting"] is True and past[-1]["prompt"] == "Type yes: "
    with Watcher(server, sessions=[session.id]) as watcher:
        snapshot = watcher.next()
        assert snapshot["cells"][0]["waiting"] is True and snapshot["cells"][0]["prompt"] == "Type yes: "
        assert snapshot["sessions"][0]["waiting"]["cell"] == 1
        session.call("session.stdin", cell=1, text="so\n")
        info = watcher.until("cell.finished")[-1]["info"]
        assert "waiting" not in info and "prompt" not in info
    assert out(pending.wait()) == "Type yes: got so\n"
    assert session.get()["waiting"] is None
    assert "waiting" not in client.call("session.history", session=session.id)["cells"][-1]


def test_what_is_asked_changes(server, agent):
    session = Session(agent, "shell", idle_ms=0)
    with Watcher(server, sessions=[session.id], kinds=["cell.waiting"]) as watcher:
        pending = session.send("printf 'one? ' >&2; read -r a; echo; read -r b; echo >&2; printf 'é%.0s' {1..600}; read -r c; echo $a$b$c",
                               interactive=True)
        assert watcher.until("cell.waiting", waiting=True)[-1]["prompt"] == "one? "
        session.call("session.stdin", text="1\n")
        assert watcher.until("cell.waiting", waiting=True)[-1]
        session.call("session.stdin", text="2\n")
        told = watcher.until("cell.waiting", waiting=True)[-1]
        assert told["prompt"] == "é" * 256
        session.call("session.stdin", text="3\n")
    assert out(pending.wait()).endswith("123\n")
    session.close()


def test_the_verb_answers(server, asking):
    session, pending = asking
    done = glassbell(server, "answer", "db migration", "yes")
    assert done.returncode == 0, done.stderr
    assert out(pending.wait()) == "Type yes: got yes\n"
    done = glassbell(server, "answer", "db migration", "more")
    assert done.returncode == 125 and "waits for input" in done.stderr
    pending = session.send("import sys; print(len(sys.stdin.read()))", interactive=True)
    wait_for(lambda: session.get()["waiting"])
    done = glassbell(server, "answer", session.id, "--eof", input="four\nfive")
    assert done.returncode == 0, done.stderr
    assert out(pending.wait()) == "9\n"
    pending = session.send(ASKS, interactive=True)
    waits(session)
    assert glassbell(server, "answer", session.id, "--", "--no").returncode == 0
    assert out(pending.wait()) == "Type yes: got --no\n"
    pending = session.send("input()", interactive=True)
    wait_for(lambda: session.get()["waiting"])
    assert glassbell(server, "answer", session.id, "--eof").returncode == 0
    assert "EOFError" in pending.wait()["stderr"]
    assert glassbell(server, "answer").returncode == 2
    assert glassbell(server, "answer", "nobody", "x").returncode == 125


def test_from_the_list(server, asking, tmp_path_factory):
    """The view is opened after the question was asked."""
    _, pending = asking
    folder = tmp_path_factory.mktemp("t")
    with front_end(folder, server.socket, columns=80, rows=24) as terminal:
        terminal.wait("db migration", "input?")
        terminal.command("filter db migration")
        terminal.wait("1 of")
        terminal.keys("Enter")
        terminal.wait("◐ 1 migrator", "waits for input", "a answer")
        terminal.keys("a")
        terminal.wait("input:", "TYPING")
        terminal.type("yes")
        terminal.keys("Enter")
        terminal.wait("got yes", without=["a answer"])
    assert out(pending.wait()) == "Type yes: got yes\n"


def test_from_attach_after_taking_over(server, asking, tmp_path_factory):
    _, pending = asking
    folder = tmp_path_factory.mktemp("t")
    with front_end(folder, server.socket, columns=80, rows=24, verb="attach 'db migration'") as terminal:
        terminal.wait("◐ 1 migrator", "a answer")
        terminal.keys("T")
        terminal.wait("You hold this session")
        terminal.keys("a")
        terminal.wait("input:")
        terminal.type("fine")
        terminal.keys("Enter")
        terminal.wait("got fine")
    assert out(pending.wait()) == "Type yes: got fine\n"
