#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws docs/repl.svg: the real prompt in a real terminal, driven through tmux.

usage: docs/picture.py [PROGRAM]   (default: build/release/cli/glassbell)
"""

import html
import pathlib
import re
import select
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/release/cli/glassbell")
COLUMNS, ROWS = 92, 27
CELL_W, CELL_H = 8.4, 18
COLOURS = {30: "#1d2021", 31: "#fb4934", 32: "#b8bb26", 33: "#fabd2f", 34: "#83a598", 35: "#d3869b",
           36: "#8ec07c", 37: "#ebdbb2", 90: "#928374", 91: "#fb4934", 92: "#b8bb26", 93: "#fabd2f",
           94: "#83a598", 95: "#d3869b", 96: "#8ec07c", 97: "#fbf1c7"}
TYPED = [
    ("from collections import Counter; from random import randint", ">>> "),
    ("def roll(n):", "... "),
    ("return Counter(randint(1, 6) + randint(1, 6) for _ in range(n))", "... "),
    ("", ">>> "),
    ("roll(10_000).most_common(3)", ">>> "),
    ("open('/etc/passwd', 'a')", ">>> "),
    ("import os; os.system('id; hostname; ls /home /root')", ">>> "),
]


def tmux(*arguments):
    return subprocess.run(["tmux", "-u", "-L", f"picture{ROOT.name}", *arguments], check=True,
                          capture_output=True, text=True).stdout


def screen():
    return tmux("capture-pane", "-p", "-e", "-t", "p").rstrip("\n").split("\n")


def plain(line):
    return re.sub(r"\x1b\[[0-9;]*m", "", line)


def wait(prompt, after):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        lines = [plain(line) for line in screen() if plain(line).strip()]
        if lines and lines[-1].startswith(prompt.strip()) and len(lines) > after:
            return len(lines)
        select.select([], [], [], 0.05)
    raise SystemExit("the prompt did not come:\n" + "\n".join(screen()))


def svg(lines):
    width, height = COLUMNS * CELL_W + 24, len(lines) * CELL_H + 24
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
             'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
             '<rect width="100%" height="100%" rx="8" fill="#1d2021"/>']
    colour, bold = "#ebdbb2", False
    for row, line in enumerate(lines):
        x, y = 12, 12 + (row + 1) * CELL_H - 5
        for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
            if piece.startswith("\x1b["):
                for code in [int(c or 0) for c in piece[2:-1].split(";")]:
                    if code == 0:
                        colour, bold = "#ebdbb2", False
                    elif code in (1, 22):
                        bold = code == 1
                    elif code == 2:
                        colour = "#928374"
                    elif code == 39:
                        colour = "#ebdbb2"
                    elif code in COLOURS:
                        colour = COLOURS[code]
                continue
            if piece.strip():
                weight = ' font-weight="bold"' if bold else ""
                parts.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{weight} xml:space="preserve">'
                             f"{html.escape(piece)}</text>")
            x += len(piece) * CELL_W
    return "\n".join(parts) + "\n</svg>\n"


def main():
    with tempfile.TemporaryDirectory() as folder:
        tmux("-f", "/dev/null", "new-session", "-d", "-s", "p", "-x", str(COLUMNS), "-y", str(ROWS),
             f"env XDG_RUNTIME_DIR={folder} XDG_STATE_HOME={folder} TERM=xterm-256color PS1='$ ' "
             f"{PROGRAM} repl")
        try:
            seen = wait(">>>", 0)
            for text, prompt in TYPED:
                tmux("send-keys", "-t", "p", "-l", text)
                tmux("send-keys", "-t", "p", "Enter")
                seen = wait(prompt, seen)
            lines = screen()
            tmux("send-keys", "-t", "p", "C-d")
        finally:
            subprocess.run(["tmux", "-L", f"picture{ROOT.name}", "kill-server"], capture_output=True)
            from_socket = pathlib.Path(folder) / "glassbell/server.sock"
            stop(from_socket)
    while lines and not plain(lines[-1]).strip():
        lines.pop()
    (ROOT / "docs/repl.svg").write_text(svg(lines), encoding="utf-8")


def stop(path):
    """Ends the server that the program started for the picture."""
    import socket
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(b'{"jsonrpc":"2.0","id":1,"method":"server.shutdown","params":{}}\n')
        sock.recv(1000)


if __name__ == "__main__":
    main()
