# SPDX-License-Identifier: Apache-2.0
"""The engine is built in layers: no source file stands above and below another one at once.

Who uses whom is read from the objects of the build (the symbols that one defines and another needs)
and from the includes.
"""

import collections
import functools
import json
import pathlib
import re
import shlex
import subprocess

import pytest

from support import BINARY, ROOT

ENGINE = ROOT / "engine"
BUILD = pathlib.Path(BINARY).parent.parent

# Sources that are one thing in several files. The header that all of them include explains it.
EXPLAINED = {
    "guest/private.h",  # a conversation: its requests and its cells
    "session/internal.h",  # a session: its cells and requests call each other
    "settings/internal.h",  # the reader of a file and the object that it fills
    "vm/private.h",  # a VM: its start, its operations and its host
    "vm/verify.h",  # an image is verified in the background, and owns that
}


def circles(graph):
    """The groups of nodes that reach each other (Tarjan), each sorted."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            group = sorted(stack[at:])
            del stack[at:]
            if len(group) > 1 or node in graph.get(node, ()):
                found.append(group)

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def includes(source):
    """The files of the engine that a source includes."""
    for name in re.findall(r'^#include "([^"]+)"', source.read_text(), re.M):
        for at in (source.parent / name, ENGINE / name):
            if at.is_file():
                yield at.resolve()
                break


def sources():
    return [path for path in sorted(ENGINE.rglob("*.[ch]"))
            if not path.stem.endswith(("_test", "_fuzz")) and "fake" not in path.parts]


def name_of(path):
    return str(path.relative_to(ENGINE))


def objects():
    """Object file by source, of all modules of the engine. The launcher is a program of its own."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        output = words[words.index("-o") + 1]
        source = pathlib.Path(entry["file"])
        module = re.search(r"engine/CMakeFiles/gb_(\w+)\.dir/", output)
        if module and not module[1].startswith("server_without"):
            name = name_of(source) if source.is_relative_to(ENGINE) else source.name
            found[str(pathlib.Path(entry["directory"]) / output)] = name
    return found


@functools.cache
def symbol_graph():
    """Source by source: which others define what it needs."""
    names, defined, needed = objects(), {}, collections.defaultdict(set)
    listing = subprocess.run(["nm", "-A", "-g", *names], check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        at, rest = line.split(":", 1)
        *_, kind, symbol = rest.split()
        if kind == "U":
            needed[names[at]].add(symbol)
        elif kind in "TDRBC" and not symbol.startswith("__"):
            assert symbol not in defined, f"{symbol} is in {defined[symbol]} and in {names[at]}"
            defined[symbol] = names[at]
    assert len(defined) > 500
    return {name: {defined[s] for s in symbols if s in defined} - {name}
            for name, symbols in needed.items()}


def explains(group):
    """The headers of EXPLAINED that all sources of a circle include."""
    seen = [{name_of(path) for path in includes(ENGINE / name)} for name in group]
    return set.intersection(*seen) & EXPLAINED


@pytest.mark.parametrize("graph, expected", [
    ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
    ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
    ({"a": {"b", "d"}, "b": {"c"}, "c": {"a"}, "d": {"e"}, "e": {"d"}}, [["a", "b", "c"], ["d", "e"]]),
    ({"a": {"a"}}, [["a"]]),
    ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
])
def test_circles_are_found(graph, expected):
    assert sorted(circles(graph)) == expected


def test_no_circle_between_sources():
    found = circles(symbol_graph())
    assert [group for group in found if not explains(group)] == []
    used = set().union(*(explains(group) for group in found))
    assert used == EXPLAINED, "what explains no circle any more leaves the list"


def test_the_server_has_no_circle_at_all():
    assert [g for g in circles(symbol_graph()) if any(name.startswith("server/") for name in g)] == []


def test_no_circle_between_headers():
    headers = [path for path in sources() if path.suffix == ".h"]
    assert circles({name_of(h): {name_of(i) for i in includes(h)} for h in headers}) == []


def test_no_circle_between_folders():
    graph = collections.defaultdict(set)
    for source in sources():
        for path in includes(source):
            if path.parent != source.parent:
                graph[name_of(source.parent)].add(name_of(path.parent))
    assert circles(graph) == []
    # The core of the server knows no part of it, and a part only the core.
    assert not [folder for folder in graph["server/core"] if folder.startswith("server")]
    for folder, used in graph.items():
        if folder.startswith("server/") and folder != "server/core":
            assert {f for f in used if f.startswith("server")} <= {"server/core"}, folder


def headers_of_modules():
    """The folder of each module by the name that its headers are included by: the build's links."""
    links = [link for link in (BUILD / "include").rglob("*") if link.is_symlink()]
    return {str(link.relative_to(BUILD / "include").relative_to(link.relative_to(BUILD / "include").parts[0])):
            str(link.resolve().relative_to(ROOT)) for link in links}


def test_what_both_programs_for_people_stand_on_is_below_them():
    """The front end sees no verb, and the line editor, which `repl` and the front end share, sees neither."""
    modules, graph = headers_of_modules(), collections.defaultdict(set)
    for top in ("engine", "cli", "tui"):
        for source in (ROOT / top).rglob("*.[ch]"):
            for name in re.findall(r'^#include "([^"]+)"', source.read_text(), re.M):
                folder = modules.get(str(pathlib.PurePath(name).parent))
                if folder is not None:
                    graph[str(source.parent.relative_to(ROOT))].add(folder)
    assert "cli/editor" in graph["cli/repl"] and "cli/editor" in graph["tui/view"]
    for folder, used in graph.items():
        allowed = {"engine": (), "tui": ("tui/", "cli/editor"), "cli/editor": ("cli/editor",), "cli/kit": ("cli/kit",)}
        above = [prefix for prefix in allowed if (folder + "/").startswith(prefix + "/")]
        for other in used if above else ():
            assert other.startswith(("engine/", *allowed[above[0]])), f"{folder} uses {other}"


# What only the conversation with the guest knows: its frames, their tables, and the types of its requests.
FRAMES = re.compile(r"\bgb_fields_\w+|\bgb_\w+_fields\b|\bGB_GUEST_(?!CERTIFICATES\b|VERSION\b)[A-Z_]+|\bstruct gb_frame\b"
                    r"|\bgb_frame_\w+|\bgb_guest_(?:add|request)\b|\"wire/(?!guest\.h)\w+\.h\"")


def test_frames_are_seen_by_conversations_alone():
    """Not by the server, and not by those who make VMs: they see results."""
    found = {name_of(source): FRAMES.findall(source.read_text()) for source in sources()
             if name_of(source).startswith(("server/", "capacity/", "snapshot/", "past/"))}
    assert len(found) > 80
    assert {name: words for name, words in found.items() if words} == {}


def test_no_memory_is_shared_by_loops():
    """Two engines of the library may run in two threads: static data is constant, or the thread's."""
    pattern = re.compile(r"^[ \t]*static (?![^=;({]*\bconst\b)(?!inline|_Thread_local)"
                         r"[^(=;{]*(?:\{[^}]*\} \w+ )?[=;]", re.M)
    found = [f"{name_of(source)}: {text}" for source in sources() if not {"launcher", "program"} & {*source.parts}
             and source.stem != "testing" for text in pattern.findall(source.read_text())]
    assert [one for one in found if not one.startswith("base/log.c: ")] == [  # one log for the whole program
        "loop/child.c:     static char *no_env[] =",  # which libuv takes as one that might be changed
        "machine/crc32c.c:     static atomic_int known ="]  # what the processor can do
