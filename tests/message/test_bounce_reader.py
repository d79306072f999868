"""What could not be delivered, as qmail and older Exims say it, is read like a notification; other texts are not."""

from __future__ import annotations

import pytest

from hongyan.message.bounce_reader import read_bounce
from hongyan.message.dsn import Action
from hongyan.message.dsn_reader import MAX_RECIPIENTS
from hongyan.message.trace import find_ids

TRACE = """\
Return-Path: <ann@hongyan.test>
Received: from localhost
\tby mx.hongyan.test (Hongyan) with ESMTPSA id 8fe881c3a0661970f0
\tfor <gone@elsewhere.test>; Mon, 6 Jan 2025 10:00:00 +0000
Subject: honk

Honk.
"""
QMAIL = """\
From: MAILER-DAEMON@mx.elsewhere.test
To: ann@hongyan.test
Subject: failure notice

Hi. This is the qmail-send program at mx.elsewhere.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<gone@elsewhere.test>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 No such goose
Giving up on 192.0.2.1.

<full@elsewhere.test>:
mailbox is full

--- Below this line is a copy of the message.

"""
EXIM = """\
X-Failed-Recipients: gone@elsewhere.test,
 full@elsewhere.test
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.elsewhere.test>
To: ann@hongyan.test
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  gone@elsewhere.test
    SMTP error from remote mail server after RCPT TO:<gone@elsewhere.test>:
    host mx.elsewhere.test [192.0.2.250]: 550 5.1.1 No such goose
  full@elsewhere.test
    mailbox is full

------ This is a copy of the message, including all the headers. ------

"""


@pytest.mark.parametrize("form", [QMAIL, EXIM], ids=["qmail", "exim"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_who_did_not_get_it_why_and_what_it_was(form: str, line_end: str) -> None:
    report = read_bounce((form + TRACE).replace("\n", line_end).encode())
    assert report is not None
    assert report.reporter == "mx.elsewhere.test"
    gone, full = report.recipients
    assert (gone.final, gone.action, gone.code, gone.status) == ("gone@elsewhere.test", Action.FAILED, 550, "5.1.1")
    assert "No such goose" in gone.text
    assert (full.final, full.code, full.status, full.text) == ("full@elsewhere.test", None, "5.0.0", "mailbox is full")
    assert find_ids(report.returned, "mx.hongyan.test") == ["8fe881c3a0661970f0"]
    assert b"Honk." not in report.returned


@pytest.mark.parametrize("form", [QMAIL, EXIM], ids=["qmail", "exim"])
def test_without_the_message_there_is_nothing_to_believe(form: str) -> None:
    report = read_bounce(form.partition("---")[0].encode())
    assert report is not None
    assert report.returned == b""


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"Subject: x\n\nHi. This is the vacation program at home.\n\nI am away.\n",
        b"Subject: x\n\nHello\n\nHi. This is the qmail-send program at x.\n\n<a@b>:\nno\n",
        b"X-Failed-Recipients: ,, ,\n\nSorry.\n",
        b"Content-Type: multipart/mixed; boundary=b\nX-Failed-Recipients: a@b\n\n--b\n\nSorry.\n--b--\n",
    ],
)
def test_what_only_looks_so_is_none(octets: bytes) -> None:
    assert read_bounce(octets) is None


def test_an_address_cannot_be_told_as_another_and_recipients_are_bounded() -> None:
    many = "".join(f"<{number}@elsewhere.test>:\nno\n\n" for number in range(MAX_RECIPIENTS + 5))
    report = read_bounce(f"Subject: x\n\nHi. This is the x.\n\n<a\u202eb@c.test>:\nno\n\n{many}".encode())
    assert report is not None
    assert len(report.recipients) == MAX_RECIPIENTS
    assert report.recipients[0].final == "0@elsewhere.test"


def test_the_introduction_is_for_people_and_names_no_host() -> None:
    report = read_bounce(QMAIL.replace("program at mx.elsewhere.test", "program at mx.somewhere.test").encode())
    assert report is not None
    assert report.reporter == "mx.elsewhere.test"
