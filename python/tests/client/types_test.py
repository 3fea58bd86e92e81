# SPDX-License-Identifier: Apache-2.0
"""The typed objects against the tables of docs/protocol.md, which are made from those by which the
server writes (engine/model; rpc/object compares them with the page)."""

import dataclasses
import json
import re
import typing
from pathlib import Path

import pytest

from glassbell._objects import OBJECTS as TABLES, RESULTS
from glassbell._reader import check, check_result
from glassbell.errors import ProtocolError
from glassbell.types import (Cell, Description, Diff, Entry, Forked, Hello, Kept, Lease, Matches, Rewound, SessionInfo,
                             Waiting)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "protocol.md"

# Fields that have another name here, and those that are read from `raw`.
ELSEWHERE = {
    Cell: {"truncated": ("truncated_stdout", "truncated_stderr"), "code_base64": ("code_bytes",),
           "stdout_bytes": ("raw",), "stderr_bytes": ("raw",), "offset": ("raw",), "pace": ("raw",)},
    SessionInfo: {}, Lease: {}, Entry: {},
}
# Fields that no table has: of the reply around the object, and what is made from others.
OWN = {Cell: {"truncated_stdout", "truncated_stderr", "background", "notice", "raw"},
       SessionInfo: {"raw"}, Lease: {"raw"}, Entry: {"name_bytes"}}
# Where null, or nothing, is "" or 0 here, because it is rare or no one would look.
PLAIN = {Cell: {"code"}, SessionInfo: {"image", "language", "created_at", "terminals"}, Lease: {"waiting"},
         Entry: set()}
# What is absent for some, though the table says nothing: in events, in those that have ended.
LOOSE = {Cell: {"files"}, SessionInfo: {"ended_at", "reason", "message", "network"}, Lease: set(),
         Entry: set()}

TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}
OTHERS = {"integer": 1.5, "number": "1", "boolean": 1, "string": 7, "array": {}, "object": []}


def table(part):
    text = PAGE.read_text().split(f"<!-- generated: {part} begin -->")[1]
    text = text.split(f"<!-- generated: {part} end -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+)(?: or (null|absent))? \| ", text, re.M)
    assert len(rows) == text.count("\n| `"), "a row that this test does not understand"
    return rows


OBJECTS = {"cell": Cell, "session": SessionInfo, "lease": Lease, "entry": Entry}
ROWS = [(OBJECTS[part], *row) for part in OBJECTS for row in table(part)]


def field_names(cls):
    return {field.name for field in dataclasses.fields(cls)}


@pytest.mark.parametrize("part", OBJECTS)
def test_fields_are_those_of_the_table(part):
    cls = OBJECTS[part]
    told = {name for name, _, _ in table(part)}
    assert field_names(cls) - OWN[cls] == told - set(ELSEWHERE[cls])
    assert set(ELSEWHERE[cls]) <= told
    for names in ELSEWHERE[cls].values():
        assert all(hasattr(cls, name) or name in field_names(cls) for name in names)


@pytest.mark.parametrize("cls,name,kind,presence", [row for row in ROWS if row[1] not in
                                                    ELSEWHERE[row[0]]])
def test_types_are_those_of_the_table(cls, name, kind, presence):
    hint = typing.get_type_hints(cls)[name]
    optional = type(None) in typing.get_args(hint)
    inner = [arg for arg in typing.get_args(hint) if arg is not type(None)][0] if optional else hint
    if kind in TYPES:
        assert inner is TYPES[kind]
    elif kind == "array":
        assert typing.get_origin(inner) is tuple
    # A boolean that is absent is false, an array is empty.
    wanted = presence != "" and kind != "boolean" and name not in PLAIN[cls]
    assert optional == (wanted or name in LOOSE[cls])


@pytest.mark.parametrize("cls,name,kind,presence", ROWS)
def test_null_and_nothing_are_no_value(cls, name, kind, presence):
    """Also of what a server of this version always says: an older client reads a newer server."""
    assert cls.from_json({}) is not None
    assert dataclasses.replace(cls.from_json({name: None}), **(
        {"raw": {}} if "raw" in field_names(cls) else {})) == dataclasses.replace(
        cls.from_json({}), **({"raw": {}} if "raw" in field_names(cls) else {}))


# Those read from `raw` are looked at when they are asked for.
@pytest.mark.parametrize("cls,name,kind,presence", [
    row for row in ROWS if "raw" not in ELSEWHERE[row[0]].get(row[1], ()) and row[1] != "code_base64"])
def test_other_types_are_refused(cls, name, kind, presence):
    with pytest.raises(ProtocolError) as refused:
        cls.from_json({name: OTHERS[kind]})
    assert refused.value.kind == "protocol"


@pytest.mark.parametrize("raw", [
    {"displays": [1]}, {"displays": [{"mime": 1, "base64": ""}]}, {"displays": [{"base64": "?"}]},
    {"files": [[]]}, {"files": [{"path": "a", "size": "1"}]}, {"argv": [1]}, {"argv_base64": ["?"]},
    {"truncated": {"stdout": "1"}}, {"stdout_base64": "?"}, {"cell": True}, {"wall_ms": False},
])
def test_other_types_within_are_refused(raw):
    with pytest.raises(ProtocolError):
        Cell.from_json(raw)


# tests/records, which the C clients read as well

RECORDS = Path(__file__).resolve().parents[3] / "tests" / "records"
TYPED = {"cell": Cell, "session": SessionInfo, "lease": Lease, "entry": Entry, "hello": Hello,
         "matches": Matches, "kept": Kept, "rewound": Rewound,
         "forked": Forked, "diff": Diff, "description": Description}


def records(ending):
    return [(path.stem, line) for path in sorted(RECORDS.glob(f"*.{ending}"))
            if path.stem != "language"
            for line in path.read_text().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("name,line", records("wrong"))
def test_wrong_records_are_refused(name, line):
    raw = json.loads(line)
    with pytest.raises(ProtocolError):
        check(name, raw)
    if name in TYPED and raw is not None:  # a lease that is null is none
        with pytest.raises(ProtocolError):
            TYPED[name].from_json(raw)
    for method, answers in RESULTS.items():
        if answers[0] == name:
            with pytest.raises(ProtocolError):
                check_result(method, raw)


@pytest.mark.parametrize("name,line", records("right"))
def test_right_records_are_taken(name, line):
    raw = json.loads(line)
    assert check(name, raw) is raw
    if name in TYPED:
        assert TYPED[name].from_json(raw) is not None


def test_records_of_every_kind():
    assert {name for name, _ in records("wrong")} == {name for name, _ in records("right")}
    assert {name for name, _ in records("wrong")} <= set(TABLES)
    assert len(records("wrong")) > 200


@pytest.mark.parametrize("number", [10 ** 400, float("inf"), float("nan"), -(10 ** 400)])
def test_numbers_without_end_are_refused(number):
    """Which Python's own reader of JSON makes of digits and of names that are no JSON."""
    for raw in ({"cell": number}, {"wall_ms": number}, {"peak_memory_bytes": number}):
        with pytest.raises(ProtocolError):
            check("cell", raw)
    with pytest.raises(ProtocolError):
        check("admission", {"cpus": number})


@pytest.mark.parametrize("raw,waiting", [({"on": True}, True), ({"on": False}, False),
                                         ({"waiting": True}, True), ({"waiting": False}, False)])
def test_who_waits_no_longer(raw, waiting):
    assert Waiting.from_json({"session": "s", "cell": 1, **raw}).waiting is waiting
