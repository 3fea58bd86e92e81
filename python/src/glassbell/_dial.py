# SPDX-License-Identifier: Apache-2.0
"""Finds the server's socket, connects to it, and starts the server if none is listening.

The rules are those of the C client (engine/client/dial.h): the same path, the same lock next to the
socket so that two first clients start one server, the same checks of folders and peers.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import struct
import threading
import time
from typing import Optional

from ._host import Host, find_host
from ._poll import readable
from .errors import Busy, ConnectionFailed, DeadlineExceeded, InvalidInput, PolicyError

__all__ = ["Address", "connect", "connect_now", "find_program"]

_PATH_MAX = 107  # bytes of sun_path without its NUL
_READY_MAX = 1024
_NOBODY = (errno.ENOENT, errno.ECONNREFUSED)


class Address:
    """Where the server listens, and whether a person chose that path; or the host on which it runs."""

    def __init__(self, given: Optional[str | os.PathLike[str]] = None,
                 host: Optional[str] = None) -> None:
        if given and host:
            raise InvalidInput("host and socket name two servers; the socket there is a part of the "
                               "address: ssh://HOST/PATH")
        host = host or (None if given else os.environ.get("GLASSBELL_HOST"))
        self.host: Optional[Host] = find_host(host) if host else None
        self.autostart = True  # of the server there
        self.no_program = False  # a server may be started, and there is nothing to start
        self.chosen = True
        if self.host:
            self.path = self.host.url
            return
        path = os.fspath(given) if given else os.environ.get("GLASSBELL_SOCKET")
        self.chosen = bool(path)
        if not path:
            runtime = os.environ.get("XDG_RUNTIME_DIR", "")
            if runtime.startswith("/"):  # a relative folder is not one by the XDG rules
                path = f"{runtime}/glassbell/server.sock"
            else:
                path = f"/tmp/glassbell-{os.geteuid()}/server.sock"
        if len(os.fsencode(path)) > _PATH_MAX:
            raise InvalidInput(f"the path of the socket is longer than the {_PATH_MAX} bytes that a "
                               f"socket address holds: {path}")
        self.path = path

    def nobody(self) -> ConnectionFailed:
        if self.no_program:
            return ConnectionFailed(
                f"no server listens at {self.path}, and none can be started: the program "
                "`glassbell` was not found on PATH; install it, or let $GLASSBELL_BIN (or "
                "`program`) name it")
        return ConnectionFailed(f"no server listens at {self.path}; `glassbell serve` starts one",
                                retryable=True)

    def check_folder(self, make: bool) -> None:
        """A folder that was found by the rule must belong to us alone."""
        if self.chosen:
            return
        folder = os.path.dirname(self.path) or "."
        if make:
            try:
                os.mkdir(folder, 0o700)
            except FileExistsError:
                pass
            except OSError as problem:
                raise ConnectionFailed(f"cannot make the folder {folder}: {problem.strerror}",
                                       retryable=True) from problem
        try:
            found = os.lstat(folder)
        except FileNotFoundError:
            raise self.nobody() from None
        if not stat.S_ISDIR(found.st_mode):
            raise PolicyError(f"{folder} is not a folder, so the socket in it is not trusted")
        if found.st_uid != os.getuid():
            raise PolicyError(f"{folder} belongs to another user, so the socket in it is not trusted")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise PolicyError(f"others can write to {folder}, so the socket in it is not trusted: "
                              f"run `chmod 700 {folder}`")


def find_program(given: Optional[str | os.PathLike[str]] = None) -> Optional[str]:
    """The program that is started as the server: as given, else $GLASSBELL_BIN, else on PATH."""
    if given:
        return os.fspath(given)
    if os.environ.get("GLASSBELL_BIN"):
        return os.environ["GLASSBELL_BIN"]
    import shutil  # takes its time to load
    return shutil.which("glassbell")


def _check_peer(sock: socket.socket, address: Address) -> None:
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
    uid = struct.unpack("iII", credentials)[1]
    if uid != os.getuid():
        raise PolicyError(f"the server at {address.path} runs as another user (uid {uid})")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded("the server could not be reached before the deadline", retryable=True)
    return left


def _try(address: Address, timeout: Optional[float]) -> Optional[socket.socket]:
    """A connection, or None if no server is listening. A full backlog makes connect() wait."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout)
        sock.connect(address.path)
        _check_peer(sock, address)
        return sock
    except TimeoutError:
        sock.close()
        raise DeadlineExceeded(f"the server at {address.path} takes no connection before the "
                               "deadline", retryable=True) from None
    except OSError as problem:
        sock.close()
        if problem.errno in _NOBODY:
            return None
        if problem.errno == errno.EAGAIN:
            raise BlockingIOError from problem
        raise ConnectionFailed(f"cannot connect to {address.path}: {problem.strerror}",
                               retryable=True) from problem
    except BaseException:
        sock.close()
        raise


def connect_now(address: Address) -> Optional[socket.socket]:
    """A connection if there is one without waiting for anything, else None."""
    if address.host:
        return None
    try:
        address.check_folder(make=False)
        return _try(address, 0)
    except (BlockingIOError, ConnectionFailed):
        return None


def _lock(path: str, deadline: float) -> int:
    """The start lock, as a descriptor. Waits in a thread, because flock() has no deadline."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return fd
    except BlockingIOError:
        pass
    except BaseException:
        os.close(fd)
        raise
    guard = threading.Lock()
    state = {"locked": False, "given_up": False}

    def wait() -> None:
        fcntl.flock(fd, fcntl.LOCK_EX)
        with guard:
            state["locked"] = True
            if state["given_up"]:
                os.close(fd)

    waiter = threading.Thread(target=wait, name="glassbell-start-lock", daemon=True)
    waiter.start()
    waiter.join(max(0.0, deadline - time.monotonic()))
    with guard:
        if state["locked"]:
            return fd
        state["given_up"] = True
    raise Busy(f"another client is starting the server and does not get ready ({path})",
               retryable=True)


def _wait_ready(fd: int, deadline: float) -> None:
    """Reads the server's report from its pipe: "ready", or a sentence."""
    said = b""
    while b"\n" not in said and len(said) < _READY_MAX:
        left = deadline - time.monotonic()
        if left <= 0 or not readable([fd], left):
            raise Busy("the server was started and is not ready yet; look at its log, or try again",
                       retryable=True)
        piece = os.read(fd, _READY_MAX)
        if not piece:
            break
        said += piece
    line = said.split(b"\n")[0].decode(errors="replace")
    if line == "ready":
        return
    if not line:
        raise ConnectionFailed("the server ended before it was ready; `glassbell serve --foreground` "
                               "shows why", retryable=True)
    raise ConnectionFailed(f"the server could not start: {line}", retryable=True)


def _start(address: Address, program: str, deadline: float) -> None:
    import subprocess  # takes its time to load
    read_end, write_end = os.pipe()
    try:
        try:
            process = subprocess.Popen(
                ["glassbell", "serve", "--daemon", "--ready-fd", str(write_end),
                 "--socket", address.path],
                executable=program, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, pass_fds=[write_end], start_new_session=True)
        except OSError as problem:
            raise ConnectionFailed(f"cannot start the server ({program} serve): {problem.strerror}",
                                   retryable=True) from problem
        finally:
            os.close(write_end)
        _wait_ready(read_end, deadline)
        # The child goes as soon as it has put the server into the background.
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            pass
    finally:
        os.close(read_end)


def connect(address: Address, program: Optional[str], deadline: float) -> socket.socket:
    """Connects, starting `program` as the server first if none is listening. Blocks until then. A
    server on another machine is only reached there."""
    if address.host:
        _left(deadline)
        return address.host.connect(address.autostart, deadline)
    address.check_folder(make=program is not None)
    sock = _try(address, _left(deadline))
    if sock is not None:
        return sock
    if program is None:
        raise address.nobody()
    try:
        lock = _lock(f"{address.path}.start", deadline)
    except OSError as problem:
        if isinstance(problem, ConnectionError):
            raise
        raise ConnectionFailed(f"cannot open {address.path}.start: {problem.strerror}",
                               retryable=True) from problem
    try:
        # Another client may have started it while we waited for the lock.
        sock = _try(address, _left(deadline))
        if sock is None:
            _start(address, program, deadline)
            sock = _try(address, _left(deadline))
        if sock is None:
            raise address.nobody()
        return sock
    finally:
        os.close(lock)
