# SPDX-License-Identifier: Apache-2.0
"""Glassbell for Google's Agent Development Kit.

    from google.adk.agents import LlmAgent
    from glassbell.adk import GlassbellCodeExecutor

    agent = LlmAgent(name="coder", model="…", code_executor=GlassbellCodeExecutor())

GlassbellCodeExecutor: runs the code that a model writes, one microVM for each ADK session.
GlassbellPlugin: makes that work better in a Runner: tells the model how to write code, refuses
settings that cannot work, ends the code of a run that was cancelled.
GlassbellToolset: the same VM as tools: run_python, run_shell, files; one for each ADK session.
GlassbellEnvironment: a VM behind ADK's own EnvironmentToolset.

What is here is loaded when it is first used: ADK's modules take their time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .environment import GlassbellEnvironment
    from .executor import GlassbellCodeExecutor
    from .plugin import GlassbellPlugin
    from .result import Execution, GlassbellExecutionResult
    from .toolset import GlassbellToolset

__all__ = ["Execution", "GlassbellCodeExecutor", "GlassbellEnvironment", "GlassbellExecutionResult",
           "GlassbellPlugin", "GlassbellToolset"]

_WHERE = {"Execution": "result", "GlassbellCodeExecutor": "executor",
          "GlassbellEnvironment": "environment", "GlassbellExecutionResult": "result",
          "GlassbellPlugin": "plugin", "GlassbellToolset": "toolset"}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value
