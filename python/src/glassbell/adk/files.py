# SPDX-License-Identifier: Apache-2.0
"""File names and contents on their way into and out of a sandbox."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
from typing import Optional, Sequence, Union

__all__ = ["bad_name", "content_bytes", "digest", "mime_type", "of_interest"]

NAME_MAX = 255  # bytes of a whole name

_MIME = {
    "avif": "image/avif", "bmp": "image/bmp", "csv": "text/csv", "gif": "image/gif",
    "gz": "application/gzip", "htm": "text/html", "html": "text/html", "ico": "image/x-icon",
    "ipynb": "application/x-ipynb+json", "jpeg": "image/jpeg", "jpg": "image/jpeg",
    "js": "text/javascript", "json": "application/json", "jsonl": "application/jsonl",
    "log": "text/plain", "md": "text/markdown", "mp3": "audio/mpeg", "mp4": "video/mp4",
    "parquet": "application/vnd.apache.parquet", "pdf": "application/pdf", "png": "image/png",
    "py": "text/x-python", "sh": "text/x-shellscript", "sqlite": "application/vnd.sqlite3",
    "svg": "image/svg+xml", "tar": "application/x-tar", "tsv": "text/tab-separated-values",
    "txt": "text/plain", "wav": "audio/wav", "webp": "image/webp", "xml": "application/xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip",
    "zst": "application/zstd",
}
_EXTENSION = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg", "text/html": "html",
              "image/gif": "gif", "application/pdf": "pdf", "application/json": "json",
              "text/plain": "txt", "text/markdown": "md", "image/webp": "webp"}


def bad_name(name: object) -> Optional[str]:
    """Why a name can be neither a file of a sandbox nor an artifact; None when it can."""
    if not isinstance(name, str) or not name:
        return "it has no name"
    try:
        if len(name.encode()) > NAME_MAX:
            return f"its name is longer than {NAME_MAX} bytes"
    except UnicodeEncodeError:
        return "its name is not Unicode text"
    if any(ord(char) < 32 or ord(char) == 127 or char == "\\" for char in name):
        return "its name has a backslash or a control character"
    if name.startswith("user:"):
        # An artifact of this name would be seen by all sessions of the user.
        return 'its name begins with "user:"'
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        return "its name is not a plain relative path"
    return None


def content_bytes(content: Union[str, bytes, bytearray]) -> bytes:
    """The bytes of an ADK file: a `str` is base64 when it can be that, else text."""
    if not isinstance(content, str):
        return bytes(content)
    try:
        return base64.b64decode(content, validate=True)
    except (ValueError, binascii.Error):
        return content.encode(errors="surrogateescape")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def mime_type(name: str) -> str:
    return _MIME.get(name.rsplit(".", 1)[-1].lower() if "." in name else "",
                     "application/octet-stream")


def extension(mime: str) -> str:
    return _EXTENSION.get(mime.split(";")[0].strip(), "bin")


def of_interest(name: str, include: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether a changed file is a result: no dotfile, cache or the like, and as the patterns say."""
    parts = name.split("/")
    if any(part.startswith(".") or part in ("__pycache__", "node_modules") for part in parts):
        return False
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in exclude):
        return False
    return not include or any(fnmatch.fnmatchcase(name, pattern) for pattern in include)
