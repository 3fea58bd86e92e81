# SPDX-License-Identifier: Apache-2.0
"""Checks numbers given by callers before anything is sent: a mistake costs no round trip, and the
error names the parameter."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, Optional

from .errors import InvalidInput

__all__ = ["deadline", "memory", "ms", "optional", "output", "timeout", "whole", "within"]

DAY = 86400.0  # seconds that the server gives code at most
YEAR = 31622400.0  # seconds after which a session may close itself at most
OUTPUT_MAX = 64 << 20  # bytes of each stream that are kept at most
MEMORY_MB = (64, 1 << 20)
TIMEOUT_LEAST = 0.001
FETCHING = 700.0  # seconds that fetching packages may take, beside the start of a VM


def within(name: str, value: Any, least: float, most: float = math.inf) -> float:
    """A number of seconds or the like, `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidInput(f"{name} has to be a number, not {value!r:.60}")
    number = float(value)
    if math.isnan(number) or not least <= number <= most:
        raise InvalidInput(f"{name} has to be {_range(least, most)}, not {value!r:.60}")
    return number


def whole(name: str, value: Any, least: int, most: Optional[int] = None) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InvalidInput(f"{name} has to be a whole number, not {value!r:.60}")
    within(name, value, least, math.inf if most is None else most)
    return int(value)


def optional(name: str, value: Any, least: int, most: Optional[int] = None) -> Optional[int]:
    return None if value is None else whole(name, value, least, most)


def ms(name: str, seconds: Any, least: float, most: float) -> Optional[int]:
    """Seconds in the protocol's milliseconds; a value above zero stays above zero."""
    if seconds is None:
        return None
    given = within(name, seconds, least, most)
    return max(1, round(given * 1000)) if given > 0 else 0


def timeout(seconds: Any) -> Optional[int]:
    """The time for code."""
    return ms("timeout", seconds, TIMEOUT_LEAST, DAY)


def memory(memory_mb: Any) -> Optional[int]:
    return optional("memory_mb", memory_mb, *MEMORY_MB)


def output(name: str, size: Any) -> Optional[int]:
    return optional(name, size, 1, OUTPUT_MAX)


def deadline(seconds: Any) -> Optional[float]:
    return None if seconds is None else within("deadline", seconds, 0)


def _range(least: float, most: float) -> str:
    return f"{least:g} or more" if math.isinf(most) else f"from {least:.10g} to {most:.10g}"
