# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind gets the right error and a sentence, and loses nothing."""

import json
import os
import socket
import stat
import subprocess

import pytest

from support import Failure, Server, out


def refused(client, line):
    client.raw(line)
    reply = client.stray()
    assert "error" in reply, reply
    return reply["error"]


@pytest.fixture
def other(server):
    with server.client() as client:
        yield client


def works(client):
    assert client.call("hello")["protocol"] == 1


@pytest.mark.parametrize("line,code", [
    (b"not json\n", -32700), (b"\xff\xfe\n", -32700), (b"{\n", -32700), (b"[1]\n", -32600), (b"42\n", -32600),
    (b"{}\n", -32600), (b'{"jsonrpc":"1.0","id":"q","method":"hello"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":"q","method":7}\n', -32600), (b'{"jsonrpc":"2.0","id":{},"method":"hello"}\n', -32600),
    (b'{"jsonrpc":"2.0","id":"q","method":"no.such"}\n', -32601),
    (b'{"jsonrpc":"2.0","id":"q","method":"hello","params":[]}\n', -32602),
    (b"[" * 100000 + b"\n", -32700), (b'{"a":' * 5000 + b"\n", -32700),
])
def test_lines_that_are_no_requests(other, line, code):
    assert refused(other, line)["code"] == code
    works(other)


@pytest.mark.parametrize("method,params,word", [
    ("session.exec", {"session": 5, "code": "1"}, "session"),
    ("session.exec", {"code": "1"}, "session"),
    ("session.exec", {"session": "s", "code": 1}, "code"),
    ("session.exec", {"session": "s", "code": "1", "timeout_ms": "soon"}, "timeout_ms"),
    ("session.exec", {"session": "s", "code": "1", "timeout_ms": -1}, "timeout_ms"),
    ("session.exec", {"session": "s", "code": "1", "timeout_ms": 1.5}, "timeout_ms"),
    ("session.exec", {"session": "s", "code": "1", "timeout_ms": 1e300}, "timeout_ms"),
    ("session.exec", {"session": "s", "code": "1", "max_stdout": 1 << 40}, "max_stdout"),
    ("session.exec", {"session": "s", "code": "1", "mode": "warp"}, "mode"),
    ("session.exec", {"session": "s", "code": "1", "env": {"A": 1}}, "env"),
    ("session.exec", {"session": "s", "code": "1", "colour": True}, "colour"),
    ("session.open", {"image": "python", "memory_mb": 1}, "memory_mb"),
    ("session.open", {"image": "python", "memory_mb": 10**9}, "memory_mb"),
    ("session.open", {"image": ["python"]}, "image"),
    ("file.write", {"session": "s", "path": "p"}, "text"),
])
def test_wrong_parameters_are_named(other, method, params, word):
    with pytest.raises(Failure) as failure:
        other.call(method, **params)
    assert failure.value.kind == "invalid_input" and failure.value.dispatched is False
    assert word in str(failure.value)
    works(other)


def test_unknown_session_and_image(other):
    for method, params in (("session.exec", {"code": "1"}), ("session.get", {}), ("file.read", {"path": "x"})):
        with pytest.raises(Failure) as failure:
            other.call(method, session="s-nosuch", **params)
        assert failure.value.kind == "not_found" and failure.value.dispatched is False
    with pytest.raises(Failure) as failure:
        other.call("session.open", image="cobol")
    assert failure.value.kind == "image_missing" and "cobol" in str(failure.value)
    for word in ("javascript", "python", "shell", "`glassbell image ls`"):  # what could be meant, in a user's words
        assert word in str(failure.value)


def test_a_line_of_33_mib(other):
    other.raw(b'{"jsonrpc":"2.0","id":"big","method":"session.exec","params":{"code":"')
    for _ in range(33):
        other.raw(b"x" * (1 << 20))
    other.raw(b'"}}\n')
    error = other.stray()["error"]
    assert error["code"] in (-32600, -32700) and "long" in error["message"]
    works(other)


def test_half_a_line_and_silence(server, other):
    with server.client() as silent:
        silent.raw(b'{"jsonrpc":"2.0","id":1,"met')
        works(other)
        silent.raw(b'hod":"hello"}\n')
        assert silent.stray()["result"]["protocol"] == 1


def test_large_code(py):
    with pytest.raises(Failure) as failure:
        py.exec("#" + "x" * (5 << 20))
    assert failure.value.kind == "too_large" and failure.value.dispatched is False
    assert out(py.exec("print(1)#" + "x" * (3 << 20))) == "1\n"


def test_lone_surrogates(other, sh):
    line = {"jsonrpc": "2.0", "id": "q", "method": "session.exec", "params": {"session": sh.id, "code": "echo \ud800"}}
    assert refused(other, json.dumps(line).encode() + b"\n")["code"] in (-32700, -32602, -32000)
    works(other)


def test_many_requests_at_once(other):
    pending = [other.send("hello") for _ in range(200)]
    assert all(p.wait()["protocol"] == 1 for p in pending)


def test_socket_is_private(server):
    assert stat.S_IMODE(os.stat(server.socket).st_mode) == 0o600
    probe = ("import socket,sys,os\nos.setgid(65534)\nos.setuid(65534)\ns=socket.socket(socket.AF_UNIX)\n"
             "try: s.connect(sys.argv[1])\nexcept OSError: print('refused')\nelse: print('connected')")
    result = subprocess.run(["/usr/bin/python3", "-c", probe, str(server.socket)], capture_output=True, text=True)
    if os.getuid() == 0:
        assert result.stdout == "refused\n"


def test_another_uid_is_refused_before_a_byte_is_read(server):
    """Even with the file permissions out of the way."""
    if os.getuid() != 0:
        pytest.skip("needs root to become somebody else")
    folder = server.folder
    modes = os.stat(folder).st_mode, os.stat(server.socket).st_mode
    os.chmod(folder, 0o777)
    os.chmod(server.socket, 0o777)
    try:
        probe = ("import socket,sys,os\nos.setgid(65534)\nos.setuid(65534)\ns=socket.socket(socket.AF_UNIX)\n"
                 "s.connect(sys.argv[1])\ns.settimeout(60)\n"
                 "try:\n s.sendall(b'{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\\n')\n print(repr(s.recv(100)))\n"
                 "except OSError: print(repr(b''))")
        result = subprocess.run(["/usr/bin/python3", "-c", probe, str(server.socket)], capture_output=True, text=True)
        assert result.stdout == "b''\n", result
    finally:
        os.chmod(folder, modes[0] & 0o7777)
        os.chmod(server.socket, modes[1] & 0o7777)


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
def test_damaged_image(tmp_path, damage):
    source = os.environ["GLASSBELL_IMAGES"]
    for name in os.listdir(source):
        if name.startswith("shell") or not name.endswith((".erofs", ".json")) or name == "boot.json":
            if os.path.isfile(os.path.join(source, name)):
                (tmp_path / name).write_bytes(open(os.path.join(source, name), "rb").read())
    target = tmp_path / "shell.erofs"
    if damage == "missing":
        target.unlink()
    elif damage == "cut":
        os.truncate(target, target.stat().st_size // 2)
    else:
        with open(target, "r+b") as file:
            file.seek(target.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 0xff]))
    with Server("--images", str(tmp_path), env={"GLASSBELL_IMAGES": str(tmp_path)}) as server:
        with server.client() as client:
            with pytest.raises(Failure) as failure:
                client.call("session.open", image="shell")
            assert failure.value.kind == "image_missing" and failure.value.dispatched is False
            assert "glassbell image build" in str(failure.value)


def test_images_that_are_built_while_the_server_runs(tmp_path):
    source = os.environ["GLASSBELL_IMAGES"]
    for name in ("boot.json", "vmlinux", "initramfs.cpio", "shell.json", "shell.erofs"):
        os.symlink(os.path.join(source, name), tmp_path / name)
    with Server("--images", str(tmp_path), env={"GLASSBELL_IMAGES": str(tmp_path)}) as server:
        with server.client() as client:
            with pytest.raises(Failure):
                client.call("session.open", image="extra")
            manifest = json.loads((tmp_path / "shell.json").read_text())
            manifest["name"], manifest["aliases"], manifest["memory_mb"] = "extra", [], 160
            (tmp_path / "extra.json.new").write_text(json.dumps(manifest))
            os.rename(tmp_path / "extra.json.new", tmp_path / "extra.json")
            opened = client.call("session.open", image="extra")
            cell = client.call("session.exec", session=opened["session"], code="echo built")
            assert out(cell) == "built\n"
            assert client.call("session.get", session=opened["session"])["memory_mb"] == 160


def test_no_images_at_all(tmp_path):
    with pytest.raises(RuntimeError) as problem:
        Server("--images", str(tmp_path), env={"GLASSBELL_IMAGES": str(tmp_path)})
    assert "image build" in str(problem.value)


def test_hello_tells_the_truth(client):
    hello = client.call("hello", client="tests", protocol=1)
    assert hello["accel"] in ("tcg", "kvm")
    assert hello["isolation"] == ("emulation" if hello["accel"] == "tcg" else "hardware")
    assert {"python", "javascript", "shell"} <= {i["name"] for i in hello["images"]}
    assert any(p["name"].startswith("python3") for i in hello["images"] if i["name"] == "python" for p in i["packages"])
    with pytest.raises(Failure):
        client.call("hello", protocol=99)


def test_slow_reader_is_held_back(server, sh):
    """A client that asks for much and reads nothing costs the server little memory."""
    def rss():
        with open(f"/proc/{server.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    before = rss()
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(server.socket))
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "session.exec", "params": {
        "session": sh.id, "code": "head -c 60000000 /dev/zero | tr '\\0' x", "stream": True,
        "max_stdout": 64 << 20, "timeout_ms": 60000}})
    sock.sendall(line.encode() + b"\n")
    # The program is stopped by back-pressure: the agent still answers, and the cell still runs.
    with server.client() as other:
        for _ in range(20):
            other.call("session.get", session=sh.id)
            other.call("file.stat", session=sh.id, path=".")
        assert rss() - before < 32 << 10
    sock.close()
    assert out(sh.exec("echo free")) == "free\n"
