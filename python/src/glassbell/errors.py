# SPDX-License-Identifier: Apache-2.0
"""Errors, as classes by kind.

A program that fails is not an error: it is a `Cell` with its exit code. An error says why a request
could not be served, and whether code may have run (`dispatched`). Only requests that were never
dispatched can safely be repeated.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

__all__ = [
    "BootFailed", "Busy", "CapacityError", "ConnectionFailed", "DeadlineExceeded", "DiskFull",
    "GlassbellError", "Gone", "Held", "ImageMissing", "InternalError", "InvalidInput", "NoPast", "NotFound",
    "OutcomeUnknown", "PackagesError", "PolicyError", "ProtocolError", "SessionClosed", "TooLarge",
    "Unsupported",
]


class GlassbellError(Exception):
    """Any failure. `kind` is the kind of docs/errors.md.

    `dispatched`: the code of a cell may have run. `retryable`: nothing ran, and the same call may
    succeed later. `data` is additional information from the server; for a cell that was lost after
    its dispatch, `data["cell"]` is what is known about it.
    """

    kind = "internal"

    def __init__(self, message: str, *, kind: Optional[str] = None, code: int = 0,
                 dispatched: bool = False, retryable: bool = False,
                 data: Optional[Mapping[str, Any]] = None) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind or type(self).kind
        self.code = code
        self.dispatched = dispatched
        self.retryable = retryable
        self.data = dict(data or {})

    def __reduce__(self) -> Any:
        return _rebuild, (type(self), self.message, self.kind, self.code, self.dispatched,
                          self.retryable, self.data)


def _rebuild(cls: type[GlassbellError], message: str, kind: str, code: int, dispatched: bool,
             retryable: bool, data: dict[str, Any]) -> GlassbellError:
    return cls(message, kind=kind, code=code, dispatched=dispatched, retryable=retryable, data=data)


class InvalidInput(GlassbellError, ValueError):
    """The request contains an invalid value; the message names it."""

    kind = "invalid_input"


class NotFound(GlassbellError):
    """There is no such session, cell, file or image."""

    kind = "not_found"


class SessionClosed(GlassbellError):
    """The session has ended; the message says why."""

    kind = "session_closed"


class Busy(GlassbellError):
    """Something in progress prevents it right now."""

    kind = "busy"


class Held(GlassbellError):
    """Another client holds the session's lease: `data` has `holder` and `since`."""

    kind = "held"


class Gone(GlassbellError):
    """There is no checkpoint of that moment: `data` has `nearest`."""

    kind = "gone"


class NoPast(GlassbellError):
    """No checkpoints of this session can be taken; the message says why."""

    kind = "no_past"


class PackagesError(GlassbellError):
    """Packages cannot be had: the index does not have them, or cannot be reached."""

    kind = "packages"


class CapacityError(GlassbellError):
    """The host has no capacity for another VM."""

    kind = "capacity"


class DiskFull(GlassbellError):
    """A disk of the host is full, or a quota is used up; what was there before is as it was."""

    kind = "disk_full"


class BootFailed(GlassbellError):
    """The VM did not start."""

    kind = "boot_failed"


class ImageMissing(GlassbellError):
    """The image is missing or damaged."""

    kind = "image_missing"


class PolicyError(GlassbellError):
    """The request is not allowed."""

    kind = "policy"


class OutcomeUnknown(GlassbellError):
    """The connection to the code was lost after it was sent: it may have run."""

    kind = "outcome_unknown"


class Unsupported(GlassbellError):
    """This server, image or host cannot do that."""

    kind = "unsupported"


class TooLarge(GlassbellError):
    """A limit was exceeded; the message names it."""

    kind = "too_large"


class InternalError(GlassbellError):
    """An error in Glassbell or on the host."""

    kind = "internal"


class ConnectionFailed(GlassbellError, ConnectionError):
    """No server could be reached or started; nothing ran."""

    kind = "connection"


class DeadlineExceeded(GlassbellError, TimeoutError):
    """The deadline of a call has passed. If a cell was in progress, the server has been told to end
    it."""

    kind = "deadline"


class ProtocolError(GlassbellError):
    """The server sent something that this client does not understand."""

    kind = "protocol"


_BY_KIND: dict[str, type[GlassbellError]] = {
    cls.kind: cls
    for cls in (InvalidInput, NotFound, SessionClosed, Busy, Held, Gone, NoPast, PackagesError,
                CapacityError, DiskFull, BootFailed, ImageMissing, PolicyError, OutcomeUnknown,
                Unsupported, TooLarge, InternalError)
}


def not_opened(kind: str, message: str) -> GlassbellError:
    """The exception for one of several sessions that could not be opened."""
    cls = _BY_KIND.get(kind, GlassbellError)
    return cls(message, kind=kind, retryable=cls in (Busy, CapacityError, DiskFull, BootFailed))


def from_json(error: Any) -> GlassbellError:
    """The exception for the `error` member of a reply. An unknown kind keeps its name."""
    if not isinstance(error, dict):
        return ProtocolError(f"the server sent an error that is none: {error!r:.200}",
                             dispatched=True)
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    kind = str(data.get("kind", "internal"))
    code = error.get("code")
    return _BY_KIND.get(kind, GlassbellError)(
        str(error.get("message", "the server gave no reason")), kind=kind,
        code=code if isinstance(code, int) else 0,
        dispatched=bool(data.get("dispatched", True)), retryable=bool(data.get("retryable", False)),
        data=data)
