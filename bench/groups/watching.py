# SPDX-License-Identifier: Apache-2.0
"""Watchers: how soon events reach one, and what one that has stopped reading costs."""

import json
import time

from kit.server import Server

GROUP = "watching"
KINDS = ["cell.started", "cell.output", "cell.finished"]


def measure(report, plan):
    with Server() as server, server.client() as client:
        session = client.call("session.open", image="python")["session"]
        soon(report, plan, server, client, session)
        stopped(report, plan, server, client, session)


def watch(server, session):
    watcher = server.client()
    watcher.call("events.subscribe", sessions=[session], kinds=KINDS, output=True)
    return watcher


def soon(report, plan, server, client, session):
    """From what the event says of its time (it happened on this machine) to its line being read."""
    samples = {kind: [] for kind in KINDS}
    with watch(server, session) as watcher:
        watcher.lines.readline()  # the snapshot
        for turn in range(plan(200, 1000) + 20):
            client.send("session.exec", {"session": session, "code": "print(1)"})
            kind = None
            while kind != "cell.finished":
                line = watcher.lines.readline()
                now = time.time()
                event = json.loads(line)["params"]
                kind = event["kind"]
                if turn >= 20:
                    samples[kind].append((now - event["at"]) * 1000)
            client.reply()
    for kind, values in samples.items():
        report.add(GROUP, f"{kind} to a watcher", "ms", values)


def stopped(report, plan, server, client, session):
    """What the server has more afterwards, beside a run of the same cells with nobody watching."""
    def run():
        for _ in range(plan(20, 100)):
            client.call("session.exec", session=session,
                        code="import sys\nfor _ in range(1000): sys.stdout.write('x' * 1000)")
        return server.status("VmRSS") / 1024

    run()
    before = run()
    with watch(server, session):
        report.add(GROUP, "a watcher that has stopped reading", "MiB", [max(0, run() - before)])
