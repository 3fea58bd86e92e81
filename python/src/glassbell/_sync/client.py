# Made by tools/unasync.py from _async/client.py: change that file.
# SPDX-License-Identifier: Apache-2.0
"""The client: connections as needed, calls with deadlines, sessions.

Each call has its own connection while it lasts; idle connections are kept for later calls. So a
caller that gives up (a deadline, a cancelled task, Control-C) can close its connection, upon which
the server ends exactly the cells of that call, and a slow reader delays no one else.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Iterator, Iterable, Mapping, Optional, Sequence, Union

from .. import _check
from .._dial import Address, find_program
from .._program import Args, Code, program
from .._reader import check_result
from .._wire import RUNS_CODE, Disconnected
from ..errors import ConnectionFailed, GlassbellError, OutcomeUnknown, ProtocolError, from_json
from ..types import Cell, Hello, SessionInfo
from .connection import Connection, OutputCallback, expired
from .events import Events
from .execution import Execution
from .session import Session

__all__ = ["Client"]

PROTOCOL = 1
DEFAULT_TIMEOUT = 30.0  # seconds that the server gives a cell when nobody says otherwise
_KEPT = 16  # idle connections


def _fetching(packages: Optional[Sequence[str]]) -> float:
    return _check.FETCHING if packages else 0.0


class Client:
    """A client of one server.

    socket: path of the server's socket; by default found in the same way as by the command line.
    host: another machine, as ssh://[USER@]HOST or a name from the settings, by default
    $GLASSBELL_HOST; its server is reached through OpenSSH (docs/hosts.md), with no fallback to a
    local one.
    autostart: start the server if none is listening; `program` is the program to start, by default
    $GLASSBELL_BIN or the `glassbell` on PATH.
    name: the client's name, for logs, histories and leases.
    timeout: seconds for calls that do not run code. Calls that do get the time-out of their code
    plus `grace` seconds, for a VM to start and for earlier cells in the same session.
    lease_wait: seconds that cells wait while another client holds their session (for example a
    person who has taken it over), before Held is raised.

    Nothing is connected until the first call. A client may be shared by threads and tasks, and used
    on both sides of a fork.
    """

    def __init__(self, socket: Optional[Union[str, os.PathLike[str]]] = None, *,
                 host: Optional[str] = None, name: Optional[str] = None, autostart: bool = True,
                 program: Optional[Union[str, os.PathLike[str]]] = None,
                 timeout: float = 60.0, grace: float = 300.0,
                 lease_wait: float = 600.0) -> None:
        self.address = Address(socket, host)
        self.address.autostart = autostart
        self.name = name or "python"
        self.timeout = _check.within("timeout", timeout, 0)
        self.grace = _check.within("grace", grace, 0)
        self.lease_wait = _check.within("lease_wait", lease_wait, 0, _check.DAY)
        here = autostart and self.address.host is None
        self._program = find_program(program) if here else None
        self.address.no_program = here and self._program is None
        self._idle: list[Connection] = []
        self._pid = os.getpid()
        self._closed = False

    # Connections

    def _connect(self, deadline: float) -> Connection:
        for last in (False, True):
            conn = Connection.open(self.address, self._program, deadline)
            try:
                hello = self._exchange(
                    conn, "hello", {"client": self.name, "protocol": PROTOCOL}, deadline)
                conn.client = int(hello.get("client") or 0)
                return conn
            except Disconnected:  # the server was on its way out
                conn.close()
                if last:
                    raise ConnectionFailed(f"the server at {self.address.path} closes connections "
                                           "as soon as they are made", retryable=True) from None
            except BaseException:
                conn.close()
                raise
        raise AssertionError("unreachable")

    def _take(self, deadline: float) -> Connection:
        if self._closed:
            raise ConnectionFailed("this client has been closed")
        if self._pid != os.getpid():  # the connections are the parent's
            for conn in self._idle:
                conn.close()
            self._idle, self._pid = [], os.getpid()
        while True:
            try:
                conn = self._idle.pop()
            except IndexError:
                return self._connect(deadline)
            if conn.quiet():
                return conn
            conn.close()

    def _give(self, conn: Connection) -> None:
        if self._closed or conn.pid != os.getpid() or len(self._idle) >= _KEPT:
            conn.close()
        else:
            self._idle.append(conn)

    @contextmanager
    def _connection(self, deadline: float) -> Iterator[Connection]:
        """A connection for exclusive use. It is closed after any failure, except when the server
        replied with an error: then it is still in order."""
        conn = self._take(deadline)
        try:
            yield conn
        except GlassbellError as problem:
            if problem.code:
                self._give(conn)
            else:
                conn.close()
            raise
        except BaseException:
            conn.close()
            raise
        self._give(conn)

    def _exchange(self, conn: Connection, method: str, params: dict[str, Any],
                        deadline: float) -> Any:
        """One request and its reply; notifications in between are ignored."""
        number = conn.send(method, params, deadline)
        while True:
            try:
                message = conn.receive(deadline)
            except TimeoutError:
                raise expired(method) from None
            if "method" in message:
                continue
            if message.get("id") != number:
                raise ProtocolError("the server answered what nobody asked", dispatched=True)
            if "error" in message:
                raise from_json(message["error"])
            return check_result(method, message.get("result"))

    def _call(self, method: str, params: dict[str, Any], *, deadline: Optional[float] = None,
                    safe: bool = False) -> Any:
        """A call on its own connection.

        If the connection turns out to be dead before the request has been sent, the call is
        repeated, once. `safe`: also if it has been sent, because repeating it has no further
        effect.
        """
        until = time.monotonic() + (self.timeout if deadline is None else deadline)
        for last in (False, True):
            try:
                with self._connection(until) as conn:
                    return self._exchange(conn, method, params, until)
            except Disconnected as gone:
                self._settle(method, gone, last or not (safe or not gone.sent))
        raise AssertionError("unreachable")

    def _settle(self, method: str, gone: Disconnected, final: bool) -> None:
        """Returns if the call may be repeated; otherwise raises what its caller has to know."""
        if not final:
            return
        if gone.sent:
            raise OutcomeUnknown(f"{method}: {gone.why} before the reply",
                                 dispatched=method in RUNS_CODE) from None
        raise ConnectionFailed(f"{method}: {gone.why} before the request had left: nothing ran", retryable=True) from None

    def call(self, method: str, *, deadline: Optional[float] = None,
                   **params: Any) -> Any:
        """Calls any method of the protocol by its name and parameters; returns the bare result."""
        return self._call(method, params, deadline=_check.deadline(deadline))

    def close(self) -> None:
        """Closes the connections. Sessions stay."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                        where: Optional[TracebackType]) -> None:
        self.close()

    # The server

    def hello(self) -> Hello:
        return Hello.from_json(self._call(
            "hello", {"client": self.name, "protocol": PROTOCOL}, safe=True))

    def stats(self) -> dict[str, Any]:
        return dict(self._call("stats", {}, safe=True))

    def pool_status(self) -> dict[str, Any]:
        return dict(self._call("pool.status", {}, safe=True))

    def shutdown(self, *, drain: bool = False, deadline: Optional[float] = None) -> None:
        """Stops the server. With `drain`, running and waiting cells end first."""
        self._call("server.shutdown", {"drain": drain},
                         deadline=_check.deadline(deadline))

    # Sessions

    def open(self, image: str = "python", *, key: Optional[str] = None,
                   memory_mb: Optional[int] = None, network: Optional[Any] = None,
                   secrets: Optional[Sequence[str]] = None,
                   packages: Optional[Sequence[str]] = None, label: Optional[str] = None,
                   owner: Optional[str] = None,
                   env: Optional[Mapping[str, str]] = None, timeout: Optional[float] = None,
                   idle: Optional[float] = None, lifetime: Optional[float] = None,
                   checkpoints: Optional[str] = None,
                   deadline: Optional[float] = None) -> Session:
        """Opens a session, or attaches to the one with this key. Times are in seconds.

        timeout: for each of its cells; idle, lifetime: after which it is closed, 0: never.
        checkpoints: "idle": taken when it is idle after a cell; "cell": after each cell, for which
        the next one waits; "asked": only on request; "off".
        secrets: names of secrets in the settings that it may use (docs/network.md).
        packages: of its language, as "NAME" or "NAME==VERSION"; the first session with them waits
        until they have been fetched.
        """
        deadline = _check.deadline(deadline)
        opened = self._call("session.open", {
            "image": image, "key": key, "memory_mb": _check.memory(memory_mb), "network": network,
            "secrets": list(secrets) if secrets is not None else None,
            "packages": list(packages) if packages is not None else None, "label": label,
            "owner": owner, "env": dict(env) if env is not None else None,
            "timeout_ms": _check.timeout(timeout),
            "idle_ms": _check.ms("idle", idle, 0, _check.YEAR),
            "lifetime_ms": _check.ms("lifetime", lifetime, 0, _check.YEAR),
            "checkpoints": checkpoints,
        }, deadline=self.grace + _fetching(packages) if deadline is None else deadline,
            safe=True)  # without a key, a session whose opener goes away is closed by the server
        session = Session(self, opened["session"], opened)
        if opened.get("created"):
            session._timeout = DEFAULT_TIMEOUT if timeout is None else timeout
        return session

    def session(self, id: str) -> Session:
        """The session with this id. Whether it exists is only checked when it is used."""
        return Session(self, id, {})

    def sessions(self, *, state: Optional[str] = None, key: Optional[str] = None,
                       label: Optional[str] = None, owner: Optional[str] = None,
                       image: Optional[str] = None,
                       limit: Optional[int] = None) -> list[SessionInfo]:
        """The open sessions; with a `state` of "closed" or "lost", ended ones, newest first and at
        most `limit` of them."""
        result = self._call("session.list", {
            "state": state, "key": key, "label": label, "owner": owner, "image": image,
            "limit": _check.optional("limit", limit, 1)}, safe=True)
        return [SessionInfo.from_json(item) for item in result.get("sessions") or ()]

    # Code in a VM of its own

    def run(self, code: Code, *, file: Optional[Union[str, os.PathLike[str]]] = None,
                  args: Args = None, name: Optional[str] = None, image: str = "python", memory_mb: Optional[int] = None,
                  network: Optional[Any] = None, secrets: Optional[Sequence[str]] = None,
                  packages: Optional[Sequence[str]] = None,
                  label: Optional[str] = None, owner: Optional[str] = None, mode: Optional[str] = None,
                  timeout: Optional[float] = None, stdin: Optional[str] = None,
                  env: Optional[Mapping[str, str]] = None, max_stdout: Optional[int] = None,
                  max_stderr: Optional[int] = None, detach: bool = False,
                  on_output: Optional[OutputCallback] = None,
                  deadline: Optional[float] = None) -> Cell:
        """Runs code in a fresh VM that is destroyed afterwards; `file` and `args` make it a
        program, as in `exec` of a session."""
        deadline = _check.deadline(deadline)
        execution = Execution(self, "run", {
            **program(code, file, args, name), "image": image, "memory_mb": _check.memory(memory_mb),
            "network": network, "secrets": list(secrets) if secrets is not None else None,
            "packages": list(packages) if packages is not None else None,
            "label": label, "owner": owner, "mode": mode,
            "timeout_ms": _check.timeout(timeout),
            "stdin": stdin, "env": dict(env) if env is not None else None,
            "max_stdout": _check.output("max_stdout", max_stdout),
            "max_stderr": _check.output("max_stderr", max_stderr), "detach": detach or None,
            "stream": True if on_output is not None else None,
        }, (DEFAULT_TIMEOUT if timeout is None else timeout) + self.grace + _fetching(packages)
            if deadline is None else deadline)
        return execution.finish(on_output)

    # What happens

    def events(self, *, sessions: Optional[Iterable[Union[str, Session]]] = None,
                     kinds: Optional[Iterable[str]] = None, output: bool = False,
                     replay: bool = False, answers: bool = False,
                     timeout: Optional[float] = None) -> Events:
        """Subscribes to events of the server: a context manager and an iterator of events,
        beginning with a `snapshot`. It has its own connection, so that a slow reader delays no
        one else. `answers`: a person sees the `network.question` events and can answer them
        (`Session.network_answer`). `timeout`: the longest time in seconds that the iterator
        waits for an event."""
        until = time.monotonic() + self.timeout
        if timeout is not None:
            _check.within("timeout", timeout, 0)
        params = {
            "sessions": None if sessions is None else
            [item.id if isinstance(item, Session) else item for item in sessions],
            "kinds": None if kinds is None else list(kinds),
            "output": output or None, "replay": replay or None,
            "answers": answers or None,
        }
        for last in (False, True):
            conn = self._connect(until)
            try:
                return Events.subscribe(conn, params, until, timeout)
            except Disconnected as gone:
                conn.close()
                self._settle("events.subscribe", gone, last)
            except BaseException:
                conn.close()
                raise
        raise AssertionError("unreachable")


