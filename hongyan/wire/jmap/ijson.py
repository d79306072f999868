"""I-JSON (RFC 7493): JSON that means the same to everybody.

UTF-8 without halves of surrogate pairs, no name twice in an object, no number that nobody can hold, and no more
levels than `MAX_DEPTH`: what reads a value may walk it without care for its own stack.
"""

from __future__ import annotations

__all__ = ["MAX_DEPTH", "JsonFault", "parse_ijson", "require_shallow"]

import json
import math
import re
from collections.abc import Iterable
from typing import NoReturn

from hongyan.errors import PeerFault

MAX_DEPTH = 50
"""Levels of arrays and objects."""

_MAX_DIGITS = 40
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonFault(PeerFault):
    """The octets are not I-JSON."""


def parse_ijson(octets: bytes, *, max_depth: int = MAX_DEPTH) -> object:
    """Return the value: None, bool, int, float, str, list or dict. Raises `JsonFault`."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise JsonFault("The text is not UTF-8.") from None
    try:
        value: object = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_integer
        )
    except RecursionError:
        raise JsonFault("The JSON has too many levels.") from None
    except json.JSONDecodeError as error:
        raise JsonFault(f"Not JSON at character {error.pos}: {error.msg}.") from None
    require_shallow(value, max_depth)
    if _SURROGATE.search(octets):
        _require_text(value)
    return value


def require_shallow(value: object, max_depth: int = MAX_DEPTH) -> None:
    """Raise `JsonFault` if the value has more levels."""
    level: list[object] = [value]
    depth = 0
    while level := [one for one in level if isinstance(one, (list, dict))]:
        depth += 1
        if depth > max_depth:
            raise JsonFault("The JSON has too many levels.")
        level = [member for one in level for member in _members(one)]


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise JsonFault("A name comes twice in an object.")  # RFC 7493 §2.3
    return made


def _constant(name: str) -> NoReturn:
    raise JsonFault(f"{name} is no number of JSON.")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonFault("A number is too large.")
    return number


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _MAX_DIGITS else _float(text)


def _require_text(value: object) -> None:
    """Refuse halves of surrogate pairs (RFC 7493 §2.1), which only an escape can bring."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise JsonFault("A string has half of a surrogate pair.") from None
