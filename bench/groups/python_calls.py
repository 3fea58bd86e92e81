# SPDX-License-Identifier: Apache-2.0
"""Runs where google-adk is installed: the same cell by the barest client and by each of ours, in turn,
so that whatever else the machine does hits all of them alike. Prints samples as JSON."""

import asyncio
import contextlib
import json
import logging
import pathlib
import queue
import sys
import threading
import time

BENCH = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "python/tests/adk")]

from google.adk.code_executors.code_execution_utils import CodeExecutionInput  # noqa: E402
from kit.client import Client, ms  # noqa: E402
from scripted import code, drive  # noqa: E402

import glassbell  # noqa: E402
from glassbell.adk import GlassbellCodeExecutor, GlassbellPlugin  # noqa: E402

CODE = "print(1)"


def cancelled(path, source, times):
    """From the cancellation of a run until a watcher hears that its code has ended: ms."""
    ends, samples = queue.Queue(), []

    async def cancel():
        started, loop = asyncio.Event(), asyncio.get_running_loop()
        one = GlassbellCodeExecutor(socket_path=path, autostart=False, timeout_seconds=600,
                                    on_event=lambda _: loop.call_soon_threadsafe(started.set))
        run = asyncio.create_task(drive(one, code(f"print('go', flush=True)\n{source}"),
                                        session_id="bench", plugins=[GlassbellPlugin()]))
        await started.wait()
        begin = time.perf_counter()
        run.cancel()
        samples.append((await asyncio.to_thread(ends.get) - begin) * 1000)
        with contextlib.suppress(asyncio.CancelledError):
            await run

    with glassbell.Client(path, autostart=False) as client, client.events(kinds=["cell.finished"]) as events:
        def watch():
            for event in events:
                if event.kind == "cell.finished":
                    ends.put(time.perf_counter())

        threading.Thread(target=watch, daemon=True).start()
        for _ in range(times):
            asyncio.run(cancel())
    return samples


def main(path, rounds, times):
    logging.disable()  # of runs that are cancelled, and a model that counts no tokens
    # Without checkpoints: `./dev bench past` has their price.
    executor = GlassbellCodeExecutor(socket_path=path, autostart=False, rollback=False)
    given = CodeExecutionInput(code=CODE, execution_id="bench")
    session = executor.execute_code(None, given).execution.session
    client = glassbell.Client(path, autostart=False)
    ours = client.session(session)
    bare = Client(path)
    names = ("bare client", "Session.exec", "AsyncSession.exec", "ADK execute_code",
             "ADK execute_code beyond the bare client")
    samples = {f"exec {CODE}, {name}": [] for name in names}

    async def asked(session):
        begin = time.perf_counter()
        await session.exec(CODE)
        return (time.perf_counter() - begin) * 1000

    async def measure():
        async with glassbell.AsyncClient(path, autostart=False) as other:
            for turn in range(rounds + 50):
                values = [ms(bare.call, "session.exec", session=session, code=CODE),
                          ms(ours.exec, CODE), await asked(other.session(session)),
                          ms(executor.execute_code, None, given)]
                if turn >= 50:
                    for kept, value in zip(samples.values(), [*values, values[-1] - values[0]]):
                        kept.append(value)

    asyncio.run(measure())
    for what, source in (("sleeps", "import time; time.sleep(600)"), ("computes", "while True: pass")):
        samples[f"ADK run cancelled to the end of its code that {what}"] = cancelled(path, source, times)
    print(json.dumps(samples))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
