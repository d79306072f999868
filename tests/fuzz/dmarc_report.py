"""A DMARC report that a stranger sent: a letter, what is packed in it, or the document alone.

Invariant: nothing but `ReportFault` comes out; what is read is bounded, says who and when, and reads the same again
after it was written.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import gzip
import io
import zipfile

from hongyan.mailauth.reports.aggregate import AggregateReport
from hongyan.mailauth.reports.aggregate_reader import MAX_ROWS, read_aggregate
from hongyan.mailauth.reports.aggregate_writer import write_aggregate
from hongyan.mailauth.reports.fault import ReportFault
from hongyan.mailauth.reports.mailed import looks_like_report, read_letter
from hongyan.mailauth.reports.packed import unpack

_LIMIT = 1 << 16
_DOCUMENT = (
    b'<?xml version="1.0"?><feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><version>1.0</version><report_metadata>'
    b"<org_name>O</org_name><email>a@b.test</email><report_id>1</report_id><date_range><begin>1</begin><end>2</end>"
    b"</date_range></report_metadata><policy_published><domain>b.test</domain><p>none</p><sp>reject</sp>"
    b"</policy_published><record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated>"
    b"<disposition>none</disposition><dkim>fail</dkim><spf>pass</spf><reason><type>local_policy</type>"
    b"<comment>&lt;c&gt;</comment></reason></policy_evaluated></row><identifiers><envelope_from/>"
    b"<header_from>b.test</header_from></identifiers><auth_results><dkim><domain>b.test</domain><selector>s</selector>"
    b"<result>fail</result></dkim><spf><domain>b.test</domain><result>pass</result></spf></auth_results></record>"
    b"</feedback>"
)


def _zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr(zipfile.ZipInfo("r.xml"), _DOCUMENT)
    return archive.getvalue()


CORPUS: list[bytes] = [
    _DOCUMENT,
    gzip.compress(_DOCUMENT, mtime=0),
    _zipped(),
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>',
    b"Subject: Report Domain: b.test Submitter: c.test Report-ID: <1>\r\nContent-Type: text/xml\r\n\r\n" + _DOCUMENT,
]


def target(octets: bytes) -> None:
    looks_like_report(octets)
    try:
        document = unpack(octets, _LIMIT)
        assert len(document) <= _LIMIT
        _check(read_aggregate(document))
    except ReportFault:
        pass
    try:
        report = read_letter(octets)
    except ReportFault:
        return
    if isinstance(report, AggregateReport):
        _check(report)


def _check(report: AggregateReport) -> None:
    assert 0 < len(report.rows) <= MAX_ROWS
    assert report.begin <= report.end
    assert report.report_id
    assert all(row.count > 0 for row in report.rows)
    assert read_aggregate(write_aggregate(report)) == report
