# SPDX-License-Identifier: Apache-2.0
"""The sandbox as tools, one for each ADK session."""

import asyncio
import time

import pytest
from google.adk.agents import LlmAgent
from google.adk.tools.tool_context import ToolContext
from google.genai import types
from scripted import ScriptedLlm, code, drive

from glassbell.adk import GlassbellToolset


def call(name, **args):
    return types.Part(function_call=types.FunctionCall(name=name, args=args))


def answers(made):
    return [part.function_response.response for event in made.events if event.content
            for part in event.content.parts or [] if part.function_response]


def test_tools_in_a_runner(executor):
    one = executor()
    toolset = GlassbellToolset(one)
    turns = [call("write_file", path="d/in.txt", content="given"),
             call("run_python", code="x = open('d/in.txt').read()\nopen('out.csv', 'w').write(x)\n"
                                     "print(x)"),
             call("run_shell", command="cat out.csv; cd /; exit 3"),
             call("read_file", path="out.csv"),
             call("list_files", path="d"),
             call("read_file", path="missing"),
             call("run_python", code="1 / 0"),
             code("print('the same sandbox:', x)")]
    root = LlmAgent(name="tools", model=ScriptedLlm(turns=turns), tools=[toolset],
                    code_executor=one)
    made = asyncio.run(drive(one, root=root))
    write, python, shell, read, listed, missing, failed = answers(made)
    assert write == {"status": "ok", "size": 5}
    assert python == {"status": "ok", "stdout": "given\n", "exit_code": 0, "cell": 1, "artifacts": ["out.csv"]}
    assert (shell["status"], shell["exit_code"], shell["stdout"]) == ("error", 3, "given")
    assert read == {"status": "ok", "text": "given"}
    assert listed["entries"] == [{"name": "in.txt", "type": "file", "size": 5}]
    assert missing["status"] == "error" and "no such file" in missing["error"]
    assert failed["status"] == "error" and "ZeroDivisionError" in failed["stderr"]
    assert made.artifacts == {"out.csv": 0}
    assert "the same sandbox: given" in made.results[0].output


def kept(executor, cell):
    """A tool that waits until there is a checkpoint of the moment after the cell."""
    def settle(tool_context: ToolContext) -> dict:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for info in executor.client().sessions(owner=tool_context._invocation_context.user_id):
                session = executor.client().session(info.session)
                if any(one.cell == cell for one in session.checkpoints()):
                    return {"status": "ok"}
        return {"status": "error"}
    return settle


def test_back_to_an_earlier_run(executor):
    """Variables, files and input files are as they were; what came after is undone."""
    one = executor()
    turns = [call("run_python", code="x = [1]\nopen('f.txt', 'w').write('first')"),
             call("settle"),
             call("run_python", code="x.append(2)\nopen('f.txt', 'w').write('second')\nopen('g.txt', 'w').close()"),
             call("rewind", cell=1),
             call("run_python", code="import os\nprint(x, open('f.txt').read(), os.path.exists('g.txt'))"),
             call("rewind", cell=77)]
    root = LlmAgent(name="tools", model=ScriptedLlm(turns=turns), tools=[GlassbellToolset(one), kept(one, 1)])
    first, settled, second, back, after, missing = answers(asyncio.run(drive(one, root=root)))
    assert settled == {"status": "ok"}
    assert (first["cell"], second["cell"]) == (1, 2)
    assert back == {"status": "ok", "cell": 1, "undone_from": 2}
    assert after["stdout"] == "[1] first False\n" and after["cell"] == 3
    assert missing["status"] == "error" and "no checkpoint" in missing["error"]


def test_alternatives_in_copies(executor):
    """Each has the variables and files; none touches the sandbox, and none is left."""
    one = executor()
    turns = [call("run_python", code="x = 20\nopen('f.txt', 'w').write('kept')"),
             call("try_python", codes=["x += 1; open('f.txt', 'w').write('no'); print(x)", "x *= 2; x", "1 / 0",
                                       "open('f.txt').read()"]),
             call("run_python", code="print(x, open('f.txt').read())"),
             call("try_python", codes=[])]
    root = LlmAgent(name="tools", model=ScriptedLlm(turns=turns), tools=[GlassbellToolset(one)])
    before = len(one.client().sessions())
    _, tried, after, none = answers(asyncio.run(drive(one, root=root)))
    plus, times, failed, read = tried["results"]
    assert (tried["status"], plus["stdout"], times["value"], read["value"]) == ("ok", "21\n", "40", "'kept'")
    assert failed["status"] == "error" and "ZeroDivisionError" in failed["stderr"]
    assert after["stdout"] == "20 kept\n"
    assert none["status"] == "error" and "1 to 8" in none["error"]
    assert len(one.client().sessions()) == before + 1


STUBBORN = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1)"


@pytest.mark.parametrize("rollback", [True, False])
def test_a_time_out_costs_no_state(executor, rollback):
    """Unless it is turned off: then there are no tools to go back either."""
    one = executor(timeout_seconds=3, rollback=rollback)
    turns = [call("run_python", code="x = 42"), call("settle") if rollback else call("list_files"),
             call("run_python", code=STUBBORN), call("run_python", code="print(x)")]
    tools = GlassbellToolset(one)
    root = LlmAgent(name="tools", model=ScriptedLlm(turns=turns), tools=[tools, kept(one, 1)])
    _, settled, killed, after = answers(asyncio.run(drive(one, root=root)))
    assert settled["status"] == "ok"
    assert killed["status"] == "error" and "timed out after 3 seconds" in killed["stderr"]
    assert ("taken back to how it was before" in killed["stderr"]) == rollback
    assert ("variables are gone" in killed["stderr"]) != rollback
    assert (after.get("stdout") == "42\n") == rollback
    assert ("rewind" in [tool.name for tool in asyncio.run(tools.get_tools())]) == rollback


def test_a_folder_of_more_names_than_are_shown(executor):
    """None of them is UTF-8: the list comes to its end, and says that there are more."""
    one = executor()
    turns = [call("run_python", code="import os\nos.mkdir('d')\nfor i in range(1001):\n"
                                     "    open(b'd/\\xff%04d' % i, 'w').close()"),
             call("list_files", path="d"),
             call("run_shell", command="rm d/*0000"),
             call("list_files", path="d")]
    root = LlmAgent(name="tools", model=ScriptedLlm(turns=turns), tools=[GlassbellToolset(one)])
    _, many, _, all_of_them = answers(asyncio.run(drive(one, root=root)))
    assert [entry["name"] for entry in many["entries"]] == [f"\ufffd{i:04}" for i in range(1000)]
    assert many["more"] is True
    assert len(all_of_them["entries"]) == 1000 and "more" not in all_of_them


def test_settings(executor):
    for settings in ({"stateful": False}, {"isolation_scope": "execution"}):
        with pytest.raises(ValueError):
            GlassbellToolset(executor(**settings))
