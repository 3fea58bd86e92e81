# SPDX-License-Identifier: Apache-2.0
"""Reads programs and libraries of macOS: what the loader would be told of them there.

The layout is that of Apple's <mach-o/loader.h> and <mach-o/nlist.h>. Only thin files of 64 bits, which is
what a linker for one processor writes; everything else is a Malformed.
"""

import dataclasses
import struct

MAGIC = 0xFEEDFACF
PROCESSORS = {0x0100000C: "arm64", 0x01000007: "x86_64"}
KINDS = {2: "program", 6: "library"}
MACOS = 1

# The load commands that are read. Those of libraries differ in what happens if one is missing.
SYMBOLS, SIGNATURE, BUILD_VERSION, MAIN = 0x2, 0x1D, 0x32, 0x80000028
LIBRARIES = (0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023)
INFO, INFO_ONLY, EXPORTS = 0x22, 0x80000022, 0x80000033

# Of a symbol's n_type.
DEBUGGING, KIND, UNDEFINED, EXTERNAL = 0xE0, 0x0E, 0x00, 0x01


class Malformed(Exception):
    pass


@dataclasses.dataclass
class File:
    processor: str
    kind: str
    system: tuple = None           # (platform, "13.0")
    libraries: list = dataclasses.field(default_factory=list)
    exports: set = dataclasses.field(default_factory=set)
    unbound: set = dataclasses.field(default_factory=set)
    signed: bool = False
    starts: bool = False           # it says where its main() is

    def faults(self, processor, kind):
        """What keeps it from being started on a fresh macOS of this processor, as sentences."""
        found = []
        if (self.processor, self.kind) != (processor, kind):
            found.append(f"it is a {self.kind} for {self.processor}, and not a {kind} for {processor}")
        if self.system is None or self.system[0] != MACOS:
            found.append("it is not for macOS")
        if kind == "program" and not self.starts:
            found.append("it does not say where it starts")
        if processor == "arm64" and not self.signed:
            found.append("it has no signature, without which arm64 starts nothing")
        if not self.libraries:
            found.append("it needs no library at all, not even the system's")
        found += [f"it needs {name}, which is not the system's" for name in self.libraries
                  if not name.startswith(("/usr/lib/", "/System/Library/"))]
        found += [f"no library is named for {name}" for name in sorted(self.unbound)]
        return found


def unpack(form, data, at):
    try:
        return struct.unpack_from("<" + form, data, at)
    except struct.error:
        raise Malformed(f"it ends before {at + struct.calcsize('<' + form)}") from None


def string(data, at, end):
    stop = data.find(b"\0", at, end)
    if at < 0 or stop < 0:
        raise Malformed(f"no string ends between {at} and {end}")
    return data[at:stop].decode("ascii", "replace")


def number(data, at, end):
    """An ULEB128, and where it ends."""
    value = shift = 0
    while at < end and shift < 63:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise Malformed("a number without an end")


def exported(trie):
    """The names in the tree that the loader looks them up in."""
    names, ahead, seen = set(), [(0, "")] if trie else [], set()
    while ahead:
        at, name = ahead.pop()
        if at in seen:
            raise Malformed("the tree of exported names has a circle")
        seen.add(at)
        size, at = number(trie, at, len(trie))
        if size:
            names.add(name)
        at += size
        (branches,) = unpack("B", trie, at)
        at += 1
        for _ in range(branches):
            label = string(trie, at, len(trie))
            child, at = number(trie, at + len(label) + 1, len(trie))
            ahead.append((child, name + label))
    return names


def unbound(data, at, libraries):
    """Names from elsewhere for which no library of those is named."""
    symbols, count, strings, size = unpack("4I", data, at + 8)
    names = set()
    for i in range(count):
        name, kind, _, description, _ = unpack("IBBHQ", data, symbols + 16 * i)
        if kind & DEBUGGING or kind & KIND != UNDEFINED or not kind & EXTERNAL:
            continue
        if not 1 <= description >> 8 <= libraries:
            names.add(string(data, strings + name, strings + size))
    return names


def commands(data, count, size):
    at, end = 32, 32 + size
    for _ in range(count):
        what, length = unpack("2I", data, at)
        if length < 8 or at + length > min(end, len(data)):
            raise Malformed(f"a load command of {length} bytes at {at}")
        yield what, at, length
        at += length


def read(data):
    magic, processor, _, kind, count, size, _, _ = unpack("8I", data, 0)
    if magic != MAGIC or processor not in PROCESSORS or kind not in KINDS:
        raise Malformed("it is no program or library of macOS")
    file = File(PROCESSORS[processor], KINDS[kind])
    symbols = None
    for what, at, length in commands(data, count, size):
        if what in LIBRARIES:
            file.libraries.append(string(data, at + unpack("I", data, at + 8)[0], at + length))
        elif what == BUILD_VERSION:
            platform, least = unpack("2I", data, at + 8)
            file.system = (platform, f"{least >> 16}.{least >> 8 & 0xFF}")
        elif what == SIGNATURE:
            file.signed = True
        elif what == MAIN:
            file.starts = True
        elif what in (INFO, INFO_ONLY, EXPORTS):
            start, length = unpack("2I", data, at + (8 if what == EXPORTS else 40))
            file.exports |= exported(data[start:start + length])
        elif what == SYMBOLS:
            symbols = at
    if symbols is not None:
        file.unbound = unbound(data, symbols, len(file.libraries))
    return file
