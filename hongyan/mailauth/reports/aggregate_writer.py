"""Writes DMARC aggregate reports as XML (RFC 9990 §3.1.1, Appendix A)."""

from __future__ import annotations

__all__ = ["NAMESPACE", "write_aggregate"]

import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from hongyan.mailauth.reports.aggregate import AggregateReport, AggregateRow, PublishedPolicy

NAMESPACE: Final = "urn:ietf:params:xml:ns:dmarc-2.0"

_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_aggregate(report: AggregateReport) -> bytes:
    """Return the document, in UTF-8."""
    return "".join(_lines(report)).encode("utf-8", "replace")


def _lines(report: AggregateReport) -> Iterator[str]:
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="{NAMESPACE}">\n'
    yield "<version>1.0</version>\n<report_metadata>\n"
    yield _element("org_name", report.organization)
    yield _element("email", report.contact)
    yield _element("report_id", report.report_id)
    # RFC 9990 §3.1.1.4: both ends belong to the period.
    begin, end = int(report.begin.timestamp()), int(report.end.timestamp())
    yield f"<date_range><begin>{begin}</begin><end>{end}</end></date_range>\n"
    if report.generator:
        yield _element("generator", report.generator)
    yield "</report_metadata>\n"
    yield from _policy(report.policy)
    for row in report.rows:
        yield from _record(row)
    yield "</feedback>\n"


def _policy(policy: PublishedPolicy) -> Iterator[str]:
    yield "<policy_published>\n"
    yield _element("domain", policy.domain)
    yield _element("discovery_method", "treewalk")
    yield _element("p", policy.policy)
    for name, value in (("sp", policy.subdomain_policy), ("np", policy.nonexistent_policy)):
        if value:
            yield _element(name, value)
    if policy.failure_options:
        yield _element("fo", policy.failure_options)
    yield _element("adkim", policy.dkim_alignment)
    yield _element("aspf", policy.spf_alignment)
    yield _element("testing", "y" if policy.testing else "n")
    yield "</policy_published>\n"


def _record(row: AggregateRow) -> Iterator[str]:
    yield "<record>\n<row>\n"
    yield _element("source_ip", row.source)
    yield _element("count", str(row.count))
    yield "<policy_evaluated>\n"
    yield _element("disposition", row.applied.value)
    yield _element("dkim", "pass" if row.dkim_aligned else "fail")
    yield _element("spf", "pass" if row.spf_aligned else "fail")
    for override in row.overrides:
        comment = f"<comment>{_text(override.comment)}</comment>" if override.comment else ""
        yield f"<reason><type>{override.type.value}</type>{comment}</reason>\n"
    yield "</policy_evaluated>\n</row>\n<identifiers>\n"
    if row.envelope_from is not None:
        yield _element("envelope_from", row.envelope_from)
    yield _element("header_from", row.header_from)
    yield "</identifiers>\n<auth_results>\n"
    for one in row.dkim:
        named = f"<domain>{_text(one.domain)}</domain><selector>{_text(one.selector)}</selector>"
        yield f"<dkim>{named}<result>{_text(one.result)}</result></dkim>\n"
    if row.spf is not None:
        domain, result = _text(row.spf.domain), _text(row.spf.result)
        yield f"<spf><domain>{domain}</domain><scope>mfrom</scope><result>{result}</result></spf>\n"
    yield "</auth_results>\n</record>\n"


def _element(name: str, value: str) -> str:
    return f"<{name}>{_text(value)}</{name}>\n"


def _text(value: str) -> str:
    """Return text as XML may hold it: whatever a stranger wrote stays within its element."""
    return escape(_NO_XML.sub("\ufffd", value))
