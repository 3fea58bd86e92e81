# SPDX-License-Identifier: Apache-2.0
"""What other clients run in the session, above what is being typed at the prompt of `glassbell repl`: in tmux, in
front of a server that only speaks the protocol where the order of messages matters, and with real VMs."""

import contextlib
import re

import pytest

from support import BINARY, Session, Watcher, out, wait_for
from terminal import FakeServer, Terminal, front_end

TIMING = {"total_ms": 5.0, "admission_ms": 1.0, "boot_ms": 3.0, "worker_ms": 1.0}
OPENED = {"session": "s-1", "created": True, "incarnation": 1, "reason": "new", "source": "template", "timing": TIMING}


class Shared(FakeServer):
    """A session that others use too; our cells wait for the test."""

    sent = None

    def _answer(self, connection, call):
        method = call["method"]
        if method == "session.open":
            self.reply(connection, call, OPENED)
        elif method == "session.is_complete":
            self.reply(connection, call, {"status": "complete", "indent": ""})
        elif method == "session.exec":
            self.sent = connection, call
        else:
            super()._answer(connection, call)

    def asked(self, method):
        return [call["params"] for call in self.calls if call["method"] == method]

    def cell(self, kind, number, **info):
        self.tell(f"cell.{kind}", session="s-1", cell=number, info={"cell": number, "client": "agent/1", **info})

    def prints(self, number, text, **more):
        self.tell("cell.output", session="s-1", cell=number, stream="stdout", text=text, **more)

    def run(self, number, code, output="", **result):
        self.cell("started", number, code=code)
        if output:
            self.prints(number, output)
        self.cell("finished", number, code=code, exit_code=0, wall_ms=12, **result)

    def note(self, method, number, **params):
        """To the client whose cell that is."""
        self._send(self.sent[0], {"jsonrpc": "2.0", "method": method,
                                  "params": {"session": "s-1", "cell": number, **params}})

    def begin(self, number):
        wait_for(lambda: self.sent, what="our cell")
        self.note("cell.started", number)
        self.cell("started", number, code="ours")

    def end(self, number, **result):
        self.cell("finished", number, code="ours", exit_code=0, **result)
        self.reply(*self.sent, {"session": "s-1", "cell": number, "exit_code": 0, "wall_ms": 1, **result})
        self.sent = None


@pytest.fixture
def shared(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    with Shared(folder, []) as server:
        yield server


@contextlib.contextmanager
def prompt(tmp_path, shared, *arguments, **options):
    options.setdefault("env", {"NO_COLOR": "1"})
    with front_end(tmp_path, shared.path, *arguments, verb="repl", shell=True, **options) as terminal:
        terminal.wait(">>>")
        wait_for(lambda: len(shared.asked("session.is_complete")) > 0, what="an open session")
        yield terminal


def rows(terminal):
    """What is on the screen below the banner, without empty rows at the end."""
    return terminal.screen().rstrip("\n").split("can be done here\n", 1)[-1].split("\n")


def expect(terminal, *lines):
    wait_for(lambda: rows(terminal) == list(lines), what=f"{lines} on\n{terminal.screen()}\n")


def cursor(terminal):
    """Column and row of the cursor, and the row's text."""
    x, y = map(int, terminal.tmux("display", "-p", "#{cursor_x} #{cursor_y}").split())
    return x, terminal.screen().split("\n")[y]


def test_above_what_is_typed(tmp_path, shared):
    """The half line stays, with the cursor in it, and can be gone on with."""
    with prompt(tmp_path, shared) as terminal:
        terminal.type("print('half', 6)")
        terminal.keys("Left", "Left", "Left", "Left")
        terminal.wait(">>> print('half', 6)")
        shared.run(7, "for i in 1, 2:\n    print(i)", "1\n2\n日本語 é 👍 wide\n", value="'v'")
        lines = ["[7]  agent/1", ">>> for i in 1, 2:", "...     print(i)", "1", "2", "日本語 é 👍 wide", "'v'", "[12 ms]"]
        expect(terminal, *lines, ">>> print('half', 6)")
        assert cursor(terminal) == (len(">>> print('half'"), ">>> print('half', 6)")
        terminal.type("x")
        expect(terminal, *lines, ">>> print('half'x, 6)")
        shared.run(8, "f()", "not ended")
        expect(terminal, *lines, "[8]  agent/1", ">>> f()", "not ended", "[12 ms]", ">>> print('half'x, 6)")


def test_several_lines_and_matches_stay(tmp_path, shared):
    with prompt(tmp_path, shared, columns=40, rows=20) as terminal:
        terminal.paste("def f(n):\n    return n\nf('" + "long " * 10 + "')")
        terminal.wait("long ')")
        terminal.keys("Up", "Up")
        before = rows(terminal)
        where = cursor(terminal)
        shared.run(3, "x = 1")
        expect(terminal, "[3]  agent/1", ">>> x = 1", "[12 ms]", *before)
        assert cursor(terminal) == where
        terminal.keys("C-c")
        terminal.type(":")
        terminal.keys("Tab")
        terminal.wait("\n  :others")
        shared.run(4, "y = 2")
        screen = terminal.wait(">>> y = 2\n[12 ms]\n>>> :")
        assert "\n  :others" in screen.split(">>> y = 2")[1]


def test_colours(tmp_path, shared):
    """Code as in the editor, what programs colour, and nothing that moves the cursor."""
    with prompt(tmp_path, shared, env={}) as terminal:
        shared.run(7, "def f(): pass", "\x1b[32mgreen\x1b[0m\x1b[2J\n")
        terminal.wait("green\\x1b[2J\n[12 ms]\n>>>")
        screen = terminal.screen(colours=True)
        assert "\x1b[35mdef" in screen and "\x1b[32mgreen" in screen


def test_the_order_of_execution(tmp_path, shared):
    """Our cell waits behind another one, whose end is told after ours has begun, and asks for input."""
    with prompt(tmp_path, shared) as terminal:
        shared.cell("started", 1, code="first()")
        terminal.type("ours")
        terminal.keys("Enter")
        wait_for(lambda: shared.sent, what="our cell")
        shared.prints(1, "one\n")
        expect(terminal, ">>> ours", "[1]  agent/1", ">>> first()", "one", "[runs]")
        shared.prints(1, "two\n")
        shared.begin(2)
        shared.note("cell.output", 2, stream="stdout", text="who? ")
        shared.note("cell.waiting", 2, on=True)
        shared.prints(2, "who? ")
        terminal.wait("one\n[runs]\ntwo\n", without=["who?"])
        shared.cell("finished", 1, code="first()", exit_code=0, wall_ms=12, value="'first'")
        terminal.wait("one\n[runs]\ntwo\n'first'\n[12 ms]\nwho?")
        shared.tell("session.asleep", session="s-1", checkpoint=2, cell=5)  # told later: the line is the program's
        terminal.type("me")
        terminal.keys("Enter")
        assert wait_for(lambda: shared.asked("session.stdin"), what="what was typed")[0]["text"] == "me\n"
        shared.run(3, "third()", "three\n")  # before our reply has come
        shared.end(2, value="'ours'")
        terminal.wait("who? me\n'ours'\n[the session sleeps; the next cell wakes it]\n"
                      "[3]  agent/1\n>>> third()\nthree\n[12 ms]\n>>>")
        assert terminal.screen().count("who?") == 1 and "] ours" not in terminal.screen()


def test_ours_is_not_held_for_ever(tmp_path, shared):
    """The end of the cell before it is told late, or never: its output is kept, but not without a bound."""
    with prompt(tmp_path, shared) as terminal:
        shared.cell("started", 1, code="first()")
        terminal.type("ours")
        terminal.keys("Enter")
        shared.begin(2)
        shared.note("cell.output", 2, stream="stdout", text="begin\n")
        terminal.wait("[1]  agent/1\n>>> first()\n[runs]", without=["begin"])
        for _ in range(9):
            shared.note("cell.output", 2, stream="stdout", text="x" * 32767 + "\n")
        shared.note("cell.output", 2, stream="stdout", text="end\n")
        terminal.wait("xxx\nend\n")
        shared.end(2, value="'ours'")
        terminal.wait("end\n'ours'\n>>>")
        shared.cell("finished", 1, code="first()", exit_code=0, wall_ms=12)
        terminal.wait("end\n'ours'\n[12 ms]\n>>>")


def test_ours_waits_for_a_long_one(tmp_path, shared):
    with prompt(tmp_path, shared) as terminal:
        shared.cell("started", 1, code="train()")
        terminal.wait("[1]  agent/1\n>>> train()\n[runs]\n>>>")
        terminal.type("ours")
        terminal.keys("Enter")
        terminal.wait(">>> ours\n[waits for the end of cell 1]\n")
        shared.cell("finished", 1, code="train()", exit_code=0, wall_ms=12)
        shared.begin(2)
        shared.note("cell.output", 2, stream="stdout", text="out\n")
        shared.end(2)
        terminal.wait("[waits for the end of cell 1]\n[12 ms]\nout\n>>>")


def test_a_flood(tmp_path, shared):
    """Some are shown, all others are counted, and one can go on typing."""
    with prompt(tmp_path, shared) as terminal:
        terminal.type("half")
        terminal.wait(">>> half")
        for number in range(1, 1001):
            shared.run(number, f"f({number})", "x\n" * 50)
        terminal.type(" done")
        terminal.wait(">>> half done", "the last one is 1000; glassbell log s-1]\n>>> half done")
        everything = terminal.tmux("capture-pane", "-p", "-S", "-")
        left = [int(count) for count in re.findall(r"not shown of what others did: (\d+) cells?, ", everything)]
        assert sum(left) + len(re.findall(r"^\[\d+\]  agent/1$", everything, re.M)) == 1000 and sum(left) > 500
        shared.cell("started", 1001, code="\n".join(f"line{i}" for i in range(30)))
        for i in range(100):
            shared.prints(1001, f"out{i}\n")
        shared.cell("finished", 1001, code="", exit_code=0, wall_ms=12)
        terminal.wait("line9\n[20 more lines; glassbell log s-1 --cell 1001]\nout0\n", "out19\n[80 lines of output left out, ")


def test_what_happens_to_the_session(tmp_path, shared):
    with prompt(tmp_path, shared) as terminal:
        terminal.type("half")
        shared.run(5, "f()")
        shared.tell("session.rewound", session="s-1", checkpoint=2, cell=5, epoch=2)
        shared.tell("session.asleep", session="s-1", checkpoint=2, cell=5)
        shared.tell("session.closed", session="s-1", reason="closed", message="a client closed it")
        terminal.wait(">>> f()\n[12 ms]\n[the session was rewound to its state after cell 5]\n[the session sleeps; the next cell wakes it]\n"
                      "[the session has ended: a client closed it]\n>>> half")


def test_while_it_is_stopped(tmp_path, shared):
    """Nothing is written into another program's terminal; `fg` shows what has happened."""
    with Terminal(tmp_path, "bash --norc --noprofile -i", env={"NO_COLOR": "1"}, shell=True) as terminal:
        terminal.wait("shell>")
        terminal.type(f"{BINARY} repl --socket {shared.path}")
        terminal.keys("Enter")
        terminal.wait(">>>")
        wait_for(lambda: shared.asked("events.subscribe"), what="the subscription")
        terminal.type("half")
        terminal.wait(">>> half")
        terminal.keys("C-z")
        terminal.wait("Stopped")
        shared.run(7, "f()", "told\n")
        terminal.type("clear; echo between")
        terminal.keys("Enter")
        terminal.wait("between\nshell>")
        terminal.type("fg")
        terminal.keys("Enter")
        terminal.wait("[7]  agent/1\n>>> f()\ntold\n[12 ms]\n>>> half", without=["Sanitizer"])


class Speechless(Shared):
    """Completes, and does not say what it is that it completes to."""

    answer = {}  # to session.describe; None: an error

    def _answer(self, connection, call):
        if call["method"] == "session.complete":
            self.reply(connection, call, {"start": 0, "end": 2, "matches": [
                {"text": word, "type": "function"} for word in ("needle", "needless")]})
        elif call["method"] == "session.describe" and self.answer is None:
            self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": {
                "code": -32601, "message": "there is no method session.describe",
                "data": {"kind": "unsupported", "retryable": False, "dispatched": False}}})
        else:
            super()._answer(connection, call)


@pytest.mark.parametrize("answer", [{}, None])
def test_a_name_that_is_not_described(tmp_path, answer):
    """By an older server, or by one that knows nothing of it."""
    folder = tmp_path / "server"
    folder.mkdir()
    with Speechless(folder, []) as server, prompt(tmp_path, server) as terminal:
        server.answer = answer
        terminal.type("ne")
        terminal.keys("Tab")
        terminal.wait("needless")
        terminal.keys("Tab")
        wait_for(lambda: server.asked("session.describe"), what="the question")
        terminal.keys("Escape")
        terminal.wait(">>> needle", without=["needless", "Sanitizer"])
        terminal.type("w")
        terminal.wait(">>> needlew", without=["Sanitizer"])


@pytest.mark.parametrize("arguments, env", [(["--no-others"], {}), ([], {"TERM": "dumb"})])
def test_not_wanted(tmp_path, shared, arguments, env):
    with prompt(tmp_path, shared, *arguments, env={"NO_COLOR": "1", **env}) as terminal:
        terminal.type("ours")
        terminal.keys("Enter")
        wait_for(lambda: shared.sent, what="our cell")
        shared.end(1, value="'v'")
        terminal.wait("'v'")
        assert not shared.asked("events.subscribe")


def test_it_can_be_switched(tmp_path, shared):
    with prompt(tmp_path, shared) as terminal:
        def enter(command):
            terminal.type(command)
            terminal.keys("Enter")
        enter(":others off")
        wait_for(lambda: shared.asked("events.unsubscribe"), what="the end of the subscription")
        shared.run(7, "f()")
        enter(":others")
        terminal.wait("what other clients do is not shown", without=["[7]"])
        enter(":others on")
        wait_for(lambda: len(shared.asked("events.subscribe")) == 2, what="another subscription")
        shared.run(8, "g()")
        terminal.wait("[8]  agent/1\n>>> g()\n[12 ms]\n>>>", without=["[7]"])
        enter(":others perhaps")
        terminal.wait("either on or off, not perhaps")


# ---- with real VMs ----


@pytest.fixture
def session(server):
    with server.client() as client:
        client.call("hello", client="agent/1", protocol=1)
        session = Session(client, idle_ms=0)
        yield session
        session.abandon()


@contextlib.contextmanager
def joined(folder, server, session, **options):
    folder.mkdir(exist_ok=True)
    with front_end(folder, server.socket, session.id, verb="repl", shell=True, env={"NO_COLOR": "1"}, **options) as terminal:
        terminal.wait(">>>")
        yield terminal


def test_a_cell_of_an_agent(tmp_path, server, session):
    with joined(tmp_path, server, session) as terminal:
        terminal.type("print('half', x")
        terminal.wait(">>> print('half', x")
        session.exec("x = 6 * 7\nprint('日本語', '👍')\nimport sys; print('bad', file=sys.stderr)\nx")
        screen = terminal.wait("[1]  agent/1\n>>> x = 6 * 7\n", "42\n[", ">>> print('half', x")
        assert "日本語 👍\n" in screen and "bad\n" in screen
        assert cursor(terminal) == (len(">>> print('half', x"), ">>> print('half', x")
        terminal.type(")")
        terminal.keys("Enter")
        terminal.wait("\nhalf 42\n>>>")
        session.exec("1/0")
        terminal.wait("ZeroDivisionError", "exit 1]\n>>>")


def test_two_prompts_in_one_session(tmp_path, server, session):
    with joined(tmp_path / "a", server, session) as one, joined(tmp_path / "b", server, session) as two:
        one.type("n = 41")
        one.keys("Enter")
        two.wait(">>> n = 41\n[")
        two.type("n + 1")
        two.keys("Enter")
        two.wait(">>> n + 1\n42\n>>>")
        one.wait(">>> n = 41\n[2]  glassbell repl ", ">>> n + 1\n42\n[")
        assert one.screen().count("n = 41") == 1 and two.screen().count("n + 1") == 1


def test_ours_behind_another_that_asks(tmp_path, server, session):
    """The other cell is answered by a third client; ours runs behind it, and has the terminal's input."""
    with joined(tmp_path, server, session) as terminal, server.client() as third:
        pending = session.send("print('hello ' + input('name? '))", interactive=True)
        terminal.wait("name?\n[it waits for input; glassbell answer ")
        terminal.type("print('so ' + input('who? '))")
        terminal.keys("Enter")
        terminal.wait("[waits for the end of cell 1]")
        third.call("session.stdin", session=session.id, cell=1, text="them\n")
        assert out(pending.wait()) == "name? hello them\n"
        terminal.wait("[waits for the end of cell 1]\nhello them\n[", "\nwho?")
        terminal.type("me")
        terminal.keys("Enter")
        terminal.wait("who? me\nso me\n>>>")


def test_rewound_put_to_sleep_and_closed_by_another(tmp_path, server, session):
    session.exec("x = 1")
    session.call("session.checkpoint")
    session.exec("x = 2")
    with joined(tmp_path, server, session) as terminal:
        terminal.type("x")
        session.call("session.rewind", cell=1, wait_ms=30000)
        terminal.wait("[the session was rewound to its state after cell 1]\n>>> x")
        terminal.keys("Enter")
        terminal.wait(">>> x\n1\n>>>")
        session.call("session.sleep", wait_ms=30000)
        terminal.wait("[the session sleeps; the next cell wakes it]\n>>>")
        terminal.type("x + 1")
        terminal.keys("Enter")
        terminal.wait(">>> x + 1\n2\n>>>")
        terminal.type("half")
        session.close()
        terminal.wait("[the session has ended: ", ">>> half")


def test_a_flood_from_a_real_session(tmp_path, server, session):
    with joined(tmp_path, server, session) as terminal:
        terminal.type("half")
        with Watcher(server, sessions=[session.id], kinds=["cell.finished"]) as watcher:
            for pending in [session.send(f"print('x' * 100000); {n}") for n in range(60)]:
                pending.wait()
            watcher.until("cell.finished", cell=60)
        terminal.type(" done")
        terminal.wait(">>> half done", "the last one is 60; glassbell log")
