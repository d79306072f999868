"""Delivery status notifications of others, read: who did not get what, and why (RFC 3464, RFC 6522, RFC 6533).

A notification is a claim of a stranger. What is read here is what it says, in bounded and harmless words; whether it
speaks of a message that was really sent is the caller's to find out, by the trace in the `returned` header.

How odd notifications are read: the report's type may be missing, if the second part says what it is; a group with a
recipient counts wherever it stands; an action may be followed by words (RFC 3464 allows comments); an address may
stand in angle brackets. A report whose groups name no recipient is none.
"""

from __future__ import annotations

__all__ = [
    "MAX_READ",
    "MAX_RECIPIENTS",
    "MAX_TEXT",
    "DeliveryReport",
    "ReportedRecipient",
    "content_of",
    "read_address",
    "read_report",
    "to_one_line",
]

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hongyan.message.dsn import Action
from hongyan.message.headers import find_body, pick_fields, split_fields
from hongyan.message.part_header import MESSAGE_FIELDS, Kind
from hongyan.message.parts import Part, scan_body
from hongyan.message.transfer import decode_transfer

MAX_READ: Final = 256 * 1024
"""Octets of a message that are looked at: the report stands before what is returned."""

MAX_RECIPIENTS: Final = 1000
"""Recipients of one report that are read; the rest is left out."""

_MAX_RETURNED: Final = 64 * 1024
_MAX_GROUPS: Final = MAX_RECIPIENTS + 1
MAX_TEXT: Final = 1000
"""Characters of a diagnostic."""

_MAX_NAME: Final = 320

_STATUS_TYPES = frozenset({b"message/delivery-status", b"message/global-delivery-status"})
_RETURNED_TYPES = frozenset(
    {
        b"message/rfc822",
        b"message/global",
        b"text/rfc822-headers",
        b"message/rfc822-headers",  # what some write for the one above
        b"message/global-headers",
    }
)
_MESSAGE_NAMES = frozenset({b"original-envelope-id", b"reporting-mta"})
_RECIPIENT_NAMES = frozenset(
    {b"original-recipient", b"final-recipient", b"action", b"status", b"remote-mta", b"diagnostic-code"}
)
_GROUP_END = re.compile(rb"\n(?:[ \t]*\r?\n)+")
_ACTION = re.compile(r"[a-z]+")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\d)")
_CODE = re.compile(r"(?<!\d)([245]\d\d)(?!\d|\.\d)")
_COMMENT = re.compile(r"\([^()]*\)")
_EMBEDDED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_HARMLESS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedRecipient:
    """What a report says of one recipient. Addresses are text as it stood there, unescaped; empty: there is none."""

    original: str
    """Whom the sender meant (RFC 3464 §2.3.1)."""
    final: str
    """Whom the reporting server tried (§2.3.2)."""
    action: Action
    status: str
    """Enhanced status code; where there is none that can be read, one that says no more than the action does."""
    code: int | None
    """The SMTP reply code of the diagnostic, if it is an SMTP reply."""
    text: str
    """The diagnostic on one line without controls; at most 1000 characters."""
    remote: str
    """The server that said so; empty: the reporting one itself."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A notification."""

    reporter: str
    """The server that wrote it, as it names itself."""
    envelope_id: str
    """ENVID of the message; empty without one."""
    recipients: tuple[ReportedRecipient, ...]
    returned: bytes
    """The header of the message that it speaks of, as it came back; empty where it did not. At most 64 KiB."""


def read_report(octets: bytes) -> DeliveryReport | None:
    """Return what a message reports; None if it is no notification of deliveries, or names nobody."""
    octets = octets[:MAX_READ]
    body = find_body(octets, 0, len(octets))
    fields, _ = pick_fields(split_fields(octets[:body]), MESSAGE_FIELDS)
    if not any(b"report" in value.lower() for value in fields.get(b"content-type", ())):
        return None
    root = scan_body(octets, body, fields)[0]
    if root.kind is not Kind.MULTIPART or _type_of(root) != b"multipart/report":
        return None
    at = next((at for at, part in enumerate(root.children) if _type_of(part) in _STATUS_TYPES), None)
    if at is None:
        return None
    about, recipients = _read_groups(content_of(octets, root.children[at]))
    if not recipients:
        return None
    return DeliveryReport(
        reporter=_host(_first(about, b"reporting-mta")),
        envelope_id=to_one_line(_first(about, b"original-envelope-id"))[:_MAX_NAME],
        recipients=recipients,
        returned=_returned_header(octets, root.children[at + 1 :]),
    )


def _type_of(part: Part) -> bytes:
    return part.content_type.type.lower() + b"/" + part.content_type.subtype.lower()


def content_of(octets: bytes, part: Part) -> bytes:
    """Return what a part says, decoded."""
    return decode_transfer(octets[part.body_start : part.body_end], part.encoding) or b""


def _returned_header(octets: bytes, parts: Sequence[Part]) -> bytes:
    for part in parts:
        if _type_of(part) in _RETURNED_TYPES:
            content = content_of(octets, part)
            return content[: find_body(content, 0, min(len(content), _MAX_RETURNED))]
    return b""


def _read_groups(content: bytes) -> tuple[Mapping[bytes, list[bytes]], tuple[ReportedRecipient, ...]]:
    """Read the groups of fields: that of the message, and one for each recipient (RFC 3464 §2.1)."""
    about: Mapping[bytes, list[bytes]] = {}
    found: list[ReportedRecipient] = []
    for group in _GROUP_END.split(content.lstrip(b"\r\n"), _MAX_GROUPS)[:_MAX_GROUPS]:
        fields, _ = pick_fields(split_fields(group), _MESSAGE_NAMES | _RECIPIENT_NAMES)
        about = about or {name: values for name, values in fields.items() if name in _MESSAGE_NAMES}
        found += _read_recipient(fields)
    return about, tuple(found[:MAX_RECIPIENTS])


def _read_recipient(fields: Mapping[bytes, list[bytes]]) -> Iterator[ReportedRecipient]:
    original, final = (read_address(_first(fields, name)) for name in (b"original-recipient", b"final-recipient"))
    action = _read_action(_first(fields, b"action"))
    if action is None or not (original or final):
        return
    kind, diagnostic = _typed(_first(fields, b"diagnostic-code"))
    code = _CODE.search(diagnostic[:MAX_TEXT]) if kind == "smtp" else None
    yield ReportedRecipient(
        original=original,
        final=final,
        action=action,
        status=_read_status(_first(fields, b"status"), action),
        code=int(code[1]) if code else None,
        text=to_one_line(diagnostic)[:MAX_TEXT],
        remote=_host(_first(fields, b"remote-mta")),
    )


def _first(fields: Mapping[bytes, list[bytes]], name: bytes) -> str:
    values = fields.get(name)
    return values[0].decode("utf-8", "replace") if values else ""


def _read_action(value: str) -> Action | None:
    word = _ACTION.match(value.lower())
    return next((action for action in Action if word is not None and action.value == word[0]), None)


def _read_status(value: str, action: Action) -> str:
    found = _STATUS.match(_COMMENT.sub("", value[:_MAX_NAME]).strip())
    if found:
        return found[0]
    return {Action.FAILED: "5.0.0", Action.DELAYED: "4.0.0"}.get(action, "2.0.0")


def _typed(value: str) -> tuple[str, str]:
    """Split `type ";" text`; a type that is missing is none."""
    kind, sign, text = value.partition(";")
    return (kind.strip().lower(), text.strip()) if sign else ("", value.strip())


def read_address(value: str) -> str:
    """Read a typed address; one of type utf-8 may spell characters as \\x{…} (RFC 6533 §3)."""
    kind, address = _typed(value)
    if kind not in ("rfc822", "utf-8", ""):
        return ""  # x400 and others name nobody to whom SMTP delivers.
    address = address.strip("<> ")
    if kind == "utf-8" and len(address) <= 10 * _MAX_NAME:
        address = _EMBEDDED.sub(_embedded, address)
    return "" if len(address) > _MAX_NAME or _HARMLESS.search(address) else address


def _embedded(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\ufffd"


def _host(value: str) -> str:
    """Read `dns; name`, or an address in brackets; comments and further words are left out."""
    words = _COMMENT.sub(" ", to_one_line(_typed(value[:MAX_TEXT])[1])).split()
    return words[0][:255] if words else ""


def to_one_line(text: str) -> str:
    """Return the text without controls, line ends and what turns the direction of writing."""
    return " ".join(_HARMLESS.sub(" ", text[: 4 * MAX_TEXT]).split())
