# SPDX-License-Identifier: Apache-2.0
"""What the server tells about: cells, sessions, files, events. All of them are plain values.

Each keeps the object as it came in `raw`, so that a field of a newer server is not lost.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from .errors import ProtocolError

__all__ = ["Cell", "Display", "Entry", "Event", "FileChange", "Hello", "Lease", "Matches",
           "Output", "SessionInfo", "Waiting"]

Json = Mapping[str, Any]


def _decode(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error) as problem:
        raise ProtocolError("the server sent bytes that are not base64", dispatched=True) from problem


def data_of(thing: Json, name: str = "") -> bytes:
    """The bytes of a text/base64 pair, or of a stream of a cell (`name` is "stdout")."""
    text = thing.get(name or "text")
    if isinstance(text, str):
        return text.encode()
    return _decode(thing.get(f"{name}_base64" if name else "base64", ""))


def text_of(thing: Json, name: str = "") -> str:
    """As `data_of`, but text; what is no UTF-8 is replaced."""
    text = thing.get(name or "text")
    return text if isinstance(text, str) else data_of(thing, name).decode(errors="replace")


@dataclass(frozen=True)
class Output:
    """A piece of what a cell printed. Joined in their order, the pieces are the stream."""

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
        return cls(str(raw.get("session", "")), int(raw.get("cell", 0)), str(raw.get("stream", "")),
                   data_of(raw), bool(raw.get("background", False)), int(raw.get("dropped", 0)))


@dataclass(frozen=True)
class Waiting:
    """An interactive cell waits for input (or, with `waiting` false, does so no longer)."""

    session: str
    cell: int
    waiting: bool

    @classmethod
    def from_json(cls, raw: Json) -> Waiting:
        return cls(str(raw.get("session", "")), int(raw.get("cell", 0)),
                   bool(raw.get("waiting", True)))


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
    if "argv_base64" in raw:
        return tuple(os.fsdecode(_decode(item)) for item in raw["argv_base64"])
    return tuple(raw["argv"]) if "argv" in raw else None


@dataclass(frozen=True)
class Cell:
    """What became of a piece of code. A failure of the code is told here, not raised."""

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
    raw: Json = field(repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """It ran to its end and says that all went well."""
        return self.exit_code == 0 and not self.timed_out and not self.interrupted and not self.oom

    @property
    def code_bytes(self) -> bytes:
        """The code as it was given, in whatever encoding."""
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
        truncated = raw.get("truncated") or {}
        files = raw.get("files")
        return cls(
            session=str(raw.get("session", "")), cell=int(raw.get("cell", 0)),
            image=str(raw.get("image", "")), code=str(raw.get("code") or ""),
            state=str(raw.get("state", "")), stdout=text_of(raw, "stdout"),
            stderr=text_of(raw, "stderr"), value=raw.get("value"),
            displays=tuple(Display(str(item.get("mime", "")), _decode(item["base64"]))
                           for item in raw.get("displays") or () if "base64" in item),
            exit_code=raw.get("exit_code"), signal=raw.get("signal"),
            timed_out=bool(raw.get("timed_out")), interrupted=bool(raw.get("interrupted")),
            oom=bool(raw.get("oom")), state_lost=bool(raw.get("state_lost")),
            truncated_stdout=int(truncated.get("stdout", 0)),
            truncated_stderr=int(truncated.get("stderr", 0)),
            files=None if files is None else tuple(
                FileChange(text_of(item, "path"), data_of(item, "path"),
                           str(item.get("change", "")), int(item.get("size") or 0))
                for item in files),
            files_cut=bool(raw.get("files_cut")), note=raw.get("note"), notice=raw.get("notice"), client=raw.get("client"),
            error=raw.get("error"), code_lost=bool(raw.get("code_lost")),
            result_lost=bool(raw.get("result_lost")), started_at=raw.get("started_at"), wall_ms=float(raw.get("wall_ms") or 0),
            cpu_ms=float(raw.get("cpu_ms") or 0),
            peak_memory_bytes=int(raw.get("peak_memory_bytes") or 0),
            background=tuple(Output.from_json({**item, "session": raw.get("session", ""),
                                               "background": True})
                             for item in raw.get("background") or ()),
            file=text_of(raw, "file") if "file" in raw or "file_base64" in raw else None,
            argv=_arguments(raw), raw=raw)


@dataclass(frozen=True)
class Lease:
    """Who alone may run code in a session, and since when."""

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
        return cls(raw.get("holder"), int(raw.get("client") or 0), bool(raw.get("human")),
                   float(raw.get("since") or 0), raw.get("note"), int(raw.get("waiting") or 0), raw)


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
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> SessionInfo:
        return cls(
            session=str(raw.get("session", "")), key=raw.get("key"), label=raw.get("label"),
            owner=raw.get("owner"), image=str(raw.get("image", "")),
            language=str(raw.get("language", "")), state=str(raw.get("state", "")),
            incarnation=int(raw.get("incarnation") or 0), cells=int(raw.get("cells") or 0),
            created_at=float(raw.get("created_at") or 0),
            last_active_at=float(raw.get("last_active_at") or 0), expires_at=raw.get("expires_at"),
            memory_mb=int(raw.get("memory_mb") or 0), memory_bytes=raw.get("memory_bytes"),
            cpu_ms=raw.get("cpu_ms"), source=str(raw.get("source", "")),
            lease=Lease.from_json(raw.get("lease")), raw=raw)


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
        return cls(text_of(raw, "name"), data_of(raw, "name"), str(raw.get("type", "")),
                   int(raw.get("size") or 0), int(raw.get("allocated") or 0),
                   float(raw.get("mtime") or 0), int(raw.get("mode") or 0))


@dataclass(frozen=True)
class Hello:
    """Who the server is and what it can do."""

    server: str
    protocol: int
    accel: str
    isolation: str  # "hardware", or "emulation": not a security boundary
    images: tuple[str, ...]
    limits: Json
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Hello:
        return cls(str(raw.get("server", "")), int(raw.get("protocol", 0)),
                   str(raw.get("accel", "")), str(raw.get("isolation", "")),
                   tuple(str(image.get("name")) for image in raw.get("images") or ()),
                   raw.get("limits") or {}, raw)


@dataclass(frozen=True)
class Matches:
    """What could stand at the cursor."""

    matches: tuple[str, ...]
    start: int
    end: int
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Json) -> Matches:
        return cls(tuple(str(match.get("text", "")) for match in raw.get("matches") or ()),
                   int(raw.get("start") or 0), int(raw.get("end") or 0), raw)


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
        return cls(str(raw.get("kind", "")), int(raw.get("seq") or 0), float(raw.get("at") or 0),
                   raw.get("session"), raw.get("cell"), raw.get("info"), raw)
