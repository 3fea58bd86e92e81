# SPDX-License-Identifier: Apache-2.0
"""The records of languages: `language.json` in the folder of each worker (docs/worker.md).

The engine reads them strictly out of boot.json (engine/language) and refuses all images when one is wrong.
What it refuses is refused here, so that the builder says it; tests/records/language.wrong holds both to it."""

import json
import os
import re
import unicodedata

from .report import BuildError

RECORD = "language.json"

# What a value may be, and how many bytes it may take.
NAME, WORD, LINE, INDENT, ENDING, CODE = "name", "word", "line", "indent", "ending", "code"
BYTES = {NAME: 31, WORD: 64, LINE: 160, INDENT: 16, ENDING: 64, CODE: 4096}
PATTERNS = {NAME: "[a-z][a-z0-9_.-]*", WORD: "[^ ]+", INDENT: "[ \t]+", ENDING: r"\.[a-z0-9_+-]+"}

# Fields by section ("" is the record itself): what each may be, and of a list how many there may be.
FIELDS = {
    "": {"name": (NAME, 0), "title": (LINE, 0), "aliases": (WORD, 32), "endings": (ENDING, 32),
         "programs": (WORD, 32)},
    "refused": {"endings": (ENDING, 32), "why": (LINE, 0)},
    "prompt": {"first": (LINE, 0), "more": (LINE, 0), "indent": (INDENT, 0), "goes_on": (WORD, 32)},
    "notebook": {"kernel": (WORD, 0), "title": (LINE, 0), "shell": (LINE, 0), "process": (LINE, 0)},
    "errors": {"no_input": (LINE, 0)},
    "highlight": {"lexer": (NAME, 0), "endings": (ENDING, 32), "keywords": (WORD, 256), "types": (WORD, 256),
                  "comments": (WORD, 32), "block": (WORD, 2), "strings": (WORD, 32), "variables": (WORD, 0)},
    "inspect": {"variables": (CODE, 0)},
    "environment": {"refused": (WORD, 32)},
    "packages": {"network": (NAME, 0)},
    "warm": {"template": (CODE, 8), "pool": (CODE, 8)},
}
NEEDED = {"": ("name", "title"), "prompt": ("first", "more", "indent"), "notebook": ("kernel", "title"),
          "highlight": ("lexer",)}

# Characters that hide something though their category does not tell (Default_Ignorable_Code_Point).
IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
                       "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]")


def load_all(workers):
    """The records of the workers in a folder, in the order of their names."""
    found = [load(workers, name) for name in sorted(os.listdir(workers))
             if os.path.exists(os.path.join(workers, name, "argv"))]
    claimed = {}
    for record in found:
        for word in {record["name"], *record.get("aliases", ()), *record.get("endings", ()),
                     *(f"#!{program}" for program in record.get("programs", ()))}:
            if claimed.setdefault(word, record["name"]) != record["name"]:
                raise BuildError(f"the languages {claimed[word]} and {record['name']} both claim {word}")
    return found


def load(workers, name):
    path = os.path.join(workers, name, RECORD)
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file, object_pairs_hook=lambda pairs: unique(path, pairs))
    except FileNotFoundError:
        raise BuildError(f"the worker {name} has no {RECORD}") from None
    except ValueError as error:
        raise BuildError(f"{path}: it is no JSON: {error}") from None
    check(path, record)
    if record["name"] != name:
        raise BuildError(f"{path}: it is of the language {record['name']}, and in the folder of {name}")
    return record


def unique(path, pairs):
    if len(dict(pairs)) != len(pairs):
        raise BuildError(f"{path}: a name is given twice")
    return dict(pairs)


def check(path, record):
    if not isinstance(record, dict):
        raise BuildError(f"{path}: it is no object")
    flat = {("", key): value for key, value in record.items() if key not in FIELDS or key == ""}
    for section in set(FIELDS) - {""}:
        part = record.get(section, {})
        if not isinstance(part, dict):
            raise BuildError(f'{path}: "{section}" is no object')
        flat.update({(section, key): value for key, value in part.items()})
    for (section, key), value in flat.items():
        label = f"{section}.{key}".lstrip(".")
        if key not in FIELDS[section]:
            raise BuildError(f'{path}: "{label}" is not known')
        kind, most = FIELDS[section][key]
        if not isinstance(value, list if most else str) or not value:
            raise BuildError(f'{path}: "{label}" is no {"list" if most else "text"}, or empty')
        check_values(f'{path}: "{label}"', kind, value if most else [value], most)
    for section, keys in NEEDED.items():
        for key in keys:
            if (section, key) not in flat:
                raise BuildError(f'{path}: "{f"{section}.{key}".lstrip(".")}" is missing')
    if len(record.get("highlight", {}).get("block", ())) == 1:
        raise BuildError(f'{path}: "highlight.block" has a beginning and no end')
    if ("endings" in record.get("refused", {})) != ("why" in record.get("refused", {})):
        raise BuildError(f'{path}: "refused" wants endings and why')


def check_values(label, kind, values, most):
    if most and len(values) > most:
        raise BuildError(f"{label} has more than {most} values")
    if not all(isinstance(value, str) and value for value in values):
        raise BuildError(f"{label} is a list of something else than texts")
    for value in values:
        if kind == NAME and not re.fullmatch(PATTERNS[kind], value):
            raise BuildError(f"{label}: {value} is no name of a-z, 0-9, '-', '_' and '.'")
        if len(value.encode(errors="surrogatepass")) > BYTES[kind]:
            raise BuildError(f"{label} is longer than {BYTES[kind]} bytes")
        if hides_something(value, "\n\t" if kind in (CODE, INDENT) else ""):
            raise BuildError(f"{label} has a character that hides something")
        if kind in PATTERNS and not re.fullmatch(PATTERNS[kind], value):
            raise BuildError(f"{label} is what it may not be: {value!r}")
    if kind != CODE and len(set(values)) != len(values):
        raise BuildError(f"{label} names something twice")


def hides_something(text, allowed):
    """As the engine has it: controls, what turns the direction of writing around, and the like."""
    return any(c not in allowed and (unicodedata.category(c) in ("Cc", "Cf", "Cn", "Cs", "Zl", "Zp")
                                     or IGNORABLE.match(c)) for c in text)
