# SPDX-License-Identifier: Apache-2.0
"""Every view in every depth of colour at four sizes, as it was when it was last looked at.

A made-up server (scene.py) tells the same each time; the program and the terminal are the real ones. After a change
that is meant, GLASSBELL_WRITE_DOCS=1 writes the screens anew:

    GLASSBELL_WRITE_DOCS=1 ./dev test tests/tui_golden_test.py     (docs/screens.py draws pictures to look at)
"""

import contextlib
import os
import pathlib
import re
import tempfile

import pytest

from scene import Scene
from support import wait_for
from terminal import PATIENCE, front_end, steady

SCREENS = pathlib.Path(__file__).parent / "screens"
DEPTHS = {"rgb": {}, "256": {"COLORTERM": None}, "16": {"COLORTERM": None, "TERM": "screen"}, "mono": {"NO_COLOR": "1"}}
WRITING = bool(os.environ.get("GLASSBELL_WRITE_DOCS"))


def walk(terminal, scene):
    """Through all views; gives the name of each once what it is about can be seen."""
    def at(name, *texts, without=()):
        terminal.wait(*texts, without=without)
        return name

    terminal.wait("research-agent", "▲ tcg")
    scene.live()
    terminal.wait("✕ failed", "88%")
    terminal.keys("j", "j", "j")
    terminal.wait("● scrape-prices")
    yield at("list", "not in the journal any more")
    terminal.keys("b")
    yield at("tree", "as a tree by owner", "▾ adk")
    terminal.keys("b")
    terminal.wait("as a tree by image")
    terminal.keys("b", "C-p")
    terminal.wait("›")
    terminal.type("the")
    yield at("palette", "change the colours", "theme nord")
    terminal.keys("C-c")
    terminal.wait("scrape-prices", without=["theme nord"])
    terminal.keys("?")
    yield at("help", "Keys and commands", "interrupt what runs")
    terminal.keys("q")
    terminal.wait("scrape-prices", without=["Keys and commands"])
    terminal.keys("!")
    yield at("attention", "only what wants you", without=["notebook"])
    terminal.keys("!", "/")
    terminal.type("mem<60M lang=py")
    yield at("filter", "of 10", "data-cleaning", without=["research-agent"])
    terminal.keys("C-c")
    terminal.wait("research-agent")
    terminal.keys("Home", "Space", "Space", "X")
    yield at("closing", "2 sessions close in 60 min", "2 marked", "u undo")
    terminal.keys("u")
    terminal.wait("2 sessions stay open")
    terminal.command("mark none")
    terminal.wait("etl-nightly", without=["marked", "closing"])
    terminal.command("nosuch")
    yield at("error", "there is no command nosuch")
    terminal.keys("E")
    terminal.wait("ended (5)", "nightly-report", "migrate-users")
    terminal.keys("j")
    yield at("ended", "its VM ended", "64 cells in 2 h")
    terminal.keys("k", "Enter")
    terminal.wait("the session is closed", "17 rows left out")
    terminal.keys("g")
    yield at("ended-log", "nightly-report", "the session is closed", "import pandas")
    terminal.keys("Escape")
    terminal.wait("ended (5)", "migrate-users", without=["import pandas"])
    terminal.keys("Escape")
    terminal.wait("sessions (10)", without=["ended (5)"])
    terminal.command("open plot-experiments")
    yield at("figure", "plot-experiments ›", "Hello Ada: 144", "T takes the session over")
    terminal.keys("g")
    yield at("cells", "scrolled", "import pandas", "(2429, 4)")
    terminal.command("cell 4")
    yield at("traceback", "# by country")
    terminal.keys("/")
    terminal.type("price")
    terminal.keys("Enter", "h")
    yield at("search", "/price only")
    terminal.keys(">")
    yield at("search-around", "1 line around each match")
    terminal.keys("h", "/", "C-u", "Enter", "G", "2")
    yield at("output", "following", "Whom shall", without=["/price", "input('Whom"])
    terminal.keys("3")
    terminal.wait("report.py", "totals.csv")
    terminal.keys("G", "k")
    yield at("files", "pd.read_csv(path)")
    terminal.keys("4")
    yield at("stats", "where the time went", "guest's memory")
    terminal.keys("1", "T")
    terminal.wait("You hold this session")
    terminal.keys("i")
    terminal.wait("TYPING")
    terminal.type("plt.title('losses')")
    terminal.keys("Enter")
    terminal.wait("= 42", "type a cell")
    terminal.type("plt.t")
    yield at("suggestion", "plt.t", "itle('losses')", "TYPING")
    terminal.keys("C-c")
    terminal.wait("type a cell")
    terminal.type("for row in rows:")
    terminal.keys("Enter")
    terminal.wait("...")
    terminal.type("t = time.p")
    terminal.keys("Tab")
    yield at("completion", "perf_counter_ns", "pthread_getcpuclockid")
    terminal.keys("C-g", "C-c", "C-]")
    terminal.wait("KEYS")
    scene.tell("lease.changed", session=scene.id("plot-experiments"), lease=scene.lease(7, "agent-7", False))
    yield at("lease", "Held by agent-7", without=["You hold"])
    terminal.command("back")
    terminal.wait("sessions (10)", without=["plot-experiments ›"])
    terminal.command("open refactor-js")
    yield at("javascript", "refactor-js ›", "[ 12.5, 99, 4.25 ]")
    terminal.command("back")
    terminal.wait("sessions (10)", without=["refactor-js ›"])
    terminal.command("open build-and-test")
    yield at("shell", "build-and-test ›", "waits for input")
    terminal.keys("a")
    yield at("input", "input:", "TYPING")
    terminal.keys("C-]")
    terminal.wait("KEYS")
    terminal.command("back")
    terminal.wait("sessions (10)", without=["build-and-test ›"])
    terminal.command("open notebook")
    yield at("past", "notebook ›", "cells 6–8 undone, ran until", "◆", "0.2961")
    terminal.command("cell 4")
    terminal.wait("0.4127")
    terminal.keys("R")
    yield at("rewind", "back to after cell 4?", "[y/N]")
    terminal.keys("n")
    terminal.command("cell 7")
    yield at("undone", "▾ cells 6–8", "Net(width=4096)")
    terminal.keys("5")
    yield at("timeline", "as it is now", "○ now", "losses.svg")
    terminal.keys("Left", "Left", "Left", "Left")
    yield at("timeline-earlier", "as it was after cell 5", "files written by then: 1", "trained", without=["losses.svg"])
    terminal.keys("j", "j", "j")
    yield at("timeline-undone", "as it was after cell 8", "since undone", "nan")
    terminal.keys("6")
    terminal.wait("network index: 0 open, 3 in all, 2 refused", "listening: ")
    terminal.keys("j", "j", "j")
    yield at("network", "port 8000", "pkgs.example:443", "refused", "127.0.0.1:41234")
    terminal.keys("7")
    yield at("shells", "3: you watch; Enter types at it", "tensor(0.2961)", "htop")


def walk_small(terminal, scene):
    """The same where there is little room: what is left out, and what finds its place all the same."""
    def at(name, *texts, without=()):
        terminal.wait(*texts, without=without)
        return name

    terminal.wait("research-agent", "▲ tcg: emulation")
    scene.live()
    terminal.wait("✕ failed")
    terminal.keys("j", "j", "j")
    terminal.wait("● running", without=["emulation"])
    yield at("list", "data-cleaning", without=["IMAGE", "refactor-js"])
    terminal.keys("b")
    yield at("tree", "as a tree by owner", "3 sessions", "193M")
    terminal.command("tree table")
    terminal.keys("C-p")
    terminal.type("the")
    yield at("palette", "FIND", "theme dark")
    terminal.keys("C-c", "?")
    yield at("help", "Keys and commands", "prompt")
    terminal.keys("q", "/")
    terminal.type("mem<60M lang=py")
    yield at("filter", "2 of 10", "data-cleaning", without=["etl-nightly"])
    terminal.keys("C-c")
    terminal.wait("etl-nightly")
    terminal.keys("E")
    yield at("ended", "ended (5)", "nightly-report", "migrate-users")
    terminal.keys("Escape")
    terminal.wait("etl-nightly", without=["migrate-users"])
    terminal.command("open notebook")
    terminal.wait("0.2961")
    terminal.keys("5", "Left", "Left")
    yield at("timeline", "as it was after cell 10", "0.2961")
    terminal.keys("6", "j", "j")
    yield at("network", "index", "port 8000", "refused")
    terminal.keys("7")
    yield at("shells", "3: you watch", "tensor(0.2961)")
    terminal.command("back")
    terminal.wait("etl-nightly")
    terminal.command("open plot-experiments")
    terminal.wait("144,334.70")
    terminal.keys("g")
    yield at("cells", "import pandas", "(2429, 4)")
    terminal.keys("3")
    terminal.wait("report.py", "totals.csv")
    terminal.keys("G", "k")
    yield at("files", "347B", without=["pd.read_csv"])
    terminal.keys("4")
    yield at("stats", "guest's memory", "58M of 512M", "started from")
    terminal.keys("1", "T")
    terminal.wait("You hold this session")
    terminal.keys("i")
    terminal.wait("TYPING")
    terminal.type("t = time.p")
    terminal.keys("Tab")
    yield at("completion", "perf_counter_ns", "of 5")


@contextlib.contextmanager
def undo_for_long(folder):
    """What is about to close is still about to, however slowly one looks."""
    path = pathlib.Path(folder) / ".config" / "glassbell" / "glassbell.conf"
    path.parent.mkdir(parents=True)
    path.write_text("[tui]\nundo = 1h\n")
    yield


def at_rest(terminal):
    """The screen once it does not change any more; only for writing."""
    seen = []

    def same():
        seen.append(steady(terminal.screen(colours=True)))
        return len(seen) > 30 and len(set(seen[-30:])) == 1 and seen[-1]
    return wait_for(same, timeout=PATIENCE, what="a screen that rests")


SEQUENCES = re.compile(r"(?:\x1b\[[0-9;:]*m)+|\x0e|\x0f")


def write(path, screens):
    """One file: the styles with a number each, then the screens, where ‹number› stands for a style."""
    styles = {}

    def short(match):
        return "‹%d›" % styles.setdefault(match.group(), len(styles))
    text = "".join(f"\f {name}\n{SEQUENCES.sub(short, screen)}" for name, screen in screens.items())
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{number} {style[1:].replace(chr(27), '^')}\n" for style, number in styles.items()) + text)


def read(path):
    head, *parts = path.read_text().split("\f ")
    styles = ["\x1b" + line.split(" ", 1)[1].replace("^", "\x1b") for line in head.splitlines()]
    screens = {}
    for part in parts:
        name, text = part.split("\n", 1)
        screens[name] = re.sub(r"‹(\d+)›", lambda match: styles[int(match.group(1))], text)
    return screens


@pytest.mark.parametrize("columns,rows", [(40, 12), (80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize("depth", DEPTHS)
def test_golden_screens(columns, rows, depth):
    path = SCREENS / f"{columns}x{rows}-{depth}.txt"
    golden, seen = {} if WRITING else read(path), {}
    with tempfile.TemporaryDirectory(prefix="gb-") as folder, undo_for_long(folder), Scene(folder, (192, 96)) as scene, \
            front_end(folder, scene.path, columns=columns, rows=rows, env={**DEPTHS[depth], "TZ": scene.zone}) as terminal:
        for name in (walk_small if rows < 24 else walk)(terminal, scene):
            if WRITING:
                seen[name] = at_rest(terminal)
                continue
            wanted = golden.pop(name)
            try:
                wait_for(lambda wanted=wanted: steady(terminal.screen(colours=True)) == wanted, timeout=PATIENCE,
                         what=f"the golden screen {name}")
            except AssertionError:
                assert steady(terminal.screen(colours=True)) == wanted, name
    if WRITING:
        write(path, seen)
    assert not golden
