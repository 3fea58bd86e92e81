# SPDX-License-Identifier: Apache-2.0
"""Networks, open ports and secrets of sessions that go back, sleep, are forked, or lose what gives them their network:
connections break, and are told to be broken; all else stays."""

import contextlib
import ctypes
import http.server
import os
import re
import socket
import subprocess
import threading

import pytest

import past
from support import Session, Watcher, err, out, qemu_pid, wait_for, with_settings
from web import serving

# Without urllib.request: importing that takes an emulated guest many seconds when the host is busy, which look
# like a connection that hangs.
TRY = """
import errno, socket
def tell(what):
    try:
        return what()
    except OSError as e:
        return errno.errorcode.get(e.errno, repr(e))
def get(url):
    at, _, path = url.removeprefix("http://").partition("/")
    name, _, port = at.rpartition(":")
    def fetch():
        with socket.create_connection((name, int(port)), 60) as one:
            one.sendall(f"GET /{path} HTTP/1.0\\r\\nHost: {at}\\r\\n\\r\\n".encode())
            with one.makefile("rb") as answer:
                return answer.read().partition(b"\\r\\n\\r\\n")[2].decode()
    return tell(fetch)
"""

LISTEN = """
import socket, threading
calls = 0
def answer(one):
    global calls
    calls += 1
    with one:
        while data := one.recv(65536):
            one.sendall(b"%d " % calls + data)
def accept(listener):
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
listener = socket.create_server(("127.0.0.1", 8000))
threading.Thread(target=accept, args=(listener,), daemon=True).start()
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web():
    with serving(Handler) as server:
        yield server.server_address[1]


@pytest.fixture
def peer():
    """A server whose connections stay open; gives its port, and the connections."""
    with contextlib.ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listener:
        taken = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    taken.append(stack.enter_context(listener.accept()[0]))
        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1], taken
        listener.shutdown(socket.SHUT_RDWR)

server, client = past.server, past.client  # the fixtures


def rules(*ports):
    return {"rules": [*(f"allow app.test :{port} tcp private" for port in ports), "resolve app.test 127.0.0.1"]}


def value(session, code, **options):
    cell = session.exec(code, timeout_ms=120000, **options)
    assert cell["exit_code"] == 0, err(cell)
    return out(cell).rstrip("\n")


def fetched(session, web, path):
    return value(session, f"{TRY}print(get('http://app.test:{web}{path}'))")


def call(address, text):
    """What a server in the guest says to that."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 120) as sock:
        sock.sendall(text)
        return sock.recv(100)


def asleep(session, client):
    pid = qemu_pid(client, session.id)
    session.call("session.sleep")
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the VM")


def reasons(client, session, kind="connection"):
    page = client.call("session.network_log", session=session.id, limit=1000)
    return [one.get("reason") for one in page["records"] if one["kind"] == kind]


def test_a_rewind_breaks_connections_and_keeps_rules_and_ports(session, client, web, peer):
    session.call("session.network", network=rules(web, peer[0]))
    address = session.call("session.port_open", port=8000)["address"]
    assert fetched(session, web, "/before") == "/before"
    value(session, LISTEN)
    assert call(address, b"one") == b"1 one"
    value(session, f"{TRY}s = socket.create_connection(('app.test', {peer[0]}), 60)")
    kept = session.call("session.checkpoint")["seq"]
    # The session that goes on notices nothing.
    value(session, "s.sendall(b'still there')")
    wait_for(lambda: peer[1], what="the connection")
    assert peer[1][0].recv(100) == b"still there"
    value(session, "lost = True")
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 60) as visitor:
        visitor.sendall(b"two")
        assert visitor.recv(100) == b"2 two"
        session.call("session.rewind", seq=kept)
        with pytest.raises(ConnectionResetError):
            visitor.recv(100)
    with pytest.raises(ConnectionResetError):
        peer[1][0].recv(100)
    # In the guest it is the moment of the checkpoint: its own connection is broken, and one that was not is not there.
    assert value(session, "print('lost' in globals(), calls, tell(lambda: s.recv(1)))") == "False 1 ECONNRESET"
    assert call(address, b"three") == b"2 three"
    assert fetched(session, web, "/after") == "/after"
    assert reasons(client, session) == [None, "session_rewound", None]
    assert reasons(client, session, "visit").count("session_rewound") == 1
    told = session.call("session.network")
    assert [one["address"] for one in told["ports"]] == [address] and told["network"] == "rules"


@pytest.fixture
def torrent():
    """A server that sends as much as it can; gives its port."""
    def send(connection):
        with connection, contextlib.suppress(OSError):
            while True:
                connection.sendall(bytes(65536))

    def take():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=send, args=(listener.accept()[0],), daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


RECEIVE = """
import socket, threading
got = 0
def receive(one):
    global got
    while data := one.recv(65536):
        got += len(data)
def begin():
    one = socket.create_connection(("app.test", PORT), 60)
    threading.Thread(target=receive, args=(one,), daemon=True).start()
"""


def test_moments_at_which_data_arrives(session, torrent):
    """QEMU hands on what arrives for a guest even if it stands still: its memory and its devices are still of one
    moment."""
    session.call("session.network", network=rules(torrent))
    value(session, RECEIVE.replace("PORT", str(torrent)))
    moments = []
    for i in range(6):
        value(session, f"begin()\nx = {i}")
        moments.append(session.call("session.checkpoint")["seq"])
    for i in (5, 0, 3, 1, 4, 2):
        session.call("session.rewind", seq=moments[i])
        assert value(session, "print(x)") == str(i)
        value(session, "begin()")


def test_a_rewind_to_before_the_network(session, web):
    value(session, "x = 1")
    kept = session.call("session.checkpoint")["seq"]
    session.call("session.network", network=rules(web))
    assert fetched(session, web, "/one") == "/one"
    session.call("session.rewind", seq=kept)
    assert fetched(session, web, "/two") == "/two"  # the policy is the session's, not the moment's
    with_network = session.call("session.checkpoint")["seq"]
    session.call("session.network", network="none")
    assert fetched(session, web, "/three") != "/three"
    session.call("session.rewind", seq=with_network)
    assert value(session, f"{TRY}print(tell(lambda: socket.create_connection(('198.18.0.2', {web}), 5)))") == "ENETUNREACH"


def test_undo_and_redo_count_no_network(session, web):
    session.call("session.network", network=rules(web))
    for i in range(3):
        value(session, f"x = {i}")
        session.call("session.checkpoint")
    assert session.call("session.rewind", steps=1)["cell"] == 2
    assert session.call("session.rewind", steps=1)["cell"] == 1
    assert session.call("session.rewind", steps=-1)["cell"] == 2
    assert value(session, "print(x)") == "1"
    assert fetched(session, web, "/now") == "/now"


def test_a_cell_that_waits_for_the_rewind_has_the_network(session, web):
    session.call("session.network", network=rules(web))
    value(session, TRY)
    kept = session.call("session.checkpoint")["seq"]
    value(session, "x = 1")
    rewind = session.client.send("session.rewind", session=session.id, seq=kept)
    cells = [session.send(f"print(get('http://app.test:{web}/{i}'))") for i in range(3)]
    rewind.wait()
    assert [out(cell.wait()) for cell in cells] == ["/0\n", "/1\n", "/2\n"]


def test_a_connection_to_its_port_wakes_it(session, client, server, web):
    session.call("session.network", network=rules(web))
    value(session, LISTEN)
    address = session.call("session.port_open", port=8000)["address"]
    assert call(address, b"one") == b"1 one"
    asleep(session, client)
    with Watcher(server, sessions=[session.id]) as watcher:
        assert call(address, b"two") == b"2 two"
        watcher.until("session.awake")
    assert fetched(session, web, "/awake") == "/awake"
    # One that is open does not keep it awake, and is told.
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 60) as visitor:
        visitor.sendall(b"three")
        assert visitor.recv(100) == b"3 three"
        asleep(session, client)
        with pytest.raises(ConnectionResetError):
            visitor.recv(100)
    assert reasons(client, session, "visit")[-1] == "session_asleep"
    # A port that is opened while it sleeps does not wake it.
    other = session.call("session.port_open", port=8000)["address"]
    assert session.get()["state"] == "asleep"
    assert call(other, b"four") == b"4 four"
    session.call("session.network", rules=[f"deny app.test :{web}"])
    assert fetched(session, web, "/denied") == "EHOSTUNREACH"


def test_a_port_that_is_opened_while_it_sleeps(session, client):
    value(session, LISTEN)
    asleep(session, client)
    address = session.call("session.port_open", port=8000)["address"]
    assert session.get()["state"] == "asleep"
    assert call(address, b"one") == b"1 one"


def test_whoever_waits_for_one_that_cannot_be_woken_is_told(tmp_path):
    text = "[admission]\nmemory = 150M\nwait = 0\n[pool]\nceiling = 0\n"  # for two of this image
    with with_settings(tmp_path, text) as server, server.client() as client:
        session = Session(client, image="shell", wait_ms=60000)
        session.exec("x=1")
        address = session.call("session.port_open", port=8000)["address"]
        asleep(session, client)
        others = [Session(client, image="shell", wait_ms=60000) for _ in range(2)]
        for _ in range(2):  # the second one tries again
            with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 60) as visitor, \
                    pytest.raises(ConnectionResetError):
                visitor.recv(100)
        assert session.get()["state"] == "asleep"
        for one in (session, *others):
            one.close()


def test_a_fork_has_its_own_connections(session, client, web, peer):
    session.call("session.network", network=rules(web, peer[0]))
    session.call("session.port_open", port=8000)
    value(session, f"{TRY}{LISTEN}s = socket.create_connection(('app.test', {peer[0]}), 60)")
    value(session, "known = socket.gethostbyname('app.test')")
    (forked,) = session.call("session.fork")["sessions"]
    child = Session.__new__(Session)
    child.client, child.id = client, forked["session"]
    assert value(child, "print(tell(lambda: s.recv(1)))") == "ECONNRESET"
    # An address that a program has remembered still is that of its name.
    assert value(child, f"print(get(f'http://{{known}}:{web}/child'))") == "/child"
    assert value(child, f"print(tell(lambda: socket.create_connection((known, {web}), 60).close()))") == "None"
    told = child.call("session.network")
    assert told["network"] == "rules" and told["ports"] == []
    assert [one["port"] for one in told["listening"]] == [8000]
    address = child.call("session.port_open", port=8000)["address"]
    assert call(address, b"child") == b"1 child"
    child.call("session.network", rules=[f"deny app.test :{web}"])  # of the child only
    assert fetched(child, web, "/") == "EHOSTUNREACH"
    assert fetched(session, web, "/origin") == "/origin"
    # The connection of its origin was its own all the time.
    wait_for(lambda: peer[1], what="the connection")
    value(session, "s.sendall(b'mine')")
    assert peer[1][0].recv(100) == b"mine"
    child.close()


def test_a_rollback_keeps_the_network(tmp_path, web):
    with with_settings(tmp_path, "[past]\ncheckpoints = asked\n") as server, server.client() as client:
        session = Session(client, idle_ms=0, network=rules(web), checkpoints="cell")
        value(session, f"{TRY}x = 1")
        # Long enough for it to have begun: a cell that has not is interrupted, and costs nothing.
        done = session.exec("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", timeout_ms=8000)
        assert done["timed_out"] and done["rolled_back"]["cell"] == 1
        assert value(session, f"print(x, get('http://app.test:{web}/back'))") == "1 /back"
        session.close()


def test_it_outlives_the_server_with_its_network(tmp_path, web):
    settings = "[past]\ncheckpoints = asked\n"
    with with_settings(tmp_path, settings) as server, server.client() as client:
        session = Session(client, idle_ms=0, network=rules(web))
        plain = Session(client, idle_ms=0)
        value(session, f"{TRY}known = socket.gethostbyname('app.test')")
        value(plain, "x = 1")
        for one in (session, plain):
            asleep(one, client)
    with with_settings(tmp_path, settings) as server, server.client() as client:
        for one in (session, plain):
            one.client = client
            assert one.get()["state"] == "asleep"
        told = session.call("session.network")
        assert told["network"] == "rules" and f"allow app.test :{web} tcp private" in told["rules"]
        assert plain.call("session.network")["network"] == "none"
        assert fetched(session, web, "/again") == "/again"
        assert value(plain, f"{TRY}print(tell(lambda: socket.create_connection(('198.18.0.2', 80), 5)))") == "ENETUNREACH"
        for one in (session, plain):
            one.close()


# ---- what gives a guest its network has died ----

def network_socket(server, client, session):
    """The server's end of the second port of the session's VM, as a descriptor of ours."""
    pid = qemu_pid(client, session.id)
    words = open(f"/proc/{pid}/cmdline").read().split("\0")
    chardev = next(word for word in words if word.startswith("socket,") and "id=network" in word)
    theirs = os.readlink(f"/proc/{pid}/fd/{re.search(r'fd=([0-9]+)', chardev).group(1)}")
    inode = re.fullmatch(r"socket:\[(\d+)\]", theirs).group(1)
    table = subprocess.run(["ss", "-xanH"], capture_output=True, text=True, check=True).stdout
    (ours,) = [line.split()[7] for line in table.splitlines() if line.split()[5] == inode]
    (fd,) = [name for name in os.listdir(f"/proc/{server.process.pid}/fd")
             if os.readlink(f"/proc/{server.process.pid}/fd/{name}") == f"socket:[{ours}]"]
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(server.process.pid)
    got = libc.syscall(438, process, int(fd), 0)  # pidfd_getfd
    os.close(process)
    if got < 0:
        assert not os.environ.get("CI"), "row 48 of docs/network-bypass.md would be untested"
        pytest.skip(f"the server's descriptors: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=got)


def kill_netd(server, client, session):
    """netd ends when the host breaks the protocol: so this host does."""
    with network_socket(server, client, session) as port:
        port.sendall(b"\xff" * 64)


def kill_netd_and_see(server, client, session, address):
    """The same, and waits until the server knows: the visitor is told at once, and before anything that is asked of
    the session from then on the network has been started again, if that is allowed."""
    with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 60) as visitor:
        visitor.sendall(b"hello")
        assert visitor.recv(100).endswith(b"hello")
        kill_netd(server, client, session)
        with pytest.raises(ConnectionResetError):
            visitor.recv(100)


def test_what_dies_in_the_guest_is_started_again(session, server, client, web, peer):
    session.call("session.network", network=rules(web, peer[0]))
    address = session.call("session.port_open", port=8000)["address"]
    value(session, f"{TRY}{LISTEN}s = socket.create_connection(('app.test', {peer[0]}), 60)")
    wait_for(lambda: peer[1], what="the connection")
    for i in range(3):
        with Watcher(server, sessions=[session.id]) as watcher, \
                socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1])), 60) as visitor:
            visitor.sendall(b"hello")
            assert visitor.recv(100).endswith(b"hello")
            kill_netd(server, client, session)
            watcher.until("network.visit", reason="guest_network_ended")
            with pytest.raises(ConnectionResetError):
                visitor.recv(100)
        if i == 0:
            assert value(session, "print(tell(lambda: s.recv(1)))") == "ECONNRESET"  # and no end of file
            with pytest.raises(ConnectionResetError):
                peer[1][0].recv(100)
        assert fetched(session, web, f"/{i}") == f"/{i}"
        assert call(address, b"again").endswith(b"again")
    assert session.get()["state"] == "idle"
    assert reasons(client, session).count("guest_network_ended") == 1


def test_a_restart_is_not_for_the_asking(session, server, client, web):
    session.call("session.network", network=rules(web))
    value(session, f"{TRY}{LISTEN}")
    address = session.call("session.port_open", port=8000)["address"]
    for i in range(20):
        assert fetched(session, web, f"/{i}") == f"/{i}"
        kill_netd_and_see(server, client, session, address)
        # Without a network for a while, in which all else goes on?
        reached = value(session, f"print(tell(lambda: socket.create_connection(('198.18.0.2', {web}), 5).close()))")
        if reached == "ENETUNREACH":
            break
    assert reached == "ENETUNREACH" and i >= 4
    session.call("session.network", rules=["deny never.test"])
    kept = session.call("session.checkpoint")["seq"]
    session.call("session.rewind", seq=kept)  # another VM is another matter
    assert fetched(session, web, "/back") == "/back"


def test_a_comparison_acts_on_nothing_outside(server, client, web):
    """Programs that a cell has left behind go on in the forks in which two moments are looked at, without a network."""
    with Watcher(server, kinds=["network.open", "network.denied", "session.opened"]) as watcher:
        session = Session(client, idle_ms=0, network=rules(web))
        session.exec(f"{TRY}import threading, time\nstop, tries = False, []\n"
                     f"def post():\n    while not stop:\n"
                     f"        tries.append(get('http://app.test:{web}/again')); time.sleep(0.05)\n"
                     f"one = threading.Thread(target=post, daemon=True)\none.start()")
        session.call("session.checkpoint", wait_ms=120000)
        session.exec("x = 1")
        told = session.call("session.diff", cell=1, wait_ms=120000)
        assert "x" in [one["name"] for one in told["variables"]]
        assert value(session, "stop = True; one.join(); print(tries.count('/again') > 0)") == "True"
        session.exec("pass")
        session.close()
        events = watcher.until("session.opened", session=session.id)
        children = set()
        last = Session(client)
        events += watcher.until("session.opened", session=last.id)
        last.close()
        for event in events:
            if event["kind"] == "session.opened" and event["info"].get("label") == "diff":
                children.add(event["session"])
                assert event["info"]["network"] == "none"
        assert len(children) == 2
        assert {event["session"] for event in events if event["kind"].startswith("network.")} == {session.id}
