"""A TLS report that a stranger sent.

Invariant: nothing but `ReportFault` comes out; what is read says who and when, counts are not negative, texts are
short, and it reads the same again after it was written.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.mailauth.reports.fault import ReportFault
from hongyan.mailauth.reports.tls import read_tls_report, write_tls_report

_DOCUMENT = (
    b'{"organization-name":"O","date-range":{"start-datetime":"2026-01-01T00:00:00Z","end-datetime":'
    b'"2026-01-01T23:59:59Z"},"contact-info":"a@b.test","report-id":"1","policies":[{"policy":{"policy-type":"sts",'
    b'"policy-string":["version: STSv1"],"policy-domain":"b.test","mx-host":"*.b.test"},"summary":'
    b'{"total-successful-session-count":1,"total-failure-session-count":2},"failure-details":[{"result-type":'
    b'"certificate-expired","sending-mta-ip":"::1","receiving-mx-hostname":"mx","failed-session-count":2}]}]}'
)

CORPUS: list[bytes] = [
    _DOCUMENT,
    b'{"report-id":"1","date-range":{"start-datetime":"2026-01-01t00:00:00","end-datetime":"9999-12-31T23:59:59-23:59"}}',
    b"[" * 2000,
    b'{"policies":[NaN,1e999,-1,true,null,"\\ud800"]}',
]


def target(octets: bytes) -> None:
    try:
        report = read_tls_report(octets)
    except ReportFault:
        return
    assert report.report_id
    assert report.begin <= report.end
    for policy in report.policies:
        assert policy.succeeded >= 0
        assert policy.failed >= 0
        assert all(len(line) <= 500 for line in policy.lines)
        assert all(failure.count >= 0 for failure in policy.failures)
    assert read_tls_report(write_tls_report(report)) == report
