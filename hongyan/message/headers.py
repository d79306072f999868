"""Header fields as they were received: where the block ends, which fields it holds, how a value unfolds.

The block ends at the first empty line, as every IMAP server and mail program reads it; a line in it
that is no field stays in the octets and is passed over (RFC 5322 §2.1, §2.2). A line ends at LF,
with or without CR before it. White space before the colon is obsolete and read (RFC 5322 §4.5).

What lies behind the caps is served as it is, and not looked at: 1 MiB of header, 10,000 fields,
100,000 octets of one value.
"""

from __future__ import annotations

__all__ = [
    "MAX_FIELDS",
    "MAX_HEADER",
    "MAX_VALUE",
    "field_finder",
    "find_body",
    "iterate_fields",
    "join_fields",
    "pick_fields",
    "select_fields",
    "split_fields",
    "unfold",
]

import re
from collections.abc import Callable, Container, Iterator
from functools import lru_cache

MAX_HEADER = 1 << 20
MAX_FIELDS = 10_000
MAX_VALUE = 100_000

_FIELD_END = re.compile(rb"\n(?![ \t])")
_BARE_LF = re.compile(rb"(?<!\r)\n")


def find_body(octets: bytes, start: int, end: int) -> int:
    """Return where the body begins: behind the first empty line of [start, end), or `end` if there is none."""
    if octets[start : start + 1] in (b"\r", b"\n"):
        for line_break in (b"\r\n", b"\n"):
            if octets.startswith(line_break, start, end):
                return start + len(line_break)
    empty = octets.find(b"\n\r\n", start, end)
    bare = octets.find(b"\n\n", start, empty if empty >= 0 else end)
    if bare >= 0:
        return bare + 2
    return empty + 3 if empty >= 0 else end


def split_fields(block: bytes) -> list[bytes]:
    """Return the fields of a header block as received, each without its last LF; other lines too.

    NUL is left out: no IMAP string may hold it (RFC 9051 §4.3), and no field has a use for it.
    """
    if len(block) > MAX_HEADER:
        block = block[:MAX_HEADER]
    if b"\0" in block:
        block = block.replace(b"\0", b"")
    fields = _FIELD_END.split(block, MAX_FIELDS)
    if len(fields) > MAX_FIELDS:
        fields.pop()
    return fields


def pick_fields(fields: list[bytes], wanted: Container[bytes]) -> tuple[dict[bytes, list[bytes]], list[bytes]]:
    """Return the unfolded values of the wanted fields by name in lower case, and those fields as received."""
    values: dict[bytes, list[bytes]] = {}
    picked: list[bytes] = []
    for field in fields:
        name, colon, value = field.partition(b":")
        name = name.lower()
        if name not in wanted:
            name = name.rstrip()
            if name not in wanted:
                continue
        if not colon:
            continue
        picked.append(field)
        value = value.strip()
        if b"\n" in value or b"\r" in value or len(value) > MAX_VALUE:
            value = unfold(value)
        if name in values:
            values[name].append(value)
        else:
            values[name] = [value]
    return values, picked


def iterate_fields(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name, as written, and unfolded value of each field in order."""
    for field in split_fields(block):
        name, colon, value = field.partition(b":")
        name = name.rstrip()
        if colon and name and not (name[:1] in b" \t" or b" " in name):
            yield name, unfold(value)


def select_fields(block: bytes, wanted: Container[bytes], *, inverted: bool = False) -> bytes:
    """Return the fields with (or without) the wanted names in lower case, as received, each with its CRLF.

    This is HEADER.FIELDS and HEADER.FIELDS.NOT of RFC 9051 §6.4.5.1 without the empty line.
    """
    selected = []
    for field in split_fields(block):
        name, colon, _ = field.partition(b":")
        if colon and (name.rstrip().lower() in wanted) is not inverted:
            selected.append(field)
    return join_fields(selected)


@lru_cache(maxsize=512)
def field_finder(wanted: frozenset[bytes]) -> Callable[[bytes], bytes]:
    """Return what selects the wanted fields from stored fields, each of which ends with CRLF, as `select_fields` does.

    One compiled pattern finds them all: a listing asks the same of every message. A line that begins with another
    letter than the wanted names is passed over without a look at it.
    """
    names = b"|".join(map(re.escape, sorted(wanted)))
    initials = b"".join(map(re.escape, sorted({name[:1] for name in wanted})))
    find = re.compile(
        rb"((?:%b)[ \t\r\v\f]*:[^\n]*\n(?:[ \t][^\n]*\n)*)|[^\n]*\n(?:[^%b\n][^\n]*\n)*" % (names, initials),
        re.IGNORECASE,
    ).findall
    return lambda fields: b"".join(find(fields))


def join_fields(fields: list[bytes]) -> bytes:
    """Put fields of `split_fields` together again, each line ended by CRLF."""
    if not fields:
        return b""
    joined = b"\n".join(fields) + b"\n"
    if b"\n" in joined.replace(b"\r\n", b""):
        joined = _BARE_LF.sub(b"\r\n", joined)
    return joined


def unfold(value: bytes) -> bytes:
    """Return a field's value on one line, without white space around it (RFC 5322 §2.2.3)."""
    if len(value) > MAX_VALUE:
        value = value[:MAX_VALUE]
    value = value.strip()
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    if b"\r" in value:
        value = value.replace(b"\r", b" ")
    return value
