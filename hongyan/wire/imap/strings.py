"""Strings as a server sends them: atoms, quoted strings, literals, NIL, dates (RFC 9051 §4.3, §9)."""

from __future__ import annotations

__all__ = [
    "NIL",
    "encode_astring",
    "encode_date_time",
    "encode_literal",
    "encode_literal8",
    "encode_nstring",
    "encode_string",
    "encode_text",
]

import re
from datetime import UTC, datetime
from functools import lru_cache

NIL = b"NIL"

MAX_QUOTED = 1024
"""Longer strings are sent as literals: some clients read lines into small buffers."""

_ATOM = re.compile(rb"[A-Za-z0-9_.:/=@+-]+")
_NOT_QUOTABLE = re.compile(rb"[\x00\r\n]")
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_MONTHS = (b"", b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")


def encode_string(octets: bytes, *, utf8: bool = False) -> bytes:
    """Write `string = quoted / literal`.

    `utf8` says that the client reads UTF-8 in quoted strings (RFC 6855 §3, RFC 9051 §4.3).
    """
    if len(octets) > MAX_QUOTED or _NOT_QUOTABLE.search(octets):
        return encode_literal(octets)
    if not octets.isascii() and not (utf8 and _is_utf8(octets)):
        return encode_literal(octets)
    if b'"' in octets or b"\\" in octets:
        octets = octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"%b"' % octets


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def encode_nstring(octets: bytes | None, *, utf8: bool = False) -> bytes:
    """Write `nstring = string / nil`."""
    return NIL if octets is None else encode_string(octets, utf8=utf8)


def encode_astring(octets: bytes, *, utf8: bool = False) -> bytes:
    """Write `astring = 1*ASTRING-CHAR / string`: an atom where nobody could take it for anything else."""
    if _ATOM.fullmatch(octets) and octets.upper() != NIL:
        return octets
    return encode_string(octets, utf8=utf8)


def encode_literal(octets: bytes) -> bytes:
    """Write `literal = "{" number64 "}" CRLF *CHAR8`. A server's literal never has `+` (RFC 9051 §4.3)."""
    return b"{%d}\r\n%b" % (len(octets), octets)


def encode_literal8(octets: bytes) -> bytes:
    """Write `literal8 = "~{" number64 "}" CRLF *OCTET`, for octets that hold NUL."""
    return b"~{%d}\r\n%b" % (len(octets), octets)


@lru_cache(maxsize=256)  # most sentences are said again and again
def encode_text(text: str, *, utf8: bool = False) -> bytes:
    """Write `text` of a response: never the end of a line, and ASCII unless IMAP4rev2 was enabled (RFC 9051 §9)."""
    return text.translate(_CONTROLS).encode("utf-8" if utf8 else "ascii", "replace")


def encode_date_time(moment: datetime) -> bytes:
    """Write `date-time`, in UTC and within its quotes."""
    utc = moment.astimezone(UTC)
    return b'"%02d-%b-%04d %02d:%02d:%02d +0000"' % (
        utc.day,
        _MONTHS[utc.month],
        utc.year,
        utc.hour,
        utc.minute,
        utc.second,
    )
