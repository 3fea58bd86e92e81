# SPDX-License-Identifier: Apache-2.0
"""What the Python package adds: its clients to a call, and the ADK executor to a cell."""

import json
import os
import subprocess

from kit.server import ROOT, Server

GROUP = "python"
VENV = ROOT / "build/venv/adk2/bin/python"


def measure(report, plan):
    if subprocess.run([ROOT / "python/tests/venvs", "adk2"], check=False).returncode != 0:
        print("python: left out, for the package index gives no google-adk")
        return
    # As an installation has it: compiled once, before the first sample.
    env = dict(os.environ, PYTHONPATH=str(ROOT / "python/src"),
               PYTHONPYCACHEPREFIX=str(ROOT / "build/bench-pycache"))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    for name, before, what in (
            ("import glassbell", "", "glassbell"),
            ("import glassbell.adk beyond google.adk", "import google.adk", "glassbell.adk"),
            ("import the executor beyond ADK's agents",
             "from google.adk.agents import LlmAgent\n"
             "from google.adk.code_executors import BaseCodeExecutor", "glassbell.adk.executor")):
        # CPU time: an import waits for nothing, and what else the machine does is not its cost.
        program = f"{before}\nimport time\nbegin = time.process_time()\nimport {what}\n" \
                  "print((time.process_time() - begin) * 1000)"
        subprocess.run([VENV, "-c", program], env=env, check=True, stdout=subprocess.DEVNULL)
        report.add(GROUP, name, "ms", [float(subprocess.run(
            [VENV, "-c", program], env=env, check=True, stdout=subprocess.PIPE).stdout)
            for _ in range(plan(3, 15))])
    with Server() as server:
        samples = json.loads(subprocess.run(
            [VENV, ROOT / "bench/groups/python_calls.py", server.socket, str(plan(200, 1000)), str(plan(5, 20))],
            env=env, check=True, stdout=subprocess.PIPE).stdout)
    for name, values in samples.items():
        report.add(GROUP, name, "ms", values)
