# SPDX-License-Identifier: Apache-2.0
"""Waits for descriptors, whatever their numbers: select() does not support those above 1023."""

from __future__ import annotations

import math
import select


def readable(fds: list[int], seconds: float) -> list[int]:
    """Those that can be read, or have ended; waits for the first of them."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(math.ceil(max(0.0, seconds) * 1000))]
