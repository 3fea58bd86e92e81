# SPDX-License-Identifier: Apache-2.0
"""One blocking connection. It serves one request at a time."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import Any, Callable, Optional

from .._host import LinkSocket
from .._dial import Address, connect
from .._wire import RUNS_CODE, Disconnected, Framer, encode
from ..errors import DeadlineExceeded
from ..types import Output, Waiting

OutputCallback = Callable[[Output], None]
WaitingCallback = Callable[[Waiting], None]
Lock = threading.Lock


def deliver(callback: Optional[Callable[[Any], None]], note: Any) -> None:
    if callback is not None:
        callback(note)


def expired(method: str) -> DeadlineExceeded:
    return DeadlineExceeded(f"{method}: the deadline has passed", dispatched=method in RUNS_CODE)


class Connection:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._framer = Framer()
        self._number = 0
        self.client = 0  # its number, as the server told in `hello`
        self.pid = os.getpid()

    @classmethod
    def open(cls, address: Address, program: Optional[str], deadline: float) -> Connection:
        return cls(connect(address, program, deadline))

    def send(self, method: str, params: dict[str, Any], deadline: float) -> int:
        """Sends a request and returns its number. Fails with Disconnected(sent=False)."""
        self._number += 1
        line = encode(self._number, method, params)
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self._sock.settimeout(left)
            self._sock.sendall(line)
        except TimeoutError:
            # The server has not got a whole line, so that nothing of it can run.
            raise DeadlineExceeded(f"{method}: the deadline has passed before it was sent",
                                   retryable=True) from None
        except OSError:
            raise self._gone(sent=False) from None
        return self._number

    def receive(self, deadline: Optional[float]) -> dict[str, Any]:
        """The next message. A deadline that passes (TimeoutError) harms nothing."""
        while True:
            message = self._framer.next()
            if message is not None:
                return message
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            try:
                self._sock.settimeout(left)
                data = self._sock.recv(1 << 18)
            except TimeoutError:
                raise
            except OSError:
                raise self._gone(sent=True) from None
            if not data:
                raise self._gone(sent=True)
            self._framer.feed(data)
            if isinstance(self._sock, LinkSocket):
                self._sock.drain()

    def _gone(self, sent: bool) -> Disconnected:
        if isinstance(self._sock, LinkSocket):
            return Disconnected(sent, self._sock.lost(wait=0.5))
        return Disconnected(sent)

    def quiet(self) -> bool:
        """Nothing has come that nobody asked for: neither bytes nor the end."""
        try:
            self._sock.settimeout(0)
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    def abort(self) -> None:
        """Ends it from another thread: who waits on it is woken."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._sock.close()
