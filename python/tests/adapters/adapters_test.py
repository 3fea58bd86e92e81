# SPDX-License-Identifier: Apache-2.0
"""The adapters, each driven by the framework that it is for, with a model that follows a script."""

import asyncio
import subprocess
import sys

import pytest
from support import ROOT

import glassbell

# LangChain's deepagents


@pytest.fixture
def sandbox(session):
    from glassbell.integrations.deepagents import GlassbellSandbox
    return GlassbellSandbox(session)


def test_deepagents_sandbox(sandbox, session):
    assert sandbox.id == session.id
    said = sandbox.execute("echo out; echo err >&2; echo $((6*7)); exit 3")
    assert (said.output, said.exit_code, said.truncated) == ("out\nerr\n42\n", 3, False)
    assert sandbox.execute("sleep 60", timeout=1).exit_code == 124
    assert sandbox.execute("yes | head -c 3000000").truncated
    assert not sandbox.upload_files([("/home/user/a/b.txt", b"one\ntwo\n"), ("/tmp/c", b"\xff")])[0].error
    got = sandbox.download_files(["a/b.txt", "/tmp/c", "/home/user/none", "/tmp/none", "/home/user/a"])
    assert [(one.content, one.error) for one in got] == [
        (b"one\ntwo\n", None), (b"\xff", None), (None, "file_not_found"), (None, "file_not_found"),
        (None, "is_directory")]
    assert sandbox.upload_files([("/usr/x", b"1")])[0].error == "permission_denied"


def test_deepagents_files(sandbox):
    """What the framework builds on it: its file tools run programs of its own in the sandbox."""
    assert sandbox.write("/home/user/notes.md", "alpha\nbeta\n").error is None
    assert "beta" in sandbox.read("/home/user/notes.md").file_data["content"]
    assert sandbox.edit("/home/user/notes.md", "beta", "gamma").occurrences == 1
    assert [match["line"] for match in sandbox.grep("gamma", "/home/user").matches] == [2]
    assert any(entry["path"].endswith("notes.md") for entry in sandbox.ls("/home/user").entries)
    assert [match["path"] for match in sandbox.glob("*.md", "/home/user").matches]


def test_deepagents_agent(sandbox):
    from deepagents import create_deep_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    class Scripted(GenericFakeChatModel):
        def bind_tools(self, tools, **options):
            return self

    model = Scripted(messages=iter([
        AIMessage("", tool_calls=[{"name": "execute", "args": {"command": "echo $((6*7))"},
                                   "id": "1"}]),
        AIMessage("It is 42.")]))
    agent = create_deep_agent(model=model, backend=sandbox)
    state = agent.invoke({"messages": [("user", "6 * 7?")]})
    said = [message.content for message in state["messages"]]
    assert any("42" in str(text) for text in said[1:-1]) and said[-1] == "It is 42."


# smolagents


@pytest.fixture
def smol(session):
    from glassbell.integrations.smolagents import GlassbellExecutor
    return GlassbellExecutor(["json", "email"], session=session)


def test_smolagents_executor(smol):
    from smolagents.utils import AgentError

    smol.send_variables({"given": [1, {"a": None}]})
    output = smol("print(given)\nlen(given)")
    assert (output.output, output.logs, output.is_final_answer) == ("2", "[1, {'a': None}]\n", False)
    with pytest.raises(AgentError, match="ZeroDivisionError"):
        smol("1 / 0")
    assert smol.install_packages(["nothing-like-that>=1", "json"]) == ["json"]
    with pytest.raises(ValueError, match="has no nothing-like-that"):
        type(smol)(["nothing-like-that"], session=smol.session)


def test_smolagents_agent(smol):
    from smolagents import CodeAgent, tool
    from smolagents.models import ChatMessage, MessageRole, Model

    @tool
    def twice(number: int) -> int:
        """Doubles a number.

        Args:
            number: The number.
        """
        return number * 2

    class Scripted(Model):
        turns = ["first\n<code>\nkept = twice(21)\nprint(kept)\n</code>",
                 "then\n<code>\nfinal_answer({'answer': kept, 'text': 'a\\nb'})\n</code>"]

        def generate(self, messages, **options):
            self.seen = messages
            return ChatMessage(role=MessageRole.ASSISTANT, content=self.turns.pop(0))

    agent = CodeAgent(tools=[twice], model=Scripted(model_id="scripted"), executor=smol,
                      verbosity_level=0)
    assert agent.run("go") == {"answer": 42, "text": "a\nb"}


# AutoGen


def test_autogen_executor(server):
    from autogen_core import CancellationToken
    from autogen_core.code_executor import CodeBlock, CodeExecutor

    from glassbell.integrations.autogen import GlassbellCodeExecutor

    async def main():
        made = GlassbellCodeExecutor(socket=str(server.socket), autostart=False, timeout=5)
        copy = CodeExecutor.load_component(made.dump_component())
        assert isinstance(copy, GlassbellCodeExecutor) and copy._config == made._config
        token = CancellationToken()
        async with made as executor:
            done = await executor.execute_code_blocks([
                CodeBlock("x = 41\nprint('set')", "python"), CodeBlock("echo $((6*7))", "bash"),
                CodeBlock("print(x + 1)", "py")], token)
            assert (done.exit_code, done.output) == (0, "set\n42\n42\n")
            done = await executor.execute_code_blocks([
                CodeBlock("import sys; sys.exit(3)", "python"), CodeBlock("print(1)", "python")], token)
            assert (done.exit_code, done.output) == (3, "")
            with pytest.raises(ValueError, match="cobol"):
                await executor.execute_code_blocks([CodeBlock("x", "cobol")], token)
            slow = asyncio.create_task(executor.execute_code_blocks(
                [CodeBlock("import time\nopen('on', 'w').close()\ntime.sleep(60)", "python")], token))
            while not await executor._session.exists("on"):
                await asyncio.sleep(0)
            token.cancel()
            with pytest.raises(asyncio.CancelledError):
                await slow
            again = CancellationToken()
            done = await executor.execute_code_blocks([CodeBlock("while 1: pass", "python")], again)
            assert done.exit_code == 124
            await executor.restart()
            done = await executor.execute_code_blocks([CodeBlock("print(x)", "python")], again)
            assert done.exit_code == 1 and "NameError" in done.output

    asyncio.run(main())


# LlamaIndex


def test_llama_index_agent(server, session):
    from llama_index.core.agent.workflow import CodeActAgent
    from llama_index.core.base.llms.types import (ChatMessage, ChatResponse, CompletionResponse,
                                                  LLMMetadata)
    from llama_index.core.llms import CustomLLM

    from glassbell.integrations.llama_index import code_execute_fn

    class Scripted(CustomLLM):
        turns: list = ["<execute>\nkept = twice(21)\nprint('kept', kept)\n</execute>",
                       "<execute>\nprint(kept + 1)\n</execute>", "It is 43."]
        seen: list = []

        @property
        def metadata(self):
            return LLMMetadata()

        def complete(self, prompt, formatted=False, **options):
            self.seen.append(prompt)
            return CompletionResponse(text=self.turns[len(self.seen) - 1])

        def stream_complete(self, prompt, formatted=False, **options):
            done = self.complete(prompt)
            yield CompletionResponse(text=done.text, delta=done.text)

        async def astream_chat(self, messages, **options):
            self.seen.append(str(messages))
            text = self.turns[len(self.seen) - 1]

            async def one():
                yield ChatResponse(message=ChatMessage(role="assistant", content=text), delta=text)
            return one()

    async def main():
        async with glassbell.AsyncClient(server.socket, autostart=False) as client:
            model = Scripted()
            execute = code_execute_fn(client.session(session.id), [twice])
            agent = CodeActAgent(code_execute_fn=execute, llm=model, tools=[twice])
            done = await agent.run("21 twice?")
            assert "It is 43." in str(done)
            assert "kept 42" in model.seen[1] and "43" in model.seen[2]
            assert "ZeroDivisionError" in (await execute("1 / 0"))["stderr"]

    asyncio.run(main())


def twice(number: int) -> int:
    """Doubles a number."""
    return number * 2


# The package as a whole


def test_types(tmp_path):
    """mypy --strict is content with the client and the adapters; adk is looked at where ADK is."""
    subprocess.run([sys.executable, "-m", "mypy", "--config-file", ROOT / "python/pyproject.toml",
                    "--cache-dir", ROOT / "build/mypy-adapters", "--exclude", "/adk/",
                    ROOT / "python/src/glassbell"], check=True)
