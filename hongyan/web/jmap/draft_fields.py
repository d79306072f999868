"""Header fields of a message that a client describes, written from their forms (RFC 8621 §4.1.2, §4.6).

Whatever a client gives stays in its field: a line break or another control is refused, and the property is named.
Nothing here waits.
"""

from __future__ import annotations

__all__ = ["FieldWriter", "require_plain", "write_field"]

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from hongyan.addresses import Address, AddressFault
from hongyan.message.compose import fold_field, format_addresses, format_field, format_group, format_mailbox
from hongyan.message.dates import format_date
from hongyan.message.header_forms import Form
from hongyan.wire.jmap.faults import invalid_properties
from hongyan.wire.jmap.values import parse_utc_date

MAX_ADDRESSES = 10_000
_LONGEST = 100_000
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x80-\x9f\u2028\u2029]")
_BARE_ADDRESS = re.compile(r"[^\s<>(),;:\"\\\[\]\x00-\x1f\x7f-\x9f]{1,998}")
_MESSAGE_ID = re.compile(r"[^\s<>\x00-\x1f\x7f-\x9f]{1,900}")
_URL = re.compile(r"[!-;=?-~]{1,900}")
_LONGEST_WORD = 900  # octets without a space: a line has at most 998

FieldWriter = Callable[[str, object], bytes]
"""Writes a field of a name from a value. Raises `ValueError` with a sentence for what the form does not have."""


def write_field(key: str, name: str, form: Form, value: object) -> bytes:
    """Return a field with its line end; nothing for null. Raises `SetError` that names the property `key`."""
    if value is None:
        return b""
    try:
        return _WRITERS[form](name, value)
    except ValueError as fault:
        raise invalid_properties([key], str(fault)) from None


def require_plain(key: str, text: object) -> str:
    """Return a text of one line. Raises `SetError`."""
    if not isinstance(text, str) or _CONTROLS.search(text) or len(text) > _LONGEST:
        raise invalid_properties([key], "A text of one line, without controls.")
    return text


def _plain(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("A string.")
    if _CONTROLS.search(value):
        raise ValueError("No line break and no other control may stand in a header field.")
    if len(value) > _LONGEST:
        raise ValueError("The value is too long.")
    return value


def _raw(name: str, value: object) -> bytes:
    text = _plain(value).strip(" \t")
    if any(len(word) > _LONGEST_WORD for word in text.split()):
        raise ValueError("A word is too long for a line.")
    if not text.isascii():
        raise ValueError("In the raw form a header field is ASCII; use another form.")
    return fold_field(name, text.encode("ascii"))


def _text(name: str, value: object) -> bytes:
    text = _plain(value)
    if text.isascii() and any(len(word) > _LONGEST_WORD for word in text.split()):
        raise ValueError("A word is too long for a line.")
    return format_field(name, text)


def _addresses(name: str, value: object) -> bytes:
    mailboxes = _mailboxes(value)
    return format_addresses(name, mailboxes) if mailboxes else b""


def _groups(name: str, value: object) -> bytes:
    written: list[str] = []
    for group in _objects(value):
        mailboxes = _mailboxes(group.get("addresses"))
        title = group.get("name")
        if title is None:
            written += mailboxes
        else:
            written.append(format_group(_plain(title), mailboxes))
    return format_addresses(name, written) if written else b""


def _mailboxes(value: object) -> list[str]:
    found = _objects(value)
    if len(found) > MAX_ADDRESSES:
        raise ValueError(f"At most {MAX_ADDRESSES} addresses.")
    return [_mailbox(one) for one in found]


def _mailbox(given: Mapping[str, object]) -> str:
    if set(given) - {"name", "email"}:
        raise ValueError("An address has a name and an email.")
    email = _plain(given.get("email"))
    name = given.get("name")
    if not _BARE_ADDRESS.fullmatch(email):
        try:
            email = str(Address.parse(email))
        except AddressFault:
            # Anything else could bring in another address, or hide one.
            raise ValueError("An email is an address.") from None
    return format_mailbox("" if name is None else _plain(name), email)


def _objects(value: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("An array of objects.")
    return value


def _strings(value: object) -> Sequence[str]:
    if not isinstance(value, list):
        raise ValueError("An array of strings.")
    return [_plain(one) for one in value]


def _message_ids(name: str, value: object) -> bytes:
    ids = _strings(value)
    if not all(map(_MESSAGE_ID.fullmatch, ids)):
        raise ValueError("A message id has no space and no angle brackets.")
    return fold_field(name, " ".join(f"<{one}>" for one in ids).encode("utf-8")) if ids else b""


def _date(name: str, value: object) -> bytes:
    moment = parse_utc_date(value, any_zone=True)
    if moment is None:
        raise ValueError("A Date.")
    return fold_field(name, format_date(_with_zone(str(value)) or moment).encode("ascii"))


def _with_zone(text: str) -> datetime | None:
    """Return the moment in the zone in which it was written."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _urls(name: str, value: object) -> bytes:
    urls = _strings(value)
    if not all(map(_URL.fullmatch, urls)):
        raise ValueError("A URL is ASCII, without spaces and angle brackets.")
    return fold_field(name, ", ".join(f"<{one}>" for one in urls).encode("ascii")) if urls else b""


_WRITERS: Final[Mapping[Form, FieldWriter]] = {
    Form.RAW: _raw,
    Form.TEXT: _text,
    Form.ADDRESSES: _addresses,
    Form.GROUPED_ADDRESSES: _groups,
    Form.MESSAGE_IDS: _message_ids,
    Form.DATE: _date,
    Form.URLS: _urls,
}
