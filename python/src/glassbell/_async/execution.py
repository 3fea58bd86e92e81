# SPDX-License-Identifier: Apache-2.0
"""A running cell: its output, and its result."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from .._wire import Disconnected
from ..errors import GlassbellError, OutcomeUnknown, ProtocolError, from_json
from ..types import Cell, Output, Waiting
from .connection import (AsyncConnection, OutputCallback, WaitingCallback, deliver, expired)

if TYPE_CHECKING:
    from .client import AsyncClient
    from .session import AsyncSession

__all__ = ["AsyncExecution"]


class AsyncExecution:
    """A cell in progress: an iterator over `Output` and `Waiting`, then `cell`.

    Leaving it before its end (`close`, the end of a `with` block, a break out of the loop followed
    by `close`) interrupts the cell. `cancel` does so from elsewhere.
    """

    def __init__(self, client: AsyncClient, method: str, params: dict[str, Any], seconds: float,
                 session: Optional[AsyncSession] = None) -> None:
        self._client = client
        self._method = method
        self._params = params
        self._deadline = time.monotonic() + seconds
        self._session = session
        self._conn: Optional[AsyncConnection] = None
        self._pinned = False
        self._number = 0
        self._cancelled = False
        self.cell: Optional[Cell] = None

    async def _begin(self) -> AsyncConnection:
        """Sends the request; reconnects if the connection was dead before that."""
        pinned = self._session._pinned if self._session is not None else None
        for last in (False, True):
            conn = pinned or await self._client._take(self._deadline)
            self._conn = conn  # from here `cancel` finds it
            try:
                if self._cancelled:
                    raise Disconnected(sent=False)
                self._number = await conn.send(self._method, self._params, self._deadline)
                self._pinned = pinned is not None
                return conn
            except Disconnected as gone:
                self._conn = None
                await self._drop(conn)
                self._client._settle(self._method, gone, last or pinned is not None
                                     or self._cancelled)
            except BaseException:
                self._conn = None
                await self._drop(conn)
                raise
        raise AssertionError("unreachable")

    async def _drop(self, conn: AsyncConnection) -> None:
        conn.close()
        if self._session is not None:
            self._session._unpin(conn)

    async def _end(self, orderly: bool) -> None:
        """Returns the connection to the client. One that streamed is not kept: later output of
        background processes would go to it, instead of into the `background` of the next cell."""
        conn, self._conn = self._conn, None
        if conn is None:
            return
        if not orderly or self._cancelled:
            await self._drop(conn)
        elif self._pinned:
            pass
        elif self._params.get("stream"):
            conn.close()
        else:
            self._client._give(conn)

    async def _next(self) -> Optional[Union[Output, Waiting]]:
        """The next piece, or None when the cell has ended."""
        if self.cell is not None:
            return None
        conn = self._conn or await self._begin()
        try:
            while True:
                message = await conn.receive(self._deadline)
                if "method" in message:
                    note = self._note(message)
                    if note is not None:
                        return note
                    continue
                if message.get("id") != self._number:
                    raise ProtocolError("the server answered what nobody asked", dispatched=True)
                if "error" in message:
                    raise from_json(message["error"])
                self.cell = Cell.from_json(message["result"])
                await self._end(True)
                return None
        except TimeoutError:
            await self._end(False)
            raise expired(self._method) from None
        except Disconnected as gone:
            await self._end(False)
            raise OutcomeUnknown(
                f"{self._method}: " + ("the call was cancelled" if self._cancelled else
                                       f"{gone.why} before the reply")
                + ": the code may have run", dispatched=True) from None
        except GlassbellError as problem:
            await self._end(bool(problem.code))
            raise
        except BaseException:
            await self._end(False)
            raise

    def _note(self, message: dict[str, Any]) -> Optional[Union[Output, Waiting]]:
        params = message.get("params") or {}
        if message["method"] == "cell.output" and not params.get("background"):
            return Output.from_json(params)
        if message["method"] == "cell.waiting":
            return Waiting.from_json(params)
        return None

    async def finish(self, on_output: Optional[OutputCallback] = None,
                     on_waiting: Optional[WaitingCallback] = None) -> Cell:
        """Waits for the end; the callbacks are called in the meantime, in this thread or task."""
        try:
            while True:
                note = await self._next()
                if isinstance(note, Output):
                    await deliver(on_output, note)
                elif note is not None:
                    await deliver(on_waiting, note)
                elif self.cell is not None:
                    return self.cell
        finally:
            await self.close()

    def cancel(self) -> None:
        """Gives it up, from any thread: the server interrupts the cell, or drops it if it has not
        started, and a caller that waits for it gets OutcomeUnknown."""
        self._cancelled = True
        conn = self._conn
        if conn is not None:
            conn.abort()

    async def close(self) -> None:
        """Gives it up unless it has ended."""
        await self._end(self.cell is not None)

    def __aiter__(self) -> AsyncExecution:
        return self

    async def __anext__(self) -> Union[Output, Waiting]:
        note = await self._next()
        if note is None:
            raise StopAsyncIteration
        return note

    async def __aenter__(self) -> AsyncExecution:
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        await self.close()
