# SPDX-License-Identifier: Apache-2.0
"""What hides something (text that turns around, joiners, tags, controls) reaches no terminal and no comment.

One session is full of it, in every place that somebody else writes: names, code, output, values, notes, files. Every
output of the program is read through a terminal of its own, byte by byte.
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import time

import pytest

from support import BINARY, DEADLINE, Server, Session, Watcher

CONTROLS = "\x07\x0e\x7f\x1b]0;title\x07\x1b[2J\x80\x9b31m"
HIDDEN = ("\u202e\u202a\u2066\u2069\u200e\u200f\u061c"  # turns around
          "\u200b\u200c\u200d\u2060\u2063\u180e\ufeff\u00ad\u034f\u3164\uffa0\u115f"  # shows nothing
          "\u2028\u2029\u0085"  # breaks lines
          "\ufe0f\ufe01\U000e0101\U000e0041\U000e007f\U000e0001\ufff9\U0001d173"  # tags, looks, notes
          "\u0378\uffff\ufdd0\U000e0080\U0002fffe\U0010ffff")  # nobody knows what
SHOWN = "a" + HIDDEN + "z"
# What must not come out: all of it, and every control but those of layout and of colours.
RAW = re.compile("[" + HIDDEN + "\x00-\x06\x07\x0e-\x1a\x1c-\x1f\x7f-\x9f]|\x1b(?!\\[[0-9;]*m)")


def read_all(process, terminal, wanted=None):
    """What comes out of a terminal: to its end, or until it has what is wanted."""
    text, end = b"", time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.1)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # everybody has gone
            break
        if not piece:
            break
        text += piece
        if wanted is not None and wanted in text:
            return text
    assert wanted is None, (wanted, text[-4000:])
    return text


@contextlib.contextmanager
def in_terminal(server, *arguments, **more):
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (40, 150))
    folder = tempfile.mkdtemp(prefix="gb-")
    env = dict(server.env, TERM="xterm", LC_ALL="C.UTF-8", HOME=folder, COLUMNS="200", INPUTRC="/dev/null", **more)
    process = subprocess.Popen([BINARY, *arguments], env=env, stdin=inside, stdout=inside, stderr=inside,
                               start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(inside)
    try:
        yield process, terminal
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(terminal)
        shutil.rmtree(folder)


def shown(server, *arguments, **more):
    with in_terminal(server, *arguments, **more) as (process, terminal):
        text = read_all(process, terminal)
        process.wait(DEADLINE)
    return text.decode(errors="surrogateescape").replace("\r\n", "\n")


def check(text, least=1):
    """It is there, as something that can be seen, and nothing of it as it was."""
    found = RAW.search(text)
    assert found is None, (hex(ord(found.group()[0])), text[max(0, found.start() - 60):found.end() + 60])
    assert text.count("\\u202e") >= least, text


@pytest.fixture(scope="module")
def own():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def session(own):
    with own.client() as client:
        client.call("hello", client="me" + SHOWN, protocol=1)
        session = Session(client, label="lab" + HIDDEN + "el", owner=SHOWN, key="key" + HIDDEN, idle_ms=0)
        session.exec("# c" + HIDDEN + "ode\nopen('f' + " + ascii(HIDDEN.replace("\x85", "")) + ", 'w').close()")
        session.exec(f"print({ascii(SHOWN + CONTROLS)}); {ascii(SHOWN)}")
        session.exec("echo 'x" + HIDDEN.replace("\x85", "") + "'", mode="shell")
        session.exec(f"raise ValueError({ascii(SHOWN)})")
        yield session
        session.close()


@pytest.mark.parametrize("arguments", [
    ("ls",), ("ls", "--all"), ("ls", "--ids"), ("ls", "--json"), ("top", "--once"), ("top", "--json"),
    ("log", "SESSION"), ("log", "SESSION", "--code"), ("log", "SESSION", "--output"), ("log", "SESSION", "--json"),
    ("export", "SESSION", "--format", "ipynb"), ("export", "SESSION", "--format", "py"),
    ("export", "SESSION", "--format", "md"), ("export", "SESSION", "--format", "asciicast"),
    ("export", "SESSION", "--format", "json"), ("get", "no" + SHOWN, "x"), ("get", "SESSION", "no" + SHOWN),
    ("close", "no" + SHOWN), ("interrupt", SHOWN), ("exec", SHOWN, "-c", "1"), ("put", "SESSION", "no" + SHOWN),
    ("run", "no" + SHOWN), (SHOWN,), ("ls", SHOWN), ("help", SHOWN), ("attach", SHOWN), ("watch", SHOWN),
    ("run", "--" + SHOWN), ("run", "-c", "1", "--image", "no" + SHOWN), ("image", "warm", SHOWN)],
    ids=lambda arguments: " ".join(ascii(word)[1:9] for word in arguments))
def test_of_verbs(own, session, arguments):
    text = shown(own, *(session.id if word == "SESSION" else word for word in arguments))
    if arguments[0] == "top" and "--once" in arguments or arguments == ("ls", SHOWN):
        assert RAW.search(text) is None, text  # the grid has one sign for all; a usage line may not name it
    else:
        check(text)


def test_of_json_nothing_is_changed(own, session):
    listed = json.loads(shown(own, "ls", "--json"))
    assert listed[0]["label"] == "lab" + HIDDEN + "el" and listed[0]["owner"] == SHOWN
    cells = [json.loads(line) for line in shown(own, "log", session.id, "--json").splitlines()]
    assert cells[1]["stdout"] == SHOWN + CONTROLS + "\n"


def test_of_doctor(own, tmp_path):
    config = tmp_path / ("set" + HIDDEN.replace("\x85", ""))
    config.write_text("")
    check(shown(own, "doctor", GLASSBELL_CONFIG=str(config)))
    check(shown(own, "doctor", "--json", GLASSBELL_CONFIG=str(config)))


def test_of_watch(own, session):
    with in_terminal(own, "watch", session.id, "--replay") as (process, terminal), \
            Watcher(own, sessions=[session.id]) as watcher, own.client() as person:
        while not select.select([terminal], [], [], 0)[0]:
            session.exec("0")  # until it watches
        person.call("hello", client="per" + SHOWN, protocol=1)
        number = session.exec("# w" + HIDDEN + f"\nprint({ascii(SHOWN)}); {ascii(SHOWN)}")["cell"]
        watcher.until("cell.finished", cell=number)
        person.call("session.lease", session=session.id, action="take", note="note" + SHOWN)
        person.call("session.lease", session=session.id, action="release", note="note" + SHOWN)
        session.exec("print('over' + 'all')")
        text = read_all(process, terminal, b"overall\r\n").decode(errors="surrogateescape").replace("\r\n", "\n")
    check(text, least=4)


def test_of_the_prompt(own, session):
    with in_terminal(own, "repl", session.id) as (process, terminal):
        text = read_all(process, terminal, b">>> ")
        for line, wanted in ((f"print({ascii(SHOWN + CONTROLS)})", b"31m\r\n"), (f"{ascii(SHOWN)} + 'ov' 'er'", b"over'"),
                             (":ls", b"f\\u202e"), ("raise ValueError(" + ascii(SHOWN) + ", 'ov' 'er')", b"'over')")):
            os.write(terminal, line.encode() + b"\r")
            text += read_all(process, terminal, wanted)
    plain = re.sub(r"\x1b\[\?2004[hl]|\x1b\[[0-9;]*[KC]|\x1b\[\?1034h|\x1b\[[0-9]*P", "", text.decode(errors="surrogateescape"))
    check(plain, least=3)


def test_of_the_front_end(own, session):
    with in_terminal(own, "tui") as (process, terminal):
        text = read_all(process, terminal, b"el")
        os.write(terminal, b"\r")
        text += read_all(process, terminal, b"ValueError")
        os.write(terminal, b"q")
        text += read_all(process, terminal)
        assert process.wait(DEADLINE) == 0
    found = re.search("[" + HIDDEN + "]", text.decode(errors="surrogateescape"))
    assert found is None, hex(ord(found.group()))
    assert b"\x1b]0;" not in text and text.count("·".encode()) > 20


def test_of_the_server_s_log(own, session):
    with own.client() as client:
        client.call("hello", client="log" + SHOWN, protocol=1)
    with open(own.log, encoding="utf-8", errors="surrogateescape") as log:
        assert re.search("[" + HIDDEN + "]", log.read()) is None
