# SPDX-License-Identifier: Apache-2.0
"""Leases: one client at a time runs cells, and the others are told who and why, or wait."""

import signal
import subprocess

import pytest

from support import BINARY, DEADLINE, Failure, Server, Session, Watcher, out, wait_for


@pytest.fixture(scope="module")
def agent(client):
    s = Session(client, idle_ms=0, key="leased")
    yield s
    s.close()


@pytest.fixture
def person(server):
    with server.client() as client:
        client.number = client.call("hello", client="person/1")["client"]
        yield client


def lease(client, session, action="take", **params):
    return client.call("session.lease", session=session.id, action=action, **params)["lease"]


def held(session, client, **options):
    with pytest.raises(Failure) as caught:
        client.call("session.exec", session=session.id, code="1", **options)
    assert caught.value.kind == "held"
    assert caught.value.dispatched is False and caught.value.retryable is True
    return caught.value


def test_who_holds_it_runs_cells_and_nobody_else(server, agent, person):
    with Watcher(server, sessions=[agent.id], kinds=["lease.changed"]) as watcher:
        taken = lease(person, agent, human=True, note="let me look")
        assert taken["holder"] == "person/1" and taken["client"] == person.number
        assert taken["human"] is True and taken["note"] == "let me look"
        assert agent.get()["lease"]["since"] == taken["since"]
        told = watcher.until("lease.changed")[-1]
        assert told["action"] == "taken" and told["lease"]["holder"] == "person/1"
        problem = held(agent, agent.client)
        assert "person/1" in str(problem) and "a person" in str(problem)
        assert problem.error["data"]["holder"] == "person/1"
        assert problem.error["data"]["since"] == taken["since"]
        assert out(person.call("session.exec", session=agent.id, code="print('mine')")) == "mine\n"
        assert lease(person, agent, "release") is None
        assert watcher.until("lease.changed")[-1]["lease"] is None
    assert out(agent.exec("print('again')")) == "again\n"


def test_the_note_reaches_the_next_cell_of_the_other(agent, person):
    lease(person, agent, human=True)
    assert "notice" not in person.call("session.exec", session=agent.id, code="fixed = 3")
    lease(person, agent, "release", note="I have set fixed to 3")
    assert "notice" not in person.call("session.exec", session=agent.id, code="1")  # its own
    cell = agent.exec("fixed")
    assert cell["value"] == "3" and cell["notice"] == "I have set fixed to 3"
    assert "notice" not in agent.exec("fixed")


def test_a_cell_can_wait_for_its_turn(agent, person):
    agent.exec("turns = []")
    lease(person, agent)
    waiting = [agent.send(f"turns.append({i}); turns", lease_wait_ms=60000) for i in range(3)]
    wait_for(lambda: agent.get()["lease"]["waiting"] == 3)
    person.call("session.exec", session=agent.id, code="turns.append('person')")
    assert not any(pending.done() for pending in waiting)
    lease(person, agent, "release", note="your turn")
    cells = [pending.wait() for pending in waiting]
    assert cells[2]["value"] == "['person', 0, 1, 2]"
    assert [cell.get("notice") for cell in cells] == ["your turn", None, None]


def test_patience_ends(agent, person):
    lease(person, agent)
    held(agent, agent.client, lease_wait_ms=1)
    lease(person, agent, "release")


def test_handing_over(server, agent, person):
    with server.client() as other:
        other.call("hello", client="agent/2")
        lease(person, agent, human=True)
        pending = other.send("session.exec", session=agent.id, code="'waited'", lease_wait_ms=60000)
        wait_for(lambda: agent.get()["lease"]["waiting"] == 1)
        with pytest.raises(Failure) as caught:
            lease(person, agent, "hand_over", to="nobody")
        assert caught.value.kind == "not_found"
        given = lease(person, agent, "hand_over", to="agent/2", note="go on from here")
        assert given["holder"] == "agent/2" and given["human"] is False
        cell = pending.wait()
        assert cell["value"] == "'waited'" and cell["notice"] == "go on from here"
        held(agent, person)
        with pytest.raises(Failure) as caught:
            lease(person, agent, "release")  # not the person's any more
        assert caught.value.kind == "held"
    wait_for(lambda: agent.get()["lease"] is None)  # it ended with its connection


def test_it_can_be_taken_by_force(server, agent, person):
    with server.client() as other:
        lease(other, agent)
        with pytest.raises(Failure) as caught:
            lease(person, agent)
        assert caught.value.kind == "held"
        assert lease(person, agent, force=True)["client"] == person.number
        held(agent, other)
        lease(person, agent, "release")


def test_who_waits_and_goes_away_runs_nothing(server, agent, person):
    lease(person, agent)
    with server.client() as other:
        other.send("session.exec", session=agent.id, code="ghost = 1", lease_wait_ms=60000)
        wait_for(lambda: agent.get()["lease"]["waiting"] == 1)
    wait_for(lambda: agent.get()["lease"]["waiting"] == 0)
    lease(person, agent, "release")
    assert agent.exec("'ghost' in dir()")["value"] == "False"


def test_a_held_session_does_not_expire_and_its_end_is_told(client, person):
    s = Session(client, "shell", idle_ms=1500)
    lease(person, s)
    assert s.get()["expires_at"] is None
    pending = s.send("true", lease_wait_ms=60000)
    wait_for(lambda: s.get()["lease"]["waiting"] == 1)
    s.close()
    with pytest.raises(Failure) as caught:
        pending.wait()
    assert caught.value.kind == "session_closed" and caught.value.dispatched is False


def test_wrong_use(agent, client):
    for params in ({}, {"action": "hand_over"}, {"action": "hand_over", "to": "x"}):
        with pytest.raises(Failure) as caught:
            agent.call("session.lease", **params)
        assert caught.value.kind == "invalid_input"
    assert lease(client, agent, "release") is None  # nobody holds it


@pytest.fixture
def strict(tmp_path):
    """A server that lets a client have two cells under way, with somebody else's lease on a session."""
    config = tmp_path / "settings"
    config.write_text("[sessions]\ncells_per_client = 2\n")
    with Server("--config", str(config)) as server, server.client() as client, server.client() as other:
        client.call("hello", client="agent/1")
        other.call("hello", client="person/1")
        session = Session(client, "shell")
        session.server = server
        yield session, other


def refused(pending, word):
    with pytest.raises(Failure) as caught:
        pending.wait()
    assert caught.value.kind == "busy" and word in str(caught.value)
    assert caught.value.dispatched is False and caught.value.retryable is True


def test_who_waits_counts_as_a_cell(strict):
    session, other = strict
    lease(other, session)
    waiting = [session.send(f"echo {i}", lease_wait_ms=60000) for i in range(5)]
    for pending in waiting[2:]:
        refused(pending, "cells_per_client")
    second = Session(session.client, "shell")
    refused(second.send("echo elsewhere"), "cells_per_client")
    lease(other, session, "release")
    assert [out(pending.wait()) for pending in waiting[:2]] == ["0\n", "1\n"]
    assert out(second.exec("echo elsewhere")) == "elsewhere\n"


@pytest.mark.parametrize("way", ["release", "hand_over", "force", "disconnect"])
def test_who_waits_runs_nothing_once_the_server_drains(strict, way):
    session, other = strict
    with_own = other.send("session.exec", session=session.id, code="read line; echo $line", interactive=True)
    wait_for(lambda: session.get()["state"] in ("running", "waiting_input"))
    lease(other, session)
    waiting = [session.send(f"echo {i}", lease_wait_ms=60000) for i in range(2)]
    wait_for(lambda: session.get()["lease"]["waiting"] == 2)
    down = session.client.send("server.shutdown", drain=True)
    refused(session.send("echo late"), "shutting down")
    if way == "disconnect":
        other.close()
    elif way == "force":
        lease(session.client, session, force=True)
    elif way == "hand_over":
        lease(other, session, "hand_over", to="agent/1")
    else:
        lease(other, session, "release")
    for pending in waiting:
        refused(pending, "shutting down")
    if way != "disconnect":
        session.call("session.stdin", text="bye\n", eof=True)
        assert out(with_own.wait()) == "bye\n"
    assert down.wait() == {}
    assert session.server.process.wait(DEADLINE) == 0


# ---- the clients of this project wait by default ----


def start_exec(server, session, *arguments):
    return subprocess.Popen([BINARY, "exec", session.id, *arguments], env=server.env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_exec_waits_and_says_for_whom(server, agent, person):
    lease(person, agent, human=True)
    process = start_exec(server, agent, "-c", "print(6 * 7)")
    said = process.stderr.readline()
    assert "held by a person at person/1" in said and "up to 10 min" in said and "Ctrl-C gives up" in said
    wait_for(lambda: agent.get()["lease"]["waiting"] == 1)
    lease(person, agent, "release")
    assert process.communicate(timeout=DEADLINE) == ("42\n", "") and process.returncode == 0


def test_exec_can_be_told_not_to_wait(server, agent, person):
    lease(person, agent)
    process = start_exec(server, agent, "--lease-wait", "0", "-c", "print(6 * 7)")
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 125 and stdout == "" and "held by person/1" in stderr and "nothing ran" in stderr
    process = start_exec(server, agent, "--lease-wait", "0.05", "-c", "print(6 * 7)")
    stdout, stderr = process.communicate(timeout=DEADLINE)
    assert process.returncode == 125 and "(held: nothing ran" in stderr
    process = start_exec(server, agent, "--lease-wait", "soon", "-c", "1")
    assert "--lease-wait wants seconds" in process.communicate(timeout=DEADLINE)[1] and process.returncode == 2
    lease(person, agent, "release")


def test_who_gives_up_interrupts_nobody(server, agent, person):
    """Ctrl-C of one who waits is not for the cell of the one who holds."""
    lease(person, agent)
    pending = person.send("session.exec", session=agent.id, code="print('got', input())", interactive=True)
    wait_for(lambda: agent.get()["waiting"])
    process = start_exec(server, agent, "-c", "ghost = 1")
    assert "waiting for up to" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 130
    wait_for(lambda: agent.get()["lease"]["waiting"] == 0)
    person.call("session.stdin", session=agent.id, text="it\n")
    cell = pending.wait()
    assert out(cell) == "got it\n" and cell["interrupted"] is False
    lease(person, agent, "release")
    assert agent.exec("'ghost' in dir()")["value"] == "False"
    process.communicate()
