# Made by tools/unasync.py from _async/terminal.py: change that file.
# SPDX-License-Identifier: Apache-2.0
"""A program at a terminal, as one client sees it."""

from __future__ import annotations

import base64
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

from .._reader import check, check_result
from .._wire import Disconnected
from ..errors import ConnectionFailed, DeadlineExceeded, ProtocolError, from_json
from ..types import data_of
from .connection import Connection, expired

if TYPE_CHECKING:
    from .client import Client

__all__ = ["Terminal"]

# What a terminal shows while a request waits for its answer is kept for `read`, up to this. Above it, the
# oldest is dropped, and the whole screen is sent again.
_KEPT_MAX = 4 << 20  # bytes
_LATE_MAX = 64  # requests given up before they were answered


def _size_of(note: dict[str, Any]) -> int:
    """Of what it shows."""
    params = note.get("params") or {}
    return len(params.get("text") or params.get("base64") or "")


class Terminal:
    """The output of a program at a terminal, as bytes for a terminal of that size, beginning with
    its present screen; and its input. An iterator over the bytes, until the program has ended:
    then `exit_code`, `signal` or `message` say how.

    It has its own connection, and serves one task or thread at a time. Leaving it does not end the
    program; `close` does.
    """

    def __init__(self, client: Client, conn: Connection, session: str) -> None:
        self._client = client
        self._conn = conn
        self._session = session
        self._notes: deque[dict[str, Any]] = deque()
        self._kept = 0  # bytes of output in them
        self._torn = False  # some of it was dropped
        self._late: set[int] = set()  # requests given up, whose answers may still come
        self._rows, self._columns = 24, 80
        self.number = 0  # in its session
        self.ended = False
        self.types = True  # what is typed comes from us
        self.exit_code: Optional[int] = None
        self.signal: Optional[str] = None
        self.message: Optional[str] = None  # why nothing is known of its end

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.number} of {self._session}>"

    @classmethod
    def _begin(cls, client: Client, session: str, method: str,
                     params: dict[str, Any]) -> Terminal:
        until = time.monotonic() + client.timeout
        terminal = cls(client, client._connect(until), session)
        try:
            result = terminal._request(method, params, client.timeout)
        except BaseException:
            terminal._conn.close()
            raise
        terminal._rows, terminal._columns = params["rows"], params["columns"]
        terminal.number = int(params.get("terminal") or result["terminal"])
        terminal.types = not params.get("watch")
        return terminal

    def _request(self, method: str, params: dict[str, Any], seconds: float) -> Any:
        """One request and its reply; notifications in between are kept."""
        result = self._exchange(method, params, seconds)
        if self._torn and method != "terminal.close":
            self._exchange("terminal.resize", {
                "terminal": self.number, "rows": self._rows, "columns": self._columns}, seconds)
            self._torn = False  # the screen comes after the answer
        return result

    def _exchange(self, method: str, params: dict[str, Any], seconds: float) -> Any:
        until = time.monotonic() + seconds
        number = None
        try:
            number = self._conn.send(method, {"session": self._session, **params}, until)
            while True:
                message = self._conn.receive(until)
                if "method" in message:
                    self._keep(message)
                elif message.get("id") != number:
                    self._discard(message)
                elif "error" in message:
                    number = None
                    raise from_json(message["error"])
                else:
                    number = None
                    return check_result(method, message.get("result"))
        except TimeoutError:
            raise expired(method) from None
        except (Disconnected, ValueError):  # ValueError: closed by us
            raise ConnectionFailed(f"{method}: the connection of the terminal is closed",
                                   dispatched=method == "session.terminal") from None
        finally:
            if number is not None:  # without an answer, be it for a deadline or a cancelled task
                self._late.add(number)
                if len(self._late) > _LATE_MAX:
                    self._conn.close()

    def _discard(self, message: dict[str, Any]) -> None:
        """The reply to a request that was given up."""
        if message.get("id") not in self._late:
            raise ProtocolError("the server answered what nobody asked", dispatched=True)
        self._late.remove(message["id"])

    def _keep(self, message: dict[str, Any]) -> None:
        """For `read`. The server sends the whole screen again after a gap, so output may be dropped."""
        size = _size_of(message)
        if self._kept + size > _KEPT_MAX:
            self._notes = deque(note for note in self._notes if _size_of(note) == 0)
            self._kept = 0
            self._torn = True
        self._notes.append(message)
        self._kept += size

    def _kept_next(self) -> dict[str, Any]:
        message = self._notes.popleft()
        self._kept -= _size_of(message)
        return message

    def _take(self, message: dict[str, Any]) -> bytes:
        params = message.get("params") or {}
        if params.get("session") != self._session or params.get("terminal") != self.number:
            return b""
        if message["method"] == "terminal.output":
            return data_of(params)
        if message["method"] == "terminal.taken":
            self.types = False
        elif message["method"] == "terminal.ended":
            check("terminal_end", params)
            self.ended = True
            self.exit_code = params.get("exit_code")
            self.signal = params.get("signal")
            self.message = params.get("message")
        return b""

    def read(self, timeout: Optional[float] = None) -> bytes:
        """The next bytes; none when the program has ended. DeadlineExceeded if nothing arrives
        within `timeout` seconds, after which reading may continue."""
        until = None if timeout is None else time.monotonic() + timeout
        while not self.ended:
            try:
                message = (self._kept_next() if self._notes else
                           self._conn.receive(until))
            except TimeoutError:
                raise DeadlineExceeded(f"the terminal showed nothing new within {timeout:g} s",
                                       retryable=True) from None
            except (Disconnected, ValueError):
                raise ConnectionFailed("the connection of the terminal is closed",
                                       retryable=True) from None
            if "method" not in message:
                self._discard(message)
                continue
            data = self._take(message)
            if data:
                return data
        return b""

    def write(self, data: Union[str, bytes]) -> None:
        """Sends input; returns when there is room for more. Held if another client types now."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        self._request("terminal.input", {
            "terminal": self.number, "base64": base64.b64encode(raw).decode()},
            self._client.timeout)

    def resize(self, rows: int, columns: int) -> None:
        self._request("terminal.resize", {
            "terminal": self.number, "rows": rows, "columns": columns}, self._client.timeout)
        self._rows, self._columns = rows, columns

    def close(self) -> None:
        """Hangs up: the program gets SIGHUP, and is killed if that does not end it."""
        try:
            self._request("terminal.close", {"terminal": self.number}, self._client.timeout)
        finally:
            self.leave()

    def leave(self) -> None:
        """Detaches; the program continues, and `Session.attach` returns to it."""
        self._conn.close()

    def __iter__(self) -> Terminal:
        return self

    def __next__(self) -> bytes:
        data = self.read()
        if not data:
            raise StopIteration
        return data

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        self.leave()
