"""Any octets are a notification or none: what is read is bounded, on one line, and of words that can do no harm."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.message.dsn_reader import MAX_RECIPIENTS, read_report
from hongyan.message.trace import find_ids

_HEAD = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n\r\nSorry.\r\n--b\r\n'

CORPUS: list[bytes] = [
    _HEAD + b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n"
    b"Original-Envelope-Id: Q\r\n\r\nOriginal-Recipient: rfc822;a@b.example\r\n"
    b"Final-Recipient: rfc822; <c@d.example>\r\nAction: failed (bounced)\r\n"
    b"Status: 5.1.1 (no such user)\r\nRemote-MTA: dns; r.example ([192.0.2.1])\r\n"
    b"Diagnostic-Code: smtp; 550 5.1.1\r\n <c@d.example> unknown\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Received: from localhost\r\n\tby mx.hongyan.test (Hongyan) with ESMTPSA id 8fe881c3a0661970f0;\r\n\tMon\r\n"
    b"\r\nHi\r\n--b--\r\n",
    _HEAD + b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    b"Reporting-MTA: dns;x\n\nFinal-Recipient: utf-8; \\x{5F20}=E4\\x{D800}@x\nAction: delayed\nStatus: 4.4.7.1\n \n"
    b"Final-Recipient: x400; none\nAction: relayed\n\nOriginal-Recipient: utf-8;a\\x{2B}b@c\nAction: expanded\n",
]
_LONGEST = 8192


def target(octets: bytes) -> None:
    octets = octets[:_LONGEST]
    report = read_report(octets)
    if report is None:
        return
    assert 0 < len(report.recipients) <= MAX_RECIPIENTS
    said = [report.reporter, report.envelope_id]
    for one in report.recipients:
        said += (one.original, one.final, one.text, one.remote)
        assert one.original or one.final
        assert one.status[1] == "."
        assert one.status.replace(".", "").isdigit()
        assert one.code is None or 200 <= one.code < 600
    for text in said:
        assert len(text) <= 1000
        assert not any(sign in text for sign in "\r\n\0\x1b\u2028\u202e")
        text.encode()
    assert report.returned in octets or b"\n" in octets
    for mid in find_ids(report.returned, "mx.hongyan.test"):
        assert mid.isalnum()
