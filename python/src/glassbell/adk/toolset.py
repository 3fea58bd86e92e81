# SPDX-License-Identifier: Apache-2.0
"""The sandbox of an ADK session as tools, for models that rather call tools than write fences."""

from __future__ import annotations

import asyncio
import base64
import concurrent.futures
import contextlib
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from google.adk.code_executors.code_execution_utils import CodeExecutionInput
from google.adk.tools.base_toolset import BaseToolset
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.tool_context import ToolContext
from google.genai import types

from .._sync.session import Session
from ..errors import GlassbellError
from ..types import Cell
from .. import _snippets as snippets
from . import context, result, sandboxes
from .executor import GlassbellCodeExecutor
from .sandboxes import Identity

if TYPE_CHECKING:
    from google.adk.agents.readonly_context import ReadonlyContext
    from google.adk.tools.base_tool import BaseTool

__all__ = ["GlassbellToolset"]

_READ_MAX = 1 << 20  # bytes of a file that a model is shown
_SHOWN = 1000  # names of a folder likewise
_TRIES = 8  # copies of a sandbox at once


class GlassbellToolset(BaseToolset):  # type: ignore[misc, unused-ignore]
    """run_python, run_shell, read_file, write_file, list_files, rewind and try_python in the VM of the
    ADK session.

    `executor` has the settings. An agent whose code_executor has the same settings shares the VM.
    Files and figures that code makes become artifacts.
    """

    def __init__(self, executor: Optional[GlassbellCodeExecutor] = None, *,
                 close_sandboxes: bool = False, **base: Any) -> None:
        super().__init__(**base)
        self.executor = executor if executor is not None else GlassbellCodeExecutor()
        if not self.executor.stateful or self.executor.isolation_scope == "execution":
            raise ValueError("the tools need a sandbox that keeps its state")
        self._close_sandboxes = close_sandboxes

    async def get_tools(self, readonly_context: Optional[ReadonlyContext] = None) -> list[BaseTool]:
        return [FunctionTool(function) for function in (
            self.run_python, self.run_shell, self.read_file, self.write_file, self.list_files,
            *((self.rewind, self.try_python) if self.executor.rollback else ()))]

    async def close(self) -> None:
        if self._close_sandboxes:
            await asyncio.to_thread(sandboxes.close_all, True)

    async def run_python(self, code: str, tool_context: ToolContext) -> dict[str, Any]:
        """Runs Python code in a sandbox. Variables and files stay until the next call. Print what
        you need to see. Files that it writes, and open matplotlib figures, are saved as artifacts.

        Args:
            code: The Python code.
        """
        ctx = tool_context._invocation_context
        given = CodeExecutionInput(code=code, execution_id=ctx.session.id)
        done = await asyncio.to_thread(self.executor.execute_code, ctx, given)
        execution = getattr(done, "execution", None)
        answer: dict[str, Any] = {"status": "error" if done.stderr else "ok",
                                  "stdout": done.stdout}
        if done.stderr:
            answer["stderr"] = done.stderr
        if execution is not None and execution.exit_code is not None:
            answer["exit_code"] = execution.exit_code
        if execution is not None and self.executor.rollback:
            answer["cell"] = execution.cell
        if done.output_files and ctx.artifact_service is not None:
            for file in done.output_files:
                await tool_context.save_artifact(file.name, types.Part.from_bytes(
                    data=base64.b64decode(file.content), mime_type=file.mime_type))
            answer["artifacts"] = [file.name for file in done.output_files]
        return answer

    async def run_shell(self, command: str, tool_context: ToolContext) -> dict[str, Any]:
        """Runs a command with bash in the same sandbox, in the directory of its files.

        Args:
            command: The command.
        """
        executor = self.executor

        def run(session: Session) -> dict[str, Any]:
            code = snippets.shell(command)
            if code is None:
                session.write(snippets.SHELL_SCRIPT, command)
            cell = session.exec(code or snippets.SHELL_FILE, mode="shell",
                                timeout=executor._limit(), max_stdout=4 << 20, max_stderr=1 << 20)
            said = result.explain(cell, executor._limit(), executor._memory())
            answer: dict[str, Any] = {
                "status": "ok" if cell.ok else "error", "exit_code": cell.exit_code,
                **({"cell": cell.cell} if executor.rollback else {}),
                "stdout": result.cut(cell.stdout, executor.max_stdout_chars, cell.truncated_stdout),
                "stderr": result.cut(cell.stderr, executor.max_stderr_chars, cell.truncated_stderr)}
            return {**answer, "note" if cell.ok else "error": " ".join(said)} if said else answer

        return await self._with_session(tool_context, run)

    async def read_file(self, path: str, tool_context: ToolContext) -> dict[str, Any]:
        """Reads a file of the sandbox, at most 1 MiB of it.

        Args:
            path: Where it is, relative to the directory of the files.
        """
        def read(session: Session) -> dict[str, Any]:
            data = session.read(path, length=_READ_MAX)
            size = session.stat(path).size
            try:
                answer: dict[str, Any] = {"status": "ok", "text": data.decode()}
            except UnicodeDecodeError:
                answer = {"status": "ok", "base64": base64.b64encode(data).decode()}
            return {**answer, "size": size, "truncated": True} if size > len(data) else answer

        return await self._with_session(tool_context, read)

    async def write_file(self, path: str, content: str, tool_context: ToolContext) -> dict[str, Any]:
        """Writes a text file in the sandbox. Folders above it are made.

        Args:
            path: Where, relative to the directory of the files.
            content: The whole text.
        """
        return await self._with_session(
            tool_context, lambda session: {"status": "ok", "size": session.write(path, content)})

    async def list_files(self, tool_context: ToolContext, path: str = ".") -> dict[str, Any]:
        """Lists a folder of the sandbox.

        Args:
            path: Which, relative to the directory of the files.
        """
        def names(session: Session) -> dict[str, Any]:
            entries = session.list(path, limit=_SHOWN + 1)
            shown = [{"name": entry.name, "type": entry.type, "size": entry.size}
                     for entry in entries[:_SHOWN]]
            return {"status": "ok", "entries": shown,
                    **({"more": True} if len(entries) > _SHOWN else {})}

        return await self._with_session(tool_context, names)

    async def rewind(self, cell: int, tool_context: ToolContext) -> dict[str, Any]:
        """Takes the sandbox back to how it was after an earlier run_python or run_shell: variables,
        files and programs that run. Nothing is run again, and what came after is undone.

        Args:
            cell: The `cell` in the answer of that run.
        """
        executor = self.executor

        def back(session: Session) -> dict[str, Any]:
            rewound = session.rewind(cell, wait=executor.boot_timeout_seconds)
            return {"status": "ok", "cell": rewound.cell, "undone_from": rewound.from_cell}

        return await self._with_session(tool_context, back)

    async def try_python(self, codes: list[str], tool_context: ToolContext) -> dict[str, Any]:
        """Runs several pieces of Python code at the same time, each in a copy of the sandbox as it is
        now, with its variables and files. The copies are thrown away and the sandbox is not touched:
        run the best one with run_python.

        Args:
            codes: The alternatives, at most eight.
        """
        if not 1 <= len(codes) <= _TRIES:
            return {"status": "error", "error": f"give 1 to {_TRIES} alternatives, not {len(codes)}"}

        def attempt(code: str, copy: Union[Session, GlassbellError]) -> dict[str, Any]:
            if isinstance(copy, GlassbellError):
                return {"status": "error", "error": copy.message}
            try:
                return self._tell(copy.exec(code, timeout=self.executor._limit(),
                                            max_stdout=4 << 20, max_stderr=1 << 20, rollback=False))
            except GlassbellError as problem:
                return {"status": "error", "error": problem.message}
            finally:
                with contextlib.suppress(GlassbellError):  # else it ends by itself when it is idle
                    copy.close()

        def attempts(session: Session) -> dict[str, Any]:
            copies = session.fork(len(codes), wait=self.executor.boot_timeout_seconds)
            with concurrent.futures.ThreadPoolExecutor(len(codes)) as pool:
                return {"status": "ok", "results": list(pool.map(attempt, codes, copies))}

        return await self._with_session(tool_context, attempts)

    def _tell(self, cell: Cell) -> dict[str, Any]:
        executor = self.executor
        said = result.explain(cell, executor._limit(), executor._memory())
        answer: dict[str, Any] = {
            "status": "ok" if cell.ok else "error", "exit_code": cell.exit_code,
            "stdout": result.cut(cell.stdout, executor.max_stdout_chars, cell.truncated_stdout),
            "stderr": result.cut(cell.stderr, executor.max_stderr_chars, cell.truncated_stderr)}
        if cell.value is not None:
            answer["value"] = result.cut(cell.value, executor.max_stdout_chars)
        return {**answer, "note" if cell.ok else "error": " ".join(said)} if said else answer

    async def _with_session(self, tool_context: ToolContext,
                            action: Callable[[Session], dict[str, Any]]) -> dict[str, Any]:
        ctx = tool_context._invocation_context

        def work() -> dict[str, Any]:
            identity = context.identity(ctx, ctx.session.id, self.executor.isolation_scope)
            try:
                with self.executor.held(ctx, identity or Identity("", "", ctx.session.id)) as held:
                    answer = held.run(context.mounted(ctx), action)
                    return {**answer, "notice": " ".join(held.notes)} if held.notes else answer
            except GlassbellError as problem:
                return {"status": "error", "error": problem.message}

        return await asyncio.to_thread(work)
