# SPDX-License-Identifier: Apache-2.0
"""The examples that need no framework run to their end."""

import configparser
import json
import os
import pathlib
import shutil
import subprocess
import sys

from support import BINARY

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"


def test_a_race_of_agents(server):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "ten_agents.py", "3", "--socket", server.socket],
        capture_output=True, text=True, timeout=240,
        env=dict(os.environ, PYTHONPATH=str(EXAMPLES.parent / "src"), PYTHONIOENCODING="utf-8"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name in ("Leibniz", "Nilakantha", "Wallis"):
        assert sum(line.startswith(f"{name}: 3.") for line in lines) == 21, done.stdout
    assert lines[-1].startswith("The most digits: 🥇 Nilakantha (")


def test_mcp_configuration(server):
    """What the snippet starts is an MCP server."""
    entry = json.loads((EXAMPLES / "mcp.json").read_text())["mcpServers"]["glassbell"]
    assert entry["command"] == "glassbell"
    asked = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in (
        {"id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"}}},
        {"method": "notifications/initialized"}, {"id": 2, "method": "tools/list"}))
    done = subprocess.run([BINARY, *entry["args"]], input=asked, capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, GLASSBELL_SOCKET=str(server.socket)))
    replies = {reply.get("id"): reply for reply in map(json.loads, done.stdout.splitlines())}
    assert "run_code" in [tool["name"] for tool in replies[2]["result"]["tools"]]


def test_systemd_unit():
    unit = EXAMPLES / "systemd/agent.service"
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str
    parsed.read(unit)
    assert parsed["Service"]["ExecStart"] and parsed["Install"]["WantedBy"] == "default.target"
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", "--user", unit], capture_output=True,
                              text=True, check=False)
        assert "Unknown" not in done.stderr
