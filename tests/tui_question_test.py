# SPDX-License-Identifier: Apache-2.0
"""Connections that wait for a decision, in the front end: everybody there sees them, and one key decides."""

import pytest

from support import Server, Session, out
from terminal import front_end

CONNECT = """
import errno, socket
def connect(host, port):
    try:
        with socket.create_connection((host, port), 120) as s: return s.recv(5).decode()
    except OSError as e: return errno.errorcode.get(e.errno, repr(e))
"""


@pytest.fixture(scope="module")
def server():
    """Its own: the front end counts what wants somebody in all sessions."""
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture
def asked(client):
    session = Session(client, label="asks", idle_ms=0, network={
        "rules": ["ask * private tcp", "resolve one.test 127.0.0.1", "resolve two.test 127.0.0.1"]})
    session.exec(CONNECT)
    yield session
    session.close()


@pytest.mark.parametrize("key, first, second", [("y", "hello", "EHOSTUNREACH"), ("s", "hello", "hello"),
                                                ("n", "EHOSTUNREACH", "hello"), ("v", "EHOSTUNREACH", "EHOSTUNREACH")])
def test_one_key_decides(server, asked, port, tmp_path, key, first, second):
    """The second connection to the target asks again where the answer was for one only; it is answered otherwise."""
    with front_end(tmp_path, server.socket) as terminal:
        terminal.wait("asks")
        pending = asked.send(f"print(connect('one.test', {port}), connect('one.test', {port}))", timeout_ms=240000)
        terminal.wait(f"cell 2 asks to connect to one.test port {port}", "! 1")
        terminal.command("open asks")
        terminal.wait(f"A decides: cell 2 asks to connect to one.test port {port}")
        terminal.wait("KEYS")
        terminal.keys("A")
        terminal.wait("CONNECTION", "this session", "refuse", "never", "later")
        terminal.keys(key)
        if key in "yn":
            terminal.wait("this time")
            terminal.wait("asks to connect")
            terminal.command("network refuse" if key == "y" else "network once")
        terminal.wait("this time" if key in "yn" else "for the rest of the session", without=["asks to connect"])
        assert out(pending.wait()) == f"{first} {second}\n"
        terminal.keys("A")
        terminal.wait("no connection waits for a decision here")


def test_who_comes_later_sees_it_and_may_leave_it(server, client, asked, port, tmp_path):
    """Also what another client answers; and Esc answers nothing."""
    (tmp_path / "other").mkdir()
    with front_end(tmp_path, server.socket) as terminal:
        terminal.wait("asks")
        code = f"from threading import Thread\nall = [Thread(target=lambda h=h: print(connect(h, {port}))) for h in " \
               "('one.test', 'two.test')]\nfor t in all: t.start()\nfor t in all: t.join()"
        pending = asked.send(code, timeout_ms=240000)
        terminal.wait("and there are more questions")
        with front_end(tmp_path / "other", server.socket) as other:
            other.wait("and there are more questions")
            other.keys("A")
            other.wait("CONNECTION")
            other.keys("x")
            other.keys("C-g")
            other.wait("KEYS", without=["CONNECTION"])
            questions = client.call("session.network", session=asked.id)["questions"]
            assert len(questions) == 2
            for question in questions:
                client.call("session.network_answer", session=asked.id, question=question["question"], answer="refuse")
            for each in (terminal, other):
                each.wait("asks", without=["asks to connect", "! 1"])
        assert out(pending.wait()) == "EHOSTUNREACH\n" * 2
