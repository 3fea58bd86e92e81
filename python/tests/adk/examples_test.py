# SPDX-License-Identifier: Apache-2.0
"""The examples that need ADK run to their end."""

import os
import subprocess
import sys

from support import ROOT


def test_plot_of_a_csv(server, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "python/examples/plot_csv.py", tmp_path],
        capture_output=True, text=True, timeout=240,
        env=dict(os.environ, PYTHONPATH=str(ROOT / "python/src"), GLASSBELL_SOCKET=str(server.socket)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 rows: {'month': 'Jan', 'rain': '78'}" in done.stdout
    assert "The plot is saved." in done.stdout
    saved = list(tmp_path.iterdir())
    assert len(saved) == 1 and saved[0].name in ("rain.svg", "rain.png")
    content = saved[0].read_bytes()
    assert content.startswith(b"\x89PNG") if saved[0].suffix == ".png" else b"<rect" in content
