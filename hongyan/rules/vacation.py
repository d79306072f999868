"""Who gets an answer while an account's owner is away (RFC 5230 §4, RFC 3834 §2, RFC 8621 §8). Pure.

An answer is for a person who wrote to this person. Programs, lists and strangers under another's name get none: two
programs that answer each other never end, and a forged sender is spared. When in doubt nothing is said; the message
itself is in its mailbox in any case.
"""

from __future__ import annotations

__all__ = ["FIELDS", "ReceivedMessage", "Silence", "VacationOptions", "find_named", "find_silence"]

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hongyan.addresses import Address, AddressFault
from hongyan.message.address_list import parse_address_list
from hongyan.options import option
from hongyan.store.vacations import Vacation

_FRESH: Final = timedelta(days=1)
"""Older mail is not answered: it waited for a server that was away, or is found in a log that is read anew."""

_MOST_NAMED: Final = 1000  # addresses of one message that are looked at

_NAMING: Final = (b"to", b"cc", b"bcc", b"resent-to", b"resent-cc", b"resent-bcc")
_OF_LISTS: Final = (
    *(b"list-id", b"list-help", b"list-unsubscribe", b"list-subscribe", b"list-post", b"list-owner", b"list-archive"),
    b"mailing-list",
)

FIELDS: Final = frozenset(
    {*_NAMING, *_OF_LISTS, b"auto-submitted", b"precedence", b"x-auto-response-suppress", b"subject"}
    | {b"message-id", b"references"}
)
"""The fields, in lower case, that the decision and the answer look at."""

_PROGRAMS: Final = re.compile(
    r"(?:mailer-daemon|postmaster|listserv|majordomo|sympa|(?:no|do-?not)[-_.]?reply|nobody"
    r"|bounces?|owner-.*|.*-(?:owner|request|bounces?|errors?|admin)|bounces?[-+=].*)(?:[+=].*)?",
    re.IGNORECASE | re.DOTALL,
)
_BULK: Final = frozenset({b"bulk", b"junk", b"list"})
_SUPPRESSING: Final = frozenset({b"all", b"oof", b"autoreply"})


@dataclass(frozen=True, slots=True)
class VacationOptions:
    """The section `[vacation]`."""

    again_after: int = option(7, "After how long a sender is answered again.", unit="d")
    most_a_day: int = option(200, "Senders that one account answers within a day; those beyond get no answer.")

    def __post_init__(self) -> None:
        if not 1 <= self.again_after <= 365 or self.most_a_day < 0:
            raise ValueError("again_after is between 1 and 365, and most_a_day is not negative")


class Silence(StrEnum):
    """Why a message gets no answer."""

    OFF = "off"
    """The owner is not away, or was not when it came."""
    OLD = "old"
    """It came more than a day ago."""
    NOBODY = "nobody"
    """It has the null reverse-path."""
    PROGRAM = "program"
    """A program has sent it: so says the sender's address, or Auto-Submitted (RFC 3834 §5)."""
    LIST = "list"
    """It comes from a mailing list, or goes to many."""
    SUPPRESSED = "suppressed"
    """Its sender wants no answer of programs (X-Auto-Response-Suppress)."""
    FORGED = "forged"
    """SPF or DMARC says that its sender is another."""
    OWN = "own"
    """The owner has sent it."""
    NOT_NAMED = "not-named"
    """No address of the owner is among its recipients (RFC 5230 §4.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A message that was delivered, as far as it matters here."""

    sender: Address | None
    """The reverse-path."""
    arrived_at: datetime
    fields: Mapping[bytes, Sequence[bytes]]
    """Those of `FIELDS` that it has, unfolded."""
    named: Collection[str]
    """The canonical addresses that `find_named` found, with and without their subaddresses."""
    is_forged: bool = False


def find_named(fields: Mapping[bytes, Sequence[bytes]]) -> Iterator[Address]:
    """Yield the addresses that a message names as its recipients."""
    left = _MOST_NAMED
    for name in _NAMING:
        for value in fields.get(name, ()):
            for listed in parse_address_list(value)[:left]:
                left -= 1
                if listed.local_part is None or not listed.domain:
                    continue
                try:
                    yield Address.parse((listed.local_part + b"@" + listed.domain).decode("utf-8", "replace"))
                except AddressFault:
                    continue


def find_silence(vacation: Vacation, message: ReceivedMessage, own: Collection[str], now: datetime) -> Silence | None:
    """Return why a message gets no answer, None if it gets one. `own` are the owner's addresses, canonical."""
    if not _is_away(vacation, message.arrived_at):
        return Silence.OFF
    if now - message.arrived_at > _FRESH:
        return Silence.OLD
    if message.sender is None:
        return Silence.NOBODY
    if message.sender.canonical in own:
        return Silence.OWN
    if message.is_forged:
        return Silence.FORGED
    return _find_silence_of_fields(message, message.sender, own)


def _find_silence_of_fields(message: ReceivedMessage, sender: Address, own: Collection[str]) -> Silence | None:
    fields = message.fields
    if _PROGRAMS.fullmatch(sender.local_part) or _is_automatic(fields):
        return Silence.PROGRAM
    if any(name in fields for name in _OF_LISTS) or not _BULK.isdisjoint(_words(fields, b"precedence")):
        return Silence.LIST
    if not _SUPPRESSING.isdisjoint(_words(fields, b"x-auto-response-suppress")):
        return Silence.SUPPRESSED
    return None if any(address in own for address in message.named) else Silence.NOT_NAMED


def _is_away(vacation: Vacation, at: datetime) -> bool:
    """Whether the owner was away at a time, and had said so by then."""
    if not vacation.enabled or (vacation.enabled_at is not None and at < vacation.enabled_at):
        return False
    begins, ends = vacation.begins_at, vacation.ends_at
    return (begins is None or at >= begins) and (ends is None or at < ends)


def _is_automatic(fields: Mapping[bytes, Sequence[bytes]]) -> bool:
    """RFC 3834 §5: every keyword but "no", with whatever parameters."""
    values = (
        value.partition(b";")[0].partition(b"(")[0].strip().lower() for value in fields.get(b"auto-submitted", ())
    )
    return any(value != b"no" for value in values)


def _words(fields: Mapping[bytes, Sequence[bytes]], name: bytes) -> frozenset[bytes]:
    return frozenset(word.strip().lower() for value in fields.get(name, ()) for word in value.split(b","))
