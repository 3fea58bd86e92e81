# SPDX-License-Identifier: Apache-2.0
"""A network by permission: what a program in a guest reaches, and what it is told where it may not."""

import contextlib
import http.server
import json
import socket
import ssl
import subprocess
import threading

import pytest

from support import BINARY, Failure, Server, Session, Watcher, err, out
from web import serving


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.hosts.append(self.headers["Host"])
        self.answer(self.path.encode() if self.path != "/large" else bytes(range(256)) * 8192)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(f"{len(body)} {sum(body)}".encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web():
    with serving(Handler, hosts=[]) as server:
        yield server


@pytest.fixture
def port(web):
    web.hosts.clear()
    return web.server_address[1]


@pytest.fixture
def refusing():
    """A port at which nobody listens, and nobody else can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


TRY = """
import errno, socket, urllib.request
def tell(what):
    try:
        return what()
    except socket.gaierror as e:
        return {-2: "NONAME", -5: "NODATA", -3: "AGAIN"}.get(e.errno, e.errno)
    except OSError as e:
        e = getattr(e, "reason", e)
        return errno.errorcode.get(e.errno, repr(e))
    except Exception as e:
        return type(e).__name__
def connect(host, port):
    return tell(lambda: socket.create_connection((host, port), 20).close() or "connected")
def send(host, port, data):
    def run():
        with socket.create_connection((host, port), 20) as s:
            s.sendall(data)
            return s.recv(100)
    return tell(run)
"""


def rules(port, *more):
    return {"rules": [f"allow app.test :{port} http private", "resolve app.test 127.0.0.1", *more]}


def asks(session, *expressions):
    """The values of expressions in the guest."""
    code = TRY + "".join(f"print(repr({one}))\n" for one in expressions)
    cell = session.exec(code, timeout_ms=120000)
    assert cell["exit_code"] == 0, err(cell)
    return [eval(line) for line in out(cell).splitlines()], cell


def test_an_allowed_name_is_reached_and_others_are_not(fresh, port, refusing, web):
    session = fresh(network=rules(port, f"allow gone.test :{refusing} private", "resolve gone.test 127.0.0.1",
                                  "allow private.test :80", "resolve private.test 127.0.0.1"))
    url = f"http://app.test:{port}"
    (got, cell) = asks(session, f"urllib.request.urlopen('{url}/one').read()", f"connect('gone.test', {refusing})",
                       "connect('app.test', 22)", "connect('other.test', 80)", "connect('private.test', 80)",
                       f"connect('127.0.0.1', {port})", f"connect('APP.test.', {port})")
    assert got == [b"/one", "ECONNREFUSED", "EHOSTUNREACH", "NONAME", "EHOSTUNREACH", "ECONNREFUSED", "connected"]
    assert web.hosts == [f"app.test:{port}"]
    refused = cell["network_refused"]
    assert refused == [f"gone.test:{refusing} (refused)", "app.test:22 (no_rule)", "other.test (no_rule)",
                       "private.test:80 (private_address)"]


@pytest.mark.parametrize("address", ["10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254",
                                     "8.8.8.8", "198.18.9.9", "0.1.2.3", "2130706434.1", "::ffff:10.0.0.1"])
def test_addresses_are_unreachable_by_names_policies(fresh_once, address):
    (got, cell) = asks(fresh_once, f"connect('{address}', 80)")
    if address == "2130706434.1":
        assert got[0] in ("NONAME", "EHOSTUNREACH")
        return
    reason = "no_name" if address.startswith("198.18.") else "no_rule"
    assert got == ["EHOSTUNREACH"] and cell["network_refused"] == [f"{address.removeprefix('::ffff:')}:80 ({reason})"]


@pytest.mark.parametrize("address, error", [("2001:db8::1", "ENETUNREACH"), ("fd00:ec2::254", "ENETUNREACH"),
                                            ("64:ff9b::808:808", "ENETUNREACH"), ("::10.0.0.1", "ENETUNREACH"),
                                            ("127.0.0.1", "ECONNREFUSED"), ("0.0.0.0", "ECONNREFUSED"),
                                            ("::1", "ECONNREFUSED"), ("224.0.0.1", "ENETUNREACH")])
def test_what_never_leaves_the_guest(fresh_once, address, error):
    (got, cell) = asks(fresh_once, f"connect('{address}', 81)")
    assert got == [error] and "network_refused" not in cell


@pytest.mark.parametrize("make, error", [
    ("socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)", "EPERM"),
    ("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "EAFNOSUPPORT"),
    ("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)", "EAFNOSUPPORT"),
    ("socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)", "EPROTONOSUPPORT")], ids=str)
def test_sockets_that_there_are_not(fresh_once, make, error):
    assert asks(fresh_once, f"tell(lambda: {make} and 'made')")[0] == [error]


def test_other_questions_for_a_name_have_no_answer(fresh_once):
    (got, cell) = asks(fresh_once, "tell(lambda: socket.getaddrinfo('app.test', 80, socket.AF_INET6))",
                       "tell(lambda: socket.getaddrinfo('a' * 64 + '.test', 80))",
                       "tell(lambda: socket.getaddrinfo('xn--pp-eka.test', 80))",
                       "tell(lambda: socket.getaddrinfo('app.test.evil', 80))")
    assert {"xn--pp-eka.test (no_rule)", "app.test.evil (no_rule)"} <= set(cell["network_refused"])
    assert got[0] in ("NODATA", "NONAME") and got[2:] == ["NONAME", "NONAME"]
    assert got[1] in ("NONAME", "UnicodeEncodeError", "UnicodeError")


def test_bytes_arrive_whole_both_ways(fresh, port):
    session = fresh(network=rules(port))
    (got, _) = asks(session, f"sum(urllib.request.urlopen('http://app.test:{port}/large').read())",
                    f"urllib.request.urlopen('http://app.test:{port}/', bytes(range(256)) * 4096).read()")
    assert got == [255 * 128 * 8192, f"{256 * 4096} {255 * 128 * 4096}".encode()]


@pytest.mark.parametrize("request_of", [
    b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n", b"CONNECT other.test:80 HTTP/1.1\r\nHost: app.test\r\n\r\n",
    b"GET http://other.test/ HTTP/1.1\r\nHost: app.test\r\n\r\n", b"SSH-2.0-x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"], ids=repr)
def test_requests_for_another_host_break_the_connection(once_at, request_of, web):
    session, at = once_at
    web.hosts.clear()
    data = request_of.replace(b"Host: app.test\r", f"Host: app.test:{at}\r".encode())
    (got, cell) = asks(session, f"send('app.test', {at}, {data!r})")
    assert got == ["ECONNRESET"] and web.hosts == []
    assert cell["network_refused"] == [f"app.test:{at} (other_host)"]


def hello(name):
    """What a TLS client sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def test_the_server_name_of_tls_is_held_against_the_name(fresh):
    came = []

    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            for _ in range(4):
                with listener.accept()[0] as connection, contextlib.suppress(ConnectionResetError):
                    data = connection.recv(100000)
                    came.append(data)
                    if data:
                        connection.sendall(b"taken")
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        at = listener.getsockname()[1]
        session = fresh(network={"rules": [f"allow app.test :{at} tls private", "resolve app.test 127.0.0.1"]})
        good = hello("app.test")
        (got, cell) = asks(session, *(f"send('app.test', {at}, {data!r})"
                                      for data in (good, hello("other.test"), hello(None), b"GET / HTTP/1.1\r\n")))
    assert got == [b"taken", "ECONNRESET", "ECONNRESET", "ECONNRESET"]
    assert came[0] == good and not any(came[1:])
    assert cell["network_refused"] == [f"app.test:{at} ({why})" for why in
                                       ("other_server_name", "no_server_name", "not_tls")]


def test_without_a_network_nothing_of_it_is_there(fresh):
    session = fresh()
    (got, cell) = asks(session, "connect('10.0.0.1', 80)", "connect('app.test', 80)", "open('/etc/resolv.conf').read()",
                       *(f"open('/proc/net/{name}').read().count('\\n')" for name in ("route", "tcp", "udp", "raw")),
                       "[one for one in __import__('os').listdir('/proc') if one.isdigit() and "
                       "open(f'/proc/{one}/comm').read() == 'netd\\n']")
    assert got == ["ENETUNREACH", "AGAIN", "", 1, 1, 1, 1, []] and "network_refused" not in cell
    assert session.get()["network"] == "none"


def test_it_is_changed_while_the_session_runs(fresh, client, port):
    session = fresh()
    connect = f"connect('app.test', {port})"
    assert asks(session, connect)[0] == ["AGAIN"]
    shown = client.call("session.network", session=session.id, network=rules(port))
    assert shown["network"] == "rules" and f"allow app.test :{port} http private" in shown["rules"]
    assert asks(session, connect)[0] == ["connected"]
    client.call("session.network", session=session.id, rules=["deny app.test"])
    assert asks(session, connect)[0] == ["NONAME"]
    assert client.call("session.network", session=session.id, network="none")["network"] == "none"
    assert asks(session, connect, "open('/etc/resolv.conf').read()")[0] == ["AGAIN", ""]
    client.call("session.network", session=session.id, network=rules(port))
    assert asks(session, connect)[0] == ["connected"]


def test_a_network_that_goes_breaks_what_is_open(fresh, client, port):
    """The program is told by packets, for which the guest's route has to be there yet."""
    session = fresh(network=rules(port))
    for _ in range(3):
        session.exec(TRY + f"s = socket.create_connection(('app.test', {port}), 60)")
        client.call("session.network", session=session.id, network="none")
        assert asks(session, "tell(lambda: s.recv(1))")[0] == ["ECONNRESET"]
        gone = "list(iter(lambda: open('/proc/net/route').read().count('\\n'), 1)) is None"  # a moment later
        assert asks(session, gone, "connect('10.0.0.1', 80)")[0] == [False, "ENETUNREACH"]
        client.call("session.network", session=session.id, network=rules(port))
        assert asks(session, f"connect('app.test', {port})")[0] == ["connected"]


def test_a_rule_that_goes_breaks_what_stood_on_it(fresh, client, port):
    session = fresh(network=rules(port))
    session.exec(TRY + f"s = socket.create_connection(('app.test', {port}))")
    client.call("session.network", session=session.id, rules=["deny app.test"])
    assert asks(session, "tell(lambda: s.recv(1))")[0] == ["ECONNRESET"]
    records = client.call("session.network_log", session=session.id)["records"]
    assert [one["reason"] for one in records if one["name"] == "app.test"] == ["no_rule"]


def test_events_tell_what_happens(fresh, server, port):
    session = fresh(network=rules(port))
    kinds = {"network.open", "network.denied", "network.closed"}
    with Watcher(server, sessions=[session.id], kinds=sorted(kinds)) as watcher:
        asks(session, f"urllib.request.urlopen('http://app.test:{port}/x').read()", "connect('other.test', 80)")
        told = {}
        while not kinds <= told.keys():
            event = watcher.next()
            told.setdefault(event["kind"], event)
    assert told["network.open"]["name"] == "app.test" and told["network.open"]["address"] == "127.0.0.1"
    assert told["network.closed"]["received"] > 0 and told["network.closed"]["sent"] > 0
    assert [told[kind].get("cell") for kind in sorted(kinds)] == [1, 1, 1]
    assert told["network.denied"]["name"] == "other.test" and told["network.denied"]["reason"] == "no_rule"


def test_many_refusals_are_bounded(fresh_once):
    (got, cell) = asks(fresh_once, "[connect(f'10.0.0.{i}', 80) for i in range(20)]", "connect('10.0.0.1', 80)")
    assert got == [["EHOSTUNREACH"] * 20, "EHOSTUNREACH"] and len(cell["network_refused"]) == 8
    assert "network_refused" not in asks(fresh_once, "1")[1]


def test_limits_of_the_settings(port, tmp_path):
    config = tmp_path / "settings"
    config.write_text("[sessions]\nnetwork_connections = 2\nnetwork_bytes = 3M\nnetwork_names = 3\n")
    url = f"http://app.test:{port}"
    with Server("--config", str(config)) as server, server.client() as client:
        session = Session(client, "python", network=rules(port, "allow *.test"))
        (got, cell) = asks(session, "connect('app.test', 1)", "connect('a.test', 1)", "connect('b.test', 1)",
                           "connect('c.test', 1)")
        assert got[:3] == ["EHOSTUNREACH"] * 3 and got[3] in ("AGAIN", "NODATA")
        assert cell["network_refused"][3] == "c.test (too_many_names)"
        held = f"held = [socket.create_connection(('app.test', {port})) for i in range(2)]\n"
        cell = session.exec(TRY + held + f"print([connect('app.test', {port})])\nfor one in held: one.close()")
        assert out(cell) == "['EHOSTUNREACH']\n" and cell["network_refused"] == [
            f"app.test:{port} (too_many_connections)"]
        while client.call("session.network", session=session.id)["open"] > 0:
            pass
        (got, cell) = asks(session, f"len(urllib.request.urlopen('{url}/large').read())",
                           f"tell(lambda: len(urllib.request.urlopen('{url}/large').read()))",
                           f"connect('app.test', {port})")
        assert got == [256 * 8192, "ECONNRESET", "EHOSTUNREACH"]
        assert cell["network_refused"] == [f"app.test:{port} (too_many_bytes)"]
        figures = client.call("session.network", session=session.id)
        assert 2 << 20 < figures["received"] + figures["sent"] < (3 << 20) + (64 << 10)
    config.write_text("[sessions]\nnetwork_connections = 0\n")
    done = subprocess.run([BINARY, "serve", "--config", str(config)], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "network_connections" in done.stderr


def test_presets_are_the_indexes_of_the_host(tmp_path, monkeypatch):
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://me:word@index.test:8443/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "ftp://index.test/")
    with Server() as server, server.client() as client:
        session = Session(client, "python", network="python")
        shown = client.call("session.network", session=session.id)
        assert shown["network"] == "python" and "allow index.test :8443 tls" in shown["rules"].splitlines()
        assert asks(session, "connect('other.test', 443)")[0] == ["NONAME"]
        with pytest.raises(Failure) as caught:
            client.call("session.open", image="python", network="node")
        assert caught.value.kind == "invalid_input" and "npm" in str(caught.value)


@pytest.mark.parametrize("network, kind", [
    ("nobody", "invalid_input"), ({"rules": ["permit x"]}, "invalid_input"), ({}, "invalid_input"), (5, "invalid_input"),
    ({"allow": "app.test"}, "invalid_input"), ({"allow": ["a :0"]}, "invalid_input"),
    ({"rules": ["allow a\ndeny b"]}, "invalid_input")], ids=str)
def test_what_is_no_policy_is_refused(client, network, kind):
    with pytest.raises(Failure) as caught:
        client.call("session.open", image="python", network=network)
    assert caught.value.kind == kind


def test_from_the_command_line(server, fresh, port, tmp_path):
    policy = tmp_path / "policy"
    policy.write_text(f"# for a test\nallow app.test :{port} http private\nresolve app.test 127.0.0.1\n")

    def glassbell(verb, *words):
        return subprocess.run([BINARY, verb, "--socket", server.socket, *words], capture_output=True, text=True,
                              timeout=120, check=False)

    code = f"import urllib.request; print(urllib.request.urlopen('http://app.test:{port}/cli').read())"
    done = glassbell("run", "--net", policy, "-c", code)
    assert done.returncode == 0 and done.stdout == "b'/cli'\n", done.stderr
    session = fresh()
    done = glassbell("network", session.id, "allow", "a.test", ":81")
    assert done.stdout.startswith("# rules: 0 open of 0") and done.stdout.endswith("allow a.test :81\n"), done.stderr
    assert glassbell("network", session.id, "--net", "deny a.test; allow b.test").stdout.endswith(
        "\ndeny a.test\nallow b.test\n")
    assert glassbell("network", session.id, "--net", "none").stdout.startswith("# none:")
    assert glassbell("network", session.id, "permit", "a.test").returncode == 2


def log_of(client, session):
    """All records of its network, a few at a time."""
    records, after = [], 0
    while True:
        page = client.call("session.network_log", session=session.id, after=after, limit=3)
        records += page["records"]
        if not page["more"]:
            return records
        assert page["next"] == page["records"][-1]["number"] > after
        after = page["next"]


def test_each_connection_is_recorded_when_it_has_ended(fresh, client, port, refusing):
    session = fresh(network=rules(port, f"allow gone.test :{refusing} private", "resolve gone.test 127.0.0.1"))
    rule = f"allow app.test :{port} http private"
    (_, cell) = asks(session, f"len(urllib.request.urlopen('http://app.test:{port}/large').read())",
                     f"connect('gone.test', {refusing})", "connect('other.test', 80)", "connect('10.0.0.1', 81)")
    session.exec(TRY + f"s = socket.create_connection(('app.test', {port})); s.sendall(b'GET')")
    session.close()
    policy, *records, end = log_of(client, session)
    assert policy["kind"] == "policy" and policy["name"] == "rules" and rule in policy["rule"].splitlines()
    kept = [(one["kind"], one["name"], one.get("address"), one.get("port"), one["reason"], one["cell"])
            for one in records]
    number = cell["cell"]
    assert sorted(kept, key=str) == sorted([
        ("connection", "app.test", "127.0.0.1", port, None, number),
        ("denied", "gone.test", None, refusing, "refused", number),
        ("denied", "other.test", None, None, "no_rule", number),
        ("denied", None, "10.0.0.1", 81, "no_rule", number),
        ("connection", "app.test", "127.0.0.1", port, "session_ended", number + 1)], key=str)
    got, last = (one for one in records if one["kind"] == "connection")
    assert got["rule"] == rule and got["received"] > 256 * 8192 and got["sent"] > 0 and got["ms"] > 0
    assert last["received"] == last["sent"] == 0  # an incomplete request is not passed on
    assert end["kind"] == "end" and end["received"] == got["received"] and end["sent"] == got["sent"]
    assert [one["number"] for one in records] == sorted(one["number"] for one in records)


def test_records_of_a_busy_guest_are_bounded_and_counted(fresh, client):
    session = fresh(network={"rules": ["deny *"]})
    code = TRY + "print({connect('10.0.0.1', 1 + i % 9) for i in range(1100)})"
    cell = session.exec(code, timeout_ms=240000)
    assert out(cell) == "{'EHOSTUNREACH'}\n", err(cell)
    session.close()
    records = log_of(client, session)
    written, left_out = len(records) - 2, sum(one.get("left_out", 0) for one in records)
    assert records[-1]["kind"] == "end" and left_out > 0
    assert 1000 <= written + 1 and written + left_out == 1100


def test_who_changed_the_rules_is_recorded(fresh, server, client):
    """And told at once to whoever watches."""
    session = fresh()
    assert log_of(client, session) == []
    with server.client() as alice, Watcher(server, sessions=[session.id], kinds=["network.changed"]) as watcher:
        alice.call("hello", client="alice")
        alice.call("session.network", session=session.id, network={"allow": ["a.test"]})
        alice.call("session.network", session=session.id, rules=["deny b.test"])
        alice.call("session.network", session=session.id, network="none")
        alice.call("session.network", session=session.id)
        told = [watcher.until("network.changed")[-1] for _ in range(3)]
    assert [(one["session"], one["network"], one["client"]) for one in told] == [
        (session.id, "rules", "alice"), (session.id, "rules", "alice"), (session.id, "none", "alice")]
    records = log_of(client, session)
    assert [(one["kind"], one["client"], one["name"], one["rule"]) for one in records] == [
        ("policy", "alice", "rules", "allow a.test\n"), ("policy", "alice", "rules", "deny b.test\nallow a.test\n"),
        ("policy", "alice", "none", None)]


def test_the_log_of_a_network(server, fresh, port, tmp_path):
    def glassbell(*words):
        done = subprocess.run([BINARY, words[0], "--socket", server.socket, *words[1:]], capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    session = fresh(network=rules(port))
    asks(session, f"urllib.request.urlopen('http://app.test:{port}/x').read()", "connect('other.test', 80)")
    session.close()
    shown = glassbell("log", "--network", session.id).splitlines()
    assert "network rules" in shown[0] and f": allow app.test :{port} http private; resolve" in shown[0]
    assert any(f"[1] app.test:{port} (127.0.0.1), " in line for line in shown)
    assert any(line.endswith("[1] other.test, refused: no_rule") for line in shown)
    records = [json.loads(line) for line in glassbell("log", "--network", "--json", session.id).splitlines()]
    assert len(records) == len(shown) == 4 and records[-1]["kind"] == "end"
    exported = json.loads(glassbell("export", "--format", "json", session.id))
    assert exported["network"] == records and len(exported["cells"]) == 1
    text = glassbell("export", "--format", "md", session.id)
    assert "## Network" in text and "other.test, refused: no\\_rule" in text
    wrong = subprocess.run([BINARY, "log", "--network", "--follow", session.id], capture_output=True, check=False)
    assert wrong.returncode == 2


@pytest.fixture(scope="module")
def once_at(server, web):
    """One session for what changes nothing."""
    at = web.server_address[1]
    with server.client() as client:
        session = Session(client, "python", network=rules(at))
        yield session, at
        session.close()


@pytest.fixture
def fresh_once(once_at):
    return once_at[0]


def test_records_as_events_of_a_schema(fresh, server, port):
    session = fresh(network=rules(port))
    asks(session, f"urllib.request.urlopen('http://app.test:{port}/one').read()", "connect('app.test', 22)",
         "connect('other.test', 80)")
    session.call("session.network", network="none")
    text = subprocess.run([BINARY, "export", "--format", "ocsf", session.id], env=server.env, capture_output=True,
                          text=True, check=True).stdout
    events = [json.loads(line) for line in text.splitlines()]
    assert all(event["category_uid"] == 4 and event["class_uid"] == 4001 and
               event["type_uid"] == 400100 + event["activity_id"] and event["metadata"]["version"] == "1.1.0" and
               event["metadata"]["product"]["name"] == "Glassbell" and
               event["metadata"]["correlation_uid"] == session.id for event in events)
    opened, = [event for event in events if event["activity_id"] == 2]
    assert opened["dst_endpoint"] == {"hostname": "app.test", "ip": "127.0.0.1", "port": port}
    assert opened["src_endpoint"]["instance_uid"] == session.id
    assert opened["connection_info"]["direction_id"] == 2 and opened["connection_info"]["protocol_num"] == 6
    assert opened["traffic"]["bytes_in"] > 0 and opened["traffic"]["bytes_out"] > 0
    assert (opened["status_id"], opened["action_id"], opened["disposition_id"]) == (1, 1, 1)
    assert opened["firewall_rule"]["name"] == f"allow app.test :{port} http private"
    assert opened["end_time"] - opened["start_time"] == opened["duration"] and opened["unmapped"]["cell"] == 1
    refused = [event for event in events if event["activity_id"] == 5]
    assert [(event["dst_endpoint"].get("hostname"), event["dst_endpoint"].get("port"), event["status_id"],
             event["disposition_id"], event["status_detail"]) for event in refused] == [
        ("app.test", 22, 2, 2, "no_rule"), ("other.test", None, 2, 2, "no_rule")]
    assert len(events) == 3  # the policies are none
