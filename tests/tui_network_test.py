# SPDX-License-Identifier: Apache-2.0
"""The network of a session in the front end: its connections, its ports, its questions; and the list's column."""

import subprocess

import pytest
from support import Session, out, wait_for
from terminal import NOW, FakeServer, front_end, made_up

CONNECT = """
import errno, socket
def connect(host, port):
    try:
        with socket.create_connection((host, port), 120) as s: return s.recv(5).decode()
    except OSError as e: return errno.errorcode.get(e.errno, repr(e))
"""
SERVE = """
import http.server, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"from the guest")
    def log_message(self, *_): pass
web = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler)
threading.Thread(target=web.serve_forever, daemon=True).start()
"""


@pytest.fixture
def networked(client, port):
    session = Session(client, label="networked", idle_ms=0, network={
        "rules": [f"allow one.test :{port} private tcp", f"ask two.test :{port} private tcp", "resolve one.test 127.0.0.1",
                  "resolve two.test 127.0.0.1"]})
    assert session.exec(CONNECT, timeout_ms=120000)["exit_code"] == 0
    yield session
    session.close()


def test_connections_and_a_question(server, networked, port, tmp_path):
    """A row for each connection, with what became of it; a question is the first row, and decided there."""
    with front_end(tmp_path, server.socket, columns=160, rows=40) as terminal:
        terminal.wait("networked", "NET")
        terminal.command("open networked")
        terminal.wait("def connect")
        terminal.keys("6")
        terminal.wait("network rules: 0 open, 0 in all, 0 refused")
        assert out(networked.exec(f"print(connect('one.test', {port}), connect('three.test', {port}))",
                                  timeout_ms=120000)).startswith("hello ")
        terminal.wait("1 in all, ", f"one.test:{port}", "127.0.0.1", "[2]", "5B", "three.test", "refused", "no_rule",
                      f"allow one.test :{port}")
        pending = networked.send(f"print(connect('two.test', {port}))", timeout_ms=240000)
        terminal.wait(f"cell 3 asks to connect to two.test port {port}")
        terminal.keys("g", "Enter")
        terminal.wait("CONNECTION", "this session")
        terminal.keys("y")
        terminal.wait("this time", "answered", "2 in all", without=["asks to connect"])
        assert out(pending.wait()) == "hello\n"
        # The cursor stays on its row while others come above it.
        terminal.keys("G")
        last = next(line for line in reversed(terminal.screen().splitlines()) if line.startswith(" host"))
        networked.exec(f"connect('one.test', {port})", timeout_ms=120000)
        terminal.wait("3 in all")
        assert last in terminal.screen()


def test_a_port_is_opened_and_its_address_copied(server, client, tmp_path):
    session = Session(client, label="serves", idle_ms=0)
    with front_end(tmp_path, server.socket) as terminal:
        terminal.tmux("set-option", "-s", "set-clipboard", "on")
        terminal.wait("serves")
        terminal.command("open serves")
        terminal.keys("6")
        terminal.wait("it has used no network, and no program in it listens")
        assert session.exec(SERVE, timeout_ms=120000)["exit_code"] == 0
        terminal.wait("listening: 8000", "Enter opens it on this machine")
        terminal.keys("Enter")
        terminal.wait("port 8000 is at 127.0.0.1:", "which is in the clipboard", "0 open, 0 in all")
        address = client.call("session.network", session=session.id)["ports"][0]["address"]
        wait_for(lambda: terminal.tmux("show-buffer") == address)
        done = subprocess.run(["curl", "-sS", "--max-time", "120", f"http://{address}/"], capture_output=True, check=True)
        assert done.stdout == b"from the guest"
        terminal.wait("0 open, 1 in all", "port 8000")
        # Once more: it is open already. And by its number, also where nobody listens.
        terminal.tmux("set-buffer", "else")
        terminal.keys("g", "Enter")
        terminal.wait(f"{address} is in the clipboard")
        wait_for(lambda: terminal.tmux("show-buffer") == address)
        terminal.command("port 9000")
        terminal.wait("port: 9000", "nobody listens")
        terminal.command("port 70000")
        terminal.wait("port takes the number of a port of the session")
        terminal.keys("g", "D")
        terminal.wait("the port is closed", "Enter opens it on this machine")
        assert [each["port"] for each in client.call("session.network", session=session.id)["ports"]] == [9000]
        terminal.keys("G", "D")
        terminal.wait("the cursor is not on a port that is open")
    session.close()


def test_new_rules_are_shown_at_once(server, client, tmp_path):
    """Also in the list, whoever sets them."""
    session = Session(client, label="changing", idle_ms=0)
    with front_end(tmp_path, server.socket, columns=160, rows=40) as terminal:
        terminal.wait("changing", without=[" NET"])
        client.call("session.network", session=session.id, network={"allow": ["a.test"]})
        terminal.wait("changing", " NET", "rules")
        terminal.command("open changing")
        terminal.keys("6")
        terminal.wait("network rules: 0 open", "allow a.test")
        client.call("session.network", session=session.id, rules=["deny b.test"])
        terminal.wait("deny b.test")
        client.call("session.network", session=session.id, network="none")
        terminal.wait("network none: 0 open")
    session.close()


class Log(FakeServer):
    """Sessions, one of which has a long log; each page of it is told as asked for, and what was is counted."""
    secrets = None

    def __init__(self, folder, records=0, network="index", **changes):
        self.records, self.error = records, None
        super().__init__(folder, [made_up(0, label="plain", cells=0),
                                  made_up(1, label="reaching", network=network, cells=0, **changes)])

    def _answer(self, connection, call):
        params = call.get("params", {})
        if call["method"] == "session.network" and self.error is None:
            self.reply(connection, call, {"network": "index", "rules": "", "open": 0, "opened": self.records, "denied": 0,
                                          "received": 0, "sent": 0, "questions": [], "ports": [], "listening": [],
                                          **({"secrets": self.secrets} if self.secrets else {})})
        elif call["method"] == "session.network_log" and self.error is None:
            last = min(params["after"] + params["limit"], self.records)
            self.reply(connection, call, {"records": [self.record(number) for number in range(params["after"] + 1, last + 1)],
                                          "more": last < self.records, **({"next": last} if last < self.records else {})})
        elif call["method"].startswith("session.network"):
            self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": self.error})
        else:
            super()._answer(connection, call)

    @staticmethod
    def record(number):
        return {"number": number, "at": 1.7e9 + number, "kind": "connection", "cell": 1, "connection": number,
                "name": f"host-{number}.test", "address": "192.0.2.1", "port": 443, "line": 1, "rule": "allow *",
                "received": number, "sent": 1, "ms": 1.5, "reason": None, "client": None}


def asked(server):
    return [call["params"]["after"] for call in server.calls if call["method"] == "session.network_log"]


def test_a_long_log_is_read_once_and_bounded(tmp_path):
    """5,000 records: read in pages, each once; the newest are kept; a storm of events asks for one page at a time."""
    with Log(tmp_path, 5000) as server, front_end(tmp_path, server.path, columns=120, rows=40) as terminal:
        terminal.wait("reaching")
        terminal.command("open reaching")
        terminal.wait("no cell yet")
        assert asked(server) == []
        terminal.keys("6")
        terminal.wait("host-5000.test:443")
        assert asked(server) == list(range(0, 5000, 500))
        terminal.keys("G")
        screen = terminal.wait("host-3001.test:443")
        assert "host-3000.test" not in screen
        before = len(asked(server))
        server.records = 5300
        for number in range(5001, 5301):
            server.tell("network.visit", session=server.sessions[1]["session"], port=number)
        terminal.keys("g")
        terminal.wait("host-5300.test:443")
        assert len(asked(server)) - before < 100


def test_a_log_without_an_end_is_not_asked_for_again_and_again(tmp_path):
    """`more`, and no new record: what the server says is not believed."""
    class Endless(Log):
        def _answer(self, connection, call):
            if call["method"] == "session.network_log":
                self.reply(connection, call, {"records": [self.record(1)], "more": True, "next": 1})
            else:
                super()._answer(connection, call)
    with Endless(tmp_path, 1) as server, front_end(tmp_path, server.path) as terminal:
        terminal.wait("reaching")
        terminal.command("open reaching")
        terminal.keys("6")
        terminal.wait("host-1.test:443")
        for key in "jkjkjkjk":
            terminal.keys(key)
        terminal.keys("1")
        terminal.wait("no cell yet")
        assert asked(server) == [0, 1]


def test_keys_act_on_what_is_seen(tmp_path):
    """A row comes on top while the cursor is on the first one: the key after it is for the one that was there."""
    class Ports(Log):
        ports = [8000]

        def _answer(self, connection, call):
            if call["method"] == "session.network":
                self.reply(connection, call, {"network": "index", "rules": "", "open": 0, "opened": 0, "denied": 0,
                                              "received": 0, "sent": 0, "questions": [], "listening": [],
                                              "ports": [{"port": port, "address": f"127.0.0.1:{port}", "open": 0, "opened": 0,
                                                         "received": 0, "sent": 0} for port in self.ports]})
            else:
                super()._answer(connection, call)
    with Ports(tmp_path) as server, front_end(tmp_path, server.path, columns=120) as terminal:
        session = server.sessions[1]["session"]
        terminal.wait("reaching")
        terminal.command("open reaching")
        terminal.keys("6")
        terminal.wait("port: 8000")
        server.ports = [8000, 9000]
        server.tell("network.port", session=session, port=9000)
        terminal.wait("port: 9000")
        terminal.keys("j")  # on 9000
        server.ports = [7000, 9000]
        server.tell("network.port", session=session, port=7000)
        terminal.wait("port: 7000", without=["port: 8000"])
        terminal.keys("D")
        closed = wait_for(lambda: [call["params"]["port"] for call in server.calls if call["method"] == "session.port_close"])
        assert closed == [9000]


def test_the_question_under_the_cursor_is_decided(tmp_path):
    """Not the oldest one; and Enter for the oldest leaves the others."""
    with Log(tmp_path, 0) as server, front_end(tmp_path, server.path, columns=120) as terminal:
        session = server.sessions[1]["session"]
        terminal.wait("reaching")
        for number, name in ((1, "one.test"), (2, "two.test"), (3, "three.test")):
            server.tell("network.question", session=session, question=number, info={
                "question": number, "name": name, "address": None, "port": 443, "cell": None, "connections": 1,
                "at": NOW, "until": NOW + 600})
        terminal.command("open reaching")
        terminal.keys("6")
        terminal.wait("one.test", "two.test", "three.test")
        terminal.keys("g", "j", "Enter")
        terminal.wait("CONNECTION", "two.test port 443")
        terminal.keys("y")
        answers = wait_for(lambda: [call["params"] for call in server.calls if call["method"] == "session.network_answer"])
        assert answers == [{"session": session, "question": 2, "answer": "once"}]


def test_the_error_of_a_server_is_shown(tmp_path):
    with Log(tmp_path, 0) as server, front_end(tmp_path, server.path) as terminal:
        server.error = {"code": -32000, "message": "this server keeps no journal", "data": {"kind": "unsupported"}}
        terminal.wait("reaching")
        terminal.command("open reaching")
        terminal.keys("6")
        terminal.wait("this server keeps no journal")
        asked_for = len(asked(server))
        terminal.keys("j", "k", "Enter", "D")
        terminal.wait("the cursor is not on a port that is open")
        assert len(asked(server)) == asked_for


def test_hostile_names_cannot_paint(tmp_path):
    class Hostile(Log):
        @staticmethod
        def record(number):
            return {**Log.record(number), "name": "\x1b[2J\u202e" + "x" * 250, "rule": "\x07" * 90, "port": 2**32 - 1,
                    "received": 2**53, "sent": 2**53, "ms": 1e300 if number == 2 else -1, "cell": None,
                    "kind": ["connection", "denied", "policy", "answer", "end", "request", "port", "visit", "nonsense"][number % 9]}
    with Hostile(tmp_path, 30) as server, front_end(tmp_path, server.path, columns=200, rows=60) as terminal:
        terminal.wait("reaching")
        terminal.command("open reaching")
        terminal.keys("6")
        terminal.wait("30 in all")
        for _ in range(30):
            terminal.keys("j")
        for size in ((40, 12), (80, 24), (120, 40)):
            terminal.resize(*size)
            terminal.wait("30 in all")
        terminal.keys("1")
        terminal.wait("no cell yet")


def test_the_secrets_of_a_session_are_named(tmp_path):
    class Secret(Log):
        secrets = "API \x1b[2JTOKEN " + "X" * 900
    with Secret(tmp_path) as server, front_end(tmp_path, server.path, columns=160, rows=40) as terminal:
        terminal.wait("reaching")
        terminal.command("open reaching")
        terminal.keys("6")
        terminal.wait("network index, secrets API ", "TOKEN XXX")


def test_the_list_has_a_column_and_a_filter(tmp_path):
    """The column is there if some session has a network."""
    with Log(tmp_path) as server, front_end(tmp_path, server.path, columns=160, rows=40) as terminal:
        screen = terminal.wait("reaching", "NET", "index")
        assert not any("none" in line for line in screen.splitlines() if "plain" in line and "STATE" not in line)
        for text, there, gone in (("net=index", "reaching", "plain"), ("net=none", "plain", "reaching")):
            terminal.keys("/")
            terminal.type(text)
            terminal.wait(there, "1 of 2", without=[gone])
            terminal.keys("C-c")
            terminal.wait("plain", "reaching")
        terminal.command("sort net")
        terminal.wait("reaching", "plain")
    (tmp_path / "none").mkdir()
    with Log(tmp_path / "none", network="none") as server, \
            front_end(tmp_path / "none", server.path, columns=160, rows=40) as terminal:
        terminal.wait("reaching", without=[" NET"])
