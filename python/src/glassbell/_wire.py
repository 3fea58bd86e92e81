# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC lines, without any I/O."""

from __future__ import annotations

import json
import re
from typing import Any, Optional

from .errors import GlassbellError, InvalidInput, ProtocolError, TooLarge

__all__ = ["Disconnected", "Framer", "LINE_MAX", "RUNS_CODE", "encode"]

RUNS_CODE = ("run", "session.exec", "session.stdin", "session.terminal")  # who loses these cannot tell what ran
LINE_MAX = 32 << 20  # bytes of a line to the server
_REPLY_MAX = 512 << 20  # bytes of a line from the server; far above what its limits allow
_SURROGATE = re.compile("[\ud800-\udfff]")


class Disconnected(Exception):
    """The connection is gone. `sent`: the whole request had been sent. `why`: in words."""

    def __init__(self, sent: bool, why: str = "the connection to the server was lost") -> None:
        super().__init__(why)
        self.sent = sent
        self.why = why


def encode(number: int, method: str, params: dict[str, Any]) -> bytes:
    """The line of a request. Parameters that are None are left out."""
    given = {name: value for name, value in params.items() if value is not None}
    try:
        line = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": given},
                          ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        raise _surrogate(given) from None
    except (TypeError, ValueError) as problem:
        raise InvalidInput(f"{method}: a parameter cannot be sent as JSON: {problem}") from None
    if len(line) >= LINE_MAX:
        raise TooLarge(f"{method}: the request has {len(line)} bytes; at most {LINE_MAX} can be sent")
    return line + b"\n"


def _surrogate(params: dict[str, Any]) -> GlassbellError:
    for name, value in params.items():
        found = _SURROGATE.search(value) if isinstance(value, str) else None
        if found:
            return InvalidInput(f"`{name}` is not Unicode text: half a surrogate pair at character "
                                f"{found.start()}")
    return InvalidInput("a parameter is not Unicode text: half a surrogate pair")


class Framer:
    """Bytes in, messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._seen = 0

    def feed(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > _REPLY_MAX:
            raise ProtocolError("the server sent a line without an end", dispatched=True)

    def next(self) -> Optional[dict[str, Any]]:
        end = self._buffer.find(b"\n", self._seen)
        if end < 0:
            self._seen = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[:end + 1]
        self._seen = 0
        try:
            message = json.loads(line)
        except ValueError as problem:
            raise ProtocolError("the server sent a line that is not JSON",
                                dispatched=True) from problem
        if not isinstance(message, dict):
            raise ProtocolError("the server sent a line that is no object", dispatched=True)
        return message
