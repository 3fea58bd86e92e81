#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the blocking client (src/glassbell/_sync) from the asyncio one (src/glassbell/_async).

Both say the same, so that only one of them is written by hand; `connection.py`, which does the
input and output, is the exception. With --check nothing is written and a difference is an error.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent / "src/glassbell"
HAND_WRITTEN = {"connection.py", "__init__.py"}
HEADER = "# Made by tools/unasync.py from _async/{name}: change that file.\n"
RULES = [(re.compile(pattern), replacement) for pattern, replacement in (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(Client|Session|Execution|Events|Terminal|Connection|Iterator)\b", r"\1"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\b__a(enter|exit|iter)__\b", r"__\1__"),
    (r"\b__anext__\b", "__next__"),
    (r"\bthe asyncio\b", "the blocking"),
)]


def blocking(name: str, text: str) -> str:
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return HEADER.format(name=name) + text


def main() -> int:
    stale = []
    for source in sorted((ROOT / "_async").glob("*.py")):
        if source.name in HAND_WRITTEN:
            continue
        target = ROOT / "_sync" / source.name
        text = blocking(source.name, source.read_text())
        if not target.exists() or target.read_text() != text:
            stale.append(source.name)
            if "--check" not in sys.argv[1:]:
                target.write_text(text)
    if stale and "--check" in sys.argv[1:]:
        print("out of date, run tools/unasync.py:", ", ".join(stale))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
