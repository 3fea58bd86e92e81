# SPDX-License-Identifier: Apache-2.0
"""Figures: lists of samples, kept whole, shown as p50, p95, p99 beside what was promised."""

import json
import math
import statistics

# What the project promises for a machine of two cores under emulation: (figure, quantile) → limit.
AT_MOST = {
    ("open cold, python", "p50"): 4000.0,
    ("open cold, shell", "p50"): 2000.0,
    ("open cold, javascript", "p50"): 5000.0,
    ("make the template, python", "p50"): 6000.0,
    ("pool: open and print(1)", "p50"): 2.0,
    ("pool: open and print(1)", "p99"): 10.0,
    ("template, process waiting: to the first result", "p50"): 70.0,
    ("template, process waiting: to the first result", "p99"): 150.0,
    ("template alone: to the first result", "p50"): 105.0,
    ("exec print(1), python", "p50"): 1.0,
    ("exec print(1), python", "p99"): 4.0,
    ("glassbell run -c 'print(1)', whole process", "p50"): 15.0,
    ("import pandas in python-data", "p50"): 20.0,
    ("50 opens at once, empty pool, all answered", "p50"): 5000.0,
    ("first byte of streamed output", "p50"): 3.0,
    ("server resident, 10 sessions", "p50"): 12.0,
    ("PSS of an idle python session, N = 50", "p50"): 30.0,
    ("CPU of 50 idle sessions", "p50"): 10.0,
    ("exec print(1), ADK execute_code beyond the bare client", "p50"): 1.0,
    ("ADK run cancelled to the end of its code that sleeps", "p50"): 1000.0,
    ("ADK run cancelled to the end of its code that computes", "p50"): 1000.0,
    ("import glassbell.adk beyond google.adk", "p50"): 30.0,
    ("import the executor beyond ADK's agents", "p50"): 30.0,
    ("cell.started to a watcher", "p50"): 2.0,
    ("cell.output to a watcher", "p50"): 2.0,
    ("cell.finished to a watcher", "p50"): 2.0,
    ("a watcher that has stopped reading", "p50"): 1.0,
    ("start to the list of 20 sessions", "p50"): 60.0,
    ("key to screen", "p50"): 5.0,
    ("key to screen", "p99"): 16.0,
    ("idle, share of a core", "p50"): 1.0,
    ("idle, to the terminal in a minute", "p50"): 20.0,
    ("key to screen while four sessions print 1 MB/s each", "p50"): 5.0,
    ("key to screen while four sessions print 1 MB/s each", "p99"): 16.0,
    ("resident memory of the front end", "p50"): 40.0,
    ("resident memory after a million lines", "p50"): 40.0,
    ("pause of a checkpoint, small", "p50"): 3.0,
    ("pause of a checkpoint, small", "p95"): 6.0,
    ("pause of a checkpoint, 300 MB private", "p50"): 4.0,
    ("pause of a checkpoint, 300 MB private", "p95"): 7.0,
    ("disk of a checkpoint, small", "p50"): 250.0,
    ("500 empty cells with checkpoints / without", "p50"): 1.05,
    ("exec print(1) with checkpoints / without", "p50"): 1.05,
    ("rewind to the first result, a process waiting", "p50"): 120.0,
    ("rewind to the first result, no process waiting", "p50"): 220.0,
    ("asleep, python", "p50"): 0.5,
    ("asleep, javascript", "p50"): 0.5,
    ("asleep, shell", "p50"): 0.5,
    ("asleep, python-data with a frame of 50 MB", "p50"): 40.0,
    ("wake to the first result, python", "p50"): 150.0,
    ("wake to the first result, javascript", "p50"): 150.0,
    ("wake to the first result, shell", "p50"): 150.0,
    ("wake to the first result, python-data with a frame of 50 MB", "p50"): 600.0,
    ("fork of 10, pause of the parent", "p50"): 5.0,
    ("fork of 10, all loaded", "p50"): 150.0,
    ("PSS of a fork", "p50"): 34.0,
    ("connect by an allowed name", "p50"): 5.0,
    ("connect by an allowed name", "p95"): 15.0,
    ("connect, refused by the host", "p50"): 10.0,
    ("connect, forbidden name", "p50"): 10.0,
    ("connect, forbidden port", "p50"): 10.0,
    ("1,000 streams opened, 1,000 bytes there and back", "p50"): 5000.0,
    ("interrupt while four streams run", "p95"): 10.0,
    ("repl to the first prompt", "p50"): 60.0,
    ("exec -it, a key there and back", "p50"): 5.0,
    ("key to screen while a terminal prints all the time", "p99"): 16.0,
    ("two hosts of 100 sessions, idle, share of a core of both front ends", "p50"): 1.0,
}
AT_LEAST = {
    ("upload 64 MiB", "p50"): 60.0,
    ("download 64 MiB", "p50"): 60.0,
    ("runs a second, a fresh VM each", "p50"): 12.0,
    ("one stream to the guest", "p50"): 60.0,
    ("one stream from the guest", "p50"): 60.0,
    ("what it prints meanwhile", "p50"): 3.9,
}


def quantile(samples, q):
    """The nearest-rank quantile: a sample that was really seen."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


class Report:
    def __init__(self):
        self.rows = {}

    def add(self, group, name, unit, samples, note=""):
        samples = [float(sample) for sample in samples]
        row = {"group": group, "unit": unit, "n": len(samples), "p50": statistics.median(samples),
               "p95": quantile(samples, 0.95), "p99": quantile(samples, 0.99), "min": min(samples),
               "max": max(samples), "note": note, "samples": [round(s, 4) for s in samples]}
        self.rows[name] = row
        print(line(name, row), flush=True)

    def save(self, path, machine):
        with open(path, "w") as file:
            json.dump({"machine": machine, "figures": self.rows}, file)
            file.write("\n")

    def missed(self):
        return [name for name, row in self.rows.items() if any(not ok for ok, _ in verdicts(name, row))]


def verdicts(name, row):
    found = [(row[q] <= limit, f"{q} ≤ {limit:g}")
             for (figure, q), limit in AT_MOST.items() if figure == name]
    return found + [(row[q] >= limit, f"{q} ≥ {limit:g}")
                    for (figure, q), limit in AT_LEAST.items() if figure == name]


HEAD = f"{'figure':<48} {'p50':>10} {'p95':>10} {'p99':>10}"


def line(name, row):
    said = ", ".join(("ok" if ok else "MISSED") + f" ({text})" for ok, text in verdicts(name, row))
    return (f"{name:<48} {row['p50']:>10.3f} {row['p95']:>10.3f} {row['p99']:>10.3f} "
            f"{row['unit']:<5} n={row['n']:<5} {said} {row['note']}").rstrip()


def compare(rows, path):
    with open(path) as file:
        before = json.load(file)["figures"]
    print(f"\nratios against {path}: this run / that run, and whether the middle halves overlap")
    print(f"{'figure':<48} {'p50':>8} {'p99':>8}")
    for name, row in rows.items():
        old = before.get(name)
        if not old or not old["p50"]:
            continue
        mark = ""
        if row.get("samples") and old.get("samples"):
            a, b = row["samples"], old["samples"]
            apart = quantile(a, 0.25) > quantile(b, 0.75) or quantile(a, 0.75) < quantile(b, 0.25)
            mark = "differs" if apart else "within the spread"
        tail = f"{row['p99'] / old['p99']:>8.2f}" if old["p99"] else " " * 8
        print(f"{name:<48} {row['p50'] / old['p50']:>8.2f} {tail} {mark}")
