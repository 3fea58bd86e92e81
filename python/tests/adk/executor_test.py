# SPDX-License-Identifier: Apache-2.0
"""The executor itself: what becomes of any code, any file, any failure."""

import base64
import copy
import gc
import os
import pickle
import socket
import threading
from types import SimpleNamespace
from unittest import mock

import pydantic
import pytest
from google.adk.code_executors.code_execution_utils import CodeExecutionInput, File
from scripted import execute

import glassbell
from glassbell.adk import GlassbellCodeExecutor, context, files
from support import qemu_pid, wait_for, with_settings


# The long form: 1 GB of output, 1,000 sessions.
MEGABYTES, SESSIONS = (1024, 1000) if os.environ.get("GLASSBELL_STRESS") == "full" else (64, 12)


def context_of(app="app", user="ann", session="s", state=None):
    session = SimpleNamespace(id=session, state={"_code_execution_context": {}}
                              if state is None else state, app_name=app, user_id=user)
    return SimpleNamespace(session=session, app_name=app, user_id=user, invocation_id="i")


def outputs(result):
    return {file.name: (base64.b64decode(file.content), file.mime_type)
            for file in result.output_files}


# The outcome of code


def test_timeout_keeps_what_was_printed(executor):
    one = executor(timeout_seconds=1)
    result = execute(one, "kept = 1\nprint('so far', flush=True)\nwhile True: pass")
    assert "timed out after 1 seconds." in result.stderr
    assert "[stdout before the error]\nso far" in result.stderr
    assert result.execution.timed_out
    assert execute(one, "print(kept)").stdout == "1\n"
    assert execute(one, "import threading; print(threading.active_count())").stdout == "1\n"


def test_exit_status_without_a_word(executor):
    result = execute(executor(), "import sys; sys.exit(3)")
    assert "Code exited with status 3." in result.stderr and result.execution.exit_code == 3
    assert getattr(result, "exit_code", 3) == 3
    assert execute(executor(), "import sys; sys.exit(0)").stderr == ""


def test_stderr_of_code_that_succeeded(executor):
    source = "import sys\nprint('out')\nprint('warning', file=sys.stderr)"
    result = execute(executor(), source)
    assert result.stderr == "" and result.stdout.startswith("out\n\n[stderr]\nwarning")
    result = execute(executor(stderr="always"), source)
    assert (result.stdout, result.stderr) == ("out\n", "warning\n")


def test_value_of_the_last_expression(executor):
    assert execute(executor(), "6 * 7").stdout == "42\n"
    assert execute(executor(), "print('said'); 6 * 7").stdout == "said\n"
    assert execute(executor(last_value="never"), "6 * 7").stdout == ""


def test_an_interpreter_that_dies(executor):
    one = executor(setup_code="ready = 'set up'")
    execute(one, "before = 1")
    result = execute(one, "import os; os._exit(7)")
    assert result.execution.exit_code == 7 and result.execution.state_lost
    assert "variables are gone, files are kept" in result.stderr
    assert execute(one, "print(ready, 'before' in globals())").stdout == "set up False\n"
    result = execute(one, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert "SIGKILL" in result.stderr


def test_out_of_memory(executor):
    one = executor()
    result = execute(one, "x = bytearray(4 << 30)")
    assert "MemoryError" in result.stderr or "memory" in result.stderr
    result = execute(one, "x = []\nwhile True: x.append(bytearray(b'x' * (1 << 20)))")
    assert "memory" in result.stderr.lower()
    assert execute(one, "print('still here')").stdout == "still here\n"


def test_very_much_output(executor):
    one = executor(timeout_seconds=250, max_stdout_chars=2000)
    result = execute(one, f"print('a' * 1000)\nfor _ in range({MEGABYTES}): print('x' * (1 << 20))\n"
                          "print('end')")
    assert len(result.stdout) < 2300 and result.stdout.startswith("aaa")
    assert "left out" in result.stdout
    name, (data, mime) = outputs(result).popitem()
    assert name.startswith("stdout_") and mime == "text/plain"
    assert len(data) == 8 << 20 and data.startswith(b"aaa")
    assert f"[the whole output is the artifact {name}]" in result.stdout
    assert execute(one, "print('alive')").stdout == "alive\n"


@pytest.mark.parametrize("source, said", [
    ("x = '\t'\r\nprint(repr(x))\r\n", "'\\t'\n"),
    ("if __name__ == '__main__':\n    print('main')", "main\n"),
    ("try:\n    input('?')\nexcept EOFError:\n    print('eof')", "?eof\n"),
    ("import sys\nsys.stdout.buffer.write(b'\\xff\\n')\nNone", "\ufffd\n"),
    ("import threading, time\n"
     "threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()\nprint('left')", "left\n"),
    ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('deaf')\n"
     "_ = signal.signal(signal.SIGINT, signal.default_int_handler)", "deaf\n"),
    ("import asyncio\nawait asyncio.sleep(0)\nprint('awaited')", "awaited\n"),
    ("print('é\\u4e2d')", "é中\n"),
])
def test_odd_code(executor, source, said):
    result = execute(executor(), source)
    assert (result.stdout, result.stderr) == (said, "")


def test_code_that_closes_its_output(executor):
    one = executor()
    execute(one, "import os\nos.close(1)")
    assert execute(one, "print('again')").stdout == "again\n"


@pytest.mark.parametrize("source, said", [
    ("x = '\0'", "NUL"), ("x = '\ud800'", "surrogate"), ("def f(:", "SyntaxError")])
def test_code_that_is_none(executor, source, said):
    result = execute(executor(), source)
    assert said in result.stderr


def test_long_code(executor):
    text = "x" * (5 << 20)
    result = execute(executor(), f"text = {text!r}\nprint(len(text))")
    assert result.stdout == f"{5 << 20}\n" and result.output_files == []
    assert "the code has" in execute(executor(max_output_total_bytes=100 << 20),
                                     "#" * (101 << 20)).stderr


def test_fork_bomb(executor):
    one = executor(timeout_seconds=5)
    result = execute(one, "import os\nwhile True:\n    os.fork()")
    assert result.stderr
    # Whatever became of that sandbox (what still forks may starve one more cell, which is then told so):
    # the next code runs, and is told when it is a new one.
    after = execute(one, "print('alive')")
    if "outcome is unknown" in after.stderr:
        after = execute(one, "print('alive')")
    assert after.stdout.endswith("alive\n")


# Files


def test_input_files(executor):
    one = executor(output_exclude=["made.txt"])
    given = [
        File("text.csv", base64.b64encode(b"a,b\n1,2\n").decode(), "text/csv"),
        File("plain.txt", "not base64: é", "text/plain"),
        File("binary.bin", bytes(range(256))),
        File("empty", b""),
        File("sub/folder/x.txt", b"deep"),
        File("big.bin", b"0123456789abcdef" * (1 << 20)),
    ]
    result = execute(one, (
        "import os\nprint(open('text.csv').read(), open('plain.txt').read(),\n"
        "      open('binary.bin', 'rb').read() == bytes(range(256)), os.path.getsize('empty'),\n"
        "      open('sub/folder/x.txt').read(), os.path.getsize('big.bin'))"), files=given)
    assert result.stdout == f"a,b\n1,2\n not base64: é True 0 deep {16 << 20}\n"
    assert result.output_files == []
    # What code has changed is a result, and is not overwritten by the same input coming again.
    result = execute(one, "open('text.csv', 'a').write('3,4\\n'); None", files=given)
    assert outputs(result) == {"text.csv": (b"a,b\n1,2\n3,4\n", "text/csv")}
    assert execute(one, "print(open('text.csv').read())", files=given).stdout.endswith("3,4\n\n")
    # Another content under the same name is another file.
    given[0] = File("text.csv", b"new", "text/csv")
    assert execute(one, "print(open('text.csv').read())", files=given).stdout == "new\n"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../x", "a\0b", "a\nb", "a\\b", "", "x" * 300,
                                  "user:x", "\ud800"])
def test_input_names_that_are_refused(executor, name):
    result = execute(executor(), "print('ran')", files=[File(name, b"x")])
    assert result.stdout == "" and result.stderr.startswith("Nothing ran (invalid_input): ")


def test_output_files(executor):
    one = executor()
    result = execute(one, (
        "import os\nopen('one.png', 'wb').write(b'\\x89PNG')\nos.makedirs('d', exist_ok=True)\n"
        "open('d/two.json', 'w').write('{}')\nopen('odd', 'w').write('?')\n"
        "open('.dot', 'w').write('')\nos.makedirs('__pycache__', exist_ok=True)\n"
        "open('__pycache__/x.pyc', 'w').write('')\nNone"))
    assert outputs(result) == {"one.png": (b"\x89PNG", "image/png"),
                               "d/two.json": (b"{}", "application/json"),
                               "odd": (b"?", "application/octet-stream")}
    assert all(isinstance(file.content, str) for file in result.output_files)
    assert execute(one, "open('one.png', 'rb').read(); None").output_files == []
    result = execute(one, "import os; os.remove('odd')\nopen('one.png', 'wb').write(b'2'); None")
    assert outputs(result) == {"one.png": (b"2", "image/png")}
    chosen = executor(output_include=["*.csv", "d/*"], output_exclude=["d/no*"])
    result = execute(chosen, "for n in ('a.csv', 'a.txt', 'd/yes', 'd/no'): open(n, 'w').write('1')")
    assert sorted(outputs(result)) == ["a.csv", "d/yes"]


def test_hostile_output_files(executor):
    """Links, pipes, names and sizes that no artifact should have."""
    result = execute(executor(max_output_files=3, max_output_file_bytes=1000), (
        "import os\nos.makedirs('h', exist_ok=True)\nos.chdir('h')\n"
        "os.symlink('/etc/shadow', 'link')\nos.symlink('/etc', 'folder')\nos.mkfifo('fifo')\n"
        "open('user:x', 'w').write('1')\nopen('new\\nline', 'w').write('1')\n"
        "open(b'not\\xffutf8', 'w').write('1')\nopen('back\\\\slash', 'w').write('1')\n"
        "os.truncate(os.open('sparse', os.O_CREAT | os.O_RDWR), 5 << 30)\n"
        "for n in range(1500): open(f'z{n:04}', 'w').write('1')\nos.chdir('..')"))
    # ADK's rule is about names that begin so; below a folder it is a name like others.
    assert sorted(outputs(result)) == ["h/user:x", "h/z0000", "h/z0001"]
    assert result.stderr == "" and "[not saved: " in result.stdout
    assert "5368709120 bytes" in result.stdout and "more]" in result.stdout
    result = execute(executor(), "open('user:y', 'w').write('1'); None")
    assert result.output_files == [] and '"user:"' in result.stdout


def test_as_many_files_as_there_can_be(executor):
    one = executor(timeout_seconds=120)
    result = execute(one, "import os\nos.mkdir('many')\n"
                          "for n in range(100_000): os.mknod(f'many/{n:05}')")
    assert "No space left on device" in result.stderr  # half as many as the VM has pages
    assert sorted(outputs(result)) == [f"many/{n:05}" for n in range(20)]
    assert "more]" in result.stderr and len(result.stderr) < 2000
    result = execute(one, "import shutil; shutil.rmtree('many'); print('removed')")
    assert result.stdout.startswith("removed\n") and result.output_files == []


def test_figures(executor):
    """What a worker displays becomes an artifact; numbered on through the session."""
    one = executor()
    cell = {"displays": [{"mime": "image/png", "base64": "iVBO"}], "exit_code": 0, "files": []}
    sandbox = SimpleNamespace(figures=4, inputs={})
    made, said = one._outputs(glassbell.Cell.from_json(cell), None, sandbox)
    assert [(file.name, file.content, file.mime_type) for file in made] == \
        [("figure_5.png", "iVBO", "image/png")] and said == [] and sandbox.figures == 5


# Settings


def test_wrong_settings():
    for settings in ({"timeot_seconds": 5}, {"error_retry_attempts": 0}, {"timeout_seconds": 0},
                     {"optimize_data_file": True, "stateful": False}, {"on_event": "nomodule"},
                     {"stderr": "sometimes"}):
        with pytest.raises(pydantic.ValidationError):
            GlassbellCodeExecutor(**settings)
    one = GlassbellCodeExecutor()
    with pytest.raises(pydantic.ValidationError):
        one.timeout_seconds = -1


def test_copies(executor):
    """An instance is its settings: copies work alike, also of one that has been used."""
    one = executor(env={"WHO": "me"})
    execute(one, "kept = 5", id="copies")
    copies = [copy.deepcopy(one), copy.copy(one), pickle.loads(pickle.dumps(one)), one.model_copy(),
              GlassbellCodeExecutor.model_validate_json(one.model_dump_json())]
    for other in copies:
        assert other == one
        assert execute(other, "import os; print(kept, os.environ['WHO'])",
                       id="copies").stdout == "5 me\n"


def test_after_a_fork(executor):
    one = executor()
    execute(one, "forked = 1")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if execute(one, "forked += 1\nprint(forked)").stdout == "2\n" else 2
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    assert execute(one, "print(forked)").stdout == "2\n"


def test_contexts_that_are_none(executor):
    one = executor()
    assert execute(one, "print(1)", context=mock.MagicMock()).stdout == "1\n"
    result = one.execute_code(None, CodeExecutionInput(code="open('f', 'w').write('1'); print(2)"))
    assert result.stdout == "2\n" and list(outputs(result)) == ["f"]


def test_stateless(executor):
    one = executor(stateful=False, setup_code="set_up = 1")
    first = execute(one, "x = 1\nprint(set_up, open('in').read())", files=[File("in", b"i")])
    assert first.stdout == "1 i\n"
    second = execute(one, "print('x' in globals())")
    assert second.stdout == "False\n" and second.execution.session != first.execution.session


def test_versions():
    assert "1.22" in context.known_trouble((1, 20, 3)) and "2.9" in context.known_trouble((2, 5))
    assert not any(context.known_trouble(version) for version in
                   [(1, 19), (1, 22), (1, 39), (2, 0), (2, 3), (2, 9), (2, 13), (3,), ()])
    with pytest.warns(RuntimeWarning, match="without an end"):
        context._warned((1, 21, 0))


def test_output_while_it_is_made(executor):
    pieces = []
    result = execute(executor(on_event=pieces.append), "print('a', flush=True); print('b')")
    assert "".join(piece.text for piece in pieces) == result.stdout == "a\nb\n"
    assert execute(executor(on_event="builtins:print"), "print(1)").stdout == "1\n"


def test_names():
    for name in ("a.csv", "d/e f.txt", "ü.png", "a:b"):
        assert files.bad_name(name) is None
    assert files.mime_type("a.PNG") == "image/png"
    assert files.mime_type("no") == files.mime_type("a.weird") == "application/octet-stream"


# Failures of ours


def test_no_server(tmp_path):
    one = GlassbellCodeExecutor(socket_path=str(tmp_path / "s"), autostart=False)
    result = execute(one, "print(1)")
    assert result.stderr.startswith("Nothing ran (connection): no server listens")
    assert result.execution is None
    with pytest.raises(glassbell.ConnectionFailed):
        execute(one.model_copy(update={"infra_errors": "raise"}), "print(1)")


@pytest.mark.parametrize("wrong", [{"image": "nothing"}, {"image": ""}, {"network": 5}, {"network": {"mode": "full"}},
                                   {"network": {}}, {"secrets": ["API"]}, {"secrets": ["API"], "network": "none"},
                                   {"memory_mb": 1}, {"memory_mb": 63}, {"memory_mb": 2 << 20}, {"memory_mb": -1},
                                   {"timeout_seconds": 0}, {"lease_wait_seconds": -1}], ids=str)
def test_mistakes_are_told_to_the_developer(executor, wrong):
    """And not to the model, with the first code."""
    with pytest.raises(ValueError) as caught:
        executor(**wrong)
    name, value = next(iter(wrong.items()))
    assert str(value) in str(caught.value) or name in str(caught.value)
    if name == "image":
        assert "there are: " in str(caught.value) and "python" in str(caught.value)


def test_a_network_by_permission(executor):
    """What is allowed is reached; a mistake in a name is told with the first code."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        at = listener.getsockname()[1]
        one = executor(network={"rules": [f"allow app.test :{at} tcp private", "resolve app.test 127.0.0.1"]})
        code = ("import socket\ndef reach(host, port):\n    try:\n        return bool(socket.create_connection((host, port), "
                f"30))\n    except OSError as e:\n        return str(e)\nprint(reach('app.test', {at}))")
        assert execute(one, code, id="network").stdout == "True\n"
        result = execute(one, "print(reach('other.test', 80))", id="network")
        assert "Name or service not known" in result.stdout
    for wrong in ({"network": "nobody"}, {"network": {"allow": ["a.test"]}, "secrets": ["NOBODY"]}):
        assert "nobody" in execute(executor(**wrong), "print(1)", id="wrong").stderr.lower()


def test_packages_are_the_servers_to_fetch(executor):
    """What is no package is told with the first code; another list makes another sandbox."""
    result = execute(executor(packages=["-e ."]), "print(1)", id="packages")
    assert "is no package" in result.stderr and result.stdout == ""
    keys = [executor(packages=packages)._spec().hashed() for packages in ([], ["b", "a"], ["a", "b", "a"], ["a"])]
    assert len(set(keys)) == 3 and keys[1] == keys[2]


def test_no_such_image_where_no_server_runs(tmp_path):
    """It is known with the first code only."""
    one = GlassbellCodeExecutor(image="nothing", socket_path=str(tmp_path / "none.sock"), autostart=False)
    assert execute(one, "1").stderr.startswith("Nothing ran (")


def test_somebody_holds_the_sandbox(executor, server):
    one = executor(lease_wait_seconds=0)
    session = execute(one, "x = 1").execution.session
    client = glassbell.Client(server.socket, name="ann", autostart=False)
    with client.session(session).lease(human=True):
        assert execute(one, "print(x)").stderr.startswith("Nothing ran (held): ")
        client.session(session)
    other = client.session(session)
    other.take_lease()
    other.release_lease("I fixed it")
    assert execute(one, "print(x)").stdout == \
        "[from the one who had taken the sandbox over: I fixed it]\n1\n"
    client.close()


def test_lost_sandbox(executor, server):
    """Idle for too long, crashed, server restarted: made again, and the model is told."""
    ctx = context_of(session="lost")
    one = executor(setup_code="import json")
    data = [File("in.csv", b"a\n1\n", "text/csv")]
    first = execute(one, "x = 1\nprint('first')", id="lost", context=ctx, files=data)
    assert first.stdout == "first\n"
    # By a client, between two executions; a process that has forgotten it knows by the hint.
    with glassbell.Client(server.socket, autostart=False) as client:
        client.session(first.execution.session).close()
    again = execute(one, "print(json is not None, open('in.csv').read(), 'x' in globals())",
                    id="lost", context=ctx, files=data)
    assert again.stdout == ("[sandbox restarted (it was closed): variables and files from before are "
                            "gone]\nTrue a\n1\n False\n")
    assert again.execution.incarnation > first.execution.incarnation
    # While code runs: nobody knows how far it came, and it is not run again.
    with glassbell.Client(server.socket, autostart=False) as client:
        pid = qemu_pid(client, again.execution.session)
    killed = execute(executor(setup_code="import json", on_event=lambda _: os.kill(pid, 9)),
                     "print('go', flush=True)\nimport time; time.sleep(600)", id="lost", context=ctx)
    assert "may have run" in killed.stderr and "go" in killed.stderr
    after = execute(one, "print('after')", id="lost", context=ctx, files=data)
    assert "[sandbox restarted (it crashed)" in after.stdout and after.stdout.endswith("after\n")


def test_idle_sandbox(executor, server):
    """It ends by itself; what comes after is told so."""
    one = executor(idle_ttl_seconds=0.5)
    first = execute(one, "x = 1; print(x)", id="idle")
    with glassbell.Client(server.socket, autostart=False) as client, \
            client.events(timeout=60) as events:
        if any(info.session == first.execution.session for info in client.sessions()):
            while (event := events.next()).session != first.execution.session or \
                    event.kind != "session.closed":
                pass
    assert execute(one, "print('x' in globals())", id="idle").stdout.startswith(
        "[sandbox restarted (idle for 0.5 s, or past its lifetime): ")


def test_a_lost_sandbox_can_be_a_failure(executor, server):
    one = executor(on_lost_session="fail")
    first = execute(one, "x = 1; print(x)", id="fail")
    with glassbell.Client(server.socket, autostart=False) as client:
        client.session(first.execution.session).close()
    assert "the sandbox of this session is gone" in execute(one, "print(x)", id="fail").stderr
    assert execute(one, "print('new')", id="fail").stdout == "new\n"


@pytest.mark.parametrize("kept", [True, False])
def test_server_restart(tmp_path, kept):
    """With its sandboxes, unless there are no checkpoints of them."""
    with with_settings(tmp_path, "" if kept else "[past]\ncheckpoints = off\n") as server:
        one = GlassbellCodeExecutor(socket_path=str(server.socket), autostart=False)
        ctx = context_of()
        assert execute(one, "x = 1; print(x)", context=ctx).stdout == "1\n"
        server.stop()
        assert execute(one, "print(x)", context=ctx).stderr.startswith("Nothing ran (connection)")
        server.start()
        said = execute(one, "print('x' in globals())", context=ctx).stdout
        assert said == "True\n" if kept else said.startswith("[sandbox restarted (") and said.endswith("False\n")


def test_what_was_lost_with_the_server_reaches_the_model(tmp_path):
    """With a result that is well otherwise, and once."""
    with with_settings(tmp_path, "[past]\nlargest = 4M\n") as server:
        one = GlassbellCodeExecutor(socket_path=str(server.socket), autostart=False)
        ctx = context_of()
        assert execute(one, "x = 1; print(x)", context=ctx).stdout == "1\n"
        execute(one, "import os; x = os.urandom(20 << 20)", context=ctx)  # too large to be kept
        server.stop()
        server.start()
        result = execute(one, "print(x)", context=ctx)
        assert result.stdout.startswith("1\n") and "the server had ended" in result.stdout, result
        assert "later cells are undone" in result.stdout and result.stderr == ""
        assert execute(one, "print(x)", context=ctx).stdout == "1\n"


def test_inputs_and_preparation_come_back_after_the_server(tmp_path):
    """They came after the last checkpoint, because what the set-up made is too large for another."""
    with with_settings(tmp_path, "[past]\nlargest = 4M\n") as server:
        one = GlassbellCodeExecutor(socket_path=str(server.socket), autostart=False,
                                    setup_code="import os; large = os.urandom(20 << 20); ready = 1")
        ctx = context_of()
        data = [File("in.txt", b"given")]
        assert execute(one, "print(ready)", context=ctx, files=data).stdout == "1\n"
        data.append(File("later.txt", b"later"))
        source = "print(ready, open('in.txt').read(), open('later.txt').read())"
        assert execute(one, source, context=ctx, files=data).stdout == "1 given later\n"
        server.stop()
        server.start()
        said = execute(one, source, context=ctx, files=data).stdout
        assert "1 given later\n" in said and "the server had ended" in said
        assert "[sandbox restarted" not in said  # it is the session as it was at its first checkpoint
        assert execute(one, source, context=ctx, files=data).stdout == "1 given later\n"


def test_inputs_and_preparation_come_back_after_a_person_went_back(executor, server):
    one = executor(setup_code="ready = 1")
    data = [File("in.txt", b"given")]
    source = "print(ready, open('in.txt').read())"
    first = execute(one, source, id="taken-back", files=data)
    assert first.stdout == "1 given\n"
    with glassbell.Client(server.socket, autostart=False) as client:
        client.session(first.execution.session).rewind(0)
    assert "1 given\n" in execute(one, source, id="taken-back", files=data).stdout


def test_an_input_that_was_replaced_is_the_new_one_after_a_person_went_back(executor, server):
    """What is there under its name then is the earlier one."""
    one = executor()
    source = "print(open('in.txt').read())"
    said = execute(one, source, id="replaced", files=[File("in.txt", b"old")])
    assert said.stdout == "old\n"
    with glassbell.Client(server.socket, autostart=False) as client:
        session = client.session(said.execution.session)
        kept = session.checkpoint()
        assert execute(one, source, id="replaced", files=[File("in.txt", b"new")]).stdout == "new\n"
        session.rewind(seq=kept.seq)
    assert "new\n" in execute(one, source, id="replaced", files=[File("in.txt", b"new")]).stdout
    # What code has changed before that moment stays changed.
    execute(one, "open('in.txt', 'w').write('changed')", id="replaced", files=[File("in.txt", b"new")])
    last = execute(one, "pass", id="replaced", files=[File("in.txt", b"new")]).execution
    execute(one, "pass", id="replaced", files=[File("in.txt", b"new")])
    with glassbell.Client(server.socket, autostart=False) as client:
        client.session(last.session).rewind(last.cell)
    assert "changed\n" in execute(one, source, id="replaced", files=[File("in.txt", b"new")]).stdout


def test_another_process_goes_on(executor, server):
    """What was uploaded is known from ADK's session; what code has changed stays changed."""
    ctx = context_of(session="moves")
    one = executor()
    data = [File("in.txt", b"given")]
    execute(one, "open('in.txt', 'w').write('changed'); x = 1", id="moves", context=ctx, files=data)
    from glassbell.adk import sandboxes
    sandboxes.close_all(False)  # as a new process, which knows nothing
    result = execute(one, "print(open('in.txt').read(), x)", id="moves", context=ctx, files=data)
    assert result.stdout == "changed 1\n"
    hint = ctx.session.state["_code_execution_context"]["glassbell"]
    assert list(hint.values())[0]["session"] == result.execution.session
    for nonsense in (5, {"k": 5}, {list(hint)[0]: {"inputs": 7, "incarnation": "x"}}):
        ctx.session.state["_code_execution_context"]["glassbell"] = nonsense
        sandboxes.close_all(False)
        assert execute(one, "print(x)", id="moves", context=ctx).stdout == "1\n"


def test_different_sandboxes_overlap(executor):
    """And one sandbox takes one after the other."""
    one = executor()
    began = "import time; print(time.time())"
    execute(one, began, id="a1"), execute(one, began, id="b1")
    spans, barrier = {}, threading.Barrier(2)

    def work(id):
        barrier.wait()
        result = execute(one, "import time\na = time.time()\ntime.sleep(1)\nprint(a, time.time())",
                         id=id)
        spans[id] = tuple(map(float, result.stdout.split()))

    threads = [threading.Thread(target=work, args=(id,)) for id in ("a1", "b1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert spans["a1"][0] < spans["b1"][1] and spans["b1"][0] < spans["a1"][1]


def test_no_leak(executor, server):
    """Threads and descriptors of this process, and of the server, return to where they were."""
    def counts():
        gc.collect()
        return threading.active_count(), len(os.listdir("/proc/self/fd")), \
            len(os.listdir(f"/proc/{server.process.pid}/fd"))

    one = executor()
    execute(one, "1")
    before = counts()
    for _ in range(100):
        execute(one, "1")
        execute(executor(on_event=lambda _: None), "print(1)")
    assert all(now <= then for now, then in zip(counts(), before))


def test_no_leak_of_sessions(executor, server):
    """Nor do those that come and go leave anything: VMs (but those of the pool), descriptors, threads."""
    with glassbell.Client(server.socket, autostart=False) as client:
        def counts():
            gc.collect()
            return (threading.active_count(), len(os.listdir("/proc/self/fd")),
                    len(client.sessions()), sum(vm["session"] is not None for vm in client.stats()["vms"]))

        def come_and_go(number):
            session = execute(one, f"echo {number}", id=f"soak{number}").execution.session
            client.session(session).close()

        one = executor(image="shell")
        come_and_go(0)
        before = counts()
        for number in range(1, SESSIONS):
            come_and_go(number)
        wait_for(lambda: all(now <= then for now, then in zip(counts(), before)),
                 what=f"the end of what there is more than {before}")
