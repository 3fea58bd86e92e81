# SPDX-License-Identifier: Apache-2.0
"""Ways around a session's network, tried by programs in a real guest. docs/network-bypass.md has the table of all of
them, each with its test, here or elsewhere: here is also the test of that table."""

import http.server
import re
import socket

import pytest

from support import ROOT, Session, err, out, with_settings
from web import serving

TRY = """
import errno, os, socket, struct
def tell(what):
    try:
        return what()
    except socket.gaierror as e:
        return {-2: "NONAME", -5: "NODATA", -3: "AGAIN"}.get(e.errno, e.errno)
    except OSError as e:
        return errno.errorcode.get(e.errno, repr(e))
    except Exception as e:
        return type(e).__name__
def connect(host, port, *sockopts, proto=0, bind=None):
    def run():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto) as s:
            s.settimeout(20)
            for one in sockopts:
                s.setsockopt(*one)
            if bind:
                s.bind(bind)
            s.connect((host, port))
            return s.recv(1) or "closed"
    return tell(run)
def udp(host, port, data=b"x"):
    def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(20)
            s.connect((host, port))
            s.send(data)
            return s.recv(2000)
    return tell(run)
def query(kind, name="app.test", host="198.18.0.1"):
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    answer = udp(host, 53, struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + bytes(1) + struct.pack(">2H", kind, 1))
    if isinstance(answer, str):
        return answer
    number, flags, questions, answers = struct.unpack(">4H", answer[:8])
    return (number, flags & 15, answers)
"""


class Web(http.server.ThreadingHTTPServer):
    """Counts connections, whether or not anything is said."""

    accepted = 0

    def get_request(self):
        self.accepted += 1
        return super().get_request()

    def reached(self):
        """How many connections have come before one of this test's own."""
        before = self.accepted
        with socket.create_connection(self.server_address) as own:
            own.shutdown(socket.SHUT_WR)
            assert own.recv(1) == b""  # they are accepted one after the other
        assert self.accepted > before
        return self.accepted - 1


@pytest.fixture(scope="module")
def web():
    with serving(http.server.BaseHTTPRequestHandler, kind=Web) as server:
        yield server


@pytest.fixture(scope="module")
def at(web):
    return web.server_address[1]


@pytest.fixture(scope="module")
def once(server, at):
    """One session for what changes nothing."""
    with server.client() as client:
        session = Session(client, network={"rules": [
            f"allow app.test *.below.test :{at} tcp private", "resolve app.test 127.0.0.1",
            f"allow mixed.test :{at} tcp", "resolve mixed.test 127.0.0.1 8.8.8.8"]})
        assert session.exec(TRY)["exit_code"] == 0
        yield session
        session.close()


def asks(session, *expressions):
    cell = session.exec("".join(f"print(repr({one}))\n" for one in expressions), timeout_ms=120000)
    assert cell["exit_code"] == 0, err(cell)
    return [eval(line) for line in out(cell).splitlines()], cell.get("network_refused", [])


def test_sockets_of_other_kinds(once):
    got, refused = asks(once, "tell(lambda: socket.socket(44, socket.SOCK_RAW) and 'made')",  # AF_XDP
                        "tell(lambda: socket.socket(socket.AF_INET, 6, 33) and 'made')",  # DCCP
                        "tell(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1) and 'made')",  # ping
                        "tell(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) and 'made')")
    assert not any(one == "made" for one in got) and refused == []


def test_routes_and_namespaces_are_not_a_programs(once):
    add = ("def add():\n    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:\n"
           # RTM_NEWROUTE, an acknowledgement wanted: a default route by lo.
           "        s.send(struct.pack('=IHHIIBBBBBBBBIHHI', 36, 24, 0x605, 1, 0, 2, 0, 0, 0, 254, 3, 0, 1, 0, 8, 4, 1))\n"
           "        return -struct.unpack('=i', s.recv(100)[16:20])[0]\n"
           "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
           "def unshare(flags):\n    return ctypes.get_errno() if libc.unshare(flags) else 0\n")
    assert once.exec(add)["exit_code"] == 0
    got, refused = asks(once, "tell(add)", "unshare(0x40000000)", "unshare(0x10000000)")
    assert got[0] in (1, "EPERM", "EACCES") and all(one in (1, 22, 38) for one in got[1:]) and refused == []


def test_other_spellings_of_an_address(once):
    got, refused = asks(once, "connect('0x0a.1', 80)", "connect('012.0.0.1', 80)", "connect('167772161', 80)")
    assert got == ["EHOSTUNREACH"] * 3 and set(refused) == {"10.0.0.1:80 (no_rule)"}


def test_datagrams_lead_nowhere(once):
    got, refused = asks(once, "udp('8.8.8.8', 443)", "udp('10.0.0.1', 123)", "udp('198.18.0.2', 443)",
                        "tell(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('224.0.0.1', 9)))",
                        "tell(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
                        ".sendto(b'x', ('255.255.255.255', 9)))")
    assert got[:3] == ["ECONNREFUSED"] * 3 and got[4] == "EACCES" and refused == []


def test_queries_of_all_types(once):
    got, refused = asks(once, *(f"query({kind})" for kind in (1, 16, 15, 10, 65, 255, 28)), "query(1, host='8.8.8.8')",
                  "query(16, 'data.evil.test')", "connect('8.8.8.8', 53)", "connect('1.1.1.1', 853)",
                  "tell(lambda: socket.gethostbyname('dns.evil.test'))")
    assert got[0] == (7, 0, 1) and got[1:7] == [(7, 0, 0)] * 6 and got[7] == (7, 0, 1)
    assert got[8] == (7, 3, 0) and got[9:] == ["EHOSTUNREACH", "EHOSTUNREACH", "NONAME"]
    assert set(refused) == {f"{one} (no_rule)" for one in ("data.evil.test", "8.8.8.8:53", "1.1.1.1:853", "dns.evil.test")}


def test_names_near_an_allowed_one(once):
    got, refused = asks(once, *(f"tell(lambda: bool(socket.gethostbyname('{name}')))" for name in (
        "a.below.test", "A.Below.Test.", "a_b.below.test", "below.test", "evilbelow.test", "below.test.evil",
        "app.test.evil", "evilapp.test")))
    assert got == [True] * 3 + ["NONAME"] * 5 and len(refused) == 5
    assert all(one.endswith(" (no_rule)") for one in refused)


def test_an_address_of_another_session(once, server, at):
    with server.client() as client:
        other = Session(client, network={"rules": [f"allow *.test :{at} tcp private", "resolve x.test 127.0.0.1"]})
        assert other.exec(TRY)["exit_code"] == 0
        (known,), _ = asks(other, "[socket.gethostbyname(f'{i}.test') for i in range(20)][-1]")
        got, refused = asks(once, f"connect('{known}', {at})")
        assert got == ["EHOSTUNREACH"] and refused == [f"{known}:{at} (no_name)"]
        other.close()


def test_of_several_addresses_only_public_ones_are_dialled(once, web, at):
    before = web.reached() + 1
    got, refused = asks(once, f"tell(lambda: socket.create_connection(('mixed.test', {at}), 2).close())")
    assert got[0] is not None and web.reached() == before


def test_the_class_of_an_address_is_checked_for_each_connection(fresh, client, at):
    session = fresh(network={"rules": [f"allow app.test :{at} tcp private", "resolve app.test 127.0.0.1"]})
    assert session.exec(TRY + f"held = socket.create_connection(('app.test', {at}))\n"
                              "known = socket.gethostbyname('app.test')")["exit_code"] == 0
    client.call("session.network", session=session.id,
                network={"rules": [f"allow app.test :{at} tcp", "resolve app.test 127.0.0.1"]})
    got, refused = asks(session, f"connect(known, {at})")
    assert got == ["EHOSTUNREACH"] and refused == [f"app.test:{at} (private_address)"]


def test_other_ways_to_connect(once, at):
    fast = "tell(lambda: socket.socket().sendto(b'x', 0x20000000, ('10.0.0.1', 80)))"  # MSG_FASTOPEN
    got, refused = asks(once, fast, "connect('10.0.0.1', 81, proto=262)",  # MPTCP
                        "connect('10.0.0.1', 82, bind=('127.0.0.1', 0))", "connect('10.0.0.1', 83, bind=('10.113.0.2', 0))",
                        "connect('10.0.0.1', 84, bind=('8.8.8.8', 0))",
                        "connect('10.0.0.1', 85, (socket.IPPROTO_IP, socket.IP_TTL, 1))",
                        "connect('198.18.0.1', 86)")
    assert got[0] in ("EHOSTUNREACH", "EINPROGRESS") and got[1:4] == ["EHOSTUNREACH"] * 3
    assert all(one in ("EHOSTUNREACH", "ETIMEDOUT", "timeout", "TimeoutError") for one in got[4:])
    assert {f"10.0.0.1:{port} (no_rule)" for port in range(81, 84)} | {"198.18.0.1:86 (no_name)"} <= set(refused)
    assert not any("(refused)" in one for one in refused)


def test_the_mark_of_a_granted_connection_grants_nothing(once, web, at):
    before = web.reached() + 1
    mark = "(socket.IPPROTO_IP, socket.IP_TTL, 33)"
    got, refused = asks(once, f"connect('10.0.0.1', 80, {mark})", f"connect('127.1.1.1', {at}, {mark})")
    assert got[0] in ("closed", "ECONNRESET") and got[1] == "ECONNREFUSED"
    assert refused == [] and web.reached() == before  # the host was not asked


def test_a_server_in_the_guest_takes_no_connection_that_is_for_the_host(once, at):
    got, refused = asks(once, f"[setattr(__import__('builtins'), 's', socket.create_server(('0.0.0.0', {at}))), "
                        f"connect('10.0.0.1', {at})][1]",
                  "tell(lambda: setattr(__import__('builtins'), 't', socket.create_server(('10.0.0.1', 99))))",
                  "connect('10.0.0.1', 99)", "[s.close(), getattr(__import__('builtins'), 't', s).close()]")
    assert got[0] == "EHOSTUNREACH" and got[2] == "EHOSTUNREACH"
    assert refused == [f"10.0.0.1:{at} (no_rule)", "10.0.0.1:99 (no_rule)"]


def test_what_provides_the_network_is_out_of_reach(once):
    find = ("def netd():\n    for one in os.listdir('/proc'):\n        try:\n"
            "            if one.isdigit() and open(f'/proc/{one}/comm').read() == 'netd\\n':\n"
            "                return int(one)\n        except OSError:\n            pass\n"
            "def kill():\n    for one in range(2, 400):\n        try:\n            name = open(f'/proc/{one}/comm').read()\n"
            "        except OSError:\n            name = 'hidden'\n"
            "        if name in ('netd\\n', 'hidden') and tell(lambda: os.kill(one, 9)) not in ('EPERM', 'ESRCH'):\n"
            "            return one\n")
    assert once.exec(find)["exit_code"] == 0
    got, _ = asks(once, "netd()", "kill()", "[tell(lambda: os.open(f'/dev/{one}', os.O_RDWR)) for one in os.listdir('/dev')"
                  " if one.startswith('vport')]")
    assert got[1] is None and all(one in ("EACCES", "EPERM", "ENOENT") for one in got[2])
    assert asks(once, "tell(lambda: bool(socket.gethostbyname('app.test')))")[0] == [True]


def test_a_rewind_brings_no_rule_back(tmp_path, at):
    with with_settings(tmp_path, "[past]\ncheckpoints = asked\n") as server, server.client() as client:
        session = Session(client, idle_ms=0, network={"rules": [f"allow app.test :{at} tcp private",
                                                                "resolve app.test 127.0.0.1"]})
        assert session.exec(TRY + "known = socket.gethostbyname('app.test')")["exit_code"] == 0
        kept = session.call("session.checkpoint")["seq"]
        session.call("session.network", rules=["deny app.test"])
        session.call("session.rewind", seq=kept)
        got, refused = asks(session, f"connect(known, {at})", "tell(lambda: socket.gethostbyname('app.test'))")
        assert got == ["EHOSTUNREACH", "NONAME"]
        assert refused == [f"app.test:{at} (no_rule)", "app.test (no_rule)"]
        session.close()


def source_of(path, name):
    """Of a test, with its parameters; None: there is none."""
    text = (ROOT / path).read_text()
    begin = f"def {name}(" if path.endswith(".py") else f"START_TEST({name})"
    at = text.find(begin)
    if at < 0:
        return None
    begin = max(text.rfind("\n\n", 0, at), 0)
    return text[begin:text.find("\n\n\n" if path.endswith(".py") else "END_TEST", at)]


def test_each_case_has_a_test():
    """Each row of the table names a test, which exists; the rows are numbered, and none is missing. What is told is a
    reason that there is, and one of the tests looks for it."""
    page, protocol = (ROOT / "docs/network-bypass.md").read_text(), (ROOT / "docs/protocol.md").read_text()
    edge = (ROOT / "docs/network.md").read_text()
    rows = re.findall(r"^\| (\d+) \| .* \| (.*) \| (.*) \|$", page, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1)) and len(rows) >= 69
    for number, told, tests in rows:
        named = re.findall(r"`([\w/.]+)::(\w+)`", tests)
        assert named, f"case {number} names no test"
        sources = [source_of(path, name) for path, name in named]
        for (path, name), source in zip(named, sources):
            assert source is not None, f"case {number}: {path} has no test {name}"
        reasons = re.findall(r"`(\w+)`", told)
        assert told == "–" or ", ".join(f"`{one}`" for one in reasons) == told, f"case {number} tells {told}"
        for reason in reasons:
            assert f"`{reason}`" in protocol or f"`{reason}`" in edge, f"case {number}: there is no reason {reason}"
            assert any(reason in source for source in sources), f"case {number}: no test looks for {reason}"
