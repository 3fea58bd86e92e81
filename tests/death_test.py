# SPDX-License-Identifier: Apache-2.0
"""Death at any point: no hang, nothing left behind, and the truth about what may have run."""

import array
import fcntl
import glob
import json
import os
import signal
import socket
import subprocess
import termios
import threading

import pytest

from support import (RELEASE, BINARY, Failure, Server, Session, alive, comes_to_rest, forgetful, out, qemu_pid,
                     wait_for)


@pytest.fixture
def own():
    with Server() as server:
        yield server


def vm_pids(client):
    return [vm["pid"] for vm in client.call("stats")["vms"] if vm["session"] and vm["pid"]]


def test_qemu_killed_during_exec(client):
    s = Session(client)
    pid = qemu_pid(client, s.id)
    pending = s.send("print('go'); import time; time.sleep(60)", stream=True)
    queued = s.send("print('never')")
    assert s.note()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(Failure) as failure:
        pending.wait(10)
    assert failure.value.kind == "outcome_unknown" and failure.value.dispatched is True
    with pytest.raises(Failure) as failure:
        queued.wait(10)
    assert failure.value.kind == "session_closed" and failure.value.dispatched is False
    with pytest.raises(Failure) as failure:
        s.exec("print(1)")
    assert failure.value.kind == "session_closed"


def test_qemu_killed_during_boot(own):
    with own.client() as client:
        # A size that nobody asked for before has no template: it boots.
        pending = client.send("session.open", image="python", memory_mb=208)
        pid = wait_for(lambda: next(iter(vm_pids(client)), None), what="a VM process")
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Failure) as failure:
            pending.wait(20)
        assert failure.value.kind == "boot_failed" and failure.value.dispatched is False
        assert failure.value.retryable is True
        again = Session(client, "shell")
        assert out(again.exec("echo fine")) == "fine\n"


def test_qemu_killed_during_a_file_transfer(client):
    s = Session(client, "shell")
    pid = qemu_pid(client, s.id)
    chunk = "x" * (1 << 20)
    pending = [client.send("file.write", session=s.id, path="big", text=chunk, offset=i << 20, final=False)
               for i in range(20)]
    pending[0].wait()
    os.kill(pid, signal.SIGKILL)
    kinds = set()
    for reply in pending[1:]:
        try:
            reply.wait(20)
        except Failure as failure:
            kinds.add(failure.kind)
    assert kinds <= {"session_closed", "outcome_unknown"}
    with pytest.raises(Failure) as failure:
        s.exec("echo 1")
    assert failure.value.kind == "session_closed"


def test_client_killed(own):
    """The client dies mid-cell: its cell is interrupted, the session and its state stay."""
    with own.client() as client:
        s = Session(client, "shell")
        s.exec("v=kept")
        process = subprocess.Popen(
            [BINARY, "exec", s.id, "-c", "echo go; sleep 600"],
            env=own.env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert process.stdout.readline() == b"go\n"
        process.kill()
        process.wait()
        assert out(s.exec("echo $v", timeout_ms=60000)) == "kept\n"


FLOOD = "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"


def unread(pipe):
    size = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, size)
    return size[0]


@pytest.mark.parametrize("end", ["SIGKILL", "SIGKILL while stopped", "SIGHUP", "SIGTERM"])
def test_client_gone_while_it_is_held_back(own, end):
    """`exec … | less`, and then the client goes: the session is free again, and nothing spins."""
    with own.client() as client:
        s = Session(client, "shell", timeout_ms=3600_000)
        process = subprocess.Popen([BINARY, "exec", s.id, "-c", FLOOD], env=own.env,
                                   stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        wait_for(lambda: s.get()["state"] == "running", what="the cell")
        wait_for(lambda: unread(process.stdout) > 32 << 10, what="output that nobody reads")
        comes_to_rest(client)  # the pipe is full, then the client, then the server, then the guest
        assert s.get()["state"] == "running"
        if "stopped" in end:
            process.send_signal(signal.SIGSTOP)
        process.send_signal(getattr(signal, end.split()[0]))
        assert process.wait(60) == {"SIGHUP": 129, "SIGTERM": 143}.get(end, -signal.SIGKILL)
        process.stdout.close()
        wait_for(lambda: s.get()["state"] == "idle", what="a session that is free")
        comes_to_rest(client)
        assert out(s.exec("echo next", timeout_ms=60000)) == "next\n"
        s.close()
        comes_to_rest(client)


def test_useless_clients_of_every_kind(own):
    """Clients that read nothing, say half of something or nothing at all, and go, half go or stay."""
    def connect(*lines):
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.connect(str(own.socket))
        peer.sendall(b"".join(lines))
        return peer

    def line(method, **params):
        return json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n"

    with own.client() as client:
        s = Session(client, "shell", timeout_ms=3600_000)
        kinds = {
            "floods": [line("session.exec", session=s.id, code=FLOOD, stream=True)],
            "watches": [line("events.subscribe", output=True)],
            "half a line": [line("hello"), b'{"id": 2, "method": "sess'],
            "silent": [],
        }
        peers = {(kind, end): connect(*lines) for kind, lines in kinds.items()
                 for end in ("closes", "ends writing", "stays")}
        wait_for(lambda: s.get()["state"] == "running", what="the first cell")
        comes_to_rest(client)
        for (_kind, end), peer in peers.items():
            if end == "closes":
                peer.close()
            elif end == "ends writing":
                peer.shutdown(socket.SHUT_WR)
        comes_to_rest(client)
        for peer in peers.values():
            peer.close()
        wait_for(lambda: s.get()["state"] == "idle", what="a session that is free")
        assert client.call("stats")["connections"] == 1
        s.close()
        comes_to_rest(client)


def test_server_killed_leaves_nothing():
    server = forgetful()
    client = server.client()
    sessions = [Session(client, "shell") for _ in range(2)]
    pids = vm_pids(client)
    assert len(pids) == 2
    pending = sessions[0].send("echo go; sleep 600", stream=True)
    sessions[0].note()
    server.process.kill()
    server.process.wait()
    with pytest.raises(ConnectionError):
        pending.wait(10)
    wait_for(lambda: not any(alive(pid) for pid in pids), 10, "the end of QEMU")
    # The next server starts on the same socket, with no trace of the dead one.
    server.start()
    try:
        with server.client() as again:
            assert again.call("session.list")["sessions"] == []
            s = Session(again, "shell")
            assert out(s.exec("echo fresh")) == "fresh\n"
            leftovers = [p for p in glob.glob(str(server.folder / "**"), recursive=True)
                         if os.path.isfile(p) and not p.endswith((".log", ".json", ".lock"))]
            assert len([p for p in leftovers if "vms" in p]) <= 1, leftovers
    finally:
        assert server.stop() == 0
    assert not server.socket.exists()


def test_shutdown_drains(own):
    client = own.client()
    s = Session(client, "shell")
    pid = qemu_pid(client, s.id)
    pending = s.send("sleep 1; echo finished", stream=False)
    wait_for(lambda: client.call("session.get", session=s.id)["state"] == "running", what="running")
    shutdown = client.send("server.shutdown", drain=True)
    assert out(pending.wait()) == "finished\n"
    shutdown.wait()
    assert own.process.wait(60) == 0
    assert not alive(pid) and not own.socket.exists()


def test_sigterm_ends_cleanly(own):
    client = own.client()
    s = Session(client, "shell")
    pid = qemu_pid(client, s.id)
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(60) == 0
    wait_for(lambda: not alive(pid), 10, "the end of QEMU")
    assert not own.socket.exists()


def test_two_servers_on_one_socket(own):
    second = subprocess.run([*own.arguments], env=own.env, stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=60)
    assert second.returncode != 0 and b"already" in second.stderr.lower()
    with own.client() as client:
        assert client.call("hello")["protocol"] == 1


def test_open_exec_close_leaks_nothing():
    """Descriptors, processes and files of the server are the same after 20 cycles as after 3."""
    with Server("--pool", "shell=0:0", binary=RELEASE) as server, server.client() as client:
        def state():
            wait_for(lambda: not client.call("stats")["vms"], what="no VM left")
            fds = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            children = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True).stdout
            files = sorted(p for p in glob.glob(str(server.folder / "**"), recursive=True))
            return fds, children, files

        def cycle(n):
            for _ in range(n):
                s = Session(client, "shell")
                assert out(s.exec("echo x")) == "x\n"
                s.close()

        cycle(3)
        before = state()
        cycle(20)
        assert state() == before


def test_clients_that_vanish_at_random(own):
    """Connections cut in the middle of everything leave a server that still works."""
    with own.client() as client:
        s = Session(client, "shell")

        def rude(i):
            other = own.client()
            other.send("session.exec", session=s.id, code="echo hi; sleep 0.05", stream=True)
            other.send("file.write", session=s.id, path=f"r{i}", text="x" * 100000, final=i % 2 == 0)
            other.raw(b'{"jsonrpc":"2.0","id":1,"method":"sess')
            other.close()

        threads = [threading.Thread(target=rude, args=(i,)) for i in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert out(s.exec("echo alive", timeout_ms=60000)) == "alive\n"
