# SPDX-License-Identifier: Apache-2.0
"""The server as a service: a socket handed over, what the manager is told, the log, quotas."""

import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess

import pytest

from support import BINARY, DEADLINE, ROOT, Client, Failure, Server, Session, out, wait_for


class Manager:
    """What a service manager does for a service, by hand: the socket, and an ear."""

    def __init__(self, folder, *arguments, **env):
        self.folder = folder
        self.path = str(folder / "handed.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ear.bind(str(folder / "notify.sock"))
        self.ear.settimeout(DEADLINE)
        self.env = dict(os.environ, XDG_RUNTIME_DIR=str(folder), XDG_STATE_HOME=str(folder / "state"),
                        NOTIFY_SOCKET=str(folder / "notify.sock"), **env)
        self.env.pop("GLASSBELL_SOCKET", None)
        self.arguments = arguments
        self.process = None

    def start(self):
        words = shlex.join([BINARY, "serve", "--foreground", *self.arguments])
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", f"LISTEN_PID=$$ LISTEN_FDS=1 exec {words} 3<&{self.listener.fileno()}"],
                env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[self.listener.fileno()])

    def hear(self, wanted):
        """Waits for a message with this line."""
        while True:
            lines = self.ear.recv(4096).decode().split("\n")
            if wanted in lines:
                return lines

    def stop(self):
        self.process.terminate()
        assert self.process.wait(DEADLINE) == 0, (self.folder / "log").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.listener.close()
        self.ear.close()


def test_a_socket_that_is_handed_over(tmp_path):
    with Manager(tmp_path) as manager:
        early = Client(manager.path)  # before there is a server: the socket is there already
        pending = early.send("hello", client="early")
        manager.start()
        assert f"MAINPID={manager.process.pid}" in manager.hear("READY=1")
        assert pending.wait()["pid"] == manager.process.pid
        os.kill(manager.process.pid, signal.SIGHUP)
        assert any(line.startswith("MONOTONIC_USEC=") for line in manager.hear("RELOADING=1"))
        manager.hear("READY=1")
        early.close()
        manager.stop()
        manager.hear("STOPPING=1")
        assert os.path.exists(manager.path)  # it is the manager's
        late = Client(manager.path)  # waits in the socket for the next server
        pending = late.send("hello")
        manager.start()
        assert pending.wait()["pid"] == manager.process.pid
        late.close()
        manager.stop()


def test_the_watchdog_hears_of_a_loop_that_turns(tmp_path):
    with Manager(tmp_path, WATCHDOG_USEC="200000") as manager:
        manager.start()
        for _ in range(3):
            manager.hear("WATCHDOG=1")
        manager.stop()


def test_what_cannot_be_handed_over(tmp_path):
    with Manager(tmp_path) as manager:
        manager.listener.close()
        manager.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        manager.start()
        assert manager.process.wait(DEADLINE) != 0
        assert "not a listening Unix stream socket" in (tmp_path / "log").read_text()


def test_the_units_start_what_there_is(tmp_path):
    """The unit's command line works, and its socket is the one that clients look for."""
    unit = (ROOT / "packaging/systemd/glassbell.service.in").read_text()
    start = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
    words = start.removeprefix("ExecStart=").split()
    assert words[:2] == ["@CMAKE_INSTALL_FULL_BINDIR@/glassbell", "serve"]
    listen = (ROOT / "packaging/systemd/glassbell.socket").read_text()
    assert "ListenStream=%t/glassbell/server.sock" in listen and "SocketMode=0600" in listen
    with Manager(tmp_path, *[word for word in words[2:] if word != "--foreground"]) as manager:
        manager.start()
        manager.hear("READY=1")
        manager.stop()


def test_sigterm_lets_cells_end():
    with Server() as server, server.client() as client:
        s = Session(client, "shell")
        pending = s.send("echo begun; read -r line; echo $line", interactive=True, stream=True)
        while s.note().get("text") != "begun\n":
            pass
        server.process.terminate()
        wait_for(lambda: refused(client), what="the refusal of new sessions")
        s.call("session.stdin", text="ended\n", eof=True)
        assert out(pending.wait()) == "begun\nended\n"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_asking_again_changes_nothing_of_the_end(signum):
    """Not even while its last steps are under way."""
    with Server() as server:
        with server.client() as client:
            Session(client, "shell", idle_ms=0)
        while server.process.poll() is None:
            server.process.send_signal(signum)
        assert server.process.returncode == 0


def refused(client):
    try:
        client.call("session.open", image="no-such-image")
    except Failure as failure:
        return failure.kind == "busy"
    return True


def test_the_log_as_json(tmp_path):
    with Server("--log-format", "json", "--verbose") as server:
        with server.client() as client:
            client.call("hello", client='a"b\\c')
        server.stop()
        lines = [json.loads(line) for line in server.log.read_text().splitlines()
                 if line.startswith("{")]
        assert lines and all(line.keys() == {"at", "level", "message"} for line in lines)
        assert any("listening at" in line["message"] for line in lines)


def test_quotas_of_a_client(tmp_path):
    config = tmp_path / "glassbell.conf"
    config.write_text("[sessions]\nper_client = 1\ncells_per_client = 2\n")
    with Server("--config", str(config)) as server, server.client() as greedy:
        greedy.call("hello", client="greedy")
        s = Session(greedy, "shell", key="one")
        with pytest.raises(Failure) as caught:
            Session(greedy, "shell")
        assert caught.value.kind == "capacity" and "per_client" in str(caught.value)
        assert greedy.call("session.open", image="shell", key="one")["created"] is False
        cells = [s.send("read -r x", interactive=True) for _ in range(2)]
        with server.client() as again:
            again.call("hello", client="greedy")  # the same by another connection
            with pytest.raises(Failure) as caught:
                again.call("session.exec", session=s.id, code="1")
            assert caught.value.kind == "busy" and "cells_per_client" in str(caught.value)
            assert caught.value.dispatched is False
        with server.client() as other:
            other.call("hello", client="modest")
            waiting = other.send("session.exec", session=s.id, code="echo too")
            for _ in range(2):
                wait_for(lambda: s.get()["state"] == "waiting_input")
                s.call("session.stdin", eof=True)
                cells.pop(0).wait()
            assert out(waiting.wait()) == "too\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_cannot_connect(server):
    """Not even where the file's mode would let him."""
    folder = pathlib.Path(server.socket).parent
    program = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\n"
               f"s.connect({str(server.socket)!r})\n"
               "s.sendall(b'{\"id\":1,\"method\":\"hello\"}\\n')\n"
               "print(s.recv(100))\n")
    def as_nobody():
        return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               "/usr/bin/python3", "-c", program],
                              capture_output=True, text=True, timeout=DEADLINE)
    closed = as_nobody()
    assert closed.returncode != 0 and "PermissionError" in closed.stderr
    before = folder.stat().st_mode
    try:
        os.chmod(folder, 0o755)
        os.chmod(server.socket, 0o666)
        opened = as_nobody()
    finally:
        os.chmod(server.socket, 0o600)
        os.chmod(folder, before & 0o7777)
    assert opened.stdout.strip() in ("b''", "") and "result" not in opened.stdout
