"""Recipes: small files of `key: value` lines; a value goes on in lines that are indented.

    language: python            the worker that the agent starts
    aliases: py                 other names of the image
    memory_mb: 192              what a guest gets when nobody asks for something else
    include: base               other recipes whose packages, removals and check join in
    packages: ...               Debian packages
    remove: ...                 paths (shell patterns, from /) removed after the installation
    tools: ...                  programs that must be there at the end
    python: 3.11                compile this interpreter's library for good
    run: ...                    a command that is run in the finished tree, before that compilation

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
DEFAULT_MEMORY_MB = 192
LISTS = ("aliases", "include", "packages", "remove", "tools")
SCALARS = ("language", "memory_mb", "python", "run")


@dataclass
class Recipe:
    name: str
    language: str = ""
    memory_mb: int = DEFAULT_MEMORY_MB
    python: str = ""
    run: str = ""
    warm: str = ""
    aliases: list = field(default_factory=list)
    packages: list = field(default_factory=list)
    remove: list = field(default_factory=list)
    tools: list = field(default_factory=list)
    text: str = ""


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
                    int(values.get("memory_mb", DEFAULT_MEMORY_MB)), values.get("python", ""),
                    run=values.get("run", ""),
                    aliases=values.get("aliases", "").split(), text=text)
    with contextlib.suppress(FileNotFoundError):
        with open(os.path.join(folder, name + WARM), encoding="utf-8") as file:
            recipe.warm = file.read()
        recipe.text += recipe.warm
    for other in values.get("include", "").split():
        part = load(folder, other, (*seen, name))
        recipe.packages += part.packages
        recipe.remove += part.remove
        recipe.tools += part.tools
        recipe.text += part.text
    recipe.packages += values.get("packages", "").split()
    recipe.remove += values.get("remove", "").split()
    recipe.tools += values.get("tools", "").split()
    return recipe


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
