# SPDX-License-Identifier: Apache-2.0
"""Packages for sessions: builders in real VMs, an index of the test's own on loopback."""

import base64
import contextlib
import hashlib
import http.server
import io
import json
import os
import pty
import signal
import subprocess
import tarfile
import threading
import zipfile

import pytest

from certificates import HOST
from support import BINARY, Failure, Server, Session, Watcher, err, out, qemu_pid, wait_for
from web import serving

LONG = 600  # seconds: a builder boots, and pip is slow where it is emulated
pytestmark = pytest.mark.timeout(2 * LONG)


def wheel(name, version, code, needs=()):
    """A wheel with one module, always the same bytes."""
    info = f"{name}-{version}.dist-info"
    files = {f"{name}.py": code, f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
             "Tag: py3-none-any\n", f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" +
             "".join(f"Requires-Dist: {one}\n" for one in needs)}
    record = "".join(f"{path},sha256={digest(text.encode())},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return f"{name}-{version}-py3-none-any.whl", data.getvalue()


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def tarball(name, version, code, needs=None):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        manifest = {"name": name, "version": version, "main": "index.js", "dependencies": needs or {}}
        for path, text in {"package/package.json": json.dumps(manifest), "package/index.js": code}.items():
            one = tarfile.TarInfo(path)
            one.size = len(text)
            archive.addfile(one, io.BytesIO(text.encode()))
    return manifest, data.getvalue()


WHEELS = dict([wheel("alpha", "1.0", "VALUE = 'one'\n"), wheel("alpha", "2.0", "VALUE = 'two'\n"),
               wheel("beta", "0.5", "import alpha\nVALUE = 'beta of ' + alpha.VALUE\n", ["alpha>=1"])])
TARBALLS = {"gamma": tarball("gamma", "1.2.0", "exports.value = 'gamma ' + require('delta').value;\n",
                             {"delta": "^3.0.0"}),
            "delta": tarball("delta", "3.1.0", "exports.value = 'delta';\n")}


class Index(http.server.BaseHTTPRequestHandler):
    """A simple index (PEP 503) below /simple, and an npm registry below /npm."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.path)
        self.server.answers.wait(LONG)
        kind, body = self.find()
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def find(self):
        parts = self.path.strip("/").split("/")
        if parts[0] == "simple":
            files = [name for name in WHEELS if name.split("-")[0] == parts[1]]
            links = "".join(f'<a href="/files/{name}#sha256={hashlib.sha256(WHEELS[name]).hexdigest()}">{name}</a>'
                            for name in files)
            return "text/html", links.encode() if files else None
        if parts[0] == "files":
            return "application/octet-stream", WHEELS.get(parts[1])
        if parts[0] == "npm" and parts[-1].endswith(".tgz"):
            return "application/octet-stream", TARBALLS[parts[1]][1]
        if parts[0] == "npm" and parts[1] in TARBALLS:
            manifest, data = TARBALLS[parts[1]]
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
            host = self.headers["Host"]
            one = {**manifest, "dist": {"integrity": integrity, "tarball": f"http://{host}/npm/{parts[1]}/-/x.tgz"}}
            return "application/json", json.dumps({"name": parts[1], "dist-tags": {"latest": manifest["version"]},
                                                   "versions": {manifest["version"]: one}}).encode()
        return "text/plain", None

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def index():
    answers = threading.Event()
    answers.set()
    with serving(Index, seen=[], answers=answers) as server:
        yield server
        answers.set()


@contextlib.contextmanager
def silent(index):
    """It answers nothing for a while."""
    index.seen.clear()
    index.answers.clear()
    try:
        yield
    finally:
        index.answers.set()


def server_of(index, folder, settings="", **env):
    port = index.server_address[1]
    rules = f"allow index.test :{port} http private\nresolve index.test 127.0.0.1\n"
    (folder / "glassbell.conf").write_text(f'{settings}[network "python"]\n{rules}\n[network "node"]\n{rules}')
    return Server("--config", str(folder / "glassbell.conf"), env={
        "PIP_INDEX_URL": f"http://index.test:{port}/simple", "NPM_CONFIG_REGISTRY": f"http://index.test:{port}/npm/",
        **env})


@pytest.fixture(scope="module")
def server(index, tmp_path_factory):
    with server_of(index, tmp_path_factory.mktemp("packages")) as made:
        yield made


@pytest.fixture
def client(server):
    with server.client() as made:
        yield made


def opened(client, *packages, image="python", **options):
    session = Session.__new__(Session)
    session.client = client
    session.opened = client.send("session.open", image=image, packages=list(packages), **options).wait(LONG)
    session.id = session.opened["session"]
    return session


def says(session, code):
    cell = session.send(code, timeout_ms=LONG * 1000).wait(LONG)
    assert cell["exit_code"] == 0, err(cell)
    return out(cell).strip()


def test_a_package_is_there_and_the_network_is_not(client, index):
    session = opened(client, "alpha==1.0")
    assert says(session, "import alpha; print(alpha.VALUE)") == "one"
    assert says(session, "import subprocess; print(subprocess.run(['python3', '-c', 'import alpha'], "
                         "check=True).returncode)") == "0"
    info = session.get()
    expected = hashlib.sha256(WHEELS["alpha-1.0-py3-none-any.whl"]).hexdigest()
    assert info["packages"] == f"alpha==1.0 --hash=sha256:{expected}\n" and info["network"] == "none"
    assert says(session, "import socket\ntry: socket.create_connection(('198.18.0.1', 80))\n"
                         "except OSError as e: print(e.errno)") == "101"
    session.close()
    index.seen.clear()
    again = opened(client, "alpha==1.0")
    assert says(again, "import alpha; print(alpha.VALUE)") == "one" and index.seen == []
    lock = again.get()["packages"]
    again.close()
    locked = opened(client, *lock.splitlines())
    assert locked.get()["packages"] == lock
    locked.close()


def test_a_cell_waits_for_packages_and_for_secrets(index, tmp_path, authority):
    """A run sends its cell before the VM is there: it comes behind both, whichever is ready first."""
    port = index.server_address[1]
    (tmp_path / "value").write_text("a-value-of-a-secret\n")
    rules = f"allow index.test :{port} http private\nresolve index.test 127.0.0.1\n"
    config = tmp_path / "glassbell.conf"
    config.write_text(f'[network "python"]\n{rules}\n[secret "API"]\nfile {tmp_path}/value\nhosts {HOST}\n'
                      f"place bearer\ntrust {authority}/ca.pem\n")
    with Server("--config", str(config), folder=str(tmp_path),
                env={"PIP_INDEX_URL": f"http://index.test:{port}/simple"}) as server, server.client() as client:
        for _ in range(2):  # with a layer that has to be made, and with one that is there
            cell = client.send("run", image="python", packages=["alpha==1.0"], secrets=["API"],
                               network={"allow": [f"{HOST} :443 tls"]}, timeout_ms=LONG * 1000,
                               code="import alpha; print(alpha.VALUE)").wait(LONG)
            assert cell["exit_code"] == 0, err(cell)
            assert out(cell).strip() == "one"


def test_what_a_package_needs_comes_with_it(client, server):
    with Watcher(server, kinds=["session.preparing"]) as watcher:
        session = opened(client, "beta", "alpha<2")
        assert says(session, "import beta; print(beta.VALUE)") == "beta of one"
        assert [line.split(" ")[0] for line in session.get()["packages"].splitlines()] == ["alpha==1.0", "beta==0.5"]
        assert watcher.until("session.preparing", session=session.id)[-1]["text"]
        session.close()
    told = [note["params"] for note in list(client.notes.queue) if note["method"] == "session.preparing"]
    assert {note["session"] for note in told} == {session.id}
    assert any("beta" in note["text"] for note in told) and all(note["text"].isascii() for note in told)


def test_packages_of_javascript(client):
    session = opened(client, "gamma==1.2.0", image="javascript")
    assert says(session, "console.log(require('gamma').value)") == "gamma delta"
    assert says(session, "(await import('delta')).default.value") == ""
    names = [line.split(" ")[0] for line in session.get()["packages"].splitlines()]
    assert names == ["delta==3.1.0", "gamma==1.2.0"]
    session.close()


def test_two_sessions_wait_for_one_builder(client, index):
    index.seen.clear()
    pending = [client.send("session.open", packages=["alpha>=1.5"]) for _ in range(3)]
    for one in [each.wait(LONG) for each in pending]:
        client.call("session.close", session=one["session"])
    assert len([path for path in index.seen if path.startswith("/files/alpha-2.0")]) == 1


@pytest.mark.parametrize("line", ["-e .", "--index-url=https://a.example/", "six --pre", "six @ https://a.example/x",
                                  "./six", "user/repo", "git+https://a.example/x", "", "six\n-e ."])
def test_what_is_no_package_is_refused(client, line):
    with pytest.raises(Failure) as failed:
        opened(client, line)
    assert failed.value.kind == "invalid_input" and "is no package" in str(failed.value)


@pytest.mark.parametrize("image, packages, why", [
    ("python", ["nowhere-to-be-found"], "nowhere-to-be-found"), ("python", ["alpha==9.9"], "alpha==9.9"),
    ("python", ["alpha==1.0 --hash=sha256:" + 64 * "0"], "HASH"), ("python", ["alpha==1.0", "alpha==2.0"], "alpha"),
    ("javascript", ["nowhere-to-be-found"], "nowhere-to-be-found"), ("javascript", ["gamma@9"], "gamma"),
    ("javascript", ["gamma --hash=sha512:AAAA"], "digest")])
def test_packages_that_cannot_be_had(client, image, packages, why):
    with pytest.raises(Failure) as failed:
        opened(client, *packages, image=image)
    assert failed.value.kind == "packages" and why in str(failed.value)


def test_a_session_that_goes_ends_its_builder(client, server):
    with server.client() as other:
        other.send("session.open", packages=["alpha", "beta"])
        wait_for(lambda: [one for one in client.call("session.list")["sessions"] if one["label"] == "packages"],
                 what="the builder")
    wait_for(lambda: client.call("session.list")["sessions"] == [], what="its end")


def kept(client):
    """All packages that are, page by page."""
    found, more = [], True
    while more:
        page = client.call("packages.list", **({"after": found[-1]["name"]} if found else {}))
        assert page["layers"] or not page["more"]
        found += page["layers"]
        more = page["more"]
    return found


def test_the_list_comes_in_pages(tmp_path):
    folder = tmp_path / "glassbell" / "layers"
    folder.mkdir(parents=True)
    lock = "".join(f"lock package-{number}==1.0 --hash=sha256:{number:064x}\n" for number in range(500))
    for number in range(60):
        (folder / f"{number:032x}.record").write_text(
            f"glassbell packages 1\nlayer {number:064x}\nbytes 7\nimage python\nwanted one=={number}\n{lock}")
    (folder / f"{7:032x}.record").write_text("damaged")
    with Server(env={"XDG_CACHE_HOME": str(tmp_path)}) as server, server.client() as client:
        assert client.call("packages.list")["more"] is True
        names = [one["name"] for one in kept(client)]
        assert names == [f"{number:032x}" for number in range(60) if number != 7]
        listed = subprocess.run([BINARY, "packages", "--socket", server.socket, "--json"], env=server.env,
                                capture_output=True, text=True, check=True).stdout
        assert [json.loads(line)["name"] for line in listed.splitlines()] == names
        client.call("packages.remove", name=names[-1])
        assert [one["name"] for one in kept(client)] == names[:-1]
        for name in (names[-1], "none", "x" * 32):
            with pytest.raises(Failure) as failed:
                client.call("packages.remove", name=name)
            assert failed.value.kind == "not_found"


def builder_of(client):
    """The session that is one, when its program has asked for something."""
    [builder] = [one["session"] for one in client.call("session.list")["sessions"] if one["label"] == "packages"]
    return builder


def test_a_builder_that_dies_has_run_no_code_of_the_client(client, index):
    with silent(index):
        pending = client.send("session.open", packages=["alpha!=7"])
        wait_for(lambda: index.seen, timeout=LONG, what="the builder's request")
        os.kill(qemu_pid(client, builder_of(client)), signal.SIGKILL)
        with pytest.raises(Failure) as failed:
            pending.wait(LONG)
    assert failed.value.kind == "packages" and failed.value.dispatched is False


def test_builders_count_for_no_quota(index, tmp_path):
    with server_of(index, tmp_path, "[sessions]\nper_client = 2\nmaximum = 2\n") as server, server.client() as client:
        with silent(index):
            pending = client.send("session.open", packages=["alpha!=8"])
            wait_for(lambda: index.seen, timeout=LONG, what="the builder's request")
            second = opened(client)
            with pytest.raises(Failure) as failed:
                opened(client)
            assert failed.value.kind == "capacity" and "2 sessions are open" in str(failed.value)
        pending.wait(LONG)
        second.close()


def test_a_layer_that_is_made_while_another_session_looks_is_made_once(index, tmp_path):
    """Instead of the record there is a pipe: whoever looks waits until we have opened and closed it."""
    with server_of(index, tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")) as server, server.client() as client:
        opened(client, "alpha==1.0").close()
        [record] = (tmp_path / "cache").rglob("*.record")
        record.unlink()
        os.mkfifo(record)
        with silent(index):
            first = client.send("session.open", packages=["alpha==1.0"])
            os.close(os.open(record, os.O_WRONLY))  # it finds nothing
            wait_for(lambda: index.seen, timeout=LONG, what="the builder's request")
            second = client.send("session.open", packages=["alpha==1.0"])
            held = os.open(record, os.O_WRONLY)
        client.call("session.close", session=first.wait(LONG)["session"])
        os.close(held)  # nor does this one, but it was made meanwhile
        client.call("session.close", session=second.wait(LONG)["session"])
        assert len([path for path in index.seen if path.startswith("/files/alpha-1.0")]) == 1


def test_layers_that_are_too_large_to_be_kept(index, tmp_path):
    """A session has them nevertheless, and the next one fetches them again."""
    with server_of(index, tmp_path, "[packages]\nmax_size = 1\n", XDG_CACHE_HOME=str(tmp_path / "cache")) as server, \
            server.client() as client:
        for wanted, value in (("alpha==1.0", "one"), ("alpha==2.0", "two"), ("alpha==1.0", "one")):
            index.seen.clear()
            session = opened(client, wanted)
            assert says(session, "import alpha; print(alpha.VALUE)") == value and index.seen != []
            session.close()
            wait_for(lambda: len(client.call("packages.list")["layers"]) == 1, what="the removal of the others")


def stop_while_it_mounts(client, server, watcher):
    """The opener of a session whose VM runs, and stands still before its packages are there; None: it has been
    answered, as it was too fast for us."""
    opener = server.client()
    pending = opener.send("session.open", packages=["alpha==1.0"])
    session = watcher.until("session.opened")[-1]["session"]
    pid = wait_for(lambda: [vm["pid"] for vm in client.call("stats")["vms"] if vm["session"] == session], what="its VM")[0]
    while watcher.until("session.changed", session=session)[-1]["info"]["state"] == "starting":
        pass
    os.kill(pid, signal.SIGSTOP)
    for _ in range(3):  # what its VM said before that has been heard then
        opener.call("session.list")
    if pending.box.empty():
        return opener
    client.call("session.close", session=session)
    watcher.until("session.closed", session=session)
    opener.close()
    return None


def test_whose_opener_goes_while_packages_are_mounted_does_not_stay(client, server):
    opened(client, "alpha==1.0").close()  # from now on nothing has to be fetched
    kinds = ["session.opened", "session.changed", "session.closed"]
    with Watcher(server, kinds=kinds) as watcher:
        for _ in range(20):
            opener = stop_while_it_mounts(client, server, watcher)
            if opener is not None:
                break
        else:
            pytest.skip("packages are mounted here before a VM can be stopped")
        opener.close()
        watcher.until("session.closed")
    assert client.call("session.list")["sessions"] == []


def test_builders_wait_for_their_turn(client, server):
    with Watcher(server, kinds=["session.opened", "session.closed"]) as watcher:
        pending = [client.send("session.open", packages=[one, "nowhere-to-be-found"]) for one in ("a", "b", "c")]
        there, seen, most = set(), 0, 0
        while seen < 3 or there:
            event = watcher.next(LONG)
            if event["kind"] == "session.opened" and event["info"]["label"] == "packages":
                there.add(event["session"])
                seen += 1
            elif event["kind"] == "session.closed":
                there.discard(event["session"])
            most = max(most, len(there))
    assert most == 2
    for one in pending:
        with pytest.raises(Failure):
            one.wait(LONG)


def test_images_without_packages(client):
    with pytest.raises(Failure) as failed:
        opened(client, "alpha", image="shell")
    assert failed.value.kind == "unsupported"


def test_packages_after_a_rewind_in_a_fork_and_awake(server):
    with server.client() as client:
        client.call("image.warm", image="python")
        session = opened(client, "alpha==1.0")
        assert says(session, "import alpha; print(alpha.VALUE)") == "one"
        seq = session.call("session.checkpoint")["seq"]
        says(session, "alpha.VALUE = 'changed'")
        session.call("session.rewind", seq=seq)
        code = "import importlib, subprocess\n" \
               "print(alpha.VALUE, subprocess.run(['cat', alpha.__file__], capture_output=True, text=True).stdout)"
        assert says(session, code) == "one VALUE = 'one'"
        fork = session.call("session.fork")["sessions"][0]["session"]
        cell = client.call("session.exec", session=fork, code=code, timeout_ms=120000)
        assert out(cell).strip() == "one VALUE = 'one'"
        session.call("session.sleep")
        assert says(session, code) == "one VALUE = 'one'"
        assert client.call("session.get", session=fork)["packages"] == session.get()["packages"]


# Who opens it, and how.


def on_terminal(*command, env):
    """The exit status, standard output, and what came to the terminal that is standard error."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(ours)
        return process.wait(LONG), process.stdout.read().decode(), shown.decode()


def test_on_the_command_line(server, tmp_path):
    (tmp_path / "requirements.txt").write_text("# for a test\nalpha==1.0  # the old one\n\nbeta\n")
    code = "import alpha, beta; print(alpha.VALUE, beta.VALUE)"
    command = [BINARY, "run", "--socket", server.socket, "--packages", str(tmp_path / "requirements.txt"), "-c", code]
    status, said, shown = on_terminal(*command, env=server.env)
    assert (status, said) == (0, "one beta of one\n"), shown
    assert "\rStarting a VM that fetches the packages\033[K" in shown and shown.endswith("\r\033[K")
    done = subprocess.run(command, env=server.env, capture_output=True, text=True, check=False, timeout=LONG)
    assert (done.returncode, done.stdout, done.stderr) == (0, "one beta of one\n", "")
    listed = subprocess.run([BINARY, "packages", "--socket", server.socket, "--json"], env=server.env, capture_output=True,
                            text=True, check=True)
    assert "alpha==1.0" in listed.stdout and "beta==0.5" in listed.stdout


def test_as_a_tool_of_a_model(server):
    lines = [{"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                                                          "clientInfo": {"name": "test", "version": "1"}}},
             {"method": "notifications/initialized"},
             {"id": 2, "method": "tools/call", "params": {"name": "run_code", "arguments": {
                 "code": "import alpha; print(alpha.VALUE)", "packages": ["alpha==1.0"]}}},
             {"id": 3, "method": "tools/call", "params": {"name": "open_session", "arguments": {"packages": "alpha"}}}]
    with subprocess.Popen([BINARY, "mcp", "--no-autostart"], env=server.env, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        for line in lines:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **line}) + "\n")
        process.stdin.flush()
        replies = {}
        while not {2, 3} <= set(replies):
            reply = json.loads(process.stdout.readline())
            replies[reply.get("id")] = reply
        process.stdin.close()
    assert replies[2]["result"]["structuredContent"]["stdout"] == "one\n"
    assert "packages must be an array" in json.dumps(replies[3])


# Where the index is.


def program(folder, name, script):
    """A program of the host, made up."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


UNCONFIGURED = {"PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": "/dev/null", "NPM_CONFIG_REGISTRY": "",
                "npm_config_registry": "", "NPM_CONFIG_USERCONFIG": "/dev/null"}


def unconfigured(folder):
    """The environment of a server on a host where no package manager has a configuration."""
    return {**UNCONFIGURED, "HOME": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}


def test_an_index_that_only_its_program_knows(index, tmp_path):
    port = index.server_address[1]
    program(tmp_path, "pip", f'echo "  -i, --index-url <url>  (default http://index.test:{port}/simple)."')
    program(tmp_path, "npm", f"echo http://index.test:{port}/npm/")
    rules = f"allow index.test :{port} http private\nresolve index.test 127.0.0.1\n"
    (tmp_path / "glassbell.conf").write_text(f'[network "python"]\n{rules}\n[network "node"]\n{rules}')
    with Server("--config", str(tmp_path / "glassbell.conf"), env=unconfigured(tmp_path)) as server, \
            server.client() as client:
        session = opened(client, "alpha==2.0")
        assert says(session, "import alpha; print(alpha.VALUE)") == "two"


def test_files_on_another_host(tmp_path):
    """The preset allows the hosts that the index names, and not at private addresses."""
    program(tmp_path, "pip", 'echo "  -i, --index-url <url>  (default https://index.test/simple)."\n'
            'echo "  Found link https://files.test:8443/a/alpha-1.tar.gz (from https://index.test/simple/alpha/)"')
    program(tmp_path, "npm", "case $1 in config) echo https://npm.test/;; view) echo https://tar.test/npm.tgz;; esac")
    python = ["allow index.test :443 tls", "allow files.test :8443 tls"]
    with Server(env=unconfigured(tmp_path)) as server, server.client() as client:
        session = opened(client, network="python")
        assert session.call("session.network")["rules"].splitlines() == python
        shown = session.call("session.network", network="node")
        assert shown["network"] == "node"
        assert shown["rules"].splitlines() == ["allow npm.test :443 tls", "allow tar.test :443 tls"]
        assert session.call("session.network", network="python")["rules"].splitlines() == python


def test_an_index_at_a_private_address(tmp_path, authority):
    """It is reached where it is now, and at no other private address; what the site vouches for is trusted."""
    program(tmp_path, "pip", 'echo "  -i, --index-url <url>  (default https://localhost:8443/simple)."\n'
            'echo "  Found link https://localhost:8444/a/alpha-1.tar.gz (from https://localhost:8443/simple/alpha/)"')
    env = {**unconfigured(tmp_path), "NODE_EXTRA_CA_CERTS": str(authority / "ca.pem")}
    with Server(env=env) as server, server.client() as client:
        session = opened(client, network="python")
        rules = session.call("session.network")["rules"].splitlines()
        assert sorted(rules)[:2] == ["allow localhost :8443 tls private", "allow localhost :8444 tls"]
        assert rules[2].split(" ")[:2] == ["resolve", "localhost"]
        assert set(rules[2].split(" ")[2:]) <= {"127.0.0.1", "::1"}
        read = "import os; print(open('/etc/ssl/certs/ca-certificates.crt').read())\nprint(os.environ.get('PIP_CERT'))"
        assert (authority / "ca.pem").read_text().strip() in says(session, read)
        assert says(session, "print(os.environ['PIP_CERT'])") == "/run/certificates.pem"
        session = opened(client)
        assert (authority / "ca.pem").read_text().strip() not in says(session, read)
        session.call("session.network", network="python")
        assert (authority / "ca.pem").read_text().strip() in says(session, read)


def test_programs_that_are_not_there(tmp_path):
    program(tmp_path, "pip", "exit 1")
    program(tmp_path, "python3", "exit 1")
    with Server(env=unconfigured(tmp_path)) as server, server.client() as client:
        for params in ({"network": "python"}, {"packages": ["alpha"]}):
            with pytest.raises(Failure) as failed:
                client.call("session.open", **params)
            assert failed.value.kind == "invalid_input" and "pip" in str(failed.value)
        session = opened(client)
        with pytest.raises(Failure) as failed:
            session.call("session.network", network="python")
        assert failed.value.kind == "invalid_input" and session.call("session.network")["network"] == "none"


# In a session whose policy allows the index.


def test_package_managers_inside(client):
    session = opened(client, network="python")
    says(session, "import subprocess; subprocess.run(['pip', 'install', '-q', 'beta'], check=True)")
    assert says(session, "import beta; print(beta.VALUE)") == "beta of two"
    session = opened(client, image="javascript", network="node")
    says(session, "require('node:child_process').execSync('npm install --silent gamma')")
    assert says(session, "console.log(require('gamma').value)") == "gamma delta"


# The machine's own index, found where the server finds it, and nowhere written down.


def test_the_index_of_this_machine(pip_index):
    with Server() as server, server.client() as client:
        session = opened(client, "six==1.16.0")
        assert says(session, "import six; print(six.__version__)") == "1.16.0"
        assert session.get()["packages"].startswith("six==1.16.0 --hash=sha256:")
        session.close()
        session = opened(client, network="python")
        says(session, "import subprocess; subprocess.run(['pip', 'install', '-q', 'six==1.16.0'], check=True)")
        assert says(session, "import six; print(six.__version__)") == "1.16.0"


def test_packages_of_one_that_sleeps_outlive_the_server(index, tmp_path):
    port = index.server_address[1]
    rules = f"allow index.test :{port} http private\nresolve index.test 127.0.0.1\n"
    (tmp_path / "glassbell.conf").write_text(f'[network "python"]\n{rules}')
    server = Server("--config", str(tmp_path / "glassbell.conf"),
                    env={**unconfigured(tmp_path), "PIP_INDEX_URL": f"http://index.test:{port}/simple"})
    with server.client() as client:
        first, second = opened(client, "alpha==1.0", key="first"), opened(client, "alpha==2.0", key="second")
        third = opened(client, "beta", "alpha==1.0", key="third")
        for session in (first, second, third):
            says(session, "import alpha")
            session.call("session.sleep")
        packages = first.get()["packages"]
        gone = {second.get()["packages"], third.get()["packages"]}
        for one in kept(client):
            if one["contents"] in gone:  # the same bytes may be there for other requests
                client.call("packages.remove", name=one["name"])
    assert server.stop() == 0
    [link] = server.folder.rglob(f"{third.id}.layer")
    link.unlink()  # as if it were on another file system
    server.start()
    with server, server.client() as client:
        first.client = second.client = third.client = client
        assert first.get()["state"] == "asleep" and first.get()["packages"] == packages
        code = "import subprocess\nprint(alpha.VALUE, subprocess.run(['python3', '-c', 'import alpha; print(alpha.VALUE)']," \
               " capture_output=True, text=True).stdout)"
        assert says(first, code) == "one one" and says(second, code) == "two two"
        with pytest.raises(Failure) as failed:
            third.exec("1")
        assert "packages" in str(failed.value)
