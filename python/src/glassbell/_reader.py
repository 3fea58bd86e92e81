# SPDX-License-Identifier: Apache-2.0
"""Reads objects of the protocol as strictly as the C clients do (engine/rpc/object.h): a type other
than the table's, a number out of range, an unknown word, a text over its limit or a list with
too many elements is refused, because a server of this protocol never sends it. Unknown members
are ignored, and null means absent, so that changes of newer servers do not break older clients."""

from __future__ import annotations

from typing import Any, Mapping

from ._objects import OBJECTS, RESULTS, Member
from .errors import ProtocolError

__all__ = ["check", "check_result"]

INTEGER_MAX = 1 << 53
NUMBER_MAX = 1.7e308

_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,), "bytes": (str,), "pair": (str,), "base64": (str,), "word": (str,),
    "strings": (list,), "names": (list,), "list": (list,), "array": (list,),
    "integer": (int, float), "number": (int, float), "boolean": (bool,),
    "object": (dict,), "map": (dict,),
}
_SAID = {str: "a string", list: "an array", int: "a number", bool: "true or false", dict: "an object"}
_OTHER_NAMES = {"bytes": ("{}_base64",), "strings": ("{}_base64",), "pair": ("base64",),
                "base64": ("text",)}


def check(name: str, raw: Any) -> Mapping[str, Any]:
    """Returns `raw`, or raises a ProtocolError that says what is wrong with it."""
    if not isinstance(raw, dict):
        raise ProtocolError(f"the server's answer: {name} must be an object, and is "
                            f"{type(raw).__name__}", dispatched=True)
    for key, member in OBJECTS[name].items():
        for spelled in (key, *(other.format(key) for other in _OTHER_NAMES.get(member.type, ()))):
            if raw.get(spelled) is not None:
                _check_value(f"{name}: {spelled}", member, raw[spelled],
                             encoded=spelled.endswith("base64"))
    return raw


def check_result(method: str, result: Any) -> Any:
    """The same for the result of a method."""
    for name in RESULTS.get(method, ()):
        check(name, result)
    return result


def _refuse(label: str, what: str) -> ProtocolError:
    return ProtocolError(f"the server's answer: {label} {what}", dispatched=True)


def _check_value(label: str, member: Member, value: Any, encoded: bool) -> None:
    kinds = _KINDS[member.type]
    number: Any = value  # where it is one
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise _refuse(label, f"must be {_SAID[kinds[0]]}, and is {type(value).__name__}")
    if isinstance(value, str):
        _check_text(label, member, value, encoded)
    elif member.type == "integer":
        if isinstance(value, float) and not value.is_integer():
            raise _refuse(label, "must be an integer")
        if not 0 <= number <= (member.most or INTEGER_MAX):
            raise _refuse(label, "is out of its range")
    elif member.type == "number":
        # Not a NaN either; an integer of Python has no end.
        if not 0 <= number <= (member.most or NUMBER_MAX):
            raise _refuse(label, "is out of its range")
    elif member.type == "object":
        check(member.object, value)
    elif isinstance(value, list):
        _check_list(label, member, value)


def _check_text(label: str, member: Member, value: str, encoded: bool) -> None:
    if member.words and value not in member.words:
        raise _refuse(label, "is a word that is not known here")
    if encoded:
        too_long = len(value) // 4 * 3 > member.most + 2
    else:  # a character takes four bytes at most
        too_long = (4 * len(value) > member.most
                    and len(value.encode(errors="surrogatepass")) > member.most)
    if member.most and too_long:
        raise _refuse(label, "is longer than it may be")


def _check_list(label: str, member: Member, value: list[Any]) -> None:
    if member.type in ("list", "names") and member.most and len(value) > member.most:
        raise _refuse(label, "has too many elements")
    for item in value:
        if member.type == "list":
            check(member.object, item)
        elif member.type != "array" and not isinstance(item, str):
            raise _refuse(label, "must be an array of strings")
