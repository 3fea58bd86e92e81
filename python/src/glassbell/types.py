# SPDX-License-Identifier: Apache-2.0
"""What the server returns: cells, sessions, files, events. All of them are plain values.

Each keeps the original object in `raw`, so that fields of newer servers are not lost.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from ._reader import check
from .errors import ProtocolError

__all__ = ["Cell", "Checkpoint", "Display", "Entry", "Event", "FileChange", "Fork", "Forked", "Hello",
           "Kept", "Lease",
           "Matches", "Output", "Rewound", "SessionInfo", "Slept", "TerminalInfo", "Waiting"]

Json = Mapping[str, Any]


def _decode(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as problem:
        raise ProtocolError("the server sent bytes that are not base64", dispatched=True) from problem


def _value(raw: Json, name: str, kind: tuple[type, ...], what: str) -> Any:
    """What is there, of the type that docs/protocol.md says; None for null and for nothing."""
    value = raw.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind):
        raise ProtocolError(f"the server's answer: {name} must be {what}, and is "
                            f"{type(value).__name__}", dispatched=True)
    return value


def _text(raw: Json, name: str) -> Optional[str]:
    value: Optional[str] = _value(raw, name, (str,), "a string")
    return value


def _integer(raw: Json, name: str) -> Optional[int]:
    value = _value(raw, name, (int, float), "an integer")
    if isinstance(value, float):
        if not value.is_integer():
            raise ProtocolError(f"the server's answer: {name} must be an integer", dispatched=True)
    return None if value is None else int(value)


def _number(raw: Json, name: str) -> Optional[float]:
    value = _value(raw, name, (int, float), "a number")
    return None if value is None else float(value)


def _flag(raw: Json, name: str) -> bool:
    return bool(_value(raw, name, (bool,), "true or false"))


def _object(raw: Json, name: str) -> Optional[Json]:
    value: Optional[Json] = _value(raw, name, (dict,), "an object")
    return value


def _list(raw: Json, name: str) -> Optional[list[Any]]:
    """Of objects."""
    items: Optional[list[Any]] = _value(raw, name, (list,), "an array")
    for item in items or ():
        if not isinstance(item, dict):
            raise ProtocolError(f"the server's answer: {name} must be an array of objects",
                                dispatched=True)
    return items


def data_of(thing: Json, name: str = "") -> bytes:
    """The bytes of a text/base64 pair, or of a stream of a cell (`name` is "stdout")."""
    text = _text(thing, name or "text")
    if text is not None:
        return text.encode()
    return _decode(_text(thing, f"{name}_base64" if name else "base64") or "")


def text_of(thing: Json, name: str = "") -> str:
    """Like `data_of`, but as text; invalid UTF-8 is replaced."""
    text = _text(thing, name or "text")
    return text if text is not None else data_of(thing, name).decode(errors="replace")


def _any_text(raw: Json, name: str) -> Optional[str]:
    """Like `text_of`; None if there is neither form."""
    there = _text(raw, name) is not None or _text(raw, f"{name}_base64") is not None
    return text_of(raw, name) if there else None


@dataclass(frozen=True)
class Output:
    """A piece of a cell's output. Joined in order, the pieces are the stream."""

    session: str
    cell: int
    stream: str  # "stdout" or "stderr"
    data: bytes
    background: bool = False  # printed after the end of its cell, by a process left behind
    dropped: int = 0

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")

    @classmethod
    def from_json(cls, raw: Json) -> Output:
        return cls(_text(raw, "session") or "", _integer(raw, "cell") or 0,
                   _text(raw, "stream") or "", data_of(raw), _flag(raw, "background"),
                   _integer(raw, "dropped") or 0)


@dataclass(frozen=True)
class Waiting:
    """An interactive cell waits for input (or, with `waiting` false, no longer does)."""

    session: str
    cell: int
    waiting: bool

    @classmethod
    def from_json(cls, raw: Json) -> Waiting:
        # An event has `waiting`, the notification to who sent the cell `on`.
        return cls(_text(raw, "session") or "", _integer(raw, "cell") or 0,
                   _flag(raw, "waiting") or _flag(raw, "on"))


@dataclass(frozen=True)
class Display:
    """A figure or the like."""

    mime: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class FileChange:
    """A file that a cell changed."""

    path: str  # relative to the home; bytes that are not UTF-8 are replaced
    path_bytes: bytes
    change: str  # "added", "changed" or "removed"
    size: int


def _arguments(raw: Json) -> Optional[tuple[str, ...]]:
    encoded = _value(raw, "argv_base64", (list,), "an array")
    if encoded is not None:
        return tuple(os.fsdecode(_decode(item)) for item in encoded)
    plain = _value(raw, "argv", (list,), "an array")
    if plain is not None and not all(isinstance(item, str) for item in plain):
        raise ProtocolError("the server's answer: argv must be an array of strings",
                            dispatched=True)
    return None if plain is None else tuple(plain)


@dataclass(frozen=True)
class Cell:
    """The result of a piece of code. A failure of the code is part of it, and not raised."""

    session: str
    cell: int
    image: str
    code: str
    state: str
    stdout: str
    stderr: str
    value: Optional[str]
    displays: tuple[Display, ...]
    exit_code: Optional[int]
    signal: Optional[str]
    timed_out: bool
    interrupted: bool
    oom: bool
    state_lost: bool
    rolled_back: Optional[Json]  # the session is as it was at `checkpoint`, after `cell`
    truncated_stdout: int
    truncated_stderr: int
    files: Optional[tuple[FileChange, ...]]  # None: nobody looked
    files_cut: bool  # there are more of them
    note: Optional[str]
    notice: Optional[str]  # from whoever handed the session back
    client: Optional[str]
    error: Optional[Json]  # in a history: why there is no result; `kind`, `message`, `dispatched`
    code_lost: bool  # in a history: the journal's record of the code is damaged
    result_lost: bool  # in a history: it ended, and nothing is known of how
    started_at: Optional[float]
    wall_ms: float
    cpu_ms: float
    peak_memory_bytes: int
    background: tuple[Output, ...]
    file: Optional[str]  # of a program
    argv: Optional[tuple[str, ...]]  # what it found as its arguments, its name first
    mode: Optional[str]  # "kernel", "process" or "shell"; None: lost, with all else
    code_cut: bool  # in events: the code goes on
    value_cut: bool  # the value goes on
    waiting: bool  # it runs and waits for standard input
    prompt: Optional[str]  # then the line that it has printed and not ended
    unrecorded: bool  # the journal could not be written
    incarnation: Optional[int]  # in a history: of its session
    undone: bool  # in a history: the session was taken back to before it
    annotation: Optional[Json]  # in a history: what a person gave it: `bookmark`, `note`, …
    raw: Json = field(repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether it ran to its end and succeeded."""
        return self.exit_code == 0 and not self.timed_out and not self.interrupted and not self.oom

    @property
    def code_bytes(self) -> bytes:
        """The code as it was given, in any encoding."""
        encoded = self.raw.get("code_base64")
        return self.code.encode() if encoded is None else _decode(encoded)

    @property
    def stdout_bytes(self) -> bytes:
        return data_of(self.raw, "stdout")

    @property
    def stderr_bytes(self) -> bytes:
        return data_of(self.raw, "stderr")

    @classmethod
    def from_json(cls, raw: Json) -> Cell:
        check("cell", raw)
        truncated = _object(raw, "truncated") or {}
        files = _list(raw, "files")
        return cls(
            session=_text(raw, "session") or "", cell=_integer(raw, "cell") or 0,
            image=_text(raw, "image") or "", code=_text(raw, "code") or "",
            state=_text(raw, "state") or "", stdout=text_of(raw, "stdout"),
            stderr=text_of(raw, "stderr"), value=_text(raw, "value"),
            displays=tuple(Display(_text(item, "mime") or "", _decode(item["base64"]))
                           for item in _list(raw, "displays") or () if "base64" in item),
            exit_code=_integer(raw, "exit_code"), signal=_text(raw, "signal"),
            timed_out=_flag(raw, "timed_out"), interrupted=_flag(raw, "interrupted"),
            oom=_flag(raw, "oom"), state_lost=_flag(raw, "state_lost"),
            rolled_back=_object(raw, "rolled_back"),
            truncated_stdout=_integer(truncated, "stdout") or 0,
            truncated_stderr=_integer(truncated, "stderr") or 0,
            files=None if files is None else tuple(
                FileChange(text_of(item, "path"), data_of(item, "path"),
                           _text(item, "change") or "", _integer(item, "size") or 0)
                for item in files),
            files_cut=_flag(raw, "files_cut"), note=_text(raw, "note"),
            notice=_text(raw, "notice"), client=_text(raw, "client"),
            error=_object(raw, "error"), code_lost=_flag(raw, "code_lost"),
            result_lost=_flag(raw, "result_lost"), started_at=_number(raw, "started_at"),
            wall_ms=_number(raw, "wall_ms") or 0.0, cpu_ms=_number(raw, "cpu_ms") or 0.0,
            peak_memory_bytes=_integer(raw, "peak_memory_bytes") or 0,
            background=tuple(Output.from_json({**item, "session": raw.get("session", ""),
                                               "background": True})
                             for item in _list(raw, "background") or ()),
            file=_any_text(raw, "file"),
            argv=_arguments(raw), mode=_text(raw, "mode"), code_cut=_flag(raw, "code_cut"),
            value_cut=_flag(raw, "value_cut"), waiting=_flag(raw, "waiting"),
            prompt=_any_text(raw, "prompt"),
            unrecorded=_flag(raw, "unrecorded"), incarnation=_integer(raw, "incarnation"),
            undone=_flag(raw, "undone"), annotation=_object(raw, "annotation"), raw=raw)


@dataclass(frozen=True)
class Lease:
    """Which client has the exclusive right to run code in a session, and since when."""

    holder: Optional[str]  # the client's name
    client: int  # the number of its connection
    human: bool
    since: float
    note: Optional[str]
    waiting: int  # cells that wait for its end
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Optional[Json]) -> Optional[Lease]:
        if raw is None:
            return None
        check("lease", raw)
        return cls(_text(raw, "holder"), _integer(raw, "client") or 0, _flag(raw, "human"),
                   _number(raw, "since") or 0.0, _text(raw, "note"),
                   _integer(raw, "waiting") or 0, raw)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint to which a session can be rewound."""

    seq: int
    parent: Optional[int]  # the one that it follows
    cell: int  # the last one that had ended
    epoch: int
    at: float
    bytes: int  # on the server's disk
    name: Optional[str]
    here: bool  # the session follows it
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Checkpoint:
        check("checkpoint", raw)
        return cls(_integer(raw, "seq") or 0, _integer(raw, "parent"), _integer(raw, "cell") or 0,
                   _integer(raw, "epoch") or 0, _number(raw, "at") or 0.0,
                   _integer(raw, "bytes") or 0, _text(raw, "name"), _flag(raw, "here"), raw)


@dataclass(frozen=True)
class Kept:
    """A checkpoint that was just taken."""

    seq: int
    cell: int  # the last one that had ended
    bytes: int  # on the server's disk
    pages: int  # of memory that had changed, 4 KiB each
    pause_us: int  # how long the session stood still
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Kept:
        check("kept", raw)
        return cls(_integer(raw, "seq") or 0, _integer(raw, "cell") or 0,
                   _integer(raw, "bytes") or 0, _integer(raw, "pages") or 0,
                   _integer(raw, "pause_us") or 0, raw)


@dataclass(frozen=True)
class Rewound:
    """The state of a session after it was taken back, or forward again."""

    seq: int  # the checkpoint that it follows
    cell: int  # the last one that had ended then
    epoch: int
    from_seq: int  # the checkpoint of the moment that was left
    from_cell: int
    took_us: int
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Rewound:
        check("rewound", raw)
        return cls(_integer(raw, "seq") or 0, _integer(raw, "cell") or 0,
                   _integer(raw, "epoch") or 0, _integer(raw, "from_seq") or 0,
                   _integer(raw, "from_cell") or 0, _integer(raw, "took_us") or 0, raw)


@dataclass(frozen=True)
class Slept:
    """A session that was put to sleep, or woken."""

    seq: int  # the checkpoint that it follows; 0: there is none
    cell: int  # the last one that had ended then
    bytes: int  # that its checkpoints take on the server's disk
    took_us: int
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Slept:
        check("slept", raw)
        return cls(_integer(raw, "seq") or 0, _integer(raw, "cell") or 0,
                   _integer(raw, "bytes") or 0, _integer(raw, "took_us") or 0, raw)


@dataclass(frozen=True)
class NetworkRecord:
    """How a session's network was used, or what was decided about it."""

    number: int
    at: float  # Unix time of its end
    kind: str  # "connection", "denied", "policy", "answer", "end", "port" or "visit"
    cell: Optional[int]  # that ran when it began
    connection: Optional[int]  # its number in the session
    name: Optional[str]  # the host; None: an address was asked for
    address: Optional[str]  # that was dialled or asked for; of a port: where it is on the host
    port: Optional[int]
    rule: Optional[str]  # that allowed it; of "policy" all rules
    received: int  # bytes, by the guest
    sent: int
    ms: float  # how long it was open
    reason: Optional[str]  # why it was refused or broken, or what was answered
    client: Optional[str]  # who set the rules, or answered
    left_out: int  # so many records before it were not written
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> NetworkRecord:
        check("network_record", raw)
        return cls(
            number=_integer(raw, "number") or 0, at=_number(raw, "at") or 0.0,
            kind=_text(raw, "kind") or "", cell=_integer(raw, "cell"),
            connection=_integer(raw, "connection"), name=_text(raw, "name"),
            address=_text(raw, "address"), port=_integer(raw, "port"), rule=_text(raw, "rule"),
            received=_integer(raw, "received") or 0, sent=_integer(raw, "sent") or 0,
            ms=_number(raw, "ms") or 0.0, reason=_text(raw, "reason"),
            client=_text(raw, "client"), left_out=_integer(raw, "left_out") or 0, raw=raw)


@dataclass(frozen=True)
class Fork:
    """One of the sessions of a fork."""

    session: Optional[str]  # None: it could not be opened
    kind: Optional[str]  # of the error
    message: Optional[str]
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Fork:
        check("fork", raw)
        error = _object(raw, "error") or {}
        return cls(_text(raw, "session"), _text(error, "kind"), _text(error, "message"), raw)


@dataclass(frozen=True)
class Forked:
    """Sessions that continue from a checkpoint of another one."""

    sessions: tuple[Fork, ...]
    seq: int  # the checkpoint that they go on from
    cell: int  # the last one that had ended then
    took_us: int
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Forked:
        check("forked", raw)
        return cls(tuple(Fork.from_json(item) for item in raw.get("sessions") or ()),
                   _integer(raw, "seq") or 0, _integer(raw, "cell") or 0,
                   _integer(raw, "took_us") or 0, raw)


@dataclass(frozen=True)
class VariableValue:
    """A variable at one of two moments."""

    type: str
    repr: str  # as the language writes it; a digest stands for what is left out of a long one

    @classmethod
    def from_json(cls, raw: Optional[Json]) -> Optional[VariableValue]:
        return None if raw is None else cls(_text(raw, "type") or "", _text(raw, "repr") or "")


@dataclass(frozen=True)
class VariableChange:
    """A variable that differs between two moments."""

    name: str
    change: str  # "added", "changed" or "removed"
    before: Optional[VariableValue]  # None: added
    after: Optional[VariableValue]  # None: removed


@dataclass(frozen=True)
class PathChange:
    """A file that differs between two moments."""

    path: str  # below the home; bytes that are not UTF-8 are replaced
    path_bytes: bytes
    change: str  # "added", "changed" or "removed"


@dataclass(frozen=True)
class CellOutput:
    """The beginning of what a cell printed."""

    ok: bool
    stdout: str
    stderr: str
    value: Optional[str]

    @classmethod
    def from_json(cls, raw: Optional[Json]) -> Optional[CellOutput]:
        return None if raw is None else cls(_flag(raw, "ok"), _text(raw, "stdout") or "",
                                            _text(raw, "stderr") or "", _text(raw, "value"))


@dataclass(frozen=True)
class OutputChange:
    """A cell that led to only one of two moments, or with other output to each."""

    cell: int
    change: str  # "added", "changed" or "removed"
    before: Optional[CellOutput]
    after: Optional[CellOutput]


@dataclass(frozen=True)
class Moment:
    """One of two moments that were compared."""

    session: str
    language: str
    seq: int  # its checkpoint
    cell: int  # the last one that had ended then

    @classmethod
    def from_json(cls, raw: Json) -> Moment:
        return cls(_text(raw, "session") or "", _text(raw, "language") or "",
                   _integer(raw, "seq") or 0, _integer(raw, "cell") or 0)


@dataclass(frozen=True)
class Diff:
    """How two moments differ. What it says comes from the guests."""

    before: Moment
    after: Moment
    variables: Optional[tuple[VariableChange, ...]]  # None: not compared, see `remarks`
    files: Optional[tuple[PathChange, ...]]  # None: likewise
    cells: Optional[tuple[OutputChange, ...]]  # None: likewise
    complete: bool  # nothing was left out
    remarks: tuple[str, ...]  # what was, and why
    took_us: int
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Diff:
        check("diff", raw)
        variables, files, cells = (_list(raw, name) for name in ("variables", "files", "cells"))
        return cls(
            before=Moment.from_json(_object(raw, "before") or {}),
            after=Moment.from_json(_object(raw, "after") or {}),
            variables=None if variables is None else tuple(VariableChange(
                _text(one, "name") or "", _text(one, "change") or "",
                VariableValue.from_json(_object(one, "before")),
                VariableValue.from_json(_object(one, "after"))) for one in variables),
            files=None if files is None else tuple(PathChange(
                text_of(one, "path"), data_of(one, "path"), _text(one, "change") or "")
                for one in files),
            cells=None if cells is None else tuple(OutputChange(
                _integer(one, "cell") or 0, _text(one, "change") or "",
                CellOutput.from_json(_object(one, "before")),
                CellOutput.from_json(_object(one, "after"))) for one in cells),
            complete=_flag(raw, "complete"), remarks=tuple(raw.get("remarks") or ()),
            took_us=_integer(raw, "took_us") or 0, raw=raw)


@dataclass(frozen=True)
class SessionInfo:
    """A session as the server sees it."""

    session: str
    key: Optional[str]
    label: Optional[str]
    owner: Optional[str]
    image: str
    language: str
    state: str  # "starting", "idle", "running", "waiting_input", "closed" or "lost"
    incarnation: int
    cells: int
    created_at: float
    last_active_at: float
    expires_at: Optional[float]
    memory_mb: int
    memory_bytes: Optional[int]
    cpu_ms: Optional[float]
    source: str
    lease: Optional[Lease]
    run: bool  # it is the VM of a `run`
    queued: int  # cells that have not begun
    terminals: int  # programs that run at terminals
    failed: bool  # the last cell that ended did not end well
    network: Optional[str]
    guest_memory: Optional[Json]  # `total`, `used`
    waiting: Optional[Json]  # of the cell that waits for standard input: `cell`, `client`, `prompt`
    client: Optional[str]  # who opened it, as in `hello`
    origin: Optional[Json]  # of a fork: `session`, `checkpoint` and `cell` that it goes on from
    packages: Optional[str]  # a line for each, with its digest
    ended_at: Optional[float]  # ended
    reason: Optional[str]  # ended: "closed", "expired", "crashed" or "lost"
    message: Optional[str]  # ended
    damaged: bool  # ended: records of it are damaged
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> SessionInfo:
        check("session", raw)
        return cls(
            session=_text(raw, "session") or "", key=_text(raw, "key"), label=_text(raw, "label"),
            owner=_text(raw, "owner"), image=_text(raw, "image") or "",
            language=_text(raw, "language") or "", state=_text(raw, "state") or "",
            incarnation=_integer(raw, "incarnation") or 0, cells=_integer(raw, "cells") or 0,
            created_at=_number(raw, "created_at") or 0.0,
            last_active_at=_number(raw, "last_active_at") or 0.0,
            expires_at=_number(raw, "expires_at"), memory_mb=_integer(raw, "memory_mb") or 0,
            memory_bytes=_integer(raw, "memory_bytes"), cpu_ms=_number(raw, "cpu_ms"),
            source=_text(raw, "source") or "", lease=Lease.from_json(_object(raw, "lease")),
            run=_flag(raw, "run"), queued=_integer(raw, "queued") or 0,
            terminals=_integer(raw, "terminals") or 0,
            failed=_flag(raw, "failed"), network=_text(raw, "network"),
            guest_memory=_object(raw, "guest_memory"), waiting=_object(raw, "waiting"),
            client=_text(raw, "client"), origin=_object(raw, "origin"), packages=_text(raw, "packages"),
            ended_at=_number(raw, "ended_at"),
            reason=_text(raw, "reason"), message=_text(raw, "message"),
            damaged=_flag(raw, "damaged"), raw=raw)


@dataclass(frozen=True)
class TerminalInfo:
    """A program at a terminal."""

    terminal: int  # its number in the session
    args: tuple[str, ...]  # the program and its arguments; none: the user's shell
    rows: int
    columns: int
    started_at: float
    clients: int  # that look at it
    typed_by: Optional[str]  # the client that types at it
    running: bool
    exit_code: Optional[int]
    signal: Optional[str]  # that ended it
    message: Optional[str]  # why nothing is known of its end
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> TerminalInfo:
        check("terminal", raw)
        return cls(
            _integer(raw, "terminal") or 0, tuple(raw.get("args") or ()), _integer(raw, "rows") or 0,
            _integer(raw, "columns") or 0, _number(raw, "started_at") or 0.0,
            _integer(raw, "clients") or 0, _text(raw, "typed_by"), _flag(raw, "running"),
            _integer(raw, "exit_code"), _text(raw, "signal"), _text(raw, "message"), raw)


@dataclass(frozen=True)
class Entry:
    """A file, folder or link in a session's home."""

    name: str
    name_bytes: bytes
    type: str  # "file", "dir", "symlink" or "other"
    size: int
    allocated: int
    mtime: float
    mode: int

    @classmethod
    def from_json(cls, raw: Json) -> Entry:
        check("entry", raw)
        return cls(text_of(raw, "name"), data_of(raw, "name"), _text(raw, "type") or "",
                   _integer(raw, "size") or 0, _integer(raw, "allocated") or 0,
                   _number(raw, "mtime") or 0.0, _integer(raw, "mode") or 0)


@dataclass(frozen=True)
class Hello:
    """What the server is and can do."""

    server: str
    protocol: int
    accel: str
    isolation: str  # "hardware", or "emulation": not a security boundary
    images: tuple[str, ...]
    limits: Json
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Hello:
        check("hello", raw)
        return cls(_text(raw, "server") or "", _integer(raw, "protocol") or 0,
                   _text(raw, "accel") or "", _text(raw, "isolation") or "",
                   tuple(_text(image, "name") or "" for image in _list(raw, "images") or ()),
                   _object(raw, "limits") or {}, raw)


@dataclass(frozen=True)
class Description:
    """What a name is."""

    type: str
    """"function", "class", …; empty: nothing is known of it."""
    signature: str
    """"(a, b=1)"; may be empty."""
    summary: str
    """The first line of its documentation; may be empty."""
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Description:
        check("description", raw)
        return cls(_text(raw, "type") or "", _text(raw, "signature") or "",
                   _text(raw, "summary") or "", raw)


@dataclass(frozen=True)
class Matches:
    """Completions at the cursor."""

    matches: tuple[str, ...]
    start: int
    end: int
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Matches:
        check("matches", raw)
        return cls(tuple(_text(match, "text") or "" for match in _list(raw, "matches") or ()),
                   _integer(raw, "start") or 0, _integer(raw, "end") or 0, raw)


@dataclass(frozen=True)
class Event:
    """Something happened in the server; docs/protocol.md lists the kinds and their fields."""

    kind: str
    seq: int
    at: float
    session: Optional[str]
    cell: Optional[int]
    info: Any
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Event:
        check("event", raw)
        return cls(_text(raw, "kind") or "", _integer(raw, "seq") or 0, _number(raw, "at") or 0.0,
                   _text(raw, "session"), _integer(raw, "cell"), raw.get("info"), raw)
