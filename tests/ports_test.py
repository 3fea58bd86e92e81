# SPDX-License-Identifier: Apache-2.0
"""Ports of a guest that are open to the host: what gets through, and who is told."""

import contextlib
import hashlib
import os
import socket
import stat
import subprocess
import threading

import pytest

from support import BINARY, Failure, Watcher, err, out, wait_for

SERVE = """
import http.server, socket, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(bytes(range(256)) * 8192 if self.path == "/large" else self.path.encode())
    def do_POST(self):
        import hashlib
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            digest.update(piece)
            left -= len(piece)
        self.answer(digest.hexdigest().encode())
    def log_message(self, *_):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
web = Server(("127.0.0.1", 8000), Handler)
threading.Thread(target=web.serve_forever, daemon=True).start()
"""

# Whatever arrives goes back; at the end of the input it says so and ends its half, too.
ECHO = """
import socket, threading
def echo(one):
    with one:
        while data := one.recv(65536):
            one.sendall(data)
        one.sendall(b"end")
def accept(listener):
    while True:
        threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()
v6 = socket.create_server(("::1", 8001), family=socket.AF_INET6, backlog=256)
threading.Thread(target=accept, args=(v6,), daemon=True).start()
"""


def opened(session, port, **where):
    """Where a port of the session is on this host."""
    return session.call("session.port_open", port=port, **where)["address"]


def connect(address):
    if address.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(120)
        sock.connect(address)
        return sock
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), 120)


def exchange(address, data):
    """Sends all of it and the end, while it reads to the end."""
    with connect(address) as sock:
        def send():
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        got = b""
        while piece := sock.recv(1 << 20):
            got += piece
        sender.join()
        return got


def curl(address, path, *more):
    place = ["--unix-socket", address, f"http://guest{path}"] if address.startswith("/") else [f"http://{address}{path}"]
    done = subprocess.run(["curl", "-sS", "--max-time", "120", *more, *place], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def served(session, code):
    cell = session.exec(code, timeout_ms=120000)
    assert cell["exit_code"] == 0, err(cell)


def records(client, session):
    page = client.call("session.network_log", session=session.id, limit=1000)
    return [one for one in page["records"] if one["kind"] in ("port", "visit")]


def test_a_server_in_the_guest_is_reached(fresh, tmp_path):
    session = fresh()
    served(session, SERVE)
    local = str(tmp_path / "guest.sock")
    assert opened(session, 8000, unix=local) == local
    assert stat.S_IMODE(os.stat(local).st_mode) == 0o600 and stat.S_ISSOCK(os.stat(local).st_mode)
    for address in (opened(session, 8000), opened(session, 8000, address="[::1]:0"), local):
        assert curl(address, "/one") == b"/one"
        assert curl(address, "/large") == bytes(range(256)) * 8192
    upload = tmp_path / "upload"
    upload.write_bytes(os.urandom(4 << 20))
    assert curl(local, "/", "--data-binary", f"@{upload}").decode() == hashlib.sha256(upload.read_bytes()).hexdigest()
    session.close()
    wait_for(lambda: not os.path.exists(local), what="the end of the socket")


def test_halves_end_by_themselves_also_over_ipv6(fresh):
    session = fresh()
    served(session, ECHO)
    address = opened(session, 8001)
    data = os.urandom(3 << 20)
    assert exchange(address, b"hello") == b"helloend"
    assert exchange(address, data) == data + b"end"
    assert exchange(address, b"") == b"end"


def test_a_hundred_connections_at_once(fresh):
    session = fresh()
    served(session, ECHO)
    address = opened(session, 8001)
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(connect(address)) for _ in range(100)]
        for i, sock in enumerate(socks):
            sock.sendall(b"%03d" % i)
        for i, sock in enumerate(socks):
            assert sock.recv(3, socket.MSG_WAITALL) == b"%03d" % i
        port = session.call("session.network")["ports"]
        assert [(one["port"], one["address"], one["open"], one["opened"]) for one in port] == [(8001, address, 100, 100)]
        assert (port[0]["received"], port[0]["sent"]) == (300, 300)
        for sock in socks:
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(10) == b"end" and sock.recv(1) == b""


def test_a_long_conversation_both_ways(fresh):
    """As over a WebSocket: small messages, each answered, while another connection moves much."""
    session = fresh()
    served(session, ECHO)
    address = opened(session, 8001)
    data = os.urandom(4 << 20)
    got = []
    bulk = threading.Thread(target=lambda: got.append(exchange(address, data)))
    with connect(address) as sock:
        bulk.start()
        for i in range(200):
            message = b"%06d" % i
            sock.sendall(message)
            assert sock.recv(len(message), socket.MSG_WAITALL) == message
    bulk.join()
    assert got == [data + b"end"]


LISTEN = """
import socket
def listen(host, port, family=socket.AF_INET):
    s = socket.create_server((host, port), family=family)
    return s
"""


def listening(session):
    return [one["port"] for one in session.call("session.network")["listening"]]


def test_what_listens_is_told(fresh, server):
    session = fresh()
    with Watcher(server, sessions=[session.id], kinds=["network.listening"]) as watcher:
        assert listening(session) == []
        session.exec(LISTEN + "a = listen('127.0.0.1', 8000)")
        told = watcher.until("network.listening", ports=[8000])[-1]
        assert told["began"] == [8000] and listening(session) == [8000]
        session.exec("b = listen('', 80 + 9000); c = listen('::1', 7000, socket.AF_INET6); "
                     "d = listen('::', 7001, socket.AF_INET6); x = listen('127.0.0.7', 7002); "
                     "e = socket.create_server(('', 8000 + 1), reuse_port=True); "
                     "f = socket.create_server(('', 8000 + 1), reuse_port=True)")
        watcher.until("network.listening", ports=[7000, 7001, 8000, 8001, 9080])
        session.exec("a.close(); c.close(); e.close()")
        watcher.until("network.listening", ports=[7001, 8001, 9080])
        session.exec("b.close(); d.close(); f.close(); x.close()")
        watcher.until("network.listening", ports=[])
        assert listening(session) == []
        # What a killed process listened on is closed, too.
        session.exec("import subprocess, sys; child = subprocess.Popen([sys.executable, '-m', 'http.server', '8005'])")
        watcher.until("network.listening", ports=[8005])
        session.exec("child.kill(); child.wait()")
        watcher.until("network.listening", ports=[])


def test_more_listeners_than_are_told(fresh, server):
    session = fresh()
    with Watcher(server, sessions=[session.id], kinds=["network.listening"]) as watcher:
        session.exec(LISTEN + "many = [listen('127.0.0.1', 20000 + i) for i in range(300)]")
        lowest = [20000 + i for i in range(64)]
        watcher.until("network.listening", ports=lowest)
        assert listening(session) == lowest
        session.exec("for one in many: one.close()")
        watcher.until("network.listening", ports=[])


def test_where_nobody_listens_the_client_is_reset(fresh, client):
    session = fresh()
    address = opened(session, 8002)
    with connect(address) as sock, pytest.raises(ConnectionResetError):
        sock.recv(1)
    visit = records(client, session)[-1]
    assert (visit["kind"], visit["reason"], visit["port"], visit["address"]) == ("visit", "refused", 8002, address)
    served(session, ECHO.replace("8001", "8002"))
    assert exchange(address, b"now") == b"nowend"


def test_a_server_that_dies_resets_its_clients(fresh):
    session = fresh()
    address = opened(session, 8003)
    served(session, """
import subprocess, sys
code = "import socket\\ns = socket.create_server(('', 8003)); print(flush=True)\\nc = s.accept()[0]; c.sendall(b'x'); c.recv(1)\\n" \\
       "import struct; c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
child.stdout.read(1)
""")
    with connect(address) as sock:
        assert sock.recv(1) == b"x"
        sock.sendall(b"y")
        with pytest.raises(ConnectionResetError):
            sock.recv(1)


def test_a_port_gives_no_way_out(fresh):
    session = fresh()
    served(session, ECHO)
    assert exchange(opened(session, 8001), b"x") == b"xend"
    cell = session.exec("""
import errno, socket
for address in ("10.0.0.1", "198.18.0.1", "8.8.8.8"):
    try:
        socket.create_connection((address, 80), 20)
    except OSError as e:
        print(errno.errorcode[e.errno])
print(repr(open("/etc/resolv.conf").read()), open("/proc/net/route").read().count("\\n"))
""")
    assert out(cell).split("\n")[:4] == ["ENETUNREACH"] * 3 + ["'' 1"], err(cell)
    assert session.get()["network"] == "none"


def test_ports_and_a_network_at_the_same_time(fresh, client):
    session = fresh()
    served(session, ECHO)
    address = opened(session, 8001)
    client.call("session.network", session=session.id, network={"allow": ["app.test"]})
    assert exchange(address, b"with") == b"withend"
    client.call("session.network", session=session.id, network="none")
    assert exchange(address, b"without") == b"withoutend"


def test_all_of_it_is_told_and_recorded(fresh, server):
    session = fresh()
    served(session, ECHO)
    with Watcher(server, sessions=[session.id], kinds=["network.port", "network.visit"]) as watcher, \
            server.client() as alice:
        alice.call("hello", client="alice")
        address = alice.call("session.port_open", session=session.id, port=8001)["address"]
        told = watcher.until("network.port")[-1]
        assert (told["port"], told["address"], told["action"], told["client"]) == (8001, address, "opened", "alice")
        assert exchange(address, b"abc") == b"abcend"
        told = watcher.until("network.visit")[-1]
        assert (told["port"], told["received"], told["sent"], told.get("reason")) == (8001, 3, 6, None)
        with connect(address) as sock:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"
            alice.call("session.port_close", session=session.id, port=8001)
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        assert watcher.until("network.port")[-1]["action"] == "closed"
        with pytest.raises(OSError):
            connect(address)
        assert [(one["kind"], one["reason"], one["client"], one["received"], one["sent"])
                for one in records(alice, session)] == [
            ("port", "opened", "alice", 0, 0), ("visit", None, None, 3, 6),
            ("port", "closed", "alice", 0, 0), ("visit", "port_closed", None, 1, 1)]
        with pytest.raises(Failure) as e:
            alice.call("session.port_close", session=session.id, port=8001)
        assert e.value.kind == "not_found"


def test_what_listened_before_it_slept_is_told(fresh):
    session = fresh()
    served(session, ECHO)
    session.call("session.sleep")
    with pytest.raises(Failure) as e:
        session.call("session.network", network={"allow": ["a.test"]})
    assert e.value.kind == "busy" and "asleep" in str(e.value)
    assert session.get()["state"] == "asleep"
    session.call("session.wake")
    assert listening(session) == [8001]
    assert exchange(opened(session, 8001), b"awake") == b"awakeend"


@pytest.mark.parametrize("where, kind", [
    ({"address": "0.0.0.0:0"}, "invalid_input"), ({"address": "192.0.2.1:80"}, "invalid_input"),
    ({"unix": "relative"}, "invalid_input"), ({"unix": "/nowhere/at/all"}, "invalid_input"),
    ({"unix": "/tmp"}, "busy"), ({"unix": "/tmp/x", "address": "127.0.0.1:0"}, "invalid_input"),
    ({"port": 0}, "invalid_input"), ({"port": 65536}, "invalid_input")], ids=str)
def test_places_that_there_are_not(fresh, where, kind):
    session = fresh()
    with pytest.raises(Failure) as e:
        session.call("session.port_open", **{"port": 8000, **where})
    assert e.value.kind == kind
    assert session.call("session.network")["ports"] == []


def test_ports_from_the_command_line(server, fresh, tmp_path):
    session = fresh()
    served(session, SERVE)

    def glassbell(*words, status=0):
        done = subprocess.run([BINARY, "port", "--socket", server.socket, session.id, *words], capture_output=True,
                              text=True, timeout=120, check=False, cwd=tmp_path)
        assert done.returncode == status, done.stderr
        return done.stdout

    address = glassbell("8000").strip()
    assert curl(address, "/cli") == b"/cli"
    assert glassbell("8000", "--unix", "here.sock").strip() == str(tmp_path / "here.sock")
    assert curl(str(tmp_path / "here.sock"), "/cli") == b"/cli"
    assert [line.split(", ")[0] for line in glassbell().splitlines()] == [f"8000 at {address}",
                                                                         f"8000 at {tmp_path}/here.sock"]
    glassbell("8000", "--close", "--address", address)
    assert glassbell().splitlines() == [f"8000 at {tmp_path}/here.sock, 0 open of 1 connections"]
    glassbell("8000", "--close")
    assert glassbell() == "8000 listens in the session\n" and not (tmp_path / "here.sock").exists()
    for words in (("0",), ("1.5",), ("x",), ("1", "2"), ("--close",), ("1", "--unix", "a", "--address", "b")):
        glassbell(*words, status=2)
    shown = subprocess.run([BINARY, "log", "--socket", server.socket, "--network", session.id], capture_output=True,
                           text=True, timeout=120, check=False).stdout
    assert f"port 8000 at {address} opened" in shown and f"port 8000 from {address}, " in shown


def test_a_node_server(server):
    from support import Session
    with server.client() as client:
        session = Session(client, "javascript")
        served(session, "require('http').createServer((q, a) => a.end('node ' + q.url)).listen(8000); 0")
        assert curl(opened(session, 8000), "/js") == b"node /js"
        session.close()
