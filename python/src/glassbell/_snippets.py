# SPDX-License-Identifier: Apache-2.0
"""Python that runs in the sandbox."""

from __future__ import annotations

import os.path
import re
import shlex
from typing import Optional, Sequence

__all__ = ["RUN_SCRIPT", "SCRIPT", "SHELL_FILE", "SHELL_SCRIPT", "data_files", "shell"]

SCRIPT = ".glassbell-code.py"  # code that is too long for a request
RUN_SCRIPT = (f'exec(compile(open({SCRIPT!r}, encoding="utf-8", newline="").read(), "<code>", '
              '"exec"), globals())')

# ADK's helper for data files calls crop(), which it defines itself since 2.2 only.
_CROP = """\
def _glassbell():
    import builtins

    def crop(s, max_chars=64):
        return s if len(s) <= max_chars else s[:max(0, max_chars - 3)] + "..."[:max_chars]

    builtins.crop = crop


_glassbell()
del _glassbell
"""

_PANDAS = """\
try:
    import pandas as pd
except ImportError:
    raise ImportError("optimize_data_file needs pandas, which the image {image!r} does not have")
"""


def data_files(image: str, names: Sequence[str]) -> str:
    """What optimize_data_file needs. `names`: files that earlier code has read into data frames,
    which a new interpreter does not have."""
    code = _CROP + _PANDAS.format(image=image)
    for name in names:
        if name.endswith(".csv"):
            variable = re.sub(r"[^a-zA-Z0-9_]", "_", os.path.splitext(name)[0])
            variable = f"_{variable}" if variable[:1].isdigit() else variable
            code += f"{variable} = pd.read_csv({name!r})\n"
    return code


ARGUMENT_MAX = 100_000  # bytes; Linux takes 128 KiB in one string
SHELL_SCRIPT = ".glassbell-command.sh"


def shell(command: str) -> Optional[str]:
    """Code that runs a command in a shell of its own, in the session's home; None when it is too
    long for that: then it is written to SHELL_SCRIPT, and SHELL_FILE runs it."""
    if len(command.encode(errors="surrogatepass")) > ARGUMENT_MAX or "\0" in command:
        return None
    return f"cd; bash -c {shlex.quote(command)}"


SHELL_FILE = f"cd; bash {SHELL_SCRIPT}"
