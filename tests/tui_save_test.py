# SPDX-License-Identifier: Apache-2.0
"""Figures and output of cells saved from the front end: whole, as they were, and opened."""

import base64
import os

import pytest
from support import Session, wait_for
from terminal import FakeServer, front_end, made_up

PICTURE = """import base64
class Figure:
    def _repr_png_(self):
        return base64.b64decode(
            'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=')
"""


@pytest.fixture
def drawn(client):
    session = Session(client, idle_ms=0, label="draws")
    assert session.exec(PICTURE + "Figure()")["displays"][0]["mime"] == "image/png"
    yield session
    session.close()


def test_a_figure_and_an_output(server, client, drawn, tmp_path):
    """The bytes are the guest's, whatever was painted; an output of megabytes is fetched from the journal."""
    figure = client.call("session.history", session=drawn.id)["cells"][0]["displays"][0]["base64"]
    drawn.exec("import sys\nprint('\\x1b[31mfirst')\nfor i in range(90000): print(f'row {i:08}')\nprint('to stderr', file=sys.stderr)\n42",
               timeout_ms=240000)
    said = client.call("session.history", session=drawn.id, after=1)["cells"][0]
    with front_end(tmp_path, server.socket, columns=160) as terminal:
        terminal.wait("draws")
        terminal.command("open draws")
        terminal.wait("7 shells", "to stderr", "bytes of output were left out")
        terminal.command("save")
        terminal.wait("save to", "cell-2.txt")
        terminal.keys("C-a", "C-k")
        terminal.type(f"{tmp_path}/")
        terminal.keys("Enter")
        terminal.wait(f"saved as {tmp_path}/cell-2.txt; {said['truncated']['stdout']} bytes of output were left out")
        assert (tmp_path / "cell-2.txt").read_text() == said["stdout"] + said["stderr"] + "42\n"
        assert len(said["stdout"] + said["stderr"]) > 1 << 20  # in two pieces
        terminal.command("cell 1")
        terminal.command(f"save 1 '{tmp_path}/a figure.png'")
        terminal.wait("a figure.png")
        wait_for(lambda: (tmp_path / "a figure.png").exists())
        assert (tmp_path / "a figure.png").read_bytes() == base64.b64decode(figure)
        # What there is not, and what is no file.
        terminal.command("save 2 x.png")
        terminal.wait("cell 1 has no figure 2")
        os.mkfifo(tmp_path / "pipe")
        terminal.command(f"save 1 {tmp_path}/pipe")
        terminal.wait("pipe is not a file")
        terminal.command(f"save 1 {tmp_path}/no/where.png")
        terminal.wait("save: ", "No such file")
        terminal.command(f"save {tmp_path}/one {tmp_path}/two")
        terminal.wait("save takes one file")
        assert not (tmp_path / "one").exists()


def test_it_is_shown(server, drawn, tmp_path):
    """A figure by xdg-open where there is a display, and its file stays; an output in $PAGER."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "xdg-open").write_text(f"#!/bin/sh\ncp \"$1\" {tmp_path}/shown.png\n")
    (tools / "xdg-open").chmod(0o755)
    drawn.exec("print('to be \\x1b]0;a title\\x07 \\x1b[31mpaged')")
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "DISPLAY": ":7", "PAGER": f"tee {tmp_path}/paged",
           "TMPDIR": str(tmp_path)}
    (tools / "tee").write_text("#!/bin/sh\ncp \"$2\" \"$1\"\n")  # a pager gets the name of a file
    (tools / "tee").chmod(0o755)
    with front_end(tmp_path, server.socket, columns=160, env=env) as terminal:
        terminal.wait("draws")
        terminal.command("open draws")
        terminal.wait("7 shells", "to be", "paged")  # the session, not its preview
        terminal.keys("v")
        terminal.wait("the pager showed the output of cell 2")
        assert (tmp_path / "paged").read_text() == "to be \\x1b]0;a title\\x07 paged\n"
        assert list(tmp_path.glob("glassbell-??????")) == []
        terminal.command("cell 1")
        terminal.keys("v")
        terminal.wait("saved as", "cell-1-1.png, and opened with xdg-open")
        (saved,) = tmp_path.glob("glassbell-*/cell-1-1.png")
        wait_for(lambda: (tmp_path / "shown.png").exists() and (tmp_path / "shown.png").read_bytes() == saved.read_bytes())
        assert saved.parent.stat().st_mode & 0o77 == 0
    (tmp_path / "bare").mkdir()
    with front_end(tmp_path / "bare", server.socket, columns=160, env={"TMPDIR": str(tmp_path)}) as terminal:
        terminal.wait("draws")
        terminal.command("open draws")
        terminal.wait("7 shells", "to be", "paged")  # the session, not its preview
        terminal.command("cell 1")
        terminal.command("view 1")
        terminal.wait("there is no display to show it on")


@pytest.mark.parametrize("mime, data, ending", [
    ("image/png", b"<html><script>", "png"), ("text/html", b"<script>", "html"), ("image/svg+xml", b"<svg>", "svg"),
    ("application/x-desktop", b"[Desktop Entry]", "bin")])
def test_only_pictures_are_opened(tmp_path, mime, data, ending):
    """What a program is chosen for by its type or content may run what is in it: it is only saved."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "xdg-open").write_text(f"#!/bin/sh\necho \"$1\" > {tmp_path}/opened\n")
    (tools / "xdg-open").chmod(0o755)
    shown = {"mime": mime, "base64": base64.b64encode(data).decode()}
    env = {"PATH": f"{tools}:{os.environ['PATH']}", "DISPLAY": ":7", "TMPDIR": str(tmp_path)}
    with Journal(tmp_path, None, displays=[{**shown, "bytes": len(data)}]) as server, \
            front_end(tmp_path, server.path, columns=160, env=env) as terminal:
        terminal.wait("told")
        terminal.command("open told")
        terminal.wait("7 shells", "print()")
        terminal.keys("v")
        terminal.wait("saved as", f"cell-1-1.{ending}; only pictures are opened")
        (saved,) = tmp_path.glob(f"glassbell-*/cell-1-1.{ending}")
        assert saved.read_bytes() == data
    assert not (tmp_path / "opened").exists()


class Journal(FakeServer):
    def __init__(self, folder, answer, displays=()):
        self.answer, self.displays = answer, list(displays)
        super().__init__(folder, [made_up(0, label="told", cells=1)])

    def _answer(self, connection, call):
        if call["method"] != "session.history":
            super()._answer(connection, call)
            return
        params = call["params"]
        cell = {"session": params["session"], "cell": 1, "image": "python", "client": "c", "mode": "kernel", "code": "print()",
                "state": "done", "stdout": "begun", "stderr": "", "stdout_bytes": 5, "stderr_bytes": 0, "offset": 0,
                "exit_code": 0, "signal": None, "timed_out": False, "interrupted": False, "oom": False, "state_lost": False,
                "truncated": {"stdout": 0, "stderr": 0}, "files": [], "started_at": 1.7e9, "wall_ms": 1, "cpu_ms": 1,
                "peak_memory_bytes": 1, "incarnation": 1, "displays": self.displays}
        if params.get("length") == 1 << 20:
            told = self.answer(cell)
            if isinstance(told, str):
                self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": {
                    "code": -32000, "message": told, "data": {"kind": "unsupported"}}})
            else:
                self.reply(connection, call, {"cells": told, "more": False})
        else:
            self.reply(connection, call, {"cells": [cell], "more": False})


@pytest.mark.parametrize("answer, said", [
    (lambda cell: "no journal today", "save: no journal today"),
    (lambda cell: [], "save: the journal does not have the cell any more"),
    (lambda cell: [{**cell, "cell": 7}], "save: the journal does not have the cell any more"),
    (lambda cell: [{**cell, "stdout": "", "stdout_bytes": 9}], "save: the journal does not have all of it any more"),
    (lambda cell: [{**cell, "stdout_bytes": 9}], "save: the server's reply is wrong")])
def test_nothing_half_is_left(tmp_path, answer, said):
    """What cannot be saved as a whole leaves the file that was there."""
    kept = tmp_path / "kept"
    kept.write_text("before")
    with Journal(tmp_path, answer) as server, front_end(tmp_path, server.path, columns=160) as terminal:
        terminal.wait("told")
        terminal.command("open told")
        terminal.wait("7 shells", "print()")
        terminal.command(f"save {kept}")
        terminal.wait(said)
        assert kept.read_text() == "before" and sorted(tmp_path.glob(".*kept*")) == []
        # And again, as if nothing had been.
        server.answer = lambda cell: [cell]
        terminal.command(f"save {kept}")
        terminal.wait(f"saved as {kept}")
        assert kept.read_text() == "begun"
