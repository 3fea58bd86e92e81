# SPDX-License-Identifier: Apache-2.0
"""The prompt of `glassbell repl` while its session is still being opened: in tmux, in front of a server that only
speaks the protocol, so that opening takes as long as a test wants."""

import contextlib
import re

import pytest

from support import wait_for
from terminal import FakeServer, front_end

TIMING = {"total_ms": 5.0, "admission_ms": 1.0, "boot_ms": 3.0, "worker_ms": 1.0}
OPENED = {"session": "s-1", "created": True, "incarnation": 1, "reason": "new", "source": "template", "timing": TIMING}


class Opening(FakeServer):
    """`session.open` waits for the test; cells are complete, and print what they are."""

    opening = None

    def _answer(self, connection, call):
        method, params = call["method"], call.get("params", {})
        if method == "session.open":
            self.opening = connection, call
        elif method == "session.is_complete":
            self.reply(connection, call, {"status": "complete", "indent": ""})
        elif method == "session.exec":
            self._send(connection, {"jsonrpc": "2.0", "method": "cell.output", "params": {
                "session": params["session"], "cell": 1, "stream": "stdout", "text": f"ran {params['code']}\n"}})
            self.reply(connection, call, {"session": params["session"], "cell": 1, "exit_code": 0, "wall_ms": 1})
        else:
            super()._answer(connection, call)

    def asked(self, method):
        return [call["params"] for call in self.calls if call["method"] == method]

    def open(self):
        self.reply(*self.opening, OPENED)

    def refuse(self):
        connection, call = self.opening
        self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": {
            "code": -32000, "message": "there is no room", "data": {
                "kind": "capacity", "retryable": True, "dispatched": False}}})


@pytest.fixture
def opening(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    with Opening(folder, []) as server:
        yield server


@contextlib.contextmanager
def prompt(tmp_path, opening):
    with front_end(tmp_path, opening.path, verb="repl", shell=True) as terminal:
        terminal.wait(">>>", "starting a python VM")
        wait_for(lambda: opening.opening, what="the request")
        yield terminal


def test_what_is_typed_early_runs(tmp_path, opening):
    with prompt(tmp_path, opening) as terminal:
        terminal.type("first")
        terminal.wait(">>> first", "starting a python VM")
        opening.open()
        terminal.wait(">>> first", without=["starting"])
        terminal.keys("Enter")
        terminal.wait("\nran first\n")


def test_a_cell_waits_for_its_session(tmp_path, opening):
    """Nobody guesses meanwhile whether it is complete; it is asked and sent when there is a session."""
    with prompt(tmp_path, opening) as terminal:
        terminal.type("early")
        terminal.keys("Enter")
        terminal.wait(">>> early\n", "starting a python VM")
        wait_for(lambda: re.search(r", ([1-9]|\d\d+)\.\d s", terminal.wait(">>> early\n", "starting a python VM")),
                 what="more than a guest has to answer")
        assert not opening.asked("session.exec") and not opening.asked("session.is_complete")
        opening.open()
        terminal.wait("\nran early\n", without=["starting"])
        assert [params["code"] for params in opening.asked("session.exec")] == ["early"]


def test_a_command_waits_for_its_session(tmp_path, opening):
    with prompt(tmp_path, opening) as terminal:
        terminal.type(":time")
        terminal.keys("Enter")
        terminal.wait(">>> :time\n", "starting a python VM", without=["no cell has run yet"])
        opening.open()
        terminal.wait("no cell has run yet", "\n>>>", without=["starting"])
        terminal.type("x")
        terminal.keys("Enter")
        terminal.wait("\nran x\n")


def test_ctrl_c_drops_the_cell_that_waits(tmp_path, opening):
    with prompt(tmp_path, opening) as terminal:
        terminal.type("early")
        terminal.keys("Enter")
        terminal.wait(">>> early\n")
        terminal.keys("C-c")
        terminal.wait(">>> early\n", "\n>>>\n")  # an empty prompt: it has taken the cell back
        opening.open()
        terminal.wait("\n>>>", without=["starting"])
        terminal.type("later")
        terminal.keys("Enter")
        terminal.wait("\nran later\n")
        assert [params["code"] for params in opening.asked("session.exec")] == ["later"]


def test_a_session_that_cannot_be_opened(tmp_path, opening):
    with prompt(tmp_path, opening) as terminal:
        terminal.type("never")
        terminal.wait(">>> never")
        opening.refuse()
        assert terminal.status() == 125
        assert "there is no room (capacity: nothing ran" in terminal.screen()
        assert "never" not in terminal.screen() and "starting" not in terminal.screen()


def test_leaving_ends_what_is_being_opened(tmp_path, opening):
    """A server closes the session of an opener that has gone."""
    with prompt(tmp_path, opening) as terminal:
        terminal.keys("C-d")
        assert terminal.status() == 0
        assert not opening.asked("session.close")
        connection, _ = opening.opening
        assert connection.recv(1) == b"" and "starting" not in terminal.screen()
