# SPDX-License-Identifier: Apache-2.0
"""Recipes: small files of `key: value` lines; a value goes on in lines that are indented.

    language: python            the worker that the agent starts
    aliases: py                 other names of the image
    memory_mb: 224              what a guest gets when nobody asks for something else
    suite: trixie               the release of Debian that the packages are of
    include: base               other recipes whose packages, removals, check, commands and warm-up
                                join in, and whose suite holds unless this one names its own
    packages: ...               Debian packages
    remove: ...                 paths (shell patterns, from /) removed after the installation
    keep: ...                   patterns that what is included removes, and this one does not
    tools: ...                  programs that must be there at the end
    run: ...                    a command that is run in the finished tree
    on_demand: yes              it is built when somebody names it, and kept up to date from then on

A file NAME.warm beside NAME.recipe is code in the image's language that its worker runs before a
template is made of it; what it imports costs no session anything.

A recipe without `language` is only there to be included.
"""

import contextlib
import os
import re
from dataclasses import dataclass, field

from .report import BuildError

SUFFIX = ".recipe"
WARM = ".warm"
DEFAULT_MEMORY_MB = 224
LISTS = ("aliases", "include", "keep", "packages", "remove", "tools")
SCALARS = ("language", "memory_mb", "on_demand", "run", "suite")


@dataclass
class Recipe:
    name: str
    language: str = ""
    memory_mb: int = DEFAULT_MEMORY_MB
    on_demand: bool = False
    suite: str = ""
    run: str = ""
    warm: str = ""
    aliases: list = field(default_factory=list)
    packages: list = field(default_factory=list)
    remove: list = field(default_factory=list)
    tools: list = field(default_factory=list)
    text: str = ""


def contents(recipe):
    """All that its root is made of. Two recipes for which this is the same have the same root: what the image
    is called, which worker runs in it and with how much memory stand beside the root."""
    return recipe.suite, recipe.packages, recipe.remove, recipe.tools, recipe.run, recipe.warm


def names(folder):
    """The images that can be built."""
    return [name for name in sorted(entry.removesuffix(SUFFIX) for entry in os.listdir(folder)
                                    if entry.endswith(SUFFIX))
            if load(folder, name).language]


def load(folder, name, seen=()):
    path = os.path.join(folder, name + SUFFIX)
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or not os.path.exists(path):
        raise BuildError(f"there is no recipe {name}")
    if name in seen:
        raise BuildError(f"the recipe {name} includes itself")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    values = parse(path, text)
    recipe = Recipe(name, values.get("language", ""),
                    int(values.get("memory_mb", DEFAULT_MEMORY_MB)),
                    on_demand=is_yes(path, values.get("on_demand", "no")),
                    aliases=values.get("aliases", "").split(), text=text)
    for other in values.get("include", "").split():
        part = load(folder, other, (*seen, name))
        recipe.suite = part.suite or recipe.suite
        recipe.run += part.run
        recipe.warm += part.warm
        recipe.packages += part.packages
        recipe.remove += part.remove
        recipe.tools += part.tools
        recipe.text += part.text
    for pattern in values.get("keep", "").split():
        if pattern not in recipe.remove:
            raise BuildError(f"{path}: nothing that is included removes {pattern}")
        recipe.remove.remove(pattern)
    recipe.packages += values.get("packages", "").split()
    recipe.remove += values.get("remove", "").split()
    recipe.tools += values.get("tools", "").split()
    recipe.suite = values.get("suite", recipe.suite)
    if recipe.suite and not re.fullmatch(r"[a-z]+", recipe.suite):
        raise BuildError(f"{path}: {recipe.suite} is not the name of a suite")
    if "run" in values:
        recipe.run += values["run"] + "\n"
    with contextlib.suppress(FileNotFoundError):
        with open(os.path.join(folder, name + WARM), encoding="utf-8") as file:
            warm = file.read()
        recipe.warm += warm
        recipe.text += warm
    return recipe


def is_yes(path, value):
    if value not in ("yes", "no"):
        raise BuildError(f"{path}: {value} is neither yes nor no")
    return value == "yes"


def parse(path, text):
    values, key = {}, None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace() and key is not None:
            values[key] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        if not colon or key in values or key not in LISTS + SCALARS:
            raise BuildError(f"{path}: line {number} is not understood")
        values[key] = value.strip()
    return values
