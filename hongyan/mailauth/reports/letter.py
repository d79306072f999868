"""Letters that carry reports: file name, subject, parts (RFC 9990 §3.5.2, RFC 8460 §5.1, §5.3)."""

from __future__ import annotations

__all__ = ["Letter", "aggregate_letter", "file_name", "tls_letter", "write_letter"]

import binascii
from dataclasses import dataclass
from datetime import datetime

from hongyan.clock import Random
from hongyan.message.compose import (
    Entity,
    compose,
    format_addresses,
    format_field,
    format_mailbox,
    make_boundary,
    make_multipart,
    make_text,
)
from hongyan.message.trace import format_date

_TEXT = """\
This is a report on mail in the name of {domain} from {begin} to {end} (UTC), made by {submitter}.
It was written by a program, for a program; nobody reads replies to it. Questions: {contact}

这是 {submitter} 关于以 {domain} 名义的邮件的报告，时间 {begin} 至 {end}（UTC）。
报告由程序生成，供程序读取；回信无人阅读。如有疑问：{contact}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What letters of both kinds have in common."""

    submitter: str
    """The host that reports."""
    organization: str
    contact: str
    sender: str
    """The address in From."""
    recipient: str
    domain: str
    """The policy domain: the one that is reported on."""
    report_id: str
    begin: datetime
    end: datetime
    at: datetime


def file_name(letter: Letter, extension: str) -> str:
    """Return the name of a document; the same for the same report each time (RFC 9990 §3.5.2)."""
    begin, end = int(letter.begin.timestamp()), int(letter.end.timestamp())
    return f"{letter.submitter}!{letter.domain}!{begin}!{end}.{extension}"


def aggregate_letter(letter: Letter, packed: bytes, random: Random) -> bytes:
    """Return the message that brings a DMARC report, compressed."""
    parts = [make_text(_text(letter)), _attach("application/gzip", packed, file_name(letter, "xml.gz"))]
    return write_letter(letter, make_multipart("mixed", parts, make_boundary(random)))


def tls_letter(letter: Letter, packed: bytes, random: Random) -> bytes:
    """Return the message that brings a TLS report, compressed.

    It goes without the TLS that the domain demands (RFC 8460 §3): it may be what tells that TLS does not work.
    """
    parts = [make_text(_text(letter)), _attach("application/tlsrpt+gzip", packed, file_name(letter, "json.gz"))]
    body = make_multipart("report", parts, make_boundary(random), 'report-type="tlsrpt"')
    fields = [
        format_field("TLS-Report-Domain", letter.domain),
        format_field("TLS-Report-Submitter", letter.submitter),
        format_field("TLS-Required", "No"),  # RFC 8689 §5
    ]
    return write_letter(letter, body, *fields)


def write_letter(letter: Letter, body: Entity, *further: bytes) -> bytes:
    """Return a whole message."""
    subject = f"Report Domain: {letter.domain} Submitter: {letter.submitter} Report-ID: <{letter.report_id}>"
    return compose(
        [
            format_addresses("From", [format_mailbox(letter.organization, letter.sender)]),
            format_addresses("To", [format_mailbox("", letter.recipient)]),
            format_field("Subject", subject),
            format_field("Date", format_date(letter.at)),
            format_field("Message-ID", f"<{letter.report_id}>"),
            format_field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
            *further,
        ],
        body,
    )


def _text(letter: Letter) -> str:
    return _TEXT.format(
        domain=letter.domain,
        begin=f"{letter.begin:%Y-%m-%d %H:%M}",
        end=f"{letter.end:%Y-%m-%d %H:%M}",
        submitter=letter.submitter,
        contact=letter.contact,
    )


def _attach(kind: str, octets: bytes, name: str) -> Entity:
    based = binascii.b2a_base64(octets, newline=False)
    lines = b"\r\n".join(based[start : start + 76] for start in range(0, len(based), 76))
    fields = (
        ("Content-Type", kind),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
    )
    return Entity(fields, lines)
