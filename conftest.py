# SPDX-License-Identifier: Apache-2.0
"""For every test: SIGINT means what it means in a terminal, also where the tests run in the background
of a script, whose children ignore it; a shell cannot trap what was ignored when it began."""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
