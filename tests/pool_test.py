# SPDX-License-Identifier: Apache-2.0
"""The warm pool with real VMs: taken, killed, frozen, drained, shut down while it fills."""

import contextlib
import os
import pathlib
import signal
import socket

import pytest

from support import DEADLINE, Server, Session, Watcher, alive, freeze, out, qemu_pid, wait_for

RUNS = int(os.environ.get("GLASSBELL_POOL_RUNS", "24"))


def shelf(client, image="shell", memory_mb=224, network="none"):
    for one in client.call("pool.status")["pools"]:
        if (one["image"], one["memory_mb"], one["network"]) == (image, memory_mb, network):
            return one
    raise AssertionError(f"the pool knows nothing of {image} with {memory_mb} MB and network {network}")


def wait_ready(client, number, **kind):
    return wait_for(lambda: (lambda s: s["ready"] == number and not s["starting"] and s)(shelf(client, **kind)),
                    what=f"{number} ready VMs")


def qemus(server):
    """The QEMU processes that the server has in its registry."""
    pids = set()
    for path in server.folder.glob("*.vms/vms/*"):
        try:
            fields = dict(line.split()[:2] for line in path.read_text().splitlines())
        except FileNotFoundError:
            continue
        if "qemu" in fields:  # not before it is started
            pids.add(int(fields["qemu"]))
    return pids


def members(server, client):
    """Those of them that belong to no session; READY ones and those that stand behind."""
    return qemus(server) - {vm["pid"] for vm in client.call("stats")["vms"] if vm["session"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    settings = tmp_path_factory.mktemp("pool") / "a.conf"
    settings.write_text("[admission]\nqueue = 1024\n")  # for any number of RUNS
    with Server("--config", str(settings), "--pool", "shell=2:2") as server:
        yield server


@pytest.fixture(scope="module")
def client(server):
    with server.client() as client:
        yield client


def test_taken_ready_and_unlike(server, client):
    """From the start on; without a trace of what warmed them up, and with nothing in common."""
    before = wait_ready(client, 2)
    wait_for(lambda: shelf(client)["waiting"] == 1, what="the one behind them")

    def measured():
        vms = client.call("stats")["vms"]
        return all((vm["memory_bytes"] or 0) > 1 << 20 for vm in vms) and vms

    vms = wait_for(measured, what="the figures of all VMs")
    assert sorted(vm["pool"] for vm in vms) == ["ready", "ready", "waiting"]
    assert {vm["pid"] for vm in vms} == qemus(server)
    assert all(vm["session"] is None and vm["source"] is None and vm["image"] == "shell"
               for vm in vms)
    assert (before["floor"], before["target"], before["template"]["state"]) == (2, 2, "ready")
    sessions = [Session(client, "shell", env={"MINE": str(i)}) for i in range(2)]
    seen = []
    for i, session in enumerate(sessions):
        assert session.opened["source"] == "pool"
        cell = session.exec("echo $MINE; ls -A; history | wc -l; hostname; cat /etc/machine-id; echo $RANDOM$RANDOM; "
                            "head -c 9 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid")
        assert cell["cell"] == 1 and cell["exit_code"] == 0
        lines = out(cell).splitlines()
        assert lines[0] == str(i) and lines[2] == "glassbell-" + session.id[2:8], lines
        seen.append(lines[2:])
        assert session.get()["source"] == "pool"
    assert not set(seen[0]) & set(seen[1])
    after = wait_ready(client, 2)
    assert after["hits"] == before["hits"] + 2 and after["misses"] == before["misses"]
    for session in sessions:
        session.close()


def test_other_memory_is_not_ignored(client):
    wait_ready(client, 2)
    session = Session(client, "shell", memory_mb=256)
    assert session.opened["source"] != "pool"
    assert 200 < int(out(session.exec("free -m | awk '/Mem/ {print $2}'"))) < 256
    session.close()


def test_killed_ones_are_replaced(server, client):
    """Who watches the pool sees it."""
    before = wait_ready(client, 2)
    client.call("events.subscribe", kinds=["pool.changed"])
    everything = Watcher(server)  # also the kind that is the last one of all
    victims = wait_for(lambda: (lambda p: len(p) == 3 and p)(members(server, client)), what="the pool's processes")
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: shelf(client)["lost"] >= before["lost"] + 3, what="the loss")
    wait_ready(client, 2)
    assert not victims & members(server, client)
    figures = []
    while not figures or figures[-1][0] < 2 or figures[-1][1] < before["lost"] + 3:
        params = client.notes.get(timeout=DEADLINE)["params"]
        if params.get("kind") == "pool.changed":
            figures += [(one["ready"], one["lost"]) for one in params["pool"]["pools"]
                        if (one["image"], one["memory_mb"]) == ("shell", 224)]
    assert min(ready for ready, _ in figures) < 2
    with everything:
        everything.until("pool.changed")
    session = Session(client, "shell")
    assert out(session.exec("echo 1")) == "1\n"
    session.close()


def copy_memory(pid, mib):
    """Writes each page of a clone's memory as it is, which makes it the clone's own."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if line.split()[1] == "rw-p" and end - start == mib << 20:
            break
    else:
        raise AssertionError("it maps no memory of this size")
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        for at in range(start, end, 1 << 20):
            memory.seek(at)
            content = memory.read(1 << 20)
            memory.seek(at)
            assert memory.write(content) == len(content)


@pytest.mark.skipif(os.geteuid() != 0, reason="writing into another process needs root")
def test_copied_memory_is_found_out(server, client):
    """A clone whose memory is its own is as good as any, and yet never handed out."""
    wait_ready(client, 2)
    (standing,) = wait_for(lambda: [vm for vm in client.call("stats")["vms"] if vm["pool"] == "waiting" and vm["pid"]],
                           what="the one behind them")
    wait_for(lambda: "/ram" in pathlib.Path(f"/proc/{standing['pid']}/maps").read_text(), what="its memory")
    copy_memory(standing["pid"], standing["memory_mb"])
    before = shelf(client)["lost"]
    for vm in client.call("stats")["vms"]:
        if vm["pool"] == "ready":
            os.kill(vm["pid"], signal.SIGKILL)
    wait_for(lambda: shelf(client)["lost"] > before + 2, what="the loss of it too")
    assert "has copied its template's memory" in server.log.read_text()
    wait_ready(client, 2)
    assert not alive(standing["pid"])
    session = Session(client, "shell")
    assert out(session.exec("echo 1")) == "1\n"
    session.close()


def test_frozen_ones_are_never_handed_out(server, client):
    """Who asks meanwhile gets a VM that runs; the frozen ones, the one that stands behind the others
    included, are found out and replaced."""
    wait_ready(client, 2)
    wait_for(lambda: shelf(client)["waiting"] == 1, what="the one behind them")
    frozen = wait_for(lambda: (lambda p: len(p) == 3 and p)(members(server, client)), what="the pool's processes")
    freeze(*frozen)
    sessions = [Session(client, "shell") for _ in range(2)]
    assert "boot" not in [session.opened["source"] for session in sessions]
    for session in sessions:
        assert out(session.exec("echo 1")) == "1\n"
        assert qemu_pid(client, session.id) not in frozen
    wait_for(lambda: not any(alive(pid) for pid in frozen), what="the end of the frozen ones")
    wait_ready(client, 2)
    for session in sessions:
        session.close()


def test_killed_after_it_was_taken(server, client):
    """Its session is not open yet: it gets another one, and nobody is told but the log. Many variables
    make that moment longer; who is open sooner all the same is closed, and it is tried again."""
    env = {f"VARIABLE_{i}": "x" * 600 for i in range(100)}
    with server.client() as eye:
        for _ in range(50):
            wait_ready(client, 2)
            logged = len(server.log.read_text())
            seen = {vm["pid"] for vm in eye.call("stats")["vms"] if vm["session"]}
            pending = client.send("session.open", image="shell", env=env)
            killed = set()
            while not killed and not pending.done():
                killed = {vm["pid"] for vm in eye.call("stats")["vms"] if vm["session"]} - seen
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            session = pending.wait()["session"]
            if "its VM was lost before anything ran in it" in server.log.read_text()[logged:]:
                assert qemu_pid(client, session) not in killed
                assert out(client.call("session.exec", session=session, code="echo $VARIABLE_7")) == "x" * 600 + "\n"
                client.call("session.close", session=session)
                return
            client.call("session.close", session=session)
    raise AssertionError("each of them was open sooner than it could be killed")


def test_drained_by_many_runs(server, client):
    """Every caller gets its own answer, and when all is over nothing is left but the pool."""
    wait_ready(client, 2)
    wait_for(lambda: len(members(server, client)) == 3, what="the one behind them")
    client.call("run", image="shell", code=":")  # the journal opens its file for the first cell
    wait_ready(client, 2)
    wait_for(lambda: len(members(server, client)) == 3 and len(qemus(server)) == 3, what="the pool alone")
    files = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    with contextlib.ExitStack() as stack:
        # A connection may have 256 requests under way.
        clients = [stack.enter_context(server.client()) for _ in range(-(-RUNS // 100))]
        calls = [clients[i % len(clients)].send("run", image="shell", code=f"echo {i}; hostname", wait_ms=600000)
                 for i in range(RUNS)]
        hosts = set()
        for i, call in enumerate(calls):
            number, host = out(call.wait(600)).splitlines()
            assert number == str(i)
            hosts.add(host)
        assert len(hosts) == RUNS
    wait_ready(client, 2)
    wait_for(lambda: len(members(server, client)) == 3 and len(qemus(server)) == 3, what="the pool alone")
    wait_for(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) <= files, what=f"{files} descriptors")
    assert client.call("pool.status")["admission"]["vms"] == 3


def test_follows_demand(tmp_path):
    """One session is no demand; a burst is. Its peak fades, and with it the VMs go."""
    settings = tmp_path / "a.conf"
    settings.write_text("[pool]\nceiling = 2\nhalf_life = 2s\n")
    with Server("--config", str(settings)) as server, server.client() as client:
        Session(client, "shell").close()
        one = shelf(client)
        assert (one["target"], one["ready"], one["starting"], one["misses"]) == (0, 0, 0, 1)
        for call in [client.send("run", image="shell", code="true") for _ in range(4)]:
            call.wait()
        wait_for(lambda: shelf(client)["ready"], what="a ready VM")
        wait_for(lambda: not qemus(server), what="the end of all VMs")
        assert (shelf(client)["target"], shelf(client)["ready"]) == (0, 0)


# What a program sees of a network: sockets that wait, addresses, routes, the name server, processes.
TRACES = ("for f in tcp udp raw packet; do awk '$4 ~ /0A|07/ {print $2, $4}' /proc/net/$f; done; "
          "cat /proc/net/fib_trie /proc/net/route /etc/resolv.conf; ls /proc | grep -c '^[0-9]'")


def test_a_network_is_rehearsed():
    """Sessions with a network have VMs of their own in the pool, in which it was on before, without a trace of that.
    Until there are some, they take those of others."""
    with socket.create_server(("127.0.0.1", 0)) as listener, Server("--pool", "shell=1:1") as server, \
            server.client() as client:
        port = listener.getsockname()[1]
        policy = {"rules": [f"allow app.test :{port} private", "resolve app.test 127.0.0.1"]}

        def reaches(session):
            cell = session.send(f"exec 3<>/dev/tcp/app.test/{port}; cat <&3")
            listener.settimeout(DEADLINE)
            with listener.accept()[0] as peer:
                peer.sendall(b"hello\n")
            return out(cell.wait()) == "hello\n"

        wait_ready(client, 1)
        first = Session(client, "shell", network=policy)
        assert first.opened["source"] == "pool"  # another's
        assert reaches(first)
        kind = shelf(client, network="any")
        assert (kind["floor"], kind["hits"], kind["misses"]) == (0, 0, 1)
        second = Session(client, "shell", network=policy)
        wait_ready(client, 1, network="any")
        third = Session(client, "shell", network=policy)
        assert third.opened["source"] == "pool" and reaches(third)
        assert shelf(client, network="any")["hits"] == 1
        assert out(third.exec(TRACES)) == out(first.exec(TRACES))
        wait_ready(client, 1)
        usual = Session(client, "shell")
        assert usual.opened["source"] == "pool"
        assert "10.113" not in out(usual.exec(TRACES))
        for session in (first, second, third, usual):
            session.close()


@pytest.mark.parametrize("how", ["rewind", "wake"])
def test_a_session_goes_on_in_a_process_that_waits(server, client, how):
    """What takes longest of a rewind, or of being woken, has happened before."""
    def waiting():
        pids = [vm["pid"] for vm in client.call("stats")["vms"] if vm["pool"] == "waiting"]
        return pids[0] if len(pids) == 1 else None

    wait_ready(client, 2)
    session = Session(client, "shell", idle_ms=0)
    session.exec("x=1; echo kept > a")
    seq = session.call("session.checkpoint")["seq"]
    wait_ready(client, 2)
    pid = wait_for(waiting, what="a process that waits")
    if how == "rewind":
        session.exec("x=2; rm a")
        session.call("session.rewind", seq=seq)
    else:
        session.call("session.sleep")
    assert out(session.exec("echo $x; cat a")) == "1\nkept\n"
    assert [vm["pid"] for vm in client.call("stats")["vms"] if vm["session"] == session.id] == [pid]
    assert wait_for(waiting, what="the next one") != pid
    wait_ready(client, 2)
    vms = client.call("pool.status")["admission"]["vms"]
    session.close()
    wait_for(lambda: client.call("pool.status")["admission"]["vms"] == vms - 1, what="its place")


def test_changes_with_the_settings(server, client, tmp_path):
    settings = tmp_path / "a.conf"
    settings.write_text("[pool \"shell\"]\nfloor = 1\nceiling = 1\nstanding = 0\n")
    with Server("--config", str(settings)) as server, server.client() as client:
        wait_ready(client, 1)
        settings.write_text("[pool \"shell\"]\nfloor = 0\nceiling = 0\n[pool \"nonsense\"]\nfloor = 1\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: not qemus(server), what="an empty pool")
        assert 'the pool "nonsense" is of no use' in server.log.read_text()


@pytest.mark.parametrize("filled", [0, 1])
def test_shut_down_while_it_fills(filled):
    """Whatever state its VMs are in: no process is left, nor an entry in the registry."""
    with Server("--pool", "shell=6:6") as server:
        with server.client() as client:
            wait_for(lambda: shelf(client)["ready"] >= filled and qemus(server), what="processes")
        left = qemus(server)
        assert server.stop() == 0
    assert not any(alive(pid) for pid in left)
    assert not qemus(server)
