"""What the header of a submitted message says that matters: who writes, what is missing, what must not leave.

Strangers' headers are read leniently; those of our own users strictly. A From that one program reads as ours and
another as somebody else's is the forger's tool, so what is not plainly one list of mailboxes is refused.
"""

from __future__ import annotations

__all__ = ["BadHeader", "BadSender", "SubmittedHeader", "read_header"]

import re
from dataclasses import dataclass

from hongyan.addresses import Address, AddressFault
from hongyan.errors import UserFault
from hongyan.message.headers import MAX_FIELDS, MAX_HEADER, find_body, split_fields, unfold

MAX_SENDERS = 100
_MAX_VALUE = 10_000

_LOOKED_AT = frozenset({b"from", b"sender", b"date", b"message-id", b"bcc"})
_NAME = re.compile(rb"[!-9;-~]+[ \t]*:")

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
    at = 0
    for field in _split(block):
        start, at = at, at + len(field) + 1
        name, _, value = field.partition(b":")
        name = name.rstrip().lower()
        if name in _LOOKED_AT:
            values.setdefault(name, []).append(value)
            if name == b"bcc":
                bcc.append((start, min(at, len(block))))
    if len(values.get(b"from", ())) != 1 or len(values.get(b"sender", ())) > 1:
        raise BadSender
    # RFC 6409 §8.1: whoever sends for others is held to the same.
    senders = [
        address for name in (b"from", b"sender") for value in values.get(name, ()) for address in _senders(value)
    ]
    return SubmittedHeader(block, body, tuple(senders), b"date" in values, b"message-id" in values, tuple(bcc))


def _split(block: bytes) -> list[bytes]:
    """Return the fields. Whatever is no field might be the end of the header for somebody else."""
    fields = split_fields(block)
    if len(block) > MAX_HEADER or len(fields) >= MAX_FIELDS:
        raise BadHeader
    if fields and not fields[-1]:
        fields.pop()  # what follows the last line's end
    if not all(map(_NAME.match, fields)):
        raise BadHeader
    return fields


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
