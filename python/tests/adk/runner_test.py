# SPDX-License-Identifier: Apache-2.0
"""The executor in a real Runner: what a model gets to see, and what becomes of a session."""

import asyncio
import base64
import inspect

import pytest
from conftest import IN_THREAD
from google.adk.agents import LlmAgent, ParallelAgent
from google.adk.agents.run_config import RunConfig
from google.adk.runners import Runner
from google.adk.tools.agent_tool import AgentTool
from google.genai import types
from scripted import ScriptedLlm, agent, code, drive, make_runner, run

from glassbell.adk import GlassbellPlugin

CSV = b"name,score\nann,3\nbob,5\n"


@pytest.fixture(scope="module")
def going():
    """A session that tests go on with when they do not need one of their own."""
    return {}


def go_on(going, executor, *turns, **options):
    made = run(executor, *turns, runner=going.get("runner"), session=going.get("session"), **options)
    going.setdefault("runner", made.runner)
    going.setdefault("session", made.session)
    return made


def test_print(executor, going):
    made = go_on(going, executor(), code("print('hello')"), "It says hello.")
    assert made.outcomes == ["OK"] and "hello" in made.results[0].output
    assert "```tool_output\nCode execution result:\nhello\n" in made.llm.text(1)
    assert made.final == "It says hello."


def test_exception(executor, going):
    made = go_on(going, executor(), code("print('before')\n1 / 0"))
    assert made.outcomes == ["FAILED"]
    shown = made.llm.text(1)
    assert "ZeroDivisionError" in shown and "1 / 0" in shown
    assert "[stdout before the error]\nbefore" in shown


def test_failures_in_a_row(executor, going):
    made = go_on(going, executor(), code("1 / 0"), code("print('fixed')"), "fine")
    assert made.outcomes == ["FAILED", "OK"] and made.final == "fine"
    made = go_on(going, executor(), code("1 / 0"), code("2 / 0"), code("print('never run')"))
    assert made.outcomes == ["FAILED", "FAILED"]
    assert "never run" in made.final and len(made.llm.seen) == 3
    # What succeeds between them sets the count back.
    made = go_on(going, executor(), code("1 / 0"), code("1"), code("2 / 0"), code("2"), code("3 / 0"))
    assert made.outcomes == ["FAILED", "OK", "FAILED", "OK", "FAILED"]


def test_state_stays_across_blocks_and_turns(executor, going):
    made = go_on(going, executor(), code("kept = 41"), code("print(kept + 1)"))
    assert "42" in made.results[1].output
    made = go_on(going, executor(), code("print(kept + 2)"))
    assert "43" in made.results[0].output


def test_warnings_are_no_failure(executor, going):
    made = go_on(going, executor(), code(
        "import sys\nprint('fine')\nprint('careful', file=sys.stderr)"))
    assert made.outcomes == ["OK"]
    assert "fine" in made.llm.text(1) and "[stderr]\ncareful" in made.llm.text(1)


def test_the_loop_goes_on(executor, going):
    """From 2.5 on; before, ADK calls executors on the loop and nobody can help that."""
    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticker = asyncio.create_task(tick())
        made = await drive(executor(), code("import time; time.sleep(0.5)\nprint('slept')"),
                           runner=going.get("runner"), session=going.get("session"))
        ticker.cancel()
        return made, ticks

    made, ticks = asyncio.run(main())
    assert made.outcomes == ["OK"]
    assert not IN_THREAD or ticks > 1000


def test_parallel_agents_of_one_session(executor):
    """The same sandbox, one after the other."""
    one = executor()
    source = ("import os, time\nassert not os.path.exists('busy')\nopen('busy', 'w').close()\n"
              "time.sleep(0.05)\nos.remove('busy')\ncount = globals().get('count', 0) + 1\n"
              "print('count', count)")
    root = ParallelAgent(name="all", sub_agents=[
        agent(one, code(source), name=f"agent_{n}") for n in range(4)])
    made = run(one, root=root)
    assert made.outcomes == ["OK"] * 4
    assert sorted(result.output.split()[-1] for result in made.results) == ["1", "2", "3", "4"]


def test_a_session_cannot_reach_another(executor):
    """Other session, other user with the same session id, planted execution id."""
    one = executor(max_output_files=0)

    async def main():
        mine = await drive(one, code("open('secret', 'w').write('s'); secret = 1; print('done')"),
                           user="ann", session_id="s1")
        look = code("import os\nprint(os.listdir('.'), 'secret' in globals())")
        others = [
            await drive(one, look, user="bob", session_id="s1", runner=mine.runner),
            await drive(one, look, user="eve", runner=mine.runner, state={
                "_code_execution_context": {"execution_session_id": "s1"}}),
        ]
        again = await drive(one, look, user="ann", session=mine.session, runner=mine.runner)
        return mine, others, again

    mine, others, again = asyncio.run(main())
    assert mine.outcomes == ["OK"]
    for other in others:
        assert other.outcomes == ["OK"] and "[] False" in other.results[0].output
    assert "['secret'] True" in again.results[0].output


def test_a_child_agent_keeps_the_state(executor):
    one = executor()
    child = agent(one, code("print('child sees', shared_by_parent)"), name="child")
    root = LlmAgent(name="parent", code_executor=one, tools=[AgentTool(child)],
                    model=ScriptedLlm(turns=[
                        code("shared_by_parent = 7"),
                        types.Part(function_call=types.FunctionCall(
                            name="child", args={"request": "look"}))]))
    made = run(one, root=root)
    assert made.outcomes == ["OK"]
    assert "child sees 7" in child.model.text(1)


def test_artifacts(executor):
    picture = base64.b64encode(bytes(range(256))).decode()
    made = run(executor(), code(
        f"import base64, os\nopen('plot.png', 'wb').write(base64.b64decode({picture!r}))\n"
        "os.makedirs('out', exist_ok=True)\nopen('out/table.csv', 'w').write('a,b\\n')\n"
        "open('.hidden', 'w').write('x')\nprint('made')"))
    assert made.outcomes == ["OK"] and "`plot.png`" in made.results[0].output
    assert made.artifacts == {"plot.png": 0, "out/table.csv": 0}
    data = asyncio.run(made.artifact("plot.png"))
    assert data.data == bytes(range(256)) and data.mime_type == "image/png"
    assert asyncio.run(made.artifact("out/table.csv")).mime_type == "text/csv"


def test_cancelled_run(executor, server, going):
    """The code in the VM ends with the run that asked for it."""
    if not IN_THREAD:
        pytest.skip("this ADK calls executors on the loop: a run cannot be cancelled meanwhile")
    started = asyncio.Event()

    async def main():
        loop = asyncio.get_running_loop()

        def output(piece):
            loop.call_soon_threadsafe(started.set)

        task = asyncio.create_task(drive(
            executor(on_event=output, timeout_seconds=600),
            code("print('go', flush=True)\nimport time\nwhile True: time.sleep(0.01)"),
            runner=going.get("runner"), session=going.get("session"), plugins=[GlassbellPlugin()]))
        await asyncio.wait_for(started.wait(), 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    # The next code of the same sandbox runs only when that one has ended.
    made = go_on(going, executor(), code("print('free')"))
    assert made.outcomes == ["OK"]


def test_aborted_run(executor, going):
    """The same by ADK's own signal, where it has one."""
    if "abort_signal" not in inspect.signature(Runner.run_async).parameters:
        pytest.skip("this ADK has no abort signal")

    async def main():
        loop, abort = asyncio.get_running_loop(), asyncio.Event()
        made = await drive(
            executor(on_event=lambda _: loop.call_soon_threadsafe(abort.set), timeout_seconds=600),
            code("print('go', flush=True)\nimport time\nwhile True: time.sleep(0.01)"),
            runner=going.get("runner"), session=going.get("session"), plugins=[GlassbellPlugin()],
            abort_signal=abort)
        return made.results

    assert asyncio.run(main()) == []
    assert go_on(going, executor(), code("print('free')")).outcomes == ["OK"]


def test_the_plugin_tells_how_to_write_code(executor, going):
    made = go_on(going, executor(), code("print('x')"), plugins=[GlassbellPlugin()])
    told = str(made.llm.seen[0].config.system_instruction)
    assert "```python\n" in told and "saved as artifacts" in told
    made = go_on(going, executor(), "hi", plugins=[GlassbellPlugin(instruction=False)])
    assert "```python" not in str(made.llm.seen[0].config.system_instruction)


@pytest.mark.parametrize("network", [None, "none", "off", {"mode": "none"}])
def test_the_plugin_tells_that_there_is_no_network(executor, network):
    from glassbell.adk.plugin import instruction
    assert "There is no network." in instruction(executor(network=network))
    assert "There is no network." not in instruction(executor(network={"allow": ["one.test"]}))


def refused(make):
    with pytest.raises(Exception) as caught:
        make()
    return str(caught.value)


def test_the_plugin_refuses_what_cannot_work(executor):
    one = executor()
    root = agent(one, "hi")
    root.model.model = "gemini-2.5-flash"  # the only ones that ADK lets have it
    assert "support_cfc" in refused(lambda: run(
        one, root=root, plugins=[GlassbellPlugin()], config=RunConfig(support_cfc=True)))

    async def without_artifacts():
        runner = make_runner(agent(one, code("print(1)")), [GlassbellPlugin()])
        runner.artifact_service = None
        await drive(one, runner=runner, root=runner.agent)

    assert "artifact service" in refused(lambda: asyncio.run(without_artifacts()))


def test_artifacts_go_into_the_sandbox(executor):
    async def main():
        one = executor()
        runner = make_runner(agent(one, code("print(open('in.csv').read())")),
                             [GlassbellPlugin(mount_artifacts=True)])
        session = await runner.session_service.create_session(app_name="tests", user_id="u")
        await runner.artifact_service.save_artifact(
            app_name="tests", user_id="u", session_id=session.id, filename="in.csv",
            artifact=types.Part.from_bytes(data=CSV, mime_type="text/csv"))
        return await drive(one, runner=runner, root=runner.agent, session=session)

    made = asyncio.run(main())
    assert "ann,3" in made.results[0].output and made.artifacts == {}
