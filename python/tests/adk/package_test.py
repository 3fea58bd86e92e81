# SPDX-License-Identifier: Apache-2.0
"""The package as it is installed, and its types."""

import re
import shutil
import subprocess
import sys

from support import ROOT


def test_types():
    """mypy --strict; the adapters are looked at where their frameworks are."""
    subprocess.run([sys.executable, "-m", "mypy", "--config-file", ROOT / "python/pyproject.toml",
                    "--cache-dir", ROOT / "build/mypy-adk", "--exclude", "/integrations/",
                    ROOT / "python/src/glassbell"], check=True)


def test_the_list_of_what_is_tested():
    """Every test that docs/adk.md names is there."""
    text = (ROOT / "docs/adk.md").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "python/tests/adk").glob("*_test.py"))
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 40
    assert named <= set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))


def test_installation(tmp_path):
    """`pip install ./python[adk]`: what it wants is here, and what it installs can be used."""
    source = tmp_path / "python"
    shutil.copytree(ROOT / "python", source, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    planned = subprocess.run([*pip, "install", "--dry-run", f"{source}[adk]"], check=True,
                             capture_output=True, text=True).stdout
    assert "Would install glassbell-0.1.0\n" in planned, planned
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--target", tmp_path / "site", source],
                   check=True)
    assert (tmp_path / "site/glassbell/py.typed").exists()
    subprocess.run([sys.executable, "-I", "-c",
                    f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
                    "import glassbell\nfrom glassbell.adk import GlassbellCodeExecutor, GlassbellPlugin\n"
                    "from glassbell import AsyncClient, Client\nGlassbellCodeExecutor()\n"
                    f"assert glassbell.__file__.startswith({str(tmp_path)!r})"], check=True)
