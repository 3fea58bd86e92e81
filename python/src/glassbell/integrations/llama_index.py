# SPDX-License-Identifier: Apache-2.0
"""A session as the `code_execute_fn` of LlamaIndex's CodeActAgent.

    from llama_index.core.agent.workflow import CodeActAgent
    from glassbell.integrations.llama_index import code_execute_fn

    async with glassbell.AsyncClient() as client, await client.open("python") as session:
        agent = CodeActAgent(code_execute_fn=code_execute_fn(session), llm=…, tools=[…])

There is nothing of LlamaIndex in here: it is a recipe to copy from.
"""

from __future__ import annotations

import inspect
import textwrap
from typing import Any, Awaitable, Callable, Dict, Sequence

from .._async.session import AsyncSession

__all__ = ["code_execute_fn"]


def code_execute_fn(session: AsyncSession, tools: Sequence[Callable[..., Any]] = (), *,
                    timeout: float = 60) -> Callable[[str], Awaitable[Dict[str, Any]]]:
    """A function that runs code in the session, where variables stay until the next call.

    tools: plain functions that the code may call. Their source is sent, so that they run in the
    sandbox too and must bring along what they need.
    """
    ready = False

    async def execute(code: str) -> Dict[str, Any]:
        """Runs Python code in a sandbox and returns what it printed."""
        nonlocal ready
        if tools and not ready:
            source = "\n\n".join(textwrap.dedent(inspect.getsource(tool)) for tool in tools)
            cell = await session.exec(source)
            if not cell.ok:
                return {"error": f"the tools cannot be defined: {cell.stderr}"}
            ready = True
        cell = await session.exec(code, timeout=timeout)
        answer: Dict[str, Any] = {"stdout": cell.stdout}
        if cell.stderr:
            answer["stderr"] = cell.stderr
        if cell.value is not None:
            answer["value"] = cell.value
        if cell.timed_out:
            answer["error"] = f"ended after {timeout:g} seconds"
        elif not cell.ok:
            answer["error"] = cell.note or f"ended with {cell.signal or f'status {cell.exit_code}'}"
        elif cell.note:  # that earlier cells are undone, for example
            answer["note"] = cell.note
        if cell.state_lost:
            answer["note"] = "the interpreter was restarted: variables are gone"
            ready = False
        return answer

    return execute
