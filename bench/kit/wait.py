# SPDX-License-Identifier: Apache-2.0
"""Waits for a state that only a call can tell; between measurements, never inside of one."""

import time


def until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise TimeoutError("what a measurement waits for did not come")
        time.sleep(0.01)
    return found
