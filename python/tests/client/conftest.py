# SPDX-License-Identifier: Apache-2.0
"""Clients of the package under test, and sessions."""

import pytest

import glassbell


@pytest.fixture(scope="session")
def client(server):
    with glassbell.Client(server.socket, name="tests", autostart=False) as client:
        yield client


@pytest.fixture(scope="session")
def shared(client):
    return client.open("python", idle=0)


@pytest.fixture
def py(shared):
    """A session for tests that leave nothing behind."""
    return shared


@pytest.fixture
def fresh(client):
    """Opens sessions that are closed after the test."""
    opened = []

    def open_session(*arguments, **options):
        opened.append(client.open(*arguments, **options))
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()
