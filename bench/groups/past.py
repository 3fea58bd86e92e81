# SPDX-License-Identifier: Apache-2.0
"""The past of a session: how long a checkpoint stops it, what it takes on disk, what it costs the
cells, and how soon a session that was taken back answers."""

import time

from groups.load import pss
from groups.opening import pool_of
from kit.client import ms
from kit.server import Server
from kit.wait import until

GROUP = "past"
SMALL = "x.append({0}); y = [j * j for j in range(200)]; print(len(y))"
FRAME = """import numpy, pandas
frame = pandas.DataFrame(numpy.random.default_rng(1).integers(0, 1000, (6250, 1000)))
print(frame.describe().shape)"""
ASKED, IDLE, CELL = (f"[past]\ncheckpoints = {policy}\n" for policy in ("asked", "idle", "cell"))


def measure(report, plan):
    with Server(ASKED) as server, server.client() as client:
        cells(report, plan, client, "python", "small", "")
        cells(report, plan, client, "python-data", "300 MB private", "b = b'x' * (300 << 20)")
    beside(report, plan, IDLE, "with checkpoints")
    beside(report, plan, CELL, "with one of each cell")
    with Server(ASKED + "[pool]\nstanding = 0\n") as server, server.client() as client:
        back(report, plan, client, "no process waiting", 0)
    with Server(ASKED + '[pool "python"]\nfloor = 1\nceiling = 1\nstanding = 2\n') as server, server.client() as client:
        back(report, plan, client, "a process waiting", 1)
    with Server(ASKED) as server, server.client() as client:
        for name, image, before in (("python", "python", ""), ("javascript", "javascript", ""), ("shell", "shell", ""),
                                    ("python-data with a frame of 50 MB", "python-data", FRAME)):
            asleep(report, plan, client, name, image, before)
        forks(report, plan, server, client)


def cells(report, plan, client, image, name, before):
    """After each of some small cells, as soon as it has ended."""
    client.call("image.warm", image=image)
    session = client.call("session.open", image=image)["session"]
    client.call("session.exec", session=session, code="x = []\n" + before)
    until(lambda: first(client, session))
    taken = []
    for i in range(plan(40, 100)):
        client.call("session.exec", session=session, code=SMALL.format(i))
        taken.append(client.call("session.checkpoint", session=session))
    report.add(GROUP, f"pause of a checkpoint, {name}", "ms", [one["pause_us"] / 1000 for one in taken])
    report.add(GROUP, f"disk of a checkpoint, {name}", "KB", [one["bytes"] / 1000 for one in taken])
    client.call("session.close", session=session)


def first(client, session):
    """The first one, which copies everything; the worker may still be busy after its cell."""
    try:
        return client.call("session.checkpoint", session=session)
    except RuntimeError:
        return None


def beside(report, plan, policy, words):
    """The same cells in two sessions in turn, of a server that takes checkpoints by itself, and of
    one that does not: the ratio of two neighbours says more than two averages of a busy machine."""
    with Server(policy) as first, Server(ASKED) as second, first.client() as idle, second.client() as asked:
        sides = []
        for client in (idle, asked):
            client.call("image.warm", image="python")
            session = client.call("session.open", image="python")["session"]
            for _ in range(50):
                client.call("session.exec", session=session, code="print(1)")
            sides.append((client, session))
        until(lambda: idle.call("session.checkpoints", session=sides[0][1])["checkpoints"])

        def loop(client, session, code, count):
            for _ in range(count):
                client.call("session.exec", session=session, code=code)

        for name, code, count in (("500 empty cells", "", 500), ("exec print(1)", "print(1)", 100)):
            ratios = []
            for turn in range(plan(5, 20)):
                times = [ms(loop, *side, code, count) for side in (sides if turn % 2 else sides[::-1])]
                ratios.append(times[0] / times[1] if turn % 2 else times[1] / times[0])
            report.add(GROUP, f"{name} {words} / without", "×", ratios)


def back(report, plan, client, name, waiting):
    """From the request to the result of a cell in the session as it was; @waiting: processes behind the pool."""
    client.call("image.warm", image="python")
    session = client.call("session.open", image="python")["session"]
    client.call("session.exec", session=session, code="x = 1")
    seq = client.call("session.checkpoint", session=session)["seq"]
    times = []
    for _ in range(plan(8, 30)):
        client.call("session.exec", session=session, code="x = 2")
        client.call("session.checkpoint", session=session)
        until(lambda: pool_of(client, "python")["waiting"] >= waiting)
        begin = time.perf_counter()
        client.call("session.rewind", session=session, seq=seq)
        client.call("session.exec", session=session, code="print(x)")
        times.append((time.perf_counter() - begin) * 1000)
    report.add(GROUP, f"rewind to the first result, {name}", "ms", times)
    client.call("session.close", session=session)


def asleep(report, plan, client, name, image, before):
    """What a session leaves on disk when it is put to sleep, and how soon it answers again."""
    client.call("image.warm", image=image)
    session = client.call("session.open", image=image)["session"]
    client.call("session.exec", session=session, code=before)
    sizes, times = [], []
    for _ in range(plan(3, 10)):
        client.call("session.exec", session=session, code="")
        until(lambda: slept(client, session))
        sizes.append(sum(one["bytes"] for one in client.call("session.checkpoints", session=session)["checkpoints"]) / 1e6)
        times.append(ms(client.call, "session.exec", session=session, code=""))
    report.add(GROUP, f"asleep, {name}", "MB", sizes)
    report.add(GROUP, f"wake to the first result, {name}", "ms", times)
    client.call("session.close", session=session)


def slept(client, session):
    try:
        return client.call("session.sleep", session=session)
    except RuntimeError:  # it is not at rest yet
        return None


def forks(report, plan, server, client):
    """Ten children of a session at once."""
    client.call("image.warm", image="python")
    session = client.call("session.open", image="python")["session"]
    client.call("session.exec", session=session, code="x = 1")
    until(lambda: first(client, session))
    pauses, loaded, memory = [], [], []
    for _ in range(plan(3, 10)):
        client.call("session.exec", session=session, code="x += 1")
        before = set(server.children())
        taken = until(lambda: first(client, session))
        pauses.append(taken["pause_us"] / 1000)
        begin = time.perf_counter()
        made = client.call("session.fork", session=session, count=10)
        loaded.append((time.perf_counter() - begin) * 1000)
        for child in made["sessions"]:
            client.call("session.exec", session=child["session"], code="print(x)")
        memory += [size for pid in set(server.children()) - before if (size := pss(pid)) > 8]
        for child in made["sessions"]:
            client.call("session.close", session=child["session"])
    report.add(GROUP, "fork of 10, pause of the parent", "ms", pauses)
    report.add(GROUP, "fork of 10, all loaded", "ms", loaded)
    report.add(GROUP, "PSS of a fork", "MiB", memory)
