"""Notifications are read: ours, those of other servers, and what only looks like one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hongyan.message.dsn import Action, build_report
from hongyan.message.dsn_reader import MAX_READ, MAX_RECIPIENTS, read_report
from hongyan.message.trace import find_ids
from tests.message.test_dsn import DELAYED, FAILED, REPORT

EXCHANGE = b"""\
From: postmaster@corp.example
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="_b_"

--_b_
Content-Type: multipart/alternative; boundary="_c_"

--_c_
Content-Type: text/plain

Delivery has failed to these recipients.
--_c_--
--_b_
Content-Type: message/delivery-status

Reporting-MTA: dns;HK2PR01.prod.example
Received-From-MTA: dns;mx.hongyan.test
Arrival-Date: Mon, 6 Jan 2025 10:00:00 +0000

Final-Recipient: rfc822;bob@corp.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;
 Recipient bob@corp.example not found by SMTP address lookup

--_b_
Content-Type: message/rfc822

Received: from HK2PR01.prod.example by HK0PR.prod.example with SMTP; Mon, 6 Jan 2025
Received: from localhost
 (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)
 by mx.hongyan.test (Hongyan) with ESMTPSA id 8fe881c3a0661970f0
 for <bob@corp.example>; Mon, 6 Jan 2025 10:00:00 +0000
Received: from x by mx.hongyan.test (Postfix) with ESMTP id 111111111
Subject: x

--_b_--
"""


def test_what_we_write_we_read() -> None:
    report = read_report(build_report(replace(REPORT, recipients=(FAILED, DELAYED))))
    assert report is not None
    assert (report.reporter, report.envelope_id) == ("mx.hongyan.test", "QQ314159")
    failed, delayed = report.recipients
    assert (failed.original, failed.final) == ("bob@example.net", "bob@example.org")
    assert (failed.action, failed.status, failed.code) == (Action.FAILED, "5.1.1", 550)
    assert failed.text == "550 5.1.1 No such user here [31m"
    assert failed.remote == "mx.example.org"
    assert (delayed.action, delayed.status, delayed.code) == (Action.DELAYED, "4.4.1", None)
    assert report.returned.startswith(b"From: ann@hongyan.test\r\n")
    assert b"Hello." not in report.returned


@pytest.mark.parametrize("smtputf8", [True, False])
@pytest.mark.parametrize("address", ["张三@例子.中国", "a+b=c\\d张@例子.中国"])
def test_addresses_beyond_ascii_come_back_in_either_form(address: str, *, smtputf8: bool) -> None:
    recipient = replace(FAILED, address=address, original=("utf-8", address))
    report = read_report(build_report(replace(REPORT, recipients=(recipient,), smtputf8=smtputf8)))
    assert report is not None
    assert (report.recipients[0].original, report.recipients[0].final) == (address, address)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_report_of_exchange_names_the_message_by_our_trace(line_end: bytes) -> None:
    report = read_report(EXCHANGE.replace(b"\n", line_end))
    assert report is not None
    (bob,) = report.recipients
    assert (bob.original, bob.final, bob.status, bob.code) == ("", "bob@corp.example", "5.1.10", 550)
    assert bob.text.endswith("not found by SMTP address lookup")
    assert report.reporter == "HK2PR01.prod.example"
    assert find_ids(report.returned, "MX.hongyan.test") == ["8fe881c3a0661970f0"]
    assert find_ids(report.returned, "other.hongyan.test") == []


def test_an_encoded_report_is_decoded() -> None:
    encoded = EXCHANGE.replace(
        b"message/delivery-status\n", b"message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n"
    ).replace(b"rfc822;bob", b"rfc822;=62ob")
    report = read_report(encoded)
    assert report is not None
    assert report.recipients[0].final == "bob@corp.example"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"multipart/report", b"multipart/mixed"),
        (b"message/delivery-status", b"message/disposition-notification"),
        (b"Final-Recipient: rfc822;", b"Final-Recipient: x400;"),
        (b"Action: failed", b"Action: eaten"),
        (b"Final-Recipient: rfc822;bob@corp.example", b"X-Nobody: 1"),
    ],
)
def test_what_is_no_report_of_a_delivery_is_none(old: bytes, new: bytes) -> None:
    assert read_report(EXCHANGE) is not None
    assert read_report(EXCHANGE.replace(old, new)) is None


def test_a_report_within_another_message_is_not_its_report() -> None:
    forwarded = b"Content-Type: multipart/report; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n" + EXCHANGE
    assert read_report(forwarded + b"\n--o--\n") is None


def test_status_action_and_address_may_carry_words_around_them() -> None:
    odd = EXCHANGE.replace(b"Action: failed", b"Action: Failed (bounced)")
    odd = odd.replace(b"Status: 5.1.10", b"Status: (permanent) 5.1.10 (Unknown)").replace(b";bob@", b";<bob@")
    report = read_report(odd.replace(b"bob@corp.example\nAction", b"bob@corp.example>\nAction"))
    assert report is not None
    assert report.recipients[0].status == "5.1.10"
    assert report.recipients[0].final == "bob@corp.example"


@pytest.mark.parametrize(("action", "status"), [(b"failed", "5.0.0"), (b"delayed", "4.0.0"), (b"relayed", "2.0.0")])
def test_a_status_that_cannot_be_read_says_what_the_action_says(action: bytes, status: str) -> None:
    report = read_report(EXCHANGE.replace(b"Action: failed\nStatus: 5.1.10", b"Action: " + action + b"\nStatus: 9.9"))
    assert report is not None
    assert report.recipients[0].status == status


def test_recipients_and_octets_are_bounded() -> None:
    group = b"Final-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 5.0.0\n\n"
    many = EXCHANGE.replace(b"Final-Recipient: rfc822;bob", group * 1500 + b"Final-Recipient: rfc822;bob")
    report = read_report(many)
    assert report is not None
    assert len(report.recipients) == MAX_RECIPIENTS
    late = EXCHANGE.replace(b"Delivery has failed", b"x" * MAX_READ)
    assert read_report(late) is None
