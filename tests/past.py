# SPDX-License-Identifier: Apache-2.0
"""What tests of checkpoints do with a session, over the protocol; and the fixtures of those with a server of their own:
`server, client = past.server, past.client`."""

import contextlib
import subprocess

import pytest

from support import Failure, with_settings


def asked(tmp_path, text, env=None):
    """A server with settings that takes only checkpoints that it is asked for, unless they say otherwise."""
    return with_settings(tmp_path, text if "checkpoints =" in text else text + "[past]\ncheckpoints = asked\n", env)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Which takes checkpoints only when it is asked to, so that the tests know them all."""
    with asked(tmp_path_factory.mktemp("server"), "") as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


@contextlib.contextmanager
def small_disk(tmp_path, size):
    """The folder of a server's state on a disk of its own, with so much room."""
    disk = tmp_path / "state/glassbell"
    disk.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk]).returncode != 0:
        pytest.skip("mounting a file system needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def checkpoint(session, **options):
    return session.call("session.checkpoint", **options)


def rewind(session, **options):
    return session.call("session.rewind", **options)


def refused(kind, session, method="session.rewind", **options):
    with pytest.raises(Failure) as caught:
        session.call(method, **options)
    assert caught.value.kind == kind, caught.value.error
    return caught.value


def chains(server):
    """The files of checkpoints that a server has."""
    folders = list((server.folder / "state/glassbell").glob("past*"))
    assert len(folders) == 1
    return sorted(path for path in folders[0].iterdir() if path.name.startswith("s-"))
