# SPDX-License-Identifier: Apache-2.0
"""The files that a cell has changed: what is told, what is not, and that it stays bounded."""

import base64
import json
import subprocess

import pytest

from support import BINARY, Session, out


@pytest.fixture(scope="module")
def s(client):
    session = Session(client)
    yield session
    session.close()


@pytest.fixture(autouse=True)
def clean(s):
    """Each test begins with an empty home, of which nothing is left to tell."""
    s.exec("find . -mindepth 1 -delete", mode="shell")
    assert files(s.exec("1")) == []


def name_of(file):
    """A text, or bytes that are none; the protocol takes whichever form is shorter."""
    if "path" in file:
        return file["path"]
    name = base64.b64decode(file["path_base64"], validate=True)
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name


def files(cell):
    assert "files_cut" not in cell
    return [(name_of(f), f["change"], f["size"]) for f in cell["files"]]


def test_files_come_change_and_go(s):
    assert files(s.exec("open('b.txt', 'w').write('12'); open('a.txt', 'w').write('')")) == [
        ("a.txt", "added", 0), ("b.txt", "added", 2)]
    # Two writes of one size within a tick of the guest's clock are two changes all the same.
    for text in ("34", "56", "78"):
        assert files(s.exec(f"open('b.txt', 'w').write('{text}')")) == [("b.txt", "changed", 2)]
    assert files(s.exec("open('b.txt').read(); print(1)")) == []
    assert files(s.exec("import os; os.remove('a.txt'); os.rename('b.txt', 'c.txt')")) == [
        ("a.txt", "removed", 0), ("b.txt", "removed", 0), ("c.txt", "added", 2)]
    assert files(s.exec("open('x', 'w').close(); os.remove('x')")) == []


def test_every_mode_and_every_end_tells_them(s):
    assert files(s.exec("mkdir -p d/e; echo 1 > d/e/f", mode="shell")) == [("d/e/f", "added", 2)]
    assert files(s.exec("open('p', 'w').write('1')", mode="process")) == [("p", "added", 1)]
    assert files(s.exec("open('t', 'w').write('1'); 1/0")) == [("t", "added", 1)]
    cell = s.exec("open('k', 'w').write('1').__class__; import os; os._exit(3)")
    assert cell["state_lost"] and files(cell) == [("k", "added", 1)]
    assert files(s.exec("rm -r d p t; mv k d", mode="shell")) == [
        ("d", "added", 1), ("d/e/f", "removed", 0), ("k", "removed", 0), ("p", "removed", 0),
        ("t", "removed", 0)]


def test_a_file_that_stays_open_is_told_with_every_cell_that_writes_it(s):
    s.exec("log = open('log', 'a', buffering=1)")
    assert files(s.exec("_ = log.write('1\\n')")) == [("log", "changed", 2)]
    assert files(s.exec("1")) == []
    assert files(s.exec("_ = log.write('2\\n'); log.close()")) == [("log", "changed", 4)]


def test_what_the_client_does_is_no_change_of_a_cell(s):
    s.write("in/data.csv", b"1,2")
    s.call("file.mkdir", path="made")
    assert files(s.exec("print(open('in/data.csv').read())")) == []
    assert files(s.exec("open('in/data.csv', 'a').write('3')")) == [("in/data.csv", "changed", 4)]
    s.write("in/data.csv", b"new")
    s.call("file.remove", path="in", recursive=True)
    assert files(s.exec("open('made/own', 'w').close()")) == [("made/own", "added", 0)]


def test_links_are_not_followed(s):
    cell = s.exec("ln -s /etc etc; ln -s . round; mkfifo pipe; ln -s missing gone; echo > real; "
                  "echo 1 > /tmp/elsewhere", mode="shell")
    assert files(cell) == [("real", "added", 1)]


def test_hostile_names(s):
    code = r"""
import os
for name in [b'new\nline', b'\xff\xfe', b'q"\'\\', b'\x1b[31m', b'-rf', ' ü'.encode(), b'n' * 255]:
    open(name, 'w').close()
"""
    told = {name for name, *_ in files(s.exec(code))}
    assert told == {"new\nline", b"\xff\xfe", "q\"'\\", "\x1b[31m", "-rf", " ü", "n" * 255}


def test_long_lists_are_cut_and_said_to_be(s):
    cell = s.exec("import os\nos.mkdir('many')\nfor n in range(3000): open(f'many/{n:04}', 'w').close()",
                  timeout_ms=120000)
    assert cell["files_cut"] is True and len(cell["files"]) == 1000
    assert files(s.exec("open('many/0007', 'w').write('x')")) == [("many/0007", "changed", 1)]


def test_a_tree_that_changes_all_the_time_holds_nobody_up(s):
    s.exec("(while :; do mkdir -p a/b; echo > a/b/c; mv a x; rm -r x; done) 2>/dev/null & echo $! > /tmp/pid",
           mode="shell")
    for n in range(5):
        cell = s.exec(f"open('mine', 'w').write('{n}'); 1")
        assert cell["value"] == "1" and "mine" in [f.get("path") for f in cell["files"]]
    s.exec("kill $(cat /tmp/pid)", mode="shell")


def test_json_of_the_command_line(s, server):
    ran = subprocess.run([BINARY, "exec", s.id, "--json", "--socket", str(server.socket),
                          "-c", "open('out.txt', 'w').write('12')"], capture_output=True, check=True)
    assert json.loads(ran.stdout)["files"] == [{"path": "out.txt", "change": "added", "size": 2}]


def test_as_many_files_as_fit_and_folders_as_deep_as_can_be(s):
    code = """
import os
n = 0
try:
    for n in range(1000000):
        if n % 5000 == 0: os.makedirs(f'/home/user/t/{n}'); os.chdir(f'/home/user/t/{n}')
        os.mknod(str(n))
except OSError as e:
    print(n, e.strerror)
os.chdir('/home/user')
"""
    cell = s.exec(code, timeout_ms=600000)
    assert "No space left" in out(cell) and int(out(cell).split()[0]) > 15000
    assert cell["files_cut"] is True and len(cell["files"]) == 1000
    s.exec("rm -r t/0 t/5000", mode="shell", timeout_ms=600000)
    cell = s.exec("for n in range(3000): os.mkdir('d'); os.chdir('d')\n"
                  "open('end', 'w').close(); os.chdir('/home/user'); open('top', 'w').close()",
                  timeout_ms=600000)
    assert cell["files_cut"] is True and [f["path"] for f in cell["files"]] == ["top"]
