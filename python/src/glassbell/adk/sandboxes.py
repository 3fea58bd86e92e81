# SPDX-License-Identifier: Apache-2.0
"""The sandboxes that this process knows: one session of the server for each key.

Executors hold nothing but their settings, so that they can be copied, pickled and forked at will;
what lives (connections, the memory of which files were uploaded) is here. The server is the
authority: it owns the life of the VMs, and what is kept here may be forgotten at any time.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Optional

from .._dial import Address
from .._sync.client import Client
from .._sync.session import Session
from ..errors import Busy, GlassbellError

__all__ = ["Identity", "Sandbox", "Spec", "client_for", "close_all", "find"]

_REMEMBERED = 4096  # sandboxes; the one that was used longest ago is forgotten first


@dataclass(frozen=True)
class Spec:
    """What a sandbox is like. Another one makes another sandbox."""

    image: str
    memory_mb: Optional[int]
    network: Any
    env: Mapping[str, str]
    setup_code: str
    secrets: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def hashed(self) -> str:
        return json.dumps([self.image, self.memory_mb, self.network, sorted(self.env.items()),
                           self.setup_code, *([self.secrets] if self.secrets else []),
                           *([{"packages": self.packages}] if self.packages else [])])


@dataclass(frozen=True)
class Identity:
    """Whose sandbox it is. The application and the user come from ADK's own records, never from
    session state, which users can write: so a planted execution id reaches nobody else's."""

    app: str
    user: str
    session: str

    def key(self, spec: Spec) -> str:
        text = json.dumps([self.app, self.user, self.session, spec.hashed()])
        return "adk-" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:48]


@dataclass
class Sandbox:
    """A session, and what was done in its incarnation."""

    key: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    session: Optional[Session] = None
    incarnation: int = 0
    inputs: dict[str, str] = field(default_factory=dict)  # name → digest of what was uploaded
    input_cells: dict[str, int] = field(default_factory=dict)  # and how many cells there were then
    figures: int = 0
    texts: int = 0
    prepared: bool = False  # the interpreter has run what it has to run before user code
    prepared_cell: int = 0  # the cell that did that
    epoch: int = 0  # the session's, when all this was true; 0: not known

    @contextlib.contextmanager
    def held(self, seconds: float) -> Iterator[None]:
        """One execution at a time: files, then code, then files."""
        if not self.lock.acquire(timeout=seconds):
            raise Busy(f"other code of this session has been running for {seconds:g} seconds",
                       retryable=True)
        try:
            yield
        finally:
            self.lock.release()


class _Registry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.clients: dict[tuple[str, Optional[str]], Client] = {}
        self.sandboxes: collections.OrderedDict[tuple[str, str], Sandbox] = collections.OrderedDict()


_registry = _Registry()


def _after_fork() -> None:
    global _registry
    _registry = _Registry()


os.register_at_fork(after_in_child=_after_fork)


def client_for(socket_path: Optional[str], autostart: bool, name: str, grace: float) -> Client:
    """The client that all executors of this process with that socket share."""
    registry = _registry
    path = Address(socket_path).path
    with registry.lock:
        client = registry.clients.get((path, name if autostart else None))
        if client is None:
            client = Client(socket_path, name=name, autostart=autostart)
            registry.clients[path, name if autostart else None] = client
        client.grace = max(client.grace, grace)
        return client


def find(client: Client, key: str) -> Sandbox:
    registry = _registry
    with registry.lock:
        where = (client.address.path, key)
        sandbox = registry.sandboxes.get(where)
        if sandbox is None:
            sandbox = registry.sandboxes[where] = Sandbox(key)
        registry.sandboxes.move_to_end(where)
        for old in list(registry.sandboxes)[:max(0, len(registry.sandboxes) - _REMEMBERED)]:
            if not registry.sandboxes[old].lock.locked():
                del registry.sandboxes[old]
        return sandbox


def close_all(sessions: bool) -> None:
    """Closes what this process has open; with `sessions`, also the sandboxes that it has used."""
    registry = _registry
    with registry.lock:
        sandboxes = list(registry.sandboxes.values())
        clients = list(registry.clients.values())
        registry.sandboxes.clear()
        registry.clients.clear()
    if sessions:
        for sandbox in sandboxes:
            session = sandbox.session
            if session is not None:
                with contextlib.suppress(GlassbellError):
                    session.close()
    for client in clients:
        client.close()
