# SPDX-License-Identifier: Apache-2.0
"""Room for VMs: who waits, in which order, how long, and what is said when there is none."""

import pytest

from support import Failure, Server, Session, alive, freeze, out, qemu_pid, wait_for


def status(client):
    return client.call("pool.status")["admission"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Room for two clones of 224 MB: each is charged 36 MB and a tenth of what it could take beyond."""
    settings = tmp_path_factory.mktemp("settings") / "a.conf"
    settings.write_text("[admission]\nmemory = 150M\n[pool]\nceiling = 0\n[past]\ncheckpoints = asked\n")
    with Server("--config", str(settings)) as server:
        yield server


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client
        for one in client.call("session.list")["sessions"]:
            client.call("session.close", session=one["session"])


@pytest.fixture
def full(client):
    """Two sessions, after which there is no more room."""
    sessions = [Session(client, "shell", label=f"number {i}") for i in range(2)]
    assert [session.opened["timing"]["admission_ms"] < 1000 for session in sessions] == [True, True]
    return sessions


def test_says_what_is_short(client, full):
    with pytest.raises(Failure) as refused:
        client.call("session.open", image="shell", wait_ms=0)
    failure = refused.value
    assert (failure.kind, failure.dispatched, failure.retryable) == ("capacity", False, True)
    assert "there is no memory for another VM: it is charged 71 MB, and 142 MB of the budget of 150 MB " \
           "(from the settings) are in use by 2 VMs" in str(failure)
    assert f"2 sessions are idle and could be closed, first {full[0].id}" in str(failure)
    data = failure.error["data"]
    assert data["short"] == "memory"
    assert [(one["session"], one["label"]) for one in data["could_close"]] == \
        [(session.id, f"number {i}") for i, session in enumerate(full)]
    assert data["admission"]["memory_used"] <= data["admission"]["memory_budget"] == 150 << 20
    # A run is told the same.
    with pytest.raises(Failure) as refused:
        client.call("run", image="shell", code="echo 1", wait_ms=0)
    assert refused.value.kind == "capacity" and refused.value.dispatched is False
    assert refused.value.error["data"]["short"] == "memory"
    # It left no session behind, and no reason for the next one.
    assert len(client.call("session.list")["sessions"]) == 2


def test_never(client):
    with pytest.raises(Failure) as refused:
        client.call("session.open", image="shell", memory_mb=1024)
    assert refused.value.kind == "capacity" and "could never be started here" in str(refused.value)


def test_in_the_order_of_asking(client, full):
    """Each comes in when another has gone, the first first; who is too late hears how long it waited."""
    late = client.send("run", image="shell", code="echo late", wait_ms=1)
    first = client.send("session.open", image="shell", label="first")
    second = client.send("run", image="shell", code="echo second")
    with pytest.raises(Failure) as refused:
        late.wait()
    assert refused.value.kind == "capacity" and "(waited 0.0 s)" in str(refused.value)
    assert (status(client)["waiting"], status(client)["short"]) == (2, "memory")
    full[0].close()
    opened = first.wait()
    assert opened["timing"]["admission_ms"] > 0 and opened["source"] == "template"
    assert status(client)["waiting"] == 1
    client.call("session.close", session=opened["session"])
    cell = second.wait()
    assert out(cell) == "second\n" and cell["timing"]["admission_ms"] > opened["timing"]["admission_ms"]


def test_who_goes_away_waits_no_more(server, client, full):
    with server.client() as other:
        other.send("session.open", image="shell")
        wait_for(lambda: status(client)["waiting"] == 1, what="a waiter")
    wait_for(lambda: status(client)["waiting"] == 0, what="its end")
    assert len(client.call("session.list")["sessions"]) == 2


def test_room_only_when_the_process_is_dead(client, full):
    """Its launcher is frozen, so that QEMU lives on for a while after the session was closed."""
    pid = qemu_pid(client, full[0].id)
    with open(f"/proc/{pid}/stat") as stat:
        launcher = int(stat.read().rsplit(")", 1)[1].split()[1])
    freeze(launcher)
    waiting = client.send("run", image="shell", code="echo 1")
    closing = client.send("session.close", session=full[0].id)
    assert out(waiting.wait()) == "1\n"
    assert not alive(pid)
    closing.wait()


def test_the_pool_gives_way(tmp_path):
    """Room for three: the pool takes two of it, and gives one up when it is needed."""
    settings = tmp_path / "a.conf"
    settings.write_text('[admission]\nmemory = 220M\n[pool]\nceiling = 0\n[pool "shell"]\nfloor = 3\nstanding = 0\n'
                        '[past]\ncheckpoints = asked\n')
    with Server("--config", str(settings)) as server, server.client() as client:
        def ready():
            return [one["ready"] for one in client.call("pool.status")["pools"] if one["image"] == "shell"]

        wait_for(lambda: ready() == [2], what="two ready VMs")
        for left in (2, 1):
            session = Session(client, "python")
            assert session.opened["source"] == "template"
            assert ready() == [left]
        assert status(client)["memory_used"] <= 220 << 20
