# SPDX-License-Identifier: Apache-2.0
"""Glassbell: run untrusted code in microVMs on your own machine.

    import glassbell

    with glassbell.Client() as client, client.open("python") as session:
        session.exec("x = 41")
        print(session.exec("x + 1").value)

`AsyncClient` and `AsyncSession` are the same for asyncio. docs/protocol.md describes the protocol
that they use; `glassbell.adk` contains the code executor for Google's ADK.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._async.client import AsyncClient
    from ._async.events import AsyncEvents
    from ._async.execution import AsyncExecution
    from ._async.session import AsyncSession
    from ._async.terminal import AsyncTerminal
    from ._sync.client import Client
    from ._sync.events import Events
    from ._sync.execution import Execution
    from ._sync.session import Session
    from ._sync.terminal import Terminal
    from .errors import (BootFailed, Busy, CapacityError, ConnectionFailed, DeadlineExceeded,
                         DiskFull, GlassbellError, Gone, Held, ImageMissing, InternalError,
                         InvalidInput, NoPast, NotFound, OutcomeUnknown, PackagesError,
                         PolicyError, ProtocolError, SessionClosed, TooLarge, Unsupported)
    from .types import (Cell, CellOutput, Checkpoint, Description, Diff, Display, Entry, Event,
                        FileChange, Fork, Forked, Hello, Kept, Lease, Matches, Moment,
                        NetworkRecord, Output, OutputChange, PathChange, Rewound, SessionInfo,
                        Slept, TerminalInfo, VariableChange, VariableValue, Waiting)

__version__ = "0.1.0"

__all__ = [
    "AsyncClient", "AsyncEvents", "AsyncExecution", "AsyncSession", "AsyncTerminal", "BootFailed",
    "Busy", "CapacityError", "Cell", "CellOutput", "Checkpoint", "Client", "ConnectionFailed",
    "DeadlineExceeded", "Description", "Diff", "DiskFull", "Display", "Entry", "Event", "Events", "Execution",
    "FileChange", "Fork", "Forked", "GlassbellError", "Gone", "Held", "Hello", "ImageMissing",
    "InternalError", "InvalidInput", "Kept", "Lease", "Matches", "Moment", "NetworkRecord",
    "NoPast", "NotFound", "OutcomeUnknown", "Output", "OutputChange", "PackagesError", "PathChange",
    "PolicyError", "ProtocolError", "Rewound", "Session", "SessionClosed", "SessionInfo", "Slept",
    "Terminal", "TerminalInfo", "TooLarge", "Unsupported", "VariableChange", "VariableValue",
    "Waiting", "__version__",
]

_WHERE = {
    **{f"{flavour}{name}": f"{folder}.{name.lower()}" for flavour, folder in
       (("", "._sync"), ("Async", "._async"))
       for name in ("Client", "Events", "Execution", "Session", "Terminal")},
    **dict.fromkeys(("Cell", "CellOutput", "Checkpoint", "Description", "Diff", "Display", "Entry",
                     "Event", "FileChange", "Fork", "Forked", "Hello", "Kept", "Lease", "Matches", "Moment",
                     "NetworkRecord", "Output", "OutputChange", "PathChange", "Rewound",
                     "SessionInfo", "Slept", "TerminalInfo", "VariableChange", "VariableValue",
                     "Waiting"),
                    ".types"),
}


def __getattr__(name: str) -> Any:
    """Loads names when they are first used: programs that start quickly need not load asyncio."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_WHERE.get(name, ".errors"), __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
