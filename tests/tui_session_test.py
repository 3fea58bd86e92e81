# SPDX-License-Identifier: Apache-2.0
"""A session in the front end: the real program in tmux, real VMs, one front end for most tests."""

import os
import shutil

import pytest

from front import COLUMNS, ROWS, Front
from support import BINARY, Failure, Server, Session, out, wait_for


@pytest.fixture(scope="module")
def agent(server):
    """Another client, with a name."""
    with server.client() as client:
        client.call("hello", client="agent-7", protocol=1)
        yield client


@pytest.fixture(scope="module")
def sessions(client):
    opened = {}
    for language in ("python", "javascript", "shell"):
        opened[language] = Session(client, language, label=f"tui-{language}", idle_ms=0)
    yield opened
    for session in opened.values():
        session.close()


@pytest.fixture
def front(server, sessions):
    if shutil.which("tmux") is None:
        pytest.fail("tmux is needed")
    terminal = Front(server)
    try:
        terminal.expect("tui-python")
        yield terminal
        terminal.leave()
    finally:
        terminal.close()


@pytest.fixture
def typing(front):
    """In the Python session, with the keys at an empty prompt; out of it again after."""

    def enter(language="python", prompt=" >>>"):
        front.command(f"open tui-{language}")
        front.expect(f"tui-{language} ›")
        front.keys("i")
        front.expect("TYPING")
        front.expect_prompt(prompt)
        return front

    yield enter
    front.keys("C-c")  # whatever is being typed
    front.keys("C-]")
    front.expect_not("TYPING")
    front.command("back")
    front.expect_not(" 2 output ")


def test_three_languages(typing):
    front = typing()
    front.run("6 * 7")
    front.expect_line(".= 42")
    front.expect_line(r".✓ \d+ [◆ ]*you ─.*")
    front.keys("C-]")
    front.expect_not("TYPING")
    front = typing("javascript", " >")  # from the one to the other
    front.run("[1, 2].map((x: number) => x * 21)")
    front.expect_line(r".= \[ 21, 42 \]")
    front.keys("C-]")
    front.expect_not("TYPING")
    front.keys("3")
    front.expect("~")
    front = typing("shell", " $")  # also from its files
    front.run("echo $((6 * 7)); echo wrong >&2; (exit 3)")
    front.expect_line(".│ 42")
    front.expect_line(".┃ wrong")
    front.expect("exit 3")


def test_lines_and_completion(typing):
    front = typing()
    front.run("def twice(number):")
    front.expect_prompt(" ...")
    front.type("return number * 2")
    front.expect_prompt(" ...     return number * 2")
    front.keys("Enter")
    front.keys("Enter")
    front.expect_prompt(" >>>")
    front.type("twi")
    front.keys("Tab")
    front.expect(" >>> twice")
    front.type("(4)")
    front.keys("Enter")
    front.expect_line(".= 8")
    # several: the pop-up, and one of it
    front.run("import time; 7 * 11")
    front.expect_line(".= 77")  # it is imported: completion does not wait for a cell that runs
    front.type("time.perf")
    front.keys("Tab")
    front.expect("perf_counter_ns")
    front.expect("perf_counter() ")
    front.expect("Performance counter for benchmarking.")
    front.keys("Tab")
    front.expect("perf_counter_ns() ")
    front.keys("Enter")
    front.expect_prompt(" >>> time.perf_counter_ns")
    front.keys("C-c")
    front.expect_prompt(" >>>")
    # what was run comes back, and is suggested
    front.keys("Up")
    front.keys("Up")
    front.expect_prompt(" >>> twice(4)")
    front.keys("C-c")
    front.type("def tw")
    front.expect("ice(number):")


def test_interrupt(typing):
    front = typing()
    front.run("import time; time.sleep(600)")
    front.expect_line(r".● \d+ [◆ ]*you ─.*")
    front.type("1 +")  # typed while it runs
    front.keys("C-c")  # drops that
    front.expect_prompt(" >>>")
    front.keys("C-c")
    front.expect_line(r".■ \d+ [◆ ]*you ─.* interrupted .*")
    front.expect_line(".┃ KeyboardInterrupt")


def test_input(typing):
    front = typing()
    front.run("'hello ' + input('your name? ')")
    front.expect_line(".│ your name\\?")
    front.expect("waits for a line")
    front.run("Ada")
    front.expect_line(".= 'hello Ada'")
    front.expect_prompt(" >>>")
    front.run("import sys; len(sys.stdin.read())")
    front.expect("waits for a line")
    front.run("four")
    front.expect("waits for a line")
    front.keys("C-d")
    front.expect_line(".= 5")


def test_paste(typing, sessions):
    front = typing()
    front.paste("".join(f"pasted_{i} = {i}\n" for i in range(2000)))
    front.expect("... pasted_1999 = 1999")
    front.keys("Enter")
    front.expect("more lines of code")
    front.expect_prompt(" >>>")
    front.run("pasted_1999")
    front.expect_line(".= 1999")
    # a part of a cell, with what a paste must not do
    front.paste("'a\x1b[31m\x07b'\x7f")
    front.expect_prompt(" >>> 'a[31mb'")


def test_flood(typing):
    front = typing()
    front.run("for i in range(60_000): print('line', i)")
    front.expect_prompt(" ...")
    front.keys("Enter")
    front.expect("line 59999")
    front.keys("PageUp")
    front.expect("scrolled")
    front.expect_not("line 59999")
    front.keys("C-]")
    front.keys("G")
    front.expect("line 59999")


def test_output_that_is_too_long_to_keep(typing, sessions, agent):
    """Its end is here; the journal has the rest, and its beginning comes with the head of the cell."""
    front = typing()
    cell = agent.call("session.exec", session=sessions["python"].id, max_stdout=16 << 20, timeout_ms=600_000,
                      code="for i in range(30): print('\\n'.join(f'deep {n} {\"x\" * 90}' for n in "
                           "range(i * 4000, i * 4000 + 4000)))")
    assert len(cell["stdout"]) > 11 << 20
    front.expect_line(r".│ deep 119999 x+")
    front.keys("C-]")
    front.expect_not("TYPING")
    front.command(f"cell {cell['cell']}")
    front.expect_line(r".│ deep 0 x+")
    front.keys("PageDown")
    front.expect_not(f" {cell['cell']} agent-7 ")
    front.keys("PageUp")
    front.expect_line(r".│ deep 0 x+")
    front.keys("G")
    front.expect_line(r".│ deep 119999 x+")
    front.keys("PageUp")
    front.expect("scrolled")
    front.expect_line(r".│ deep 1199\d\d x+")
    front.keys("G")


def test_others(typing, sessions, agent):
    """Cells of other clients appear while one types, and the line stays."""
    front = typing()
    front.run("'mine'")
    front.expect_line(".= 'mine'")
    front.type("half a li")
    front.expect_prompt(" >>> half a li")
    front.keys("Left")
    front.wait(lambda: front.cursor()[0] == len(" >>> half a l"), "the cursor before the i")
    cursor = front.cursor()
    agent.call("session.exec", session=sessions["python"].id, code="print('of the agent')")
    front.expect_line(".│ of the agent")
    front.expect_line(r".✓ \d+ [◆ ]*agent-7 ─.*")
    assert front.prompt() == " >>> half a li"
    front.wait(lambda: front.cursor() == cursor, "the cursor where it was")


def test_hostile_output(typing):
    """Nothing of a guest reaches the terminal, and nothing looks like a frame of ours."""
    front = typing()
    title = front.tmux("display", "-p", "#{pane_title}")
    front.run(r"print('\033]2;evil\a\033[2J\033[H\033[?1049h\033]52;c;eA==\a\033[31mred\033[0m"
              r"\n ✓ 9 you ────\n\x9b31m\u202eend\033[6n\033P1$r\033\\')")
    front.expect_line(".│ red")
    front.expect_line(".│  ✓ 9 you ────")  # behind the edge that only we draw on
    front.expect_line(".│ .31m.end")
    assert front.tmux("display", "-p", "#{pane_title}") == title
    assert "TYPING" in front.text() and "1 cells" in front.text()
    front.expect_prompt(" >>>")  # no answer to a question of the guest was typed


def test_progress(typing):
    front = typing()
    front.run("import sys, time\n")
    front.keys("Enter")
    front.run("for i in range(101): _ = sys.stderr.write(f'\\r{i:3}%|' + '#' * (i // 10))")
    front.keys("Enter")
    front.expect_line(".┃ 100%\\|##########")
    assert " 50%" not in front.text()


def test_browsing(typing, sessions):
    front = typing()
    front.run("print('needle one')")
    front.expect_line(".│ needle one")
    front.run("print('hay')")
    front.expect_line(".│ hay")
    front.keys("C-]")
    front.expect_not("TYPING")
    front.keys("K")
    front.keys("o")  # folded: the code in the head line
    front.expect_line(r"▌✓ \d+ [◆ ]*you +print\('needle one'\) .*")
    front.keys("o")
    front.expect_line("▌│ needle one")
    front.keys("/")
    front.run("needle one")
    front.expect("/needle one")
    front.keys("h")  # only what matches
    front.expect_not("│ hay")
    front.keys("h")
    front.keys("y")  # one still stands at the match
    front.expect("in the clipboard")
    assert "print('needle one')" in front.tmux("show-buffer")
    front.keys("G")
    front.expect_line(".│ hay")
    front.command("search")
    front.keys("C-u")
    front.keys("Enter")
    front.expect_not("/needle one")


def test_rerun_and_edit(typing, sessions):
    front = typing()
    front.run("counted = globals().get('counted', 0) + 1; counted * 100")
    front.expect_line(".= 100")
    front.keys("C-]")
    front.expect_not("TYPING")
    front.keys(".")
    front.expect_line(".= 200")
    front.keys("e")  # $EDITOR turns the first 1 of a line into 41
    front.expect("counted = globals().get('counted', 0) + 41; counted * 100")
    front.expect("TYPING")
    front.keys("Enter")
    front.expect_line(".= 4300")


def test_past(front, client, agent):
    """Undo, redo, rewind and fork: what the keys do, and what the cards say about it."""
    session = Session(client, label="backward", idle_ms=0, checkpoints="asked")
    try:
        past = PastSession(session, front)
        front.command("open backward")
        front.expect("backward ›")
        front.keys("i")
        front.expect("TYPING")
        for i in (1, 2, 3, 4):
            front.run(f"x = {i}; open('f{i}', 'w').close()")
            front.expect_line(rf".✓ {i} ◆? *you ─.* 1 file .*")
            past.keep(i)
        front.keys("C-]")
        front.expect_not("TYPING")
        for i in (1, 2, 3, 4):
            front.expect_line(rf".✓ {i} ◆ you ─.*")
        # One step back, and forward again.
        front.keys("u")
        front.expect("as it was after cell 3; u goes back, U forward")
        front.expect_line(r".▸ cell 4 undone at \d\d:\d\d")
        assert past.state() == (3, ["f1", "f2", "f3"])
        front.keys("U")
        front.expect("as it was after cell 4")
        front.expect_not("undone at")
        assert past.state() == (4, ["f1", "f2", "f3", "f4"])
        # To a cell: not without a question, which says what goes.
        front.command("cell 2")
        front.keys("R")
        front.expect("back to after cell 2? 2 cells go (3–4), and their changes to 2 files: f3, f4 [y/N]")
        front.keys("n")
        front.expect_not("[y/N]")
        assert past.state()[0] == 4
        front.keys("R")
        front.expect("[y/N]")
        front.keys("y")
        front.expect("as it was after cell 2; cells 3–4 are undone; u goes back, U forward")
        front.expect_line(r".▸ cells 3–4 undone at \d\d:\d\d")
        assert past.state() == (2, ["f1", "f2"])
        # The undone cells can be looked at, and returned to.
        front.command("end")
        front.keys("R")
        front.expect("to which of them? unfold the cells")
        front.keys("o")
        front.expect_line(r".✓ 3 ◆ you ─.*")
        front.keys("o")
        front.expect_not("f3'")
        # Another client takes the session back: seen here, too.
        session.exec("x = 'other'")
        front.expect_line(r".✓ 5 +\S+.* ─.*")
        agent.call("session.rewind", session=session.id, cell=1)
        front.expect_line(r".▸ cells 2–5 undone at \d\d:\d\d")
        # A fork, from here, appears in the list, which says where it comes from.
        front.command("fork")
        front.expect("forked as it was after cell 1; :open s-")
        fork = [each for each in client.call("session.list")["sessions"]
                if each.get("origin", {}).get("session") == session.id]
        assert len(fork) == 1 and fork[0]["origin"]["cell"] == 1
        front.command("back")
        front.expect_line(r".*backward fork@1 .*")
        front.command(f"open {fork[0]['session']}")
        front.expect("backward › python, forked after cell 1")
        client.call("session.close", session=fork[0]["session"])
        front.command("back")
        front.expect_not(" 2 output ")
    finally:
        session.close()


class PastSession:
    """What a session with variable x and files f1, f2, … looks like from outside."""

    def __init__(self, session, front):
        self.session, self.front = session, front

    def keep(self, cell):
        """A checkpoint of the present, by the front end's own command."""
        self.front.keys("C-]")
        self.front.expect_not("TYPING")
        self.front.keys("c")
        self.front.expect(f"kept as it is after cell {cell}")
        self.front.keys("i")
        self.front.expect("TYPING")

    def state(self):
        """Without a cell, which would be one more."""
        names = sorted(entry["name"] for entry in self.session.call("file.list", path=".")["entries"]
                       if entry["name"].startswith("f"))
        return len(names), names


def test_past_that_is_not_there(front, client):
    """Without checkpoints the keys say so; a cell whose interpreter is killed stays in sight."""
    session = Session(client, label="without-past", idle_ms=0, checkpoints="asked")
    try:
        front.command("open without-past")
        front.expect("without-past ›")
        front.keys("i")
        front.expect("TYPING")
        front.run("x = 1")
        front.expect_line(r".✓ 1 you ─.*")
        front.keys("C-]")
        front.expect_not("TYPING")
        front.keys("u")
        front.expect("there is no checkpoint before this moment")
        front.keys("U")
        front.expect("nothing that was undone follows this moment")
        front.keys("R")
        front.expect("there is no checkpoint after cell 1")
        front.keys("c")
        front.expect("kept as it is after cell 1")
        cell = session.exec("import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('stubborn')\n"
                            "while True: time.sleep(1)", timeout_ms=2000)
        assert cell["rolled_back"]["cell"] == 1, cell
        front.expect_line(".│ stubborn")
        front.expect_line(r".■ 2 .* timed out .*")
        front.command("back")
        front.expect_not(" 2 output ")
    finally:
        session.close()


def test_files(typing, sessions, front):
    session = sessions["python"]
    session.write("folder/program.py", b"def f():\n    return 'look'\n")
    session.write("data.bin", bytes(range(200)))
    front = typing()
    front.keys("C-]")
    front.expect_not("TYPING")
    front.keys("3")
    front.expect("folder/")
    front.command("file-top")
    front.keys("Enter")
    front.expect("~/folder")
    front.expect("return 'look'")
    front.command(f"download {front.folder}/copy.py")
    front.expect("copy.py is there")
    assert (front.folder / "copy.py").read_bytes() == b"def f():\n    return 'look'\n"
    (front.folder / "up.txt").write_text("from here\n")
    front.command(f"upload {front.folder}/up.txt")
    front.expect("from here")
    assert session.read("folder/up.txt") == b"from here\n"
    # Names of any bytes: a look into one, in and out of such a folder, a copy of it here.
    session.exec(r"""import os; os.mkdir(b'folder/odd\xff')
with open(b'folder/odd\xff/caf\xe9.txt', 'w') as file: _ = file.write('what is in it')""")
    front.command("refresh")
    front.expect("odd")
    front.command("file-top")
    front.keys("Enter")
    front.expect("what is in it")
    front.command(f"download {front.folder}/odd.txt")
    front.expect("odd.txt is there")
    assert (front.folder / "odd.txt").read_bytes() == b"what is in it"
    front.keys("BSpace")
    front.expect("program.py")
    front.command("file-end")
    os.mkfifo(front.folder / "fifo")  # nobody is at its other end: the front end must not wait for one
    for words in (f"download {front.folder}/fifo", f"upload {front.folder}/fifo", "download /dev/full"):
        front.command(words)
        front.expect("is not a file")
        front.command("file-end")
        front.expect_not("is not a file")
    front.keys("BSpace")
    front.expect("data.bin")
    front.command("file-end")
    front.expect("00 01 02 03")
    front.keys("4")
    front.expect("where the time went")
    front.keys("1")


def test_watching(typing, front, sessions, agent, fresh):
    """Another client's session is watched; when it holds the lease, it says so."""
    theirs = Session(agent, "shell", label="tui-theirs")
    try:
        theirs.exec("echo started")
        front.command("open tui-theirs")
        front.expect("tui-theirs ›")
        theirs.exec("echo seen; exit 2 >&2")
        front.expect_line(".│ seen")
        front.keys("i")
        front.expect("you watch")
        assert "TYPING" not in front.text()
        agent.call("session.lease", session=theirs.id, action="take", note="mine")
        front.expect("agent-7 holds")
        front.keys("i")
        front.expect("agent-7 holds this session;")
        assert "TYPING" not in front.text()
        # free again: one takes it, and the agent is refused
        agent.call("session.lease", session=theirs.id, action="release")
        front.expect_not("agent-7 holds this session: you watch")
        front.command("take")
        front.expect("You hold this session")
        front.keys("i")
        front.expect("TYPING")
        front.run("echo by hand")
        front.expect_line(".│ by hand")
        with pytest.raises(Failure) as refused:
            theirs.exec("echo refused")
        assert refused.value.kind == "held"
        front.keys("C-]")
        front.expect_not("TYPING")
        front.command("hand-back 'look at it'")
        front.expect_not("You hold this session")
    finally:
        theirs.close()
    front.expect("the session is closed")
    front.command("back")
    front.expect_not(" 2 output ")


def test_list(front, sessions):
    """Filter, sort, mark, theme and size, of real sessions."""
    def order(*names):
        text = front.text()
        return all(name in text for name in names) and sorted(names, key=text.index) == list(names)

    front.command("filter tui- !lang=shell")
    front.expect(" 2 of ")
    front.expect_not("tui-shell")
    front.command("filter tui-")
    front.expect("tui-shell")
    front.command("sort name")
    front.wait(lambda: order("tui-javascript", "tui-python", "tui-shell"), "sorted by name")
    front.keys("S")
    front.wait(lambda: order("tui-shell", "tui-python", "tui-javascript"), "turned around")
    # What is done to those that are marked is done to all of them.
    running = [sessions[language].send(code) for language, code in
               (("shell", "sleep 1000"), ("python", "import time; time.sleep(1000)"))]
    front.command("sort state")
    front.wait(lambda: front.text().count("● running") >= 2, "two that run")
    front.command("filter tui- state=running")
    front.expect(" 2 of ")
    front.command("mark all")
    front.expect("2 marked")
    front.keys("I")
    assert all(cell.wait()["interrupted"] for cell in running)
    front.command("mark none")
    front.command("all")
    front.expect("tui-javascript")
    front.command("theme nord")
    front.expect(":theme nord")
    front.command("theme")
    front.expect("theme nord")
    # A storm of sizes while something is printed.
    flood = sessions["shell"].send("seq 1 20000", max_stdout=1 << 20)
    for columns, rows in [(300, 90), (1, 1), (80, 24), (79, 24), (200, 5), (COLUMNS, ROWS)] * 3:
        front.tmux("resize-window", "-x", columns, "-y", rows)
    assert flood.wait()["exit_code"] == 0
    front.expect("tui-javascript")
    front.expect("KEYS")
    front.command("theme dark")
    front.expect(":theme dark")


def test_detach_and_attach(front, sessions, server):
    """In GNU screen: the program goes on while nobody looks, and shows what has been done meanwhile."""
    screen = ("screen", "-c", "/dev/null", "-U")
    sockets = front.folder / "s"
    sockets.mkdir(mode=0o700)
    first = Front(server, program=(*screen, "-S", "gb", BINARY), env={"SCREENDIR": str(sockets)})
    try:
        first.expect("tui-shell")
        first.command("open tui-shell")
        first.expect("tui-shell ›")
        first.keys("C-a", "d")
        first.wait(lambda: first.ended.exists(), "that it is detached")
        sessions["shell"].exec("echo while nobody looked")
        second = Front(server, program=(*screen, "-r", "gb"), env={"SCREENDIR": str(sockets)})
        try:
            second.expect_line(".│ while nobody looked")
            second.leave()
        finally:
            second.close()
    finally:
        first.close()


def test_history(fresh, server):
    """What was run before one looked is read from the journal."""
    session = fresh("shell", label="tui-history", idle_ms=0)
    session.exec("echo 42; echo wrong >&2")
    for i in range(40):
        session.exec(f"echo before {i}")
    other = Front(server, columns=80, rows=24)
    try:
        other.expect("tui-history")
        other.command("open tui-history")
        other.expect_line(".│ before 39")
        other.command("cell 1")
        other.expect_line(".│ 42")
        other.expect_line(".┃ wrong")
        other.leave()
    finally:
        other.close()


def test_state_survives(sessions):
    """The front end ran cells as any client does."""
    assert out(sessions["shell"].exec("echo still here")) == "still here\n"


def test_what_cannot_be_sent_stays_typed():
    """The server is killed between two cells."""
    server = Server()
    terminal = Front(server, program=(BINARY,))
    try:
        with server.client() as client:
            session = Session(client, label="doomed", idle_ms=0)
            terminal.expect("doomed")
            terminal.keys("Enter", "i")
            terminal.expect_prompt(" >>>")
            terminal.run("x = 1; x + 41")
            terminal.expect_line(".= 42")
            terminal.expect_prompt(" >>>")
            assert session
        server.process.kill()
        server.process.wait()
        terminal.expect("no server")
        for _ in range(2):
            terminal.run("y=2" if terminal.prompt() == " >>>" else "")
            terminal.expect("not sent: no server; :reconnect starts one")
            terminal.expect_prompt(" >>> y=2")
            terminal.keys("C-]")
            terminal.expect_not("TYPING")
            terminal.command("mouse on")
            terminal.expect_not("not sent")
            terminal.keys("i")
            terminal.expect("TYPING")
        terminal.keys("C-c", "C-]")
        terminal.leave()
    finally:
        terminal.close()
        server.stop()


def test_paths_are_completed(front, sessions):
    """Of this machine, with ~ for the home; a question does not touch its answer."""
    home = front.folder
    (home / "plans").mkdir()
    (home / "plans" / "notes one.txt").write_text("first")
    (home / "plans" / "other.txt").write_text("second")
    (home / ".hidden").write_text("")
    front.command("open tui-python")
    front.expect("tui-python ›")
    front.keys("3")
    front.expect("~/")
    front.keys("+")
    front.type("~/pl")
    front.expect("upload: ~/pl")
    front.keys("Tab")
    front.expect("upload: ~/plans/")
    front.type("n")
    front.keys("Tab")
    front.expect("upload: ~/plans/notes one.txt")
    front.keys("Enter")
    front.expect("notes one.txt is there")
    assert sessions["python"].read("notes one.txt") == b"first"
    front.command("upload ~/plans/other.txt")
    front.expect("other.txt is there")
    front.keys("G")
    front.keys("d")
    front.expect("download to: ")
    front.keys("C-u")
    front.type("~/plans")
    front.keys("Enter")
    wait_for(lambda: len(list((home / "plans").iterdir())) == 2)
    front.expect_not("download to")
    front.command("back")
    front.expect_not(" 2 output ")


def test_one_step_back_at_a_time(server, sessions):
    """In `attach`, Esc ends the search first, and never the program."""
    sessions["python"].exec("print('needle')")
    front = Front(server, "tui-python", program=(BINARY, "attach"))
    try:
        front.expect("needle")
        front.keys("/")
        front.run("needle")
        front.expect("/needle")
        front.keys("Escape")
        front.expect_not("/needle")
        front.keys("Escape")
        front.expect("q leaves; the session continues")
        front.command("back")
        front.expect("q leaves; the session continues")
        front.command("wrap")
        front.expect("long lines are cut")
        front.keys("Escape")
        front.expect("q leaves; the session continues")
        front.leave()
    finally:
        front.close()


@pytest.fixture(scope="module")
def long(client):
    """More cells than a view loads at first, with things to be found in each place that has text."""
    session = Session(client, "shell", label="tui-long", idle_ms=0)
    texts = {2: "echo first-needle", 3: ": cumsum", 7: "echo needle; echo Needle",
             20: "seq 1 400000 | sed 's/^200000$/needle-mid/'", 40: "echo $((40 + 2)) # late-cell"}
    for number in range(1, 266):
        cell = session.exec(texts.get(number, f": {number}"), max_stdout=8 << 20)
        assert cell["cell"] == number
    yield session
    session.close()


@pytest.fixture
def at_long(front, long):
    front.command("open tui-long")
    front.expect("tui-long ›")
    front.expect(" 265 ")
    yield front
    front.command("search")
    front.keys("Enter")
    front.command("back")
    front.expect_not(" 2 output ")


def test_a_search_goes_on_in_the_journal(at_long):
    front = at_long
    for pattern, there in (("cumsum", r".✓ 3 [a-z ]+ ─.*"), ("late-cell", r".✓ 40 [a-z ]+ ─.*"), ("first-needle", r".✓ 2 [a-z ]+ .*")):
        front.keys("G")
        front.expect("following")
        front.keys("/")
        front.run(pattern)
        front.expect_line(r"▌" + there[1:])
    front.keys("G")
    front.keys("/")
    front.run("needle-mid")  # in the middle of an output of which only the end was loaded
    front.expect_line(r".│ needle-mid")
    front.expect("199999")
    front.keys("G")
    front.keys("/")
    front.run("needle")
    front.expect_line(r".│ needle-mid")  # the last one first
    front.keys("N")
    front.expect_line(r"▌  seq 1 400000 .*")  # then the code above that output
    front.keys("N")
    front.expect_line(r"▌│ Needle")
    front.keys("N", "N")
    front.expect_line(r"▌✓ 7 [a-z◆ ]+ ─.*")
    front.keys("N", "N")
    front.expect_line(r"▌✓ 2 [a-z◆ ]+ ─.*")
    front.keys("n", "n")
    front.expect_line(r"▌✓ 7 [a-z◆ ]+ ─.*")
    front.keys("n", "n", "n")
    front.expect_line(r"▌  seq 1 400000 .*")
    front.keys("n")  # and down into that output
    front.expect_line(r".│ needle-mid")
    front.expect("200001")
    front.keys("/")
    front.run("no such text anywhere")
    front.expect("no such text anywhere is not in this session")


def test_any_cell_can_be_gone_to(at_long):
    front = at_long
    front.command("cell 3")
    front.expect_line(r"▌✓ 3 [a-z◆ ]+ ─.*")
    front.command("cell 150")
    front.expect_line(r"▌✓ 150 [a-z◆ ]+ ─.*")
    front.expect(": 151")
    front.keys("G")
    front.expect("following")
    front.keys("g")
    front.expect_line(r"▌✓ 1 [a-z◆ ]+ ─.*")
    front.expect("first-needle")
    front.command("cell 266")
    front.expect("there is no cell 266; the last one is 265")
    front.command("cell three")
    front.expect("cell takes the number of a cell")
    # What lies between comes when one gets there.
    front.command("cell 30")
    front.expect_line(r"▌✓ 30 [a-z◆ ]+ ─.*")
    for _ in range(60):
        front.keys("J")
    front.expect_line(r"▌✓ 90 [a-z◆ ]+ ─.*")


def test_matches_are_counted(front, fresh):
    fresh("shell", label="tui-count").exec("echo countme; echo x; echo countme")
    front.command("open tui-count")
    front.expect("tui-count ›")
    front.expect("│ countme")
    front.keys("/")
    front.run("countme")
    front.expect("/countme  3 of 3")  # a line of code, and two that it printed
    front.keys("N")
    front.expect("/countme  2 of 3")
    front.keys("O")  # folded: it is unfolded where something is found
    front.expect_not("│ x")
    front.keys("N")
    front.expect("/countme  1 of 3")
    front.expect("│ x")
    front.keys("Escape")
    front.expect_not("/countme")
    front.command("back")
    front.expect_not(" 2 output ")
