# SPDX-License-Identifier: Apache-2.0
"""The reader of macOS's files (tests/macho.py), with files made here by Apple's description of them."""

import struct

import macho
import pytest

ARM64, X86_64 = 0x0100000C, 0x01000007
SYSTEM = "/usr/lib/libSystem.B.dylib"


def padded(data):
    return data + bytes(-len(data) % 8)


def command(what, body):
    body = padded(body)
    return struct.pack("<2I", what, 8 + len(body)) + body


def library(name, what=0xC):
    return command(what, struct.pack("<4I", 24, 0, 0, 0) + name.encode() + b"\0")


def version(platform=1, least=13 << 16):
    return command(0x32, struct.pack("<4I", platform, least, least, 0))


def linked(*more, processor=ARM64, kind=2, start=True, signed=True, needs=(SYSTEM,), system=1, after=b""):
    """A file of these load commands, with @after where `place` says: right behind them."""
    parts = [version(system), *map(library, needs), *more]
    parts += [command(0x80000028, bytes(16))] if start else []
    parts += [command(0x1D, bytes(8))] if signed else []
    body = b"".join(parts)
    return struct.pack("<8I", 0xFEEDFACF, processor, 0, kind, len(parts), len(body), 0, 0) + body + after


def with_tail(make, tail, **more):
    """As linked(), with a command that is told where @tail lies."""
    place = len(linked(make(0), **more))
    return linked(make(place), after=tail, **more)


def symbols(*rows):
    """A table of (name, type, number of its library), for with_tail()."""
    names, table = b"\0", b""
    for name, kind, ordinal in rows:
        table += struct.pack("<IBBHQ", len(names), kind, 0, ordinal << 8, 0)
        names += name.encode() + b"\0"
    return (lambda place: command(0x2, struct.pack("<4I", place, len(rows), place + len(table), len(names))),
            table + names)


def test_a_program_that_can_be_started():
    for processor, name in ((ARM64, "arm64"), (X86_64, "x86_64")):
        file = macho.read(linked(processor=processor))
        assert file.faults(name, "program") == []
        assert file.libraries == [SYSTEM] and file.system == (1, "13.0")


@pytest.mark.parametrize("options, sentence", [
    ({"processor": X86_64}, "it is a program for x86_64, and not a program for arm64"),
    ({"kind": 6}, "it is a library for arm64, and not a program for arm64"),
    ({"system": 2}, "it is not for macOS"),
    ({"start": False}, "it does not say where it starts"),
    ({"signed": False}, "it has no signature, without which arm64 starts nothing"),
    ({"needs": ()}, "it needs no library at all, not even the system's"),
    ({"needs": (SYSTEM, "/opt/homebrew/lib/libuv.1.dylib")},
     "it needs /opt/homebrew/lib/libuv.1.dylib, which is not the system's"),
    ({"needs": (SYSTEM, "@rpath/libz.dylib")}, "it needs @rpath/libz.dylib, which is not the system's"),
])
def test_each_fault_is_said(options, sentence):
    assert macho.read(linked(**options)).faults("arm64", "program") == [sentence]


def test_libraries_of_every_kind_are_found():
    kinds = (0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023)
    data = linked(*(library(f"/usr/lib/{kind}.dylib", kind) for kind in kinds), needs=())
    assert macho.read(data).libraries == [f"/usr/lib/{kind}.dylib" for kind in kinds]


def test_names_without_a_library_are_found():
    found_later, in_the_program = 0xFE, 0xFF
    make, tail = symbols(("_main", 0x0F, 0), ("_malloc", 0x01, 1), ("_late", 0x01, found_later),
                         ("_own", 0x01, in_the_program), ("_beyond", 0x01, 2), ("_local", 0x0E, 0), ("", 0x64, 0))
    file = macho.read(with_tail(make, tail))
    assert file.unbound == {"_late", "_own", "_beyond"}
    assert "no library is named for _late" in file.faults("arm64", "program")


# The root leads over "_gb_" to the node at 8, which leads on over "open" (19) and "x" (34); "_file" (30) comes
# after the former. Nodes with a name begin with the size of what is told of it.
LEAF = bytes([2, 0, 0, 0])
TRIE = (bytes([0, 1]) + b"_gb_\0" + bytes([8]) + bytes([0, 2]) + b"open\0" + bytes([19]) + b"x\0" + bytes([34])
        + bytes([2, 0, 0, 1]) + b"_file\0" + bytes([30]) + LEAF + LEAF)


@pytest.mark.parametrize("what, before", [(0x80000033, 0), (0x22, 32), (0x80000022, 32)])
def test_exported_names_are_found(what, before):
    def make(place):
        return command(what, bytes(before) + struct.pack("<2I", place, len(TRIE)))
    assert macho.read(with_tail(make, TRIE, kind=6)).exports == {"_gb_open", "_gb_open_file", "_gb_x"}


@pytest.mark.parametrize("data", [
    b"", b"\x7fELF" + bytes(60), struct.pack("<8I", 0xFEEDFACF, 7, 0, 2, 0, 0, 0, 0),
    struct.pack("<8I", 0xFEEDFACF, ARM64, 0, 1, 0, 0, 0, 0),
    linked()[:-8], linked()[:31],
    linked(struct.pack("<2I", 0xC, 0)), linked(struct.pack("<2I", 0xC, 0xFFFFFFF8)),
    linked(command(0xC, struct.pack("<4I", 4096, 0, 0, 0))),
])
def test_what_is_damaged_is_refused(data):
    with pytest.raises(macho.Malformed):
        macho.read(data)


@pytest.mark.parametrize("trie", [
    bytes([0, 1]) + b"a\0" + bytes([0]), bytes([0, 1]) + b"a", bytes([0, 2]) + b"a\0" + bytes([5]), bytes([0x80]),
    bytes([0, 1]) + b"a\0" + bytes([0x7F]),
])
def test_a_damaged_tree_is_refused(trie):
    with pytest.raises(macho.Malformed):
        macho.exported(trie)
