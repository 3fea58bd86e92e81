# SPDX-License-Identifier: Apache-2.0
"""What a cell becomes for ADK.

ADK takes any text on stderr for a failure, and then shows the model nothing but that. So stderr is
filled exactly when something failed, and carries then all that the model needs to know.
"""

from __future__ import annotations

import dataclasses
from typing import Optional

from google.adk.code_executors.code_execution_utils import CodeExecutionResult

from ..types import Cell

__all__ = ["Execution", "GlassbellExecutionResult", "cut", "explain", "make", "of_cell", "of_script"]

_ENVELOPE = '"__shell_result__"'  # ADK's skills parse a stdout that holds this
_HAS_EXIT_CODE = any(field.name == "exit_code" for field in dataclasses.fields(CodeExecutionResult))


@dataclasses.dataclass(frozen=True)
class Execution:
    """What is known about an execution beside its output."""

    session: str
    incarnation: int
    cell: int
    exit_code: Optional[int]
    signal: Optional[str]
    timed_out: bool
    interrupted: bool
    oom: bool
    state_lost: bool
    truncated: int
    wall_ms: float
    cpu_ms: float
    peak_memory_bytes: int
    source: str

    @classmethod
    def of(cls, cell: Cell, incarnation: int, source: str) -> Execution:
        return cls(cell.session, incarnation, cell.cell, cell.exit_code, cell.signal,
                   cell.timed_out, cell.interrupted, cell.oom, cell.state_lost,
                   cell.truncated_stdout + cell.truncated_stderr, cell.wall_ms, cell.cpu_ms,
                   cell.peak_memory_bytes, source)


@dataclasses.dataclass
class GlassbellExecutionResult(CodeExecutionResult):
    """ADK's result, and what Glassbell knows beyond it; `execution` is None when nothing ran."""

    execution: Optional[Execution] = None


def make(stdout: str = "", stderr: str = "",
         execution: Optional[Execution] = None) -> GlassbellExecutionResult:
    result = GlassbellExecutionResult(stdout=stdout, stderr=stderr, execution=execution)
    if _HAS_EXIT_CODE and execution is not None:
        result.exit_code = execution.exit_code
    return result


def cut(text: str, limit: int, left_out: int = 0) -> str:
    """The beginning and the end of a text that is too long, and how much is not there.

    `left_out` bytes behind the text have been dropped already."""
    if len(text) <= limit and not left_out:
        return text
    if len(text) > limit:
        head, tail = text[:limit // 2], text[len(text) - (limit - limit // 2):]
        text = f"{head}\n[… {len(text) - limit} characters left out …]\n{tail}"
    return text + (f"\n[… {left_out} more bytes left out …]" if left_out else "")


def explain(cell: Cell, timeout: float, memory: str) -> list[str]:
    """Why a cell failed, and what else is to be known about it, in sentences for the model."""
    said: list[str] = []
    if cell.timed_out:
        # ADK's own executors say it in these words.
        said.append(f"Code execution timed out after {timeout:g} seconds.")
    elif cell.oom:
        said.append(f"Code execution ran out of memory: the sandbox has {memory}.")
    elif cell.interrupted:
        said.append("Code execution was interrupted.")
    elif cell.signal is not None:
        said.append(f"The code was killed by {cell.signal}.")
    elif cell.exit_code is None:
        said.append("The code did not end in an orderly way.")
    elif cell.exit_code != 0 and not cell.stderr.strip():
        said.append(f"Code exited with status {cell.exit_code}.")
    if cell.note and cell.note not in said:  # also where it succeeded: of earlier ones that are lost
        said.append(cell.note)
    if cell.state_lost:
        said.append("[the interpreter was restarted: variables are gone, files are kept]")
    if cell.rolled_back is not None:
        said.append("[the session was taken back to how it was before this: variables and files]")
    return said


def of_cell(cell: Cell, execution: Execution, *, timeout: float, memory: str, max_stdout: int,
            max_stderr: int, always: bool, notes: list[str]) -> GlassbellExecutionResult:
    """A result for the flow that replays it to a model."""
    said = explain(cell, timeout, memory)
    stdout = cut(cell.stdout, max_stdout, cell.truncated_stdout)
    stderr = cut(cell.stderr, max_stderr, cell.truncated_stderr)
    if cell.ok:
        if cell.stdout.lstrip().startswith("{") and _ENVELOPE in cell.stdout:
            return make(cell.stdout, cell.stderr, execution)
        prefix = "".join(note + "\n" for note in notes)
        suffix = "".join("\n" + sentence for sentence in said)
        if stderr and not always:
            suffix = f"\n[stderr]\n{stderr.rstrip()}" + suffix
            stderr = ""
        return make(prefix + stdout + suffix, stderr, execution)
    pieces = notes + ([stderr.rstrip("\n")] if stderr.strip() else []) + said
    if stdout.strip():
        pieces.append("[stdout before the error]\n"
                      + _tail(cell.stdout, max_stderr, cell.truncated_stdout))
    return make(stdout, "\n".join(pieces) or "Code exited with status 1.", execution)


def of_script(cell: Cell, execution: Execution, timeout: float,
              memory: str) -> GlassbellExecutionResult:
    """A result for a caller that parses the streams: they stay as they are. ADK before 2.8 knows no
    exit status, so that a failure that printed nothing is put in words."""
    said = explain(cell, timeout, memory)
    stderr = cell.stderr
    if not cell.ok and said:
        stderr = "\n".join(([stderr.rstrip("\n")] if stderr else []) + said)
    return make(cell.stdout, stderr, execution)


def _tail(text: str, limit: int, left_out: int) -> str:
    if len(text) > limit:
        text = f"[… {len(text) - limit} characters left out …]\n" + text[-limit:]
    return text.rstrip("\n") + (f"\n[… {left_out} more bytes left out …]" if left_out else "")
