# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one server for the whole run, shared sessions for tests that leave no traces."""

import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support import Failure, Server, Session


@pytest.fixture(scope="session")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def client(server):
    with server.client() as client:
        yield client


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
