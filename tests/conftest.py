# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one server for the whole run, shared sessions for tests that leave no traces."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from certificates import make_authority
from support import Cli, Failure, Server, Session
from terminal import FakeServer, made_up


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """What a test that fails has opened is closed: it would be in the way of the next one."""
    Session.made.clear()
    outcome = yield
    if outcome.excinfo is not None:
        for session in Session.made:
            session.abandon()


@pytest.fixture(scope="session")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """The folder of a certificate authority, with certificates (certificates.py)."""
    folder = tmp_path_factory.mktemp("authority")
    make_authority(folder)
    return folder


@pytest.fixture(scope="session")
def pip_index(tmp_path_factory):
    """For tests that fetch from the index that this machine's pip uses."""
    folder = tmp_path_factory.mktemp("fetched")
    done = subprocess.run(["pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--only-binary", ":all:",
                           "--retries", "0", "--timeout", "10", "--dest", str(folder), "six==1.16.0"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    if done.returncode != 0 or not list(folder.iterdir()):
        pytest.skip("no package index of pip is reachable from this machine")


@pytest.fixture(scope="session")
def npm_index():
    """Likewise, of npm."""
    if shutil.which("npm") is None or subprocess.run(
            ["npm", "view", "--fetch-retries=0", "--fetch-timeout=10000", "left-pad", "version"], cwd="/",
            stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False).returncode != 0:
        pytest.skip("no package index of npm is reachable from this machine")


class Shared:
    """One session per image for tests that only look at one cell; opened again when a test ended it."""

    def __init__(self, client):
        self.client = client
        self.sessions = {}

    def get(self, image):
        session = self.sessions.get(image)
        if session is not None:
            try:
                if session.get()["state"] in ("idle", "running", "waiting_input"):
                    return session
            except Failure:
                pass
        self.sessions[image] = Session(self.client, image, idle_ms=0)
        return self.sessions[image]


@pytest.fixture(scope="session")
def shared(client):
    return Shared(client)


@pytest.fixture
def py(shared):
    return shared.get("python")


@pytest.fixture
def js(shared):
    return shared.get("javascript")


@pytest.fixture
def sh(shared):
    return shared.get("shell")


@pytest.fixture
def fresh(client):
    """Opens sessions that are closed after the test: fresh("python", …)."""
    opened = []

    def open_session(image="python", **options):
        session = Session(client, image, **options)
        opened.append(session)
        return session

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture
def session(client):
    """One that does not expire, of the module's own server if it has one."""
    session = Session(client, idle_ms=0)
    yield session
    session.close()


@pytest.fixture(scope="module")
def cli(server):
    return Cli(server.socket)


@pytest.fixture
def work(cli):
    """The label of a Python session."""
    label = "work-" + os.urandom(4).hex()
    cli("open", "--label", label, "--idle", 0)
    yield label
    cli("close", label, status=None)


@pytest.fixture(scope="module")
def port():
    """A server that greets, at a port of loopback."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        def serve():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.sendall(b"hello")
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def folder():
    """A short path: it holds sockets."""
    with tempfile.TemporaryDirectory(prefix="gb-tui-") as path:
        yield path


@pytest.fixture
def few(folder):
    """Six sessions that do not change."""
    sessions = [
        made_up(1, label="scraper", state="waiting_input", cells=3),
        made_up(2, label="build", state="running", memory_bytes=180 << 20, cells=12),
        made_up(3, label="analysis", cells=140, memory_bytes=420 << 20),
        made_up(4, label="notebook", expires_at=None),
        made_up(5, label="日本語 ünïcödé 👩‍🚀", state="starting", memory_bytes=None),
        made_up(6, label=None, key="nightly"),
    ]
    with FakeServer(folder, sessions) as server:
        yield server
