# SPDX-License-Identifier: Apache-2.0
"""The front end in a terminal: the real program in tmux, against a real server, and against one that
only speaks the protocol where the screen has to be the same each time or sessions have to be many."""

import json
import os
import pathlib
import re
import select
import subprocess
import tempfile

import pytest

from support import BINARY, Failure, wait_for
from terminal import NOW, FakeServer, Terminal, front_end, made_up


# ---- the list ----


def test_opens_and_leaves(few, folder):
    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper", "analysis", "nightly", "input?", "pool py 2/2", "▲ tcg")
        terminal.keys("q")
        assert terminal.status() == 0
        assert "scraper" not in terminal.screen()  # the other screen is gone with it
        assert few.calls[0]["method"] in ("pool.status", "hello")


def test_sorts_filters_and_groups(few, folder):
    def order(screen, *names):
        at = [screen.find(name) for name in names]
        return at[0] >= 0 and at == sorted(at)

    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.keys("v")
        terminal.command("sort mem")
        wait_for(lambda: order(terminal.screen(), "analysis", "build", "scraper"), what="sorted by memory")
        terminal.keys("S")
        wait_for(lambda: order(terminal.screen(), "scraper", "build", "analysis"), what="turned around")
        terminal.keys("/")
        terminal.type("mem>150M !state=run")
        terminal.wait("analysis", "1 of 6", without=["scraper"])
        terminal.keys("Enter")
        terminal.command("filter mem>")
        terminal.wait("mem wants a value")
        terminal.keys("\\")
        terminal.wait("scraper", "build")
        terminal.keys("/")
        terminal.type("nosuchthing")
        terminal.wait("none of 6 sessions")
        terminal.keys("Escape")
        terminal.wait("scraper", "build")
        terminal.keys("b")
        terminal.wait("▾ adk", "▾ claude", "▾ client-0")
        terminal.keys("Home", "Enter")
        terminal.wait("▸")
        terminal.command("tree image")
        terminal.wait("▾ javascript", "▾ python", "▾ shell")


# Keys that mean the same, said of different things.
KIN = [{"copy", "copy-path", "use"}, {"fold", "open"}, {"type", "open-file", "open"}, {"type", "enter"},
       {"down", "file-down", "moment-down", "network-down", "shell-down"},
       {"up", "file-up", "moment-up", "network-up", "shell-up"},
       {"first", "top", "file-top", "moment-first", "network-first", "shell-first"},
       {"last", "end", "file-end", "moment-now", "network-last", "shell-last"},
       {"page-down", "look-down"}, {"page-up", "look-up"}, {"next", "next-failed"}, {"filter", "search"}, {"mark", "fold"},
       {"preview", "view", "look", "watch-shell"}, {"close", "end-shell"}, {"remove", "close-port"}, {"shell", "new-shell"},
       {"search-next", "new", "new-shell"}]  # n: as pagers have it, where a search is on
ENDS = {"close", "interrupt", "remove", "close-port", "end-shell"}


def test_a_key_means_one_thing(few, folder):
    """In the list, in a session and among its files; what ends something has a capital letter, or Control, or is Del."""
    meanings = {}
    page = subprocess.run([BINARY, "tui", "--manual"], capture_output=True, text=True, check=True).stdout
    for part in page.split(".Ss ")[1:]:
        title, rows = part.split("\n", 1)
        if title == "Typing into a session":
            continue
        for keys, name in re.findall(r'^\.It Sy "\\&(.*?)" No ":(\S+?)(?: .*)?"$', rows, re.M):
            for key in keys.split():
                meanings.setdefault(key, set()).add(name)
                if name in ENDS:
                    assert key[0].isupper(), (key, name)
    assert len(meanings) > 50
    for key, names in meanings.items():
        if len(key) == 1 and key not in "JK":  # moving by cells, and by pages of a file
            assert len(names) == 1 or any(names <= kin for kin in KIN), (key, names)


def commands_of(*titles):
    """The names of the rows of the table of commands, as the program itself prints it."""
    page = subprocess.run([BINARY, "tui", "--manual"], capture_output=True, text=True, check=True).stdout
    for part in page.split(".Ss ")[1:]:
        title, rows = part.split("\n", 1)
        if title in titles:
            yield from re.findall(r'^\.It .*No "?:(\S+?)(?: \S.*)?"$', rows, re.M)


ASKS = ("hello", "stats", "pool.status", "session.list", "session.history", "session.checkpoints", "events.subscribe",
        "events.unsubscribe")


def test_nothing_happens_to_what_is_not_shown(few, folder):
    """Every command and every key of the list, with a filter that leaves no row."""
    names = sorted(set(commands_of("List of sessions", "Everywhere")) - {"quit", "suspend", "new", "all", "ended", "filter"})
    assert {"take", "close", "interrupt", "open", "mark", "hand-back", "type", "undo"} <= set(names)
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper", "memory")
        terminal.command("filter nosuchthing")
        terminal.wait("none of 6 sessions fits the filter", without=["memory"])
        for name in names:
            terminal.command(name)
            terminal.keys("y", "C-c")
        for key in ("T", "X", "I", "i", "u", "Enter", "Space", "y", "l", "o", "H", "Right", "Delete", "v", "v", "k", "j", "G", "g", "!", "!"):
            terminal.keys(key)
            terminal.keys("C-g")
        terminal.command("theme")  # all keys before have been taken
        terminal.wait("none of 6 sessions", ":theme", "0 of 6")
        assert not [call for call in few.calls if call["method"] not in ASKS]


def test_nothing_happens_to_what_is_closed(few, folder):
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.command("filter scraper")
        terminal.keys("Space")
        terminal.wait("1 marked")
        few.tell("session.closed", session=few.sessions[0]["session"], reason="closed", message="by a client")
        terminal.wait("· closed", "sessions (5, 1 closed)", "1 of 6", without=["marked"])
        for key in ("T", "X", "I", "i", "H", "Space"):
            terminal.keys(key)
            terminal.keys("C-g")
        terminal.command("theme")
        terminal.wait(":theme", without=["marked"])
        assert not [call for call in few.calls if call["method"] not in ASKS]


def test_states_have_one_word(few, folder):
    """What STATE shows is what the filter, the order, the header and the palette know."""
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        few.tell("cell.finished", session=few.sessions[3]["session"], cell=9,
                 info={"exit_code": 1, "wall_ms": 5, "client": "agent", "code": "1/0"})
        screen = terminal.wait("◐ input?", "✕ failed ", "● running", "◌ starting", "○ idle ", "✕ 1  ", "○ 2  ")
        order = [screen.index(name) for name in ("◐ input?", "✕ failed ", "● running", "◌ starting", "○ idle ")]
        assert order == sorted(order)  # what wants a person comes first
        for text, count, there in (("state=failed", 1, "notebook"), ("state=fail", 1, "notebook"), ("state=idle", 2, "nightly"),
                                   ("!state=idle", 4, "notebook"), ("state!=failed", 5, "nightly"),
                                   ("state=waiting_input", 1, "scraper"), ("state=input", 1, "scraper"), ("failed", 1, "notebook")):
            terminal.command(f"filter {text}")
            terminal.wait(f"{count} of 6", there)
        terminal.command("all")
        terminal.keys("C-p")
        terminal.type("notebook")
        terminal.wait("✕ failed, javascript")
        terminal.keys("C-c")


def test_what_wants_a_person_comes_first(folder):
    """Then what runs, in the order of coming, then what was active last; looking at it moves nothing."""
    states = [("quiet", "idle", 9000), ("just-now", "idle", 100), ("runs-first", "running", 8000), ("near-its-end", "idle", 9500),
              ("runs-then", "running", 10), ("asks", "waiting_input", 9999), ("between", "idle", 5000), ("breaks", "idle", 9900)]
    sessions = [made_up(number, label=name, state=state, last_active_at=NOW - ago)
                for number, (name, state, ago) in enumerate(states)]
    sessions[3]["expires_at"] = NOW + 60
    wanted = ["asks", "breaks", "near-its-end", "runs-first", "runs-then", "just-now", "between", "quiet"]
    with FakeServer(folder, sessions) as server, front_end(folder, server.path, columns=90, rows=40) as terminal:
        terminal.wait("quiet", "breaks")
        terminal.keys("v")
        server.tell("cell.finished", session=sessions[7]["session"], cell=9, info={"exit_code": 1, "client": "agent", "code": "1/0"})

        def order():
            screen = terminal.screen()
            return sorted(wanted, key=lambda name: screen.index(f" {name} "))
        wait_for(lambda: order() == wanted, what="the order")
        for said in ("breaks failed", "asks waits for input"):
            terminal.keys("Tab")
            terminal.wait(said)
        assert order() == wanted
        terminal.command("close just-now")
        terminal.wait("closing  just-now")
        assert order() == wanted


def test_the_banner_shrinks_once_it_was_seen(few, folder):
    """Its words stay in help and among the figures of a session."""
    words = "▲ tcg: emulation, not a security boundary"
    with front_end(folder, few.path, columns=80, rows=24) as terminal:
        terminal.wait("scraper", words)
        terminal.keys("j")
        terminal.wait("scraper", "▲ tcg", without=[words])
        terminal.keys("p")
        terminal.wait("stands still", "▲ tcg")
        terminal.keys("p", "?")
        terminal.wait("Keys and commands")
        terminal.keys("G")
        terminal.wait("This server", words)
        terminal.keys("q")
        terminal.command("open analysis")
        terminal.wait("analysis ›")
        terminal.keys("4")
        terminal.wait("isolation", "tcg: emulation, not a", "security boundary")


class OpeningServer(FakeServer):
    """Opens a session of the image that is asked for; the event comes before or after the answer."""

    def __init__(self, folder, sessions, event_first):
        super().__init__(folder, sessions)
        self.event_first = event_first

    def _answer(self, connection, call):
        if call["method"] != "session.open":
            super()._answer(connection, call)
            return
        image = call["params"]["image"]
        info = made_up(90, label=call["params"].get("label", "fresh"), image=image, language=image, state="idle", cells=0)
        self.sessions.append(info)
        if self.event_first:
            self.tell("session.opened", session=info["session"], info=info)
        self.reply(connection, call, {"session": info["session"], "image": image, "language": image})
        if not self.event_first:
            self.tell("session.opened", session=info["session"], info=info)


@pytest.mark.parametrize("event_first", [True, False])
def test_a_new_session_leads_into_its_prompt(folder, event_first):
    """Of the image that one chooses from those there are, under a filter that would hide it too."""
    with OpeningServer(folder, [made_up(number) for number in range(3)], event_first) as server, \
            front_end(folder, server.path, columns=90, rows=30) as terminal:
        terminal.wait("agent-2")
        terminal.command("filter agent-1")
        terminal.wait("1 of 3")
        terminal.keys("n")
        terminal.wait("COMMAND", "javascript", "python", "shell")
        terminal.keys("Down", "Enter")
        terminal.wait("fresh ›", "TYPING", "a new session")
        terminal.type("1+1")
        terminal.wait("1+1")
        terminal.keys("C-c", "C-]", "Escape")
        terminal.wait("fresh", "agent-1", without=["1 of 3", "TYPING"])
        terminal.command("new python second")
        terminal.wait("TYPING", "second ›")
        opened = [call["params"] for call in server.calls if call["method"] == "session.open"]
        assert len(opened) == 2 and opened[0]["image"] in ("javascript", "python", "shell")
        assert opened[1] == {"image": "python", "label": "second"}


class FetchingServer(OpeningServer):
    """Fetches packages first, which it tells, or says why they are none."""

    def _answer(self, connection, call):
        packages = call["params"].get("packages") if call["method"] == "session.open" else None
        if packages is not None and "-e" in packages:
            error = {"code": -32010, "message": "\"-e\" is no package: it takes NAME, NAME==VERSION or the like",
                     "data": {"kind": "invalid_input", "class": "caller", "dispatched": False}}
            self._send(connection, {"jsonrpc": "2.0", "id": call["id"], "error": error})
        elif packages is not None and packages[0] == "slow":
            self._send(connection, {"jsonrpc": "2.0", "method": "session.preparing", "params": {
                "session": "s-90", "text": "Collecting slow\x1b]0;x"}})
        else:
            super()._answer(connection, call)


def test_a_new_session_has_packages(folder):
    """In quotation marks or as a file; what cannot be meant is said before anything is asked of the server."""
    files = pathlib.Path(folder)
    (files / "requirements.txt").write_text("# of a test\nalpha==1.0  # the old one\n\nbeta \\\n  --hash=sha256:00\n")
    os.mkfifo(files / "pipe.txt")
    with FetchingServer(folder, [made_up(0)], True) as server, \
            front_end(folder, server.path, columns=120, rows=30) as terminal:
        terminal.wait("agent-0")
        for line, said in {
                "new python --packages": "--packages wants names of packages, or a file of them",
                "new python a b": "b is too much: several packages go into quotation marks",
                "new --packets x": "there is no --packets, only --packages",
                f"new --packages {folder}/none.txt": "none.txt",
                f"new --packages {folder}/pipe.txt": "pipe.txt is not a file",
                "new python --packages -e": "new: \"-e\" is no package: it takes NAME, NAME==VERSION or the like"}.items():
            terminal.command(line)
            terminal.wait(said)
        assert [call["params"] for call in server.calls if call["method"] == "session.open"] == \
            [{"image": "python", "packages": ["-e"]}]
        terminal.command("new --packages slow")
        terminal.wait("Collecting slow\\x1b]0;x")
        terminal.command('new javascript --packages "gamma  @types/node" data')
        terminal.wait("data ›", "TYPING")
        terminal.keys("C-]", "Escape")
        terminal.wait("agent-0", "data", without=["TYPING"])
        # Completed: the option after the image, a path after the option.
        terminal.keys("n", "Space")
        terminal.wait("--packages", "names in quotes, or a file of them")
        terminal.keys("Tab", "Space")
        terminal.type(f"{folder}/req")
        terminal.wait("requirements.txt")
        terminal.keys("Tab", "Enter")
        terminal.wait("fresh ›", "TYPING")
        params = [call["params"] for call in server.calls if call["method"] == "session.open"][2:]
        assert params[0] == {"image": "javascript", "label": "data", "packages": ["gamma", "@types/node"]}
        assert params[1]["packages"] == ["alpha==1.0", "beta --hash=sha256:00"]


def test_who_is_told_by_owner_or_client(folder):
    """In columns of their own where there is room, and to the filter."""
    sessions = [made_up(0, label="owned", owner="ada", client="notebook 7"), made_up(1, label="bare", owner=None, client="cron"),
                made_up(2, label="nobody", owner=None, client=None)]
    with FakeServer(folder, sessions) as server, front_end(folder, server.path, columns=120, rows=30) as terminal:
        terminal.keys("v")
        terminal.wait("WHO", "CLIENT", "ada", "notebook 7", "cron")
        terminal.command("filter client=cron")
        terminal.wait("1 of 3", "bare", without=["owned"])
        terminal.command("filter client~book")
        terminal.wait("1 of 3", "owned", without=["bare"])
        terminal.command("all")
        terminal.command("tree owner")
        terminal.wait("▾ ada", "▾ cron", "▾ (nobody's)")
        terminal.command("tree table")
        terminal.command("sort client")
        terminal.wait("CLIENT▼")


def test_columns_can_be_chosen(few, folder):
    with front_end(folder, few.path, columns=100, rows=30) as terminal:
        terminal.keys("v")
        terminal.wait("NAME", "IMAGE", "AGE", "CPU")
        terminal.command("columns state name age")
        terminal.wait("NAME", "AGE", "STATE", "scraper", without=["IMAGE", "CPU", "MEM"])
        terminal.command("columns cpu")  # a row without a name is nobody's
        terminal.wait("NAME", "CPU", "scraper", without=["STATE", "AGE"])
        terminal.command("columns name nosuch")
        terminal.wait("there is no column nosuch", "CPU")
        terminal.command("columns")
        terminal.wait("NAME", "IMAGE", "AGE", "MEM", "STATE")


@pytest.mark.parametrize("columns", [80, 200])
def test_each_state_has_its_bar(few, folder, columns):
    with front_end(folder, few.path, columns=columns, rows=24) as terminal:
        terminal.wait("scraper", "KEYS", "Enter open")
        for keys, bar in ((":", ("COMMAND", "Enter run", "Tab complete", "Esc leave")), ("/", ("PATTERN", "Esc as before")),
                          ("?", ("HELP", "q leave")), ("C-p", ("FIND", "Enter run", "Down next"))):
            terminal.keys(keys)
            terminal.wait(*bar, without=["KEYS"])
            terminal.keys("Escape")
            terminal.wait("KEYS", without=bar[:1])
        terminal.command("open notebook")
        terminal.wait("notebook ›", "J next cell")
        terminal.keys("4")
        terminal.wait("where the time went", "i type", "] tab", without=["next cell", "o fold", ". rerun"])
        terminal.keys("1", "i")
        terminal.wait("TYPING", "C-] back to keys", "Enter run", "Tab complete", *["C-x C-e $EDITOR"] * (columns == 200))


def test_attention_goes_to_the_most_pressing(few, folder):
    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper")
        terminal.keys("End", "Tab")
        terminal.wait("▲ scraper waits for input")
        few.tell("cell.finished", session=few.sessions[3]["session"], cell=9,
                 info={"exit_code": 1, "wall_ms": 5, "client": "agent", "code": "1/0"})
        terminal.wait("✕ failed")
        terminal.keys("!")
        terminal.wait("only what wants you", "notebook", without=["nightly"])


def test_figures_move_and_freeze(few, folder):
    with front_end(folder, few.path) as terminal:
        terminal.wait("analysis", "420M")
        few.tell("sample", host={"cpus": 4}, sessions=[
            {"session": few.sessions[2]["session"], "memory_bytes": 300 << 20, "cpu_ms": 2000}])
        terminal.wait("300M")
        terminal.keys("p")
        terminal.wait("stands still")
        few.tell("sample", host={"cpus": 4}, sessions=[
            {"session": few.sessions[2]["session"], "memory_bytes": 200 << 20, "cpu_ms": 3000}])
        few.tell("session.closed", session=few.sessions[0]["session"], reason="closed", message="by a client")
        terminal.keys("End")
        terminal.wait("stands still", "300M")  # one frame may be caught half painted
        terminal.keys("p")
        terminal.wait("200M", "closed", without=["300M"])


def test_a_view_that_has_gone_is_told_nothing(few, folder):
    """It went before it knew the number of its subscription."""
    few.held = []
    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper")
        terminal.command("open scraper")
        wait_for(lambda: few.held and "2 output" in terminal.screen(), what="the view's call")
        terminal.command("back")
        terminal.wait("sessions (6)", without=["2 output"])
        for connection, call in few.held:
            few.reply(connection, call, {"subscription": 7})
        wait_for(lambda: [call["params"] for call in few.calls if call["method"] == "events.unsubscribe"
                          and call["params"]["subscription"] == 7], what="the end of the subscription")


def test_two_hundred_sessions(folder):
    with FakeServer(folder, [made_up(number) for number in range(200)]) as server, \
            front_end(folder, server.path) as terminal:
        terminal.wait("sessions (200)", "agent-0")
        terminal.keys("End")
        terminal.wait("agent-199")
        terminal.keys("/")
        terminal.type("agent-150")
        terminal.wait("1 of 200")
        terminal.keys("Escape", "Home")
        terminal.wait("agent-0 ")


# ---- commands ----


def test_line_palette_and_help(few, folder):
    with front_end(folder, few.path, columns=120) as terminal:
        terminal.wait("scraper")
        terminal.keys(":")
        terminal.type("the")
        terminal.wait("change the colours")
        terminal.keys("Tab")
        terminal.type("no")
        terminal.wait("nord")
        terminal.keys("Tab", "Enter")
        terminal.wait(":theme nord")
        terminal.keys(":", "Up")
        terminal.wait(":theme nord")
        terminal.keys("C-c", "C-p")
        terminal.type("frz")
        terminal.wait("freeze", "let the display stand still")
        terminal.keys("Enter")
        terminal.wait("stands still", ":freeze")
        terminal.keys("?")
        terminal.wait("Keys and commands", "List of sessions", "Space", ":mark [all|none]")
        terminal.keys("q")
        terminal.wait("KEYS", without=["Keys and commands"])
        terminal.command("nosuch")
        terminal.wait("there is no command nosuch")


def test_lines_are_kept_and_options_set(few, folder):
    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper")
        terminal.command("set theme nord")
        terminal.wait(":set theme nord")
        terminal.command("set mouse off")
        terminal.wait("the mouse selects text")
        terminal.command("set")
        terminal.wait("theme nord, mouse off")
        terminal.command("set colours loud")
        terminal.wait("set takes theme NAME")
        terminal.keys("q")
        assert terminal.status() == 0
    with tempfile.TemporaryDirectory(prefix="gb-") as other, \
            front_end(other, few.path, env={"HOME": str(folder)}) as terminal:
        terminal.wait("scraper")
        terminal.keys(":", "Up", "Up", "Up", "Up")
        terminal.wait(":set theme nord")


def test_settings_change_keys_while_it_runs(few, folder):
    settings = pathlib.Path(folder) / "glassbell.conf"
    settings.write_text('[tui]\ntheme = nord\n[keys]\nlist.F5 = sort mem\nq = none\n')
    with front_end(folder, few.path, env={"GLASSBELL_CONFIG": settings}) as terminal:
        terminal.wait("scraper")
        terminal.command("theme")
        terminal.wait("theme nord")
        terminal.keys("q", "F5")
        terminal.wait(":sort mem", "sorted by mem")
        settings.write_text("[keys]\nlist.F5 = sort cells\n")
        terminal.wait("read again")
        terminal.keys("F5")
        terminal.wait("sorted by cells")
        settings.write_text("[keys]\nlist.F5 = nosuch\n")
        terminal.wait("there is no command nosuch")
        terminal.keys("F5")
        terminal.wait("sorted by cells, turned around")
        terminal.keys("q")
        assert terminal.status() == 0


def test_mouse(few, folder):
    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        lines = terminal.wait("scraper", "analysis", "CELLS").split("\n")
        row = next(i for i, line in enumerate(lines) if "analysis" in line)
        heading = next(i for i, line in enumerate(lines) if "CELLS" in line)
        column = lines[heading].index("CELLS")

        def click(x, y):
            terminal.tmux("send-keys", "-l", f"\x1b[<0;{x + 1};{y + 1}M\x1b[<0;{x + 1};{y + 1}m")

        click(20, row)
        terminal.wait("○ analysis")  # the pane follows the cursor
        click(column, heading)
        terminal.wait(":sort cells")
        bar = terminal.screen().rstrip("\n").split("\n")[-1]
        click(bar.index("help"), 39)
        terminal.wait("Keys and commands")


# ---- the terminal ----


def test_resizes_and_says_when_it_is_too_small(few, folder):
    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper")
        for columns, rows in [(1, 1), (300, 100), (79, 24), (20, 5), (120, 40), (2, 90), (80, 24)]:
            terminal.resize(columns, rows)
        terminal.wait("scraper", "KEYS")
        terminal.resize(39, 20)
        terminal.wait("39×20 is too small", "glassbell wants 40×12")
        terminal.resize(80, 24)
        terminal.wait("scraper")
        terminal.keys("q")
        assert terminal.status() == 0


def test_leaves_out_what_matters_least_where_it_is_small(few, folder):
    """The pane, then columns, then the line of the server; the views stay."""
    with front_end(folder, few.path, columns=80, rows=24) as terminal:
        terminal.wait("scraper", "waits for input", "NAME", "STATE", "IMAGE", "glassbell")
        terminal.resize(60, 16)
        terminal.wait("scraper", "build", "NAME", "STATE", "glassbell", without=["waits for input", "IMAGE"])
        terminal.resize(40, 12)
        terminal.wait("scraper", "build", "NAME", "STATE", "KEYS", without=["waits for input", "IMAGE", "glassbell"])
        terminal.command("open analysis")
        terminal.wait("analysis ›", "cells")
        for tab, text in (("4", "of 512M"), ("3", "KEYS"), ("2", "KEYS"), ("1", "KEYS")):
            terminal.keys(tab)
            terminal.wait(text)
            terminal.keys("?")
            terminal.wait("HELP")
            terminal.keys("q")
            terminal.wait("analysis ›", without=["HELP"])
        terminal.keys("C-p")
        terminal.wait("FIND")
        terminal.keys("C-c", "Escape")
        terminal.resize(80, 24)
        terminal.wait("scraper", "mem ")


def test_names_next_steps_where_there_is_nothing(folder):
    for columns, rows in ((80, 24), (40, 12)):
        with tempfile.TemporaryDirectory(prefix="gb-") as own, FakeServer(own, []) as server, \
                front_end(own, server.path, columns=columns, rows=rows) as terminal:
            terminal.wait("No sessions yet.", "n    opens a session", "glassbell run -c", "?    names all keys")


def test_figures_without_a_screen(server, client, sh):
    listed = subprocess.run([BINARY, "top", "--once", "--socket", str(server.socket)], capture_output=True,
                            text=True, check=True).stdout
    assert "NAME" in listed and "shell" in listed and "idle" in listed
    told = json.loads(subprocess.run([BINARY, "top", "--json", "--socket", str(server.socket)],
                                     capture_output=True, text=True, check=True).stdout)
    assert sh.id in [session["session"] for session in told["sessions"]]
    assert told["stats"]["host"]["cpus"] > 0


def test_takes_over_and_hands_back(server, client, sh, folder):
    with server.client() as agent, front_end(folder, server.socket) as terminal:
        agent.call("hello", client="scripted-agent", protocol=1)
        terminal.wait("sessions (")
        terminal.command(f"filter id={sh.id}")
        terminal.wait("1 of ")
        terminal.keys("T")
        terminal.wait("✓ you hold it")
        with pytest.raises(Failure) as refused:
            agent.call("session.exec", session=sh.id, code="echo no")
        assert refused.value.kind == "held" and not refused.value.dispatched
        terminal.keys("H")
        terminal.wait("a note for the agent")
        terminal.type("look at /tmp first")
        terminal.keys("Enter")
        terminal.wait("handed back")
        cell = agent.call("session.exec", session=sh.id, code="echo yes")
        assert cell["stdout"] == "yes\n" and "look at /tmp first" in str(cell["notice"])


def test_sees_real_sessions(server, client, fresh, folder):
    """Opened, running, waiting for input, failing in the same way three times, closed."""
    with front_end(folder, server.socket) as terminal:
        terminal.wait("sessions (")
        session = fresh("shell", label="witness")
        terminal.command("filter witness")
        terminal.wait("○ idle     witness")
        read = session.send("read line; echo $line", interactive=True)
        terminal.wait("◐ input?   witness")
        terminal.keys("Tab")
        terminal.wait("witness waits for input")
        session.call("session.stdin", text="on\n", eof=True)
        assert read.wait()["stdout"] == "on\n"
        terminal.wait("○ idle     witness")
        for _ in range(3):
            session.exec("echo the same >&2; (exit 1)")
        terminal.wait("✕ failed", "fails again and again")
        sleeping = session.send("sleep 1000")
        terminal.wait("● running  witness")
        terminal.keys("I")
        assert sleeping.wait()["interrupted"]
        terminal.keys("X")
        terminal.wait("◌ closing  witness", "witness closes in 10 s")
        terminal.keys("X")
        terminal.wait("· closed   witness", "witness closed")


def test_watch_prints_what_cells_do(server, fresh):
    sh = fresh("shell")
    with subprocess.Popen([BINARY, "watch", sh.id, "--socket", str(server.socket)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as program:
        # It is known to watch once it tells of a cell; of the next one it tells everything.
        code = "echo to-out; echo to-err >&2; (exit 3)"
        sh.exec(code)
        while not _readable(program.stdout):
            sh.exec(code)
        sh.exec(code)
        told = ""
        while "s, exit 3]" not in told.partition("$ echo to-out")[2]:
            told += program.stderr.readline()
        assert program.stdout.readline() == "to-out\n"
        program.terminate()
        program.communicate(timeout=60)
    assert "to-err\n" in told and re.search(r"^\[\d+\]  \d{4}-.*\n\$ echo to-out", told, re.M)


def _readable(stream):
    return bool(select.select([stream], [], [], 0)[0])


# ---- words ----


def test_a_search_begins_empty_and_recalls(few, folder):
    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        terminal.wait("scraper")
        for text in ("notebook", "nightly"):
            terminal.keys("/")
            terminal.type(text)
            terminal.keys("Enter")
            terminal.wait(f"/{text}", "1 of 6")
        terminal.keys("/")
        terminal.type("build")
        terminal.wait("/build 1 of 6")
        terminal.keys("C-u", "Up", "Up")
        terminal.wait("/notebook 1 of 6")
        terminal.keys("Down", "Enter")
        terminal.wait("/nightly 1 of 6")
        terminal.keys("/", "Escape")  # as it was
        terminal.wait("/nightly 1 of 6")
        terminal.keys("/", "Enter")  # nothing is looked for
        terminal.wait("scraper", "build", without=["1 of 6"])


def test_help_is_left_by_its_own_keys(few, folder):
    """Other keys mean nothing in it, and nothing behind it."""
    with front_end(folder, few.path, columns=80, rows=24) as terminal:
        terminal.wait("scraper")
        for leave in ("q", "Escape", "?", "C-c", "Enter", "F1"):
            terminal.keys("?")
            terminal.wait("Keys and commands")
            terminal.keys("l", "e", "a", "s", "x", "n", "T", ":", "t", "Delete", "Tab")
            terminal.keys("G")
            terminal.wait("the end")
            terminal.keys(leave)
            terminal.wait("scraper", "KEYS", without=["Keys and commands"])
        assert not [call for call in few.calls if call["method"] not in ASKS]
        assert terminal.screen().rstrip().split("\n")[-2].strip() == ":help"


@pytest.mark.parametrize("where", ["list", "session"])
def test_help_is_whole_at_80_columns(few, folder, where):
    with front_end(folder, few.path, columns=80, rows=24) as terminal:
        terminal.wait("scraper")
        if where == "session":
            terminal.keys("Enter")
            terminal.wait("2 output")
        terminal.keys("?")
        while " the end " not in (screen := terminal.wait("Keys and commands")):
            assert not [line for line in screen.split("\n") if "\u2502" in line and "\u2026 " in line], screen
            terminal.keys("PageDown")
            wait_for(lambda before=screen: terminal.screen() != before, what="the next page")


def test_without_images_the_first_screen_says_why(folder):
    """And what to do, and `:reconnect` answers."""
    server_socket = pathlib.Path(folder) / "none.sock"
    with front_end(folder, server_socket, columns=120, env={"GLASSBELL_IMAGES": "/nonexistent"}) as terminal:
        terminal.wait("There is no server.", "there are no images in /nonexistent", "glassbell image build",
                      ":reconnect tries to start one again.")
        terminal.command("reconnect")
        terminal.wait(":reconnect", "✕ the server could not start")
        terminal.keys("n")
        terminal.wait(":new", "✕ ", "There is no server.")
        terminal.keys("q")
        assert terminal.status() == 0


def test_options_without_a_verb(few, folder):
    with Terminal(folder, f"{BINARY} --theme nord --socket {few.path} --no-autostart") as terminal:
        terminal.wait("scraper")
        terminal.command("theme")
        terminal.wait("theme nord")
        terminal.keys("q")
        assert terminal.status() == 0
