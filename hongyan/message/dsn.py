"""Delivery status notifications: what became of a message, for its sender (RFC 3464, RFC 6522, RFC 3461 §6).

A notification has three parts: text for people, in Chinese and English; the same for programs; and the
message or its header. What remote servers said is quoted on one line without controls. Where an address
is not ASCII and the way takes SMTPUTF8, the forms of RFC 6533 are used: `is_global`.
"""

from __future__ import annotations

__all__ = ["MAX_RETURNED", "Action", "RecipientReport", "Report", "build_report"]

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from hongyan.message.compose import (
    Entity,
    compose,
    encode_octets,
    format_addresses,
    format_field,
    format_mailbox,
    make_multipart,
    make_text,
)
from hongyan.message.dates import format_date
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import find_body, pick_fields, split_fields

MAX_RETURNED = 64 * 1024
"""A longer message is returned by its header alone: a notification is no way to send a large file to somebody."""

_MAX_HEADER = 16 * 1024
_MAX_TEXT = 900
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MESSAGE_ID = re.compile(rb"<[^<>\s]{1,500}>")
_HOST = re.compile(r"[0-9A-Za-z._-]{1,255}|\[[0-9A-Za-z.:]{2,60}\]")
_DAY_AND_MINUTE = "%Y-%m-%d %H:%M %Z"


class Action(StrEnum):
    """What was done for a recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientReport:
    """What became of the message for one recipient. Addresses are as they were in the envelope."""

    address: str
    action: Action
    status: str
    """Enhanced status code (RFC 3463)."""
    original: tuple[str, str] | None = None
    """ORCPT: type and address, decoded (RFC 3461 §4.2)."""
    text: str = ""
    """What the remote server answered, or our own words."""
    is_reply: bool = False
    """`text` is an SMTP reply."""
    remote: str = ""
    """The host that answered."""
    attempted_at: datetime | None = None
    retried_until: datetime | None = None
    """Delayed: when we give up."""
    chinese: str = ""
    english: str = ""
    """What it means and what to do, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One notification. Its reverse-path is null: it is never answered by another (RFC 3464 §2)."""

    host: str
    """The name of this server."""
    author: str
    """The address in From: postmaster."""
    sender: str
    """To whom: the reverse-path of the message."""
    message_id: str
    boundary: str
    at: datetime
    arrived_at: datetime
    envelope_id: str | None = None
    """ENVID, decoded (RFC 3461 §4.4)."""
    log_id: str = ""
    """By what the message is found in the log of this server."""
    recipients: tuple[RecipientReport, ...]
    original: bytes
    """The message as it was to be sent, or at least its header."""
    returns_message: bool = True
    """RET=FULL, or nothing said (RFC 3461 §4.3)."""
    smtputf8: bool = False
    """The way back takes SMTPUTF8, which includes 8BITMIME."""
    eight_bit: bool = False
    """The way back takes 8BITMIME."""

    @property
    def is_global(self) -> bool:
        """Whether the notification itself has to travel with SMTPUTF8."""
        addresses = [self.sender, *(recipient.address for recipient in self.recipients)]
        addresses += [recipient.original[1] for recipient in self.recipients if recipient.original]
        return self.smtputf8 and not all(address.isascii() for address in addresses)

    @property
    def worst(self) -> Action:
        """What the subject speaks of."""
        for action in (Action.FAILED, Action.DELAYED, Action.EXPANDED, Action.RELAYED):
            if any(recipient.action is action for recipient in self.recipients):
                return action
        return Action.DELIVERED


def build_report(report: Report) -> bytes:
    """Return the notification as a message, ready to be queued with the null reverse-path."""
    kind = "global-delivery-status" if report.is_global else "delivery-status"
    returned = _returned_part(report)
    parts = [_people_part(report, returned), _programs_part(report, kind), returned]
    body = make_multipart("report", parts, report.boundary, f"report-type={kind}")
    subject = _original_subject(report.original)
    fields = [
        format_addresses("From", [format_mailbox("Mail Delivery System", report.author)]),
        format_addresses("To", [format_mailbox("", report.sender)]),
        format_field("Subject", f"{_SUBJECTS[report.worst]}{': ' if subject else ''}{subject}", utf8=report.is_global),
        format_field("Date", format_date(report.at)),
        format_field("Message-ID", report.message_id),
        *_threading_fields(report.original),
        format_field("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
    ]
    return compose(fields, body)


_SUBJECTS = {
    Action.FAILED: "邮件未送达 / Not delivered",
    Action.DELAYED: "邮件暂未送达 / Delayed",
    Action.EXPANDED: "邮件已转给多人 / Sent on to several people",
    Action.RELAYED: "邮件已转交 / Handed on",
    Action.DELIVERED: "邮件已送达 / Delivered",
}
_INTRODUCTIONS = {
    Action.FAILED: (
        "很抱歉，以下收件人没有收到你的邮件，系统不会再重试：",
        "Your message did not reach these recipients, and no further attempt is made:",
    ),
    Action.DELAYED: (
        "你的邮件还没有送达以下收件人。系统会继续重试，你不需要重新发送：",
        "Your message has not reached these recipients yet. We keep trying; you need not send it again:",
    ),
    Action.EXPANDED: (
        "你的邮件已经转发给以下地址背后的多个收件人：",
        "Your message was sent on to the people behind these addresses:",
    ),
    Action.RELAYED: (
        "你的邮件已经转交给以下收件人的邮件服务器，对方可能不再发送回执：",
        "Your message was handed on to the servers of these recipients, which may tell you nothing more:",
    ),
    Action.DELIVERED: ("你的邮件已经送达以下收件人：", "Your message was delivered to these recipients:"),
}


def _people_part(report: Report, returned: Entity) -> Entity:
    lines = [
        f"这是 {report.host} 的邮件系统自动发出的通知，请不要回复。",
        f"This is a notice of the mail system at {report.host}. Please do not answer it.",
    ]
    for action, (chinese, english) in _INTRODUCTIONS.items():
        concerned = [recipient for recipient in report.recipients if recipient.action is action]
        if concerned:
            lines += ["", chinese, english]
            for recipient in concerned:
                lines += _person_lines(recipient)
    is_header = returned.fields[0][1].endswith("headers")
    lines += [
        "",
        f"随附：{'原邮件的信头' if is_header else '原邮件'}，以及供程序读取的状态报告。",
        f"Attached: {'the header of your message' if is_header else 'your message'}, and the report for programs.",
    ]
    return make_text("\n".join(lines) + "\n", eight_bit=report.eight_bit or report.is_global)


def _person_lines(recipient: RecipientReport) -> Iterator[str]:
    yield ""
    yield f"  <{_one_line(recipient.address)}>"
    if recipient.chinese:
        yield f"    {recipient.chinese}"
    if recipient.english:
        yield f"    {recipient.english}"
    if recipient.text:
        said = f"{_one_line(recipient.remote)}: " if recipient.remote else ""
        label = "对方应答 / Answer" if recipient.is_reply else "原因 / Cause"
        yield f"    {label}: {said}{_one_line(recipient.text)}"
    if recipient.action is Action.DELAYED and recipient.retried_until is not None:
        yield f"    重试截止 / Until: {recipient.retried_until.strftime(_DAY_AND_MINUTE)}"


def _programs_part(report: Report, kind: str) -> Entity:
    """Make message/delivery-status: fields of the message, then a group of fields for each recipient (RFC 3464 §2)."""
    utf8 = report.is_global
    groups = [
        [
            ("Original-Envelope-Id", report.envelope_id or ""),
            ("Reporting-MTA", f"dns; {report.host}"),
            ("Arrival-Date", format_date(report.arrived_at)),
        ]
    ]
    groups += [[*_status_fields(recipient, utf8=utf8), *_log_fields(report)] for recipient in report.recipients]
    octets = b"\r\n".join(
        b"".join(_format_status(name, value, utf8=utf8) for name, value in group if value) for group in groups
    )
    if octets.isascii():
        return Entity((("Content-Type", f"message/{kind}"),), octets)
    return Entity((("Content-Type", f"message/{kind}"), ("Content-Transfer-Encoding", "8bit")), octets)


def _status_fields(recipient: RecipientReport, *, utf8: bool) -> Iterator[tuple[str, str]]:
    if recipient.original is not None:
        yield "Original-Recipient", _typed_address(recipient.original[0], recipient.original[1], utf8=utf8)
    yield "Final-Recipient", _typed_address("rfc822", recipient.address, utf8=utf8)
    yield "Action", recipient.action.value
    yield "Status", recipient.status
    remote = _mta_name(recipient.remote)
    yield "Remote-MTA", f"dns; {remote}" if remote else ""
    if recipient.text:
        yield "Diagnostic-Code", f"{'smtp' if recipient.is_reply else 'x-hongyan'}; {_one_line(recipient.text)}"
    yield "Last-Attempt-Date", format_date(recipient.attempted_at) if recipient.attempted_at else ""
    if recipient.action is Action.DELAYED and recipient.retried_until is not None:
        yield "Will-Retry-Until", format_date(recipient.retried_until)


def _mta_name(host: str) -> str:
    """Return a host as type dns has it: its name, or its address in brackets (RFC 3464 §2.1.2, §2.3.5)."""
    try:
        address = ip_address(host)
    except ValueError:
        found = _HOST.match(host)
        return found[0] if found else ""
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _log_fields(report: Report) -> Iterator[tuple[str, str]]:
    yield "Final-Log-ID", report.log_id


def _typed_address(type_: str, address: str, *, utf8: bool) -> str:
    """Return address-type ";" address; beyond ASCII it is of type utf-8, spelled \\x{…} where it must (RFC 6533 §3)."""
    address = _harmless(address)
    if address.isascii() and type_ != "utf-8":
        return f"{type_}; {address}"
    if utf8:
        return f"utf-8; {address}"
    return "utf-8; " + "".join(
        character if "!" <= character <= "~" and character not in "\\+=" else f"\\x{{{ord(character):02X}}}"
        for character in address
    )


def _format_status(name: str, value: str, *, utf8: bool) -> bytes:
    """Return a field of a status report. There are no encoded words in it (RFC 3464 §2.1.2)."""
    value = _harmless(value)
    if not utf8:
        value = value.encode("ascii", "replace").decode("ascii")
    return format_field(name, value, utf8=True)


def _harmless(text: str) -> str:
    """Return text without what acts, of bounded length; spaces stay, as they are part of an address or an ENVID."""
    return _CONTROLS.sub(" ", text).strip()[:_MAX_TEXT]


def _one_line(text: str) -> str:
    """Return text that a stranger chose on one line of bounded length, with nothing in it that acts."""
    return " ".join(_CONTROLS.sub(" ", text).split())[:_MAX_TEXT]


def _returned_part(report: Report) -> Entity:
    """Return the message, or its header where the sender, its size or its octets ask for it (RFC 3461 §4.3, §6.2)."""
    eight_bit = report.eight_bit or report.is_global
    octets = report.original.replace(b"\0", b"")
    header = octets[: find_body(octets, 0, len(octets))]
    is_global = report.is_global or _is_utf8(header)
    failed = any(recipient.action is Action.FAILED for recipient in report.recipients)
    if failed and report.returns_message and len(octets) <= MAX_RETURNED:
        if is_global:  # This one may be encoded (RFC 6532 §3.7).
            return encode_octets("message/global", octets, eight_bit=eight_bit)
        # message/rfc822 may not (RFC 2046 §5.2.1): without 8BITMIME its eight-bit octets cannot go along.
        if octets.isascii() or eight_bit:
            encoding = () if octets.isascii() else (("Content-Transfer-Encoding", "8bit"),)
            return Entity((("Content-Type", "message/rfc822"), *encoding), octets)
    content_type = "message/global-headers" if is_global else "text/rfc822-headers"
    return encode_octets(content_type, header.rstrip(b"\r\n")[:_MAX_HEADER] + b"\r\n", eight_bit=eight_bit)


def _is_utf8(header: bytes) -> bool:
    """Whether a header is one of RFC 6532: UTF-8, and more than ASCII."""
    if header.isascii():
        return False
    try:
        header.decode()
    except UnicodeDecodeError:
        return False
    return True


def _original_subject(original: bytes) -> str:
    fields = _fields_of(original, b"subject")
    return _one_line(decode_words(fields[0]))[:120] if fields else ""


def _threading_fields(original: bytes) -> Iterator[bytes]:
    """Let mail programs put the notification beside the message that it speaks of."""
    fields = _fields_of(original, b"message-id")
    match = _MESSAGE_ID.search(fields[0]) if fields else None
    if match is not None and match[0].isascii():
        yield format_field("In-Reply-To", match[0].decode("ascii"))
        yield format_field("References", match[0].decode("ascii"))


def _fields_of(original: bytes, name: bytes) -> list[bytes]:
    header = original[: find_body(original, 0, len(original))]
    return pick_fields(split_fields(header), {name})[0].get(name, [])
