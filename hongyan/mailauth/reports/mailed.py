"""Finds the report in a letter that brings one: by the part's type and name, then by what lies in it.

Of a message so many parts are looked at, few of them unpacked, and no more. What is no report is None; what
pretends to be one and cannot be read is a `ReportFault`.
"""

from __future__ import annotations

__all__ = ["MAX_LETTER", "looks_like_report", "read_letter"]

import re
from typing import Final

from hongyan.mailauth.reports import aggregate_reader, tls
from hongyan.mailauth.reports.aggregate import AggregateReport
from hongyan.mailauth.reports.fault import ReportFault
from hongyan.mailauth.reports.packed import unpack
from hongyan.mailauth.reports.tls import TlsReport
from hongyan.message.headers import find_body, pick_fields, split_fields
from hongyan.message.parameters import find_parameter
from hongyan.message.part_header import MESSAGE_FIELDS, Kind
from hongyan.message.parts import Part, scan_body
from hongyan.message.transfer import decode_transfer

MAX_LETTER: Final = 5 << 20
"""Octets of a message that may bring a report; a larger one is not looked at."""

_MOST_PARTS = 20
_MOST_FAULTS = 3  # parts that pretend to be reports: a letter brings one
_TLS_TYPES = frozenset({b"application/tlsrpt+json", b"application/tlsrpt+gzip", b"application/json"})
_AGGREGATE_TYPES = frozenset({b"text/xml", b"application/xml"})
_PACKED_TYPES = frozenset(
    {
        b"application/gzip",
        b"application/x-gzip",
        b"application/zip",
        b"application/x-zip-compressed",
        b"application/x-zip",
        b"application/octet-stream",
    }
)
_NAMED = re.compile(rb"\.(?:xml|json)(?:\.gz)?\Z|\.(?:zip|gz)\Z", re.IGNORECASE)
# RFC 9990 §3.5.2, RFC 8460 §5.3: "Report Domain: …" opens the subject of both kinds; some write it in braces and dots.
_SUBJECT = re.compile(
    rb"^subject:[ \t]*(?:\r?\n[ \t]+)?[^\r\n]{0,40}?report[ \t]+domain:", re.IGNORECASE | re.MULTILINE
)
_TLS_DOMAIN = re.compile(rb"^tls-report-domain:", re.IGNORECASE | re.MULTILINE)


def looks_like_report(header: bytes) -> bool:
    """Whether the header of a message says that it brings a report."""
    return _SUBJECT.search(header) is not None or _TLS_DOMAIN.search(header) is not None


def read_letter(octets: bytes) -> AggregateReport | TlsReport | None:
    """Return the first report that a message brings. Raises `ReportFault`."""
    body = find_body(octets, 0, len(octets))
    fields, _ = pick_fields(split_fields(octets[:body]), MESSAGE_FIELDS)
    faults: list[ReportFault] = []
    for part in scan_body(octets, body, fields)[:_MOST_PARTS]:
        if part.kind is not Kind.LEAF or not _may_be_report(part):
            continue
        try:
            return _read(decode_transfer(octets[part.body_start : part.body_end], part.encoding) or b"")
        except ReportFault as fault:
            faults.append(fault)
            if len(faults) >= _MOST_FAULTS:
                break
    if faults:
        raise faults[0]
    return None


def _may_be_report(part: Part) -> bool:
    kind = b"/".join(part.content_type[:2]).lower()
    if kind in _TLS_TYPES or kind in _AGGREGATE_TYPES or kind in _PACKED_TYPES or kind == b"application/tlsrpt":
        return True
    return _NAMED.search(_name(part)) is not None


def _name(part: Part) -> bytes:
    named = find_parameter(part.content_type.parameters, b"name")
    if part.header.disposition is not None:
        named = find_parameter(part.header.disposition.parameters, b"filename") or named
    return b"" if named is None else named.value


def _read(packed: bytes) -> AggregateReport | TlsReport:
    document = unpack(packed, aggregate_reader.MAX_OCTETS)
    if document.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return tls.read_tls_report(document)
    return aggregate_reader.read_aggregate(document)
