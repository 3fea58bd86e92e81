# SPDX-License-Identifier: Apache-2.0
"""The prompt of `glassbell repl`, with real guests: fed from a pipe, and in a real terminal."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from support import BINARY, DEADLINE, end_tmux, wait_for


# ---- the prompt without a terminal ----


def test_repl_from_a_pipe(cli):
    done = cli("repl", input=b"x = 3\ndef f(a):\n    return a * x\nf(4)\nif x == 3:\n    print('three')\n"
               b"else:\n    print('no')\nprint('end')\n1/0\nfor i in range(2):\n  print(i)")
    assert done.stdout == b"12\nthree\nend\n0\n1\n" and b"ZeroDivisionError" in done.stderr
    assert cli.out("repl", "-l", "sh", input=b"for i in 1 2\ndo echo $i\ndone\n") == "1\n2\n"


# ---- the prompt on a terminal ----


class Screen:
    """The program in tmux: keys go in, the screen comes out. Waits for what it shows."""

    prompt = ">>>"

    def __init__(self, folder, env, *arguments, program=(BINARY,)):
        self.socket = folder / "tmux"
        settings = [f"{name}={value}" for name, value in env.items()]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "50",
                  "env", "TERM=screen-256color", *settings, *program, *arguments)
        self.tmux("set-option", "-g", "remain-on-exit", "on")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-S", str(self.socket), *map(str, arguments)],
                              capture_output=True, text=True, check=True, timeout=DEADLINE).stdout

    def text(self):
        return self.tmux("capture-pane", "-p")

    def line(self):
        """The line that the cursor is in."""
        lines = [line for line in self.text().splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def enter(self, text):
        self.type(text)
        self.keys("Enter")

    def expect(self, part):
        wait_for(lambda: part in self.text(), what=f"{part!r} on\n{self.text()}\n")

    def expect_line(self, line):
        wait_for(lambda: self.line() == line, what=f"{line!r} as the last line of\n{self.text()}\n")

    def leave(self):
        """Ctrl-D, at a prompt: the terminal has another meaning for it while a cell runs."""
        self.expect_line(self.prompt)
        self.keys("C-d")
        self.expect_end()

    def expect_end(self):
        wait_for(lambda: self.tmux("display", "-p", "#{pane_dead}").strip() == "1", what="the end")

    def close(self):
        end_tmux(self.socket)


@pytest.fixture
def terminal(cli, tmp_path):
    if shutil.which("tmux") is None:
        pytest.fail("tmux is needed")
    screens = []
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gb-tmux-"))  # a short path: it holds a socket
    env = {name: value for name, value in cli.env.items() if name.startswith("GLASSBELL")}
    env.update(XDG_STATE_HOME=str(tmp_path), LANG="C.UTF-8", PATH=os.environ["PATH"])

    def start(*arguments, **more):
        screen = Screen(folder, dict(env, **more), "repl", *arguments)
        screens.append(screen)
        return screen

    yield start
    for screen in screens:
        screen.close()
    shutil.rmtree(folder)


def test_background_output_while_typing(terminal, cli, client):
    """What a process left behind prints stands above the prompt, and what was typed stays."""
    screen = terminal("-l", "sh")
    screen.prompt = "$"
    screen.expect_line("$")
    screen.enter("(while [ ! -e go ]; do sleep 0.02; done; echo late-word) & echo sent")
    screen.expect("\nsent\n")
    screen.expect_line("$")
    screen.type("echo half")
    screen.expect_line("$ echo half")
    [session] = [s["session"] for s in client.call("session.list")["sessions"] if s["label"] == "repl"]
    client.call("file.write", session=session, path="go", text="")
    screen.expect("\nlate-word\n$ echo half")
    screen.enter(" done")
    screen.expect("\nhalf done\n")
    screen.leave()


@pytest.mark.parametrize("width", [100, 60])
def test_a_stopped_line_comes_back(cli, tmp_path, width):
    """Ctrl-Z and `fg`: what was typed stands there again, can be edited, and runs; also where the
    terminal has another width by then."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gb-tmux-"))
    env = {name: value for name, value in cli.env.items() if name.startswith("GLASSBELL")}
    env.update(XDG_STATE_HOME=str(tmp_path), LANG="C.UTF-8", PATH=os.environ["PATH"], PS1="shell> ", HOME=str(tmp_path))
    screen = Screen(folder, env, program=("bash", "--norc", "--noprofile", "-i"))
    try:
        screen.expect_line("shell>")
        screen.enter(f"{BINARY} repl")
        screen.expect_line(">>>")
        screen.type("print('half', 6 *")
        screen.expect_line(">>> print('half', 6 *")
        screen.keys("C-z")
        screen.expect_line("shell>")
        screen.tmux("resize-window", "-x", width, "-y", 50)
        screen.enter("clear; echo between")
        screen.expect("between\nshell>")
        screen.enter("fg")
        screen.expect_line(">>> print('half', 6 *")
        screen.type(" 7)")
        screen.expect_line(">>> print('half', 6 * 7)")
        screen.keys("C-a")
        screen.type("1; ")
        screen.expect_line(">>> 1; print('half', 6 * 7)")
        screen.keys("Enter")
        screen.expect("\nhalf 42\n")
        screen.expect_line(">>>")
        screen.keys("C-d")
        screen.expect_line("shell>")
        screen.enter("stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo")
        screen.expect("\nicanon\necho\nshell>")  # as it was before
    finally:
        screen.close()
        shutil.rmtree(folder)


def test_prompt(terminal, tmp_path):
    screen = terminal()
    screen.expect(">>>")
    screen.expect("python, accelerator")
    screen.enter("6 * 7")
    screen.expect("\n42\n")
    # several lines, with the indentation that the guest asks for
    screen.expect_line(">>>")
    screen.enter("def f(x):")
    screen.expect_line("...")
    screen.enter("return x + 1")
    screen.expect("...     return x + 1")
    screen.keys("Enter")
    screen.expect_line(">>>")
    screen.enter("f(1)")
    screen.expect("\n2\n")
    # completion
    screen.type("import zipf")
    screen.keys("Tab")
    screen.expect_line(">>> import zipfile")
    screen.keys("C-c")
    screen.expect_line(">>>")
    screen.type("import time")
    screen.keys("Tab")
    screen.keys("Tab")
    screen.expect("timeit")
    screen.keys("C-c")
    # with the parameters of what is selected, and the first line of its documentation
    screen.enter("exec('def fly(a, *, b=1): \"Adds them.\"; print()\\nflute = 3'); 6 * 7")
    screen.expect("\n42\n")
    screen.type("x = fl")
    screen.keys("Tab")
    screen.expect("\n  float(x=0, /)\n  Convert a string or number to a floating")
    screen.keys("Tab", "Tab")
    screen.expect("\n  fly    function\n  fly(a, *, b=1)\n  Adds them.")
    screen.keys("Enter")
    screen.expect_line(">>> x = fly")
    wait_for(lambda: "Adds them." not in screen.text().partition("x = fly")[2], what="nothing below it")
    screen.keys("C-c")
    screen.expect_line(">>>")
    # Ctrl-C interrupts a cell and keeps what there was
    screen.enter("print('sleeps'); import time; time.sleep(600)")
    screen.expect("\nsleeps")
    screen.keys("C-c")
    screen.expect("KeyboardInterrupt")
    screen.enter("f(40)")
    screen.expect("\n41\n")
    # input() reads what is typed, type-ahead stays for the prompt
    screen.enter("'so ' + input('who? ')")
    screen.expect("who? ")
    screen.enter("you")
    screen.expect("'so you'")
    # history: the entry of several lines comes back as one
    screen.expect_line(">>>")
    screen.keys("C-r")
    screen.type("def f")
    screen.expect("return x + 1")
    screen.keys("C-c")
    # what the guest prints cannot clear the screen
    screen.enter(r"print('\x1b[2J\x1b[31mred')")
    screen.expect(r"\x1b[2Jred")
    screen.expect("sleeps")
    screen.leave()
    history = tmp_path / "glassbell/history-python"
    assert history.stat().st_mode & 0o777 == 0o600
    # another prompt finds them
    screen = terminal()
    screen.expect_line(">>>")
    screen.keys("Up")
    screen.expect("x1b[2J")
    screen.keys("C-c")
    screen.enter(":quit")
    screen.expect_end()


def test_a_cell_is_edited_as_a_whole(terminal, tmp_path):
    """A paste is one cell, its lines can be gone to, and its window may change while it is typed."""
    screen = terminal()
    screen.expect_line(">>>")
    screen.tmux("set-buffer", "def f(n):\n    if n < 2:\n        return 1\n    return n * f(n - 1)")
    screen.tmux("paste-buffer", "-p")
    screen.expect_line("...     return n * f(n - 1)")
    screen.expect(">>> def f(n):\n...     if n < 2:\n...         return 1\n...     return n * f(n - 1)")
    screen.tmux("resize-window", "-x", "20", "-y", "50")
    screen.expect("return n * f\n(n - 1)")
    screen.tmux("resize-window", "-x", "100", "-y", "50")
    screen.expect("accelerator")
    screen.expect(">>> def f(n):\n...     if n < 2:\n...         return 1\n...     return n * f(n - 1)")
    screen.keys("Up", "BSpace")  # the 1 of the third line is a 7
    screen.type("7")
    screen.expect("...         return 7\n")
    screen.keys("M-Enter")
    screen.expect_line(">>>")
    screen.enter("f(3)")
    screen.expect("\n42\n")
    # the same beginning: what was typed before is offered, and End takes it
    screen.type("f(")
    screen.expect_line(">>> f(3)")
    screen.keys("End")
    screen.type(" + 1")
    screen.keys("Enter")
    screen.expect("\n43\n")
    # what fits is listed below, to choose from
    (tmp_path / "one-file").touch()
    (tmp_path / "other-file").touch()
    screen.type(f":put {tmp_path}/o")
    screen.keys("Tab")
    screen.expect(f":put {tmp_path}/o\n  {tmp_path}/o")
    screen.keys("Tab", "Tab", "BTab", "Escape")
    screen.keys("C-c")
    screen.expect_line(">>>")
    screen.keys("C-l")
    wait_for(lambda: screen.text().strip() == ">>>", what="an empty screen")
    screen.leave()


def test_a_cell_is_edited_outside(terminal, tmp_path):
    """C-x C-e: the person's editor gets the cell in a file of its own, and what it leaves is typed."""
    editor = tmp_path / "editor"
    editor.write_text("""#!/bin/sh -e
[ -t 0 ] && [ -t 1 ]
stty -a | grep -q ' icanon'
printf '%s %s\n' "$1" "$(stat -c %a "$1")" >>"$NOTES/notes"
if grep -q refuse "$1"; then exit 3; fi
if grep -q interrupt "$1"; then kill -INT 0; fi
sed -i s/one/two/ "$1"
""")
    editor.chmod(0o755)
    screen = terminal(VISUAL="", EDITOR=f"{editor}", NOTES=str(tmp_path))
    screen.expect_line(">>>")
    screen.enter("for word in 'one', 'one':")
    screen.expect_line("...")
    screen.type("print(word * 2)")
    screen.keys("C-x", "C-e")
    screen.expect(">>> for word in 'two', 'one':\n...     print(word * 2)")
    screen.keys("M-Enter")
    screen.expect("\ntwotwo\noneone\n")
    # an editor that fails changes nothing, and neither does what interrupts it
    screen.expect_line(">>>")
    screen.type("'refuse ' + 'one'")
    screen.keys("C-x", "C-e")
    screen.expect("the editor ended with status 3")
    screen.expect_line(">>> 'refuse ' + 'one'")
    screen.keys("C-c")
    screen.expect_line(">>>")
    screen.type("'interrupt' + 'one'")
    screen.keys("C-x", "C-e")
    screen.expect("the editor ended with status")
    screen.expect_line(">>> 'interrupt' + 'one'")
    screen.keys("Enter")
    screen.expect("\n'interruptone'\n")
    notes = [line.split() for line in (tmp_path / "notes").read_text().splitlines()]
    assert len(notes) == 3 and {mode for _, mode in notes} == {"600"}
    assert all(path.endswith(".py") and not os.path.exists(path) for path, _ in notes)
    screen.leave()


@pytest.mark.parametrize("arguments, prompt, lines, says, then", [
    ((), ">>>", ("for i in 1, 2:", "print(i)"), "\n1\n2\n", ("40 + 2", "42")),
    ((), ">>>", ("x = (1,",), "SyntaxError", ("40 + 2", "42")),
    (("-l", "sh"), "$", ("if true; then",), "unexpected end of file", ("echo $((40 + 2))", "42")),
])
def test_ctrl_d_below_a_cell_ends_it(terminal, arguments, prompt, lines, says, then):
    """As with bash and Python: what is there is run, and the session goes on."""
    screen = terminal(*arguments)
    screen.prompt = prompt
    screen.expect_line(prompt)
    for line in lines:
        screen.enter(line)
        wait_for(lambda: screen.line() in ("...", ">"), what="a further line")
    # within a line it deletes, and at its end it does nothing
    screen.type("ab")
    screen.keys("C-d", "Left", "C-d", "C-d", "BSpace")
    wait_for(lambda: screen.line() in ("...", ">"), what="an empty line")
    screen.keys("C-d")
    screen.expect(says)
    screen.expect_line(prompt)
    screen.enter(then[0])
    screen.expect(f"\n{then[1]}\n")
    screen.leave()


def test_prompt_commands(terminal, tmp_path):
    (tmp_path / "data").write_text("12345")
    screen = terminal()
    screen.expect_line(">>>")
    screen.enter(":help")
    screen.expect(":save N FILE")
    screen.enter(f":put {tmp_path}/data")
    screen.enter(":ls")
    screen.expect("5B  data")
    screen.enter("x = 1")
    screen.enter(":time")
    screen.expect("of processor time")
    screen.enter(f":get data {tmp_path}/back")
    wait_for(lambda: (tmp_path / "back").exists(), what="the file")
    assert (tmp_path / "back").read_text() == "12345"
    screen.enter('type("P", (), {"_repr_png_": lambda self: b"a figure"})()')
    screen.expect("image/png")
    (tmp_path / "link").symlink_to("figure")
    screen.enter(f":save 1 {tmp_path}/link")
    wait_for(lambda: (tmp_path / "figure").exists(), what="the figure")
    assert (tmp_path / "figure").read_bytes() == b"a figure" and (tmp_path / "link").is_symlink()
    screen.enter(":save 1 /dev/full")
    screen.expect("cannot write /dev/full: No space left")
    screen.enter(":frobnicate")
    screen.expect("there is no command :frobnicate")
    screen.enter(":reset")
    screen.enter("x")
    screen.expect("NameError")
    screen.enter("import os; os._exit(1)")
    screen.expect("the interpreter is a new one")
    screen.enter("exit()")
    screen.expect_end()


def test_prompt_in_a_named_session(terminal, cli, work):
    cli("exec", work, "-c", "there = 'kept'")
    screen = terminal(work)
    screen.expect_line(">>>")
    screen.enter("there")
    screen.expect("'kept'")
    screen.leave()
    assert cli.out("exec", work, "-c", "print(there)") == "kept\n"


def test_prompt_of_javascript(terminal):
    screen = terminal("-l", "js")
    screen.expect_line(">")
    screen.enter("const f = x => {")
    screen.expect_line("...")
    screen.enter("return x * 2 }")
    screen.enter("f(21)")
    screen.expect("\n42\n")


def test_prompt_of_shell(terminal):
    screen = terminal("-l", "sh")
    screen.expect_line("$")
    screen.enter("for i in 1 2; do")
    screen.expect_line(">")
    screen.enter("echo n$i; done")
    screen.expect("n1\nn2\n")
    screen.enter("read name; echo got $name")
    screen.enter("it")
    screen.expect("got it")
