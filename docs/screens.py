#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws docs/screen-*.svg: the front end in a real terminal (tmux), in front of a real server that does real work
(work.py).

usage: docs/screens.py [NAME…]   (after ./dev build, with images of the languages and of python-data)
"""

import html
import os
import pathlib
import re
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "docs"))
os.environ.setdefault("GLASSBELL_BIN", str(ROOT / "build/release/cli/glassbell"))

from terminal import front_end  # noqa: E402
from work import Work, settle  # noqa: E402

CELL_W, CELL_H, EDGE = 8.4, 18.0, 10
ANSI = ["#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
        "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff"]
PLAIN = {"fg": None, "bg": None, "bold": False, "dim": False, "italic": False, "underline": False,
         "reverse": False}
SWITCHES = {1: ("bold", True), 2: ("dim", True), 3: ("italic", True), 4: ("underline", True),
            7: ("reverse", True), 22: ("bold", False), 23: ("italic", False), 24: ("underline", False),
            27: ("reverse", False), 39: ("fg", None), 49: ("bg", None)}

# name, theme, keys; what is awaited stands in brackets; _ is a space
PICTURES = [("list", "dark", "Home"),
            ("palette", "light", "C-p t h e m [nord]"),
            ("tree", "gruvbox", "b [as_a_tree] j j"),
            ("session", "tokyo-night", ":open_plot-experiments [countries] :cell_4 [KeyError]"),
            ("completion", "catppuccin", ":open_plot-experiments [countries] T [hold] i [TYPING] f o r Space n a m e Space "
                                         "i n Space t o t a l s : Enter [...] f r a m e . p Tab [Fractional]"),
            ("files", "nord", ":open_plot-experiments [countries] 3 [report.py] G k [import_pandas]"),
            ("stats", "dark", ":open_plot-experiments [countries] 4 [where]")]
# Shares of a cell that signs fill: x, y, width, height. As text they would leave gaps between rows.
BLOCKS = {"█": (0, 0, 1, 1), "▀": (0, 0, 1, 0.5), "▄": (0, 0.5, 1, 0.5), "▌": (0, 0, 0.5, 1), "▐": (0.5, 0, 0.5, 1),
          "▁": (0, 7 / 8, 1, 1 / 8), "▎": (0, 0, 0.25, 1), "▏": (0, 0, 0.125, 1), "▂": (0, 0.75, 1, 0.25),
          "▃": (0, 5 / 8, 1, 3 / 8), "▅": (0, 3 / 8, 1, 5 / 8), "▆": (0, 0.25, 1, 0.75), "▇": (0, 0.125, 1, 0.875),
          "▊": (0, 0, 0.75, 1), "▋": (0, 0, 5 / 8, 1), "▍": (0, 0, 3 / 8, 1), "▉": (0, 0, 7 / 8, 1)}
# Places of the dots of Braille signs in a cell, by their bits: many a font has them at another width.
DOTS = [(.2, .1), (.2, .33), (.2, .56), (.65, .1), (.65, .33), (.65, .56), (.2, .79), (.65, .79)]


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


def runs(lines):
    """(row, column, text, style) of lines of `tmux capture-pane -e`, where a style holds beyond the end of its line."""
    style = dict(PLAIN)
    for row, line in enumerate(lines):
        at = 0
        for piece in re.split(r"(\x1b\[[0-9;:]*m)", line):
            sequence = re.fullmatch(r"\x1b\[([0-9;:]*)m", piece)
            if sequence:
                style = change(style, [int(code or 0) for code in re.split("[;:]", sequence.group(1))])
            elif piece:
                yield row, at, piece, style
                at += columns(piece)


def svg(screen, width, ground, ink):
    lines = screen.rstrip("\n").split("\n")
    size = (width * CELL_W + 2 * EDGE, len(lines) * CELL_H + 2 * EDGE)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]:.0f}" height="{size[1]:.0f}" '
             'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
             f'<rect width="100%" height="100%" rx="8" fill="{ground}"/>']
    for row, at, text, style in runs(lines):
        fg, bg = style["fg"] or ink, style["bg"] or ground
        if style["reverse"]:
            fg, bg = bg, fg
        x, y, wide = EDGE + at * CELL_W, EDGE + row * CELL_H, columns(text) * CELL_W
        if bg != ground:
            parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide + 0.3:.1f}" '
                         f'height="{CELL_H + 0.3:.1f}" fill="{bg}"/>')
        if not text.strip():
            continue
        if not set(text) - BLOCKS.keys():
            for number, sign in enumerate(text):
                left, top, part_w, part_h = BLOCKS[sign]
                parts.append(f'<rect x="{x + (number + left) * CELL_W:.1f}" y="{y + top * CELL_H:.1f}" '
                             f'width="{part_w * CELL_W + 0.2:.1f}" height="{part_h * CELL_H + 0.2:.1f}" fill="{fg}"/>')
            continue
        if not any(ord(sign) - 0x2800 not in range(256) for sign in text):
            path = "".join(f"M{x + (number + dx) * CELL_W:.1f} {y + dy * CELL_H:.1f}h1.7v1.7h-1.7z"
                           for number, sign in enumerate(text) for bit, (dx, dy) in enumerate(DOTS)
                           if ord(sign) >> bit & 1)
            parts.append(f'<path fill="{fg}" d="{path}"/>')
            continue
        look = "".join(f' {name}="{value}"' for name, value, on in (
            ("font-weight", "bold", style["bold"]), ("font-style", "italic", style["italic"]),
            ("text-decoration", "underline", style["underline"]), ("opacity", "0.65", style["dim"])) if on)
        parts.append(f'<text x="{x:.1f}" y="{y + 13.5:.1f}" fill="{fg}"{look} textLength="{wide:.1f}" '
                     f'lengthAdjust="spacingAndGlyphs" xml:space="preserve">{html.escape(text)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def palette_of(theme):
    text = (ROOT / "themes" / f"{theme}.theme").read_text()
    return [re.search(rf"^{name} = (#\w+)", text, re.M).group(1) for name in ("ground", "ink")]


def draw(work, name, theme, keys):
    with tempfile.TemporaryDirectory(prefix="gb-picture-") as folder, \
            front_end(folder, work.path, "--theme", theme, columns=120, rows=34) as terminal:
        terminal.wait("research-agent", "build-and-test", "plot-experiments")
        for key in keys.split():
            if key[0] == "[":
                terminal.wait(key[1:-1].replace("_", " "))
            elif key[0] == ":" and len(key) > 1:
                terminal.command(key[1:].replace("_", " "))
            else:
                terminal.keys(key)
        settle(2)  # the preview, the sample of this second
        screen = terminal.tmux("capture-pane", "-p", "-e", "-N")
        if name == "completion":
            terminal.keys("Escape", "C-c", "C-]", "H")  # as it was before
            settle(1)
    (ROOT / "docs" / f"screen-{name}.svg").write_text(svg(screen, 120, *palette_of(theme)), encoding="utf-8")


def main():
    with Work() as work:
        settle(12)  # of graphs
        for picture in PICTURES:
            if len(sys.argv) == 1 or picture[0] in sys.argv[1:]:
                draw(work, *picture)


if __name__ == "__main__":
    main()
