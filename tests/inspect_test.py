# SPDX-License-Identifier: Apache-2.0
"""Rules with `inspect`: requests of real guests to a TLS server of the test's own end in glassbell-edge, are recorded, and
have to be for the host."""

import json
import subprocess

import pytest

import secrets_test
from certificates import HOST
from secrets_test import ASK, url, value_of
from support import BINARY, Failure, Server, Session, Watcher, err

web = secrets_test.web  # the fixture


@pytest.fixture(scope="module")
def trusting(authority):
    """What the environment of a server needs for the test's certificates."""
    return {"SSL_CERT_FILE": str(authority / "ca.pem")}


@pytest.fixture(scope="module")
def server(trusting):
    with Server(env=trusting) as made:
        yield made


@pytest.fixture
def client(server):
    with server.client() as made:
        yield made


def rules(web, mode="inspect"):
    return {"rules": [f"allow {HOST} :{web.server_address[1]} {mode} private", f"resolve {HOST} 127.0.0.1"]}


def opened(client, web, **more):
    session = Session(client, image="python", idle_ms=0, network=rules(web), **more)
    cell = session.exec(ASK, timeout_ms=120000)
    assert cell["exit_code"] == 0, err(cell)
    return session


def test_requests_are_recorded_and_pass_as_they_are(client, server, web):
    web.seen.clear()
    session = opened(client, web)
    with Watcher(server) as watcher:
        (answer, _), cell = value_of(session, f"ask('{url(web, path='/v1/x?token=y')}', Authorization='Bearer b')")
        event = watcher.until("network.request", path="/v1/x")[-1]
    assert (event["method"], event["status"], event["secrets"], event["name"]) == ("GET", 200, "", HOST)
    assert "network_refused" not in cell or cell["network_refused"] == []
    (path, headers), = web.seen
    assert path == "/v1/x?token=y" and headers["Authorization"] == "Bearer b" and json.loads(answer)["path"] == path
    assert headers["Accept-Encoding"] == "identity"  # the program's own
    value_of(session, f"ask('{url(web)}', **{{'Accept-Encoding': 'gzip', 'Range': 'bytes=0-9'}})")
    assert (web.seen[1][1]["Accept-Encoding"], web.seen[1][1]["Range"]) == ("gzip", "bytes=0-9")
    # It is the session's own authority that vouches for it.
    issuer, _ = value_of(session, "(lambda ssl, socket: dict(sum(ssl.create_default_context().wrap_socket("
                         f"socket.create_connection(('{HOST}', {web.server_address[1]})), server_hostname='{HOST}')"
                         ".getpeercert()['issuer'], ())))(__import__('ssl'), __import__('socket'))")
    assert issuer["organizationName"] == "Glassbell"
    records = client.call("session.network_log", session=session.id)["records"]
    assert [r["rule"] for r in records if r["kind"] == "request"] == ["GET /v1/x 200", "GET / 200"]
    session.close()
    text = subprocess.run([BINARY, "export", "--format", "ocsf", session.id], env=server.env, capture_output=True,
                          text=True, check=True).stdout
    requests = [one for one in map(json.loads, text.splitlines()) if one["class_uid"] == 4002]
    assert [one["http_request"]["url"]["path"] for one in requests] == ["/v1/x", "/"] and "token" not in text


def test_another_host_in_a_request_is_refused(client, web):
    web.seen.clear()
    session = opened(client, web)
    got, cell = value_of(session, f"ask('{url(web)}', Host='other.test')")
    assert got[0] == 421 and got[1].startswith("glassbell: other_host: ") and web.seen == []
    assert cell["network_refused"] == [f"{HOST}:{web.server_address[1]} (other_host)"]
    session.close()


def test_a_rule_that_is_added_later(client, web):
    session = opened(client, web)
    with pytest.raises(Failure) as failure:
        client.call("session.network", session=session.id, rules=["allow other.test inspect"])
    assert failure.value.kind == "invalid_input" and "when the session was opened" in str(failure.value)
    assert "other.test" not in client.call("session.network", session=session.id)["rules"]
    changed = client.call("session.network", session=session.id, rules=[f"allow {HOST} :9 inspect"])
    assert changed["rules"].startswith(f"allow {HOST} :9 inspect\n")
    # Without the rule, nothing stands in between.
    client.call("session.network", session=session.id, network=rules(web, "tls"))
    assert "CERTIFICATE_VERIFY_FAILED" in value_of(session, f"ask('{url(web)}')")[0]
    session.close()
    plain = Session(client, network={"allow": ["a.test"]})
    with pytest.raises(Failure) as failure:
        client.call("session.network", session=plain.id, network={"allow": [f"{HOST} inspect"]})
    assert failure.value.kind == "invalid_input"
    plain.close()


def test_it_is_inspected_in_forks_and_by_another_server(trusting, tmp_path, web):
    with Server(folder=str(tmp_path), env=trusting) as server, server.client() as client:
        session = opened(client, web)
        (forked,) = session.call("session.fork")["sessions"]
        child = Session.__new__(Session)
        child.client, child.id = client, forked["session"]
        value_of(child, f"ask('{url(web, path='/child')}')")
        records = client.call("session.network_log", session=child.id)["records"]
        assert [r["rule"] for r in records if r["kind"] == "request"] == ["GET /child 200"]
        child.close()
        session.call("session.sleep")
    with Server(folder=str(tmp_path), env=trusting) as server, server.client() as client:
        session.client = client
        value_of(session, f"ask('{url(web, path='/woken')}')")
        records = client.call("session.network_log", session=session.id)["records"]
        assert "GET /woken 200" in [r["rule"] for r in records if r["kind"] == "request"]
        session.close()
