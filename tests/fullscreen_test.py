# SPDX-License-Identifier: Apache-2.0
"""Full-screen programs of this machine, put into a session with what they are linked with, and used at a terminal:
an editor, a monitor. (A pager is in tty_test.py: the guest has one.)"""

import re
import shutil
import subprocess

import pytest

from support import Session
from tty_test import enter, tty


@pytest.fixture(scope="module")
def session(client):
    session = Session(client, idle_ms=0)
    yield session
    session.close()


def install(session, program):
    """Puts it into the session; a line that starts it. The guest's C library and loader are newer than ours."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"there is no {program} here")
    linked = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"=> (/\S+)", linked):
        name = library.rsplit("/", 1)[1]
        if name not in ("libc.so.6", "libm.so.6"):
            with open(library, "rb") as file:
                session.write(f"lib/{name}", file.read())
    with open(path, "rb") as file:
        session.write(f"bin/{program}", file.read(), mode=0o755)
    return f"env LD_LIBRARY_PATH=/home/user/lib /home/user/bin/{program}"


def test_an_editor(server, session, tmp_path):
    vim = install(session, "vim.tiny")
    session.exec("open('poem', 'w').writelines(f'line {i} of it\\n' for i in range(1, 201))")
    with tty(tmp_path, server, f"exec -it {session.id} {vim} -u NONE -N poem", columns=80, rows=24) as terminal:
        terminal.wait("line 1 of it", "line 23 of it", without=["shell>"])
        terminal.keys("G")
        terminal.wait("line 200 of it", without=["line 1 of it"])
        terminal.keys("o")
        terminal.type("日本語 and an end")
        terminal.keys("Escape")
        # Until it has done what was typed: with keys that it has read, but not taken up when the size changes, vim
        # waits for another one (tty_test.py has what we promise).
        terminal.wait("日本語 and an end", without=["INSERT"])
        terminal.resize(60, 12)
        terminal.wait("日本語 and an end", without=["line 190 of it"])
        terminal.keys("g", "g", "d", "d", "i")
        terminal.type("begin ")
        terminal.keys("Escape")
        terminal.wait("begin line 2 of it")
        enter(terminal, ":wq")
        terminal.wait("left with 0", without=["begin line 2"])
    assert session.exec("print(open('poem').read().split('\\n')[0]); print(open('poem').read().split('\\n')[-2])")[
        "stdout"] == "begin line 2 of it\n日本語 and an end\n"


def test_a_monitor(server, session, tmp_path):
    htop = install(session, "htop")
    with tty(tmp_path, server, f"exec -it {session.id} {htop}", columns=100, rows=30) as terminal:
        screen = terminal.wait("Load average", "F10Quit", "PID USER", "htop", without=["shell>"])
        assert screen.splitlines()[-1].startswith("F1Help")
        terminal.keys("F5")
        terminal.wait("F5List")
        terminal.keys("F1")
        terminal.wait("Memory bar:", "F6 > .: select sort column")
        terminal.keys("x")
        terminal.wait("F10Quit")
        terminal.resize(80, 20)
        terminal.wait("F10Quit", "Load average")
        terminal.keys("F10")
        terminal.wait("left with 0", without=["F10Quit"])
