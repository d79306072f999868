"""Canonical forms of header fields and bodies, as DKIM and ARC sign them (RFC 6376 §3.4).

A body is hashed while it streams by: any chunking gives the same digest, whole chunks are
rewritten by a few searches in C, and what is held back between chunks never grows with the
message. Only CRLF ends a line here; a CR or LF that stands alone is content.
"""

from __future__ import annotations

__all__ = [
    "BodyDigests",
    "BodyHasher",
    "Canonicalization",
    "FieldStacks",
    "HeaderField",
    "canonical_field",
    "select_fields",
    "split_fields",
]

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_LINES = b"\r\n" * 4096


class Canonicalization(Enum):
    """How much a relay may change before a signature breaks."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class HeaderField:
    """A field as received."""

    name: bytes
    """In lower case, without the white space that obsolete syntax allows before the colon (RFC 5322 §4.5)."""
    raw: bytes
    """Name, colon and value, folded as it came, without the final CRLF."""

    @property
    def value(self) -> bytes:
        return self.raw[self.raw.index(b":") + 1 :]


def split_fields(header: bytes) -> list[HeaderField]:
    """Return the fields of a header block. A line without a colon is no field and is left out."""
    fields = []
    for raw in _FIELD_END.split(header):
        name, colon, _ = raw.partition(b":")
        if colon:
            fields.append(HeaderField(name.rstrip(b" \t").lower(), raw))
    return fields


def select_fields(fields: Iterable[HeaderField], names: Iterable[bytes]) -> Iterator[HeaderField]:
    """Yield the field for each of `names`, the last one first for a name that comes again (RFC 6376 §5.4.2)."""
    return FieldStacks(fields).select(names)


class FieldStacks:
    """The fields of a header by name, for any number of signatures to choose from."""

    __slots__ = ("_stacks",)

    def __init__(self, fields: Iterable[HeaderField]) -> None:
        self._stacks: dict[bytes, list[HeaderField]] = {}
        for field in fields:
            self._stacks.setdefault(field.name, []).append(field)

    def select(self, names: Iterable[bytes], *, besides: HeaderField | None = None) -> Iterator[HeaderField]:
        """Yield the field for each of `names`, the last one first, and `besides` never.

        A name for which no field is left selects nothing: so a field that somebody adds later breaks the signature.
        """
        tops: dict[bytes, int] = {}
        for name in names:
            stack = self._stacks.get(name)
            if stack is None:
                continue
            top = tops.get(name, len(stack)) - 1
            if top >= 0 and stack[top] is besides:
                top -= 1
            tops[name] = top
            if top >= 0:
                yield stack[top]


def canonical_field(raw: bytes, canonicalization: Canonicalization) -> bytes:
    """Return a field in canonical form, without a final CRLF (RFC 6376 §3.4.1, §3.4.2)."""
    if canonicalization is Canonicalization.SIMPLE:
        return raw
    name, _, value = raw.partition(b":")
    return name.rstrip(b" \t").lower() + b":" + _single_spaces(value.replace(b"\r\n", b"")).strip(b" ")


class BodyHasher:
    """The SHA-256 of a canonical body.

    Empty lines at the end do not count (RFC 6376 §3.4.3, §3.4.4): line ends are counted until
    something follows them, and an octet or two that the next chunk may change are kept.
    """

    __slots__ = ("_empty", "_hash", "_line_ends", "_relaxed", "_rest")

    def __init__(self, canonicalization: Canonicalization = Canonicalization.RELAXED) -> None:
        self._relaxed = canonicalization is Canonicalization.RELAXED
        self._hash = hashlib.sha256()
        self._line_ends = 0
        self._rest = b""
        self._empty = True

    def update(self, octets: bytes) -> None:
        """Take the next octets of the body."""
        octets = self._rest + octets
        if self._relaxed:
            octets = _single_spaces(octets).replace(b" \r\n", b"\r\n")
        octets, self._rest = _split_rest(octets, self._relaxed)
        content = _without_line_ends(octets)
        if content:
            self._write_line_ends(self._line_ends)
            self._hash.update(content)
            self._empty = False
            self._line_ends = 0
        self._line_ends += (len(octets) - len(content)) // 2

    def digest(self) -> bytes:
        """Return the hash of what came so far. The hasher is spent then."""
        rest = self._rest.rstrip(b" ") if self._relaxed else self._rest
        if rest:
            self._write_line_ends(self._line_ends)
            self._hash.update(rest)
            self._empty = False
        # A body ends with one CRLF; an empty one has none in the relaxed form only.
        if not (self._empty and self._relaxed):
            self._hash.update(b"\r\n")
        return self._hash.digest()

    def _write_line_ends(self, count: int) -> None:
        while count > 0:
            self._hash.update(_LINES[: 2 * count])
            count -= len(_LINES) // 2


class BodyDigests:
    """The digests of one body in the forms that signatures ask for: each made once, for however many."""

    __slots__ = ("_digests", "_hashers")

    def __init__(self) -> None:
        self._hashers: dict[Canonicalization, BodyHasher] = {}
        self._digests: dict[Canonicalization, bytes] = {}

    @property
    def needed(self) -> bool:
        """Whether any form is asked for."""
        return bool(self._hashers)

    def require(self, form: Canonicalization) -> None:
        """Ask for a form, before the body comes."""
        if form not in self._hashers:
            self._hashers[form] = BodyHasher(form)

    def update(self, octets: bytes) -> None:
        """Take the next octets of the body."""
        for hasher in self._hashers.values():
            hasher.update(octets)

    def digest(self, form: Canonicalization) -> bytes:
        """Return the digest in a form that was asked for, after the whole body."""
        if form not in self._digests:
            self._digests[form] = self._hashers[form].digest()
        return self._digests[form]


def _single_spaces(octets: bytes) -> bytes:
    """Make one space of each run of white space (WSP is space and tab, nothing else)."""
    octets = octets.replace(b"\t", b" ")
    if b"  " in octets:
        # Each round takes a run of n to a quarter or less: few rounds, also for a run of a megabyte.
        while b"    " in octets:
            octets = octets.replace(b"    ", b" ")
        while b"  " in octets:
            octets = octets.replace(b"  ", b" ")
    return octets


def _split_rest(octets: bytes, relaxed: bool) -> tuple[bytes, bytes]:
    """Part the octets from a tail whose form depends on what follows: a space, a CR, or both."""
    cut = len(octets)
    if octets.endswith(b"\r"):
        cut -= 1
    if relaxed and octets.endswith(b" ", 0, cut):
        cut -= 1
    return octets[:cut], octets[cut:]


def _without_line_ends(octets: bytes) -> bytes:
    content = octets.rstrip(b"\r\n")
    tail = octets[len(content) :]
    pairs = len(tail) // 2
    if tail == b"\r\n" * pairs:
        return content
    # A bare CR or LF stands among them: content up to the last of these.
    end = len(octets)
    while octets.endswith(b"\r\n", 0, end):
        end -= 2
    return octets[:end]
