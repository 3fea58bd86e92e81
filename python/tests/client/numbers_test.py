# SPDX-License-Identifier: Apache-2.0
"""Numbers that cannot be meant are refused before anything is sent, and named."""

import asyncio
import math

import pytest

import glassbell

WRONG = [-1, -0.001, math.nan, math.inf, "1", True, None.__class__, 1e9]


class Deaf(glassbell.Client):
    """Nothing of it may reach a server."""

    def _take(self, deadline):
        raise AssertionError("it was sent")


@pytest.fixture
def deaf():
    with Deaf("/nonexistent", autostart=False) as client:
        yield client


def refused(name, call):
    with pytest.raises(glassbell.InvalidInput) as caught:
        call()
    assert caught.value.message.startswith(name + " has to be ") and not caught.value.dispatched
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("value", WRONG + [0, 86401], ids=str)
def test_timeouts(deaf, value):
    session = deaf.session("s")
    for call in (lambda: session.exec("1", timeout=value), lambda: session.stream("1", timeout=value),
                 lambda: deaf.run("1", timeout=value), lambda: deaf.open(timeout=value)):
        refused("timeout", call)


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_waiting(deaf, value):
    session = deaf.session("s")
    refused("lease_wait", lambda: session.exec("1", lease_wait=value))
    refused("lease_wait", lambda: glassbell.Client("/nonexistent", lease_wait=value))
    for name in ("idle", "lifetime"):
        refused(name, lambda: deaf.open(**{name: value}))


@pytest.mark.parametrize("value", [-1, -0.5, math.nan, "1", False], ids=str)
def test_deadlines(deaf, value):
    session = deaf.session("s")
    for call in (lambda: session.exec("1", deadline=value), lambda: deaf.run("1", deadline=value),
                 lambda: deaf.open(deadline=value), lambda: deaf.call("hello", deadline=value),
                 lambda: session.read("x", deadline=value), lambda: session.write("x", b"", deadline=value)):
        refused("deadline", call)
    for name in ("timeout", "grace"):
        refused(name, lambda: glassbell.Client("/nonexistent", **{name: value}))


@pytest.mark.parametrize("value", [-1, 0, 63, 1.5, "192", True, (1 << 20) + 1, math.nan], ids=str)
def test_memory(deaf, value):
    refused("memory_mb", lambda: deaf.open(memory_mb=value))
    refused("memory_mb", lambda: deaf.run("1", memory_mb=value))


@pytest.mark.parametrize("value", [-1, 0, 1.5, (64 << 20) + 1, "x"], ids=str)
def test_sizes(deaf, value):
    session = deaf.session("s")
    for name in ("max_stdout", "max_stderr"):
        refused(name, lambda: session.exec("1", **{name: value}))
        refused(name, lambda: deaf.run("1", **{name: value}))


@pytest.mark.parametrize("value", [-1, 0.5, "1", True], ids=str)
def test_places(deaf, value):
    session = deaf.session("s")
    refused("offset", lambda: session.read("x", offset=value))
    refused("length", lambda: session.read("x", length=value))
    refused("after", lambda: session.history(after=value))
    refused("limit", lambda: session.history(limit=value))
    refused("limit", lambda: session.list(limit=value))
    refused("limit", lambda: deaf.sessions(limit=value))
    refused("cursor", lambda: session.complete("x", cursor=value))
    refused("cell", lambda: session.stdin("x", cell=value))
    refused("mode", lambda: session.write("x", b"", mode=value))
    refused("cell", lambda: session.rewind(value))
    refused("seq", lambda: session.rewind(seq=value))
    refused("steps", lambda: session.undo(value))
    refused("mode", lambda: session.write("x", b"", mode=0o1000))


@pytest.mark.parametrize("value", [-1, 3601, math.nan, "1", True, None], ids=str)
def test_how_long_a_checkpoint_may_wait(deaf, value):
    session = deaf.session("s")
    refused("wait", lambda: session.checkpoint(wait=value))
    for call in (session.rewind, session.undo, session.redo):
        refused("wait", lambda call=call: call(wait=value))


def test_what_is_meant_passes(fresh):
    session = fresh("shell", memory_mb=128, timeout=0.5 + 5, idle=0, lifetime=60.5)
    cell = session.exec("echo hello", timeout=5, lease_wait=0, max_stdout=3, max_stderr=1, deadline=60)
    assert cell.stdout == "hel" and cell.ok
    assert session.history(after=0, limit=1, output=True)[0].cell == 1


def test_the_other_client_too():
    async def main():
        client = glassbell.AsyncClient("/nonexistent", autostart=False)
        for call in (client.run("1", timeout=-1), client.open(memory_mb=1), client.session("s").exec("1", lease_wait=-1)):
            with pytest.raises(glassbell.InvalidInput):
                await call
    asyncio.run(main())
