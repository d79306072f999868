"""What the header of a submitted message says that matters: who writes, what is missing, what must not leave.

Strangers' headers are read leniently; those of our own users strictly. A From that one program reads as ours and
another as somebody else's is the forger's tool, so what is not plainly one list of mailboxes is refused.
"""

from __future__ import annotations

__all__ = ["BadHeader", "BadSender", "SubmittedHeader", "read_header"]

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hongyan.addresses import Address, AddressFault
from hongyan.errors import UserFault
from hongyan.message.analyze import find_references
from hongyan.message.headers import MAX_FIELDS, MAX_HEADER, find_body, unfold

MAX_SENDERS = 100
_MAX_VALUE = 10_000
_MOST_WANTED = 1000
"""Fields of the names that matter. RFC 5322 §3.6 allows one of each; programs that write more were seen."""

# These look at all of a header, each in one pass: ten thousand fields cost a few milliseconds.
_FIELD_END = re.compile(rb"\n(?![ \t])")
_NO_FIELD = re.compile(rb"\n(?![!-9;-~]++[ \t]*+:|[ \t]|\Z)")
_WANTED = re.compile(rb"\n(from|sender|date|message-id|bcc|in-reply-to|references)[ \t]*+:", re.IGNORECASE)

_QUOTED = rb'"(?:[^"\\\x00\r\n]|\\[^\x00\r\n])*+"'
_COMMENT = rb"\((?:[^()\\\x00]|\\[^\x00]|\((?:[^()\\\x00]|\\[^\x00])*+\))*+\)"
_SPACE = rb"(?:[ \t]|" + _COMMENT + rb")*+"
# The words of a display name may hold what the RFC wants quoted, but nothing that could begin an address.
_PHRASE = rb'(?:[^\x00-\x08\x0a-\x1f\x7f()<>@,"\\]|' + _QUOTED + rb"|" + _COMMENT + rb")*+"
_ATOMS = rb'[^\x00-\x20\x7f()<>@,;:\\"\[\]]++'
_ADDRESS = rb"((?:" + _QUOTED + rb"|" + _ATOMS + rb")@(?:" + _ATOMS + rb"|\[[^\x00-\x20\x7f\[\]\\]*+\]))"
# mailbox = name-addr / addr-spec, RFC 5322 §3.4, without groups and routes
_MAILBOX = re.compile(_PHRASE + rb"<" + _ADDRESS + rb">" + _SPACE + rb"|" + _SPACE + _ADDRESS + _SPACE)


class BadHeader(UserFault):
    """The header is not well formed, or larger than anybody reads."""


class BadSender(UserFault):
    """There is not one From with valid addresses, or more than one Sender."""


@dataclass(frozen=True, slots=True)
class SubmittedHeader:
    """What the header says. `bcc` are the ranges of fields that do not leave; `body` is where the body begins."""

    block: bytes
    body: int
    senders: tuple[Address, ...]
    has_date: bool
    has_message_id: bool
    bcc: tuple[tuple[int, int], ...]
    references: tuple[str, ...] = ()
    """The messages that it says it answers, the oldest first."""

    def without_bcc(self) -> bytes:
        """Return the header as it leaves."""
        kept, at = [], 0
        for start, end in self.bcc:
            kept.append(self.block[at:start])
            at = end
        kept.append(self.block[at:])
        return b"".join(kept)


def read_header(octets: bytes) -> SubmittedHeader:
    """Read the header of a message. Raises `BadHeader` and `BadSender`."""
    body = find_body(octets, 0, len(octets))
    block = octets[: body - 2] if octets.endswith((b"\r\n\r\n", b"\n\r\n"), 0, body) else octets[:body]
    values: dict[bytes, list[bytes]] = {}
    bcc: list[tuple[int, int]] = []
    for name, value, start, end in _fields(block):
        values.setdefault(name, []).append(value)
        if name == b"bcc":
            bcc.append((start, end))
    if len(values.get(b"from", ())) != 1 or len(values.get(b"sender", ())) > 1:
        raise BadSender
    # RFC 6409 §8.1: whoever sends for others is held to the same.
    senders = [
        address for name in (b"from", b"sender") for value in values.get(name, ()) for address in _senders(value)
    ]
    answered = [values[name][0] for name in (b"references", b"in-reply-to") if name in values]
    return SubmittedHeader(
        block,
        body,
        tuple(senders),
        b"date" in values,
        b"message-id" in values,
        tuple(bcc),
        find_references([unfold(value[:_MAX_VALUE]) for value in answered]),
    )


def _fields(block: bytes) -> Iterator[tuple[bytes, bytes, int, int]]:
    """Yield the fields that matter: name in lower case, value, and their octets. Raises `BadHeader`.

    What cannot be read as a field might be the end of the header for somebody else.
    """
    if len(block) > MAX_HEADER or block[:1] in (b" ", b"\t") or b"\0" in block:
        raise BadHeader
    text = b"\n" + block  # Each field stands behind a line's end, and begins in the block where that stands here.
    if _NO_FIELD.search(text) or (text.count(b"\n") >= MAX_FIELDS and len(_FIELD_END.findall(text)) >= MAX_FIELDS):
        raise BadHeader
    for number, field in enumerate(_WANTED.finditer(text)):
        if number >= _MOST_WANTED:
            raise BadHeader
        last = _FIELD_END.search(text, field.end())
        end = last.start() if last else len(text)
        yield field[1].lower(), text[field.end() : end], field.start(), min(end, len(block))


def _senders(value: bytes) -> list[Address]:
    if len(value) > _MAX_VALUE:
        raise BadSender
    value = unfold(value)
    found: list[Address] = []
    at = 0
    while len(found) < MAX_SENDERS:
        match = _MAILBOX.match(value, at)
        if match is None:
            raise BadSender
        try:
            found.append(Address.parse((match[1] or match[2]).decode()))
        except (AddressFault, UnicodeDecodeError):
            raise BadSender from None
        at = match.end() + 1
        if match.end() == len(value):
            return found
        if value[match.end()] != 0x2C:
            raise BadSender
    raise BadSender
