# SPDX-License-Identifier: Apache-2.0
"""A server on another machine, through a real OpenSSH on the loopback: verbs, both Python clients, the front end,
links that are lost, and addresses that nobody should follow."""

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

from support import BINARY, DEADLINE, ROOT, Server, wait_for
from sshd import Sshd
from terminal import Terminal

sys.path.insert(0, str(ROOT / "python/src"))
import glassbell


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def far(server):
    """The far end: where commands come in, there is that server."""
    with Sshd(server.env) as sshd:
        yield sshd


@pytest.fixture
def cli(far):
    def run(*arguments, status=0, input=b"", **env):
        done = subprocess.run([BINARY, *map(str, arguments)], env=far.near_env(**{"GLASSBELL_HOST": far.url, **env}),
                              input=input, capture_output=True, timeout=DEADLINE, check=False, start_new_session=True)
        assert b"AddressSanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr
        if status is not None:
            assert done.returncode == status, (done.returncode, done.stdout[-2000:], done.stderr)
        return done
    return run


@pytest.fixture
def near(far, monkeypatch):
    """This process as a client of the far end."""
    for name, value in far.near_env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GLASSBELL_SOCKET", raising=False)
    monkeypatch.setattr(sys, "stdin", open(os.devnull))


def settings(tmp_path, text):
    path = tmp_path / "glassbell.conf"
    path.write_text(text)
    return str(path)


# ---- any verb ----

def test_verbs(cli, far, server, tmp_path):
    """A session's life there, with files from here."""
    data = os.urandom(300_000)
    (tmp_path / "a.bin").write_bytes(data)
    identity = cli("open", "--label", "far").stdout.decode().strip()
    try:
        assert cli("exec", "far", "-c", "x = 41").stdout == b""
        assert cli("exec", "far", "-c", "print(x + 1)").stdout == b"42\n"
        cli("put", "-q", "far", tmp_path / "a.bin")
        cli("get", "-q", "far", "a.bin", tmp_path / "b.bin")
        assert (tmp_path / "b.bin").read_bytes() == data
        assert identity in cli("ls", "--ids").stdout.decode()
        assert b"print(x + 1)" in cli("log", "far").stdout
        assert cli("repl", "far", input=b"x\n").stdout == b"41\n"
        with server.client() as client:
            assert identity in [item["session"] for item in client.call("session.list")["sessions"]]
    finally:
        cli("close", "far")
    assert cli("exec", "far", "-c", "1", status=125).stdout == b""


def test_run_passes_streams_and_status_on(cli):
    done = cli("run", "--stdin", "-c", "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d[::-1]);"
               "print('e', file=sys.stderr); sys.exit(7)", input=bytes(range(256)) * 500, status=7)
    assert done.stdout == bytes(reversed(bytes(range(256)) * 500)) and done.stderr == b"e\n"


def test_mcp(far):
    lines = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_sessions", "arguments": {}}}]
    process = subprocess.Popen([BINARY, "mcp"], env=far.near_env(GLASSBELL_HOST=far.url), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        for line in lines:
            process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()
        replies = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert replies[1]["id"] == 2 and not replies[1]["result"].get("isError"), replies
    finally:
        process.stdin.close()
        process.wait(DEADLINE)


def test_names_of_the_settings(cli, far, tmp_path):
    config = settings(tmp_path, f'[hosts]\nbuild = {far.url}  # ours\n"the other" = "{far.url}"\nalias = ssh://far\n'
                      "wrong = ssh://-oProxyCommand=x\n")
    for name in ("build", "the other", "alias"):  # the last is a name of ssh's own configuration
        before = far.calls()
        cli("ls", "--host", name, "--ids", GLASSBELL_HOST="", GLASSBELL_CONFIG=config)
        cli("ls", "--ids", GLASSBELL_HOST=name, GLASSBELL_CONFIG=config)
        assert far.calls() == before + 2
    said = cli("ls", "--host", "biuld", GLASSBELL_CONFIG=config, status=2).stderr
    assert b"there is no host biuld" in said and b"build, the other, alias" in said
    said = cli("ls", "--host", "wrong", GLASSBELL_CONFIG=config, status=2).stderr
    assert b"glassbell.conf:5" in said and b"begins with -" in said
    assert b"names none" in cli("ls", "--host", "x", status=2).stderr


def test_what_is_said_last_counts(cli, far, server):
    """The command line goes before the environment, and two servers at once are refused."""
    before = far.calls()
    assert b"exclude each other" in cli("ls", "--host", far.url, "--socket", server.socket, status=2).stderr
    cli("ls", "--socket", server.socket)
    assert far.calls() == before
    cli("ls", "--host", far.url, GLASSBELL_HOST="ssh://nowhere.invalid")
    assert far.calls() == before + 1


def test_the_path_of_the_socket_there(cli, far, server):
    cli("ls", "--host", f"{far.url}{server.socket}")
    said = cli("ls", "--no-autostart", "--host", f"{far.url}/nowhere/a%20b.sock", status=125).stderr
    assert b"no server listens at /nowhere/a b.sock" in said


# ---- what goes wrong ----

ADDRESSES = [
    ("ssh://", "the host is empty"), ("ssh:///a", "the host is empty"), ("ssh://a:b@c", "must not contain a password"),
    ("ssh://-oProxyCommand=x", "begins with -"), ("ssh://-l@h", "the user begins with -"),
    ("ssh://%2Dl@h", "the user begins with -"), ("ssh://h:0", "the port"), ("ssh://h:65536", "the port"),
    ("ssh://h:", "the port"), ("ssh://h:2x", "the port"), ("ssh://h/a'b", "not allowed"), ("ssh://h/a%27b", "not allowed"),
    ("ssh://h/a\\b", "not allowed"), ("ssh://h/a%0Ab", "not allowed"), ("ssh://h/%ff", "not UTF-8"),
    ("ssh://h/%4", "two hexadecimal digits"), ("ssh://h/a%", "two hexadecimal digits"), ("ssh://h/a?b", "no part after"),
    ("ssh://h#x", "no part after"), ("ssh://$(id)", "not allowed"), ("ssh://a b", "not allowed"), ("ssh://u;x@h", "not allowed"),
    ("ssh://[::1", "does not end in ]"), ("ssh://[::1]x", "after the ]"), ("ssh://[host]", "not an IPv6 address"),
    ("ssh://h/" + "a" * 200, "longer than 107 bytes"), ("ssh://" + "h" * 300, "longer than 255 bytes"),
    ("ssh://" + "h" * 2000, "longer than 1024 bytes"),
]


@pytest.mark.parametrize("url, says", ADDRESSES)
def test_an_address_that_is_none(cli, far, near, url, says):
    """Nothing is started for it, by neither client."""
    before = far.calls()
    assert says.encode() in cli("ls", "--host", url, status=2).stderr
    with pytest.raises(glassbell.InvalidInput) as caught:
        glassbell.Client(host=url)
    assert says in caught.value.message
    assert far.calls() == before


def test_both_clients_ask_ssh_for_the_same(far, tmp_path, monkeypatch):
    """The command that is started, word for word."""
    recorder = tmp_path / "ssh"
    recorder.write_text(f'#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >{tmp_path}/said.new\n'
                        f'mv {tmp_path}/said.new {tmp_path}/said\n')
    recorder.chmod(0o755)
    monkeypatch.setattr(sys, "stdin", open(os.devnull))
    for name, value in far.near_env(PATH=f"{tmp_path}:{os.environ['PATH']}").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GLASSBELL_SOCKET", raising=False)

    def taken():
        words = (tmp_path / "said").read_text().splitlines()
        (tmp_path / "said").unlink()
        return words

    for url in ("ssh://h", "ssh://u@h:2222", "ssh://ann%40corp@[fe80::1%25eth0]:22/run/a%20b.sock", "ssh://h/tmp/é.sock"):
        for autostart in (True, False):
            said = []
            subprocess.run([BINARY, "ls", "--host", url, *([] if autostart else ["--no-autostart"])], capture_output=True,
                           check=False, timeout=DEADLINE, start_new_session=True)
            said.append(taken())
            with pytest.raises(glassbell.ConnectionFailed):
                glassbell.Client(host=url, autostart=autostart).hello()
            said.append(taken())
            assert said[0] == said[1]
            assert ("--no-autostart" in said[0][-1]) == (not autostart)
            assert said[0][said[0].index("--") + 1] in ("h", "fe80::1%eth0")


def test_nobody_there(cli, far, near):
    """ssh says why, and no server here takes its place."""
    port = far.port
    for url, says in ((f"ssh://nobody-of-that-name@127.0.0.1:{port}", "Permission denied"),
                      ("ssh://127.0.0.1:1", "Connection refused"), ("ssh://nowhere.invalid", "resolve")):
        done = cli("run", "-c", "print('ran')", GLASSBELL_HOST=url, status=125)
        assert done.stdout == b"" and says.encode() in done.stderr and b"nothing ran" in done.stderr, done.stderr
        with pytest.raises(glassbell.ConnectionFailed) as caught:
            glassbell.Client(host=url).run("print('ran')")
        assert says in caught.value.message and not caught.value.dispatched
    assert not list((far.folder / "nowhere").rglob("*.sock"))  # nothing was started here


def test_another_key_of_the_host(cli, far):
    """Whoever answers in the place of the host is not spoken to."""
    known = far.folder / "known_hosts"
    text = known.read_text()
    try:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", far.folder / "stranger"], check=True)
        known.write_text(f"[127.0.0.1]:{far.port} " + (far.folder / "stranger.pub").read_text())
        assert b"Host key verification failed" in cli("ls", status=125).stderr
    finally:
        known.write_text(text)


@pytest.mark.parametrize("script, says", [
    ("echo Welcome to the machine; exec {program} \"$@\"", "Welcome to the machine"),
    ("printf '{{\"stdio\": 2}}\\n'", "another version"),
    ("printf '{{\"stdio\": true}}\\n'", "did not answer"),
    ("printf '[]\\n'", "did not answer"),
    ("printf '{{\"stdio\": 1, \"error\": {{\"kind\": \"capacity\", \"message\": \"no room\"}}}}\\n'", "no room"),
    ("printf '{{\"stdio\": 1, \"error\": null}}\\n'; exit 3", None),
    ("head -c 100000 /dev/zero", "did not answer"),
    ("echo 'glassbell: \\033[31mbroken' >&2; exit 125", "broken"),
    ("exit 0", "without a reason"),
])
def test_a_far_end_that_is_none(cli, far, near, script, says, server):
    """A shell that prints, another version, garbage: told as what it is, and nothing ran."""
    program = far.far / "glassbell"
    target = program.resolve()
    program.unlink()
    program.write_text("#!/bin/sh\n" + script.format(program=target) + "\n")
    program.chmod(0o755)
    try:
        done = cli("exec", "s", "-c", "1", status=125)
        assert b"\x1b" not in done.stderr
        with pytest.raises(glassbell.GlassbellError) as caught:
            glassbell.Client(host=far.url).hello()
        assert "\x1b" not in caught.value.message and not caught.value.dispatched
        if says:
            assert says in done.stderr.decode() and says in caught.value.message, done.stderr
    finally:
        program.unlink()
        program.symlink_to(target)


def test_no_program_there(cli, far, near):
    program = far.far / "glassbell"
    target = program.resolve()
    program.unlink()
    try:
        said = cli("ls", status=125).stderr
        assert b"not found" in said and b"PATH" in said
        with pytest.raises(glassbell.ConnectionFailed, match="not found.*PATH"):
            glassbell.Client(host=far.url).hello()
    finally:
        program.symlink_to(target)


def test_no_ssh_here(cli, tmp_path):
    said = cli("ls", PATH=str(tmp_path), status=125).stderr
    assert b"ssh" in said and b"not found" in said


# ---- a server that is not there yet ----

def test_the_server_there_is_started_once(far, tmp_path):
    """As on one machine: by the first client, and by nobody who was told not to."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    env = dict(os.environ, XDG_RUNTIME_DIR=str(folder), XDG_STATE_HOME=str(tmp_path / "state"))
    env.pop("GLASSBELL_SOCKET", None)
    with Sshd(env) as sshd:
        run = sshd.near_env(GLASSBELL_HOST=sshd.url)
        done = subprocess.run([BINARY, "ls", "--no-autostart"], env=run, capture_output=True, timeout=DEADLINE, check=False,
                              start_new_session=True)
        assert done.returncode == 125 and b"no server listens" in done.stderr, done.stderr
        try:
            first = [subprocess.Popen([BINARY, "ls"], env=run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
                     for _ in range(3)]
            for process in first:
                _, said = process.communicate(timeout=DEADLINE)
                assert process.returncode == 0, said
        finally:
            ended = subprocess.run([sys.executable, "-c", "import glassbell; c = glassbell.Client(autostart=False); "
                                    "print(c.stats()['pid']); c.shutdown()"], timeout=DEADLINE, check=True, stdin=subprocess.DEVNULL,
                                   env=dict(env, PYTHONPATH=str(ROOT / "python/src")), capture_output=True).stdout
        pid = int(ended)
        wait_for(lambda: not pathlib.Path(f"/proc/{pid}").exists(), what="the end of the server")


# ---- links that are lost ----

COUNTS = "import pathlib; p = pathlib.Path('count'); p.write_text(str(int(p.read_text()) + 1) if p.exists() else '1'); "


def test_a_link_that_is_cut(cli, far, server):
    """While code runs: said as such, the code may have run, and it is not sent again."""
    cli("open", "--key", "cut", "--idle", 0)
    with server.client() as client:
        identity = next(item["session"] for item in client.call("session.list")["sessions"] if item.get("key") == "cut")
        process = subprocess.Popen([BINARY, "exec", "cut", "-c", COUNTS + "print('in', flush=True); import time; time.sleep(600)"],
                                   env=far.near_env(GLASSBELL_HOST=far.url), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        assert process.stdout.readline() == b"in\n"
        before = far.calls()
        assert far.cut()
        _, said = process.communicate(timeout=DEADLINE)
        assert process.returncode == 125
        assert b"the link to ssh://" in said and b"was lost" in said and b"the code may have run" in said, said
        # Who gives up ends what it began, there as here.
        wait_for(lambda: client.call("session.get", session=identity)["state"] == "idle", what="the end of the cell")
        assert far.calls() == before
        assert client.call("session.exec", session=identity, code="print(open('count').read())")["stdout"] == "1\n"
        client.call("session.close", session=identity)


def test_a_link_that_is_cut_under_python(far, near):
    """The same for the blocking client and for asyncio; a call that is safe to repeat is made again."""
    with glassbell.Client(host=far.url) as client:
        with client.open("python", idle=0) as session:
            session.exec("print(1)")
            loud = threading.Event()
            errors = []

            def work():
                try:
                    session.exec(COUNTS + "print('in', flush=True); import time; time.sleep(600)", timeout=900,
                                 on_output=lambda _: loud.set())
                except glassbell.GlassbellError as problem:
                    errors.append(problem)
            worker = threading.Thread(target=work)
            worker.start()
            assert loud.wait(DEADLINE)
            before = far.calls()
            far.cut()
            worker.join(DEADLINE)
            assert isinstance(errors[0], glassbell.OutcomeUnknown) and errors[0].dispatched
            assert "the link to ssh://" in errors[0].message
            assert far.calls() == before
            # The next calls make a link of their own.
            wait_for(lambda: client.sessions()[0].state == "idle", what="the end of the cell")
            assert session.exec("print(open('count').read())").stdout == "1\n"

            async def again():
                async with glassbell.AsyncClient(host=far.url) as other:
                    begun = asyncio.Event()
                    task = asyncio.ensure_future(other.session(session.id).exec(
                        COUNTS + "print('in', flush=True); import time; time.sleep(600)", timeout=900,
                        on_output=lambda _: begun.set()))
                    await asyncio.wait_for(begun.wait(), DEADLINE)
                    far.cut()
                    with pytest.raises(glassbell.OutcomeUnknown, match="the link to ssh://"):
                        await task
            asyncio.run(again())
            wait_for(lambda: client.sessions()[0].state == "idle", what="the end of the cell")
            assert session.exec("print(open('count').read())").stdout == "2\n"


def test_a_client_that_dies_leaves_nothing_running(far, server):
    """Its ssh ends with it, and what it had asked for there."""
    with server.client() as client:
        process = subprocess.Popen([BINARY, "run", "-c", "print('in', flush=True); import time; time.sleep(600)"],
                                   env=far.near_env(GLASSBELL_HOST=far.url), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, start_new_session=True)
        assert process.stdout.readline() == b"in\n"
        process.send_signal(signal.SIGKILL)
        process.wait(DEADLINE)
        wait_for(lambda: not far.links(), what="the end of the links")
        wait_for(lambda: not any(session["state"] == "running" for session in client.call("session.list")["sessions"]),
                 what="the end of the cell")


def test_ctrl_c_reaches_the_program_and_not_the_link(far):
    """One interrupts what runs there; ssh, in the same foreground, goes on."""
    process = subprocess.Popen([BINARY, "run", "-c", "print('in', flush=True)\ntry:\n import time; time.sleep(600)\n"
                                "except KeyboardInterrupt:\n print('caught')"],
                               env=far.near_env(GLASSBELL_HOST=far.url), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0)
    assert process.stdout.readline() == b"in\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, said = process.communicate(timeout=DEADLINE)
    assert out == b"caught\n" and process.returncode == 0, said


# ---- the Python clients ----

def test_python_clients(far, near, monkeypatch):
    with glassbell.Client(host=far.url) as client, client.open("python") as session:
        session.exec("x = 20")
        assert session.exec("x + 1").value == "21"
        session.write("a.bin", bytes(range(256)))
        assert session.read("a.bin") == bytes(range(256))

        async def other():
            async with glassbell.AsyncClient(host=far.url) as client:
                return (await client.session(session.id).exec("x + 2")).value
        assert asyncio.run(other()) == "22"
    monkeypatch.setenv("GLASSBELL_HOST", far.url)
    assert glassbell.Client().hello().server
    with pytest.raises(glassbell.InvalidInput):
        glassbell.Client("/a.sock", host=far.url)


def test_python_reads_the_names_of_the_settings(far, near, monkeypatch, tmp_path):
    path = settings(tmp_path, f'[server]\nbuild = no\n [hosts] # far\nbuild={far.url}\n"the \\"other\\"" = "{far.url}" # x\n'
                    "[keys]\nx = ssh://no\n")
    monkeypatch.setenv("GLASSBELL_CONFIG", path)
    for name in ("build", 'the "other"'):
        with glassbell.Client(host=name) as client:
            assert client.address.path == far.url
    with pytest.raises(glassbell.InvalidInput, match="there is no host 'x'.*build"):
        glassbell.Client(host="x")


# ---- the front end ----

def test_the_front_end(cli, far, tmp_path):
    """It shows the sessions there, says when the link is lost, and comes back."""
    cli("open", "--label", "over-there", "--idle", 0)
    try:
        with Terminal(tmp_path, f"{BINARY} --host {far.url}", columns=120, env={"PATH": far.near_env()["PATH"]}) as terminal:
            terminal.wait("over-there", far.url)
            program = far.far / "glassbell"
            target = program.resolve()
            program.unlink()
            far.cut()
            terminal.wait("no server", "over-there")
            program.symlink_to(target)
            terminal.command("reconnect")
            terminal.wait("the server is back", "over-there", without=["no server"])
            terminal.keys("q")
    finally:
        cli("close", "over-there")


# ---- stdio by itself ----

def stdio(server, *arguments):
    return subprocess.Popen([BINARY, "stdio", *arguments], env=server.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def test_stdio_carries_the_protocol(server):
    """Any number of lines either way, larger than any buffer, and its end is the connection's."""
    process = stdio(server)
    assert json.loads(process.stdout.readline()) == {"stdio": 1}
    text = "x" * 1_000_000
    opened = {"jsonrpc": "2.0", "id": 1, "method": "session.open", "params": {"image": "python"}}
    process.stdin.write(json.dumps(opened).encode() + b"\n")
    process.stdin.flush()
    identity = json.loads(process.stdout.readline())["result"]["session"]
    for number in range(2, 5):
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": "session.exec", "params": {
            "session": identity, "code": f"s = '{text}'; print(s)", "max_stdout": 8 << 20}}).encode() + b"\n")
        process.stdin.flush()
    for number in range(2, 5):
        reply = json.loads(process.stdout.readline())
        assert reply["id"] == number and reply["result"]["stdout"] == text + "\n"
    process.stdin.close()
    assert process.stdout.read() == b"" and process.wait(DEADLINE) == 0
    with server.client() as client:
        client.call("session.close", session=identity)


def test_stdio_says_why_there_is_no_server(server, tmp_path):
    process = stdio(server, "--no-autostart", "--socket", str(tmp_path / "none.sock"))
    out, said = process.communicate(timeout=DEADLINE)
    greeting = json.loads(out)
    assert greeting["stdio"] == 1 and greeting["error"]["kind"] == "not_found"
    assert "no server listens" in greeting["error"]["message"] and b"no server listens" in said
    assert process.returncode == 125


def test_stdio_ends_when_the_server_does(tmp_path):
    with Server() as server:
        process = stdio(server)
        assert json.loads(process.stdout.readline()) == {"stdio": 1}
        server.stop()
        out, said = process.communicate(timeout=DEADLINE)
        assert out == b"" and b"the server closed the connection" in said and process.returncode == 0
