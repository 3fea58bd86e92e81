# SPDX-License-Identifier: Apache-2.0
"""What helps in the front end everywhere: help that is searched, the menu, the mouse that copies, and what leaves it for
a file."""

import json
import os
import pathlib
import subprocess

from scene import Scene
from support import BINARY, DEADLINE, wait_for
from terminal import front_end


def mouse(terminal, *events):
    """Each: button, column and row from 0, and M for down or m for up."""
    terminal.tmux("send-keys", "-l", "".join(f"\x1b[<{button};{x + 1};{y + 1}{up}" for button, x, y, up in events))


def place(terminal, text):
    """Column and row of a text on the screen."""
    lines = terminal.wait(text).split("\n")
    row = next(index for index, line in enumerate(lines) if text in line)
    return lines[row].index(text), row


def test_help_is_searched(few, folder):
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.keys("?")
        terminal.wait("Keys and commands", "/ search", "interrupt what runs")
        terminal.keys("/")
        terminal.type("COLUMN sort")
        terminal.wait("/COLUMN sort", "1 found", "sort by a column", without=["interrupt what runs", "▼ more"])
        terminal.type("zzz")
        terminal.wait("nothing has that", without=["sort by a column"])
        terminal.keys("BSpace", "BSpace", "BSpace", "Enter")
        terminal.wait("1 found", "sort by a column")
        terminal.keys("q", "?")
        terminal.wait("interrupt what runs", without=["1 found"])
        # Esc shows all again first, then leaves.
        terminal.keys("/")
        terminal.type("theme")
        terminal.wait("change the colours", without=["interrupt what runs"])
        terminal.keys("Enter", "Escape")
        terminal.wait("Keys and commands", "interrupt what runs")
        terminal.keys("Escape")
        terminal.wait("scraper", without=["Keys and commands"])
        # A key finds what it does.
        terminal.keys("?", "/")
        terminal.type("F2")
        terminal.wait("what does a key do")
        terminal.keys("Enter", "C-c", "q")
        assert terminal.status() == 0


def test_the_menu(few, folder):
    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        terminal.wait("scraper", "analysis")
        x, y = place(terminal, "analysis")
        mouse(terminal, (2, x, y, "M"), (2, x, y, "m"))
        terminal.wait("MENU", "─ analysis", "close it, or all that are marked", "take the session over")
        terminal.keys("Escape")
        terminal.wait("KEYS", without=["MENU"])
        terminal.keys("F10")
        terminal.wait("MENU", "─ analysis")
        terminal.keys("Down", "Up", "Up", "Escape")
        terminal.wait("KEYS", without=["MENU"])
        # A click in it runs the row; beside it nothing but the menu ends.
        mouse(terminal, (2, x, y, "M"), (2, x, y, "m"))
        terminal.wait("MENU")
        mouse(terminal, (0, 98, 38, "M"), (0, 98, 38, "m"))
        terminal.wait("KEYS", "scraper", without=["MENU"])
        mouse(terminal, (2, x, y, "M"), (2, x, y, "m"))
        x, y = place(terminal, "mark the session")
        mouse(terminal, (0, x, y, "M"), (0, x, y, "m"))
        terminal.wait("1 marked", without=["MENU"])
        # A key does in the menu what it does without it.
        terminal.keys("F10")
        terminal.wait("MENU")
        terminal.keys("?")
        terminal.wait("Keys and commands", without=["MENU"])
        terminal.keys("q", "q")
        assert terminal.status() == 0


def test_a_menu_is_about_the_session_it_was_opened_for(few, folder):
    """Also if that leaves the list meanwhile, so that another one is at the cursor."""
    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        terminal.wait("scraper", "analysis")
        terminal.command("filter state=idle")
        terminal.wait("analysis", "notebook", without=["scraper"])
        x, y = place(terminal, "analysis")
        mouse(terminal, (2, x, y, "M"), (2, x, y, "m"))
        terminal.wait("─ analysis", "take the session over")
        few.tell("session.changed", session=few.sessions[2]["session"], info={**few.sessions[2], "state": "running"})
        terminal.wait("─ analysis", "2 of 6")
        x, y = place(terminal, "take the session over")
        mouse(terminal, (0, x, y, "M"), (0, x, y, "m"))
        terminal.wait("another session is here now: nothing was done", without=["MENU"])
        assert not [call for call in few.calls if call["method"] == "session.lease"]


def test_the_mouse_copies(few, folder):
    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        terminal.tmux("set-option", "-s", "set-clipboard", "on")
        terminal.wait("scraper", "analysis")
        x, y = place(terminal, "analysis")
        mouse(terminal, (0, x, y, "M"), (32, x + 3, y, "M"), (32, x + 7, y, "M"), (0, x + 7, y, "m"))
        terminal.wait("copied: analysis")
        wait_for(lambda: terminal.tmux("show-buffer") == "analysis", what="it in the clipboard")
        assert "› analysis" not in terminal.screen()  # it was no click
        # Upwards, over lines: the left edge is that of the text.
        mouse(terminal, (0, x + 2, y + 1, "M"), (32, x, y, "M"), (0, x, y, "m"))
        terminal.wait("copied 2 lines")
        first, second = wait_for(lambda: (text := terminal.tmux("show-buffer")).count("\n") == 1 and text, what="two lines").split("\n")
        assert first.startswith("analysis") and second == terminal.screen().split("\n")[y + 1][x:x + 3].rstrip()
        terminal.keys("q")
        assert terminal.status() == 0


def test_the_screen_as_text(few, folder):
    with front_end(folder, few.path, columns=100, rows=30) as terminal:
        terminal.wait("scraper", "analysis")
        target = pathlib.Path(folder) / "the screen.txt"
        terminal.command(f"screen {target}")
        terminal.wait("the screen is in")
        text = target.read_text()
        assert "scraper" in text and "KEYS" in text and ":screen" not in text and len(text.splitlines()) == 30
        os.mkfifo(f"{folder}/pipe")
        terminal.command(f"screen {folder}/pipe")
        terminal.wait("pipe is not a file")
        terminal.command(f"screen {folder}/no/where")
        terminal.wait("✕ screen: ", "No such file")
        terminal.keys("q")
        assert terminal.status() == 0


def test_export_from_the_front_end(tmp_path):
    """What the verb says is what one reads; the front end goes on meanwhile."""
    with Scene(tmp_path) as scene, front_end(tmp_path, scene.path, columns=140, rows=40, env={"PAGER": f"tee {tmp_path}/paged"}) as terminal:
        terminal.wait("plot-experiments")
        terminal.command("open plot-experiments")
        terminal.wait("Hello Ada: 144")
        terminal.command("export")
        terminal.wait("export to", "plot-experiments.ipynb")
        terminal.keys("C-a", "C-k")
        terminal.type(f"{tmp_path}/")
        terminal.keys("Enter")
        terminal.wait(f"exported as {tmp_path}/plot-experiments.ipynb")
        assert json.loads((tmp_path / "plot-experiments.ipynb").read_text())["nbformat"] == 4
        terminal.command(f"export {tmp_path}/a file.md")
        terminal.wait(f"exported as {tmp_path}/a file.md")
        assert "import pandas" in (tmp_path / "a file.md").read_text()
        # What is there is only replaced if the user says so.
        (tmp_path / "mine.md").write_text("mine")
        terminal.command(f"export {tmp_path}/mine.md")
        terminal.wait(f"replace what is there? {tmp_path}/mine.md", "[y/N]")
        terminal.keys("n")
        terminal.wait("KEYS", without=["[y/N]"])
        terminal.command(f"screen {tmp_path}/mine.md")
        terminal.wait("[y/N]")
        terminal.keys("n")
        terminal.wait("KEYS", without=["[y/N]"])
        assert (tmp_path / "mine.md").read_text() == "mine"
        terminal.command(f"export {tmp_path}/mine.md")
        terminal.wait("[y/N]")
        terminal.keys("y")
        terminal.wait(f"exported as {tmp_path}/mine.md")
        assert "import pandas" in (tmp_path / "mine.md").read_text()
        os.mkfifo(tmp_path / "pipe")
        for name in (f"{tmp_path}/pipe", "-"):
            terminal.command(f"export {name}")
            terminal.wait(f"{name} is not a file")
        terminal.command(f"export {tmp_path}/no/x.md")
        terminal.wait("✕ export: ", "No such file")
        terminal.command("log")
        terminal.wait("the pager showed the log of plot-experiments")
        assert "import pandas" in (tmp_path / "paged").read_text()
        # Without a server nothing is started that would start one.
        scene.close()
        terminal.wait("no server")
        for command in (f"export {tmp_path}/late.md", "log"):
            terminal.command(command)
            terminal.wait("not sent: no server; :reconnect starts one")
            terminal.keys("C-g")
        terminal.keys("q")
        assert terminal.status() == 0


def test_the_name_of_the_file_says_the_format(tmp_path):
    """Of `glassbell export`; --format is stronger, and a name that says nothing is a notebook."""
    with Scene(tmp_path) as scene:
        def written(name, *options):
            done = subprocess.run([BINARY, "export", "--socket", str(scene.path), "plot-experiments", "-o", str(tmp_path / name), *options],
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE, check=False)
            assert done.returncode == 0, done.stderr
            return (tmp_path / name).read_text()

        assert json.loads(written("a.cast").split("\n")[0])["version"] == 2
        assert written("b.md").startswith("# ") and "```" in written("b.md")
        assert "# %%" in written("c.py")
        for name, options in (("d", ()), ("e.md.txt", ()), ("f.md", ("--format", "ipynb"))):
            assert json.loads(written(name, *options))["nbformat"] == 4, name


def test_backward_and_forward(tmp_path):
    """Sessions with their tab or cell, the ended ones, and the list; a new way cuts off what was ahead."""
    with Scene(tmp_path) as scene, front_end(tmp_path, scene.path, columns=120, rows=40) as terminal:
        terminal.wait("plot-experiments", "sessions (10)")
        terminal.keys("M-Left")
        terminal.wait("this is the first place")
        terminal.command("open plot-experiments")
        terminal.wait("Hello Ada: 144")
        terminal.command("cell 4")
        terminal.wait("KeyError", "scrolled")
        terminal.command("open etl-nightly")
        terminal.wait("etl-nightly ›")
        terminal.keys("3")
        terminal.wait("report.py")
        terminal.keys("Escape")
        terminal.wait("sessions (10)", without=["etl-nightly ›"])
        terminal.command("ended")
        terminal.wait("ended (5)")
        terminal.keys("M-Left")
        terminal.wait("sessions (10)", without=["ended (5)"])
        terminal.keys("M-Left")
        terminal.wait("etl-nightly ›", "report.py")
        terminal.keys("M-Left")
        terminal.wait("plot-experiments ›", "KeyError", "scrolled")
        terminal.keys("M-Right")
        terminal.wait("etl-nightly ›", "report.py")
        terminal.keys("M-Right", "M-Right")
        terminal.wait("ended (5)")
        terminal.keys("M-Right")
        terminal.wait("this is the last place")
        terminal.keys("M-Left", "M-Left", "M-Left")
        terminal.wait("plot-experiments ›", "KeyError")
        terminal.keys("Escape")
        terminal.wait("sessions (10)", without=["plot-experiments ›"])
        terminal.keys("M-Right")
        terminal.wait("this is the last place")
        terminal.keys("q")
        assert terminal.status() == 0


def test_the_palette_finds_cells_and_files(tmp_path):
    """Of the session that is shown; nothing of them in the list."""
    with Scene(tmp_path) as scene, front_end(tmp_path, scene.path, columns=120, rows=40) as terminal:
        terminal.wait("plot-experiments")
        terminal.keys("C-p")
        terminal.type("by country")
        terminal.wait("nothing fits")
        terminal.keys("C-c")
        terminal.command("open plot-experiments")
        terminal.wait("Hello Ada: 144")
        terminal.keys("C-p")
        terminal.wait("a cell, a file")
        terminal.type("by country")
        terminal.wait("# by country", "cell 4", without=["nothing fits"])
        terminal.keys("Enter")
        terminal.wait(":cell 4", "KeyError", without=["FIND"])
        # Files are those that were looked at: asking for them would wake a session that sleeps.
        terminal.keys("C-p")
        terminal.type("totals.csv")
        terminal.wait("nothing fits")
        terminal.keys("C-c")
        assert not [call for call in scene.calls if call["method"] == "file.list"]
        terminal.keys("3")
        terminal.wait("totals.csv")
        terminal.keys("1", "C-p")
        terminal.type("totals.csv")
        terminal.wait("totals.csv", " file")
        terminal.keys("Enter")
        terminal.wait(":file totals.csv", "40211.5", without=["FIND"])
        terminal.command("file report.py")
        terminal.wait("import pandas")
        terminal.keys("q")
        assert terminal.status() == 0


class Failing(Scene):
    """Cells with `fail` in them end with exit status 7."""

    def _session_exec(self, params):
        done = super()._session_exec(params)
        if "fail" in params["code"]:
            done = {**done, "exit_code": 7, "value": None}
        return done

    def tell(self, kind, **fields):
        if kind != "cell.finished":  # the answer says it
            super().tell(kind, **fields)


def test_a_search_in_the_history_tells_how_it_ended(tmp_path):
    """Also in a later program."""
    with Failing(tmp_path) as scene:
        with front_end(tmp_path, scene.path, columns=120, rows=40) as terminal:
            terminal.wait("plot-experiments")
            terminal.command("open plot-experiments")
            terminal.wait("Hello Ada: 144")
            terminal.keys("T")
            terminal.wait("You hold this session")
            terminal.keys("i")
            terminal.wait("TYPING")
            terminal.type("fail(1)")
            terminal.keys("Enter")
            terminal.wait("exit 7", "type a cell")
            terminal.keys("C-r")
            terminal.type("ail")
            terminal.wait("(reverse-i-search, exit 7)`ail'")
            terminal.keys("C-g", "C-]", "q")
            assert terminal.status() == 0
        terminal.ended.unlink()
        with front_end(tmp_path, scene.path, columns=120, rows=40) as terminal:
            terminal.wait("plot-experiments")
            terminal.command("open plot-experiments")
            terminal.wait("Hello Ada: 144")
            terminal.keys("T")
            terminal.wait("You hold this session")
            terminal.keys("i")
            terminal.wait("TYPING")
            terminal.keys("C-r")
            terminal.type("ail")
            terminal.wait("(reverse-i-search, exit 7)`ail'")
            terminal.keys("C-g")
            terminal.type("well(2)")
            terminal.keys("Enter")
            terminal.wait("= 42", "type a cell")
            terminal.keys("C-r")
            terminal.type("well")
            terminal.wait("(reverse-i-search, ok)`well'")
            terminal.keys("C-g", "C-]", "q")
            assert terminal.status() == 0
