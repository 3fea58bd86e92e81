"""Glovebox for Google's Agent Development Kit.

    from google.adk.agents import LlmAgent
    from glovebox.adk import GloveboxCodeExecutor

    agent = LlmAgent(name="coder", model="…", code_executor=GloveboxCodeExecutor())

GloveboxCodeExecutor: runs the code that a model writes, one microVM for each ADK session.
GloveboxPlugin: makes that work better in a Runner: tells the model how to write code, refuses
settings that cannot work, ends the code of a run that was cancelled.
GloveboxToolset: the same VM as tools: run_python, run_shell, files; one for each ADK session.
GloveboxEnvironment: a VM behind ADK's own EnvironmentToolset.

What is here is loaded when it is first used: ADK's modules take their time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .environment import GloveboxEnvironment
    from .executor import GloveboxCodeExecutor
    from .plugin import GloveboxPlugin
    from .result import Execution, GloveboxExecutionResult
    from .toolset import GloveboxToolset

__all__ = ["Execution", "GloveboxCodeExecutor", "GloveboxEnvironment", "GloveboxExecutionResult",
           "GloveboxPlugin", "GloveboxToolset"]

_WHERE = {"Execution": "result", "GloveboxCodeExecutor": "executor",
          "GloveboxEnvironment": "environment", "GloveboxExecutionResult": "result",
          "GloveboxPlugin": "plugin", "GloveboxToolset": "toolset"}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    globals()[name] = value
    return value
