# SPDX-License-Identifier: Apache-2.0
"""What to run, as parameters: code as text or bytes, its file, its arguments."""

from __future__ import annotations

import base64
import os
from typing import Any, Optional, Sequence, Union

__all__ = ["Args", "Code", "program"]

Code = Optional[Union[str, bytes]]
File = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Args = Optional[Sequence[Union[str, bytes, "os.PathLike[str]"]]]


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def program(code: Code, file: Optional[File], args: Args,
            name: Optional[str]) -> dict[str, Any]:
    """The parameters `code`, `file`, `args` and `name`, in base64 if they are not text."""
    if code is None and file is None:
        raise TypeError("there is nothing to run: give code or a file")
    params: dict[str, Any] = {"name": name}
    if isinstance(code, bytes):
        params["code_base64"] = _encode(code)
    else:
        params["code"] = code
    if file is not None:
        path = os.fsencode(file)
        if _is_text(path):
            params["file"] = path.decode()
        else:
            params["file_base64"] = _encode(path)
    if args is not None:
        if isinstance(args, (str, bytes)):
            raise TypeError("args is a list of arguments, not one text")
        items = [os.fsencode(item) for item in args]
        if all(map(_is_text, items)):
            params["args"] = [item.decode() for item in items]
        else:
            params["args_base64"] = [_encode(item) for item in items]
    return params
