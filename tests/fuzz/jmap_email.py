"""The object that Email/set makes a message of, the filter of Email/query, and a message as an Email.

Invariant: nothing but `MethodError` and `SetError` comes out of an object or a filter. Of a message that is made each
line of the header is a field that the client has named, or one of ours, or goes on from the line before; no line is
longer than 998 octets; and it is an Email again. Any octets at all are an Email, which can be written as JSON.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import json
import re

from hongyan.clock import SystemClock, SystemRandom
from hongyan.message.headers import find_body
from hongyan.web.jmap.email_draft import compose_draft, read_draft
from hongyan.web.jmap.email_filter import parse_email_filter
from hongyan.web.jmap.email_object import ReadMessage, write_message
from hongyan.web.jmap.email_properties import BODY_DEFAULTS, PARSE_DEFAULTS, BodyOptions, Wanted, parse_header_property
from hongyan.wire.jmap.faults import MethodError, SetError
from hongyan.wire.jmap.filters import parse_filter
from hongyan.wire.jmap.ijson import JsonFault, parse_ijson

_FIELD = re.compile(rb"([!-9;-~]+):")
_OURS = {b"date", b"message-id", b"mime-version", b"content-type", b"content-transfer-encoding"}
_CONVENIENT = {b"from", b"to", b"cc", b"bcc", b"sender", b"reply-to", b"subject", b"in-reply-to", b"references"}
_OF_PARTS = {b"content-disposition", b"content-id", b"content-language", b"content-location"}
_WANTED = Wanted(
    (*PARSE_DEFAULTS, "bodyStructure", "headers"),
    [
        header
        for key in ("header:X-A:asGroupedAddresses:all", "header:X-A:asURLs", "header:X-A:asDate", "header:To")
        if (header := parse_header_property(key)) is not None
    ],
    (*BODY_DEFAULTS, "headers", "subParts"),
    (),
    BodyOptions(all=True, text=True, html=True, limit=50),
)

_WHOLE = {
    "from": [{"name": "Jo, Do", "email": "a@b.test"}],
    "to": [{"name": None, "email": '"q u"@b.test'}],
    "subject": "Überschrift",
    "header:X-A:asGroupedAddresses": [{"name": "G", "addresses": [{"name": None, "email": "x@y.test"}]}],
    "header:List-Post:asURLs:all": [["mailto:a@b"]],
    "messageId": ["a@b"],
    "sentAt": "2026-01-01T00:00:00+08:00",
    "bodyValues": {"1": {"value": "Grüße\n--x\n"}, "2": {"value": "<p>"}},
}
_FLAT = _WHOLE | {
    "textBody": [{"partId": "1"}],
    "htmlBody": [{"partId": "2"}],
    "attachments": [{"partId": "1", "type": "text/csv", "name": "名.csv", "cid": "c@d", "disposition": "inline"}],
}
_TREE = _WHOLE | {
    "bodyStructure": {
        "type": "multipart/mixed",
        "header:X-B": "b",
        "subParts": [{"partId": "1", "language": ["de"], "location": "x"}, {"partId": "2", "type": "text/html"}],
    }
}
_FILTER = {
    "operator": "NOT",
    "conditions": [{"text": "a \"b c\" 'd\\'", "hasKeyword": "$seen", "header": ["X", "y"]}, {"before": "x"}],
}
_MESSAGE = b"X-A: G: a@b, (c) <c@d>;\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHi\r\n--x--\r\n"
CORPUS: list[bytes] = [*(json.dumps(one, ensure_ascii=False).encode() for one in (_FLAT, _TREE, _FILTER)), _MESSAGE]


def target(octets: bytes) -> None:
    json.dumps(write_message(_WANTED, ReadMessage(octets, "B1"))).encode()
    try:
        value = parse_ijson(octets)
    except JsonFault:
        return
    try:
        parse_email_filter(parse_filter(value))
    except MethodError:
        pass
    if isinstance(value, dict):
        _make(value)


def _make(given: dict[str, object]) -> None:
    try:
        draft = read_draft(given)
        made = compose_draft(draft, dict.fromkeys(draft.blob_ids(), b"\x00\xff blob"), "x.test", _CLOCK, _RANDOM)
    except SetError:
        return
    named = {key.split(":")[1].lower().encode() for key in _keys(given) if key.startswith("header:")}
    header = made[: find_body(made, 0, len(made))]
    for line in header.removesuffix(b"\r\n\r\n").split(b"\r\n"):
        field = _FIELD.match(line)
        assert line[:1] in (b" ", b"\t") or (
            field is not None and field[1].lower() in _OURS | _CONVENIENT | _OF_PARTS | named
        ), line
    assert all(len(line) <= 998 for line in made.split(b"\r\n"))
    assert b"\0" not in header
    write_message(_WANTED, ReadMessage(made, "B1"))


def _keys(given: dict[str, object]) -> set[str]:
    root = given.get("bodyStructure")
    return set(given) | (set(root) if isinstance(root, dict) else set())


_CLOCK, _RANDOM = SystemClock(), SystemRandom()
