# SPDX-License-Identifier: Apache-2.0
"""`glassbell mcp`, driven by the official client library over its stdio transport, and by lines of our own
for what a well-behaved client never sends."""

import asyncio
import base64
import contextlib
import json
import os
import subprocess

import pytest

import packages
from support import BINARY, DEADLINE, wait_for, with_settings

packages.python("mcp", "mcp")
# A class of that library is none of the process that gathers results of several.
pytestmark = pytest.mark.filterwarnings("ignore")

import mcp  # noqa: E402
from mcp import StdioServerParameters  # noqa: E402

TOOLS = ["run_code", "open_session", "exec", "read_file", "write_file", "list_files", "list_sessions",
         "close_session", "interrupt", "undo", "try"]
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@contextlib.asynccontextmanager
async def connected(server, *arguments, **options):
    """The official client, with a program of its own behind it."""
    program = StdioServerParameters(command=BINARY, args=["mcp", "--no-autostart", *arguments], env=server.env)
    async with mcp.Client(program, read_timeout_seconds=DEADLINE, **options) as client:
        yield client


def check(result):
    """The structured content of a call that must have worked."""
    assert not result.is_error, result.content
    return result.structured_content


def text(result):
    return "".join(block.text for block in result.content if block.type == "text")


class Raw:
    """The program and its lines."""

    def __init__(self, server, *arguments):
        self.process = subprocess.Popen([BINARY, "mcp", "--no-autostart", *arguments], env=server.env,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, *lines):
        for line in lines:
            data = line if isinstance(line, bytes) else json.dumps(line).encode()
            self.process.stdin.write(data + b"\n")
        self.process.stdin.flush()

    def read(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, method, number=1, **params):
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return self.read()

    def initialize(self, revision):
        reply = self.ask("initialize", 0, protocolVersion=revision, capabilities={},
                         clientInfo={"name": "raw", "version": "1"})
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return reply["result"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        rest, _ = self.process.communicate(timeout=DEADLINE)
        assert self.process.returncode == 0
        for line in rest.splitlines():
            json.loads(line)


MODERN = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


# ---- the library ----


def test_tools_are_listed(server):
    async def main():
        async with connected(server) as client:
            assert client.protocol_version == "2026-07-28"
            assert client.server_info.name == "glassbell"
            assert "open_session" in client.instructions
            listed = (await client.list_tools()).tools
            assert [tool.name for tool in listed] == TOOLS
            for tool in listed:
                assert tool.input_schema["additionalProperties"] is False
                assert tool.annotations.open_world_hint is ("packages" in tool.input_schema["properties"])
                assert tool.output_schema["type"] == "object"

    asyncio.run(main())


def test_the_network_is_the_users_choice(server):
    """What the program was started with holds for all VMs, and a model cannot choose another."""
    code = ("import socket\n"
            "for name in 'a.test', 'b.test':\n"
            "    try: print(socket.gethostbyname(name))\n"
            "    except OSError as e: print(type(e).__name__)")
    with Raw(server, "--net", "allow a.test") as raw:
        assert "reaches only those hosts" in raw.initialize("2025-06-18")["instructions"]
        hints = {tool["name"]: tool["annotations"] for tool in raw.ask("tools/list")["result"]["tools"]}
        assert [hints[name]["openWorldHint"] for name in ("exec", "try", "close_session")] == [True, True, False]
        assert not hints["try"]["readOnlyHint"]  # its copies have the network, too
        got = raw.ask("tools/call", name="run_code", arguments={"code": code})["result"]
        first, second = got["structuredContent"]["stdout"].splitlines()
        assert first.startswith("198.18.") and second == "gaierror"
        refused, = got["structuredContent"]["network_refused"]
        assert refused.startswith("b.test") and f"[network_refused] {refused}" in got["content"][0]["text"]
        session = raw.ask("tools/call", name="open_session", arguments={})["result"]["structuredContent"]["session"]
        got = raw.ask("tools/call", name="exec", arguments={"session": session, "code": code})["result"]
        assert got["structuredContent"]["stdout"].startswith("198.18.")
        raw.ask("tools/call", name="close_session", arguments={"session": session})
        more = raw.ask("tools/call", name="run_code", arguments={"code": "1", "network": {"allow": ["b.test"]}})
        assert "network" in json.dumps(more) and ("error" in more or more["result"]["isError"])
    with Raw(server) as raw:
        assert "has no network" in raw.initialize("2025-06-18")["instructions"]
        got = raw.ask("tools/call", name="run_code", arguments={"code": code})["result"]["structuredContent"]
        assert got["stdout"] == "gaierror\ngaierror\n"


@pytest.fixture(scope="module")
def handle(server):
    """A session of this module, opened through the tools."""
    async def main():
        async with connected(server) as client:
            return check(await client.call_tool("open_session", {"label": "shared", "idle_s": 0}))["session"]

    return asyncio.run(main())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_session_is_used(server, handle, mode):
    async def main():
        async with connected(server, mode=mode) as client:
            await client.list_tools()  # so that the library checks structured content by the schemas

            async def execute(code, **options):
                return await client.call_tool("exec", {"session": handle, "code": code, **options})

            assert check(await execute("x = 41"))["exit_code"] == 0
            done = await execute("print('out'); x + 1")
            assert check(done)["value"] == "42" and check(done)["stdout"] == "out\n"
            assert text(done) == "out\n[value] 42\n"
            failed = await execute("1/0")
            assert failed.is_error and "ZeroDivisionError" in text(failed) and "[exit code 1]" in text(failed)
            shell = check(await execute("echo $V-$(pwd)", mode="shell", env={"V": "7"}))
            assert shell["stdout"] == "7-/home/user\n"
            assert check(await execute("print(input())", stdin="typed\n"))["stdout"] == "typed\n"
            slow = await execute("print('begun', flush=True)\nwhile True: pass", timeout_s=0.7)
            assert slow.is_error and "[timed out after" in text(slow) and slow.structured_content["timed_out"]
            assert check(await execute("x"))["value"] == "41"

            written = await client.call_tool("write_file", {"session": handle, "path": "d/a.txt", "text": "ä\nb"})
            assert check(written)["size"] == 4
            read = await client.call_tool("read_file", {"session": handle, "path": "d/a.txt"})
            assert check(read)["text"] == "ä\nb" and check(read)["eof"]
            piece = check(await client.call_tool("read_file", {"session": handle, "path": "d/a.txt", "length": 1}))
            assert "text" not in piece or piece["text"] == ""
            listed = check(await client.call_tool("list_files", {"session": handle, "path": "d"}))
            assert [entry["name"] for entry in listed["entries"]] == ["a.txt"]
            missing = await client.call_tool("read_file", {"session": handle, "path": "none"})
            assert missing.is_error and missing.structured_content["error"]["kind"] == "not_found"
            sessions = check(await client.call_tool("list_sessions", {}))["sessions"]
            assert [session["label"] for session in sessions] == ["shared"]
            # Names of any bytes: a list goes on behind each of them, and they are told as far as that can be.
            made = await execute("import os; os.remove('d/a.txt')\nfor i in range(5): open(b'd/\\xff%d' % i, 'w').close()")
            assert text(made).count("added d/") == 5
            found, place = [], {}
            while True:
                page = await client.call_tool("list_files", {"session": handle, "path": "d", "limit": 2, **place})
                found += [entry["name"] for entry in check(page)["entries"]]
                if not check(page)["more"]:
                    break
                place = {"next": check(page)["next"]}
                assert f"go on with next={place['next']}" in text(page)
            assert found == [f"\\xff{i}" for i in range(5)]
            await execute("import shutil; shutil.rmtree('d'); os.mkdir('d')")

    asyncio.run(main())


def test_code_is_undone(server, client):
    async def main():
        async with connected(server) as host:
            await host.list_tools()
            session = check(await host.call_tool("open_session", {"label": "past"}))["session"]

            async def execute(code, cell):
                """And a checkpoint of what it leaves."""
                done = check(await host.call_tool("exec", {"session": session, "code": code}))
                assert done["cell"] == cell
                wait_for(lambda: any(one["cell"] == cell for one in
                                     client.call("session.checkpoints", session=session)["checkpoints"]))
                return done

            await execute("x = [1]; _ = open('f', 'w').write('first')", 1)
            await execute("x.append(2); _ = open('f', 'w').write('second')", 2)
            undone = await host.call_tool("undo", {"session": session})
            assert check(undone) == {"session": session, "cell": 1, "from_cell": 2, "epoch": 2}
            assert "as it was after cell 1" in text(undone)
            assert (await execute("x, open('f').read()", 3))["value"] == "([1], 'first')"
            check(await host.call_tool("undo", {"session": session}))
            again = await host.call_tool("undo", {"session": session, "steps": -1})
            assert check(again)["cell"] == 3
            far = await host.call_tool("undo", {"session": session, "steps": 500})
            assert far.is_error and far.structured_content["error"]["kind"] == "gone"
            assert "only 2 cells" in text(far)
            check(await host.call_tool("close_session", {"session": session}))

    asyncio.run(main())


def test_one_call_is_undone_however_fast_they_came(server):
    """Two in one batch, one right behind another, and a file that was written since."""
    async def main():
        async with connected(server) as host:
            await host.list_tools()
            session = check(await host.call_tool("open_session", {}))["session"]

            async def execute(code):
                return check(await host.call_tool("exec", {"session": session, "code": code}))

            async def undo(**more):
                return check(await host.call_tool("undo", {"session": session, **more}))

            both = await asyncio.gather(execute("x = globals().get('x', '') + 'a'; x"),
                                        execute("x = globals().get('x', '') + 'b'; x"))
            first, second = sorted(both, key=lambda one: one["cell"])
            assert len(eval(second["value"])) == 2
            assert await undo() == {"session": session, "cell": 1, "from_cell": 2, "epoch": 2}
            assert (await execute("x"))["value"] == first["value"]
            await execute("x = 'c'")
            check(await host.call_tool("write_file", {"session": session, "path": "f", "text": "later"}))
            assert (await undo())["cell"] == 3
            assert (await execute("import os; x, os.path.exists('f')"))["value"] == f"({first['value']}, False)"
            await undo()
            assert (await undo(steps=-1))["cell"] == 5
            check(await host.call_tool("close_session", {"session": session}))

    asyncio.run(main())


def test_alternatives_are_tried(server, client):
    async def main():
        async with connected(server) as host:
            await host.list_tools()
            session = check(await host.call_tool("open_session", {"label": "tried"}))["session"]
            check(await host.call_tool("exec", {"session": session, "code": "x = 20; _ = open('f', 'w').write('kept')"}))
            codes = ["x += 1; _ = open('f', 'w').write('no'); print(x)", "x * 2", "1/0", "while True: pass"]
            tried = await host.call_tool("try", {"session": session, "codes": codes, "timeout_s": 5})
            plus, times, failed, slow = check(tried)["results"]
            assert (plus["stdout"], times["value"]) == ("21\n", "40")
            assert failed["exit_code"] == 1 and "ZeroDivisionError" in failed["stderr"]
            assert slow["timed_out"] is True
            assert [f"[{i} of 4]" in text(tried) for i in range(1, 5)] == [True] * 4
            after = await host.call_tool("exec", {"session": session, "code": "x, open('f').read()"})
            assert check(after)["value"] == "(20, 'kept')"
            # None is left: they go with the call's connection.
            wait_for(lambda: not [one for one in client.call("session.list")["sessions"]
                                  if one.get("origin", {}).get("session") == session])
            for wrong in ([], ["1"] * 9, [1], "1"):
                refused = await host.call_tool("try", {"session": session, "codes": wrong})
                assert refused.is_error and refused.structured_content["error"]["kind"] == "invalid_input"
            check(await host.call_tool("close_session", {"session": session}))

    asyncio.run(main())


def test_a_cancelled_try_leaves_nothing(server, client):
    """Neither copies nor what runs in them."""
    with Raw(server) as raw:
        raw.initialize("2025-06-18")
        session = raw.ask("tools/call", 1, name="open_session", arguments={})["result"]["structuredContent"]["session"]
        forks = lambda: [one for one in client.call("session.list")["sessions"]  # noqa: E731
                         if one.get("origin", {}).get("session") == session]
        raw.send({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {
            "name": "try", "arguments": {"session": session, "codes": ["while True: pass"] * 2}}})
        wait_for(lambda: [one["state"] for one in forks()] == ["running"] * 2)
        raw.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}})
        wait_for(lambda: not forks())
        assert raw.ask("tools/call", 3, name="close_session", arguments={"session": session})["id"] == 3


def test_images_are_images(server, handle):
    async def main():
        async with connected(server) as client:
            code = f"class P:\n def _repr_png_(self): return {PNG!r}\nP()"
            shown = await client.call_tool("exec", {"session": handle, "code": code})
            [image] = [block for block in shown.content if block.type == "image"]
            assert image.mime_type == "image/png" and base64.b64decode(image.data) == PNG
            assert check(shown)["displays"] == [{"mime": "image/png", "bytes": (len(PNG) + 2) // 3 * 3}]

            encoded = base64.b64encode(PNG).decode()
            await client.call_tool("write_file", {"session": handle, "path": "p.png", "base64": encoded})
            read = await client.call_tool("read_file", {"session": handle, "path": "p.png"})
            assert read.content[1].type == "image" and base64.b64decode(read.content[1].data) == PNG
            named = {"session": handle, "path": "liar.png", "text": "no picture"}
            await client.call_tool("write_file", named)
            assert check(await client.call_tool("read_file", {"session": handle, "path": "liar.png"}))["text"] == "no picture"

    asyncio.run(main())


def test_long_output_loses_its_middle(server, handle):
    async def main():
        async with connected(server) as client:
            code = "print('begin' + 'ä' * 200_000 + 'end')"
            done = await client.call_tool("exec", {"session": handle, "code": code, "max_output": 1000})
            cell = check(done)
            assert cell["truncated"]["stdout"] >= 399_000 and len(text(done)) < 2000
            assert cell["stdout"].startswith("begin") and cell["stdout"].endswith("end\n")
            assert "bytes left out" in cell["stdout"] and "read_file" in text(done)
            loud = await client.call_tool("exec", {"session": handle, "code": "print('\\x1b[2J\\x1b]0;t\\x07x')"})
            assert "\x1b" not in text(loud) and "x" in text(loud)

    asyncio.run(main())


def test_code_in_a_fresh_vm(server):
    async def main():
        async with connected(server, "--image", "shell", "--memory", "128") as client:
            calls = [client.call_tool("run_code", {"code": "echo $((6*7)); free -m >&2"}),
                     client.call_tool("run_code", {"code": "console.log(7)", "language": "js"})]
            shell, script = await asyncio.gather(*calls)
            assert check(shell)["stdout"] == "42\n" and "session" not in check(shell)
            assert check(script)["stdout"] == "7\n"

    asyncio.run(main())


WAIT_FOR_GO = "import os, time\nprint('first', flush=True)\nwhile not os.path.exists('go'): time.sleep(0.01)\nos.remove('go')\nprint('last')"


def test_progress_and_concurrency(server, handle):
    """Output comes while the code runs, and other calls are answered meanwhile."""
    async def main():
        heard = []
        async with connected(server) as client:
            began = asyncio.Event()

            async def on_progress(progress, total, message):
                heard.append((progress, message))
                if message and "first" in message:
                    began.set()

            running = asyncio.create_task(client.call_tool(
                "exec", {"session": handle, "code": WAIT_FOR_GO, "timeout_s": DEADLINE}, progress_callback=on_progress))
            await asyncio.wait_for(began.wait(), DEADLINE)
            listed = check(await client.call_tool("list_sessions", {}))["sessions"]
            assert listed[0]["state"] == "running"
            check(await client.call_tool("write_file", {"session": handle, "path": "go", "text": ""}))
            assert check(await running)["stdout"] == "first\nlast\n"
        times = [progress for progress, _ in heard]
        assert times == sorted(set(times)) and times

    asyncio.run(main())


def test_a_cancelled_call_is_interrupted(server, handle):
    """And one that still waits for its turn never runs."""
    async def main():
        async with connected(server) as client:
            began = asyncio.Event()

            async def on_progress(progress, total, message):
                if message:
                    began.set()

            loop = "kept = 'state'\nprint('go', flush=True)\nimport time\nwhile True: time.sleep(0.01)"
            running = asyncio.create_task(client.call_tool(
                "exec", {"session": handle, "code": loop, "timeout_s": DEADLINE}, progress_callback=on_progress))
            await asyncio.wait_for(began.wait(), DEADLINE)
            waiting = asyncio.create_task(client.call_tool("exec", {"session": handle, "code": "ran = True"}))
            await client.call_tool("list_files", {"session": handle})  # `waiting` has been sent
            for task in (waiting, running):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            after = await client.call_tool("exec", {"session": handle, "code": "kept, 'ran' in globals()"})
            assert check(after)["value"] == "('state', False)"

    asyncio.run(main())


def test_interrupt_by_another_call(server, handle):
    async def main():
        async with connected(server) as client:
            began = asyncio.Event()

            async def on_progress(progress, total, message):
                if message:
                    began.set()

            running = asyncio.create_task(client.call_tool(
                "exec", {"session": handle, "code": "print(1, flush=True)\nwhile True: pass", "timeout_s": DEADLINE},
                progress_callback=on_progress))
            await asyncio.wait_for(began.wait(), DEADLINE)
            check(await client.call_tool("interrupt", {"session": handle}))
            cell = await running
            assert cell.is_error and cell.structured_content["interrupted"] and "[interrupted]" in text(cell)

    asyncio.run(main())


def test_errors_are_results(server, handle):
    async def main():
        async with connected(server) as client:
            async def error(tool, **arguments):
                result = await client.call_tool(tool, arguments)
                assert result.is_error
                return result.structured_content["error"]["kind"], text(result)

            for arguments, word in [({"session": handle}, "needs the argument code"),
                                    ({"session": handle, "code": 7}, "code must be a string"),
                                    ({"session": handle, "code": "1", "x": 1}, "it takes session, code, mode"),
                                    ({"session": handle, "code": "1", "timeout_s": 1e9}, "between 0.001 and 86400"),
                                    ({"session": handle, "code": "1", "mode": "none"}, "kernel, process, shell")]:
                kind, sentence = await error("exec", **arguments)
                assert kind == "invalid_input" and word in sentence
            assert (await error("exec", session="none", code="1"))[0] == "not_found"
            assert (await error("read_file", session=handle, path="../../etc/passwd"))[0] == "policy"
            assert (await error("run_code", code="1", language="cobol"))[0] == "image_missing"
            with pytest.raises(Exception, match="Unknown tool"):
                await client.call_tool("none", {})

    asyncio.run(main())


def is_marked(server, session, cell):
    """Whether it would come back as it was after that cell."""
    with server.client() as client:
        here = [one for one in client.call("session.checkpoints", session=session)["checkpoints"] if one["here"]]
    marks = list((server.folder / "state/glassbell").glob(f"past*/{session}.awake"))
    return bool(here and marks) and here[0]["cell"] == cell and json.loads(marks[0].read_text())["here"] == here[0]["seq"]


@pytest.mark.parametrize("kept", [True, False])
def test_the_server_goes_and_comes_back(tmp_path, kept):
    """With its sessions, unless there are no checkpoints of them."""
    async def main(server):
        async with connected(server, mode="legacy") as client:
            first = check(await client.call_tool("open_session", {"language": "sh"}))["session"]
            began = asyncio.Event()

            async def on_progress(progress, total, message):
                began.set()

            check(await client.call_tool("exec", {"session": first, "code": "x=before"}))
            running = asyncio.create_task(client.call_tool(
                "exec", {"session": first, "code": "x=lost; echo begun; sleep 600", "timeout_s": 600},
                progress_callback=on_progress))
            await asyncio.wait_for(began.wait(), DEADLINE)
            if kept:
                wait_for(lambda: is_marked(server, first, 1), what="the checkpoint before that, on disk")
            server.process.kill()
            server.process.wait()
            lost = (await running).structured_content["error"]
            assert lost["kind"] == "outcome_unknown" and lost["dispatched"]
            gone = await client.call_tool("exec", {"session": first, "code": "1"})
            assert gone.is_error and not gone.structured_content["error"]["dispatched"]
            server.start()
            old = await client.call_tool("exec", {"session": first, "code": "echo $x"})
            if kept:
                assert check(old)["stdout"] == "before\n"
                check(await client.call_tool("close_session", {"session": first}))
            else:
                assert old.structured_content["error"]["kind"] in ("not_found", "session_closed")
            second = check(await client.call_tool("open_session", {"language": "sh"}))["session"]
            done = check(await client.call_tool("exec", {"session": second, "code": "echo again"}))
            assert done["stdout"] == "again\n"
            check(await client.call_tool("close_session", {"session": second}))
            assert check(await client.call_tool("list_sessions", {}))["sessions"] == []

    with with_settings(tmp_path, "" if kept else "[past]\ncheckpoints = off\n") as server:
        asyncio.run(main(server))


def test_log_messages(server):
    async def main():
        heard = []

        async def on_log(params):
            heard.append((params.level, params.data))

        async with connected(server, mode="legacy", logging_callback=on_log) as client:
            await client.call_tool("exec", {"session": "none", "code": "1"})
            await client.set_logging_level("error")
            await client.call_tool("exec", {"session": "none", "code": "1"})
            await client.send_ping()
        assert len(heard) == 1 and heard[0][0] == "warning" and "not_found" in heard[0][1]
        async with connected(server, logging_callback=on_log) as client:
            await client.call_tool("exec", {"session": "none", "code": "1"})
        async with connected(server, logging_callback=on_log, log_level="debug") as client:
            await client.call_tool("list_sessions", {})
        assert len(heard) == 2 and heard[1][0] == "debug"

    asyncio.run(main())


# ---- lines ----


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_each_revision_is_negotiated(server, revision):
    with Raw(server) as raw:
        assert raw.initialize(revision)["protocolVersion"] == revision
        tool = raw.ask("tools/list")["result"]["tools"][0]
        assert ("annotations" in tool) == (revision > "2024-11-05")
        assert ("outputSchema" in tool) == ("title" in tool) == (revision > "2025-03-26")
        result = raw.ask("tools/call", name="list_sessions", arguments={})["result"]
        assert ("structuredContent" in result) == (revision > "2025-03-26") and "resultType" not in result
        batch = [{"jsonrpc": "2.0", "id": number, "method": "ping"} for number in (7, 8)]
        batch += [{"jsonrpc": "2.0", "method": "notifications/x"},
                  {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "list_sessions"}}]
        raw.send(batch)
        reply = raw.read()
        if revision == "2025-03-26":
            assert sorted(answer["id"] for answer in reply) == [7, 8, 9]
        else:
            assert reply["error"]["code"] == -32600


def test_an_unknown_revision_is_answered_with_ours(server):
    for asked in ("2023-01-01", "2026-07-28", "x"):
        with Raw(server) as raw:
            assert raw.initialize(asked)["protocolVersion"] == "2025-11-25"


def test_requests_of_the_stateless_revision(server):
    with Raw(server) as raw:
        found = raw.ask("server/discover", _meta=MODERN)["result"]
        assert found["supportedVersions"] == ["2026-07-28"] and found["resultType"] == "complete"
        assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "glassbell"
        listed = raw.ask("tools/list", _meta=MODERN)["result"]
        assert listed["cacheScope"] == "public" and listed["ttlMs"] >= 0
        other = dict(MODERN, **{"io.modelcontextprotocol/protocolVersion": "2099-01-01"})
        error = raw.ask("tools/list", _meta=other)["error"]
        assert error["code"] == -32022 and error["data"]["requested"] == "2099-01-01"
        assert "2026-07-28" in error["data"]["supported"]
        bare = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
        assert raw.ask("tools/list", _meta=bare)["error"]["code"] == -32602
        assert raw.ask("tools/list")["error"]["code"] == -32602
        assert raw.ask("ping", _meta=MODERN)["error"]["code"] == -32601
        assert raw.ask("initialize", _meta=MODERN)["error"]["code"] == -32601
        raw.send({"jsonrpc": "2.0", "id": "s", "method": "subscriptions/listen",
                  "params": {"_meta": MODERN, "notifications": {"toolsListChanged": True}}})
        note = raw.read()
        assert note["method"] == "notifications/subscriptions/acknowledged"
        assert note["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "s"
        assert raw.ask("tools/list", "s", _meta=MODERN)["error"]["code"] == -32600
        raw.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "s"}})
        assert raw.ask("tools/list", "s", _meta=MODERN)["result"]
        # Both eras in one process.
        assert raw.initialize("2025-06-18")["protocolVersion"] == "2025-06-18"
        assert "resultType" not in raw.ask("tools/list")["result"]
        assert "resultType" in raw.ask("tools/list", _meta=MODERN)["result"]


def test_lines_that_are_none(server):
    with Raw(server) as raw:
        for line, code in [(b"{", -32700), (b"[]", -32600), (b"7", -32600), (b"\xff", -32700),
                           (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
                           (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
                           (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
                           (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
                           (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600),
                           (b'{"jsonrpc":"2.0","id":1,"method":"none"}', -32601),
                           (b"[" * 40 + b"]" * 40, -32700), (b" " * ((32 << 20) + 1), -32600)]:
            raw.send(line)
            assert raw.read()["error"]["code"] == code, line[:60]
        raw.send(b"", b"\r", {"jsonrpc": "2.0", "id": 5, "result": {}}, {"jsonrpc": "2.0", "method": "x"})
        assert raw.ask("ping", "still there") == {"jsonrpc": "2.0", "id": "still there", "result": {}}
        raw.initialize("2025-11-25")
        assert raw.ask("tools/list", cursor="9")["error"]["code"] == -32602
        assert raw.ask("initialize", protocolVersion="2025-11-25")["error"]["code"] == -32600
        assert raw.ask("logging/setLevel", level="loud")["error"]["code"] == -32602
        assert raw.ask("tools/call", name="exec", _meta={"progressToken": {}})["error"]["code"] == -32602


def test_the_end_of_input_cancels_and_ends(server, client):
    """What a host leaves behind when it goes away: nothing that runs."""
    raw = Raw(server, "--owner", "goes")
    raw.initialize("2025-11-25")
    raw.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "run_code", "arguments": {"code": "echo go; sleep 600", "language": "sh", "timeout_s": 600},
        "_meta": {"progressToken": "p"}}})
    assert raw.read()["params"]["progressToken"] == "p"
    rest, _ = raw.process.communicate(timeout=DEADLINE)
    assert raw.process.returncode == 0
    assert all("result" not in json.loads(line) for line in rest.splitlines())
    states = [s["state"] for s in client.call("session.list", owner="goes")["sessions"]]
    assert "running" not in states


def test_the_server_is_started_when_none_runs(tmp_path):
    env = dict(os.environ, XDG_RUNTIME_DIR=str(tmp_path), GLASSBELL_SOCKET=str(tmp_path / "s"))
    calls = [{"jsonrpc": "2.0", "id": 1, "method": "tools/call",
              "params": {"name": "list_sessions", "_meta": MODERN}}]
    process = subprocess.Popen([BINARY, "mcp"], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"".join(json.dumps(call).encode() + b"\n" for call in calls))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["result"]["structuredContent"]["sessions"] == []
    process.communicate(timeout=DEADLINE)
    from support import Client
    with Client(env["GLASSBELL_SOCKET"]) as client:
        client.call("server.shutdown")


def test_the_inspector(server):
    """The command-line mode of the official inspector."""
    folder = packages.node("inspector", "@modelcontextprotocol/inspector")

    def inspect(*arguments):
        command = ["node_modules/.bin/mcp-inspector", "--cli", BINARY, "mcp", "--no-autostart", *arguments]
        done = subprocess.run(command, cwd=folder, env=server.env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE)
        if done.returncode != 0 and "Node" in done.stderr and "engine" in done.stderr.lower():
            pytest.skip(f"the inspector does not run here: {done.stderr.strip()[-300:]}")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    assert [tool["name"] for tool in inspect("--method", "tools/list")["tools"]] == TOOLS
    result = inspect("--method", "tools/call", "--tool-name", "run_code", "--tool-arg", "code=print(6*7)")
    assert result["structuredContent"]["stdout"] == "42\n"


# ---- a session that another client holds ----


@pytest.fixture
def held(server, handle, client):
    """A person holds the session of this module."""
    with server.client() as person:
        person.call("hello", client="person/1")
        person.call("session.lease", session=handle, action="take", human=True)
        yield person


def call_exec(program, number, **arguments):
    """A call as a line of the protocol, and what it is answered with."""
    reply = program.ask("tools/call", number, name="exec", arguments=arguments, _meta=MODERN)
    return reply["result"]


@pytest.mark.parametrize("wait, told", [("0.3", "has waited 0.3 s for it: go on without it"), ("2", "has waited 2 s for it"),
                                        ("0", "; go on without it, or call again later")])
def test_a_call_that_waited_in_vain_says_so(server, handle, held, wait, told):
    """It is answered when its time is over: nothing ran, it may be called again, and who holds it is told."""
    with Raw(server, "--lease-wait", wait) as program:
        result = call_exec(program, 1, session=handle, code="ghost = 1")
        assert result["isError"] is True
        error = result["structuredContent"]["error"]
        assert error["kind"] == "held" and error["retryable"] is True and error["dispatched"] is False
        assert told in error["message"] and "person/1" in error["message"]
        held.call("session.lease", session=handle, action="release")
        again = call_exec(program, 2, session=handle, code="'ghost' in globals()")
        assert again["structuredContent"]["value"] == "False"


def test_a_call_waits_for_the_session(server, handle, held, client):
    """Within its time it gets its turn when the session is given back."""
    with Raw(server, "--lease-wait", "600") as program:
        program.send({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                      "params": {"name": "exec", "arguments": {"session": handle, "code": "6 * 7"}, "_meta": MODERN}})
        wait_for(lambda: client.call("session.get", session=handle)["lease"]["waiting"] == 1, what="a call that waits")
        held.call("session.lease", session=handle, action="release")
        assert program.read()["result"]["structuredContent"]["value"] == "42"


@pytest.mark.parametrize("wait", ["-1", "86401", "soon", ""])
def test_a_time_to_wait_that_is_none(server, wait):
    done = subprocess.run([BINARY, "mcp", f"--lease-wait={wait}"], env=server.env, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=DEADLINE)
    assert done.returncode == 2 and b"--lease-wait wants seconds up to 86400" in done.stderr
