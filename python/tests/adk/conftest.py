# SPDX-License-Identifier: Apache-2.0
"""A real server, the real ADK of this environment, and a model that says what it is told to say."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from google.adk.version import __version__

from glassbell.adk import GlassbellCodeExecutor

ADK = tuple(int(part) for part in __version__.split(".")[:2])
IN_THREAD = ADK >= (2, 5)  # executors are called off the loop


@pytest.fixture
def executor(server):
    """Makes executors of the server under test."""
    def make(**settings):
        settings.setdefault("timeout_seconds", 20)
        return GlassbellCodeExecutor(socket_path=str(server.socket), autostart=False, **settings)
    return make


def pytest_report_header():
    return f"google-adk {__version__}"
