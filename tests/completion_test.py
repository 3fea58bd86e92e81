# SPDX-License-Identifier: Apache-2.0
"""Completion in zsh and fish, by the shells themselves; that in bash is in cli_test.py."""
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

import pytest

from support import BINARY, DEADLINE

# A line up to the cursor, and what the shell makes of its last word.
LINES = [
    ("glassbell do", "doctor"),
    ("glassbell --ver", "--version"),
    ("glassbell run --ti", "--time"),
    ("glassbell run -l ja", "javascript"),
    ("glassbell run --lang=ja", "--lang=javascript"),
    ("glassbell open --json --image ja", "javascript"),
    ("glassbell completion zs", "zsh"),
    ("glassbell help stdi", "stdio"),
    ("glassbell run --upload a.txt prog", "program.py"),
    ("glassbell put work prog", "program.py"),
    ("glassbell run --json -f prog", "program.py"),
]


@pytest.fixture
def environment(tmp_path):
    """Of a shell that finds the program, in a folder with a file, and with no server anywhere."""
    (tmp_path / "program.py").touch()
    (tmp_path / "_glassbell").write_bytes(
        subprocess.run([BINARY, "completion", "zsh"], stdout=subprocess.PIPE, check=True).stdout)
    return {"PATH": f"{pathlib.Path(BINARY).resolve().parent}:{os.environ['PATH']}", "HOME": str(tmp_path),
            "TERM": "dumb", "LC_ALL": "C.UTF-8", "GLASSBELL_SOCKET": str(tmp_path / "none.sock"),
            **{name: value for name, value in os.environ.items()
               if name.startswith(("GLASSBELL_IMAGES", "ASAN", "UBSAN"))}}


class Zsh:
    """An interactive zsh at a terminal."""

    def __init__(self, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(environment["HOME"])
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
        self.read = ""

    def type(self, text):
        self.read = ""
        os.write(self.terminal, text.encode())

    def expect(self, text):
        end = time.monotonic() + DEADLINE
        while text not in self.read:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {text!r} in {self.read!r}"
            self.read += os.read(self.terminal, 4096).decode(errors="replace")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


# As an installed file, which zsh finds by its name, and as a person tries it.
@pytest.mark.parametrize("how", ["fpath=(~ $fpath); autoload -Uz compinit; compinit -D -u",
                                 "autoload -Uz compinit; compinit -D -u; source <(glassbell completion zsh)"])
def test_zsh(environment, how):
    shell = Zsh(environment)
    try:
        shell.type(f"unsetopt zle_bracketed_paste 2>/dev/null; {how}; PROMPT='at'':'; echo rea''dy\n")
        shell.expect("ready")
        for line, completed in LINES:
            shell.expect("at:")
            # ^A puts "print" before the completed line, so that zsh shows the words that it has.
            shell.type(f"{line}\t\x01print -rl -- \n")
            shell.expect(f"\n{completed}\r\n")
    finally:
        shell.close()


@pytest.mark.parametrize("line,completed", LINES)
def test_fish(environment, line, completed):
    done = subprocess.run(
        ["fish", "--no-config", "-c", 'glassbell completion fish | source; complete -C "$argv[1]"', line],
        env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert completed in [found.split("\t")[0] for found in done.stdout.splitlines()], done.stdout + done.stderr


def test_fish_offers_what_fits_and_nothing_else(environment):
    def offered(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", 'glassbell completion fish | source; complete -C "$argv[1]"', line],
            env=environment, cwd=environment["HOME"], capture_output=True, text=True, timeout=DEADLINE, check=True)
        return {found.split("\t")[0] for found in done.stdout.splitlines()}

    assert offered("glassbell completion ") == {"bash", "zsh", "fish"}
    assert "program.py" not in offered("glassbell ")
    assert offered("glassbell version ") == set()
