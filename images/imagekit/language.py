# SPDX-License-Identifier: Apache-2.0
"""The records of languages: `language.json` in the folder of each worker (docs/worker.md).

The engine reads them strictly out of boot.json (engine/language) and refuses all images when one is wrong.
What is checked here is what a person gets wrong when writing one, so that the builder says it."""

import json
import os
import re

from .report import BuildError

RECORD = "language.json"
TEXT, LIST = str, list

# Fields by section ("" is the record itself): their types, and those that must be there.
FIELDS = {
    "": {"name": TEXT, "title": TEXT, "aliases": LIST, "endings": LIST, "programs": LIST},
    "refused": {"endings": LIST, "why": TEXT},
    "prompt": {"first": TEXT, "more": TEXT, "indent": TEXT, "goes_on": LIST},
    "notebook": {"kernel": TEXT, "title": TEXT, "shell": TEXT, "process": TEXT},
    "errors": {"no_input": TEXT},
    "highlight": {"lexer": TEXT, "endings": LIST, "keywords": LIST, "types": LIST, "comments": LIST,
                  "block": LIST, "strings": LIST, "variables": TEXT},
    "warm": {"template": LIST, "pool": LIST},
}
NEEDED = {"": ("name", "title"), "prompt": ("first", "more", "indent"), "notebook": ("kernel", "title"),
          "highlight": ("lexer",)}


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
        kind = FIELDS[section].get(key)
        if kind is None:
            raise BuildError(f'{path}: "{label}" is not known')
        if not isinstance(value, kind) or not value:
            raise BuildError(f'{path}: "{label}" is no {"list" if kind is LIST else "text"}, or empty')
        if kind is LIST and not all(isinstance(item, str) and item for item in value):
            raise BuildError(f'{path}: "{label}" is a list of something else than texts')
    for section, keys in NEEDED.items():
        for key in keys:
            if (section, key) not in flat:
                raise BuildError(f'{path}: "{f"{section}.{key}".lstrip(".")}" is missing')
    if not re.fullmatch(r"[a-z][a-z0-9_.-]{0,30}", record["name"]):
        raise BuildError(f"{path}: {record['name']} is no name of a-z, 0-9, '-', '_' and '.'")
