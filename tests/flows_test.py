# SPDX-License-Identifier: Apache-2.0
"""Output, standard input, uploads and downloads of one session at once, as clients see them: every byte
comes, in its order, and the server holds little of it. agent/tests/flow_test.py looks at the port."""

import ast
import base64
import hashlib
import random
import threading

import pytest

from support import Failure, Server, Session, comes_to_rest, data_of, out, wait_for

MIB = 1 << 20
EACH = 6 * MIB
PIECE = 1 * MIB

# What of the guest's memory neither is free nor holds files is what processes have, and the program's own
# is there from the beginning: the rest is the agent's.
POUR = """
import hashlib, os, random, threading
def free():
    with open('/proc/meminfo') as file:
        lines = dict(line.split(':') for line in file)
    home = os.statvfs('.')
    return int(lines['MemAvailable'].split()[0]) * 1024 + (home.f_blocks - home.f_bfree) * home.f_frsize
def pour(fd, data):
    at = 0
    while at < len(data): at += os.write(fd, data[at:at + 50000])
data = {fd: random.Random(fd).randbytes(SIZE // 2).hex().encode() for fd in (1, 2)}
threads = [threading.Thread(target=pour, args=item) for item in data.items()]
digest, first, least = hashlib.sha256(), free(), 1 << 60
for thread in threads: thread.start()
while piece := os.read(0, 65536):
    digest.update(piece)
    least = min(least, free())
for thread in threads: thread.join()
digest.hexdigest(), first - least
""".replace("SIZE", str(EACH))


@pytest.fixture(scope="module")
def own():
    with Server() as server:
        yield server


@pytest.fixture
def session(own):
    with own.client() as client:
        session = Session(client, "python", memory_mb=320)
        yield session
        session.close()


def peak(server):
    with open(f"/proc/{server.process.pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))


def upload(server, session, path, data, problems):
    try:
        with server.client() as client:
            sent = [client.send("file.write", session=session.id, path=path, offset=at, final=at + PIECE >= len(data),
                                base64=base64.b64encode(data[at:at + PIECE]).decode())
                    for at in range(0, len(data), PIECE)]
            sizes = [pending.wait()["size"] for pending in sent]
            assert sizes == [min(at + PIECE, len(data)) for at in range(0, len(data), PIECE)]
    except Exception as problem:
        problems.append(problem)


def download(server, session, path, data, problems):
    try:
        with server.client() as client:
            there = Session.__new__(Session)
            there.client, there.id = client, session.id
            assert hashlib.sha256(there.read(path)).digest() == hashlib.sha256(data).digest()
    except Exception as problem:
        problems.append(problem)


def test_all_at_once(own, session):
    contents = {f"f{i}": random.Random(i).randbytes(EACH) for i in range(3)}
    session.write("there", contents["f0"])
    comes_to_rest(session.client)
    before = peak(own)
    with own.client() as owner:
        cell = owner.send("session.exec", session=session.id, code=POUR, interactive=True, stream=True,
                          max_stdout=EACH, max_stderr=EACH, timeout_ms=300_000)
        problems = []
        threads = [threading.Thread(target=upload, args=(own, session, name, data, problems))
                   for name, data in contents.items()]
        threads += [threading.Thread(target=download, args=(own, session, "there", contents["f0"], problems))
                    for _ in range(3)]
        for thread in threads:
            thread.start()
        given = random.Random(77).randbytes(EACH // 2).hex()
        for at in range(0, EACH, 300_000):
            piece = given[at:at + 300_000]
            session.call("session.stdin", cell=1, text=piece, eof=at + len(piece) == EACH)
        for thread in threads:
            thread.join()
        assert not problems, problems
        result = cell.wait(300)
        came = {"stdout": b"", "stderr": b""}
        while not owner.notes.empty():
            params = owner.notes.get()["params"]
            if "stream" in params:
                came[params["stream"]] += data_of(params)
        digest, held = ast.literal_eval(result["value"])
        assert digest == hashlib.sha256(given.encode()).hexdigest()
        print(f"the agent held {held >> 10} KiB")
        assert held < 4 * MIB
        for fd, name in ((1, "stdout"), (2, "stderr")):
            assert came[name] == random.Random(fd).randbytes(EACH // 2).hex().encode()
    for name, data in contents.items():
        assert hashlib.sha256(session.read(name)).digest() == hashlib.sha256(data).digest()
    # Output that a cell keeps and a client reads, requests of three uploads and their bytes, and three
    # answers of a download; a sanitised server keeps what it has freed for a while.
    assert peak(own) - before < 256 * MIB


@pytest.mark.parametrize("pieces", [1, 5])
def test_an_upload_that_does_not_fit(own, session, pieces):
    """All pieces from the one on that did not fit end with the same error; nothing is left behind."""
    free = session.call("session.get")["memory_mb"]
    with own.client() as client:
        sent = []
        for at in range(free // 8):
            sent.append(client.send("file.write", session=session.id, path="huge", offset=at * 8 * MIB, final=False,
                                    base64=base64.b64encode(bytes(8 * MIB)).decode()))
            if len(sent) >= pieces and at >= pieces:
                try:
                    sent[at - pieces].wait()
                except Failure as failure:
                    assert failure.kind == "too_large"
                    assert "no memory left" in str(failure) or "no space left" in str(failure)
                    break
        else:
            raise AssertionError("it had room for everything")
        kinds = []
        for pending in sent[len(sent) - pieces:]:
            with pytest.raises(Failure) as failure:
                pending.wait()
            kinds.append(failure.value.kind)
        assert set(kinds) <= {"too_large", "invalid_input"}
    assert out(session.exec("import os; print(os.listdir('.'))")) == "[]\n"
    session.write("small", b"fits")
    assert session.read("small") == b"fits"


@pytest.mark.parametrize("final", [True, False])
def test_a_client_that_goes_away(own, session, final):
    """A file whose last piece was sent appears; one that is not finished does not."""
    with own.client() as client:
        for at in range(4):
            client.send("file.write", session=session.id, path="gone", offset=at * PIECE, final=final and at == 3,
                        text="g" * PIECE)
        client.call("hello")  # the server has taken them all

    def names():
        return [entry["name"] for entry in session.call("file.list", path=".")["entries"]]

    if final:
        wait_for(lambda: names() == ["gone"])
    session.write("behind", b"it")
    assert names() == (["behind", "gone"] if final else ["behind"])
    if final:
        assert session.call("file.stat", path="gone")["size"] == 4 * PIECE


def test_an_upload_that_begins_again(session):
    first = session.client.send("file.write", session=session.id, path="again", text="old" * 100_000, final=False)
    session.call("file.write", path="again", text="new", final=True)
    try:
        first.wait()
    except Failure as failure:
        assert failure.kind == "invalid_input" and "given up" in str(failure)
    assert session.read("again") == b"new"


# ---- the order of calls: what one finds is what those before it have made, with no answer awaited ----


def begin(client, session, path, data):
    """A whole file, in as few calls as can be."""
    return [client.send("file.write", session=session.id, path=path, offset=at, final=at + 4 * MIB >= len(data),
                        base64=base64.b64encode(data[at:at + 4 * MIB]).decode())
            for at in range(0, len(data), 4 * MIB)]


SIZES = [1, 512 << 10, 2 * MIB, 9 * MIB]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["kernel", "process", "shell"])
def test_a_cell_finds_the_file_before_it(session, size, mode):
    data = random.Random(size).randbytes(size)
    code = "sha256sum < program" if mode == "shell" else (
        "import hashlib; print(hashlib.sha256(open('program', 'rb').read()).hexdigest())")
    sent = begin(session.client, session, "program", data)
    cell = session.client.send("session.exec", session=session.id, code=code, mode=mode)
    assert out(cell.wait(120)).split()[0] == hashlib.sha256(data).hexdigest()
    assert [pending.wait()["size"] for pending in sent][-1] == size


@pytest.mark.parametrize("size", SIZES)
def test_calls_about_files_keep_their_order(session, size):
    old, new = random.Random(size).randbytes(size), b"new"

    def send(method, **params):
        return session.client.send(method, session=session.id, **params)

    sent = begin(session.client, session, "file", old)
    stat, there, content = send("file.stat", path="file"), send("file.list"), send("file.read", path="file", length=8)
    sent += begin(session.client, session, "file", new)
    again = send("file.read", path="file")
    sent += begin(session.client, session, "folder/large", old)
    removed, gone = send("file.remove", path="folder", recursive=True), send("file.list")
    made = send("file.mkdir", path="folder")
    sent += begin(session.client, session, "folder/small", new)
    last = send("file.list", path="folder")
    assert stat.wait()["size"] == size
    assert [entry["name"] for entry in there.wait()["entries"]] == ["file"]
    assert data_of(content.wait()) == old[:8]
    assert data_of(again.wait()) == new
    removed.wait()
    assert [entry["name"] for entry in gone.wait()["entries"]] == ["file"]
    made.wait()
    assert [(entry["name"], entry["size"]) for entry in last.wait()["entries"]] == [("small", 3)]
    for pending in sent:
        pending.wait()


def test_nobody_waits_for_an_upload_that_is_not_finished(session):
    """Nor for one that was given up."""
    first = session.client.send("file.write", session=session.id, path="a", text="a" * 3 * MIB, final=False)
    assert out(session.exec("print(6*7)")) == "42\n"
    assert session.call("file.list")["entries"] == []
    first.wait()
    session.call("file.write", path="a", text="new", final=True)
    assert session.read("a") == b"new"
