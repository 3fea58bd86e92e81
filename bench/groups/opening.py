# SPDX-License-Identifier: Apache-2.0
"""From nothing to the first result: cold, from a template, from the pool, as a whole process."""

import pathlib
import shutil
import subprocess
import tempfile
import time

from kit.client import ms
from kit.server import BINARY, Server
from kit.wait import until

GROUP = "open"
FIRST = {"python": "print(1)", "shell": "echo 1", "javascript": "console.log(1)"}


def measure(report, plan):
    cold(report, plan)
    cache = pathlib.Path(tempfile.mkdtemp(prefix="glassbell-bench-cache-"))
    try:
        make_templates(report, cache)
        from_template(report, plan, cache)
        from_pool(report, plan, cache)
        pandas(report, plan, cache)
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def cold(report, plan):
    """Boots: a size of memory that is asked for the first time has no template and gets none."""
    with Server() as server, server.client() as client:
        for image in ("shell", "python", "javascript"):
            opens, execs = [], []
            for number in range(plan(2, 5)):
                took, source = first_result(client, image, execs, memory_mb=200 + number)
                assert source == "boot", source
                opens.append(took)
            report.add(GROUP, f"open cold, {image}", "ms", opens)
            report.add(GROUP, f"first exec after a cold boot, {image}", "ms", execs)


def make_templates(report, cache):
    for image in ("python", "javascript", "shell"):
        command = [BINARY, "image", "warm", image]
        with Server(cache=cache) as server:
            took = ms(subprocess.run, command, env=server.env, check=True, stdout=subprocess.DEVNULL)
        report.add(GROUP, f"make the template, {image}", "ms", [took])


def from_template(report, plan, cache):
    with Server("[pool]\nceiling = 0\n", cache) as server, server.client() as client:
        first_result(client, "python", [])  # compares the template's digest, once in a server's life
        totals = []
        for _ in range(plan(8, 100)):
            execs = []
            rest()
            took, source = first_result(client, "python", execs)
            assert source == "template", source
            totals.append(took + execs[0])
        report.add(GROUP, "template alone: to the first result", "ms", totals)
    # Of two opens in a row the first takes the one VM of the pool, the second what stands behind it.
    settings = '[pool "python"]\nfloor = 1\nceiling = 1\nstanding = 2\n'
    with Server(settings, cache) as server, server.client() as client:
        totals = []
        for _ in range(plan(5, 100)):
            until(lambda: pool_of(client, "python")["waiting"] >= 2 and pool_is_full(client, "python"))
            rest(2)  # more than two in a second are a burst, beside which the pool is filled at once
            taken = client.call("session.open", image="python")
            execs = []
            took, source = first_result(client, "python", execs)
            if (taken["source"], source) == ("pool", "template"):
                totals.append(took + execs[0])
            client.call("session.close", session=taken["session"])
        report.add(GROUP, "template, process waiting: to the first result", "ms", totals)


def from_pool(report, plan, cache):
    settings = '[pool "python"]\nfloor = 4\nceiling = 4\n'
    with Server(settings, cache) as server, server.client() as client:
        totals, missed = [], 0
        for _ in range(plan(12, 200)):
            until(lambda: pool_is_full(client, "python"))
            rest()
            execs = []
            took, source = first_result(client, "python", execs)
            totals.append(took + execs[0])
            missed += source != "pool"
        report.add(GROUP, "pool: open and print(1)", "ms", totals,
                   f"{missed} not from the pool" if missed else "")
        whole = []
        for _ in range(plan(6, 50)):
            until(lambda: pool_is_full(client, "python"))
            rest()
            whole.append(ms(subprocess.run, [BINARY, "run", "-c", "print(1)"], env=server.env,
                            stdout=subprocess.DEVNULL, check=True))
        report.add(GROUP, "glassbell run -c 'print(1)', whole process", "ms", whole)


def pandas(report, plan, cache):
    with Server(cache=cache) as server, server.client() as client:
        if "python-data" not in [image["name"] for image in client.call("hello")["images"]]:
            return
        took = ms(subprocess.run, [BINARY, "image", "warm", "python-data"], env=server.env, check=True,
                  stdout=subprocess.DEVNULL)
        report.add(GROUP, "make the template, python-data", "ms", [took])
        samples = []
        for _ in range(plan(3, 10)):
            session = client.call("session.open", image="python-data")["session"]
            client.call("session.exec", session=session, code="1")
            samples.append(ms(client.call, "session.exec", session=session, code="import pandas"))
            client.call("session.close", session=session)
        report.add(GROUP, "import pandas in python-data", "ms", samples)


def first_result(client, image, execs, **options):
    """Opens, runs one cell, closes: milliseconds of the open, and where the VM came from."""
    begin = time.perf_counter()
    opened = client.call("session.open", image=image, **options)
    took = (time.perf_counter() - begin) * 1000
    execs.append(ms(client.call, "session.exec", session=opened["session"], code=FIRST[image]))
    client.call("session.close", session=opened["session"])
    return took, opened["source"]


def pool_of(client, image):
    for pool in client.call("pool.status")["pools"]:
        if pool["image"] == image:
            return pool
    return {"ready": 0, "target": 1, "waiting": 0, "starting": 0}


def rest(seconds=0.3):
    """What was begun before ends: a VM that goes, a process that is started to stand behind the pool."""
    time.sleep(seconds)


def pool_is_full(client, image):
    pool = pool_of(client, image)
    return pool["ready"] >= pool["target"] and not pool["starting"]
