# SPDX-License-Identifier: Apache-2.0
"""The front end's life in its terminal: which terminals serve, how it leaves, stops and comes back, and what
it does while its server is away."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from support import BINARY, Session, forgetful, wait_for
from terminal import FakeServer, Terminal, front_end, made_up


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT])
def test_restores_the_terminal(few, folder, ending):
    script = pathlib.Path(folder) / "script"
    script.write_text(f"stty -a >{folder}/before; {BINARY} tui --socket {few.path}; stty -a >{folder}/after\n"
                      "echo over; read\n")
    env = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:detect_leaks=0"}
    with Terminal(folder, f"bash {script}", env=env) as terminal:
        terminal.wait("scraper")
        pids = subprocess.run(["pgrep", "-f", f"tui --socket {few.path}"], capture_output=True, text=True,
                              check=True).stdout.split()
        victim = next(pid for pid in pids if os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(BINARY))
        os.kill(int(victim), ending)
        terminal.wait("over", without=["scraper"])
        assert pathlib.Path(folder, "before").read_text() == pathlib.Path(folder, "after").read_text()
        modes = terminal.tmux("display", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").split()
        assert modes == ["0", "1", "0"]


@pytest.mark.parametrize("term", ["xterm-256color", "tmux-256color", "screen", "screen-256color", "linux", "vt100", "xterm-mono"])
def test_draws_with_any_entry(few, folder, term):
    """With the terminal's own terminfo entry or with ours, whatever it can."""
    with front_end(folder, few.path, env={"TERM": term, "COLORTERM": None}) as terminal:
        terminal.wait("scraper", "日本語 ünïcödé", "KEYS")
        terminal.resize(120, 40)
        terminal.keys("j", "Space")
        terminal.wait("1 marked", "nightly")
        terminal.keys("?")
        terminal.wait("Keys and commands")
        terminal.keys("q")
        terminal.wait("1 marked", "日本語 ünïcödé", without=["Keys and commands"])
        terminal.keys("q")
        assert terminal.status() == 0
        modes = terminal.tmux("display", "-p", "#{alternate_on} #{mouse_any_flag} #{wrap_flag} "
                              "#{scroll_region_upper} #{scroll_region_lower}").split()
        assert modes == ["0", "0", "1", "0", "39"] and "scraper" not in terminal.screen()


@pytest.mark.parametrize("term,reason", [("dumb", "cannot place its cursor"), ("unknown", "is not known here"),
                                         ("no-such-terminal", "is not known here"), (None, "is not known here")])
def test_says_which_terminals_do_not_serve(few, folder, term, reason):
    with front_end(folder, few.path, env={"TERM": term}) as terminal:
        assert terminal.status() == 125
        text = terminal.error.read_text()
        assert reason in text and (term or "TERM is not set") in text


def test_suspends_and_comes_back(few, folder):
    with Terminal(folder, "bash --norc -i", shell=True) as terminal:
        terminal.wait("shell>")
        terminal.type(f"{BINARY} tui --socket {few.path}")
        terminal.keys("Enter")
        terminal.wait("scraper")
        terminal.keys("C-z")
        terminal.wait("Stopped", without=["scraper"])
        terminal.type("fg")
        terminal.keys("Enter")
        terminal.wait("scraper", "KEYS")
        terminal.keys("q")
        terminal.wait("shell>", without=["scraper"])
        terminal.type("exit")
        terminal.keys("Enter")
        assert terminal.status() == 0


# ---- the server ----


def test_server_goes_and_comes_back(folder):
    sessions = [made_up(1, label="scraper")]
    with FakeServer(folder, sessions) as server, front_end(folder, server.path) as terminal:
        terminal.wait("scraper")
        server.close()
        os.unlink(server.path)
        terminal.wait("no server")
        with FakeServer(folder, [*sessions, made_up(2, label="another")]) as server:
            terminal.wait("another", "the server is back", without=["no server"])
            # Whoever is told so is told the figures, too, the very next ones.
            server.tell("sample", host={"cpus": 4}, sessions=[
                {"session": sessions[0]["session"], "memory_bytes": 321 << 20, "cpu_ms": 2000}])
            terminal.wait("321M")


class Silent(FakeServer):
    """Answers nothing until it is told to."""

    def __init__(self, folder, sessions):
        self.kept = []
        super().__init__(folder, sessions)

    def _answer(self, connection, call):
        if self.kept is None:
            super()._answer(connection, call)
        else:
            self.kept.append((connection, call))

    def go_on(self):
        kept, self.kept = self.kept, None
        for connection, call in kept:
            self._answer(connection, call)


@contextlib.contextmanager
def connecting_again(folder):
    """The view of a session whose server went, and a new one that has not answered yet."""
    sessions = [made_up(1, label="scraper")]
    with FakeServer(folder, sessions) as server, front_end(folder, server.path) as terminal:
        terminal.wait("scraper")
        terminal.command("open scraper")
        terminal.wait("› scraper")
        server.close()
        os.unlink(server.path)
        terminal.wait("no server")
        with Silent(folder, sessions) as server:
            wait_for(lambda: server.kept, what="a connection")
            yield terminal, server


def test_a_view_that_is_left_before_the_server_answers(folder):
    """What it asked for before the first frame of the connection is no longer told to it."""
    with connecting_again(folder) as (terminal, server):
        terminal.keys("'")
        wait_for(lambda: any(call["method"] == "session.history" and call["params"].get("annotated")
                             for _, call in server.kept), what="the request for a bookmark")
        terminal.command("back")
        terminal.wait("sessions (1)", without=["› scraper"])
        server.go_on()
        terminal.wait("the server is back", without=["no server"])
        terminal.keys("q")
        assert terminal.status() == 0


def test_what_is_asked_of_no_server_does_not_happen_later(folder):
    """Also while the next connection is being made."""
    with connecting_again(folder) as (terminal, server):
        terminal.command("fork")
        terminal.wait("not sent: no server; :reconnect starts one")
        server.go_on()
        terminal.wait("the server is back", without=["no server"])
        assert "session.fork" not in [call["method"] for call in server.calls]
        terminal.command("fork")
        wait_for(lambda: [call["method"] for call in server.calls].count("session.fork") == 1, what="the second fork")
        terminal.keys("q", "q")
        assert terminal.status() == 0


class OlderServer(FakeServer):
    """Does not know all kinds of events."""

    def _answer(self, connection, call):
        if call["method"] == "events.subscribe" and "cell.annotated" in call["params"].get("kinds", []):
            self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": {
                "code": -32602, "message": 'there is no kind of events "cell.annotated"',
                "data": {"kind": "invalid_input", "retryable": False, "dispatched": False}}})
        else:
            super()._answer(connection, call)


def test_an_older_server_tells_what_it_knows(folder):
    session = made_up(1, label="scraper")
    with OlderServer(folder, [session]) as server, front_end(folder, server.path) as terminal:
        terminal.wait("scraper")
        terminal.command("open scraper")
        wait_for(lambda: any(call["method"] == "events.subscribe" and "sessions" in call["params"] and
                             "kinds" not in call["params"] for call in server.calls), what="a second try")
        terminal.wait("› scraper")
        server.tell("cell.started", session=session["session"], cell=1, info={
            "cell": 1, "client": "other", "mode": "kernel", "state": "running", "code": "what_it_runs()", "started_at": 1})
        terminal.wait("what_it_runs()")
        server.tell("cell.weighed", session=session["session"], cell=1)  # of a newer one
        server.tell("cell.output", session=session["session"], cell=1, stream="stdout", text="what it says\n")
        terminal.wait("what it says")
        terminal.keys("q", "q")
        assert terminal.status() == 0


def test_server_is_killed_and_comes_back(folder):
    """The real one: killed while a cell runs, started anew, and what it had run is still to be read."""
    server = forgetful()
    with front_end(folder, server.socket, columns=120, rows=40) as terminal:
        terminal.wait("No sessions yet", without=["no server"])
        with server.client() as client:
            session = Session(client, "shell", label="doomed", idle_ms=0)
            session.exec("echo before; exit 3")
            terminal.wait("doomed", "✕ failed")
            terminal.command("open doomed")
            terminal.wait("doomed ›", "│ before", "exit 3")
            session.send("echo begun; sleep 1000", stream=True)
            terminal.wait("│ begun")
            server.process.kill()
            server.process.wait()
        terminal.wait("no server", "the connection was lost while it ran")
        server.start()
        terminal.wait("the server is back", "│ before", without=["no server"])
        terminal.command("back")
        with server.client() as client:
            other = Session(client, "shell", label="afterwards")
            terminal.wait("afterwards")
            other.close()
        terminal.keys("q")
        assert terminal.status() == 0
    assert server.stop() == 0


def test_detaches_and_attaches_in_screen(few, folder):
    """In GNU screen, which knows less than tmux does; the program goes on while nobody looks."""
    if shutil.which("screen") is None:
        pytest.fail("screen is needed")
    sockets = pathlib.Path(folder) / "s"
    sockets.mkdir(mode=0o700)
    env = {"SCREENDIR": str(sockets), "TERM": "screen-256color"}
    with Terminal(folder, f"screen -c /dev/null -U -S gb {BINARY} tui --socket {few.path}", env=env) as terminal:
        terminal.wait("scraper", "analysis", "KEYS")
        terminal.keys("j", "Space")
        terminal.wait("1 marked")
        terminal.keys("C-a", "d")
        assert terminal.status() == 0
    with tempfile.TemporaryDirectory(prefix="gb-") as other, \
            Terminal(other, "screen -c /dev/null -U -r gb", env=env, columns=90, rows=26) as terminal:
        terminal.wait("scraper", "1 marked", "KEYS")
        few.tell("session.closed", session=few.sessions[0]["session"], reason="closed", message="by a client")
        terminal.wait("closed")
        terminal.keys("q")
        assert terminal.status() == 0


def test_many_ends_are_asked_for_together(few, folder):
    """While the list of ended sessions is shown, it is read anew at most once a second, however many end."""
    def lists():
        return sum(call["method"] == "session.list" and call["params"].get("state") == "closed" for call in few.calls)

    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper")
        terminal.keys("E")
        terminal.wait("ended (0)")
        before, began = lists(), time.monotonic()
        for i in range(200):
            few.ended.append(made_up(100 + i, label=f"job-{i}", state="closed", ended_at=time.time(), reason="it was closed"))
            few.tell("session.closed", session=few.ended[-1]["session"], reason="closed")
        terminal.wait("ended (200)")
        assert lists() - before <= 2 + (time.monotonic() - began)


class ForkingServer(FakeServer):
    """Says of a fork what the test wants."""

    def __init__(self, folder, sessions, forked):
        super().__init__(folder, sessions)
        self.forked = forked

    def _answer(self, connection, call):
        if call["method"] == "session.fork":
            self.reply(connection, call, {"sessions": self.forked, "seq": 1, "cell": 3, "took_us": 1})
        else:
            super()._answer(connection, call)


@pytest.mark.parametrize("forked, said", [
    ([{"session": None, "error": {"kind": "capacity", "message": "there is no room"}}],
     "fork: there is no room (capacity)"),
    ([], "fork: the server opened no session, and gave no reason")])
def test_a_fork_that_failed_is_told_as_what_it_is(folder, forked, said):
    with ForkingServer(folder, [made_up(1, label="scraper")], forked) as server, \
            front_end(folder, server.path) as terminal:
        terminal.wait("scraper")
        terminal.command("fork scraper")
        terminal.wait(said, without=["forking…"])
