"""Death at any point: no hang, nothing left behind, and the truth about what may have run."""

import glob
import os
import signal
import subprocess
import threading

import pytest

from support import RELEASE, BINARY, Failure, Server, Session, alive, out, qemu_pid, wait_for


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


def test_server_killed_leaves_nothing():
    server = Server()
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
