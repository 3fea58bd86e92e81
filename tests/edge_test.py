# SPDX-License-Identifier: Apache-2.0
"""glassbell-edge by itself: what it puts into requests, what it turns back, what it refuses, what it can do."""

import base64
import contextlib
import os
import pathlib
import re
import ssl
import subprocess
import threading

import pytest

from certificates import HOST
from edge_program import (BASIC, BEARER, CONNECTIONS, Edge, HEADER, HOLDER, NEW_VALUE, QUERY, REASONS, REFUSED,
                          REQUEST, SHARE, VALUE, WANT)


@pytest.fixture
def edge(authority):
    made = Edge(authority)
    yield made
    made.close()


def get(*fields, target="/", host=HOST):
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n{''.join(f + chr(13) + chr(10) for f in fields)}\r\n".encode()


def test_a_placeholder_becomes_the_value(edge):
    sent, back = edge.exchange(get(f"Authorization: Bearer {HOLDER}", "Accept-Encoding: gzip", "X: y",
                                   target="/v1/x?q=1"))
    assert f"\r\nAuthorization: Bearer {VALUE}\r\n".encode() in sent and back.endswith(b"\r\n\r\nok")
    assert sent.count(b"Accept-Encoding") == 1 and b"Accept-Encoding: identity\r\n" in sent and b"\r\nX: y\r\n" in sent
    news = edge.receive()
    assert (news["kind"], news["method"], news["path"], news["status"]) == (REQUEST, "GET", "/v1/x", 200)
    assert (news["name"], news["number"], news["cell"], news["secrets"]) == (HOST, 1, 7, "API0")


@pytest.mark.parametrize("field", [f"X-Other: {HOLDER}", f"Authorization: Basic {HOLDER}",
                                   f"Authorization: Bearer x{HOLDER}", f"Cookie: {HOLDER}"])
def test_a_placeholder_elsewhere_stays(edge, field):
    sent, _ = edge.exchange(get(field, target=f"/{HOLDER}?k={HOLDER}"))
    assert VALUE.encode() not in sent and f"GET /{HOLDER}?k={HOLDER} HTTP".encode() in sent and field.encode() in sent


def test_all_places(authority):
    edge = Edge(authority, [{"place": BASIC}, {"place": HEADER, "key": "X-Key", "value": "header-value"},
                            {"place": QUERY, "key": "key", "value": "query value/+&"}])
    pair = base64.b64encode(f"ann:{HOLDER}".encode()).decode()
    sent, _ = edge.exchange(get(f"authorization: basic {pair}", f"x-key: Token {HOLDER}1",
                                target=f"/a?x={HOLDER}2&key={HOLDER}2&key2={HOLDER}2"))
    assert base64.b64encode(f"ann:{VALUE}".encode()) in sent and b"x-key: Token header-value\r\n" in sent
    assert f"GET /a?x={HOLDER}2&key=query%20value%2F%2B%26&key2={HOLDER}2 HTTP/1.1".encode() in sent
    assert edge.receive()["secrets"] == "API0,API1,API2"
    edge.close()


def cut(text, size):
    return [text[i:i + size] for i in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("form", [VALUE, base64.b64encode(f"x:{VALUE}".encode()).decode(),
                                  base64.b64encode(f"ann:{VALUE}".encode()).decode(),
                                  VALUE.replace("/", "%2F").replace("+", "%2B"),
                                  VALUE.replace("/", "%2f").replace("+", "%2b"),
                                  VALUE.replace("+", "%2B"), VALUE.replace("+", "%2b")])
def test_what_the_server_repeats_is_turned_back(edge, form, size):
    body = f"before {form} after {form[:9]}".encode()
    head = f"HTTP/1.1 200 OK\r\nX-Echo: {form}\r\n".encode()
    whole = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in cut(body, size)) + b"0\r\n\r\n"
    # Those without a length come at once: after a pause, what there is of a text would be passed.
    for pieces in [cut(whole, size), [head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks],
                   [head + b"Connection: close\r\n\r\n" + body]]:
        _, back = edge.exchange(get(f"Authorization: Bearer {HOLDER}"), pieces=pieces)
        plain = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", back) if b"chunked" in back else back
        secret = form.rstrip("=").encode()[3:-3]
        assert secret not in plain and b"before " in plain and b" after " + form[:9].encode() in plain
        assert plain.count(HOLDER[:12].encode()) == 2
        assert edge.receive()["status"] == 200


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_base64_for_urls_is_turned_back(authority, before):
    value = "~?>~?>~?>canary~?>"
    edge = Edge(authority, value=value)
    form = base64.urlsafe_b64encode(f"{before}{value}".encode())
    assert re.search(b"[-_]", form)
    answer = b"HTTP/1.1 200 OK\r\nX-Echo: %s\r\nContent-Length: 2\r\n\r\nok" % form
    _, back = edge.exchange(get(f"Authorization: Bearer {HOLDER}"), answer)
    assert form.rstrip(b"=")[4:-4] not in back and HOLDER[:8].encode() in back
    edge.close()


SMUGGLED = {
    "two lengths": (b"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 0),
    "length and chunked": (b"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n"
                           b"\r\n0\r\n\r\n", 0),
    "folded line": (b"GET / HTTP/1.1\r\nHost: api.test\r\nA: b\r\n c: d\r\n\r\n", 0),
    "bare LF": (b"GET / HTTP/1.1\nHost: api.test\n\n", 0),
    "two equal lengths": (b"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 0),
    "list of lengths": (b"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1, 1\r\n\r\na", 0),
    "chunked and length": (b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"
                           b"\r\n0\r\n\r\n", 0),
    "chunked twice": (b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n"
                      b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", 0),
    "another coding": (b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0),
    "hidden coding": (b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 0),
    "folded coding": (b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 0),
    "folded first line": (b"GET / HTTP/1.1\r\n Host: other.test\r\nHost: api.test\r\n\r\n", 0),
    "bare LF in a field": (b"GET / HTTP/1.1\r\nHost: api.test\r\nA: b\nHost: other.test\r\n\r\n", 0),
    "bare CR in the first line": (b"GET /\rx HTTP/1.1\r\nHost: api.test\r\n\r\n", 0),
    "star": (b"GET * HTTP/1.1\r\nHost: api.test\r\n\r\n", 1),
    "target of a proxy": (b"GET api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n", 1),
    "user in the target": (b"GET https://api.test@other.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n", 1),
    "CONNECT elsewhere": (b"CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n", 0),
    "websocket and another": (b"GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: websocket, h2c\r\n\r\n", 0),
    "two upgrades": (b"GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n", 0),
    "HTTP/0.9": (b"GET /\r\n\r\n", 0),
    "NUL": (b"GET / HTTP/1.1\r\nHost: api.test\r\nA: \0\r\n\r\n", 0),
    "bare CR": (b"GET / HTTP/1.1\r\nHost: api.test\r\nA: \rB: c\r\n\r\n", 0),
    "absolute form of another": (b"GET https://other.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n", 1),
    "absolute form without TLS": (b"GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n", 1),
    "another host": (b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n", 1),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\n\r\n", 1),
    "another port": (b"GET / HTTP/1.1\r\nHost: api.test:444\r\n\r\n", 1),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 0),
    "CONNECT": (b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n", 0),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost: api.test\r\nA : b\r\n\r\n", 0),
    "other upgrade": (b"GET / HTTP/1.1\r\nHost: api.test\r\nUpgrade: h2c\r\n\r\n", 0),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0),
    "two placeholders": (get(f"Authorization: Bearer {HOLDER}", f"Authorization: Bearer {HOLDER}"), 0),
    "long head": (b"GET / HTTP/1.1\r\nHost: api.test\r\n" + b"A: " + b"x" * 70000 + b"\r\n\r\n", 0),
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_what_is_not_clear_is_refused_and_not_sent(edge, case):
    request, reason = SMUGGLED[case]
    sent, back = edge.exchange(request)
    assert sent == b"" and re.match(rb"HTTP/1.1 4\d\d .*\r\n\r\nglassbell: ", back, re.S), (sent, back)
    news = edge.receive()
    assert (news["kind"], news["reason"]) == (REFUSED, reason)


CHUNKED = b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("body", [
    b"1;a=b\r\nx\r\n0\r\n\r\n", b"1 \r\nx\r\n0\r\n\r\n", b"0x1\r\nx\r\n0\r\n\r\n", b"1\rsmuggled\r\nx\r\n0\r\n\r\n",
    b"1\nx\r\n0\r\n\r\n", b"1\r\nxsmuggled\r\n0\r\n\r\n", b"ffffffffffffffff1\r\nsmuggled", b"0\r\nHost: smuggled\r\n\r\n",
    b"0\r\nX-Checksum: smuggled\r\n\r\n", b"0\r\n\nGET /smuggled HTTP/1.1\r\n\r\n"])
def test_a_body_that_is_not_clear_is_cut(edge, body):
    """Nothing behind the place in question is sent, and the connection is of no more use; nor is the head if all of it
    has come at once."""
    sent, back = edge.exchange(CHUNKED + body)
    assert sent == b"" and back.startswith(b"HTTP/1.1 400 ") and edge.receive()["reason"] == REASONS.index("bad_request")
    raw, server = edge.connect()
    got, asked = [], threading.Event()

    def serve():
        with contextlib.suppress(OSError), edge.upstream.accept(server) as tls:
            while more := tls.recv(65536):
                got.append(more)
                asked.set()
    thread = threading.Thread(target=serve)
    thread.start()
    with edge.wrap(raw) as tls:
        tls.sendall(CHUNKED)
        assert asked.wait(60)
        tls.sendall(body)
        assert tls.recv(65536).startswith(b"HTTP/1.1 400 ")
        thread.join()
    sent = b"".join(got)
    assert sent.startswith(b"POST / HTTP/1.1\r\n") and b"smuggled" not in sent and not sent.endswith(b"0\r\n\r\n")
    assert edge.receive()["reason"] == REASONS.index("bad_request")


def test_a_request_behind_another_one_is_looked_at_like_the_first(edge):
    """Also when it came in the same piece, and is sent when the first one has been answered."""
    asked = []
    for second, refused in [(get(target="/second"), None), (get(target="/second", host="other.test"), "other_host"),
                            (b"\r\n" + get(target="/second"), None), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "bad_request")]:
        raw, server = edge.connect()
        asked.clear()

        def serve():
            with contextlib.suppress(OSError), edge.upstream.accept(server) as tls:
                while text := edge.take(tls):
                    asked.append(text.split(b" ")[1])
                    tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        thread = threading.Thread(target=serve)
        thread.start()
        back = b""
        with edge.wrap(raw) as tls:
            tls.sendall(get(target="/first") + second)
            while back.count(b"\r\n\r\n") < 2:
                more = tls.recv(65536)
                assert more, back
                back += more
        thread.join()
        assert edge.receive()["path"] == "/first"
        news = edge.receive()
        if refused is None:
            assert asked == [b"/first", b"/second"] and (news["kind"], news["path"]) == (REQUEST, "/second")
        else:
            assert asked == [b"/first"] and (news["kind"], REASONS[news["reason"]]) == (REFUSED, refused)


def test_http_1_is_chosen_of_what_a_program_offers(edge):
    chosen = []
    for offered in ["h2", "http/1.1"], ["http/1.1"], []:
        raw, server = edge.connect()

        def serve():
            with contextlib.suppress(OSError), edge.upstream.accept(server) as tls:
                chosen.append(tls.selected_alpn_protocol())
                tls.recv(1)
        edge.upstream.context.set_alpn_protocols(["h2", "http/1.1"])
        thread = threading.Thread(target=serve)
        thread.start()
        with edge.wrap(raw, alpn=offered) as tls:
            assert tls.selected_alpn_protocol() == ("http/1.1" if offered else None)
        thread.join()
    assert chosen == ["http/1.1"] * 3  # nor does the host get anything else


def test_an_expected_body_is_waited_for(edge):
    """100 (Continue) passes. Behind a final answer without the body, nothing more is sent: hosts disagree about it."""
    raw, server = edge.connect()
    got = []

    def serve():
        with contextlib.suppress(OSError), edge.upstream.accept(server) as tls:
            for answer in [b"100 Continue\r\n\r\n", b"200 OK\r\nContent-Length: 2\r\n\r\nok",
                           b"417 No\r\nContent-Length: 0\r\n\r\n"]:
                got.append(tls.recv(65536))
                tls.sendall(b"HTTP/1.1 " + answer)
            got.append(tls.recv(65536))
    thread = threading.Thread(target=serve)
    thread.start()
    head = b"POST / HTTP/1.1\r\nHost: api.test\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
    smuggled = get(target="/smuggled", host="other.test")
    with edge.wrap(raw) as tls:
        tls.sendall(head % 4)
        assert tls.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        tls.sendall(b"body")
        assert edge.take(tls).endswith(b"ok")
        tls.sendall(head % len(smuggled))
        assert edge.take(tls).startswith(b"HTTP/1.1 417 ")
        with contextlib.suppress(OSError):
            tls.sendall(smuggled)
        thread.join()
    assert [edge.receive()["status"] for _ in range(2)] == [200, 417]
    assert got[1] == b"body" and got[2].startswith(b"POST / ") and got[3:] in ([b""], [])


def test_a_secret_is_put_in_once(authority):
    edge = Edge(authority, [{"place": HEADER, "key": "X-Key"}, {"place": BASIC}, {"place": QUERY, "key": "key"}])
    pair = base64.b64encode(f"{HOLDER}1:{HOLDER}1".encode()).decode()
    for request in [get(f"X-Key: {HOLDER} {HOLDER}"), get(f"X-Key: {HOLDER}", f"x-key: {HOLDER}"),
                    get(f"Authorization: Basic {pair}"), get(target=f"/?key={HOLDER}2&key={HOLDER}2")]:
        sent, back = edge.exchange(request)
        assert sent == b"" and back.startswith(b"HTTP/1.1 400 ") and b"more than once" in back
        assert edge.receive()["reason"] == REASONS.index("bad_request")
    edge.close()


def test_answers_that_could_not_be_searched_are_not_asked_for(edge):
    fields = "Range: bytes=0-3", "If-Range: x", "Connection: Accept-Encoding , x-a,, ACCEPT-encoding"
    sent, _ = edge.exchange(get(f"Authorization: Bearer {HOLDER}", *fields))
    assert b"Range" not in sent and b"\r\nConnection: x-a\r\n" in sent and VALUE.encode() in sent
    sent, _ = edge.exchange(get(*fields, "Connection: accept-encoding"))
    assert b"\r\nRange: bytes=0-3\r\n" in sent and b"\r\nIf-Range: x\r\n" in sent and sent.count(b"Connection") == 1


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2;x=y\r\nok\r\n0;z\r\nX-Sum: 7\r\nX-B: c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \t;x\r\nok\r\n00\r\n\r\n"])
def test_what_goes_with_chunks_of_an_answer_is_left_out(edge, answer):
    """Extensions and fields behind the body: RFC 9112, 7.1."""
    _, back = edge.exchange(get(), answer)
    assert back.endswith(b"\r\n\r\n2\r\nok\r\n0\r\n\r\n") and edge.receive()["status"] == 200


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: y\r\n folded\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"])
def test_an_answer_that_is_not_clear_is_refused(edge, answer):
    _, back = edge.exchange(get(), answer)
    assert back.startswith(b"HTTP/1.1 502 ") and edge.receive()["reason"] == REASONS.index("bad_answer")


def test_a_compressed_answer_to_a_secret_is_refused(edge):
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzz"
    assert edge.exchange(get(), answer)[1] == answer
    edge.receive()
    _, back = edge.exchange(get(f"Authorization: Bearer {HOLDER}"), answer)
    assert back.startswith(b"HTTP/1.1 502 ") and edge.receive()["reason"] == REASONS.index("bad_answer")


STREAMS = {
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                lambda text: b"%x\r\n%s\r\n" % (len(text), text)),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\n", bytes),
    "websocket": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", bytes),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_that_pauses_arrives(edge, kind):
    """Messages for which the program waits before the host says more, also one that ends like a value."""
    head, framed = STREAMS[kind]
    raw, server = edge.connect()
    arrived = threading.Semaphore(0)

    def serve():
        with contextlib.suppress(OSError), edge.upstream.accept(server) as tls:
            edge.take(tls)
            tls.sendall(head)
            for text in [b"one " + VALUE[:6].encode(), b"two", VALUE.encode() + b" three"]:
                tls.sendall(framed(text))
                arrived.acquire(timeout=60)
    thread = threading.Thread(target=serve)
    thread.start()
    with edge.wrap(raw) as tls:
        tls.sendall(get(f"Authorization: Bearer {HOLDER}", "Upgrade: websocket", "Connection: Upgrade"))
        back = b""
        for text in [VALUE[:6].encode(), b"two", b" three"]:
            while not back.rstrip(b"\r\n").endswith(text):
                more = tls.recv(65536)
                assert more, back
                back += more
            arrived.release()
    thread.join()
    assert VALUE.encode() not in back


def test_a_value_of_other_hosts_is_no_matter(authority):
    edge = Edge(authority, [{"place": BEARER}, {"place": BEARER, "value": "value-of-other", "hosts": "other.test"}])
    body = b"value-of-other " + VALUE.encode()
    _, back = edge.exchange(get(), b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert b"value-of-other " in back and VALUE.encode() not in back
    edge.close()


@pytest.mark.parametrize("waits_for", ["the host's greeting", "the program's greeting", "an answer"])
def test_a_connection_ends_with_the_programs(edge, waits_for):
    raw, server = edge.connect()
    server.settimeout(60)
    greeted, asked, ended = (threading.Event() for _ in range(3))

    def serve():
        with contextlib.suppress(OSError):
            if waits_for == "the host's greeting":
                while server.recv(65536):
                    greeted.set()
            else:
                with edge.upstream.accept(server) as tls:
                    greeted.set()
                    while tls.recv(65536):
                        asked.set()
        ended.set()
    thread = threading.Thread(target=serve)
    thread.start()
    tls = edge.wrap(raw) if waits_for == "an answer" else None
    if tls is not None:
        tls.sendall(get(f"Authorization: Bearer {HOLDER}"))
        assert asked.wait(60)
    assert greeted.wait(60) and not ended.is_set()
    (tls or raw).close()
    assert ended.wait(60)
    thread.join()
    if tls is not None: # what was sent is told nevertheless
        news = edge.receive()
        assert (news["kind"], news["status"], news["secrets"], news["path"]) == (REQUEST, 0, "API0", "/")


def test_too_many_connections_are_refused(edge):
    held = [edge.connect() for _ in range(CONNECTIONS)]
    raw, server = edge.connect()
    news = edge.receive()
    assert (news["kind"], news["reason"], news["number"], news["name"]) == (
        REFUSED, REASONS.index("too_many_connections"), CONNECTIONS + 1, HOST)
    assert raw.recv(1) == b"" and server.recv(1) == b""
    for ours, far in held:
        ours.close()
        far.settimeout(60)
        while far.recv(65536):
            pass
        far.close()
    assert edge.exchange(get())[1].endswith(b"ok")


def test_an_authority_is_inherited(authority, edge):
    """A program that trusts the first edge trusts the second one; without a usable heritage each has its own."""
    read, write = os.pipe()
    edge.send([write], kind=SHARE)
    heir = Edge(authority, heritage=read)
    assert heir.pem == edge.pem
    assert heir.exchange(get(f"Authorization: Bearer {HOLDER}"))[1].endswith(b"ok")
    heir.close()
    for text in b"", b"nonsense", edge.pem.encode(), b"x" * (1 << 16):
        read, write = os.pipe()
        os.write(write, text)
        os.close(write)
        other = Edge(authority, heritage=read)
        assert other.pem != edge.pem
        assert other.exchange(get(f"Authorization: Bearer {HOLDER}"))[1].endswith(b"ok")
        other.close()
    # The other edge has stopped, and keeps its end: nothing, or half of an authority.
    for text in b"", edge.pem.encode()[:100]:
        read, write = os.pipe()
        os.write(write, text)
        other = Edge(authority, heritage=read)
        assert other.pem != edge.pem
        assert other.exchange(get(f"Authorization: Bearer {HOLDER}"))[1].endswith(b"ok")
        other.close()
        os.close(write)


def test_hosts_without_end(authority):
    """More names than are remembered."""
    edge = Edge(authority, hosts=f"*.{HOST}")
    for number in [*range(CONNECTIONS + 3), 0]:
        name = f"n{number}.{HOST}"
        assert edge.exchange(get(f"Authorization: Bearer {HOLDER}", host=name), name=name)[1].endswith(b"ok")
        assert edge.receive()["name"] == name
    edge.close()


def test_an_answer_waits_for_a_program_that_reads_late(edge):
    """All of it is there after the host has gone; that it waits without a deadline is in relay_test.c."""
    body = b"x" * 40000
    raw, server = edge.connect(room=4096)
    sent = threading.Event()

    def serve():
        with contextlib.suppress(OSError), edge.upstream.accept(server) as tls:
            edge.take(tls)
            tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)
            tls.unwrap()
        sent.set()
    thread = threading.Thread(target=serve)
    thread.start()
    with edge.wrap(raw) as tls:
        tls.sendall(get())
        assert sent.wait(60)
        back = b""
        with contextlib.suppress(ssl.SSLEOFError):
            while more := tls.recv(65536):
                back += more
    thread.join()
    assert back.endswith(b"\r\n\r\n" + body)


def test_a_request_that_is_held_back_does_not_cut_a_value(edge):
    """The host repeats the first half of a value and waits for the rest of the body, as the program wants it to."""
    raw, server = edge.connect()
    half = len(VALUE) // 2

    def serve():
        with edge.upstream.accept(server) as tls:
            text = b""
            while b"\r\n\r\n" not in text:
                text += tls.recv(65536)
            tls.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n.\r\n" + chunk(VALUE[:half]))
            while not text.endswith(b"last"):
                text += tls.recv(65536)
            tls.sendall(chunk(VALUE[half:]) + b"0\r\n\r\n")

    def chunk(text):
        return f"{len(text):x}\r\n{text}\r\n".encode()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with edge.wrap(raw) as tls:
        tls.sendall(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {HOLDER}\r\nContent-Length: 4\r\n\r\n".encode())
        back = b""
        tls.settimeout(1)  # the edge has nothing to pass, however long one waits
        with contextlib.suppress(TimeoutError):
            while more := tls.recv(65536):
                back += more
        tls.settimeout(60)
        assert VALUE[:half].encode() not in back
        tls.sendall(b"last")
        while not back.endswith(b"0\r\n\r\n"):
            back += tls.recv(65536)
    thread.join()
    text = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", back)
    assert VALUE.encode() not in text and VALUE[half:].encode() not in text


def test_requests_that_come_at_once_are_sent_one_by_one(edge):
    raw, server = edge.connect()
    seen = []

    def serve():
        with edge.upstream.accept(server) as tls:
            for _ in range(3):
                text = b""
                while not edge.is_whole(text):
                    text += tls.recv(65536)
                seen.append(text)
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.")
    thread = threading.Thread(target=serve)
    thread.start()
    one = b"POST / HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    with edge.wrap(raw) as tls:
        tls.sendall(one + get(f"Authorization: Bearer {HOLDER}") + get())
        back = b""
        while back.count(b"HTTP/1.1 200") < 3 or not back.endswith(b"."):
            back += tls.recv(65536)
    thread.join()
    assert len(seen) == 3 and VALUE.encode() in seen[1] and seen[0].endswith(b"2\r\nab\r\n0\r\n\r\n")


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", b"HTTP/2 200\r\n\r\n", b"nothing\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"])
def test_answers_that_are_not_clear_are_refused(edge, answer):
    _, back = edge.exchange(get(), answer)
    assert back.startswith(b"HTTP/1.1 502 ") and b"bad_answer" in back
    assert edge.receive()["reason"] == REASONS.index("bad_answer")


def test_nobody_reads_and_it_waits(edge):
    """A body without end in both directions: the edge takes what its queues have room for, and no more."""
    raw, server = edge.connect()
    taken = []

    def serve():
        with edge.upstream.accept(server) as tls:
            while b"\r\n\r\n" not in tls.recv(65536):
                pass
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            tls.setblocking(False)
            with contextlib.suppress(ssl.SSLWantWriteError, BlockingIOError):
                while True:
                    taken.append(tls.send(b"x" * 16384))
    before = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{edge.process.pid}/status").read_text())[1])
    thread = threading.Thread(target=serve)
    thread.start()
    with edge.wrap(raw) as tls:
        tls.sendall(get())
        thread.join()
        after = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{edge.process.pid}/status").read_text())[1])
        assert sum(taken) < 8 << 20 and after - before < 2048, (sum(taken), before, after)


def test_a_websocket_passes(edge):
    raw, server = edge.connect()
    key = "Upgrade: websocket", "Connection: Upgrade", f"Authorization: Bearer {HOLDER}"

    def serve():
        with edge.upstream.accept(server) as tls:
            head = tls.recv(65536)
            assert VALUE.encode() in head
            tls.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
            tls.sendall(tls.recv(100).upper() + VALUE.encode() + b"!")
    thread = threading.Thread(target=serve)
    thread.start()
    with edge.wrap(raw) as tls:
        tls.sendall(get(*key))
        assert b" 101 " in tls.recv(1000)
        tls.sendall(b"hello")
        back = b""
        while not back.endswith(b"!"):
            back += tls.recv(100)
    thread.join()
    assert back.startswith(b"HELLO" + HOLDER[:20].encode()) and VALUE.encode() not in back


@pytest.mark.parametrize("how, name", [({"trust": False}, HOST), ({"certificate": "common"}, HOST),
                                       ({"certificate": "partial", "hosts": f"*.{HOST}"}, f"ab.{HOST}")])
def test_a_server_that_is_not_the_host_gets_nothing(authority, how, name):
    edge = Edge(authority, **how)
    sent, back = edge.exchange(get(f"Authorization: Bearer {HOLDER}", host=name), name=name)
    assert sent == b"" and back.startswith(b"HTTP/1.1 502 ") and b"bad_certificate" in back
    assert edge.receive()["reason"] == REASONS.index("bad_certificate")
    edge.close()


@pytest.mark.parametrize("value", ["", "short", "x" * 5000, "a\nb" * 9, "tab\tin the value", "ümlaut-value"])
def test_a_value_that_is_none_is_not_sent(authority, value):
    edge = Edge(authority, value=value)
    sent, back = edge.exchange(get(f"Authorization: Bearer {HOLDER}"))
    assert sent == b"" and b"no_secret" in back
    assert edge.receive()["reason"] == REASONS.index("no_secret")
    assert edge.exchange(get())[1].endswith(b"ok") # without the placeholder
    edge.close()


def test_a_value_that_is_too_old_is_asked_for(authority):
    edge = Edge(authority, [{"place": BEARER, "expires": 1}])
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n" + f"{VALUE} second-value-2".ljust(80).encode()
    found = []

    def ask():
        one = threading.Thread(target=lambda: found.append(edge.exchange(get(f"Authorization: Bearer {HOLDER}"), answer)))
        one.start()
        return one, edge.receive()

    thread, news = ask()
    while news["kind"] == REQUEST:  # the value was less than a millisecond old
        thread.join()
        thread, news = ask()
    assert news["kind"] == WANT and news["index"] == 0
    read, write = os.pipe()
    os.write(write, b"second-value-2")
    edge.send([read], kind=NEW_VALUE)
    os.close(write)
    thread.join()
    sent, back = found[-1]
    assert b"Bearer second-value-2\r\n" in sent and VALUE.encode() not in back and b"second-value-2" not in back
    edge.close()


def test_another_name_and_http_2_are_not_agreed_on(edge):
    for name, alpn in [("other.test", ["http/1.1"]), (HOST, ["h2"])]:
        raw, server = edge.connect()
        thread = threading.Thread(target=lambda s: contextlib.suppress(OSError) and edge.upstream.accept(s),
                                  args=(server,))
        thread.start()
        with pytest.raises((ssl.SSLError, OSError)):
            edge.wrap(raw, name, alpn)
        thread.join()
        assert edge.receive()["reason"] == REASONS.index("bad_tls")
        server.close()


def test_the_authority_is_for_the_hosts_only(edge, tmp_path):
    (tmp_path / "ca.pem").write_text(edge.pem)
    text = subprocess.run(["openssl", "x509", "-in", tmp_path / "ca.pem", "-noout", "-text"], check=True,
                          capture_output=True, text=True).stdout
    assert "CA:TRUE, pathlen:0" in text and re.search(r"Name Constraints: critical\s+Permitted:\s+DNS:api.test\n", text)
    assert "prime256v1" in text


def test_it_is_confined(edge):
    status = pathlib.Path(f"/proc/{edge.process.pid}/status").read_text()
    assert re.search(r"Seccomp:\s+2\n", status) and re.search(r"NoNewPrivs:\s+1\n", status)
    assert re.search(r"CapEff:\s+0+\n", status) and re.search(r"Threads:\s+1\n", status)
    limits = pathlib.Path(f"/proc/{edge.process.pid}/limits").read_text()
    for limit in ["Max file size", "Max core file size", "Max processes"]:
        assert re.search(rf"{limit} +0 ", limits), limits
    links = [os.readlink(f"/proc/{edge.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{edge.process.pid}/fd")]
    assert not [one for one in links if "ca.pem" in one or "certificates" in one]


def test_it_ends_with_the_server(authority):
    Edge(authority).close()
