"""Runs where google-adk is installed: the same cell by the barest client and by each of ours, in turn,
so that whatever else the machine does hits all of them alike. Prints samples as JSON."""

import asyncio
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from google.adk.code_executors.code_execution_utils import CodeExecutionInput  # noqa: E402
from kit.client import Client, ms  # noqa: E402

import glovebox  # noqa: E402
from glovebox.adk import GloveboxCodeExecutor  # noqa: E402

CODE = "print(1)"


def main(path, rounds):
    executor = GloveboxCodeExecutor(socket_path=path, autostart=False)
    given = CodeExecutionInput(code=CODE, execution_id="bench")
    session = executor.execute_code(None, given).execution.session
    client = glovebox.Client(path, autostart=False)
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
        async with glovebox.AsyncClient(path, autostart=False) as other:
            for turn in range(rounds + 50):
                values = [ms(bare.call, "session.exec", session=session, code=CODE),
                          ms(ours.exec, CODE), await asked(other.session(session)),
                          ms(executor.execute_code, None, given)]
                if turn >= 50:
                    for kept, value in zip(samples.values(), [*values, values[-1] - values[0]]):
                        kept.append(value)

    asyncio.run(measure())
    print(json.dumps(samples))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
