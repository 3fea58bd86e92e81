# SPDX-License-Identifier: Apache-2.0
"""The server of another machine, through OpenSSH: `ssh HOST glassbell stdio`.

The rules are those of the C client (engine/client/remote.h, ssh.h): the same addresses, the same
command, the same greeting. What is refused there is refused here.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from typing import Optional

from ._poll import readable
from .errors import Busy, ConnectionFailed, GlassbellError, InvalidInput, Unsupported, from_json

__all__ = ["Host", "LinkSocket", "find_host"]

_URL_MAX, _USER_MAX, _NAME_MAX, _SOCKET_MAX = 1024, 64, 255, 107
_GREETING_MAX = 2048
_ASKED_S = 600.0  # a person looks for a password
_LAST_WORDS_S = 0.5
_SAID_MAX = 4096
_SHOWN_MAX = 200
_LAUNCH = 'exec "$@" <&1 &'  # neither our child nor reached by our Ctrl-C (ssh.c tells more)
_OPTIONS = ["-T", "-x", "-oPermitLocalCommand=no", "-oClearAllForwardings=yes",
            "-oRemoteCommand=none", "-oRequestTTY=no", "-oForwardAgent=no", "-oConnectTimeout=30",
            "-oServerAliveInterval=15", "-oServerAliveCountMax=3"]
_FORM = "the address of a host is ssh://[USER@]HOST[:PORT][/SOCKET]"


def _part(what: str, text: str, allowed: Optional[str], most: int, decode: bool) -> str:
    """A part of the address, with %XX decoded; `allowed`: characters besides letters and digits."""
    if "?" in text or "#" in text:
        raise InvalidInput("an address has no part after a ? or #")
    if decode:
        if re.search("%(?![0-9A-Fa-f]{2})", text):
            raise InvalidInput(f"{what} has a % without two hexadecimal digits after it")
        try:
            from urllib.parse import unquote_to_bytes
            text = unquote_to_bytes(text).decode()
        except UnicodeDecodeError:
            raise InvalidInput(f"{what} is not UTF-8") from None
    if text.startswith("-"):  # ssh would take it for an option
        raise InvalidInput(f"{what} begins with -")
    for character in text:
        plain = character.isascii() and character.isalnum()
        if ord(character) < 32 or ord(character) == 127 or (
                character in "'\\" if allowed is None else not plain and character not in allowed):
            raise InvalidInput(f"{what} has a character that is not allowed ({character!r})")
    if not text:
        raise InvalidInput(f"{what} is empty")
    if len(text.encode()) > most:
        raise InvalidInput(f"{what} is longer than {most} bytes")
    return text


class LinkSocket(socket.socket):
    """Our end of a socket pair whose other end ssh has."""

    host: str
    errors: int = -1
    said: bytes = b""

    def drain(self, wait: float = 0.0) -> None:
        """Returns what ssh has written to standard error; `wait`: seconds to wait for its end."""
        until = time.monotonic() + wait
        while self.errors >= 0:
            ready = readable([self.errors], until - time.monotonic())
            if not ready:
                return
            piece = os.read(self.errors, _SAID_MAX)
            if not piece:
                os.close(self.errors)
                self.errors = -1
            self.said = (self.said + piece)[-_SAID_MAX:]

    def last_line(self) -> str:
        lines = [line.strip() for line in self.said.decode(errors="replace").splitlines()]
        shown = next((line for line in reversed(lines) if line), "")[:_SHOWN_MAX]
        return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in shown)

    def lost(self, wait: float = 0.0) -> str:
        self.drain(wait)
        line = self.last_line()
        return f"the link to {self.host} was lost" + (f" ({line})" if line else "")

    def close(self) -> None:
        if self.errors >= 0:
            os.close(self.errors)
            self.errors = -1
        super().close()


class Host:
    """A parsed address; InvalidInput if it is not one."""

    def __init__(self, url: str) -> None:
        if not url.startswith("ssh://"):
            raise InvalidInput(_FORM)
        if len(url.encode(errors="surrogateescape")) > _URL_MAX:
            raise InvalidInput(f"the address of the host is longer than {_URL_MAX} bytes")
        self.url = url
        self.user = self.socket = self.port = ""
        authority, slash, path = url[len("ssh://"):].partition("/")
        user, at, rest = authority.partition("@")
        if at:
            if ":" in user:
                raise InvalidInput("an address must not contain a password: ssh asks for it, or uses a key")
            self.user = _part("the user", user, "._-+@", _USER_MAX, True)
            authority = rest
        if authority.startswith("["):
            name, bracket, rest = authority[1:].partition("]")
            if not bracket:
                raise InvalidInput("the IPv6 address does not end in ]")
            self.name = _part("the IPv6 address", name, ".:%_-", _NAME_MAX, True)
            if ":" not in self.name:
                raise InvalidInput("the text in [ ] is not an IPv6 address")
            if rest and not rest.startswith(":"):
                raise InvalidInput("the address continues after the ]")
            colon, port = rest[:1], rest[1:]
        else:
            name, colon, port = authority.partition(":")
            self.name = _part("the host", name, "._-", _NAME_MAX, False)
        if colon:
            if not re.fullmatch("[1-9][0-9]{0,4}", port, re.ASCII) or int(port) > 65535:
                raise InvalidInput("the port is not a number from 1 to 65535")
            self.port = port
        if path:
            self.socket = _part("the path of the socket", slash + path, None, _SOCKET_MAX, True)

    def command(self, autostart: bool, batch: bool) -> list[str]:
        far = "glassbell stdio"
        if not autostart:
            far += " --no-autostart"
        if self.socket:  # which holds neither ' nor \
            far += f" --socket '{self.socket}'"
        return ["ssh", *_OPTIONS, *(["-oBatchMode=yes"] if batch else []),
                *(["-p", self.port] if self.port else []),
                *(["-l", self.user] if self.user else []), "--", self.name, far]

    def connect(self, autostart: bool, deadline: float) -> LinkSocket:
        """A connection to the server there, which is started first if necessary. Blocks."""
        import subprocess  # takes its time to load
        ask = sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
        ours, theirs = socket.socketpair()
        link = LinkSocket(fileno=ours.detach())
        link.host = self.url
        link.errors, errors = os.pipe()
        try:
            try:
                subprocess.run(["/bin/sh", "-c", _LAUNCH, "sh", *self.command(autostart, not ask)],
                               stdin=subprocess.DEVNULL, stdout=theirs.fileno(), stderr=errors,
                               check=False)
            finally:
                theirs.close()
                os.close(errors)
            line = self._greeting(link, max(deadline, time.monotonic() + _ASKED_S) if ask else deadline)
            self._check(line)
        except BaseException:
            link.close()
            raise
        return link

    def _failed(self, why: str) -> ConnectionFailed:
        return ConnectionFailed(f"no server by {self.url}: {why}", retryable=True)

    def _greeting(self, link: LinkSocket, deadline: float) -> bytes:
        line = b""
        while len(line) < _GREETING_MAX:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Busy(f"no server by {self.url}: it did not answer in time", retryable=True)
            waiting = [link.fileno()] + ([link.errors] if link.errors >= 0 else [])
            ready = readable(waiting, left)
            link.drain()
            if link.fileno() not in ready:
                continue
            piece = link.recv(_GREETING_MAX - len(line), socket.MSG_PEEK)
            if not piece:
                link.drain(_LAST_WORDS_S)
                said = link.last_line() or "ssh ended without a reason"
                if "not found" in said:
                    said += " (there `glassbell` has to be on the PATH of commands that ssh runs)"
                raise self._failed(said)
            end = piece.find(b"\n") + 1
            line += link.recv(end or len(piece))  # what is behind it is the server's
            if end:
                break
        return line

    def _check(self, line: bytes) -> None:
        try:
            greeting = json.loads(line) if line.endswith(b"\n") else {}
        except ValueError:
            greeting = {}
        if not isinstance(greeting, dict):
            greeting = {}
        version = greeting.get("stdio")
        if not isinstance(version, int) or isinstance(version, bool):
            raise self._failed(f"`glassbell stdio` did not answer, but {line.decode(errors='replace'):.200} "
                               "came: does a start-up file of the shell there print something?")
        if version != 1:
            raise Unsupported(f"no server by {self.url}: the program there speaks another version")
        error = greeting.get("error")
        if error is not None:
            problem = from_json({"message": error.get("message"),
                                 "data": {"kind": error.get("kind"), "dispatched": False,
                                          "retryable": True}}) if isinstance(error, dict) else \
                GlassbellError("the program there gave no reason")
            raise self._failed(problem.message) from problem


# Names

def _settings() -> Optional[str]:
    """The file that the C programs read (engine/settings), or None."""
    named = os.environ.get("GLASSBELL_CONFIG")
    if named:
        return named
    config, home = os.environ.get("XDG_CONFIG_HOME", ""), os.environ.get("HOME", "")
    folder = config if config.startswith("/") else f"{home}/.config" if home.startswith("/") else ""
    for path in ([f"{folder}/glassbell/glassbell.conf"] if folder else []) + ["/etc/glassbell/glassbell.conf"]:
        if os.path.exists(path):
            return path
    return None


_QUOTED = r'"(?:[^"\\]|\\["\\])*"'
_PAIR = re.compile(rf'[ \t]*({_QUOTED}|[^ \t="#\[][^ \t=]*)[ \t]*=[ \t]*({_QUOTED}|.*?)[ \t]*(?:(?<![^ \t])#.*)?')
_SECTION = re.compile(r'[ \t]*\[([^\] \t]*).*')


def _bare(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _hosts(text: str) -> dict[str, str]:
    """The lines of [hosts]. Other mistakes in the file are reported by the programs that use it."""
    hosts: dict[str, str] = {}
    inside = False
    for line in text.split("\n"):
        section = _SECTION.fullmatch(line)
        if section:
            inside = section[1] == "hosts"
            continue
        pair = _PAIR.fullmatch(line) if inside else None
        if pair:
            hosts[_bare(pair[1])] = _bare(pair[2])
    return hosts


def find_host(given: str) -> Optional[Host]:
    """An address, or a name for which [hosts] of the settings has one; None for `local`, this
    machine."""
    if given == "local":
        return None
    if given.startswith("ssh://"):
        return Host(given)
    path = _settings()
    hosts: dict[str, str] = {}
    if path is not None:
        try:
            with open(path, encoding="utf-8") as file:
                hosts = _hosts(file.read(256 << 10))
        except (OSError, UnicodeDecodeError) as problem:
            raise InvalidInput(f"the settings cannot be read: {path}: {problem}") from problem
    if given not in hosts:
        raise InvalidInput(f"there is no host {given!r:.60}: [hosts] of the settings names "
                           + (", ".join(hosts) or f"none, and {_FORM}"))
    try:
        return Host(hosts[given])
    except InvalidInput as problem:
        raise InvalidInput(f"{path}: {given}: {problem.message}") from None
