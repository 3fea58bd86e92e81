# SPDX-License-Identifier: Apache-2.0
"""A VM behind ADK's EnvironmentToolset (ADK 1.29 and later).

ADK gives an environment no session: all users of an agent share it. Where users must not share,
use GlassbellToolset, which has a VM for each ADK session.
"""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath
from typing import Any, Mapping, Optional, Sequence, Union

from google.adk.environment import BaseEnvironment, ExecutionResult

from .._async.client import AsyncClient
from .._async.session import AsyncSession
from ..errors import GlassbellError, NotFound, PolicyError, SessionClosed
from .. import _snippets as snippets
from . import context

__all__ = ["GlassbellEnvironment"]

logger = logging.getLogger("google_adk.glassbell")

HOME = PurePosixPath("/home/user")


class GlassbellEnvironment(BaseEnvironment):  # type: ignore[misc, unused-ignore]
    """Commands and files in one VM, which is made when it is first needed and closed with it.

    key: keeps the VM beyond this object: whoever uses the same key gets the same one, and `close`
    leaves it to its server. idle_ttl_seconds: the server ends it after so long without use; it is
    made again then, and the output says so (or, with on_lost_session "fail", it is an error).
    """

    def __init__(self, *, socket_path: Optional[str] = None, autostart: bool = True,
                 image: str = "python", memory_mb: Optional[int] = None, network: Any = None,
                 secrets: Optional[Sequence[str]] = None,
                 packages: Optional[Sequence[str]] = None,
                 env: Optional[Mapping[str, str]] = None, key: Optional[str] = None,
                 timeout_seconds: float = 300, boot_timeout_seconds: float = 120,
                 idle_ttl_seconds: float = 900, max_lifetime_seconds: float = 14400,
                 on_lost_session: str = "recreate") -> None:
        if on_lost_session not in ("recreate", "fail"):
            raise ValueError('on_lost_session is "recreate" or "fail"')
        self._client_settings = {"socket": socket_path, "autostart": autostart}
        self._open_settings: dict[str, Any] = {
            "image": image, "memory_mb": memory_mb, "network": network,
            "secrets": list(secrets) if secrets else None, "key": key,
            "packages": list(packages) if packages else None,
            "env": dict(env) if env else None, "idle": idle_ttl_seconds,
            "lifetime": max_lifetime_seconds, "label": "adk-environment"}
        self._timeout = timeout_seconds
        self._boot_timeout = boot_timeout_seconds
        self._recreate = on_lost_session == "recreate"
        self._client: Optional[AsyncClient] = None
        self._session: Optional[AsyncSession] = None
        self._is_initialized = False

    def __getstate__(self) -> dict[str, Any]:
        """A copy has a VM of its own, unless there is a key."""
        return {**self.__dict__, "_client": None, "_session": None, "_is_initialized": False}

    @property
    def is_initialized(self) -> bool:
        return self._is_initialized

    @is_initialized.setter
    def is_initialized(self, value: bool) -> None:
        self._is_initialized = value

    @property
    def working_dir(self) -> Path:
        return Path(HOME)

    async def initialize(self) -> None:
        if self._is_initialized:
            return
        await self._open()
        self._is_initialized = True

    async def _open(self) -> AsyncSession:
        if self._client is None:
            self._client = AsyncClient(name=context.client_name(), grace=self._boot_timeout,
                                       **self._client_settings)  # type: ignore[arg-type]
        self._session = await self._client.open(**self._open_settings)
        return self._session

    async def close(self) -> None:
        session, self._session = self._session, None
        client, self._client = self._client, None
        self._is_initialized = False
        try:
            if session is not None and self._open_settings["key"] is None:
                await session.close()
        except GlassbellError as problem:
            logger.warning("a VM could not be closed and ends by itself: %s", problem)
        finally:
            if client is not None:
                await client.close()

    def _ready(self) -> AsyncSession:
        if self._session is None:
            raise RuntimeError("`working_dir` is not there yet: call initialize() first.")
        return self._session

    async def execute(self, command: str, *, timeout: Optional[float] = None) -> ExecutionResult:
        limit = self._timeout if timeout is None else timeout
        lost = False
        while True:
            session = self._ready()
            try:
                # What a command sets, where it goes and how it ends are its own affair, as with any
                # subprocess.
                code = snippets.shell(command)
                if code is None:
                    await session.write(snippets.SHELL_SCRIPT, command)
                cell = await session.exec(code or snippets.SHELL_FILE, mode="shell", timeout=limit,
                                          max_stdout=4 << 20, max_stderr=1 << 20)
                break
            except (SessionClosed, NotFound) as gone:
                if lost or gone.dispatched or not self._recreate:
                    raise
                lost = True
                await self._open()
        stderr = cell.stderr
        if lost:
            stderr = ("[sandbox restarted: files and processes from before are gone]\n" + stderr)
        if cell.truncated_stdout or cell.truncated_stderr:
            stderr += (f"\n[{cell.truncated_stdout + cell.truncated_stderr} bytes of output "
                       "left out]")
        if cell.oom:
            stderr += "\n[the sandbox ran out of memory]"
        if cell.ok and cell.note:  # that earlier commands are undone, for example
            stderr += f"\n[{cell.note}]"
        status = cell.exit_code
        if status is None or (status == 0 and not cell.ok):
            status = 124 if cell.timed_out else 137
        return ExecutionResult(exit_code=status, stdout=cell.stdout, stderr=stderr,
                               timed_out=cell.timed_out)

    async def read_file(self, path: Union[str, Path]) -> bytes:
        try:
            return await self._ready().read(_inside(path))
        except NotFound as missing:
            raise await self._missing(missing, path) from None
        except PolicyError as problem:
            raise ValueError(problem.message) from None

    async def _missing(self, problem: NotFound, path: Union[str, Path]) -> Exception:
        try:
            await self._ready().get()  # or is it the session that is not there?
        except GlassbellError as gone:
            return gone
        return FileNotFoundError(2, "No such file in the sandbox", str(path))

    async def write_file(self, path: Union[str, Path], content: Union[str, bytes]) -> None:
        try:
            await self._ready().write(_inside(path), content)
        except PolicyError as problem:
            raise ValueError(problem.message) from None


def _inside(path: Union[str, Path]) -> str:
    """A path as the server takes it: relative to the home."""
    pure = PurePosixPath(path)
    parts: list[str] = []
    for part in (HOME / pure).parts[1:]:
        if part == "..":
            if parts:
                parts.pop()
        else:
            parts.append(part)
    if tuple(parts[:2]) != HOME.parts[1:]:
        raise ValueError(f"Path escapes working directory: {path}")
    return "/".join(parts[2:]) or "."
