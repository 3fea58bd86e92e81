# SPDX-License-Identifier: Apache-2.0
"""A worker for each test that asks for one: that of Python, that of JavaScript."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import worker


@pytest.fixture
def py():
    with worker('python') as process:
        yield process


@pytest.fixture
def js():
    with worker('javascript') as process:
        yield process
