# SPDX-License-Identifier: Apache-2.0
"""A terminal of a session from the front end: the screen is the program's meanwhile, and ours afterwards."""

from support import Session
from terminal import front_end


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
