# SPDX-License-Identifier: Apache-2.0
"""A client, and one session that tests share."""

import pytest

import glassbell


@pytest.fixture(scope="session")
def client(server):
    with glassbell.Client(server.socket, autostart=False) as client:
        yield client


@pytest.fixture(scope="session")
def session(client):
    return client.open("python", idle=0)
