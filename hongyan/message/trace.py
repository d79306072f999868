"""Trace fields: who brought a message, when, and how (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3).

They stand before the octets as received and never within them. Whatever a client said of itself is cut down to
what cannot end a comment or a line.
"""

from __future__ import annotations

__all__ = [
    "MAX_HOPS",
    "ReceivedBy",
    "TlsFacts",
    "count_hops",
    "delivered_to_field",
    "end_of_trace",
    "find_deliveries",
    "find_ids",
    "find_recipient",
    "folds_into_trace",
    "format_date",
    "received_field",
    "return_path_field",
]

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hongyan.message.dates import format_date
from hongyan.message.headers import find_body, pick_fields, split_fields

MAX_HOPS = 100
"""Received fields after which a message goes round in circles (RFC 5321 §6.3)."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._:\-\[\]+=/@]")
# Looked for in lower case and behind a line's end: a pattern that begins with letters is found at the speed of memory.
_RECEIVED = re.compile(rb"\nreceived[ \t]*+:")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_MAILBOX_LINE = (b"From ", b">From ")  # of a Unix mailbox; many a program has left it on top of the header
_TAKEN = re.compile(rb"\sby\s+(\S{1,255})\s+\(Hongyan\)\s+with\s+[A-Z0-9]{1,20}\s+id\s+([0-9A-Za-z]{1,64})(?![^\s;])")
_FOR = re.compile(rb"\sfor\s+<([^<>]{1,320})>;")
_DELIVERED_TO = re.compile(rb"\ndelivered-to[ \t]*+:([^\n]*)")


class TlsFacts(Protocol):
    """What a trace field tells of TLS."""

    @property
    def version(self) -> str: ...
    @property
    def cipher(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedBy:
    """How a message came. `login` says whether somebody had logged in.

    `recipient` is named when there is only one: others must not learn of each other (RFC 5321 §7.6).
    """

    helo: str
    peer: str
    host: str
    mid: str
    at: datetime
    extended: bool = True
    tls: TlsFacts | None = None
    login: bool = False
    smtputf8: bool = False
    hides_peer: bool = False
    recipient: str | None = None
    protocol: str = ""
    """What it came by, where that was not SMTP: "HTTPS"."""


def received_field(how: ReceivedBy) -> bytes:
    """Return the field, folded, with its CRLF."""
    origin = f"from {_safe(how.helo)}" if not how.hides_peer else "from localhost"
    if not how.hides_peer:
        origin += f" ([{'IPv6:' if ':' in how.peer else ''}{_safe(how.peer)}])"
    secured = f"\r\n\t(using {_safe(how.tls.version)} with cipher {_safe(how.tls.cipher)})" if how.tls else ""
    target = f"\r\n\tfor <{how.recipient}>" if how.recipient and _is_plain(how.recipient) else ""
    return (
        f"Received: {origin}{secured}\r\n\tby {how.host} (Hongyan) with {_protocol(how)} id {_safe(how.mid)}{target};"
        f"\r\n\t{format_date(how.at)}\r\n"
    ).encode()


def _protocol(how: ReceivedBy) -> str:
    """Return the keyword of the `with` clause (RFC 3848, RFC 6531 §4.3)."""
    if how.protocol:
        return how.protocol
    secured = ("S" if how.tls else "") + ("A" if how.login else "")
    if how.smtputf8:
        return "UTF8SMTP" + secured
    return "ESMTP" + secured if how.extended or secured else "SMTP"


def _is_plain(recipient: str) -> bool:
    return recipient.isprintable() and "<" not in recipient and ">" not in recipient and len(recipient) <= 320


def _safe(text: str) -> str:
    return _UNSAFE.sub("?", text)[:255]


def return_path_field(reverse_path: str | None) -> bytes:
    """Return the field that names where failures are told (RFC 5321 §4.4); None is the null reverse-path."""
    return f"Return-Path: <{reverse_path or ''}>\r\n".encode()


def delivered_to_field(recipient: str) -> bytes:
    """Return the field that names an address of ours from which a message is sent on (RFC 9228 §2).

    Where it is found in a message that comes for the same address, the message goes round in circles.
    """
    return f"Delivered-To: {recipient if _is_plain(recipient) else _safe(recipient)}\r\n".encode()


def find_deliveries(octets: bytes) -> frozenset[str]:
    """Return the addresses that a message says it was delivered to before, in lower case (RFC 9228 §2)."""
    values = [value.strip().strip(b"<>") for value in _DELIVERED_TO.findall(_lowered_header(octets))]
    return frozenset(value.decode("utf-8", "replace") for value in values)


def folds_into_trace(octets: bytes) -> bool:
    """Say whether the message's first line would continue the last of our fields (RFC 5322 §2.2.3)."""
    return octets[:1] in (b" ", b"\t")


def end_of_trace(octets: bytes) -> bytes:
    """Return what stands between our fields and a message: an empty line where the message has no header."""
    if not octets or octets.startswith((b"\r\n", *_MAILBOX_LINE)) or _FIELD.match(octets):
        return b""
    return b"\r\n"


def find_ids(header: bytes, host: str, limit: int = 5) -> list[str]:
    """Return under which `mid` HOST has taken a message, as its Received fields say: the last time first."""
    found: dict[str, None] = {}
    values, _ = pick_fields(split_fields(header), {b"received"})
    for value in values.get(b"received", ()):
        match = _TAKEN.search(value)
        if match is not None and match[1].lower() == host.lower().encode():
            found[match[2].decode()] = None
    return list(found)[:limit]


def find_recipient(trace: bytes) -> str | None:
    """Return whom the first Received field names, as `received_field` writes it; None if there were several."""
    values, _ = pick_fields(split_fields(trace), {b"received"})
    match = next((_FOR.search(value) for value in values.get(b"received", ())), None)
    return None if match is None else match[1].decode("utf-8", "replace")


def count_hops(octets: bytes) -> int:
    """Return how many Received fields the header has."""
    return len(_RECEIVED.findall(_lowered_header(octets)))


def _lowered_header(octets: bytes) -> bytes:
    """Return the header in lower case, as far as ASCII has one, behind a line's end."""
    return b"\n" + octets[: find_body(octets, 0, len(octets))].lower()
