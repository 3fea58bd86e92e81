# SPDX-License-Identifier: Apache-2.0
"""One connection for asyncio. It serves one request at a time and belongs to no loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import socket
import time
from typing import Any, Awaitable, Callable, Optional, Union

from .._host import LinkSocket
from .._dial import Address, connect, connect_now
from .._wire import RUNS_CODE, Disconnected, Framer, encode
from ..errors import DeadlineExceeded
from ..types import Output, Waiting

OutputCallback = Callable[[Output], Union[None, Awaitable[None]]]
WaitingCallback = Callable[[Waiting], Union[None, Awaitable[None]]]
Lock = asyncio.Lock


async def deliver(callback: Optional[Callable[[Any], Union[None, Awaitable[None]]]],
                  note: Any) -> None:
    if callback is not None:
        result = callback(note)
        if inspect.isawaitable(result):
            await result


def expired(method: str) -> DeadlineExceeded:
    return DeadlineExceeded(f"{method}: the deadline has passed", dispatched=method in RUNS_CODE)


class AsyncConnection:
    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._framer = Framer()
        self._number = 0
        self.client = 0  # its number, as the server told in `hello`
        self.pid = os.getpid()

    @classmethod
    async def open(cls, address: Address, program: Optional[str],
                   deadline: float) -> AsyncConnection:
        sock = connect_now(address)
        if sock is None:  # a full backlog, or a server to start: both take their time
            loop = asyncio.get_running_loop()
            sock = await loop.run_in_executor(None, connect, address, program, deadline)
        return cls(sock)

    async def send(self, method: str, params: dict[str, Any], deadline: float) -> int:
        """Sends a request and returns its number. Fails with Disconnected(sent=False)."""
        self._number += 1
        line = encode(self._number, method, params)
        try:
            sent = self._sock.send(line)
        except BlockingIOError:
            sent = 0
        except OSError:
            raise self._gone(sent=False) from None
        if sent < len(line):
            loop = asyncio.get_running_loop()
            left = deadline - time.monotonic()
            try:
                await asyncio.wait_for(loop.sock_sendall(self._sock, memoryview(line)[sent:]),
                                       max(left, 0))
            except (TimeoutError, asyncio.TimeoutError):
                # The server has not got a whole line, so that nothing of it can run.
                raise DeadlineExceeded(f"{method}: the deadline has passed before it was sent",
                                       retryable=True) from None
            except OSError:
                raise self._gone(sent=False) from None
        return self._number

    async def receive(self, deadline: Optional[float]) -> dict[str, Any]:
        """The next message. The connection survives a deadline that passes (TimeoutError)."""
        while True:
            message = self._framer.next()
            if message is not None:
                return message
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            loop = asyncio.get_running_loop()
            try:
                data = await asyncio.wait_for(loop.sock_recv(self._sock, 1 << 18), left)
            except (TimeoutError, asyncio.TimeoutError):
                raise TimeoutError from None
            except OSError:
                raise self._gone(sent=True) from None
            if not data:
                raise self._gone(sent=True)
            self._framer.feed(data)
            if isinstance(self._sock, LinkSocket):
                self._sock.drain()

    def _gone(self, sent: bool) -> Disconnected:
        if isinstance(self._sock, LinkSocket):
            return Disconnected(sent, self._sock.lost())
        return Disconnected(sent)

    def quiet(self) -> bool:
        """Whether nothing unexpected has arrived: neither bytes nor the end."""
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def abort(self) -> None:
        """Closes it, and wakes any task that waits on it."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._sock.close()
