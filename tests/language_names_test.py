# SPDX-License-Identifier: Apache-2.0
"""No source of the host knows a language by name: what is known of one stands in agent/workers/NAME/language.json.

The names are those of the records, so that a new language is looked for too. Comments may name them.
"""

import json
import re

import pytest

from support import ROOT

RECORDS = [json.loads(path.read_text()) for path in sorted((ROOT / "agent/workers").glob("*/language.json"))]
# Programs of any host, and plain words.
PLAIN = {"bash", "dash", "sh", "raw"}
NAMES = {word.lower().rstrip(".*") for record in RECORDS
         for word in (record["name"], record["title"], *record["aliases"], *record["programs"])} - PLAIN
# As a whole string these name a language, inside a longer one they do not.
WHOLE = {"shell", "node"}

# Each file that may, and why.
ALLOWED = {
    "engine/base/limits.h": "GB_IMAGE_DEFAULT, the one choice of the product; and the Python client",
    "engine/highlight/highlight.c": "the lexers, by the names that records choose them by: they are code",
    "engine/language/language.c": "the field `shell` of a record",
    "engine/model/words.h": "the mode `shell`: a program next to the interpreter, in any image",
    "engine/net/preset.c": "the configuration files of pip and npm on this host, each with its own reader",
    "cli/document/document.c": "formats of exported documents, and types of data that are safe as text",
    "cli/verbs/export.c": "the same",
    "tui/list/commands.c": "the same",
    "cli/kit/help.c": "an example",
    "cli/verbs/exec.c": "an example",
    "cli/verbs/image.c": "examples",
    "cli/verbs/repl.c": "an example",
    "cli/verbs/shell.c": "the verb `shell`",
    "tui/view/commands.c": "the verb `shell`",
    "tui/view/shells.c": "the verb `shell`",
    "tui/view/session_view.c": "the verb `shell`",
}

TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


def named(text):
    """The languages that the strings of a C source name."""
    found = []
    for string in TOKEN.findall(text):
        if string[0] != '"':
            continue
        words = {word.lower() for word in re.findall(r"[A-Za-z][\w.+-]*", string)}
        found += sorted((words & NAMES) - WHOLE or {string[1:-1].lower()} & NAMES)
    return found


@pytest.mark.parametrize("text, expected", [
    ('/* python */ a = "b"; // "python"', []),
    ('x = "Python 3";', ["python"]),
    ('x = "shell";', ["shell"]),
    ('x = "a shell in it";', []),
    ("x = '\"'; y = \"js\";", ["js"]),
    (r'x = "a \"js\" b";', ["js"]),
])
def test_names_are_found(text, expected):
    assert named(text) == expected


def test_languages_stand_in_their_records():
    used, wrong = set(), {}
    for top in ("engine", "cli", "tui"):
        for path in sorted((ROOT / top).rglob("*.[ch]")):
            name = str(path.relative_to(ROOT))
            if path.stem.endswith(("_test", "_fuzz", "testing")) or "fake" in path.parts:
                continue
            words = named(path.read_text())
            if words:
                used.add(name)
            if words and name not in ALLOWED:
                wrong[name] = words
    assert wrong == {}
    assert used == set(ALLOWED), "what names none any more leaves the list"
