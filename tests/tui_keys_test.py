# SPDX-License-Identifier: Apache-2.0
"""What the front end says about keys and commands that there are not, and a display that stands still."""

import pytest

from terminal import front_end


def test_a_key_that_does_nothing_says_so(few, folder):
    with front_end(folder, few.path) as terminal:
        terminal.wait("scraper")
        terminal.keys("Z")
        terminal.wait("Z does nothing here; ? lists the keys that there are")
        terminal.keys("C-t")
        terminal.wait("C-t does nothing here")
        terminal.keys("Down")  # a command's key: nothing to say
        terminal.wait("scraper", without=["does nothing"])


def test_what_does_this_key_do(few, folder):
    """It is said, and not done; a key of one's own settings is one too."""
    (few.path.parent / "glassbell.conf").write_text('[keys]\nlist.F5 = sort mem\n')
    with front_end(folder, few.path, env={"GLASSBELL_CONFIG": few.path.parent / "glassbell.conf"}) as terminal:
        terminal.wait("scraper")
        for key, said in [("p", "p is :freeze: let the display stand still"), ("F5", "F5 is :sort mem: "),
                          ("q", "q is :quit: leave"), ("Z", "Z does nothing here"), ("Escape", "Esc is :back: ")]:
            terminal.keys("F2")
            terminal.wait("WHICH KEY", "press the key")
            terminal.keys(key)
            terminal.wait(said, "KEYS", without=["WHICH KEY", "stands still", "sorted by"])


@pytest.mark.parametrize("typed,meant", [("colse", ":close"), ("freeez", ":freeze"), ("qiut", ":quit"),
                                         ("re", ":re")])
def test_a_mistyped_command_gets_a_proposal(few, folder, typed, meant):
    with front_end(folder, few.path, columns=120) as terminal:
        terminal.wait("scraper")
        terminal.command(typed)
        terminal.wait(f"there is no command {typed} here; did you mean {meant}")
        terminal.command("xyzzy")
        terminal.wait("there is no command xyzzy here; ? lists them", without=["did you mean"])


def lines(first, last):
    return "".join(f"line {number:03}\n" for number in range(first, last))


@pytest.mark.parametrize("columns", [80, 120])
def test_a_session_stands_still(few, folder, columns):
    """What is read stays where it is, and says so however long the title is; then its end is in sight again."""
    build = few.sessions[1]["session"]
    few.sessions[1]["label"] = "a session with a name that takes all the room that there is in a line of eighty"
    few.running = [{"session": build, "cell": 13, "state": "running", "code": "spin()", "client": "agent"}]
    with front_end(folder, few.path, columns=columns) as terminal:
        terminal.wait("scraper")
        terminal.command(f"open {build}")
        terminal.wait("following")
        few.tell("cell.output", session=build, cell=13, stream="stdout", text=lines(0, 100))
        terminal.wait("line 099")
        terminal.keys("p")
        terminal.wait("stands still", "line 099")
        few.tell("cell.output", session=build, cell=13, stream="stdout", text=lines(100, 200))
        terminal.keys("4")
        terminal.wait("where the time went")
        terminal.keys("1")
        terminal.wait("line 099", "stands still", without=["line 199"])
        terminal.keys("p")
        terminal.wait("line 199", "following", without=["stands still"])


def test_figures_of_a_session_stand_still(few, folder):
    analysis = few.sessions[2]["session"]
    with front_end(folder, few.path) as terminal:
        terminal.wait("analysis", "420M")
        terminal.command("open analysis")
        terminal.wait("2 output")
        terminal.keys("4")
        terminal.wait("where the time went", "420M")
        terminal.keys("p")
        terminal.wait("stands still")
        few.tell("sample", host={"cpus": 4}, sessions=[
            {"session": analysis, "memory_bytes": 200 << 20, "cpu_ms": 3000}])
        terminal.keys("1", "4")
        terminal.wait("where the time went", "420M", without=["200M"])
        terminal.keys("p")
        terminal.wait("200M", without=["420M"])


def test_an_answered_question_of_a_display_that_stands_still(few, folder):
    """The list that stands still keeps no question that is gone."""
    asks = few.sessions[0]["session"]
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        question = {"question": 1, "name": "one.test", "address": None, "port": 443, "cell": 3, "connections": 1, "at": 1, "until": 2}
        few.tell("network.question", session=asks, info=question)
        terminal.wait("cell 3 asks to connect to one.test port 443")
        terminal.keys("p")
        terminal.wait("stands still")
        few.tell("network.answered", session=asks, question=1, info=question, answer="refuse", client="another")
        terminal.keys("Down", "Up")
        terminal.wait("scraper", without=["one.test"])
