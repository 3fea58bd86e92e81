"""A real server, and one session that tests share."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "python/src"), str(ROOT / "tests")]

import glovebox  # noqa: E402
from support import Server  # noqa: E402


@pytest.fixture(scope="session")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def client(server):
    with glovebox.Client(server.socket, autostart=False) as client:
        yield client


@pytest.fixture(scope="session")
def session(client):
    return client.open("python", idle=0)
