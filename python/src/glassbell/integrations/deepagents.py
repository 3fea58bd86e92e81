# SPDX-License-Identifier: Apache-2.0
"""A session as a sandbox backend of LangChain's deepagents.

    from deepagents import create_deep_agent
    from glassbell.integrations.deepagents import GlassbellSandbox

    with GlassbellSandbox() as sandbox:
        agent = create_deep_agent(backend=sandbox, …)
"""

from __future__ import annotations

import posixpath
import shlex
from types import TracebackType
from typing import Any, Optional

from deepagents.backends.protocol import (ExecuteResponse, FileDownloadResponse,
                                          FileUploadResponse)
from deepagents.backends.sandbox import BaseSandbox

from .. import _snippets as snippets
from .._sync.client import Client
from .._sync.session import Session
from ..errors import GlassbellError, NotFound

__all__ = ["GlassbellSandbox"]

_HOME = "/home/user"
_TRANSFER = ".glassbell-transfer"
_OUTPUT_MAX = 1 << 20


class GlassbellSandbox(BaseSandbox):
    """Commands and files in one VM. The image needs python3, which all of ours have.

    session: use this one, and leave it open at the end; else one is opened with `options`, which
    are those of `Client.open`.
    """

    def __init__(self, session: Optional[Session] = None, *, client: Optional[Client] = None,
                 timeout: float = 300, **options: Any) -> None:
        self._owned = session is None
        self._session = session or (client or Client(name="deepagents")).open(**options)
        self._timeout = timeout

    @property
    def id(self) -> str:
        return self._session.id

    def execute(self, command: str, *, timeout: Optional[int] = None) -> ExecuteResponse:
        # Both streams in the order in which they come, as a terminal has them.
        code = snippets.shell(f"exec 2>&1\n{command}")
        if code is None:
            self._session.write(snippets.SHELL_SCRIPT, f"exec 2>&1\n{command}")
        limit = self._timeout if timeout is None else timeout or 86400
        cell = self._session.exec(code or snippets.SHELL_FILE, mode="shell", timeout=limit,
                                  max_stdout=_OUTPUT_MAX)
        output = cell.stdout + cell.stderr
        if cell.timed_out:
            output += f"\n[the command was ended after {limit:g} seconds]"
        if cell.oom:
            output += "\n[the sandbox ran out of memory]"
        if cell.ok and cell.note:  # that earlier commands are undone, for example
            output += f"\n[{cell.note}]"
        status = cell.exit_code
        if cell.timed_out:
            status = 124
        return ExecuteResponse(output=output, exit_code=status,
                               truncated=bool(cell.truncated_stdout or cell.truncated_stderr))

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        return [FileUploadResponse(path=path, error=self._upload(path, content))
                for path, content in files]

    def download_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        responses = []
        for path in paths:
            content, error = self._download(path)
            responses.append(FileDownloadResponse(path=path, content=content, error=error))
        return responses

    def _upload(self, path: str, content: bytes) -> Optional[str]:
        absolute = posixpath.normpath(posixpath.join(_HOME, path))
        try:
            if absolute.startswith(f"{_HOME}/"):
                self._session.write(absolute[len(_HOME) + 1:], content)
                return None
            # The server's own file calls end at the home; beyond it the user's rights decide.
            self._session.write(_TRANSFER, content)
            return self._copy(f"mkdir -p {shlex.quote(posixpath.dirname(absolute))} && "
                              f"cat {_TRANSFER} >{shlex.quote(absolute)}")
        except GlassbellError as problem:
            return problem.message

    def _download(self, path: str) -> tuple[Optional[bytes], Optional[str]]:
        absolute = posixpath.normpath(posixpath.join(_HOME, path))
        try:
            relative = absolute[len(_HOME) + 1:]
            if not absolute.startswith(f"{_HOME}/"):
                error = self._copy(f"cat {shlex.quote(absolute)} >{_TRANSFER}")
                if error is not None:
                    return None, error
                relative = _TRANSFER
            elif self._session.stat(relative).type == "dir":
                return None, "is_directory"
            return self._session.read(relative), None
        except NotFound:
            return None, "file_not_found"
        except GlassbellError as problem:
            return None, problem.message

    def _copy(self, command: str) -> Optional[str]:
        said = self.execute(command)
        if said.exit_code == 0:
            return None
        for words, error in (("No such file", "file_not_found"), ("Is a directory", "is_directory"),
                             ("Permission denied", "permission_denied"),
                             ("Read-only file system", "permission_denied")):
            if words in said.output:
                return error
        return said.output.strip() or "invalid_path"

    def close(self) -> None:
        if self._owned:
            self._session.close()

    def __enter__(self) -> GlassbellSandbox:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], problem: Optional[BaseException],
                 where: Optional[TracebackType]) -> None:
        self.close()
