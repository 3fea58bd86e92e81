# SPDX-License-Identifier: Apache-2.0
"""Events, leases and histories through the package."""

import asyncio
import pathlib
import re
import threading

import pytest

import glassbell


def until(events, kind, **fields):
    """The next event of a kind."""
    for event in events:
        if event.kind == kind and all(event.raw.get(name) == value
                                      for name, value in fields.items()):
            return event
    raise AssertionError("the events ended")


def test_events(client, py):
    with client.events(sessions=[py], output=True, timeout=60) as events:
        assert events.next().kind == "snapshot"
        cell = py.exec("print('seen')")
        assert until(events, "cell.started").cell == cell.cell
        assert until(events, "cell.output").raw["text"] == "seen\n"
        event = until(events, "cell.finished")
        assert (event.session, event.cell, event.info["exit_code"]) == (py.id, cell.cell, 0)
        with pytest.raises(glassbell.DeadlineExceeded):
            while True:
                events.next(timeout=0.2)
        py.exec("1")
        until(events, "cell.finished")  # it goes on after a deadline


CONNECT = """
import socket
try:
    socket.create_connection(("app.test", 9), 60)
except OSError as problem:
    print(type(problem).__name__)
"""


def test_a_network_its_questions_and_its_log(client, fresh):
    session = fresh(network={"rules": ["ask * private", "resolve app.test 127.0.0.1"]})
    with client.events(sessions=[session], kinds=["network.question"], answers=True, timeout=60) as events:
        cells = []
        thread = threading.Thread(target=lambda: cells.append(session.exec(CONNECT)))
        thread.start()
        number = until(events, "network.question").raw["question"]
        assert [one["question"] for one in session.network()["questions"]] == [number]
        session.network_answer(number, "never")
        thread.join()
    assert cells[0].stdout == "OSError\n" and "refused by a person" in cells[0].raw["note"]
    assert session.network()["rules"].startswith("deny app.test :9\n")
    with pytest.raises(glassbell.NotFound):
        session.network_answer(number, "once")
    session.network(rules=["deny *"])
    records = session.network_log()
    # The answer "never" refuses what waits, and then becomes a rule: a policy of its own.
    assert [one.kind for one in records] == ["policy", "answer", "denied", "policy", "policy"]
    assert [one.client for one in records] == ["tests", "tests", None, "tests", "tests"]
    asked = records[1]
    assert (asked.name, asked.port, asked.reason, asked.cell) == ("app.test", 9, "never", cells[0].cell)
    assert session.network_log(limit=2) == records[:2]
    assert session.network_log(after=records[1].number) == records[2:]


def test_events_end_when_closed(client, py):
    events = client.events(kinds=["cell.finished"], timeout=60)
    assert next(events).kind == "snapshot"
    threading.Timer(0.1, events.close).start()
    for event in events:
        assert event.kind == "cell.finished"


def test_events_with_asyncio(server, py):
    async def main():
        async with glassbell.AsyncClient(server.socket, autostart=False) as client:
            async with await client.events(sessions=[py.id], timeout=60) as events:
                await client.session(py.id).exec("2")
                kinds = []
                async for event in events:
                    kinds.append(event.kind)
                    if event.kind == "cell.finished":
                        return kinds

    kinds = asyncio.run(main())
    assert kinds[0] == "snapshot" and "cell.started" in kinds


def test_lease(server, client, py):
    other = glassbell.Client(server.socket, name="ann", autostart=False)
    theirs = other.session(py.id)
    with theirs.lease("let me look", human=True) as lease:
        assert (lease.holder, lease.human, lease.note) == ("ann", True, "let me look")
        assert py.get().lease == lease
        with pytest.raises(glassbell.Held) as caught:
            py.exec("1", lease_wait=0)
        assert caught.value.data["holder"] == "ann" and not caught.value.dispatched
        impatient = glassbell.Client(server.socket, autostart=False, lease_wait=0)
        with pytest.raises(glassbell.Held):
            impatient.session(py.id).exec("1")
        impatient.close()
        assert theirs.exec("6 * 7").value == "42"
        assert theirs.exec("print(1)", on_output=lambda _: None).stdout == "1\n"
        waiting = []
        thread = threading.Thread(target=lambda: waiting.append(py.exec("'late'")))
        thread.start()
        with client.events(sessions=[py], timeout=60) as events:
            while not (py.get().lease and py.get().lease.waiting):
                events.next()
        theirs.release_lease("all yours")
    thread.join(60)
    assert waiting[0].value == "'late'" and waiting[0].notice == "all yours"
    assert py.get().lease is None
    other.close()


def test_a_lease_is_handed_over(server, client, py):
    other = glassbell.Client(server.socket, name="bob", autostart=False)
    theirs = other.session(py.id)
    number = theirs.stand_by()
    py.take_lease()
    py.hand_over_lease(number, "go on")
    assert theirs.exec("1").notice == "go on"
    with pytest.raises(glassbell.Held):
        py.exec("1", lease_wait=0)
    with pytest.raises(glassbell.ConnectionFailed):
        py.release_lease()
    assert py.take_lease(force=True).holder == "tests"
    py.release_lease()
    assert py.exec("1").ok
    other.close()


def test_history(client, fresh):
    session = fresh("shell", label="of-the-history")
    for number in range(3):
        session.exec(f"echo {number}; exit {number}")
    cells = session.history()
    assert [(cell.cell, cell.stdout, cell.exit_code) for cell in cells] == \
        [(1, "0\n", 0), (2, "1\n", 1), (3, "2\n", 2)]
    assert cells[0].client == "tests" and cells[0].code == "echo 0; exit 0"
    assert [cell.cell for cell in session.history(after=1, limit=1)] == [2]
    session.close()
    assert len(session.history()) == 3
    assert session.id in [info.session for info in client.sessions(state="closed")]
    assert [cell.stdout for cell in client.session(session.id).history(output=False)] == [""] * 3


def test_every_kind_of_error_has_a_class():
    page = (pathlib.Path(__file__).resolve().parents[3] / "docs/errors.md").read_text()
    kinds = set(re.findall(r"^\| `(\w+)` \| -320", page, re.MULTILINE))
    assert {"held", "busy", "internal"} <= kinds
    known = {getattr(glassbell, name).kind for name in glassbell.__all__
             if isinstance(getattr(glassbell, name), type)
             and issubclass(getattr(glassbell, name), glassbell.GlassbellError)}
    assert kinds <= known
