# SPDX-License-Identifier: Apache-2.0
"""`glassbell exec -it` and `shell` at a real terminal (tmux): what a person sees of a program in a session."""

import os
import re
import signal
import subprocess
import termios

import pytest

from support import BINARY, Server, Session, wait_for
from terminal import FakeServer, Terminal, made_up


@pytest.fixture
def session(client):
    session = Session(client, idle_ms=0)
    yield session
    session.close()


def tty(folder, server, line, **options):
    """An interactive shell of ours with a line of glassbell's in it."""
    (folder / "stderr").touch()  # to be told with the screen
    terminal = Terminal(folder, "bash --norc --noprofile -i", shell=True,
                        env={"GLASSBELL_SOCKET": str(getattr(server, "socket", None) or server.path)}, **options)
    terminal.wait("shell>")
    enter(terminal, f"clear; {BINARY} {line}; echo left with $?")
    return terminal


def enter(terminal, text):
    terminal.type(text)
    terminal.keys("Enter")


def processes():
    """The number and the words of each."""
    told = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line.split() for line in told.splitlines()]


def test_a_pager_scrolls_searches_fits_and_leaves_the_screen_as_it_was(server, session, tmp_path):
    session.exec("open('lines', 'w').writelines(f'line {i} of it\\n' for i in range(1, 1001))")
    with tty(tmp_path, server, f"exec -it {session.id} less lines") as terminal:
        terminal.wait("line 1 of it", "line 29 of it", without=["line 30 of it", "shell>"])
        terminal.keys("Space")
        terminal.wait("line 30 of it", "line 58 of it", without=["line 29 of it"])
        enter(terminal, "/7[0-9]7 of")
        terminal.wait("line 707 of it")
        terminal.resize(60, 12)
        terminal.wait("line 717 of it", without=["line 720 of it"])
        terminal.keys("G")
        terminal.wait("line 1000 of it", "(END)")
        terminal.keys("q")
        terminal.wait("left with 0", without=["of it"])


def test_a_program_of_curses_with_colours_and_wide_characters(server, session, tmp_path):
    session.write("show.py", b"""import curses
def show(screen):
    curses.start_color(); curses.init_pair(1, curses.COLOR_RED, curses.COLOR_BLUE)
    screen.addstr(2, 5, 'painted', curses.color_pair(1) | curses.A_BOLD)
    screen.addstr(4, 5, '\\u4e2d\\u6587 and \\u00e9'); screen.refresh()
    while (key := screen.getkey()) != 'q':
        screen.addstr(6, 5, f'key {key:<12}|'); screen.refresh()
curses.wrapper(show)
""")
    with tty(tmp_path, server, f"shell {session.id} python3 show.py") as terminal:
        screen = terminal.wait("painted", "中文 and é")
        assert screen.splitlines()[2] == "     painted"
        painted = next(line for line in terminal.screen(colours=True).splitlines() if "painted" in line)
        codes = set(";".join(re.findall(r"\x1b\[([0-9;]*)m", painted)).split(";"))
        assert {"1", "31", "44"} <= codes, painted
        for key, told in (("Up", "KEY_UP"), ("F5", "KEY_F(5)"), ("DC", "KEY_DC"), ("x", "x")):
            terminal.keys(key)
            terminal.wait(f"key {told:<12}|")
        terminal.keys("q")
        terminal.wait("left with 0", without=["painted"])


def test_jobs_and_signals_of_a_shell(server, session, tmp_path):
    with tty(tmp_path, server, f"shell -e PS1='in> ' {session.id} bash --norc --noprofile") as terminal:
        terminal.wait("in>")
        enter(terminal, "sh -c 'echo runs; while read x; do echo got-$x; done'")
        terminal.wait("\nruns")  # what is typed ahead of Ctrl-Z the terminal forgets
        terminal.keys("C-z")
        terminal.wait("Stopped")
        enter(terminal, "fg")
        terminal.wait("in> fg\nsh -c")  # until then the shell's editor may take what is typed as its own
        enter(terminal, "this")
        terminal.wait("got-this")
        terminal.keys("C-c")
        terminal.wait("^C\nin>")
        enter(terminal, "echo status $?")
        terminal.wait("status 130")
        enter(terminal, "clear; echo rea''dy; cat")
        terminal.wait("ready")
        enter(terminal, "one")
        terminal.wait("one\none")
        terminal.keys("C-d")
        terminal.wait("one\none\nin>")
        enter(terminal, "stty size")
        terminal.wait("30 100")
        terminal.resize(70, 20)
        wait_for(lambda: session.client.call("terminal.list", session=session.id)["terminals"][0]["rows"] == 20)
        enter(terminal, "stty size; exit 7")
        terminal.wait("20 70", "left with 7")


@pytest.mark.parametrize("program, status", [("sh -c 'exit 3'", 3), ("sh -c 'kill -TERM $$'", 143), ("/no/such", 127)])
def test_the_status_is_the_programs(server, session, tmp_path, program, status):
    with tty(tmp_path, server, f"shell {session.id} {program}") as terminal:
        terminal.wait(f"left with {status}")


def test_to_leave_and_to_come_back(server, session, tmp_path):
    (tmp_path / "other").mkdir()
    with tty(tmp_path, server, f"shell {session.id} sh -c 'echo begun; read x; echo got $x; read x'") as terminal:
        terminal.wait("begun")
        terminal.keys("~", ".")
        terminal.wait("the program goes on", f"shell --attach 1 {session.id}", "left with 0")
        enter(terminal, f"clear; {BINARY} shell --list {session.id}")
        terminal.wait("runs, 0 looking", "sh -c")
        enter(terminal, f"clear; {BINARY} shell --attach 1 {session.id}; echo left with $?")
        terminal.wait("begun", without=["shell>"])
        with tty(tmp_path / "other", server, f"shell --attach 1 {session.id}", columns=70, rows=20) as other:
            other.wait("begun")
            enter(other, "this")
            for each in (other, terminal):
                each.wait("got this")
            enter(other, "")
            for each in (other, terminal):
                each.wait("left with 0")


def test_what_ends_it_leaves_our_terminal_as_it_was(client, session, tmp_path):
    with Server(folder=tmp_path) as own, own.client() as there:
        lost = Session(there, idle_ms=0)
        with tty(tmp_path, own, f"shell {lost.id} sh -c 'printf \"\\033[?1049h\\033[?25l\\033[?1000hfull\"; read x'") as terminal:
            terminal.wait("full", without=["shell>"])
            lost.close()
            terminal.wait("left with 125")
            enter(terminal, "stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo | tr '\\n' +")
            terminal.wait("icanon+echo+")
            assert terminal.tmux("display-message", "-p", "#{cursor_flag}#{mouse_standard_flag}#{alternate_on}") == "100\n"


def test_what_has_no_terminal_is_told_so(server):
    done = subprocess.run([BINARY, "exec", "-it", "none", "sh"], env=server.env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 2 and "needs a terminal" in done.stderr


def test_a_hang_up_of_ours_lets_the_program_go_on(server, session, tmp_path):
    with tty(tmp_path, server, f"shell {session.id} sh -c 'echo begun; read x'") as terminal:
        terminal.wait("begun", without=["shell>"])
        os.kill(ours(session), signal.SIGTERM)
        terminal.wait("left with 143")
    info = session.client.call("terminal.list", session=session.id)["terminals"][0]
    assert info["running"]


def modes(terminal):
    """Of the terminal, as the shell sees them: in tmux's words and in stty's."""
    enter(terminal, "stty -a | tr ' ;' '\\n\\n' | grep -x -e icanon -e echo | tr '\\n' +")
    terminal.wait("icanon+echo+")
    return terminal.tmux("display-message", "-p", "#{cursor_flag}#{mouse_standard_flag}#{alternate_on}").strip()


def ours(session):
    found = wait_for(lambda: [process for process in processes() if process[1:2] == [BINARY] and session.id in process])
    return int(found[0][0])


FULL = "sh -c 'printf \"\\033[?1049h\\033[?25l\\033[?1000hfull\"; read x; echo got $x; read x'"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_a_signal_leaves_our_terminal_as_it_was(server, session, tmp_path, signum):
    with tty(tmp_path, server, f"shell {session.id} {FULL}") as terminal:
        terminal.wait("full", without=["shell>"])
        os.kill(ours(session), signum)
        terminal.wait(f"left with {128 + signum}")
        assert modes(terminal) == "100"
    assert session.client.call("terminal.list", session=session.id)["terminals"][0]["running"]


@pytest.mark.parametrize("signum", [signal.SIGTSTP, signal.SIGSTOP])
def test_stopped_and_continued_it_goes_on_where_it_was(server, session, tmp_path, signum):
    with tty(tmp_path, server, f"shell {session.id} {FULL}") as terminal:
        terminal.wait("full", without=["shell>"])
        os.kill(ours(session), signum)
        terminal.wait("Stopped")
        if signum == signal.SIGTSTP:
            assert modes(terminal) == "100"
        enter(terminal, "clear; fg; echo left with $?")
        terminal.wait("full", without=["shell>"])
        enter(terminal, "this")
        terminal.wait("got this")
        terminal.keys("~", ".")
        terminal.wait("left with 0")
        assert modes(terminal) == "100"


class SlowServer(FakeServer):
    """Answers no request for a terminal before the test says so."""

    def __init__(self, folder):
        super().__init__(folder, [made_up(1)])
        self.unanswered = []

    def _answer(self, connection, call):
        if call["method"] in ("session.terminal", "terminal.resize"):
            self.unanswered.append((connection, call))
        else:
            super()._answer(connection, call)

    def resizes(self):
        return [call["params"] for call in self.calls if call["method"] == "terminal.resize"]

    def answer_next(self):
        connection, call = wait_for(lambda: self.unanswered and self.unanswered.pop(0))
        self.reply(connection, call, {"terminal": 1} if call["method"] == "session.terminal" else {})


def test_a_signal_before_the_program_has_begun(tmp_path):
    with SlowServer(tmp_path) as fake, tty(tmp_path, fake, "shell agent-1") as terminal:
        wait_for(lambda: fake.unanswered)
        terminal.keys("C-c")
        terminal.wait("left with 130")
        assert modes(terminal) == "100"


def resize_now(terminal, rows, columns):
    """Changes the size and, in the same step, has the kernel tell the program. tmux takes its time for that, and
    names the new size before the terminal has it."""
    fd = os.open(terminal.tmux("display-message", "-p", "#{pane_tty}").strip(), os.O_RDWR | os.O_NOCTTY)
    try:
        termios.tcsetwinsize(fd, (rows, columns))
    finally:
        os.close(fd)


def test_a_change_of_size_before_the_program_has_begun_is_told(tmp_path):
    with SlowServer(tmp_path) as fake, tty(tmp_path, fake, "shell agent-1") as terminal:
        wait_for(lambda: fake.unanswered)
        resize_now(terminal, 25, 90)
        fake.answer_next()
        wait_for(fake.resizes)
        assert [(each["rows"], each["columns"]) for each in fake.resizes()] == [(25, 90)]


def test_one_change_of_size_is_under_way_and_the_newest_follows(tmp_path):
    with SlowServer(tmp_path) as fake, tty(tmp_path, fake, "shell agent-1") as terminal:
        fake.answer_next()
        for columns in range(60, 80):
            resize_now(terminal, 20, columns)
            wait_for(fake.resizes)
        terminal.type("x")  # what is typed comes behind whatever was asked for before
        wait_for(lambda: [call for call in fake.calls if call["method"] == "terminal.input"])
        assert len(fake.resizes()) == 1
        fake.answer_next()
        wait_for(lambda: len(fake.resizes()) == 2)
        fake.answer_next()
        terminal.type("y")
        wait_for(lambda: len([call for call in fake.calls if call["method"] == "terminal.input"]) == 2)
        assert len(fake.resizes()) == 2 and fake.resizes()[1]["columns"] == 79


def test_no_key_is_lost_while_the_size_changes(server, session, tmp_path):
    """In one piece or in several, with characters of several bytes, whatever the program is doing."""
    session.write("takes.py", b"""import os, tty
tty.setraw(0)
print('ready', flush=True)
got = b''
while not got.endswith(b'.'):
    got += os.read(0, 7)
open('got', 'wb').write(got)
""")
    texts = [f"{i} 日本語 ünïcödé and an end\x1b" for i in range(100)]
    with tty(tmp_path, server, f"exec -it {session.id} python3 takes.py") as terminal:
        terminal.wait("ready", without=["shell>"])
        for i, text in enumerate(texts):
            resize_now(terminal, 12 + i % 2, 60)
            terminal.type(text)
            resize_now(terminal, 20 + i % 2, 80)
        terminal.type(".")
        terminal.wait("left with 0")
    assert session.read("got").decode() == "".join(texts) + "."
