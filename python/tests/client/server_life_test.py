# SPDX-License-Identifier: Apache-2.0
"""Servers that are not there, start, end, and come again."""

import os
import socket
import stat
import threading

import pytest

import glassbell
from support import BINARY, forgetful


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A runtime folder of the test's own, in which the client finds the socket by the rule."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GLASSBELL_SOCKET", raising=False)
    tmp_path.chmod(0o700)
    return tmp_path


def test_nobody_listens(folder):
    with pytest.raises(glassbell.ConnectionFailed) as caught:
        glassbell.Client(autostart=False).hello()
    assert not caught.value.dispatched and caught.value.retryable
    assert isinstance(caught.value, ConnectionError)


def test_a_program_that_is_no_server(folder):
    with pytest.raises(glassbell.ConnectionFailed) as caught:
        glassbell.Client(program="/bin/true").hello()
    assert "ended before it was ready" in caught.value.message
    with pytest.raises(glassbell.ConnectionFailed):
        glassbell.Client(program="/nowhere/glassbell").hello()


def test_no_program_to_start(folder, monkeypatch):
    """What everybody meets who has installed the package only."""
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("GLASSBELL_BIN", raising=False)
    for call in (lambda: glassbell.Client().open(), lambda: glassbell.Client().hello(), lambda: glassbell.Client().run("1")):
        with pytest.raises(glassbell.ConnectionFailed) as caught:
            call()
        assert "`glassbell` was not found on PATH" in caught.value.message and "GLASSBELL_BIN" in caught.value.message
        assert not caught.value.dispatched and not caught.value.retryable
    monkeypatch.setenv("GLASSBELL_BIN", "/nowhere/glassbell")
    with pytest.raises(glassbell.ConnectionFailed) as caught:
        glassbell.Client().open()
    assert "/nowhere/glassbell" in caught.value.message


def test_first_clients_start_one_server(folder):
    pids = []

    def work():
        with glassbell.Client(program=BINARY) as client:
            pids.append(client.stats()["pid"])

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(pids) == 6 and len(set(pids)) == 1
    assert stat.S_IMODE(os.stat(folder / "glassbell").st_mode) == 0o700
    client = glassbell.Client(program=BINARY)
    client.shutdown()
    # What was kept is dead; the next call notices before anything is sent, and starts a server.
    assert client.stats()["pid"] not in pids
    client.shutdown()


def test_a_folder_that_others_can_write_to(folder):
    (folder / "glassbell").mkdir()
    (folder / "glassbell").chmod(0o777)
    with pytest.raises(glassbell.PolicyError):
        glassbell.Client(program=BINARY).hello()


def test_the_server_dies_while_a_cell_runs():
    with forgetful() as server:
        client = glassbell.Client(server.socket, autostart=False)
        session = client.open("shell")
        running = threading.Event()
        caught = []

        def work():
            try:
                session.exec("echo go; read x", interactive=True, on_output=lambda _: running.set())
            except glassbell.GlassbellError as problem:
                caught.append(problem)

        thread = threading.Thread(target=work)
        thread.start()
        assert running.wait(60)
        server.process.kill()
        server.process.wait()
        thread.join(60)
        assert isinstance(caught[0], glassbell.OutcomeUnknown) and caught[0].dispatched
        with pytest.raises(glassbell.ConnectionFailed) as lost:
            session.exec("echo")
        assert not lost.value.dispatched
        server.start()
        with pytest.raises((glassbell.NotFound, glassbell.SessionClosed)) as gone:
            session.exec("echo")
        assert not gone.value.dispatched
        assert client.run("echo again", image="shell").stdout == "again\n"
        client.close()


class Scripted:
    """A server that does what no good server does: for what cannot be provoked in a real one."""

    def __init__(self, path, *connections):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.seen = []
        self.thread = threading.Thread(target=self._serve, args=(connections,), daemon=True)
        self.thread.start()

    def _serve(self, connections):
        for replies in connections:
            conn, _ = self.listener.accept()
            lines = conn.makefile("rb")
            for reply in replies:
                line = lines.readline()
                if not line:
                    break
                self.seen.append(line)
                if reply is not None:
                    conn.sendall(reply + b"\n")
            lines.close()
            conn.close()
        self.listener.close()


HELLO = b'{"jsonrpc":"2.0","id":1,"result":{"protocol":1}}'


def test_a_reply_that_never_comes(tmp_path):
    path = tmp_path / "s"
    server = Scripted(path, [HELLO, None], [HELLO, b'{"id":2,"result":{"sessions":[]}}'], [HELLO, None])
    client = glassbell.Client(path, autostart=False)
    # A question may be asked twice; a cell may not.
    assert client.sessions() == []
    client.close()
    client = glassbell.Client(path, autostart=False)
    with pytest.raises(glassbell.OutcomeUnknown) as caught:
        client.session("s").exec("print(1)")
    assert caught.value.dispatched
    server.thread.join(60)
    assert sum(b"session.exec" in line for line in server.seen) == 1


@pytest.mark.parametrize("reply", [b"no json", b"[]", b'{"id":7,"result":{}}'])
def test_replies_that_are_none(tmp_path, reply):
    Scripted(tmp_path / "s", [HELLO, reply])
    with pytest.raises(glassbell.ProtocolError):
        glassbell.Client(tmp_path / "s", autostart=False).session("s").exec("1")


def test_an_error_of_a_newer_server(tmp_path):
    Scripted(tmp_path / "s", [HELLO, b'{"id":2,"error":{"code":-32099,"message":"m","data":'
                                     b'{"kind":"new_kind","dispatched":false,"retryable":true}}}'])
    with pytest.raises(glassbell.GlassbellError) as caught:
        glassbell.Client(tmp_path / "s", autostart=False).session("s").exec("1")
    assert (caught.value.kind, caught.value.dispatched, caught.value.retryable) == \
        ("new_kind", False, True)
