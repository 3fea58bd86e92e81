# SPDX-License-Identifier: Apache-2.0
"""Many at once: bursts, sustained runs, density, and what is left after thousands of runs."""

import concurrent.futures
import os
import threading
import time

from groups.opening import pool_is_full
from kit.client import ms
from kit.server import Server
from kit.wait import until

GROUP = "load"


def measure(report, plan):
    count = plan(20, 50)
    burst(report, count, "empty", "[pool]\nceiling = 0\n")
    burst(report, count, "full", f'[pool "python"]\nfloor = {count}\nceiling = {count}\n')
    sustained(report, plan)
    for count in plan((20,), (50, 100)):
        density(report, plan, count)
    long_run(report, plan(40, 2000))


def burst(report, count, state, settings):
    """Clients open a session each at the same moment; what is counted is until each has its answer."""
    with Server(settings) as server, server.client() as client:
        warm(client)
        if state == "full":
            until(lambda: pool_is_full(client, "python"), 600)
        start, done = threading.Barrier(count), []

        def one(_):
            with server.client() as own:
                start.wait()
                begin = time.perf_counter()
                own.call("session.open", image="python")
                end = time.perf_counter()
                return begin, end

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            done = list(pool.map(one, range(count)))
        whole = max(end for _, end in done) - min(begin for begin, _ in done)
        report.add(GROUP, f"{count} opens at once, {state} pool, all answered", "ms", [whole * 1000])
        report.add(GROUP, f"{count} opens at once, {state} pool, each", "ms",
                   [(end - begin) * 1000 for begin, end in done])


def sustained(report, plan):
    """Runs, each in a fresh VM, two clients, one after the other."""
    count = plan(40, 300)
    with Server() as server, server.client() as client:
        warm(client)
        until(lambda: pool_is_full(client, "python"))

        def one(_):
            with server.client() as own:
                return ms(own.call, "run", image="python", code="print(1)")

        begin = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            samples = list(pool.map(one, range(count)))
        whole = time.perf_counter() - begin
        report.add(GROUP, "runs a second, a fresh VM each", "/s", [count / whole], f"over {whole:.1f} s")
        report.add(GROUP, "a run among them", "ms", samples)


def density(report, plan, count):
    """Python sessions after one exec each: memory of each, and what they cost when nobody asks."""
    with Server() as server, server.client() as client:
        warm(client)
        sessions = server.open(count, "python")
        for session in sessions:
            client.call("session.exec", session=session, code="print(1)")
        pids = [vm["pid"] for vm in client.call("stats")["vms"] if vm.get("session") in set(sessions)]
        time.sleep(plan(1, 5))
        report.add(GROUP, f"PSS of an idle python session, N = {count}", "MiB", [pss(pid) for pid in pids])
        seconds = plan(3, 10)
        begin = server.cpu_seconds(pids)
        time.sleep(seconds)
        report.add(GROUP, f"CPU of {count} idle sessions", "%",
                   [(server.cpu_seconds(pids) - begin) / seconds * 100], "of one core")
        report.add(GROUP, f"server resident, {count} sessions", "MiB", [server.status("VmRSS") / 1024])


def long_run(report, count):
    """What many runs leave behind: memory, descriptors, processes, files of the server."""
    with Server() as server, server.client() as client:
        warm(client)
        until(lambda: pool_is_full(client, "python"))
        points = []

        def one(_):
            with server.client() as own:
                own.call("run", image="python", code="print(1)")
            points.append((server.status("VmRSS") / 1024, server.descriptors(), len(server.children()),
                           disk(server.folder)))

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(one, range(count)))
        tenth = max(1, count // 10)
        for when, part in (("early", points[tenth:2 * tenth] or points), ("late", points[-tenth:])):
            for index, (what, unit) in enumerate((("resident", "MiB"), ("descriptors", ""),
                                                  ("processes", ""), ("files, their bytes", "MiB"))):
                report.add(GROUP, f"server {what}, {when} of {count} runs", unit,
                           [point[index] for point in part])


def warm(client):
    """The template exists, and its digest was compared."""
    for _ in range(2):
        client.call("run", image="python", code="print(1)")
    until(lambda: all(pool.get("template", {}).get("state") != "making"
                      for pool in client.call("pool.status")["pools"]))


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024


def disk(folder):
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                continue
    return total / (1 << 20)
