# SPDX-License-Identifier: Apache-2.0
"""Recordings of terminals: strictly of the format, safe to play, bounded, there when the session has ended."""

import json
import os
import re
import subprocess

import pytest

from pty_test import Pty
from support import BINARY, Failure, Server, Session, wait_for
from terminal import Terminal


def lines_of(data):
    """A recording in asciicast v2, read strictly by the format's document."""
    text = data.decode()  # UTF-8
    assert text.endswith("\n") and "\r" not in text
    header, *events = [json.loads(line) for line in text[:-1].split("\n")]
    assert type(header) is dict and header["version"] == 2
    for name in ("width", "height"):
        assert type(header[name]) is int and header[name] > 0
    assert set(header) <= {"version", "width", "height", "timestamp", "duration", "idle_time_limit", "command", "title",
                           "env", "theme"}
    assert type(header["timestamp"]) is int and type(header["title"]) is str and type(header.get("command", "")) is str
    assert all(type(key) is str and type(value) is str for key, value in header["env"].items())
    before = 0
    for event in events:
        at, code, value = event
        assert type(at) in (int, float) and at >= before and type(value) is str and code in ("o", "i", "m", "r")
        assert code != "r" or re.fullmatch(r"[1-9]\d*x[1-9]\d*", value)
        before = at
    return header, events


def recording(server, session, number=1):
    done = subprocess.run([BINARY, "log", "--cast", str(number), session], env=server.env, capture_output=True, check=True)
    return lines_of(done.stdout)


def test_a_recording_shows_what_the_terminal_showed(server, client, tmp_path):
    session = Session(client, idle_ms=0)
    program = r"printf '\033[31mred\033[0m \344\270\255\346\226\207\n'; read x; stty size; printf '\033]52;c;c2VjcmV0\007'; echo the-end"
    pty = Pty(client, session.id, "sh", "-c", program, rows=10, columns=60)
    pty.until("red")
    pty.call("resize", rows=12, columns=70)
    pty.type("secret\n")
    assert pty.ended()["exit_code"] == 0
    header, events = recording(server, session.id)
    assert (header["width"], header["height"], header["title"]) == (60, 10, f"{session.id}-1")
    assert header["command"].startswith("sh -c printf")
    assert [value for _, code, value in events if code == "r"] == ["70x12"]
    shown = "".join(value for _, code, value in events if code == "o")
    assert "\x1b[31" in shown or ";31" in shown
    assert "c2VjcmV0" not in shown and "\x1b]" not in shown and not [code for _, code, _ in events if code == "i"]

    played = tmp_path / "played"
    played.write_text(shown)
    with Terminal(tmp_path, f"sh -c 'cat {played}; sleep 999'", columns=70, rows=12) as terminal:
        screen = terminal.wait("red 中文", "12 70", "the-end")
        assert screen.index("red") < screen.index("12 70") < screen.index("the-end")

    session.close()
    assert recording(server, session.id) == (header, events)


def test_a_recording_can_be_read_while_it_is_made(server, client):
    session = Session(client, idle_ms=0)
    pty = Pty(client, session.id, "sh", "-c", "echo begun; read x")
    pty.until("begun")
    assert "begun" in "".join(value for _, _, value in recording(server, session.id)[1])
    session.close()


@pytest.fixture
def own(tmp_path):
    """Starts a server with these settings."""
    servers = []

    def start(settings):
        path = tmp_path / "settings"
        path.write_text(settings)
        servers.append(Server("--config", str(path), folder=tmp_path))
        return servers[-1]
    yield start
    for server in servers:
        server.stop()


def test_recordings_are_bounded(own):
    server = own("[terminals]\nrecord_size = 4K\nrecord_total = 64K\n")
    with server.client() as client:
        session = Session(client, idle_ms=0)
        for _ in (1, 2):
            # Each screen differs from the one before, so that there is something to record each time.
            pty = Pty(client, session.id, "sh", "-c", "for i in $(seq 20); do seq $i 9$i; read x; done; echo the-end")
            for i in range(1, 21):
                pty.until(f"9{i}")
                pty.type("\n")
            pty.ended()
        _, events = recording(server, session.id, 2)
        assert events[-1][1:] == ["m", "the recording is full"] and events[0][1] == "o"
        files = {path.name: path.stat().st_size for path in (server.folder / "state/glassbell").glob("terminals*/*")}
        assert list(files) == [f"{session.id}-2"] and files[f"{session.id}-2"] <= 4096
        with pytest.raises(Failure) as caught:
            client.call("terminal.recording", session=session.id, terminal=1)
        assert caught.value.kind == "not_found" and "newer ones" in str(caught.value)


def test_recording_can_be_turned_off(own):
    server = own("[terminals]\nrecord = no\n")
    with server.client() as client:
        session = Session(client, idle_ms=0)
        Pty(client, session.id, "sh", "-c", "echo x").ended()
        with pytest.raises(Failure) as caught:
            client.call("terminal.recording", session=session.id, terminal=1)
        assert caught.value.kind == "not_found" and "turned it off" in str(caught.value)
        assert not list((server.folder / "state/glassbell").glob("terminals*/*"))


def test_a_file_that_cannot_be_made_stops_recording_and_nothing_else(own):
    server = own("")
    folder = next(iter(wait_for(lambda: list((server.folder / "state/glassbell").glob("terminals*")))))
    with server.client() as client:
        session = Session(client, idle_ms=0)
        os.symlink("/dev/full", folder / f"{session.id}-1")  # a link is not followed
        assert Pty(client, session.id, "sh", "-c", "echo x").ended()["exit_code"] == 0
        with pytest.raises(Failure):
            client.call("terminal.recording", session=session.id, terminal=1)
    assert "terminals are not recorded" in server.log.read_text()


@pytest.mark.parametrize("name", ["..", ".", "../x", "/etc/passwd", "S", "a/b", "x" * 31])
def test_what_is_no_session_has_no_recording(client, name):
    with pytest.raises(Failure) as caught:
        client.call("terminal.recording", session=name, terminal=1)
    assert caught.value.kind == "not_found"


def test_what_the_command_line_refuses(server):
    for line in (["--cast", "0", "x"], ["--cast", "one", "x"], ["--cast", "1", "--json", "x"]):
        assert subprocess.run([BINARY, "log", *line], env=server.env, capture_output=True, check=False).returncode == 2
