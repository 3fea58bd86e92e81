"""A client, and one session that tests share."""

import pytest

import glovebox


@pytest.fixture(scope="session")
def client(server):
    with glovebox.Client(server.socket, autostart=False) as client:
        yield client


@pytest.fixture(scope="session")
def session(client):
    return client.open("python", idle=0)
