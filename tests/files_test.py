# SPDX-License-Identifier: Apache-2.0
"""File calls: to the byte, inside the home, whole or not at all."""

import base64
import hashlib
import os

import pytest

from support import Failure, data_of, out


@pytest.mark.parametrize("size", [0, 1, 65535, 131072, 1 << 20, 30 << 20])
def test_round_trip(fresh, size):
    s = fresh("shell")
    data = os.urandom(size)
    assert s.write("blob", data)["size"] == size if size < 16 << 20 else _chunked(s, "blob", data)
    assert hashlib.sha256(s.read("blob")).digest() == hashlib.sha256(data).digest()
    guest = out(s.exec("sha256sum blob", timeout_ms=60000)).split()[0]
    assert guest == hashlib.sha256(data).hexdigest()


def _chunked(s, path, data, step=4 << 20):
    for offset in range(0, len(data), step):
        piece = data[offset:offset + step]
        s.write(path, piece, offset=offset, final=offset + step >= len(data))
    return True


def test_changes_are_seen_both_ways(sh):
    sh.write("note", b"one\n")
    sh.exec("echo two >> note")
    assert sh.read("note") == b"one\ntwo\n"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "x\0y", "link/passwd", "link2", "",
                                  "/home/user/../../etc/passwd", "sub/../../../etc/passwd"])
def test_escapes_are_refused(sh, path):
    sh.exec("ln -sfn /etc link; ln -sfn /etc/passwd link2; mkdir -p sub")
    for call in (lambda: sh.call("file.read", path=path), lambda: sh.write(path, b"x")):
        with pytest.raises(Failure) as failure:
            call()
        assert failure.value.kind in ("policy", "invalid_input"), (path, failure.value.error)


def test_absolute_paths_below_the_home(sh):
    sh.write("/home/user/abs", b"1")
    assert sh.read("abs") == b"1"


def test_names(sh):
    for name in ("n" * 255, "with space", "ünï", ".dot", "d1/d2/d3/deep", "-dash", "nl\nname"):
        sh.write(name, b"v")
        assert sh.read(name) == b"v"
    with pytest.raises(Failure) as failure:
        sh.write("n" * 256, b"v")
    assert failure.value.kind in ("invalid_input", "too_large")


def test_sparse_giants_are_told_apart(sh):
    sh.exec("mkdir -p sparse; truncate -s 100G sparse/big 2>/dev/null || truncate -s 1G sparse/big; echo x > sparse/small")
    entries = {e["name"]: e for e in sh.call("file.list", path="sparse")["entries"]}
    assert entries["big"]["size"] >= 1 << 30 and entries["big"]["allocated"] == 0
    assert entries["small"]["size"] == 2 and entries["small"]["allocated"] > 0
    assert entries["small"]["type"] == "file" and entries["small"]["mode"] == 0o644


def test_unfinished_upload_leaves_nothing(server, sh):
    with server.client() as other:
        other.call("file.write", session=sh.id, path="half", text="first half", final=False)
    names = [e["name"] for e in sh.call("file.list", path=".")["entries"]]
    assert "half" not in names and not [n for n in names if "half" in n]
    sh.write("half", b"whole")
    assert sh.read("half") == b"whole"


def test_wrong_offset_is_refused(sh):
    sh.call("file.write", path="gap", text="abc", final=False)
    with pytest.raises(Failure) as failure:
        sh.call("file.write", path="gap", text="x", offset=10)
    assert failure.value.kind == "invalid_input"


def test_modes(sh):
    sh.write("script", b"#!/bin/sh\necho ran\n", mode=0o755)
    assert out(sh.exec("./script")) == "ran\n"
    assert sh.call("file.stat", path="script")["mode"] == 0o755


def test_missing_file(sh):
    for method in ("file.read", "file.stat", "file.list", "file.remove"):
        with pytest.raises(Failure) as failure:
            sh.call(method, path="does/not/exist")
        assert failure.value.kind == "not_found", method


def test_concurrent_writes_answer_the_right_caller(sh):
    pending = [(name, sh.client.send("file.write", session=sh.id, path=name, text=name))
               for name in ("c1", "../bad1", "c2", "c3", "/etc/bad2", "c4", "c5")]
    for name, reply in pending:
        if "bad" in name:
            with pytest.raises(Failure):
                reply.wait()
        else:
            assert reply.wait()["size"] == len(name)
            assert sh.read(name) == name.encode()


def test_directories(sh):
    sh.call("file.mkdir", path="tree/a/b")
    sh.write("tree/a/f", b"1")
    assert sh.call("file.stat", path="tree/a")["type"] == "dir"
    sh.call("file.remove", path="tree", recursive=True)
    with pytest.raises(Failure):
        sh.call("file.stat", path="tree")


def test_many_entries(sh):
    sh.exec("mkdir -p many; cd many; seq 1 3000 | xargs touch; cd ..", timeout_ms=60000)
    entries = sh.call("file.list", path="many")["entries"]
    assert len(entries) == 3000 and len({e["name"] for e in entries}) == 3000


def test_special_files_are_not_read(sh):
    sh.exec("mkfifo pipe")
    with pytest.raises(Failure) as failure:
        sh.call("file.read", path="pipe")
    assert failure.value.kind in ("policy", "invalid_input", "unsupported")


def test_full_disk_is_said(fresh):
    s = fresh("shell")
    chunk = b"\0" * (8 << 20)
    with pytest.raises(Failure) as failure:
        for i in range(40):
            s.write("huge", chunk, offset=i * len(chunk), final=False)
    assert failure.value.kind in ("too_large", "capacity")
    assert out(s.exec("echo lives")) == "lives\n"


def test_text_and_base64(sh):
    sh.write("bytes", bytes(range(256)))
    piece = sh.call("file.read", path="bytes")
    assert "text" not in piece and data_of(piece) == bytes(range(256))
    sh.call("file.write", path="t", text="ü")
    assert sh.call("file.read", path="t")["text"] == "ü"
    with pytest.raises(Failure):
        sh.call("file.write", path="t", text="a", base64="YQ==")
    with pytest.raises(Failure):
        sh.call("file.write", path="t", base64="not base64!")


# Names that are not UTF-8: a byte that never is, half a character, Latin-1, a surrogate, and one that
# would be read as another if its bytes were replaced.
ODD_NAMES = [b"f\xff", b"caf\xe9.txt", b"\xc3", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"a\xf0\x9f", b"\x01\x02"]


def b64(data):
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_of_any_bytes(fresh, name):
    """What a name allows to be done does not depend on its bytes."""
    s = fresh("shell")
    path = b"folder \xfe/" + name
    s.call("file.mkdir", path_base64=b64(b"folder \xfe"))
    s.call("file.write", path_base64=b64(path), text="first ", final=False)
    s.call("file.write", path_base64=b64(path), text="second", offset=6)
    assert data_of(s.call("file.read", path_base64=b64(path))) == b"first second"
    assert data_of(s.call("file.stat", path_base64=b64(path)), "name") == name
    entries = s.call("file.list", path_base64=b64(b"folder \xfe"))["entries"]
    assert [data_of(entry, "name") for entry in entries] == [name]
    assert out(s.exec("cat folder*/*; rm folder*/*; printf again > \"$(printf '%s' folder*)/x\"")) == "first second"
    s.call("file.remove", path_base64=b64(b"folder \xfe"), recursive=True)
    assert not s.call("file.list")["entries"]


def test_wrong_paths_in_base64(sh):
    for path in (b"../x", b"/etc/passwd", b"a\0b", b"", b"a/../../\xff"):
        with pytest.raises(Failure) as failure:
            sh.call("file.read", path_base64=b64(path))
        assert failure.value.kind in ("policy", "invalid_input"), path
    for params in ({"path": "a", "path_base64": b64(b"a")}, {"path_base64": "/w="}, {}):
        with pytest.raises(Failure) as failure:
            sh.call("file.stat", **params)
        assert failure.value.kind == "invalid_input", params


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_a_listing_goes_on_behind_any_name(fresh, limit):
    s = fresh("shell")
    s.exec(r"""mkdir d && cd d && for i in $(seq 20); do
        : > $(printf "\\377%02d" $i); : > $(printf "\\376%02d\\377" $i); : > $(printf "p%02d" $i)
    done""")
    names, cursor, pages = [], {}, 0
    while True:
        page = s.call("file.list", path="d", limit=limit, **cursor)
        names += [data_of(entry, "name") for entry in page["entries"]]
        pages += 1
        assert ("next" in page) == page["more"]
        if not page["more"]:
            break
        cursor = {"next": page["next"]}
    assert pages == -(-60 // limit)
    assert names == sorted(names) and len(set(names)) == 60
    with pytest.raises(Failure) as failure:
        s.call("file.list", path="d", after="p", next=b64(b"p"))
    assert failure.value.kind == "invalid_input"
