#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Glassbell as a client sees it, beside what a user would pick instead, in the same run.

Every figure is a list of samples; the table shows p50, p95, p99. The server under test is the release
build, started here with folders of its own. Nothing is asserted: tests say what is right, this says
how fast it is.
"""

import argparse
import os
import pathlib
import platform
import re
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from groups import alternatives, calls, load, network, opening, packages, past, python, screen, terminal, watching
from kit import plot
from kit.report import HEAD, Report, compare
from kit.server import ROOT, Server

GROUPS = {"open": opening, "calls": calls, "load": load, "watching": watching, "past": past,
          "network": network, "packages": packages, "python": python, "screen": screen, "terminal": terminal, "alternatives": alternatives}


def machine():
    with Server() as server, server.client() as client:
        hello = client.call("hello")
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True).stdout
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    revision = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
                              capture_output=True, text=True).stdout.strip()
    return {"cpus": os.cpu_count(), "cpu": cpu.group(1) if cpu else platform.machine(),
            "kernel": platform.release(), "accel": hello["accel"], "server": hello["server"],
            "revision": revision, "qemu": qemu.splitlines()[0] if qemu else "?",
            "python": platform.python_version(), "load": round(os.getloadavg()[0], 2),
            "at": time.strftime("%Y-%m-%d %H:%M:%S")}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples: under two minutes")
    parser.add_argument("--only", metavar="GROUP", action="append", choices=GROUPS,
                        help=f"only this group ({', '.join(GROUPS)}); may be repeated")
    parser.add_argument("--json", metavar="FILE", default=str(ROOT / "build/bench.json"))
    parser.add_argument("--compare", metavar="FILE", help="ratios against an earlier --json file")
    parser.add_argument("--plots", metavar="FOLDER", help="draw SVG plots there (docs/bench)")
    parser.add_argument("groups", metavar="GROUP", nargs="*", help="like --only")
    options = parser.parse_args()
    for group in options.groups:
        if group not in GROUPS:
            parser.error(f"there is no group {group}: there are {', '.join(GROUPS)}")
    options.only = (options.only or []) + options.groups
    report = Report()

    def plan(quick, full):
        return quick if options.quick else full

    facts = machine()
    print(", ".join(f"{key} {value}" for key, value in facts.items()))
    print(HEAD)
    try:
        for name, group in GROUPS.items():
            if not options.only or name in options.only:
                group.measure(report, plan)
    finally:
        report.save(options.json, facts)
        print(f"as JSON: {options.json}")
    if options.compare:
        compare(report.rows, options.compare)
    if options.plots:
        plot.draw(report.rows, options.plots)
    missed = report.missed()
    if missed:
        print("missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
