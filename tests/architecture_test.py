# SPDX-License-Identifier: Apache-2.0
"""The pictures of ARCHITECTURE.md are of the program as it is built."""

import re

from support import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text()
FOLDERS = "engine", "agent", "cli", "tui"


def links():
    """Module by module: what its gb_module() lets it use."""
    found = {}
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for words in re.findall(r"gb_module\(([^)$]+)\)", text):
            name, *rest = words.split()
            used = re.split(r"\b[A-Z]{3,}\b", " ".join(rest).partition("LINKS ")[2])[0]
            found.setdefault(name, set()).update(used.split())
    return found


def rows():
    """Module by module: its row in the picture, from the top."""
    picture = TEXT.partition("<!-- modules -->\n```\n")[2].partition("```\n<!-- end -->")[0]
    found = {}
    for row, line in enumerate(picture.splitlines()):
        for name in re.findall(r"\w+", line[17:]):
            assert name not in found, f"{name} is in two rows"
            found[name] = row
    return found


def test_every_module_is_in_the_picture():
    assert set(rows()) - {"agent"} == set(links()) - {"agent"}


def test_no_module_uses_one_above():
    row = rows()
    assert [f"{name} uses {used}" for name, uses in links().items() for used in uses
            if used in row and row[used] < row[name]] == []


def members(path, name, prefix=""):
    body = re.search(name + r" \{(.*?)\n?\}", (ROOT / path).read_text(), re.S)[1]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    return {word.removeprefix(prefix) for word in re.findall(r"\b[A-Z_]+\b", body)} - {"STATE_COUNT"}


def test_states_are_those_of_the_code():
    section = TEXT.partition("## States of a VM")[2].partition("```\n")[2].partition("```")[0]
    parts = re.split(r"^ (?=VM|clone|session)", section, flags=re.M)[1:]
    drawn = [set(re.findall(r"\b[A-Z_]{4,}\b", part)) for part in parts]
    assert drawn[0] == members("engine/vm/operation.h", "enum state")
    assert drawn[2] - {"HELLO"} == members("engine/session/state.h", "enum session_state", "SESSION_")
    # Each arrow of the session's line is one that the table has.
    exits = {name: set(re.findall(r"TO\((\w+)\)", ends)) for name, ends in re.findall(
        r"\[SESSION_(\w+)\] = (.*?)(?:,\n|\n)", (ROOT / "engine/session/state.c").read_text())
        if "GB_" not in ends}
    arrows = re.findall(r"(?=\b([A-Z_]+) (<?)─+> ([A-Z_]+))", parts[2])
    assert len(arrows) >= 4
    for begin, both, end in arrows:
        assert end in exits[begin] and (not both or begin in exits[end]), (begin, end)


def test_boundaries_are_those_of_the_threat_model():
    section = TEXT.partition("## Processes")[2].partition("```\n")[2].partition("```")[0]
    model = (ROOT / "docs/threat-model.md").read_text()
    table = model.partition("## Boundaries")[2].partition("## ")[0]
    assert sorted(re.findall(r"\((\d)\)", section)) == re.findall(r"^\| (\d) \|", table, re.M)
