# SPDX-License-Identifier: Apache-2.0
"""One session: its cells, its files, its lease."""

from __future__ import annotations

import base64
import os
import time
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, AsyncIterator, Mapping, Optional, Sequence, Union

from .. import _check
from .._program import Args, Code, program
from .._wire import Disconnected
from ..errors import (ConnectionFailed, GlassbellError, InvalidInput, ProtocolError, TooLarge,
                      not_opened)
from ..types import (Cell, Checkpoint, Description, Diff, Entry, Forked, Kept, Lease, Matches, NetworkRecord,
                     Rewound, SessionInfo, Slept, TerminalInfo, data_of)
from .connection import AsyncConnection, Lock, OutputCallback, WaitingCallback
from .execution import AsyncExecution
from .terminal import AsyncTerminal

if TYPE_CHECKING:
    from .client import AsyncClient

__all__ = ["AsyncSession"]

_PIECE = 3 << 20  # bytes of a file that travel at once: 4 MiB as base64
_LONGEST = 86400.0  # seconds that the server lets any cell run
_WAIT_MAX = 3600.0  # seconds that the server lets a checkpoint wait
_PAGE = 100  # cells of a history asked for at once
_RECORDS = 500  # of a network, likewise
_CHECKPOINTS = 100  # of them asked for at once
_REWIND = 60.0  # seconds that another VM may take to come up
_LISTS = 480.0  # seconds that the lists of two moments may take
_FORKS = 64  # sessions that are forked at once
_ENTRIES = 10000  # names of a folder asked for at once
_ENTRIES_MAX = 1000000  # and in all: what is in the VM decides how many there are

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]


def _place(path: Path) -> dict[str, Any]:
    """A path as parameters of a method. A `str` may be one of Python's own functions for files, in
    which bytes that are not UTF-8 are surrogates."""
    raw = os.fspath(path)
    if isinstance(raw, str):
        try:
            raw = raw.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            raise InvalidInput(f"{raw!r:.200} is no path: it has half a surrogate pair") from None
    try:
        return {"path": raw.decode()}
    except UnicodeDecodeError:
        return {"path_base64": base64.b64encode(raw).decode()}


class AsyncSession:
    """A VM with an interpreter that keeps its state from cell to cell.

    `created`, `incarnation` and `reason` say whether it is new and what happened to the previous
    one with its key. As a context manager it is closed at the end; otherwise it lives until it is
    closed, has been idle for too long, or reaches its lifetime.
    """

    def __init__(self, client: AsyncClient, id: str, opened: Mapping[str, Any]) -> None:
        self.client = client
        self.id = id
        self.created = bool(opened.get("created", False))
        self.incarnation = int(opened.get("incarnation") or 0)
        self.reason = str(opened.get("reason", ""))
        self.source = str(opened.get("source", ""))
        self.timing: Mapping[str, float] = opened.get("timing") or {}
        self._timeout: Optional[float] = None  # of its cells, where it is known
        self._pinned: Optional[AsyncConnection] = None  # the one that the lease belongs to
        self._pin_lock = Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"

    async def _call(self, method: str, *, safe: bool = False, deadline: Optional[float] = None,
                    **params: Any) -> Any:
        return await self.client._call(method, {"session": self.id, **params}, deadline=deadline,
                                       safe=safe)

    # Cells

    def _execution(self, code: Code, file: Optional[Path], args: Args, name: Optional[str],
                   final: bool, mode: Optional[str], timeout: Optional[float],
                   stdin: Optional[str], interactive: bool, env: Optional[Mapping[str, str]],
                   max_stdout: Optional[int], max_stderr: Optional[int], detach: bool,
                   lease_wait: Optional[float], rollback: bool, stream: bool,
                   deadline: Optional[float]) -> AsyncExecution:
        lease_wait = _check.within(
            "lease_wait", self.client.lease_wait if lease_wait is None else lease_wait, 0,
            _check.DAY)
        timeout_ms = _check.timeout(timeout)
        deadline = _check.deadline(deadline)
        if deadline is None:
            known = timeout if timeout is not None else self._timeout
            deadline = (known if known else _LONGEST) + self.client.grace + lease_wait
        return AsyncExecution(self.client, "session.exec", {
            "session": self.id, **program(code, file, args, name), "final": final or None,
            "mode": mode,
            "timeout_ms": timeout_ms,
            "stdin": stdin, "interactive": interactive or None,
            "env": dict(env) if env is not None else None,
            "max_stdout": _check.output("max_stdout", max_stdout),
            "max_stderr": _check.output("max_stderr", max_stderr), "detach": detach or None,
            "lease_wait_ms": _check.ms("lease_wait", lease_wait, 0, _check.DAY),
            "rollback": None if rollback else False,
            "stream": stream or None,
        }, deadline, self)

    async def exec(self, code: Code = None, *, file: Optional[Path] = None, args: Args = None,
                   name: Optional[str] = None, final: bool = False, mode: Optional[str] = None, timeout: Optional[float] = None,
                   stdin: Optional[str] = None, interactive: bool = False,
                   env: Optional[Mapping[str, str]] = None, max_stdout: Optional[int] = None,
                   max_stderr: Optional[int] = None, detach: bool = False,
                   lease_wait: Optional[float] = None, rollback: bool = True,
                   on_output: Optional[OutputCallback] = None,
                   on_waiting: Optional[WaitingCallback] = None,
                   deadline: Optional[float] = None) -> Cell:
        """Runs a cell and returns its result; a failing program is not an exception.

        file: the code is a program that is written to the home under this name and runs as the
        language's own command would run it, with `args`; without code, the existing file. Code
        without a file takes `args` like `python3 -c`. Code given as bytes is decoded by the rules
        of the language. final: the last cell, with which the interpreter ends like a process. mode:
        "kernel" (the session's interpreter), "process" (a fresh one) or "shell" (bash). timeout:
        seconds for the code. lease_wait: seconds to wait while another client holds the session,
        before Held is raised; 0: not at all; by default the client's, ten minutes. rollback: False:
        if its interpreter has to be killed because of the cell, the session gets a new one instead
        of returning to a checkpoint of the state before the cell. on_output gets the output in
        pieces as it arrives, on_waiting is called when an interactive cell waits for input.
        deadline: seconds for the whole call.
        """
        execution = self._execution(code, file, args, name, final, mode, timeout, stdin, interactive, env, max_stdout,
                                    max_stderr, detach, lease_wait, rollback,
                                    on_output is not None or on_waiting is not None, deadline)
        if self._pinned is None:
            return await execution.finish(on_output, on_waiting)
        async with self._pin_lock:
            return await execution.finish(on_output, on_waiting)

    def stream(self, code: Code = None, *, file: Optional[Path] = None, args: Args = None,
               name: Optional[str] = None, final: bool = False, mode: Optional[str] = None, timeout: Optional[float] = None,
               stdin: Optional[str] = None, interactive: bool = False,
               env: Optional[Mapping[str, str]] = None, max_stdout: Optional[int] = None,
               max_stderr: Optional[int] = None, detach: bool = False,
               lease_wait: Optional[float] = None, rollback: bool = True, quiet: bool = False,
               deadline: Optional[float] = None) -> AsyncExecution:
        """A cell as an iterator over its output; it starts with the first step. `quiet`: no output
        before its end."""
        return self._execution(code, file, args, name, final, mode, timeout, stdin, interactive, env, max_stdout, max_stderr,
                               detach, lease_wait, rollback, not quiet, deadline)

    async def stdin(self, data: Union[str, bytes], *, eof: bool = False,
                    cell: Optional[int] = None) -> None:
        """Sends standard input to the running interactive cell. `cell`: only to this one, else
        NotFound."""
        cell = _check.optional("cell", cell, 0)
        if isinstance(data, bytes):
            await self._call("session.stdin", base64=base64.b64encode(data).decode(), eof=eof,
                             cell=cell)
        else:
            await self._call("session.stdin", text=data, eof=eof, cell=cell)

    async def interrupt(self) -> None:
        """Sends SIGINT to the running cell. NotFound if none is running."""
        await self._call("session.interrupt")

    async def complete(self, code: str, cursor: Optional[int] = None) -> Matches:
        """Completions at the cursor (in code points; by default the end)."""
        return Matches.from_json(await self._call(
            "session.complete", code=code, cursor=_check.optional("cursor", cursor, 0), safe=True))

    async def describe(self, code: str) -> Description:
        """What the name at the end of the code is: its kind, its parameters, the first line of its
        documentation. Runs no code of the session's."""
        return Description.from_json(await self._call("session.describe", code=code, safe=True))

    async def is_complete(self, code: str) -> tuple[str, str]:
        """Whether code is "complete", "incomplete" or "invalid", and the indentation for the next
        line."""
        result = await self._call("session.is_complete", code=code, safe=True)
        return str(result.get("status", "")), str(result.get("indent") or "")

    async def history(self, *, after: int = 0, limit: Optional[int] = None,
                      output: Optional[bool] = None, find: Optional[str] = None,
                      annotated: Optional[bool] = None) -> list[Cell]:
        """The cells with larger numbers than `after`, even after the session has ended. `limit`: at
        most this many; by default all. `find`: only those with this text in their code, output,
        value or error. `annotated`: only those with a bookmark or a note."""
        cells: list[Cell] = []
        after = _check.whole("after", after, 0)
        limit = _check.optional("limit", limit, 0)
        while limit is None or len(cells) < limit:
            page = _PAGE if limit is None else min(_PAGE, limit - len(cells))
            result = await self._call("session.history", after=after, limit=page, output=output,
                                      find=find, annotated=annotated, safe=True)
            cells += [Cell.from_json(item) for item in result.get("cells") or ()]
            if not result.get("more"):
                break
            if int(result.get("next") or 0) <= after:
                raise ProtocolError("session.history: the server did not say how it goes on")
            after = int(result["next"])
        return cells

    async def annotate(self, cell: int, *, bookmark: Optional[bool] = None,
                       note: Optional[str] = None) -> None:
        """Gives a cell a bookmark or a note for people, or removes them (False, ""); what is not
        given stays. The journal keeps them with the cell, so this works after the session has
        ended, too."""
        await self._call("session.annotate", cell=_check.whole("cell", cell, 1),
                         bookmark=bookmark, note=note)

    async def network(self, network: Optional[Any] = None, *,
                      rules: Optional[Sequence[str]] = None) -> dict[str, Any]:
        """What it may reach, and the questions that wait (docs/network.md): `network` replaces the
        policy, `rules` are inserted before the existing ones."""
        return dict(await self._call("session.network", network=network,
                                     rules=list(rules) if rules is not None else None))

    async def network_answer(self, question: int, answer: str) -> None:
        """Answers a `network.question`: "once", "session", "always", "refuse" or
        "never"."""
        await self._call("session.network_answer", question=_check.whole("question", question, 1),
                         answer=answer)

    async def port_open(self, port: int, *, address: Optional[str] = None,
                        unix: Optional[str] = None) -> str:
        """Opens a port of the guest to programs on the server's host, until it is closed or the
        session ends. `address`: "127.0.0.1:PORT" or "[::1]:PORT" there; `unix`: instead, the
        path of a socket to create; by default a free port of 127.0.0.1. Returns the address,
        such as "127.0.0.1:41234", or the path."""
        result = await self._call("session.port_open", port=_check.whole("port", port, 1, 65535),
                                  address=address, unix=unix)
        return str(result["address"])

    async def port_close(self, port: int, *, address: Optional[str] = None) -> None:
        """Closes an open port, and breaks its connections. `address`: only the one at this address."""
        await self._call("session.port_close", port=_check.whole("port", port, 1, 65535),
                         address=address)

    async def network_log(self, *, after: int = 0,
                          limit: Optional[int] = None) -> list[NetworkRecord]:
        """How its network was used, even after the session has ended: a record for each connection
        that has ended or was refused, and for each decision, with larger numbers than `after`.
        `limit`: at most this many; by default all."""
        records: list[NetworkRecord] = []
        after = _check.whole("after", after, 0)
        limit = _check.optional("limit", limit, 0)
        while limit is None or len(records) < limit:
            page = _RECORDS if limit is None else min(_RECORDS, limit - len(records))
            result = await self._call("session.network_log", after=after, limit=page, safe=True)
            records += [NetworkRecord.from_json(item) for item in result.get("records") or ()]
            if not result.get("more"):
                break
            if int(result.get("next") or 0) <= after:
                raise ProtocolError("session.network_log: the server did not say how it goes on")
            after = int(result["next"])
        return records

    # Its past

    async def checkpoint(self, name: Optional[str] = None, *, wait: float = 10.0) -> Kept:
        """Saves the session as it is now: memory, files and processes. `wait`: how many seconds to
        wait for it to become idle."""
        wait = _check.within("wait", wait, 0, _WAIT_MAX)
        return Kept.from_json(await self._call("session.checkpoint", name=name,
                                               wait_ms=round(wait * 1000), deadline=wait + _REWIND))

    async def checkpoints(self) -> list[Checkpoint]:
        """The checkpoints to which the session can be rewound, oldest first."""
        found: list[Checkpoint] = []
        more = True
        while more:
            result = await self._call("session.checkpoints", after=found[-1].seq if found else 0,
                                      limit=_CHECKPOINTS, safe=True)
            page = [Checkpoint.from_json(item) for item in result.get("checkpoints") or ()]
            more = bool(result.get("more"))
            if more and (not page or page[-1].seq <= (found[-1].seq if found else 0)):
                raise ProtocolError("session.checkpoints: the server did not say how it goes on")
            found += page
        return found

    async def rewind(self, cell: Optional[int] = None, *, seq: Optional[int] = None,
                     name: Optional[str] = None, cells: Optional[int] = None,
                     steps: Optional[int] = None,
                     interrupt: bool = False, wait: float = 10.0) -> Rewound:
        """Takes the session, with its memory, files and processes, to its state after `cell`, to a
        checkpoint by its number or name, or back by a number of `cells` or of checkpoints
        (`steps`). Nothing is run again, and the state that is left is saved. `interrupt`: a
        running cell is interrupted, and waiting ones are dropped; otherwise the call waits for
        all of them, at most `wait` seconds."""
        wait = _check.within("wait", wait, 0, _WAIT_MAX)
        return Rewound.from_json(await self._call(
            "session.rewind", cell=_check.optional("cell", cell, 0),
            seq=_check.optional("seq", seq, 1), name=name, cells=cells, steps=steps,
            interrupt=interrupt or None, drop_queued=interrupt or None,
            wait_ms=round(wait * 1000), deadline=wait + _REWIND))

    async def undo(self, steps: int = 1, *, interrupt: bool = False, wait: float = 10.0) -> Rewound:
        """Takes it back by this many checkpoints."""
        return await self.rewind(steps=_check.whole("steps", steps, 1), interrupt=interrupt,
                                 wait=wait)

    async def redo(self, steps: int = 1, *, interrupt: bool = False, wait: float = 10.0) -> Rewound:
        """Reverts this many `undo`."""
        return await self.rewind(steps=-_check.whole("steps", steps, 1), interrupt=interrupt,
                                 wait=wait)

    async def sleep(self, *, wait: float = 10.0) -> Slept:
        """Puts it to sleep: its VM ends, and it uses only disk space until it is used again; then
        it continues with its variables, files and processes. `wait`: how many seconds to wait
        for it to become idle."""
        wait = _check.within("wait", wait, 0, _WAIT_MAX)
        return Slept.from_json(await self._call("session.sleep", wait_ms=round(wait * 1000),
                                                deadline=wait + _REWIND))

    async def wake(self, *, wait: float = 60.0) -> Slept:
        """Wakes it before it is used. `wait`: how many seconds to wait for capacity."""
        wait = _check.within("wait", wait, 0, _WAIT_MAX)
        return Slept.from_json(await self._call("session.wake", wait_ms=round(wait * 1000),
                                                deadline=wait + _REWIND))

    async def fork(self, count: int = 1, *, cell: Optional[int] = None, seq: Optional[int] = None,
                   name: Optional[str] = None, label: Optional[str] = None,
                   wait: float = 10.0) -> list[Union[AsyncSession, GlassbellError]]:
        """Opens sessions that continue independently from the present state, from the state after
        `cell`, or from a checkpoint by its number or name; this session continues, too. In place
        of a session that could not be opened, the result has the error. `wait`: how many seconds
        to wait for the session to become idle, and for each fork to get capacity."""
        wait = _check.within("wait", wait, 0, _WAIT_MAX)
        count = _check.whole("count", count, 1)
        if count > _FORKS:
            raise InvalidInput(f"count is at most {_FORKS}, and not {count}")
        forked = Forked.from_json(await self._call(
            "session.fork", count=count, cell=_check.optional("cell", cell, 0),
            seq=_check.optional("seq", seq, 1), name=name, label=label,
            wait_ms=round(wait * 1000), deadline=2 * wait + _REWIND + 2 * count))
        return [self._child(one.session) if one.session is not None else not_opened(
            one.kind or "internal", one.message or "") for one in forked.sessions]

    async def diff(self, to: Optional[AsyncSession] = None, *, cell: Optional[int] = None,
                   seq: Optional[int] = None, name: Optional[str] = None,
                   to_cell: Optional[int] = None, to_seq: Optional[int] = None,
                   to_name: Optional[str] = None, wait: float = 10.0) -> Diff:
        """How another moment, of this session or of `to`, differs from one of this session:
        variables, files and the output of cells. Each moment is that after a cell, a checkpoint
        by its number or name, or now. Both are looked at in forks: the sessions are not touched.
        `wait`: how many seconds to wait, for each, for the session to become idle, and for its
        fork to get capacity."""
        wait = _check.within("wait", wait, 0, _WAIT_MAX)
        return Diff.from_json(await self._call(
            "session.diff", cell=_check.optional("cell", cell, 0),
            seq=_check.optional("seq", seq, 1), name=name, to=None if to is None else to.id,
            to_cell=_check.optional("to_cell", to_cell, 0),
            to_seq=_check.optional("to_seq", to_seq, 1), to_name=to_name,
            wait_ms=round(wait * 1000), deadline=4 * wait + 2 * _REWIND + _LISTS))

    def _child(self, id: str) -> AsyncSession:
        child = AsyncSession(self.client, id, {"created": True, "incarnation": 1, "reason": "new",
                                               "source": "fork"})
        child._timeout = self._timeout
        return child

    # Programs at terminals, beside the cells

    async def terminal(self, *args: str, rows: int = 24, columns: int = 80,
                       env: Optional[Mapping[str, str]] = None) -> AsyncTerminal:
        """Starts a program (by default the user's shell) at a terminal and attaches to it."""
        return await AsyncTerminal._begin(self.client, self.id, "session.terminal", {
            "args": list(args) or None, "rows": rows, "columns": columns,
            "env": dict(env) if env is not None else None})

    async def attach(self, terminal: int, *, rows: int = 24, columns: int = 80,
                     watch: bool = False) -> AsyncTerminal:
        """Returns to a terminal: from now on this object types at it, unless it only watches."""
        number = _check.whole("terminal", terminal, 1)
        return await AsyncTerminal._begin(self.client, self.id, "terminal.attach", {
            "terminal": number, "rows": rows, "columns": columns, "watch": watch or None})

    async def terminals(self) -> Sequence[TerminalInfo]:
        """The running ones, and the last ones that have ended."""
        result = await self._call("terminal.list", safe=True)
        return [TerminalInfo.from_json(item) for item in result.get("terminals") or ()]

    # The session

    async def get(self) -> SessionInfo:
        return SessionInfo.from_json(await self._call("session.get", safe=True))

    async def close(self) -> None:
        """Closes it; returns when its VM has ended. Idempotent."""
        conn, self._pinned = self._pinned, None
        if conn is not None:
            conn.close()
        await self._call("session.close", safe=True)

    async def __aenter__(self) -> AsyncSession:
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        try:
            await self.close()
        except GlassbellError:
            if problem is None:
                raise

    # The lease: it belongs to a connection, so the session's cells go over that one meanwhile.

    async def take_lease(self, note: Optional[str] = None, *, human: bool = False,
                         force: bool = False) -> Optional[Lease]:
        """From now on only this object runs cells in the session. Held if another client does,
        unless it is taken by `force`."""
        async with self._pin_lock:
            return Lease.from_json((await self._on_pinned({
                "action": "take", "note": note, "human": human or None,
                "force": force or None})).get("lease"))

    async def stand_by(self) -> int:
        """Makes this object one to which a lease may be handed over; returns the number to pass as
        `to`."""
        async with self._pin_lock:
            if self._pinned is None:
                self._pinned = await self.client._connect(time.monotonic() + self.client.timeout)
            return self._pinned.client

    async def release_lease(self, note: Optional[str] = None) -> None:
        """Releases the lease; `note` is passed to the next client that runs a cell."""
        await self._end_lease({"action": "release", "note": note})

    async def hand_over_lease(self, to: Union[str, int],
                              note: Optional[str] = None) -> Optional[Lease]:
        """Passes the lease to the client with that name or number."""
        return await self._end_lease({"action": "hand_over", "to": str(to), "note": note})

    async def _on_pinned(self, params: dict[str, Any]) -> Any:
        until = time.monotonic() + self.client.timeout
        conn, self._pinned = self._pinned, None
        if conn is None:
            conn = await self.client._connect(until)
        try:
            result = await self.client._exchange(
                conn, "session.lease", {"session": self.id, **params}, until)
        except Disconnected:
            conn.close()
            raise ConnectionFailed(f"{self!r}: a lease that was held has ended with its connection",
                                   retryable=True) from None
        except BaseException:
            conn.close()
            raise
        self._pinned = conn
        return result

    async def _end_lease(self, params: dict[str, Any]) -> Optional[Lease]:
        async with self._pin_lock:
            if self._pinned is None:
                raise ConnectionFailed(f"{self!r}: the lease is not ours (any more)")
            result = await self._on_pinned(params)
            if self._pinned is not None:
                self._pinned.close()
                self._pinned = None
            return Lease.from_json(result.get("lease"))

    @asynccontextmanager
    async def lease(self, note: Optional[str] = None, *,
                    human: bool = False) -> AsyncIterator[Optional[Lease]]:
        """A `with` block in which only this object runs cells in the session."""
        lease = await self.take_lease(note, human=human)
        try:
            yield lease
        finally:
            if self._pinned is not None:
                await self.release_lease()

    def _unpin(self, conn: AsyncConnection) -> None:
        if self._pinned is conn:
            self._pinned = None

    # Files. Paths are relative to the home of the session.

    async def write(self, path: Path, data: Union[str, bytes], *, mode: Optional[int] = None,
                    deadline: Optional[float] = None) -> int:
        """Writes a file, completely or not at all; missing parent folders are created. Returns its
        size."""
        content = data.encode() if isinstance(data, str) else bytes(data)
        deadline = _check.deadline(deadline)
        mode = _check.optional("mode", mode, 0, 0o777)
        until = time.monotonic() + (self._transfer(len(content)) if deadline is None else deadline)
        for last in (False, True):
            try:
                async with self.client._connection(until) as conn:
                    return await self._upload(conn, path, content, mode, until)
            except Disconnected as gone:  # writing it twice does what writing it once does
                self.client._settle("file.write", gone, last)
        raise AssertionError("unreachable")

    async def _upload(self, conn: AsyncConnection, path: Path, content: bytes, mode: Optional[int],
                      until: float) -> int:
        offset = 0
        while True:
            piece = content[offset:offset + _PIECE]
            final = offset + len(piece) == len(content)
            result = await self.client._exchange(conn, "file.write", {
                "session": self.id, **_place(path), "offset": offset, "final": final,
                "base64": base64.b64encode(piece).decode(), "mode": mode}, until)
            offset += len(piece)
            if final:
                return int(result["size"])

    def _transfer(self, size: int) -> float:
        """Seconds after which to give up a transfer, even on a slow host."""
        return self.client.grace + size / 100_000

    async def read(self, path: Path, *, offset: int = 0, length: Optional[int] = None,
                   deadline: Optional[float] = None) -> bytes:
        """The bytes of a file: all of them, or at most `length` from `offset` on."""
        deadline = _check.deadline(deadline)
        offset = _check.whole("offset", offset, 0)
        length = _check.optional("length", length, 0)
        until = time.monotonic() + (self._transfer(length or 1 << 30) if deadline is None
                                    else deadline)
        pieces: list[bytes] = []
        end = None if length is None else offset + length
        while end is None or offset < end:
            result = await self._call(
                "file.read", **_place(path), offset=offset, safe=True,
                length=_PIECE if end is None else min(_PIECE, end - offset),
                deadline=until - time.monotonic())
            piece = data_of(result)
            pieces.append(piece)
            offset += len(piece)
            if result.get("eof", True):
                break
            if not piece:
                raise ProtocolError("file.read: the server sent nothing before the file's end")
        return b"".join(pieces)

    async def read_text(self, path: Path, encoding: str = "utf-8") -> str:
        return (await self.read(path)).decode(encoding)

    async def upload(self, local: Path, path: Optional[Path] = None) -> int:
        """Copies a local file into the session; by default under its own name."""
        with open(local, "rb") as file:
            content = file.read()
        return await self.write(os.path.basename(local) if path is None else path, content,
                                mode=os.stat(local).st_mode & 0o777)

    async def download(self, path: Path, local: Optional[Path] = None) -> int:
        """Copies a file of the session to this machine; returns its size."""
        content = await self.read(path)
        with open(os.path.basename(path) if local is None else local, "wb") as file:
            return file.write(content)

    async def list(self, path: Path = ".", *, limit: Optional[int] = None) -> list[Entry]:
        """The entries of a folder, sorted by name. `limit`: at most this many, the first ones; by
        default all, and TooLarge if there are more than a million."""
        entries: list[Entry] = []
        limit = _check.optional("limit", limit, 0)
        most = _ENTRIES_MAX if limit is None else limit
        place: Optional[str] = None
        while len(entries) < most:
            result = await self._call("file.list", **_place(path), next=place, safe=True,
                                      limit=min(_ENTRIES, most - len(entries)))
            page = [Entry.from_json(item) for item in result.get("entries") or ()]
            if page and entries and page[0].name_bytes <= entries[-1].name_bytes:
                raise ProtocolError("file.list: the server sent names twice")
            entries += page
            place = result.get("next")
            if place is None:
                return entries
            if not page:
                raise ProtocolError("file.list: the server sent nothing before the list's end")
        if limit is None:
            raise TooLarge(f"{os.fspath(path)!r:.200} has more than {_ENTRIES_MAX} entries")
        return entries

    async def stat(self, path: Path) -> Entry:
        return Entry.from_json(await self._call("file.stat", **_place(path), safe=True))

    async def exists(self, path: Path) -> bool:
        try:
            await self.stat(path)
            return True
        except GlassbellError as problem:
            if problem.kind == "not_found" and (await self.get()).session == self.id:
                return False
            raise

    async def remove(self, path: Path, *, recursive: bool = False) -> None:
        await self._call("file.remove", **_place(path), recursive=recursive)

    async def mkdir(self, path: Path, *, recursive: bool = True) -> None:
        await self._call("file.mkdir", **_place(path), recursive=recursive)
