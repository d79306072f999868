"""Failures that other servers tell without a report for programs: in qmail's form, and in that of older Exims.

- QSBMF (cr.yp.to/proto/qsbmf.txt): paragraphs, of which the first begins with "Hi. This is the", each further one with
  a recipient in angle brackets and a colon, and the last with a minus; behind it stands the message.
- Exim names those who did not get it in X-Failed-Recipients; the message stands behind a line that begins with dashes.

What is read becomes the same `DeliveryReport` as that of a notification (RFC 3464), and is as little proof: whether it
speaks of what was really sent is the caller's to find out, by the trace in `returned`. Other free texts are not read.
"""

from __future__ import annotations

__all__ = ["read_bounce"]

import re
from collections.abc import Iterator, Mapping
from typing import Final

from hongyan.message.dsn import Action
from hongyan.message.dsn_reader import (
    MAX_READ,
    MAX_RECIPIENTS,
    MAX_TEXT,
    DeliveryReport,
    ReportedRecipient,
    content_of,
    read_address,
    read_report,
    to_one_line,
)
from hongyan.message.headers import find_body, pick_fields, split_fields
from hongyan.message.part_header import MESSAGE_FIELDS, Kind
from hongyan.message.parts import scan_body

_MAX_RETURNED: Final = 64 * 1024
_FAILED_FIELD: Final = b"x-failed-recipients"

_PARAGRAPH_END = re.compile(rb"\n(?:[ \t]*\n)+")
_INTRODUCTION = b"Hi. This is the"
_RECIPIENT = re.compile(rb"<([^\n]{1,320})>:[ \t]*(?:\n|$)")
_COPY = re.compile(rb"^-{4,}+[^\n]*+\n", re.MULTILINE)
_AUTHOR = re.compile(r"@([A-Za-z0-9.\-]{1,255})")
_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-])")


def read_bounce(octets: bytes) -> DeliveryReport | None:
    """Return what a message says that could not be delivered, in a form that is known; None if it is none of those."""
    return read_report(octets) or _read_plain(octets[:MAX_READ])


def _read_plain(octets: bytes) -> DeliveryReport | None:
    body = find_body(octets, 0, len(octets))
    fields, _ = pick_fields(split_fields(octets[:body]), MESSAGE_FIELDS | {_FAILED_FIELD, b"from"})
    is_exim = _FAILED_FIELD in fields
    if not is_exim and _INTRODUCTION not in octets[body : body + 1000]:
        return None
    root = scan_body(octets, body, fields)[0]
    if root.kind is Kind.MULTIPART:
        return None
    text = content_of(octets, root).replace(b"\r\n", b"\n")
    return _read_exim(fields, text) if is_exim else _read_qsbmf(fields, text)


# -- qmail


def _read_qsbmf(fields: Mapping[bytes, list[bytes]], text: bytes) -> DeliveryReport | None:
    text = text.lstrip(b"\n")
    if not text.startswith(_INTRODUCTION):
        return None
    paragraphs = _paragraphs(text)
    next(paragraphs)  # The introduction is for people (§2).
    recipients: list[ReportedRecipient] = []
    returned = b""
    for at, paragraph in paragraphs:
        if paragraph.startswith(b"-"):
            returned = text[at + len(paragraph) :].lstrip(b"\n")
            break
        named = _RECIPIENT.match(paragraph)
        if named is None or len(recipients) == MAX_RECIPIENTS:
            continue
        if address := read_address(named[1].decode("utf-8", "replace")):
            recipients.append(_failed(address, paragraph[named.end() :]))
    if not recipients:
        return None
    return DeliveryReport(_author(fields), "", tuple(recipients), _header(returned))


def _paragraphs(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield what stands between empty lines, with where it begins."""
    at = 0
    for end in _PARAGRAPH_END.finditer(text):
        yield at, text[at : end.start()]
        at = end.end()
    yield at, text[at:]


# -- Exim


def _read_exim(fields: Mapping[bytes, list[bytes]], text: bytes) -> DeliveryReport | None:
    copy = _COPY.search(text)
    said = text if copy is None else text[: copy.start()]
    named = b",".join(fields[_FAILED_FIELD]).decode("utf-8", "replace").split(",", MAX_RECIPIENTS)[:MAX_RECIPIENTS]
    addresses = dict.fromkeys(filter(None, (read_address(one.strip()) for one in named)))
    if not addresses:
        return None
    reasons = _reasons(said)
    return DeliveryReport(
        _author(fields),
        "",
        tuple(_failed(address, reasons.get(address.casefold(), b"")) for address in addresses),
        b"" if copy is None else _header(text[copy.end() :].lstrip(b"\n")),
    )


def _reasons(said: bytes) -> dict[str, bytes]:
    """Return what is said of each address: the deeper lines below its own, which is set in by two spaces."""
    found: dict[str, bytes] = {}
    about = ""
    for line in said.split(b"\n"):
        if line.startswith(b"  ") and line[2:3].strip():
            about = line.decode("utf-8", "replace").strip().rstrip(":").casefold()
            if len(found) == MAX_RECIPIENTS:
                break
            found.setdefault(about, b"")
        elif about and line.startswith(b"   "):
            if len(found[about]) < MAX_TEXT:
                found[about] += line + b"\n"
        else:
            about = ""
    return found


# -- both


def _author(fields: Mapping[bytes, list[bytes]]) -> str:
    """Return the host that reports: what it is called in From."""
    author = _AUTHOR.search(to_one_line(b"".join(fields.get(b"from", ())[:1]).decode("utf-8", "replace")))
    return "" if author is None else author[1]


def _failed(address: str, reason: bytes) -> ReportedRecipient:
    text = to_one_line(reason[: 4 * MAX_TEXT].decode("utf-8", "replace"))[:MAX_TEXT]
    status, code = _STATUS.search(text), _CODE.search(text)
    return ReportedRecipient(
        original="",
        final=address,
        action=Action.FAILED,
        status=status[1] if status else "5.0.0",
        code=int(code[1]) if code else None,
        text=text,
        remote="",
    )


def _header(returned: bytes) -> bytes:
    return returned[: find_body(returned, 0, min(len(returned), _MAX_RETURNED))]
