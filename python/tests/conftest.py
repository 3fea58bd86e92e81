# SPDX-License-Identifier: Apache-2.0
"""For all tests of the package: where it and the helpers are, and one real server for the run."""

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "python/src"), str(ROOT / "tests")]

from support import Server  # noqa: E402


@pytest.fixture(scope="session")
def server():
    with Server() as server:
        yield server
