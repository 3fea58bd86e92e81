# Made by tools/unasync.py from _async/events.py: change that file.
# SPDX-License-Identifier: Apache-2.0
"""A subscription to events of the server."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Optional

from .._wire import Disconnected
from ..errors import ConnectionFailed, DeadlineExceeded, ProtocolError, from_json
from ..types import Event
from .connection import Connection, expired

__all__ = ["Events"]


class Events:
    """An iterator of `Event`, and a context manager. It ends when it is closed; if the server
    disconnects it raises ConnectionFailed."""

    def __init__(self, conn: Connection, timeout: Optional[float]) -> None:
        self._conn = conn
        self._timeout = timeout
        self._waiting: list[Event] = []
        self._closed = False
        self.subscription = 0

    @classmethod
    def subscribe(cls, conn: Connection, params: dict[str, Any], deadline: float,
                        timeout: Optional[float]) -> Events:
        events = cls(conn, timeout)
        number = conn.send("events.subscribe", params, deadline)
        while True:
            try:
                message = conn.receive(deadline)
            except TimeoutError:
                raise expired("events.subscribe") from None
            if message.get("method") == "event":
                events._waiting.append(Event.from_json(message.get("params") or {}))
            elif message.get("id") == number:
                if "error" in message:
                    raise from_json(message["error"])
                events.subscription = int(message["result"]["subscription"])
                return events
            elif "method" not in message:
                raise ProtocolError("the server answered what nobody asked")

    def next(self, timeout: Optional[float] = None) -> Event:
        """The next event; DeadlineExceeded if none arrives within `timeout` seconds, after which
        the subscription continues."""
        if self._waiting:
            return self._waiting.pop(0)
        limit = self._timeout if timeout is None else timeout
        until = None if limit is None else time.monotonic() + limit
        while True:
            try:
                message = self._conn.receive(until)
            except TimeoutError:
                raise DeadlineExceeded(f"no event came within {limit:g} s", retryable=True) from None
            except (Disconnected, ValueError):  # ValueError: closed while it was waited for
                raise ConnectionFailed("the connection of the events is closed",
                                       retryable=True) from None
            if message.get("method") == "event":
                return Event.from_json(message.get("params") or {})

    def close(self) -> None:
        self._closed = True
        self._conn.abort()
        self._conn.close()

    def __iter__(self) -> Events:
        return self

    def __next__(self) -> Event:
        try:
            return self.next()
        except ConnectionFailed:
            if self._closed:
                raise StopIteration from None
            raise

    def __enter__(self) -> Events:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        self.close()
