# SPDX-License-Identifier: Apache-2.0
"""A session as the remote executor of a smolagents CodeAgent.

    from smolagents import CodeAgent
    from glassbell.integrations.smolagents import GlassbellExecutor

    agent = CodeAgent(tools=[…], model=…, executor=GlassbellExecutor())
"""

from __future__ import annotations

import io
import re
from typing import Any, Optional, Sequence

from smolagents.local_python_executor import CodeOutput
from smolagents.monitoring import AgentLogger, LogLevel
from smolagents.remote_executors import RemotePythonExecutor
from smolagents.utils import AgentError

from .._sync.client import Client
from .._sync.session import Session
from ..types import Cell

__all__ = ["GlassbellExecutor"]

_ANSWER_MAX = 32 << 20  # bytes of an answer, which comes as the message of an exception
_IMPORT = re.compile(r"^import ([\w.]+)$", re.MULTILINE)
_LITERALS = {"None": None, "True": True, "False": False}


class GlassbellExecutor(RemotePythonExecutor):  # type: ignore[misc, unused-ignore]
    """Runs an agent's code in one VM, which keeps its state from step to step.

    There is no network in the VM: `additional_imports` have to be in the image, and it is an error
    at once when they are not.
    session: use this one, and leave it open at the end; else one is opened with `options`, which
    are those of `Client.open`.
    """

    def __init__(self, additional_imports: Sequence[str] = (), logger: Any = None, *,
                 allow_pickle: bool = False, session: Optional[Session] = None,
                 client: Optional[Client] = None, timeout: float = 300, **options: Any) -> None:
        super().__init__(list(additional_imports), logger or AgentLogger(level=LogLevel.ERROR),
                         allow_pickle)
        self._defining = False
        self._owned = session is None
        self.session = session or (client or Client(name="smolagents")).open(**options)
        self._timeout = timeout
        self.installed_packages = self.install_packages(list(additional_imports))
        missing = sorted(set(additional_imports) - set(self.installed_packages))
        if missing:
            self.cleanup()
            raise ValueError(f"the image has no {', '.join(missing)}, and there is no network in the "
                             "sandbox to get it from")

    def send_tools(self, tools: dict[str, Any]) -> None:
        # The sources of tools import at their head all that they could need: what their code only
        # tries to use must not keep them from being defined.
        self._defining = True
        try:
            super().send_tools(tools)
        finally:
            self._defining = False

    def run_code_raise_errors(self, code: str) -> CodeOutput:
        if self._defining:
            code = _IMPORT.sub(r"try:\n    import \1\nexcept ImportError:\n    pass", code)
        cell = self.session.exec(code, timeout=self._timeout, max_stderr=_ANSWER_MAX)
        answer = re.search(rf"^(?:[\w.<>]*\.)?{self.FINAL_ANSWER_EXCEPTION}: (.*)\Z",
                           cell.stderr.rstrip("\n"), re.MULTILINE | re.DOTALL)
        if not cell.ok and answer is not None:
            return CodeOutput(output=self._deserialize_final_answer(answer[1], self.allow_pickle),
                              logs=cell.stdout, is_final_answer=True)
        if not cell.ok:
            raise AgentError(f"{cell.stdout}\nExecuting code yielded an error:\n{_why(cell)}",
                             self.logger)
        logs = cell.stdout + (f"\n{cell.stderr}" if cell.stderr else "")
        if cell.note:  # that earlier cells are undone, for example
            logs += f"\n[{cell.note}]"
        return CodeOutput(output=_output(cell), logs=logs, is_final_answer=False)

    def install_packages(self, additional_imports: list[str]) -> list[str]:
        """What can be imported counts as installed. What tools only may need is not missed yet."""
        names = {"pillow": "PIL", "scikit-learn": "sklearn", "opencv-python": "cv2",
                 "beautifulsoup4": "bs4", "pyyaml": "yaml"}
        modules = {names.get(name, re.split(r"[\[<>=!~; ]", name)[0].replace("-", "_")): name
                   for name in additional_imports}
        cell = self.session.exec(
            "from importlib.util import find_spec as _find\n"
            f"print(*(name for name in {list(modules)!r} if _find(name.split('.')[0])))\n"
            "del _find")
        found = [modules[name] for name in cell.stdout.split()]
        missing = sorted(set(additional_imports) - set(found))
        if missing:
            self.logger.log(f"not in the sandbox: {', '.join(missing)}", level=LogLevel.INFO)
        return found

    def cleanup(self) -> None:
        if self._owned:
            self.session.close()


def _why(cell: Cell) -> str:
    said = [cell.stderr.rstrip()] if cell.stderr.strip() else []
    if cell.timed_out:
        said.append("The code took too long and was ended.")
    if cell.oom:
        said.append("The sandbox ran out of memory.")
    if cell.state_lost:
        said.append("The interpreter was restarted: variables are gone.")
    if not said:
        said.append(f"It ended with {cell.signal or f'status {cell.exit_code}'}.")
    return "\n".join(said)


def _output(cell: Cell) -> Any:
    """A figure as an image, if Pillow is here; else the repr of the last expression."""
    for display in cell.displays:
        if display.mime in ("image/png", "image/jpeg"):
            try:
                from PIL import Image
            except ImportError:
                break
            return Image.open(io.BytesIO(display.data))
    return _LITERALS.get(cell.value, cell.value) if cell.value is not None else None
