# SPDX-License-Identifier: Apache-2.0
"""A terminal of a session from the front end: the screen is the program's meanwhile, and ours afterwards."""

import pytest
from support import Session, wait_for
from terminal import FakeServer, front_end, made_up

ECHO = "echo first line; while read -r line; do echo \"got $line\"; done"


def test_a_shell_from_a_session_and_back(server, client, tmp_path):
    session = Session(client, idle_ms=0, label="with-shell")
    session.exec("print('from a cell')")
    with front_end(tmp_path, server.socket, env={"SHELL": None}) as terminal:
        terminal.wait("with-shell")
        terminal.command("open with-shell")
        terminal.wait("from a cell")
        terminal.keys("$")
        terminal.wait("user@glassbell", without=["KEYS", "from a cell"])
        terminal.type("echo at-a-terminal; tty")
        terminal.keys("Enter")
        terminal.wait("\nat-a-terminal", "/dev/pts/")
        terminal.keys("Enter", "~", ".")
        terminal.wait("KEYS", "from a cell", without=["at-a-terminal"])
        assert client.call("terminal.list", session=session.id)["terminals"][0]["running"]
        terminal.command("shell 1")
        terminal.wait("at-a-terminal", without=["KEYS"])
        terminal.type("exit 3")
        terminal.keys("Enter")
        terminal.wait("KEYS", "the program has ended with 3")
        terminal.command("shell sh -c 'echo a program; read x'")
        terminal.wait("a program", without=["KEYS"])
        terminal.keys("Enter")
        terminal.wait("KEYS", "from a cell")
    session.close()


def test_a_session_that_somebody_holds(server, client, tmp_path):
    session = Session(client, idle_ms=0, label="held")
    session.exec("print('from a cell')")
    with front_end(tmp_path, server.socket) as terminal:
        terminal.wait("held")
        terminal.command("open held")
        terminal.wait("from a cell")
        terminal.command("take")
        terminal.wait("You hold this session")
        terminal.keys("$")
        terminal.wait("a shell needs a session that nobody holds; H hands it back", "KEYS")
    assert client.call("terminal.list", session=session.id)["terminals"] == []
    session.close()


@pytest.fixture
def typist(server):
    """Another client, which has typed first."""
    with server.client() as client:
        client.call("hello", client="typist", protocol=1)
        yield client


def terminals(client, session):
    return client.call("terminal.list", session=session.id)["terminals"]


def test_the_tab_watches_and_takes_over(server, client, typist, tmp_path):
    """What the program shows is seen as it comes, at the size of who types; Enter types at it, and leaves it running."""
    session = Session(client, idle_ms=0, label="with-program")
    session.exec("print('from a cell')")
    started = typist.call("session.terminal", session=session.id, rows=10, columns=50, args=["sh", "-c", ECHO])["terminal"]
    with front_end(tmp_path, server.socket, columns=120, rows=40, env={"SHELL": None}) as terminal:
        terminal.wait("with-program")
        terminal.command("open with-program")
        terminal.wait("from a cell")
        terminal.keys("7")
        terminal.wait("first line", "1: you watch; Enter types at it", "50×10, 2 looking", "typed at by typist", "KEYS")
        typist.call("terminal.input", session=session.id, terminal=started, text="one\n")
        terminal.wait("got one")
        terminal.resize(100, 30)
        terminal.wait("got one", "50×10, 2 looking")
        assert [(each["rows"], each["columns"], each["typed_by"]) for each in terminals(client, session)] == [(10, 50, "typist")]
        # All of the screen, and nothing but looking.
        terminal.keys("v")
        terminal.wait("got one", without=["KEYS"])
        terminal.type("lost")
        terminal.keys("Enter")
        typist.call("terminal.input", session=session.id, terminal=started, text="two\n")
        terminal.wait("got two")
        terminal.keys("Enter", "~", ".")
        terminal.wait("KEYS", "got two", without=["lost"])
        # Taken over, and left.
        terminal.keys("Enter")
        terminal.wait("got two", without=["KEYS"])
        terminal.type("three")
        terminal.keys("Enter")
        terminal.wait("got three")
        assert terminals(client, session)[0]["typed_by"] != "typist"
        terminal.keys("Enter", "~", ".")
        terminal.wait("KEYS", "got three", "you watch")
        assert terminals(client, session)[0]["running"]
        # Another tab: nobody looks any more.
        terminal.keys("1")
        terminal.wait("from a cell")
        wait_for(lambda: terminals(client, session)[0]["clients"] == 1)
        # A second one, and the end of the first.
        terminal.keys("7", "n")
        terminal.wait("user@glassbell", without=["KEYS"])
        terminal.keys("Enter", "~", ".")
        terminal.wait("KEYS", "2: you watch", "user@glassbell")
        terminal.keys("k")
        terminal.wait("1: you watch", "got three")
        terminal.keys("X")
        terminal.wait("end sh -c", "[y/N]")
        terminal.keys("y")
        terminal.wait("1: what it showed last", "got three")
        assert [each["running"] for each in terminals(client, session)] == [False, True]
        terminal.keys("Enter")
        terminal.wait("the program has ended; n starts a shell")
    session.close()


def test_full_screen_programs_in_the_tab(server, client, typist, tmp_path):
    """Colours, the alternate screen, wide characters, and what a terminal must not be sent."""
    session = Session(client, idle_ms=0, label="paints")
    script = "printf '\\033[?1049h\\033[2J\\033[5;8H\\033[1;31mred\\033[m \u65e5\u672c \\033]0;title\\007\\033]52;c;aGk=\\007end'; read x"
    typist.call("session.terminal", session=session.id, rows=20, columns=60, args=["sh", "-c", script])
    with front_end(tmp_path, server.socket, columns=120, rows=40) as terminal:
        terminal.wait("paints")
        terminal.command("open paints")
        terminal.keys("7")
        screen = terminal.wait("red \u65e5\u672c end", "you watch")
        above = next(number for number, line in enumerate(screen.splitlines()) if "you watch" in line)
        assert screen.splitlines()[above + 5].index("red") == 7
        assert "\x1b[1m\x1b[31mred" in terminal.screen(colours=True).replace("\x1b[0m", "")
        assert "title" not in screen and terminal.tmux("display-message", "-p", "#{pane_title}").strip() != "title"
    session.close()


class Crowd(FakeServer):
    """A session with more terminals than it may have, at which anything may be shown."""

    def __init__(self, folder):
        self.bytes = "\x1b[31mshown"
        super().__init__(folder, [made_up(0, label="crowd", cells=0)])

    def _answer(self, connection, call):
        params = call.get("params", {})
        if call["method"] == "terminal.list":
            self.reply(connection, call, {"terminals": [
                {"terminal": number, "args": ["\x1b[2J" + "x" * 500] * 3, "rows": 24, "columns": 80, "started_at": 1.7e9,
                 "clients": 1, "typed_by": "\u202egnp.exe", "running": number % 2 == 0, "exit_code": None if number % 2 == 0 else 3,
                 "signal": None} for number in range(1, 101)]})
        elif call["method"] == "terminal.attach":
            for number, session in ((params["terminal"], params["session"]), (params["terminal"] + 1, params["session"]),
                                    (params["terminal"], "s-other")):
                text = self.bytes if number == params["terminal"] and session == params["session"] else "not this one"
                self._send(connection, {"jsonrpc": "2.0", "method": "terminal.output", "params": {
                    "session": session, "terminal": number, "text": text}})
            self.reply(connection, call, {})
        else:
            super()._answer(connection, call)


def test_more_terminals_than_fit_and_hostile_text(tmp_path):
    with Crowd(tmp_path) as server, front_end(tmp_path, server.path, columns=120, rows=40) as terminal:
        terminal.wait("crowd")
        terminal.command("open crowd")
        terminal.keys("7")
        screen = terminal.wait("100: you watch", "shown", without=["not this one"])
        assert "\u202e" not in screen
        terminal.keys("g")
        terminal.wait("37: what it showed last")
        attached = [call["params"] for call in server.calls if call["method"] == "terminal.attach"]
        assert [(each["terminal"], each["watch"]) for each in attached] == [(100, True), (37, True)]
        for size in ((40, 12), (200, 60), (80, 24)):
            terminal.resize(*size)
            terminal.wait("37: what it showed last")
        wait_for(lambda: any(call["method"] == "terminal.resize" for call in server.calls))
        terminal.keys("1")
        wait_for(lambda: [call["params"]["terminal"] for call in server.calls if call["method"] == "terminal.detach"] == [100, 37])


@pytest.mark.parametrize("method, shown", [("terminal.list", "no terminal.list today"), ("terminal.attach", "100: no terminal.attach")])
def test_what_a_server_refuses_is_shown(tmp_path, method, shown):
    class Refusing(Crowd):
        def _answer(self, connection, call):
            if call["method"] == method:
                self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": {
                    "code": -32000, "message": f"no {method} today", "data": {"kind": "not_found"}}})
            else:
                super()._answer(connection, call)
    with Refusing(tmp_path) as server, front_end(tmp_path, server.path) as terminal:
        terminal.wait("crowd")
        terminal.command("open crowd")
        terminal.keys("7")
        terminal.wait(shown)
        asked = len(server.calls)
        terminal.keys("j", "k")
        terminal.command("tab stats")
        terminal.wait("started from")
        assert sum(call["method"] == method for call in server.calls[asked:]) <= 2
