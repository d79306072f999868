"""The way of a message, as its Received fields tell it: from whom, to whom, when (RFC 5321 §4.4, RFC 5322 §3.6.7).

Each server writes one on top of those before it. Only the topmost ones were written by servers that somebody knows:
whoever sends a message can invent the rest, names and times alike. They are claims, and bounded: of the newest fields
a few are read, of each name a part is kept, and a time that is no date is none.
"""

from __future__ import annotations

__all__ = ["MAX_TOLD", "Hop", "read_hops"]

import re
from dataclasses import dataclass

from hongyan.message.comments import find_comment_end
from hongyan.message.dates import parse_date
from hongyan.message.headers import MAX_HEADER, unfold

MAX_TOLD = 20
"""Hops that are read: those nearest to us."""

_LONGEST_NAME = 100
_LONGEST_VALUE = 1000  # within which the names stand
_LONGEST_END = 200  # within which the date stands
_TRIES = 3
_END_OF_TIME = 253_402_300_800  # the year 10000

# A field with its folded lines. Nothing of it can fail once the name has matched, so it never goes back.
_FIELD = re.compile(rb"^received[ \t]*:((?:[^\n]*+\n?)(?:[ \t][^\n]*+\n?)*+)", re.IGNORECASE | re.MULTILINE)
_SENT_BY = re.compile(rb"\s*+from\s++([^\s;]++)", re.IGNORECASE)
_TAKEN_BY = re.compile(rb"(?:^|\s)by\s++([^\s;]++)", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._:\-\[\]]")


@dataclass(frozen=True, slots=True)
class Hop:
    """One server handed the message to another. Names are ASCII without marks, and empty where none is told."""

    sent_by: str
    taken_by: str
    at: int | None
    """When, in seconds since 1970, by the clock of the one that took it; None: no date could be read."""


def read_hops(header: bytes) -> tuple[Hop, ...]:
    """Return the hops of a header block in the order of the way, the last one to us at the end; `MAX_TOLD` at most."""
    hops = []
    for field in _FIELD.finditer(header, 0, MAX_HEADER):
        hops.append(_read(field[1]))
        if len(hops) == MAX_TOLD:
            break
    return tuple(reversed(hops))


def _read(value: bytes) -> Hop:
    # Received: *received-token ";" date-time
    words = _without_comments(unfold(value[:_LONGEST_VALUE]))
    return Hop(_name(_SENT_BY.match(words)), _name(_TAKEN_BY.search(words)), _date(unfold(value[-_LONGEST_END:])))


def _date(end: bytes) -> int | None:
    """Return the date behind the last semicolon, or the one before it: a comment may hold one too."""
    stop = len(end)
    for _ in range(_TRIES):
        stop = end.rfind(b";", 0, stop)
        if stop < 0:
            return None
        at = parse_date(end[stop + 1 :])
        if at is not None:
            return at if 0 <= at < _END_OF_TIME else None
    return None


def _without_comments(value: bytes) -> bytes:
    parts = []
    at = 0
    while (start := value.find(b"(", at)) >= 0:
        parts.append(value[at:start])
        end = find_comment_end(value, start)
        if end is None:
            return b" ".join(parts)
        at = end
    parts.append(value[at:])
    return b" ".join(parts)


def _name(found: re.Match[bytes] | None) -> str:
    return "" if found is None else _UNSAFE.sub("?", found[1][:_LONGEST_NAME].decode("latin-1"))
