"""Any octets are a failure that is told in a known form or none: what is read is bounded, on one line and harmless."""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.message.bounce_reader import read_bounce
from hongyan.message.dsn import Action
from hongyan.message.dsn_reader import MAX_RECIPIENTS
from hongyan.message.trace import find_ids

_COPY = b"Received: from localhost\n\tby mx.hongyan.test (Hongyan) with ESMTPSA id 8fe881c3a0661970f0;\n\tMon\n\nHi\n"

CORPUS: list[bytes] = [
    b"Subject: failure notice\n\nHi. This is the qmail-send program at mx.example.\nSorry.\n\n<a@b.example>:\n"
    b"Remote host said: 550 5.1.1 unknown\n \n<c;d@b.example>:\nno 4.4.7\n\n--- Below this line\n\n" + _COPY,
    b"X-Failed-Recipients: a@b.example, <c@d.example>\nFrom: X <Mailer-Daemon@mx.example>\n\nSorry:\n\n"
    b"  a@b.example\n    host x [192.0.2.1]: 550-5.1.1 unknown\n  C@d.example:\n    full\n\n"
    b"------ This is a copy of the message. ------\n\n" + _COPY,
    b"Content-Transfer-Encoding: quoted-printable\nX-Failed-Recipients: a@b\n\n  a@b\n    =E4=80 550 no\n----\n",
]
_LONGEST = 8192


def target(octets: bytes) -> None:
    octets = octets[:_LONGEST]
    report = read_bounce(octets)
    if report is None:
        return
    assert 0 < len(report.recipients) <= MAX_RECIPIENTS
    said = [report.reporter]
    for one in report.recipients:
        said += (one.original, one.final, one.text, one.remote)
        assert one.original or one.final
        assert one.status[0] in "245"
        assert one.status.replace(".", "").isdigit()
        assert one.action in Action
        assert one.code is None or 200 <= one.code < 600
    for text in said:
        assert len(text) <= 1000
        assert not any(sign in text for sign in "\r\n\0\x1b\u2028\u202e")
        text.encode()
    for mid in find_ids(report.returned, "mx.hongyan.test"):
        assert mid.isalnum()
