# SPDX-License-Identifier: Apache-2.0
"""Closing sessions in the front end: when it is done, what takes it back, and what is not closed."""

import pathlib

from support import wait_for
from terminal import front_end


def settings(folder, *lines):
    """The settings of a front end that is started in this folder; gives the path."""
    path = pathlib.Path(folder) / ".config" / "glassbell" / "glassbell.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def closed(few):
    return [call["params"]["session"] for call in few.calls if call["method"] == "session.close"]


def test_marks_and_acts_on_all(few, folder):
    """Closing is said once, may be taken back, and is done at once when it is said again."""
    settings(folder, "[tui]", "undo = 1h")
    with front_end(folder, few.path, columns=100, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.keys("v", "Home", "Space", "Space")
        terminal.wait("2 marked")
        terminal.keys("X")
        terminal.wait("2 sessions close in 60 min; u takes that back", "◌ closing  scraper", "u undo")
        terminal.keys("u")
        terminal.wait("2 sessions stay open", "◐ input?   scraper", "2 marked", without=["closing", "u undo"])
        terminal.keys("u")
        terminal.wait("nothing is about to close")
        assert not closed(few)
        terminal.keys("X")
        terminal.wait("2 sessions close in")
        terminal.keys("X")
        terminal.wait("2 sessions closed")
        assert sorted(closed(few)) == sorted(few.sessions[at]["session"] for at in (0, 1))
        terminal.command("mark none")
        terminal.wait("scraper", without=["marked"])


def test_a_closing_comes_when_its_time_is_over(few, folder):
    settings(folder, "[tui]", "undo = 1s")
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.command("filter notebook")
        terminal.wait("1 of 6")
        terminal.keys("X")
        terminal.wait("notebook closed")
        assert closed(few) == [few.sessions[3]["session"]]


def test_closing_without_a_time_to_think_is_at_once(few, folder):
    settings(folder, "[tui]", "undo = 0")
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.command("close analysis")
        terminal.wait("analysis closed")
        assert closed(few) == [few.sessions[2]["session"]]


def test_who_leaves_meant_what_was_closed(few, folder):
    """Also from the view of a session."""
    settings(folder, "[tui]", "undo = 1h")
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.command("open analysis")
        terminal.wait("analysis ›")
        terminal.keys("X")
        terminal.wait("analysis closes in 60 min; u takes that back")
        terminal.keys("u")
        terminal.wait("analysis stays open")
        terminal.keys("X")
        terminal.wait("analysis closes in")
        terminal.keys("q")
        assert terminal.status() == 0
        assert wait_for(lambda: closed(few)) == [few.sessions[2]["session"]]


def test_without_a_server_nothing_closes(few, folder):
    """Also not later, when it is back."""
    settings(folder, "[tui]", "undo = 1h")
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.command("close analysis")
        terminal.wait("analysis closes in 60 min")
        few.close()
        terminal.wait("not closed: there is no server", without=["closing"])
        assert not closed(few)


def test_marks_of_what_is_not_shown_are_left_alone(few, folder):
    """And are not forgotten."""
    settings(folder, "[tui]", "undo = 0")
    with front_end(folder, few.path, columns=120, rows=40) as terminal:
        terminal.wait("scraper")
        terminal.keys("Home", "Space", "Space")
        terminal.wait("2 marked")
        terminal.command("filter nosuchthing")
        terminal.wait("2 marked", "2 of them not shown")
        terminal.keys("X")
        terminal.wait("none of the 2 marked sessions is shown")
        terminal.command("filter scraper")
        terminal.wait("2 marked", "1 of them not shown", "1 of 6")
        terminal.keys("X")
        assert wait_for(lambda: closed(few)) == [few.sessions[0]["session"]]
