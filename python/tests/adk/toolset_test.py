# SPDX-License-Identifier: Apache-2.0
"""The sandbox as tools, one for each ADK session."""

import asyncio

import pytest
from google.adk.agents import LlmAgent
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
    assert python == {"status": "ok", "stdout": "given\n", "exit_code": 0, "artifacts": ["out.csv"]}
    assert (shell["status"], shell["exit_code"], shell["stdout"]) == ("error", 3, "given")
    assert read == {"status": "ok", "text": "given"}
    assert listed["entries"] == [{"name": "in.txt", "type": "file", "size": 5}]
    assert missing["status"] == "error" and "no such file" in missing["error"]
    assert failed["status"] == "error" and "ZeroDivisionError" in failed["stderr"]
    assert made.artifacts == {"out.csv": 0}
    assert "the same sandbox: given" in made.results[0].output


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
