# SPDX-License-Identifier: Apache-2.0
"""What ADK's own tests ask of its executors, environments and skills, restated for ours."""

import asyncio
from pathlib import Path

import pytest
from google.adk.code_executors import UnsafeLocalCodeExecutor
from google.adk.skills import models
from google.adk.tools.skill_toolset import SkillToolset
from scripted import execute

import glassbell
from glassbell.adk import GlassbellEnvironment

# The executor


def test_simple_print(executor):
    result = execute(executor(), 'print("hello world")')
    assert (result.stdout, result.stderr, result.output_files) == ("hello world\n", "", [])


def test_with_error(executor):
    result = execute(executor(), 'raise ValueError("Test error")')
    assert result.stdout == "" and "Test error" in result.stderr


def test_variable_assignment(executor):
    result = execute(executor(), "x = 10\nprint(x * 2)")
    assert (result.stdout, result.stderr) == ("20\n", "")


def test_empty(executor):
    result = execute(executor(), "")
    assert (result.stdout, result.stderr) == ("", "")


def test_nested_function_call(executor):
    result = execute(executor(), (
        "def helper(name):\n  return f'hi {name}'\n\n"
        "def main():\n  print(helper('ada'))\n\nmain()"))
    assert (result.stdout, result.stderr) == ("hi ada\n", "")


def test_timeout(executor):
    result = execute(executor(timeout_seconds=1), "import time\ntime.sleep(20)")
    assert "Code execution timed out after 1 seconds." in result.stderr and result.stdout == ""


# Skills: scripts that want a process of their own and have their streams parsed


def skill_of(**scripts):
    return models.Skill(
        frontmatter=models.Frontmatter(name="a-skill", description="d"), instructions="i",
        resources=models.Resources(
            references={"ref.md": "é"}, assets={"data.bin": bytes(range(256))},
            scripts={name.replace("_", "."): models.Script(src=src)
                     for name, src in scripts.items()}))


def run_scripts(executor, skill, *calls):
    """The answers of run_skill_script, called by a model in a Runner."""
    from google.adk.agents import LlmAgent
    from google.genai import types
    from scripted import ScriptedLlm, drive

    turns = [types.Part(function_call=types.FunctionCall(name="run_skill_script", args={
        "skill_name": "a-skill", **call})) for call in calls]
    root = LlmAgent(name="skilled", model=ScriptedLlm(turns=turns),
                    tools=[SkillToolset(skills=[skill], code_executor=executor)])
    made = asyncio.run(drive(executor, root=root))
    return [part.function_response.response for event in made.events if event.content
            for part in event.content.parts or [] if part.function_response]


def test_skill_scripts(executor):
    skill = skill_of(
        main_py=("import sys, pathlib\nsys.path.insert(0, 'scripts')\nimport side\n"
                 "print(side.said, pathlib.Path('references/ref.md').read_text(), sys.argv[1:])\n"
                 "print(pathlib.Path('assets/data.bin').read_bytes() == bytes(range(256)))\n"),
        side_py="said = 'sibling'\n", zero_py="import sys\nprint('bye')\nsys.exit(0)\n",
        talk_sh="echo out $1; echo err >&2; exit 3\n", warn_sh="echo careful >&2\n",
        both_sh="echo out; echo err >&2\n", fail_py="raise SystemExit(4)\n")
    calls = [{"file_path": "scripts/main.py", "args": ["x", "y"]}, {"file_path": "scripts/zero.py"},
             {"file_path": "scripts/talk.sh", "args": ["put"]}, {"file_path": "scripts/warn.sh"},
             {"file_path": "scripts/both.sh"}, {"file_path": "scripts/fail.py"}]
    answers = run_scripts(executor(), skill, *calls)
    main, zero, talk, warn, both, fail = answers
    assert (main["status"], main["stderr"]) == ("success", "")
    assert main["stdout"] == "sibling é ['x', 'y']\nTrue\n"
    assert (zero["status"], zero["stdout"]) == ("success", "bye\n")
    assert talk["stdout"] == "out put\n" and "err" in talk["stderr"]
    assert talk["status"] == "error"
    assert (warn["stdout"], both["stdout"]) == ("", "out\n")
    assert "careful" in warn["stderr"] and "err" in both["stderr"] and fail["status"] == "error"
    # And as ADK's own executor has it, which runs them here.
    for ours, theirs in zip(answers, run_scripts(UnsafeLocalCodeExecutor(), skill, *calls)):
        assert (ours["status"], ours["stdout"]) == (theirs["status"], theirs["stdout"])


# Environments


@pytest.fixture(scope="module")
def going():
    """One VM for the tests of the environment; it belongs to no loop."""
    environments = {}
    yield environments
    for environment in environments.values():
        asyncio.run(environment.close())


@pytest.fixture
def environment(going, server):
    if not going:
        going["one"] = GlassbellEnvironment(socket_path=str(server.socket), autostart=False,
                                            env={"FROM": "outside"})
        asyncio.run(going["one"].initialize())
    return going["one"]


def shell(environment, command, **options):
    return asyncio.run(environment.execute(command, **options))


def test_environment_runs_commands(environment):
    asyncio.run(environment.initialize())  # again is nothing
    result = shell(environment, "echo out; echo err >&2; pwd; echo $FROM")
    assert (result.exit_code, result.timed_out) == (0, False)
    assert (result.stdout, result.stderr) == ("out\n/home/user\noutside\n", "err\n")
    assert str(environment.working_dir) == "/home/user" and environment.is_initialized


def test_a_command_leaves_no_trace_in_the_next(environment):
    shell(environment, "cd /tmp; x=1; set -e; export y=2")
    result = shell(environment, "pwd; echo \"[$x$y]\"; false; echo on")
    assert result.stdout == "/home/user\n[]\non\n" and result.exit_code == 0


@pytest.mark.parametrize("command, status, said", [
    ("exit 3", 3, ""), ("kill -9 $$", 137, ""), ("(", 2, ""), ("cat <<X\nhere $((6*7))\nX", 0, "here 42\n"),
    ("printf '%s' '$HOME \"q\" `x`'", 0, "$HOME \"q\" `x`"), ("read x; echo end $?", 0, "end 1\n"),
    ("python3 -c 'print(6*7)'", 0, "42\n"), (": " + "x" * 200_000 + "; echo long", 0, "long\n")])
def test_environment_status(environment, command, status, said):
    result = shell(environment, command)
    assert (result.exit_code, result.stdout) == (status, said)


def test_environment_time_out(environment):
    result = shell(environment, "echo begun; sleep 60", timeout=0.5)
    assert result.timed_out and result.exit_code != 0 and result.stdout == "begun\n"
    assert shell(environment, "echo next").stdout == "next\n"


def test_environment_files(environment):
    async def main():
        await environment.write_file("a/b/text.txt", "é\r\n")
        assert await environment.read_file(Path("a/b/text.txt")) == "é\r\n".encode()
        await environment.write_file(Path("/home/user/raw.bin"), b"\xff\0")
        assert await environment.read_file("raw.bin") == b"\xff\0"
        for path in ("missing", Path("a/none")):
            with pytest.raises(FileNotFoundError):
                await environment.read_file(path)
        for path in ("../x", "/etc/passwd", "a/../../x"):
            with pytest.raises(ValueError):
                await environment.read_file(path)
            with pytest.raises(ValueError):
                await environment.write_file(path, "x")
        assert (await environment.execute("cat a/b/text.txt")).stdout == "é\r\n"

    asyncio.run(main())


def test_environment_tools(environment):
    """ADK's own toolset on it."""
    from google.adk.tools.environment import EnvironmentToolset

    async def main():
        tools = {tool.name: tool for tool in await EnvironmentToolset(
            environment=environment).get_tools()}
        await tools["WriteFile"].run_async(args={"path": "e.txt", "content": "one"},
                                           tool_context=None)
        await tools["EditFile"].run_async(args={
            "path": "e.txt", "old_string": "one", "new_string": "two"}, tool_context=None)
        return await tools["Execute"].run_async(args={"command": "cat e.txt; exit 4"},
                                                tool_context=None)

    answer = asyncio.run(main())
    assert (answer["stdout"], answer["exit_code"], answer["status"]) == ("two", 4, "error")


def test_environment_that_was_lost(environment, server):
    shell(environment, "echo 1 >kept")
    with glassbell.Client(server.socket, autostart=False) as client:
        client.session(environment._session.id).close()
    result = shell(environment, "ls")
    assert result.stdout == "" and "sandbox restarted" in result.stderr


def test_environment_before_and_after(server):
    environment = GlassbellEnvironment(socket_path=str(server.socket), autostart=False)
    with pytest.raises(RuntimeError, match="initialize"):
        shell(environment, "echo")
    asyncio.run(environment.close())
    assert not environment.is_initialized
