# SPDX-License-Identifier: Apache-2.0
"""The same for asyncio: many at once, cancellation, deadlines, and a loop that is never held up."""

import asyncio
import pathlib
import subprocess
import sys
import threading

import pytest

import glassbell
from support import BINARY

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def aio(server):
    """Runs an async function with a client."""
    def run(work):
        async def main():
            async with glassbell.AsyncClient(server.socket, name="aio", autostart=False) as client:
                return await asyncio.wait_for(work(client), 120)
        return asyncio.run(main())
    return run


def test_a_session(aio, py):
    async def work(client):
        session = client.session(py.id)
        pieces, awaited = [], []

        async def note(piece):
            await asyncio.sleep(0)
            awaited.append(piece.text)

        cell = await session.exec("print('a'); 'v'", on_output=pieces.append)
        assert (cell.stdout, cell.value, cell.client) == ("a\n", "'v'", "aio")
        assert b"".join(piece.data for piece in pieces) == b"a\n"
        await session.exec("print('b')", on_output=note)
        assert awaited == ["b\n"]
        content = bytes(5 << 20)
        await session.write("big", content)
        assert await session.read("big") == content
        await session.remove("big")
        assert (await session.get()).state == "idle"
        async with session.stream("print('c')") as execution:
            assert [piece.text async for piece in execution] == ["c\n"]
        assert execution.cell.ok
        with pytest.raises(glassbell.NotFound):
            await client.session("nobody").exec("1")

    aio(work)


def test_many_at_once(aio, py):
    async def work(client):
        session = client.session(py.id)
        cells = await asyncio.gather(*(session.exec(f"{n} ** 2") for n in range(50)))
        assert [cell.value for cell in cells] == [str(n ** 2) for n in range(50)]

    aio(work)


def test_a_cancelled_task_ends_its_cell_and_no_other(aio, py):
    async def work(client):
        session = client.session(py.id)
        running = asyncio.Event()
        first = asyncio.create_task(session.exec("print(1, flush=True)\nwhile True: pass",
                                                 on_output=lambda _: running.set()))
        await running.wait()
        queued = asyncio.create_task(session.exec("1 / 0"))
        after = asyncio.create_task(session.exec("6 * 7"))
        # Both are at the server before the first is cancelled.
        while (await session.get()).cells < before + 3:
            await asyncio.sleep(0)
        queued.cancel()
        first.cancel()
        assert (await after).value == "42"
        for task in (first, queued):
            with pytest.raises(asyncio.CancelledError):
                await task

    before = py.get().cells
    aio(work)


def test_deadline(aio, py):
    async def work(client):
        session = client.session(py.id)
        with pytest.raises(glassbell.DeadlineExceeded) as caught:
            await session.exec("while True: pass", deadline=0.5)
        assert caught.value.dispatched
        assert (await session.exec("6 * 7")).value == "42"

    aio(work)


def test_the_loop_is_not_held_up(aio, py):
    async def work(client):
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticker = asyncio.create_task(tick())
        await client.session(py.id).exec("print('x' * 500000)\nimport time; time.sleep(0.2)",
                                         on_output=lambda _: None)
        ticker.cancel()
        assert ticks > 100

    aio(work)


def test_one_client_in_several_loops(server, py):
    client = glassbell.AsyncClient(server.socket, autostart=False)
    results = []

    def thread(number):
        async def main():
            for _ in range(5):
                results.append((await client.session(py.id).exec(str(number))).value)
        asyncio.run(main())

    threads = [threading.Thread(target=thread, args=(n,)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(results) == sorted(str(n) for n in range(4) for _ in range(5))
    asyncio.run(client.close())


def test_autostart(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("GLASSBELL_SOCKET", raising=False)

    async def main():
        async with glassbell.AsyncClient(program=BINARY) as client:
            pids = {(await client.stats())["pid"] for _ in range(2)}
            await client.shutdown()
            pids.add((await client.stats())["pid"])
            await client.shutdown()
            assert len(pids) == 2

    asyncio.run(main())


def test_the_two_clients_say_the_same():
    """_sync is made from _async."""
    subprocess.run([sys.executable, ROOT / "python/tools/unasync.py", "--check"], check=True)
