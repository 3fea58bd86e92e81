# SPDX-License-Identifier: Apache-2.0
"""What is to be learned from ADK: who calls, in which task, and which version it is.

Everything here bears with a context that is None or a mock, as tests of ADK and of users pass it.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import hashlib
import logging
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any, Iterator, Optional

from .sandboxes import Identity, Sandbox

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("google_adk.glassbell")

_STATE = "_code_execution_context"  # of what lies here, ADK keeps what we write
_HINT = "glassbell"
_HINTS = 8  # sandboxes of one ADK session that are remembered
_SKILL = "def _materialize_and_run("

# The task in which a run of ADK waits for its model; set by the plugin. A thread that ADK starts
# for an execution inherits it.
task_of_run: contextvars.ContextVar[Optional[asyncio.Task[Any]]] = contextvars.ContextVar(
    "glassbell_task_of_run", default=None)

# Artifacts that the plugin has loaded for an invocation, to be put into its sandbox.
_mounted: dict[str, dict[str, bytes]] = {}


def _text(thing: Any, name: str) -> Optional[str]:
    try:
        value = getattr(thing, name, None)
    except Exception:  # a half-made context
        return None
    return value if isinstance(value, str) else None


def identity(ctx: Any, execution_id: Any, scope: str) -> Optional[Identity]:
    """Whose sandbox code has to run in; None: nobody's."""
    session = getattr(ctx, "session", None)
    app = _text(ctx, "app_name") or _text(session, "app_name") or ""
    user = _text(ctx, "user_id") or _text(session, "user_id") or ""
    if scope == "user":
        return Identity(app, user, "") if user else None
    execution = execution_id if isinstance(execution_id, str) else _text(session, "id")
    return Identity(app, user, execution) if execution else None


def is_skill(given: Any) -> bool:
    """A script of ADK's SkillToolset: it comes without an execution id even when we are stateful,
    wants a process of its own, and its streams are parsed."""
    return (given.execution_id is None and not given.input_files
            and _SKILL in given.code)


def _state(ctx: Any) -> Optional[dict[str, Any]]:
    state = getattr(getattr(ctx, "session", None), "state", None)
    return state if isinstance(state, dict) else None


def processed(ctx: Any) -> list[str]:
    """The data files that ADK has had read into data frames in this session."""
    found = ((_state(ctx) or {}).get(_STATE) or {}).get("processed_input_files")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def read_hint(ctx: Any, key: str) -> dict[str, Any]:
    """What an earlier process wrote about this sandbox. Users can write it, so that it decides
    nothing but what is told and what is uploaded in their own sandbox."""
    hints = ((_state(ctx) or {}).get(_STATE) or {}).get(_HINT)
    hint = hints.get(key) if isinstance(hints, dict) else None
    if not isinstance(hint, dict) or not all(isinstance(hint.get(name, {}), dict)
                                             for name in ("inputs", "input_cells")):
        return {}
    numbers = all(isinstance(hint.get(name, 0), int)
                  for name in ("incarnation", "prepared_cell", "epoch", "figures", "texts"))
    return hint if numbers else {}


def write_hint(ctx: Any, sandbox: Sandbox) -> None:
    state = _state(ctx)
    if state is None or not sandbox.incarnation:
        return
    kept = state.get(_STATE)
    if not isinstance(kept, dict):
        return  # nobody would keep it
    hints = kept.get(_HINT)
    hints = dict(hints) if isinstance(hints, dict) else {}
    hints.pop(sandbox.key, None)
    hints[sandbox.key] = {
        "session": sandbox.session.id if sandbox.session else "",
        "incarnation": sandbox.incarnation if sandbox.prepared else -1,
        "prepared_cell": sandbox.prepared_cell, "epoch": sandbox.epoch,
        "inputs": dict(sandbox.inputs), "input_cells": dict(sandbox.input_cells),
        "figures": sandbox.figures, "texts": sandbox.texts}
    kept[_HINT] = dict(list(hints.items())[-_HINTS:])


def mount(invocation: str, artifacts: dict[str, bytes]) -> None:
    _mounted[invocation] = artifacts


def unmount(invocation: str) -> None:
    _mounted.pop(invocation, None)


def mounted(ctx: Any) -> dict[str, bytes]:
    return _mounted.get(_text(ctx, "invocation_id") or "", {})


def running_task() -> tuple[Optional[asyncio.Task[Any]], Optional[asyncio.AbstractEventLoop]]:
    """The task that waits for us in another thread, and its loop."""
    task = task_of_run.get()
    if task is None or task.done():
        return None, None
    import asyncio  # loaded long since, or there would be no task
    try:
        asyncio.get_running_loop()
        return None, None  # we are on the loop: nobody can cancel anything meanwhile
    except RuntimeError:
        loop = task.get_loop()
        return (None, None) if loop.is_closed() else (task, loop)


def short(text: Optional[str]) -> Optional[str]:
    """A name as the server takes it: at most 128 bytes without a NUL."""
    if not text:
        return None
    raw = text.encode(errors="replace").replace(b"\0", b"?")
    if len(raw) > 128:
        raw = raw[:100] + b"-" + hashlib.sha256(raw).hexdigest()[:16].encode()
    return raw.decode(errors="ignore")


@functools.lru_cache(None)
def adk_version() -> tuple[int, ...]:
    try:
        from google.adk.version import __version__ as version
    except ImportError:
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def client_name() -> str:
    return f"adk {'.'.join(map(str, adk_version()))} ({os.path.basename(sys.argv[0] or 'python')})"[:128]


def known_trouble(version: tuple[int, ...]) -> Optional[str]:
    """What is broken in a version of ADK that makes executors useless, or None."""
    if (1, 20) <= version[:2] <= (1, 21):
        return ("ADK 1.20 and 1.21 forget the results of code and ask the model for the same again, "
                "without an end: use 1.22 or later")
    if (2, 4) <= version[:2] <= (2, 8):
        return ("ADK 2.4 to 2.8 end a run after the first piece of code, unless it is run with SSE "
                "streaming: use 2.9 or later")
    return None


@functools.lru_cache(None)
def _warned(version: tuple[int, ...]) -> None:
    trouble = known_trouble(version)
    if trouble is not None:
        warnings.warn(f"glassbell: {trouble}", RuntimeWarning, stacklevel=5)


def warn_of_version() -> None:
    _warned(adk_version())


@contextlib.contextmanager
def span(name: str) -> Iterator[Any]:
    """OpenTelemetry comes with ADK; without it there is no span."""
    try:
        from opentelemetry import trace
    except ImportError:
        yield None
        return
    with trace.get_tracer("glassbell").start_as_current_span(name) as current:
        yield current
