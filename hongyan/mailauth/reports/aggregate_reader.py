"""Reads DMARC aggregate reports that others send: RFC 9990, RFC 7489 Appendix C, and what is near to them.

The document is a stranger's. A document type is refused, and with it every entity but the five of XML: nothing grows
and nothing is fetched. Depth, elements and text are bounded; a record is read and dropped before the next begins.
What is not known is passed over, as RFC 9990 §5 wants of extensions; a record without address or count is left out.
"""

from __future__ import annotations

__all__ = ["MAX_OCTETS", "MAX_ROWS", "read_aggregate"]

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final
from xml.parsers import expat

from hongyan.mailauth.reports.aggregate import (
    AggregateReport,
    AggregateRow,
    Applied,
    DkimEvidence,
    Override,
    OverrideType,
    PublishedPolicy,
    SpfEvidence,
)
from hongyan.mailauth.reports.fault import ReportFault

MAX_OCTETS: Final = 10 << 20
"""Of a document."""
MAX_ROWS: Final = 10_000
MAX_COUNT: Final = 10**12
"""Messages that one record, and more than one together, can tell of."""

_MAX_DEPTH = 16
_MAX_ELEMENTS = 2000  # of one record; 100 signatures have 500
_MOST_ELEMENTS = 40 * MAX_ROWS  # of a document; a record has some 25. Ten megabytes of nothing else cost seconds.
_MAX_TEXT = 500  # characters of one element
_MAX_EVIDENCE = 100  # signatures of one record (RFC 9990 §3.1.3)
_PIECE = 1 << 16
_NUMBER = re.compile(r"[0-9]{1,12}")
_LATEST = 253_402_300_799  # the last second of the year 9999
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(slots=True)
class _Element:
    name: str
    children: list[_Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    length: int = 0

    def find(self, name: str) -> _Element:
        return next((one for one in self.children if one.name == name), _NOTHING)

    def list(self, name: str) -> list[_Element]:
        return [one for one in self.children if one.name == name]

    @property
    def value(self) -> str:
        """The text, without controls and white space around it."""
        return _CONTROLS.sub(" ", "".join(self.pieces)).strip()

    def text(self, name: str) -> str:
        return self.find(name).value

    def number(self, name: str) -> int | None:
        value = self.text(name)
        return int(value) if _NUMBER.fullmatch(value) else None


_NOTHING = _Element("")


def read_aggregate(octets: bytes) -> AggregateReport:
    """Return the report that a document holds. Raises `ReportFault`."""
    if len(octets) > MAX_OCTETS:
        raise ReportFault("the document is too large")
    reading = _Reading()
    _parse(octets, reading.take)
    metadata, policy = reading.metadata, reading.policy
    if metadata is None or policy is None or not reading.rows:
        raise ReportFault("it has no metadata, no policy or no record that can be read")
    period = metadata.find("date_range")
    begin, end = _moment(period.number("begin")), _moment(period.number("end"))
    report_id, domain = metadata.text("report_id"), policy.text("domain").lower().rstrip(". ")
    if begin is None or end is None or end < begin or not report_id or not domain:
        raise ReportFault("its period, its id or its domain cannot be read")
    return AggregateReport(
        organization=metadata.text("org_name"),
        contact=metadata.text("email"),
        report_id=report_id,
        begin=begin,
        end=end,
        policy=_read_policy(policy, domain),
        rows=tuple(reading.rows),
        generator=metadata.text("generator"),
    )


class _Reading:
    """Takes the parts of a document, one by one."""

    def __init__(self) -> None:
        self.metadata: _Element | None = None
        self.policy: _Element | None = None
        self.rows: list[AggregateRow] = []

    def take(self, element: _Element) -> None:
        match element.name:
            case "report_metadata":
                self.metadata = self.metadata or element
            case "policy_published":
                self.policy = self.policy or element
            case "record":
                if len(self.rows) >= MAX_ROWS:
                    raise ReportFault("it has too many records")
                row = _read_row(element)
                if row is not None:
                    self.rows.append(row)
            case _:
                pass


def _parse(octets: bytes, take: Callable[[_Element], None]) -> None:
    """Hand over the children of the root, each when it is complete."""
    open_elements: list[_Element] = []
    count = total = 0

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal count, total
        count, total = (0 if len(open_elements) == 1 else count + 1), total + 1
        if len(open_elements) >= _MAX_DEPTH or count > _MAX_ELEMENTS:
            raise ReportFault("it is nested too deeply, or one record is too large")
        if total > _MOST_ELEMENTS:
            raise ReportFault("it has too many elements")
        element = _Element(name.rpartition(":")[2])
        if not open_elements and element.name != "feedback":
            raise ReportFault("it is no DMARC report")
        if len(open_elements) > 1:
            open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_name: str) -> None:
        element = open_elements.pop()
        if len(open_elements) == 1:
            take(element)

    def text(piece: str) -> None:
        element = open_elements[-1]
        if element.length < _MAX_TEXT:
            element.pieces.append(piece[: _MAX_TEXT - element.length])
            element.length += len(piece)

    def refuse(*_told: object) -> None:
        raise ReportFault("it has a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        for at in range(0, len(octets), _PIECE):
            parser.Parse(octets[at : at + _PIECE], False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise ReportFault("it is no XML") from error


def _read_policy(policy: _Element, domain: str) -> PublishedPolicy:
    return PublishedPolicy(
        domain=domain,
        policy=policy.text("p").lower(),
        subdomain_policy=policy.text("sp").lower(),
        nonexistent_policy=policy.text("np").lower(),
        dkim_alignment=policy.text("adkim").lower() or "r",
        spf_alignment=policy.text("aspf").lower() or "r",
        failure_options=policy.text("fo"),
        testing=policy.text("testing").lower() == "y",
    )


def _read_row(record: _Element) -> AggregateRow | None:
    row, named, results = record.find("row"), record.find("identifiers"), record.find("auth_results")
    evaluated, count = row.find("policy_evaluated"), row.number("count")
    try:
        source = ip_address(row.text("source_ip")).compressed
    except ValueError:
        return None
    if not count:
        return None
    envelope = named.list("envelope_from")
    spf = results.list("spf")
    return AggregateRow(
        source=source,
        count=count,
        applied=_applied(evaluated.text("disposition")),
        dkim_aligned=evaluated.text("dkim").lower() == "pass",
        spf_aligned=evaluated.text("spf").lower() == "pass",
        overrides=tuple(map(_read_override, evaluated.list("reason")[:_MAX_EVIDENCE])),
        header_from=named.text("header_from").lower(),
        envelope_from=envelope[0].value.lower() if envelope else None,
        dkim=tuple(map(_read_signature, results.list("dkim")[:_MAX_EVIDENCE])),
        spf=SpfEvidence(spf[0].text("domain").lower(), spf[0].text("result").lower()) if spf else None,
    )


def _read_signature(told: _Element) -> DkimEvidence:
    return DkimEvidence(told.text("domain").lower(), told.text("selector"), told.text("result").lower())


def _applied(word: str) -> Applied:
    try:
        return Applied(word.lower())
    except ValueError:
        return Applied.NONE


def _read_override(reason: _Element) -> Override:
    try:
        kind = OverrideType(reason.text("type").lower())
    except ValueError:
        kind = OverrideType.OTHER
    return Override(kind, reason.text("comment"))


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None or seconds > _LATEST else datetime.fromtimestamp(seconds, UTC)
