"""A strict reader of notifications, which forgives nothing: the grammar of RFC 3464 and RFC 6533, word for word."""

from __future__ import annotations

__all__ = ["require_exact"]

import re
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime

_ATOM = r"[!#$%&'*+/=?^_`{|}~0-9A-Za-z-]+"
_QCHAR = r"[\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]"
# HEXPOINT: no leading zero but in two digits, no printable ASCII but what has to be spelled (RFC 6533 §3).
_POINT = r"\\x\{(?:[01][0-9A-F]|20|2B|3D|5C|7F|[89A-F][0-9A-F]|[1-9A-F][0-9A-F]{2,4}|10[0-9A-F]{4})\}"
_XTEXT_8 = re.compile(f"utf-8; (?:{_QCHAR}|{_POINT})+")
_RFC822 = re.compile(r"rfc822; [\x20-\x7e]+@[\x21-\x7e]+")
_UTF8 = re.compile(r"utf-8; [^\x00-\x1f\x7f]+@[^\x00-\x20\x7f]+")
_DNS = re.compile(r"dns; (?:[0-9A-Za-z.-]+|\[(?:IPv6:)?[0-9A-Fa-f:.]+\])")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_DIAGNOSTIC = re.compile(rf"smtp; [45]\d\d[ -].*|x-{_ATOM}; .+", re.ASCII)
_CLASSES = {"failed": "45", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}
_OF_MESSAGE = {"original-envelope-id", "reporting-mta", "arrival-date"}
_OF_RECIPIENT = {
    "original-recipient",
    "final-recipient",
    "action",
    "status",
    "remote-mta",
    "diagnostic-code",
    "last-attempt-date",
    "final-log-id",
    "will-retry-until",
}
_RETURNED = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}


def require_exact(octets: bytes) -> list[dict[str, str]]:
    """Check a notification; return the fields of each group, that of the message first."""
    message = message_from_bytes(octets, policy=policy.SMTPUTF8)
    assert message.get_content_type() == "multipart/report"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["MIME-Version"] == "1.0"
    parts = message.get_payload()
    assert isinstance(parts, list)
    people, programs, returned = (part for part in parts if isinstance(part, Message))
    kind = programs.get_content_type()
    assert kind == f"message/{message.get_param('report-type')}"
    assert people.get_content_type() == "text/plain"
    assert returned.get_content_type() in _RETURNED
    assert all(len(line) <= 998 for line in octets.split(b"\r\n"))
    is_global = kind == "message/global-delivery-status"
    assert is_global or programs["Content-Transfer-Encoding"] in (None, "7bit")
    about, *recipients = _groups(octets, kind)
    assert recipients
    _require_fields(about, _OF_MESSAGE, {"reporting-mta"})
    assert _DNS.fullmatch(about["reporting-mta"])
    for fields in recipients:
        _require_recipient(fields, is_global=is_global)
    return [about, *recipients]


def _groups(octets: bytes, kind: str) -> list[dict[str, str]]:
    """Read the groups by hand: Python's parser takes what is no field for text."""
    part = re.search(rb"\r\nContent-Type: %b\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--" % kind.encode(), octets, re.DOTALL)
    assert part is not None
    assert kind != "message/delivery-status" or part[1].isascii()
    found = []
    for group in part[1].decode().rstrip("\r\n").split("\r\n\r\n"):
        fields: dict[str, str] = {}
        for line in re.sub(r"\r\n(?=[ \t])", "", group).split("\r\n"):
            name, sign, value = line.partition(": ")
            assert sign, f"no field: {line}"
            assert name.lower() not in fields, f"twice: {name}"
            fields[name.lower()] = value
        found.append(fields)
    return found


def _require_fields(fields: dict[str, str], known: set[str], required: set[str]) -> None:
    assert required <= set(fields) <= known
    for name in ("arrival-date", "last-attempt-date", "will-retry-until"):
        assert name not in fields or parsedate_to_datetime(fields[name]).tzinfo is not None


def _require_recipient(fields: dict[str, str], *, is_global: bool) -> None:
    _require_fields(fields, _OF_RECIPIENT, {"final-recipient", "action", "status"})
    for name in ("final-recipient", "original-recipient"):
        address = fields.get(name)
        utf8 = _UTF8 if is_global else _XTEXT_8
        assert address is None or _RFC822.fullmatch(address) or utf8.fullmatch(address), address
    assert _STATUS.fullmatch(fields["status"])
    assert fields["status"][0] in _CLASSES[fields["action"]]
    assert "will-retry-until" not in fields or fields["action"] == "delayed"
    assert "remote-mta" not in fields or _DNS.fullmatch(fields["remote-mta"])
    assert "diagnostic-code" not in fields or _DIAGNOSTIC.fullmatch(fields["diagnostic-code"])
