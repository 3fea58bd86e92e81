#!/usr/bin/env python3
"""Draws docs/screen-*.svg: the front end in a real terminal (tmux), in front of sessions that are made up.

usage: docs/screens.py   (after ./dev build)
"""

import html
import math
import os
import pathlib
import random
import re
import sys
import tempfile
import threading
import time
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("GLOVEBOX_BIN", str(ROOT / "build/release/cli/glovebox"))

from terminal import FakeServer, front_end, made_up  # noqa: E402

CELL_W, CELL_H, EDGE = 8.4, 18.0, 10
ANSI = ["#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
        "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"]
PLAIN = {"fg": None, "bg": None, "bold": False, "dim": False, "italic": False, "underline": False,
         "reverse": False}
SWITCHES = {1: ("bold", True), 2: ("dim", True), 3: ("italic", True), 4: ("underline", True),
            7: ("reverse", True), 22: ("bold", False), 23: ("italic", False), 24: ("underline", False),
            27: ("reverse", False), 39: ("fg", None), 49: ("bg", None)}

# name, theme, keys
PICTURES = [("list", "dark", ["j", "j"]),
            ("palette", "light", ["C-p", "t", "h", "e", "m"]),
            ("tree", "gruvbox", ["t", "j", "j"])]


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def indexed(number):
    if number < 16:
        return ANSI[number]
    if number < 232:
        steps = [0, 95, 135, 175, 215, 255]
        number -= 16
        return f"#{steps[number // 36]:02x}{steps[number // 6 % 6]:02x}{steps[number % 6]:02x}"
    return "#" + f"{8 + 10 * (number - 232):02x}" * 3


def change(style, codes):
    """What an SGR sequence makes of a style."""
    at = 0
    while at < len(codes):
        code = codes[at]
        if code == 0:
            style = dict(PLAIN)
        elif code in SWITCHES:
            name, value = SWITCHES[code]
            style = {**style, name: value, **({"dim": False} if code == 22 else {})}
        elif code in (38, 48):
            name = "fg" if code == 38 else "bg"
            if codes[at + 1] == 2:
                style = {**style, name: "#%02x%02x%02x" % tuple(codes[at + 2:at + 5])}
                at += 4
            else:
                style = {**style, name: indexed(codes[at + 2])}
                at += 2
        elif 30 <= code < 38 or 90 <= code < 98:
            style = {**style, "fg": ANSI[code - 30 if code < 38 else code - 82]}
        elif 40 <= code < 48 or 100 <= code < 108:
            style = {**style, "bg": ANSI[code - 40 if code < 48 else code - 92]}
        at += 1
    return style


def runs(line):
    """(column, text, style) of a line of `tmux capture-pane -e`."""
    style, at = dict(PLAIN), 0
    for piece in re.split(r"(\x1b\[[0-9;:]*m)", line):
        sequence = re.fullmatch(r"\x1b\[([0-9;:]*)m", piece)
        if sequence:
            style = change(style, [int(code or 0) for code in re.split("[;:]", sequence.group(1))])
        elif piece:
            yield at, piece, style
            at += columns(piece)


def svg(screen, width, ground, ink):
    lines = screen.rstrip("\n").split("\n")
    size = (width * CELL_W + 2 * EDGE, len(lines) * CELL_H + 2 * EDGE)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]:.0f}" height="{size[1]:.0f}" '
             'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
             f'<rect width="100%" height="100%" rx="8" fill="{ground}"/>']
    for row, line in enumerate(lines):
        for at, text, style in runs(line):
            fg, bg = style["fg"] or ink, style["bg"] or ground
            if style["reverse"]:
                fg, bg = bg, fg
            x, y, wide = EDGE + at * CELL_W, EDGE + row * CELL_H, columns(text) * CELL_W
            if bg != ground:
                parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide + 0.3:.1f}" '
                             f'height="{CELL_H + 0.3:.1f}" fill="{bg}"/>')
            if not text.strip():
                continue
            look = "".join(f' {name}="{value}"' for name, value, on in (
                ("font-weight", "bold", style["bold"]), ("font-style", "italic", style["italic"]),
                ("text-decoration", "underline", style["underline"]), ("opacity", "0.65", style["dim"])) if on)
            parts.append(f'<text x="{x:.1f}" y="{y + 13.5:.1f}" fill="{fg}"{look} textLength="{wide:.1f}" '
                         f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{html.escape(text)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


# ---- the sessions ----

NAMES = [("research-agent", "claude", "python", "running", 42), ("build-and-test", "claude", "shell", "waiting_input", 7),
         ("etl-nightly", "adk", "python", "idle", 128), ("scrape-prices", "adk", "javascript", "running", 19),
         ("plot-experiments", "claude", "python-data", "idle", 64), ("fuzz-parser", "ci", "shell", "running", 3),
         ("notebook", None, "python", "idle", 11), ("refactor-js", "claude", "javascript", "idle", 23),
         ("review", "ci", "shell", "starting", 0), ("data-cleaning", "adk", "python", "idle", 31)]
CODE = "for epoch in range(20):\n    train(model, batches)\n    print(evaluate(model))"


def sessions():
    now, made = time.time(), []
    for number, (label, owner, image, state, cells) in enumerate(NAMES):
        made.append(made_up(number, label=label, owner=owner, image=image, state=state, cells=cells,
                            language=image.split("-")[0], created_at=now - 4700 * (number + 1),
                            last_active_at=now - (0 if state == "running" else 40 * 3 ** (number % 6))))
    return made


def live(server, random_):
    """A minute of figures at once, and what the agents did."""
    memory = [60e6 + 150e6 * random_.random() for _ in server.sessions]
    cpu = [1000.0] * len(memory)
    begin = time.time() - 180
    for number, session in enumerate(server.sessions):
        info = {"client": "claude-code", "code": CODE, "started_at": begin}
        if session["state"] == "running":
            server.tell("cell.started", session=session["session"], cell=session["cells"], info=info)
        elif session["label"] == "etl-nightly":
            server.tell("cell.finished", session=session["session"], cell=session["cells"],
                        info={**info, "client": "adk worker", "code": "df.merge(prices, on='sku')",
                              "exit_code": 1, "wall_ms": 812})
    for second in range(180):
        figures = []
        for number, session in enumerate(server.sessions):
            swing = 0.1 * math.sin(second / (4 + 3 * number)) + random_.uniform(-0.04, 0.04)
            memory[number] = max(40e6, min(440e6, memory[number] * (1 + swing)))
            cpu[number] += random_.uniform(250, 1000) if session["state"] == "running" else random_.uniform(0, 8)
            figures.append({"session": session["session"], "memory_bytes": int(memory[number]),
                            "cpu_ms": cpu[number]})
        server.tell("sample", at=begin + second, sessions=figures,
                    host={"cpus": 4, "private_bytes": 600 << 20, "shared_bytes": 900 << 20})


def palette_of(theme):
    text = (ROOT / "themes" / f"{theme}.theme").read_text()
    return [re.search(rf"^{name} = (#\w+)", text, re.M).group(1) for name in ("ground", "ink")]


def draw(name, theme, keys):
    with tempfile.TemporaryDirectory(prefix="gb-picture-") as folder, FakeServer(folder, sessions()) as server, \
            front_end(folder, server.path, "--theme", theme, columns=120, rows=34) as terminal:
        terminal.wait("research-agent", "✓ kvm")
        live(server, random.Random(7))
        terminal.wait("✕ failed")
        for key in keys:
            terminal.keys(key)
        last = ""
        while last != (last := terminal.screen(colours=True)):
            threading.Event().wait(0.5)  # until it has come to rest
    (ROOT / "docs" / f"screen-{name}.svg").write_text(svg(last, 120, *palette_of(theme)), encoding="utf-8")


def main():
    for picture in PICTURES:
        draw(*picture)


if __name__ == "__main__":
    main()
