# SPDX-License-Identifier: Apache-2.0
"""The front end for tests that type much into it, with a real server."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from support import BINARY, DEADLINE, end_tmux, wait_for

COLUMNS, ROWS = 100, 30


class Front:
    """It in tmux: keys go in, the screen comes out."""

    def __init__(self, server, *arguments, columns=COLUMNS, rows=ROWS, program=(BINARY,), env=None):
        more = env or {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gb-tui-"))  # short: it holds a socket
        self.errors = self.folder / "errors"
        self.ended = self.folder / "status"  # tmux itself sometimes does not notice the end
        env = {name: value for name, value in server.env.items() if name.startswith("GLASSBELL")}
        env.update(XDG_STATE_HOME=str(self.folder), XDG_CONFIG_HOME=str(self.folder),
                   HOME=str(self.folder), INPUTRC="/dev/null", EDITOR="sed -i s/1/41/",
                   LANG="C.UTF-8", PATH=os.environ["PATH"], TERM="screen-256color",
                   ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", ""), **more)
        settings = [f"{name}={value}" for name, value in env.items()]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows,
                  "-c", self.folder, "env", "-i", *settings, "sh", "-c",
                  f'"$@" 2>{self.errors}; echo $? >{self.ended}', "sh", *program, *arguments)
        self.tmux("set-option", "-g", "remain-on-exit", "on")
        self.tmux("set-option", "-g", "set-clipboard", "on")

    def tmux(self, *arguments):
        return subprocess.run(["tmux", "-u", "-S", str(self.folder / "tmux"), *map(str, arguments)],
                              capture_output=True, text=True, check=True, timeout=DEADLINE).stdout

    def text(self):
        return self.tmux("capture-pane", "-p")

    def lines(self):
        return self.text().splitlines()

    def prompt(self):
        """The line that is being typed."""
        found = [line for line in self.lines() if re.match(r" (>>>|>|\$|\.\.\.|input:)( |$)", line)]
        return re.sub(r"  (type a cell;|cell \d+ waits).*", "", found[-1]).rstrip() if found else ""

    def cursor(self):
        return [int(n) for n in self.tmux("display", "-p", "#{cursor_x} #{cursor_y}").split()]

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def run(self, code):
        self.type(code)
        self.keys("Enter")

    def paste(self, text):
        (self.folder / "paste").write_text(text)
        self.tmux("load-buffer", self.folder / "paste")
        self.tmux("paste-buffer", "-p", "-r")

    def wait(self, condition, what):
        try:
            wait_for(condition)
        except AssertionError:
            raise AssertionError(f"{what} on\n{self.text()}") from None

    def expect(self, part):
        self.wait(lambda: part in self.text(), repr(part))

    def expect_not(self, part):
        self.wait(lambda: part not in self.text(), f"no {part!r}")

    def expect_line(self, pattern):
        """A line that matches as a whole."""
        self.wait(lambda: any(re.fullmatch(pattern, line.rstrip()) for line in self.lines()),
                  repr(pattern))

    def expect_prompt(self, line):
        self.wait(lambda: self.prompt() == line, f"the prompt {line!r}")

    def command(self, line):
        self.keys(":")
        self.run(line)

    def close(self):
        end_tmux(self.folder / "tmux")
        wrong = self.errors.read_text() if self.errors.exists() else ""
        shutil.rmtree(self.folder)
        assert "Sanitizer" not in wrong and "runtime error" not in wrong, wrong[-6000:]

    def leave(self):
        """Quits; the program must end by itself, and well."""
        self.command("quit")
        self.wait(lambda: self.ended.exists() and self.ended.read_text().strip(), "the end")
        status = self.ended.read_text().strip()
        assert status == "0", (status, self.text(), self.errors.read_text()[-6000:])
