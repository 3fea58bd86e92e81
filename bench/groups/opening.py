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
    cache = pathlib.Path(tempfile.mkdtemp(prefix="glovebox-bench-cache-"))
    try:
        make_templates(report, cache)
        from_template(report, plan, cache)
        from_pool(report, plan, cache)
        pandas(report, plan, cache)
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def cold(report, plan):
    with Server(settings="[templates]\nenabled = no\n") as server, server.client() as client:
        for image in ("shell", "python", "javascript"):
            opens, execs = [], []
            for _ in range(plan(3, 5)):
                opens.append(first_result(client, image, execs)[0])
            report.add(GROUP, f"open cold, {image}", "ms", opens)
            report.add(GROUP, f"first exec after a cold boot, {image}", "ms", execs)


def make_templates(report, cache):
    for image in ("python", "javascript", "shell"):
        command = [BINARY, "image", "warm", image]
        with Server(cache=cache) as server:
            took = ms(subprocess.run, command, env=server.env, check=True, stdout=subprocess.DEVNULL)
        report.add(GROUP, f"make the template, {image}", "ms", [took])


def from_template(report, plan, cache):
    # A first open has the template's digest compared, once in a server's life; it is not counted.
    for waiting, name in ((0, "template alone"), (2, "template, process waiting")):
        settings = f"[pool]\nfloor = 0\nceiling = 0\nwaiting = {waiting}\n"
        with Server(settings, cache) as server, server.client() as client:
            first_result(client, "python", [])
            totals = []
            for _ in range(plan(10, 100)):
                if waiting:
                    until(lambda: pool_of(client, "python")["waiting"] >= 1)
                execs = []
                opened, source = first_result(client, "python", execs)
                if source == "template":
                    totals.append(opened + execs[0])
            report.add(GROUP, f"{name}: to the first result", "ms", totals)


def from_pool(report, plan, cache):
    settings = '[pool]\nwaiting = 1\n[pool "python"]\nfloor = 4\nceiling = 4\n'
    with Server(settings, cache) as server, server.client() as client:
        first_result(client, "python", [])
        totals, missed = [], 0
        for _ in range(plan(20, 200)):
            until(lambda: pool_is_full(client, "python"))
            execs = []
            opened, source = first_result(client, "python", execs)
            totals.append(opened + execs[0])
            missed += source != "pool"
        report.add(GROUP, "pool: open and print(1)", "ms", totals,
                   f"{missed} not from the pool" if missed else "")
        whole = []
        for _ in range(plan(10, 50)):
            until(lambda: pool_is_full(client, "python"))
            whole.append(ms(subprocess.run, [BINARY, "run", "-c", "print(1)"], env=server.env,
                            stdout=subprocess.DEVNULL, check=True))
        report.add(GROUP, "glovebox run -c 'print(1)', whole process", "ms", whole)


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


def first_result(client, image, execs):
    """Opens, runs one cell, closes: milliseconds of the open, and where the VM came from."""
    begin = time.perf_counter()
    opened = client.call("session.open", image=image)
    took = (time.perf_counter() - begin) * 1000
    execs.append(ms(client.call, "session.exec", session=opened["session"], code=FIRST[image]))
    client.call("session.close", session=opened["session"])
    return took, opened["source"]


def pool_of(client, image):
    for pool in client.call("pool.status")["pools"]:
        if pool["image"] == image:
            return pool
    return {"ready": 0, "target": 1, "waiting": 0, "starting": 0}


def pool_is_full(client, image):
    pool = pool_of(client, image)
    return pool["ready"] >= pool["target"] and not pool["starting"]
