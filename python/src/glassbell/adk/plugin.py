# SPDX-License-Identifier: Apache-2.0
"""A plugin for ADK's Runner that makes the executor work well in it. All of it is optional."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any, Iterator, Optional, Sequence, Union

from google.adk.code_executors.base_code_executor import BaseCodeExecutor
from google.adk.plugins.base_plugin import BasePlugin

from . import context, files, sandboxes
from .executor import NO_NETWORK, GlassbellCodeExecutor

if TYPE_CHECKING:
    from google.adk.agents.callback_context import CallbackContext
    from google.adk.agents.invocation_context import InvocationContext
    from google.adk.models.llm_request import LlmRequest
    from google.adk.models.llm_response import LlmResponse
    from google.genai import types

__all__ = ["GlassbellPlugin"]

logger = logging.getLogger("google_adk.glassbell")

_MOUNT_MAX = 64 << 20  # bytes of artifacts that are put into a sandbox

_INSTRUCTION = """\
# Running code

You can run Python code in a sandbox. To run it, write one fenced block, and nothing after it:

{lead}print("hello"){trail}

Write the fence exactly like this. Never call a tool to run code, and never emit a native code
execution part: there is no such tool, and the request would be rejected. Code that is only to be
shown must stand in a fence of another kind (for example ```text).

What the code prints comes back to you; print what you need to see. {state}Files that the code
writes into its working directory, and open matplotlib figures, are saved as artifacts for the user.
{packages}{network}"""


class GlassbellPlugin(BasePlugin):  # type: ignore[misc, unused-ignore]
    """What it does for agents whose code_executor is a GlassbellCodeExecutor:

    - before a run, refuses settings with which their code would never run, or run and then fail;
    - tells the model how to write code that is run (`instruction`);
    - ends the code in the VM when the run is cancelled (ADK that calls executors in a thread);
    - puts artifacts of the session into the sandbox (`mount_artifacts`: True, or their names);
    - at the end of the Runner, closes connections, and the sandboxes with `close_sandboxes`.
    """

    def __init__(self, name: str = "glassbell", *, instruction: bool = True,
                 mount_artifacts: Union[bool, Sequence[str]] = False,
                 close_sandboxes: bool = False) -> None:
        super().__init__(name=name)
        self._instruction = instruction
        self._mount = mount_artifacts
        self._close_sandboxes = close_sandboxes

    async def before_run_callback(
            self, *, invocation_context: InvocationContext) -> Optional[types.Content]:
        agent = getattr(invocation_context, "agent", None)
        config = getattr(invocation_context, "run_config", None)
        # Before 2.x, ADK has replaced the root agent's executor by now.
        if getattr(config, "support_cfc", False) and getattr(agent, "code_executor", None):
            raise ValueError("RunConfig.support_cfc makes ADK replace the code executor with the "
                             "model's own: GlassbellCodeExecutor would never be called")
        if not any(_executors(agent)):
            return None
        if getattr(invocation_context, "artifact_service", None) is None:
            raise ValueError("the Runner has no artifact service: ADK would run the code and then "
                             "fail; give it one (InMemoryArtifactService, …)")
        if self._mount:
            context.mount(invocation_context.invocation_id, await self._load(invocation_context))
        return None

    async def _load(self, ctx: Any) -> dict[str, bytes]:
        where = {"app_name": ctx.app_name, "user_id": ctx.user_id, "session_id": ctx.session.id}
        names: Sequence[str] = (self._mount if not isinstance(self._mount, bool) else
                                await ctx.artifact_service.list_artifact_keys(**where))
        loaded: dict[str, bytes] = {}
        total = 0
        for name in names:
            plain = name.removeprefix("user:")
            why = files.bad_name(plain)
            part = None if why else await ctx.artifact_service.load_artifact(filename=name, **where)
            data = getattr(getattr(part, "inline_data", None), "data", None)
            text = getattr(part, "text", None)
            data = text.encode() if data is None and isinstance(text, str) else data
            if data is None or total + len(data) > _MOUNT_MAX:
                logger.warning("the artifact %r is not put into the sandbox: %s", name,
                               why or ("it has no bytes" if data is None else "too large"))
                continue
            loaded[plain] = data
            total += len(data)
        return loaded

    async def after_run_callback(self, *, invocation_context: InvocationContext) -> None:
        context.unmount(invocation_context.invocation_id)

    async def before_model_callback(self, *, callback_context: CallbackContext,
                                    llm_request: LlmRequest) -> Optional[LlmResponse]:
        ctx = getattr(callback_context, "_invocation_context", None)
        executor = getattr(getattr(ctx, "agent", None), "code_executor", None)
        if not isinstance(executor, GlassbellCodeExecutor):
            return None
        context.task_of_run.set(asyncio.current_task())
        if self._instruction:
            llm_request.append_instructions([instruction(executor)])
        return None

    async def close(self) -> None:
        await asyncio.to_thread(sandboxes.close_all, self._close_sandboxes)
        parent: Any = getattr(super(), "close", None)  # since ADK 1.19
        if parent is not None and inspect.iscoroutinefunction(parent):
            await parent()


def instruction(executor: BaseCodeExecutor) -> str:
    """How a model has to write code so that ADK runs it."""
    fences = executor.code_block_delimiters
    # Models write ```python by themselves; tool_code comes first in ADK's own list.
    lead, trail = next((fence for fence in fences if "python" in fence[0]), fences[0])
    packages = getattr(executor, "packages", None)
    stateful = executor.stateful and getattr(executor, "isolation_scope", "") != "execution"
    return _INSTRUCTION.format(
        lead=lead, trail=trail,
        state="Variables and files stay until your next code. " if stateful else
        "Each piece of code starts anew: no variable or file stays. ",
        packages=f"Beside the standard library there are {', '.join(packages)}.\n" if packages else "",
        network="" if getattr(executor, "network", None) not in NO_NETWORK else
        "There is no network.\n")


def _executors(agent: Any) -> Iterator[bool]:
    """Whether an agent, or one below it, uses our executor."""
    waiting, seen = [agent], set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield isinstance(getattr(one, "code_executor", None), GlassbellCodeExecutor)
        below = getattr(one, "sub_agents", None)
        waiting += below if isinstance(below, list) else []
