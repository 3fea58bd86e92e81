# SPDX-License-Identifier: Apache-2.0
"""A Runner with a model that follows a script."""

import asyncio
import contextlib

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig
from google.adk.code_executors.code_execution_utils import CodeExecutionInput
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types
from pydantic import Field

APP = "tests"


class ScriptedLlm(BaseLlm):
    """Says its turns one after the other, ends each as a real model does, and keeps what it saw."""

    model: str = "scripted"
    turns: list = []
    seen: list = Field(default_factory=list, exclude=True)

    async def generate_content_async(self, llm_request, stream=False):
        turn = len(self.seen)
        self.seen.append(llm_request.model_copy(deep=True))
        said = self.turns[turn] if turn < len(self.turns) else "done"
        part = said if isinstance(said, types.Part) else types.Part(text=said)
        kw = ({"finish_reason": types.FinishReason.STOP}
              if "finish_reason" in LlmResponse.model_fields else {})
        yield LlmResponse(content=types.Content(role="model", parts=[part]), **kw)

    def connect(self, llm_request):
        """There for ADK, which lets only models that have it be asked for support_cfc."""
        raise NotImplementedError

    def text(self, turn):
        """All that the model was shown in a turn."""
        return "\n".join(part.text for content in self.seen[turn].contents
                         for part in content.parts or [] if part.text)


def code(text):
    return f"Let me see.\n```python\n{text}\n```\n"


class Run:
    """What came out of a run."""

    def __init__(self, runner, session, llm):
        self.runner, self.session, self.llm = runner, session, llm
        self.events = []

    @property
    def results(self):
        return [part.code_execution_result for event in self.events if event.content
                for part in event.content.parts or [] if part.code_execution_result]

    @property
    def outcomes(self):
        return [result.outcome.value.removeprefix("OUTCOME_") for result in self.results]

    @property
    def artifacts(self):
        delta = {}
        for event in self.events:
            delta.update(event.actions.artifact_delta or {})
        return delta

    @property
    def final(self):
        texts = [part.text for event in self.events if event.content
                 for part in event.content.parts or [] if part.text]
        return texts[-1] if texts else ""

    async def artifact(self, name):
        part = await self.runner.artifact_service.load_artifact(
            app_name=APP, user_id=self.session.user_id, session_id=self.session.id, filename=name)
        return part.inline_data


def content(*parts):
    return types.Content(role="user", parts=[
        part if isinstance(part, types.Part) else types.Part(text=part) for part in parts])


def agent(executor, *turns, name="coder", **settings):
    return LlmAgent(name=name, model=ScriptedLlm(turns=list(turns)), code_executor=executor,
                    **settings)


def make_runner(root, plugins=()):
    return InMemoryRunner(agent=root, app_name=APP, **({"plugins": list(plugins)} if plugins else {}))


async def drive(executor, *turns, message="go", user="u", session=None, state=None, runner=None,
                plugins=(), root=None, session_id=None, config=None, **more):
    root = root or agent(executor, *turns)
    if runner is None:
        runner = make_runner(root, plugins)
    elif runner.agent is not root:
        other = make_runner(root, plugins)
        other.session_service = runner.session_service
        other.artifact_service = runner.artifact_service
        runner = other
    if session is None:
        session = await runner.session_service.create_session(
            app_name=APP, user_id=user, state=state, session_id=session_id)
    run = Run(runner, session, root.model if isinstance(root, LlmAgent) else None)
    stream = runner.run_async(
        user_id=user, session_id=session.id, run_config=config or RunConfig(max_llm_calls=10), **more,
        new_message=content(message) if isinstance(message, str) else message)
    async with contextlib.aclosing(stream):
        async for event in stream:
            run.events.append(event)
    return run


def run(executor, *turns, **options):
    """Drives a run in a loop of its own."""
    return asyncio.run(drive(executor, *turns, **options))


def execute(executor, source, id="shared", files=(), context=None):
    """Calls the executor as a flow would, with the same sandbox for all who do not say else."""
    return executor.execute_code(context, CodeExecutionInput(
        code=source, execution_id=id, input_files=list(files)))
