# SPDX-License-Identifier: Apache-2.0
"""The front end shows lines that match with lines around them."""

import os

from support import Session
from terminal import front_end


def test_lines_around_matches(server, client, tmp_path):
    label = "around-" + os.urandom(4).hex()
    session = Session(client, "shell", label=label)
    session.exec("for i in $(seq 100 200); do case $i in 120|160) echo needle-$i;; *) echo line-$i;; esac; done")
    session.exec("echo nothing of the kind")
    with front_end(tmp_path, server.socket, columns=100, rows=30) as terminal:
        terminal.wait(label)
        terminal.command(f"open {label}")
        terminal.wait("nothing of the kind")
        terminal.keys(">")
        terminal.wait("no search; / begins one")
        terminal.keys("/")
        terminal.type("needle-")
        terminal.keys("Enter")
        terminal.wait("/needle-", "needle-160")
        terminal.keys("h")
        terminal.wait("needle-120", "needle-160", without=["line-119", "line-161", "nothing of the kind"])
        terminal.keys(">")
        terminal.wait("1 line around each match", "line-119", "needle-120", "line-121", "⋮", "line-159", "line-161",
                      without=["line-118", "line-122", "nothing of the kind"])
        terminal.command("around 3")
        terminal.wait("3 lines around each match", "line-117", "line-163", without=["line-116", "line-164"])
        terminal.keys("<")
        terminal.wait("2 lines around each match", "line-118", without=["line-117"])
        terminal.keys("n")
        terminal.wait("needle-120", "needle-160", "1 of 3")  # the code is one of them
        terminal.keys("n")
        terminal.wait("2 of 3")
        terminal.keys("N")
        terminal.wait("1 of 3")
        terminal.command("around 51")
        terminal.wait("around takes a number of lines, at most 50")
        terminal.keys("h")
        terminal.wait("/needle-", "line-1", without=["/needle- only"])
        terminal.keys("Escape")
        terminal.wait("line-100", without=["/needle-"])
        terminal.keys("q")
        assert terminal.status() == 0
