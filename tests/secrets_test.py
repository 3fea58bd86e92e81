# SPDX-License-Identifier: Apache-2.0
"""Secrets that a session uses and never has: programs in real guests, a TLS server of the test's own, and a search
for the value everywhere but in glassbell-edge."""

import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess

import pytest

from certificates import HOST
from support import BINARY, Failure, Server, Session, Watcher, err, out, qemu_pid, wait_for
from web import serving

VALUE = "canary-b71e4c09d2f8a653-value"


class Handler(http.server.BaseHTTPRequestHandler):
    """Tells what it was sent, the secret among it."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        body = json.dumps({"path": self.path, "headers": dict(self.headers)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Echo", self.headers.get("Authorization", ""))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def web(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "leaf.pem", authority / "leaf.key")
    with serving(Handler, tls=context, seen=[]) as server:
        yield server


@pytest.fixture(scope="module")
def settings(authority):
    """The settings file; the value is in a file of its own."""
    (authority / "value").write_text(VALUE + "\n")
    config = authority / "glassbell.conf"
    config.write_text(f'''
[secret "API"]
file {authority}/value
hosts {HOST} *.{HOST}
place bearer
trust {authority}/ca.pem

[secret "SAME"]
file {authority}/value
hosts {HOST}
place header authorization

[secret "COMMAND"]
command printf %s "$PREFIX-of-a-command"
hosts {HOST}
place query key
variable QUERY_KEY
trust {authority}/ca.pem

[secret "DISTRUST"]
file {authority}/value
hosts other.test *.{HOST} x.{HOST}
place header x-distrust

[secret "GONE"]
file /nowhere/at/all
hosts {HOST}
place header x-gone

[secret "WRONG"]
file /etc/hostname
place bearer
''')
    return config


@pytest.fixture(scope="module")
def server(settings):
    with Server("--config", str(settings), env={"PREFIX": "text"}) as made:
        yield made


@pytest.fixture
def client(server):
    with server.client() as made:
        yield made


def rules(web, host=HOST, *more):
    return {"rules": [f"allow {host} :{web.server_address[1]} tls private", f"resolve {host} 127.0.0.1", *more]}


def url(web, host=HOST, path="/"):
    return f"https://{host}:{web.server_address[1]}{path}"


ASK = """
import json, os, urllib.request, urllib.error
def ask(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except urllib.error.URLError as e:
        return repr(e.reason)
"""


def test_a_program_uses_a_secret_that_it_does_not_have(client, web):
    web.seen.clear()
    session = Session(client, image="python", network=rules(web), secrets=["API"])
    cell = session.exec(ASK + f"print(os.environ['API'])\nprint(ask('{url(web, path='/v1?q=1')}', "
                              "Authorization='Bearer ' + os.environ['API']))", timeout_ms=120000)
    assert cell["exit_code"] == 0, err(cell)
    holder, answer = out(cell).splitlines()
    assert re.fullmatch("gb_secret_API_[0-9a-f]{32}", holder) and VALUE not in answer
    (path, headers), = web.seen
    assert path == "/v1?q=1" and headers["Authorization"] == f"Bearer {VALUE}", answer
    assert f"Bearer {holder[:20]}" in answer
    session.close()


@pytest.fixture(scope="module")
def shared(server, web):
    """A session with one secret, used by several tests."""
    with server.client() as made:
        session = Session(made, image="python",
                          network=rules(web, HOST, f"allow other.test :{web.server_address[1]} tls private",
                                        "resolve other.test 127.0.0.1"), secrets=["API", "COMMAND"])
        assert session.exec(ASK, timeout_ms=120000)["exit_code"] == 0
        yield session
        session.close()


def value_of(session, expression):
    cell = session.exec(f"print(json.dumps({expression}))", timeout_ms=120000)
    assert cell["exit_code"] == 0, err(cell)
    return json.loads(out(cell)), cell


def test_a_command_in_the_query(shared, web):
    web.seen.clear()
    (answer, headers), _ = value_of(shared, f"ask('{url(web)}?key=' + os.environ['QUERY_KEY'])")
    assert web.seen[0][0] == "/?key=text-of-a-command" and "text-of-a-command" not in answer, answer


def test_another_host_gets_the_placeholder(shared, web):
    web.seen.clear()
    shared.exec("import ssl\nopen_one = ssl._create_unverified_context()\n")
    got, cell = value_of(shared, f"urllib.request.urlopen(urllib.request.Request('{url(web, 'other.test')}', headers="
                                 "{'Authorization': 'Bearer ' + os.environ['API']}), context=open_one).status")
    assert got == 200 and web.seen[0][1]["Authorization"].startswith("Bearer gb_secret_API_"), web.seen


def test_a_request_for_another_host_is_refused_with_the_reason(shared, web):
    web.seen.clear()
    got, cell = value_of(shared, f"ask('{url(web)}', Host='other.test', Authorization='Bearer ' + os.environ['API'])")
    assert got[0] == 421 and got[1].startswith("glassbell: other_host: ") and web.seen == []
    assert cell["network_refused"] == [f"{HOST}:{web.server_address[1]} (other_host)"]


def test_requests_are_recorded_without_the_query(shared, server, web):
    with server.client() as client, Watcher(server) as watcher:
        value_of(shared, f"ask('{url(web, path='/audit?token=x')}', Authorization='Bearer ' + os.environ['API'])")
        event = watcher.until("network.request", path="/audit")[-1]
        assert (event["method"], event["path"], event["status"], event["secrets"], event["name"]) == (
            "GET", "/audit", 200, "API", HOST)
        records = client.call("session.network_log", session=shared.id)["records"]
    found = [r for r in records if r["kind"] == "request" and "/audit" in r["rule"]]
    assert [r["rule"] for r in found] == ["GET /audit 200 API"] and found[0]["name"] == HOST
    shown = subprocess.run([BINARY, "log", "--network", shared.id], env=server.env, capture_output=True, text=True,
                           check=True).stdout
    assert f"{HOST}:{web.server_address[1]}, GET /audit 200 API" in shown and "token" not in shown
    text = subprocess.run([BINARY, "export", "--format", "ocsf", shared.id], env=server.env, capture_output=True,
                          text=True, check=True).stdout
    event, = [one for one in map(json.loads, text.splitlines()) if one["class_uid"] == 4002 and "/audit" in str(one)]
    assert event["type_uid"] == 400203 and event["http_response"] == {"code": 200} and event["http_request"] == {
        "http_method": "GET", "url": {"scheme": "https", "hostname": HOST, "port": web.server_address[1],
                                      "path": "/audit"}}
    assert "token" not in text


def test_a_rewind_and_a_fork_have_their_secrets(client, web):
    session = Session(client, idle_ms=0, network=rules(web), secrets=["API"])
    session.exec(ASK)
    ask = f"ask('{url(web)}', Authorization='Bearer ' + os.environ['API'])"
    value_of(session, ask)
    kept = session.call("session.checkpoint")["seq"]
    session.call("session.rewind", seq=kept)
    web.seen.clear()
    value_of(session, ask)
    (forked,) = session.call("session.fork")["sessions"]
    child = Session.__new__(Session)
    child.client, child.id = client, forked["session"]
    # Its programs have loaded the certificates before, and know no other authority.
    value_of(child, ask)
    assert [headers["Authorization"] for _, headers in web.seen] == [f"Bearer {VALUE}"] * 2
    placeholders = {value_of(one, "os.environ['API']")[0] for one in (session, child)}
    assert len(placeholders) == 1 and VALUE not in placeholders
    pid = qemu_pid(client, session.id)
    session.call("session.sleep")
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the VM")
    value_of(session, ask)
    assert web.seen[-1][1]["Authorization"] == f"Bearer {VALUE}"
    for one in (session, child):
        one.close()


def test_it_is_taken_up_by_another_server_with_its_secrets(settings, tmp_path, web):
    ask = f"ask('{url(web)}', Authorization='Bearer ' + os.environ['API'])"
    with Server("--config", str(settings), folder=str(tmp_path)) as server, server.client() as client:
        session = Session(client, idle_ms=0, network=rules(web), secrets=["API"])
        session.exec(ASK)
        session.call("session.sleep")
    with Server("--config", str(settings), folder=str(tmp_path)) as server, server.client() as client:
        session.client = client
        web.seen.clear()
        value_of(session, ask)
        assert [headers["Authorization"] for _, headers in web.seen] == [f"Bearer {VALUE}"]
        session.call("session.sleep")
    other = tmp_path / "other.conf"
    other.write_text("")
    with Server("--config", str(other), folder=str(tmp_path)) as server, server.client() as client:
        session.client = client
        with pytest.raises(Failure) as failure:
            session.exec("x")
        assert "[secret \"API\"]" in str(failure.value.error)
        session.close()


def test_what_is_missing_at_a_wake_costs_no_past(settings, tmp_path, authority, web):
    """A session that is woken, and whose VM cannot get its secrets: it stays at its checkpoint, and goes on when it
    can."""
    trust, config = tmp_path / "trust.pem", tmp_path / "trust.conf"
    config.write_text(settings.read_text().replace(f"trust {authority}/ca.pem", f"trust {trust}"))
    trust.write_bytes((authority / "ca.pem").read_bytes())
    ask = f"ask('{url(web)}', Authorization='Bearer ' + os.environ['API'])"
    with Server("--config", str(config), folder=str(tmp_path)) as server, server.client() as client:
        session = Session(client, idle_ms=0, network=rules(web), secrets=["API"])
        session.exec(ASK + "\nx = 1")
        session.call("session.checkpoint")
        session.exec("x = 2")
        session.call("session.sleep")
        kept = session.call("session.checkpoints")["checkpoints"]
        assert len(kept) >= 2
    with Server("--config", str(config), folder=str(tmp_path)) as server, server.client() as client:
        session.client = client
        assert session.get()["state"] == "asleep"  # it has been taken up
        aside = tmp_path / "aside.pem"
        trust.rename(aside)  # the edge cannot be started
        for _ in range(2):
            with pytest.raises(Failure) as failure:
                session.exec("x = 3")
            assert failure.value.kind == "boot_failed" and "secret API" in str(failure.value)
            assert session.get()["state"] == "asleep"
        trust.write_text("no certificate")  # it ends before it is ready
        with pytest.raises(Failure) as failure:
            session.exec("x = 4")
        assert failure.value.kind == "boot_failed" and "has no certificate" in str(failure.value)
        wait_for(lambda: session.get()["state"] == "asleep", what="the end of the VM")
        assert session.call("session.checkpoints")["checkpoints"][:len(kept)] == kept
        aside.rename(trust)
        web.seen.clear()
        cell = session.exec("print(x)")
        assert out(cell) == "2\n" and "undone" not in cell.get("note", "")
        value_of(session, ask)
        assert [headers["Authorization"] for _, headers in web.seen] == [f"Bearer {VALUE}"]
        session.call("session.rewind", seq=kept[0]["seq"])
        assert out(session.exec("print(x)")) == "1\n"
        session.close()
    assert list((tmp_path).rglob("past/s-*")) == []


def memory_of(pid):
    """What is in the memory of a process, in runs of pages that exist. A sanitizer's maps of terabytes hold none of
    its data."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pages:
        for line in maps:
            first, last = (int(one, 16) for one in line.split()[0].split("-"))
            if line.split()[1][0] != "r" or "[v" in line or last - first > 1 << 36:
                continue
            pages.seek(first >> 12 << 3)
            flags = pages.read((last - first) >> 12 << 3)[7::8]
            at = 0
            while (at := next((i for i in range(at, len(flags)) if flags[i] & 0xc0), -1)) >= 0:
                end = next((i for i in range(at, min(len(flags), at + 4096)) if not flags[i] & 0xc0),
                           min(len(flags), at + 4096))
                memory.seek(first + (at << 12))
                yield memory.read(min((end - at << 12) + 64, last - first - (at << 12)))
                at = end


def descendants(pid):
    found = [pid]
    for one in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(one.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found += descendants(int(one.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def test_the_value_is_nowhere_but_in_the_edge(shared, server, web):
    got, _ = value_of(shared, f"ask('{url(web)}', Authorization='Bearer ' + os.environ['API'])[0]")
    assert HOST in got and VALUE not in got
    pids = descendants(server.process.pid)
    own = edges(server)
    assert own and qemu_pid(shared.client, shared.id) in pids
    with server.client() as client:
        assert client.call("stats")["vms"]
    seen = {}
    for pid in pids:
        seen[pid] = sum(piece.count(VALUE.encode()) for piece in memory_of(pid))
        for name in ["environ", "cmdline"]:
            assert VALUE.encode() not in pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    assert any(seen[pid] > 0 for pid in own), "the search finds nothing where the value is"
    assert [pid for pid in pids if seen[pid] > 0 and pid not in own] == []
    # Markers of this session, to know that the guest's memory was searched.
    holder, _ = value_of(shared, "os.environ['API']")
    assert any(holder.encode() in piece for piece in memory_of(qemu_pid(shared.client, shared.id)))
    searched = 0
    for file in pathlib.Path(server.folder).rglob("*"):
        if file.is_file():
            searched += 1
            assert VALUE.encode() not in file.read_bytes(), file
    assert searched > 0


@pytest.mark.parametrize("secrets, why", [
    (["NONE"], "have no [secret"), (["API", "SAME"], "same place of requests"), (["GONE"], "cannot be read"),
    (["WRONG"], "needs a line `hosts`"), (["API", "API"], "same variable"), (["API", "DISTRUST"], "same `trust`")])
def test_secrets_that_a_session_cannot_have(client, web, secrets, why):
    with pytest.raises(Failure) as failure:
        Session(client, network=rules(web), secrets=secrets)
    assert failure.value.kind == "invalid_input" and why in str(failure.value)


def test_secrets_need_a_network(client):
    with pytest.raises(Failure) as failure:
        Session(client, secrets=["API"])
    assert failure.value.kind == "invalid_input" and "no network" in str(failure.value)


def test_the_list_has_no_values(client, server):
    found = {one["name"]: one for one in client.call("secret.list")["secrets"]}
    assert found["API"] == {"name": "API", "source": "file", "place": "bearer", "hosts": f"{HOST} *.{HOST}",
                            "variable": "API", "problem": None}
    assert "cannot be read" in found["GONE"]["problem"] and found["COMMAND"]["place"] == "query key"
    shown = subprocess.run([BINARY, "secret", "list"], env=server.env, capture_output=True, text=True, check=True).stdout
    assert f"API: bearer, for {HOST} *.{HOST}, in $API, from file\n" in shown and VALUE not in shown


PROGRAMS = {
    "curl": ("shell", "curl -sS -H \"Authorization: Bearer $API\" URL"),
    "curl with its own bundle": ("shell", "env -u CURL_CA_BUNDLE -u SSL_CERT_FILE curl -sS -H \"Authorization: Bearer "
                                          "$API\" URL"),
    "node": ("javascript", "const r = await fetch('URL', {headers: {Authorization: `Bearer ${process.env.API}`}}); "
                           "console.log(await r.text())"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_trust_the_edge(client, web, name):
    image, code = PROGRAMS[name]
    web.seen.clear()
    session = Session(client, image=image, network=rules(web), secrets=["API"])
    cell = session.exec(code.replace("URL", url(web)), timeout_ms=120000)
    assert cell["exit_code"] == 0, (out(cell), err(cell))
    assert web.seen[0][1].get("Authorization", web.seen[0][1].get("authorization")) == f"Bearer {VALUE}"
    assert "gb_secret_API_" in out(cell) and VALUE not in out(cell)
    session.close()


def test_a_run_from_the_command_line(server, web):
    policy = "; ".join(rules(web)["rules"])
    done = subprocess.run([BINARY, "run", "--net", policy, "--secret", "API", "-l", "shell", "-c",
                           f"curl -sS -H \"Authorization: Bearer $API\" {url(web)}"], env=server.env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Bearer gb_secret_API_" in done.stdout and VALUE not in done.stdout, done


def edges(server):
    return {pid for pid in descendants(server.process.pid) if "glassbell-edge" in os.readlink(f"/proc/{pid}/exe")}


def test_without_its_edge_a_host_is_refused(server, web, client):
    before = edges(server)
    session = Session(client, image="python", network=rules(web), secrets=["API"])
    assert session.exec(ASK, timeout_ms=120000)["exit_code"] == 0
    own, = edges(server) - before
    web.seen.clear()
    os.kill(own, 9)
    wait_for(lambda: own not in edges(server), what="its end")
    got, cell = value_of(session, f"ask('{url(web)}', Authorization='Bearer ' + os.environ['API'])")
    assert web.seen == [] and cell["network_refused"] == [f"{HOST}:{web.server_address[1]} (no_edge)"], got
    session.close()
    with pytest.raises(OSError):
        os.kill(own, 0)


def test_the_edge_ends_with_its_session(server, web, client):
    before = edges(server)
    session = Session(client, image="python", network=rules(web), secrets=["API"])
    assert edges(server) - before
    session.close()
    wait_for(lambda: not edges(server) - before, what="the end of the edge")
