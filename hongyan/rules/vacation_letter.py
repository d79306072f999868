"""The answer that a vacation gives (RFC 3834 §3, RFC 5230 §5). Pure, but for the time and chance of its Message-ID."""

from __future__ import annotations

__all__ = ["write_answer"]

import re
from collections.abc import Mapping, Sequence
from typing import Final

from hongyan.addresses import Address
from hongyan.clock import Clock, Random
from hongyan.message.compose import (
    Entity,
    compose,
    fold_field,
    format_addresses,
    format_field,
    format_mailbox,
    make_boundary,
    make_message_id,
    make_multipart,
    make_text,
)
from hongyan.message.dates import format_date
from hongyan.message.encoded_words import decode_words
from hongyan.message.text import html_to_text
from hongyan.store.vacations import Vacation

_ID: Final = re.compile(rb"<[!-;=?-~]{1,250}>")
_MOST_REFERENCES: Final = 20
_LONGEST_SUBJECT: Final = 200  # characters of the subject that is quoted
_USUAL: Final = (
    "您好！我目前不在，暂时无法回复您的邮件，回来后会尽快处理。\n\n"
    "Hello! I am away at the moment and cannot answer your message. I will read it when I am back.\n"
)


def write_answer(
    vacation: Vacation,
    author: Address,
    recipient: Address,
    fields: Mapping[bytes, Sequence[bytes]],
    clock: Clock,
    random: Random,
) -> bytes:
    """Return the answer to a message with these fields (`rules.vacation.FIELDS`), seven-bit but for its addresses."""
    utf8 = not (author.is_ascii and recipient.is_ascii)
    header = [
        format_field("Date", format_date(clock.now())),
        format_addresses("From", [format_mailbox("", str(author))]),
        format_addresses("To", [format_mailbox("", str(recipient))]),
        format_field("Message-ID", make_message_id(author.domain.text, clock, random)),
        format_field("Subject", _subject(vacation, fields), utf8=utf8),
        *_references(fields),
        format_field("Auto-Submitted", "auto-replied (vacation)"),  # RFC 5230 §5.1
        format_field("X-Auto-Response-Suppress", "All"),
        format_field("Precedence", "bulk"),  # For those who know nothing newer.
    ]
    return compose(header, _body(vacation, random))


def _subject(vacation: Vacation, fields: Mapping[bytes, Sequence[bytes]]) -> str:
    if vacation.subject is not None:
        return vacation.subject
    told = next(iter(fields.get(b"subject", ())), b"")
    return f"Auto: {decode_words(told).strip()[:_LONGEST_SUBJECT]}".strip()  # RFC 5230 §5.2


def _references(fields: Mapping[bytes, Sequence[bytes]]) -> Sequence[bytes]:
    own = _ids(fields, b"message-id")[:1]
    if not own:
        return ()
    known = [one for one in _ids(fields, b"references") if one != own[0]][-_MOST_REFERENCES:]
    return (fold_field("In-Reply-To", own[0]), fold_field("References", b" ".join([*known, own[0]])))


def _ids(fields: Mapping[bytes, Sequence[bytes]], name: bytes) -> list[bytes]:
    return [one for value in fields.get(name, ()) for one in _ID.findall(value)]


def _body(vacation: Vacation, random: Random) -> Entity:
    text, html = vacation.text, vacation.html
    if text is None:
        text = _USUAL if html is None else html_to_text(html)
    plain = make_text(text)
    if html is None:
        return plain
    return make_multipart("alternative", [plain, make_text(html, subtype="html")], make_boundary(random))
