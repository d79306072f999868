"""Header fields in the forms that JMAP reads them in (RFC 8621 §4.1.2): Raw, Text, Addresses, MessageIds, Date, URLs.

Each form is a function from a field's value as received to a value of JSON. What is broken is read as far as it can be;
where the form knows "null", that is the answer of last resort.
"""

from __future__ import annotations

__all__ = ["FORMS", "Form", "allowed_forms", "read_form"]

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from hongyan.message.address_list import ListedAddress, parse_address_list
from hongyan.message.comments import find_comment_end
from hongyan.message.dates import parse_moment
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import unfold


class Form(StrEnum):
    """The form, as a property names it: `header:Subject:asText`."""

    RAW = "asRaw"
    TEXT = "asText"
    ADDRESSES = "asAddresses"
    GROUPED_ADDRESSES = "asGroupedAddresses"
    MESSAGE_IDS = "asMessageIds"
    DATE = "asDate"
    URLS = "asURLs"


_ALL = frozenset(Form)
_RAW = frozenset({Form.RAW})
_OF_ADDRESSES = frozenset({Form.RAW, Form.ADDRESSES, Form.GROUPED_ADDRESSES})
_OF_IDS = frozenset({Form.RAW, Form.MESSAGE_IDS})
_OF_DATES = frozenset({Form.RAW, Form.DATE})
_OF_TEXTS = frozenset({Form.RAW, Form.TEXT})
_OF_URLS = frozenset({Form.RAW, Form.URLS})

_FORMS_OF: Final[Mapping[str, frozenset[Form]]] = {
    **dict.fromkeys(("subject", "comments", "keywords"), _OF_TEXTS),
    "list-id": _ALL,  # RFC 2919, so no form is forbidden
    **dict.fromkeys(("from", "sender", "reply-to", "to", "cc", "bcc"), _OF_ADDRESSES),
    **dict.fromkeys(
        ("resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc"), _OF_ADDRESSES
    ),
    **dict.fromkeys(("message-id", "in-reply-to", "references", "resent-message-id"), _OF_IDS),
    **dict.fromkeys(("date", "resent-date"), _OF_DATES),
    **dict.fromkeys(
        ("list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive"), _OF_URLS
    ),
    **dict.fromkeys(("return-path", "received"), _RAW),
}

_MAX_IDS = 1000
_MAX_URLS = 1000
_ID = re.compile(r"<([^<>]{1,998})>")
_BARE_ID = re.compile(r"[^\s<>,;]+")
_URL = re.compile(r"<([^<>]*)>")
_WHITE = re.compile(r"\s+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def allowed_forms(name: str) -> frozenset[Form]:
    """Return the forms in which a field may be read and written; a field that no RFC named there may have any."""
    return _FORMS_OF.get(name.lower(), _ALL)


def read_form(form: Form, value: bytes) -> object:
    """Return the value of a field, which stands behind its colon, in a form."""
    return FORMS[form](value)


def _raw(value: bytes) -> str:
    return value.replace(b"\0", b"").decode("utf-8", "replace")


def _text(value: bytes) -> str:
    return _decoded(unfold(value))


def _decoded(value: bytes) -> str:
    """Decode text; controls that came in encoded words are dropped."""
    return unicodedata.normalize("NFC", _CONTROLS.sub("", decode_words(value)))


def _addresses(value: bytes) -> list[dict[str, str | None]]:
    return [_address(listed) for listed in parse_address_list(unfold(value)) if listed.domain is not None]


def _grouped(value: bytes) -> list[dict[str, object]]:
    groups: list[dict[str, object]] = []
    members: list[dict[str, str | None]] | None = None
    in_group = False
    for listed in parse_address_list(unfold(value)):
        if listed.domain is None and listed.local_part is None:
            members, in_group = None, False
        elif listed.domain is None:
            members, in_group = [], True
            groups.append({"name": _decoded(listed.local_part or b""), "addresses": members})
        else:
            if members is None or (not in_group and groups[-1]["name"] is not None):
                members = []
                groups.append({"name": None, "addresses": members})
            members.append(_address(listed))
    return groups


def _address(listed: ListedAddress) -> dict[str, str | None]:
    name = None if listed.name is None else _decoded(listed.name).strip()
    email = listed.local_part or b""
    if listed.domain:
        email += b"@" + listed.domain
    return {"name": name or None, "email": _raw(email) if b"=?" not in email else _decoded(email)}


def _message_ids(value: bytes) -> list[str] | None:
    text = _raw(_without_comments(unfold(value)))
    if "<" not in text:
        # Some programs leave the brackets out; of one word we take it so, of a sentence not.
        words = _BARE_ID.findall(text)
        return words if len(words) == 1 and "@" in words[0] else None
    found = [_WHITE.sub("", one) for one in _ID.findall(text)[:_MAX_IDS]]
    return [one for one in found if one] or None


def _date(value: bytes) -> str | None:
    told = parse_moment(unfold(value))
    if told is None:
        return None
    seconds, offset = told
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone(timedelta(seconds=offset))) + timedelta(seconds=seconds + offset)
        text = moment.isoformat(timespec="seconds")
    except (OverflowError, ValueError):
        return None
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _urls(value: bytes) -> list[str] | None:
    text = _raw(_without_comments(unfold(value)))
    found = [_WHITE.sub("", one) for one in _URL.findall(text)[:_MAX_URLS]]
    return [one for one in found if one] or None


def _without_comments(value: bytes) -> bytes:
    """Leave out comments that stand outside of angle brackets (RFC 5322 §3.2.2)."""
    if b"(" not in value:
        return value
    kept: list[bytes] = []
    position = 0
    while position < len(value):
        start, angle = value.find(b"(", position), value.find(b"<", position)
        if start < 0:
            break
        if 0 <= angle < start:
            close = value.find(b">", angle)
            if close < 0:
                break
            kept.append(value[position : close + 1])
            position = close + 1
            continue
        kept.append(value[position:start])
        position = find_comment_end(value, start) or len(value)
    return b" ".join([*kept, value[position:]])


FORMS: Final[Mapping[Form, Callable[[bytes], object]]] = {
    Form.RAW: _raw,
    Form.TEXT: _text,
    Form.ADDRESSES: _addresses,
    Form.GROUPED_ADDRESSES: _grouped,
    Form.MESSAGE_IDS: _message_ids,
    Form.DATE: _date,
    Form.URLS: _urls,
}
