"""Notifications, read back with Python's parser and with ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, Message

import pytest

from hongyan.message.dsn import MAX_RETURNED, Action, RecipientReport, Report, build_report
from hongyan.message.dsn_reader import read_report
from tests.message.invariants import check_analysis
from tests.support.reports import require_exact

AT = datetime(2025, 1, 6, 10, 0, tzinfo=UTC)
ORIGINAL = (
    b"From: ann@hongyan.test\r\nTo: bob@example.org\r\n"
    b"Subject: =?utf-8?b?5Lya6K6u?=\r\nMessage-ID: <1@hongyan.test>\r\n\r\nHello.\r\n"
)
FAILED = RecipientReport(
    address="bob@example.org",
    action=Action.FAILED,
    status="5.1.1",
    original=("rfc822", "bob@example.net"),
    text="550 5.1.1 No such user\r\nhere\x1b[31m",
    is_reply=True,
    remote="mx.example.org",
    attempted_at=AT - timedelta(minutes=1),
    chinese="对方域名下没有这个邮箱。",
    english="There is no such mailbox.",
)
DELAYED = RecipientReport(
    address="carol@example.org",
    action=Action.DELAYED,
    status="4.4.1",
    text="No connection to the mail server",
    retried_until=AT + timedelta(days=4),
)
REPORT = Report(
    host="mx.hongyan.test",
    author="postmaster@hongyan.test",
    sender="ann@hongyan.test",
    message_id="<dsn@hongyan.test>",
    boundary="=_boundary",
    at=AT,
    arrived_at=AT - timedelta(hours=1),
    envelope_id="QQ314159",
    recipients=(FAILED,),
    original=ORIGINAL,
)


def parts_of(report: Report) -> tuple[EmailMessage, list[Message]]:
    octets = build_report(report)
    check_analysis(b"", octets)
    require_exact(octets)
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    message = message_from_bytes(octets, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    parts = message.get_payload()
    assert isinstance(parts, list)
    assert len(parts) == 3
    return message, [part for part in parts if isinstance(part, Message)]


def status_groups(part: Message) -> list[Message]:
    groups = part.get_payload()
    assert isinstance(groups, list)
    return [group for group in groups if isinstance(group, Message)]


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("mx.example.org", "dns; mx.example.org"),
        ("192.0.2.7", "dns; [192.0.2.7]"),
        ("2001:db8::7", "dns; [IPv6:2001:db8::7]"),
        ("", None),
    ],
)
def test_a_host_without_a_name_is_told_as_an_address_literal(host: str, told: str | None) -> None:
    _, (_, programs, _) = parts_of(replace(REPORT, recipients=(replace(FAILED, remote=host),)))
    assert status_groups(programs)[1]["Remote-MTA"] == told


def test_a_failure_is_told_to_people_and_programs() -> None:
    message, (people, programs, returned) = parts_of(REPORT)
    assert message["From"] == "Mail Delivery System <postmaster@hongyan.test>"
    assert message["To"] == "ann@hongyan.test"
    assert message["Subject"] == "邮件未送达 / Not delivered: 会议"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == message["References"] == "<1@hongyan.test>"
    assert message.get_param("report-type") == "delivery-status"
    assert isinstance(people, EmailMessage)
    text = people.get_content()
    for said in (
        "bob@example.org",
        "对方域名下没有这个邮箱。",
        "There is no such mailbox.",
        "550 5.1.1 No such user here",
    ):
        assert said in text
    assert "\x1b" not in text
    about_message, about_bob = status_groups(programs)
    assert about_message["Reporting-MTA"] == "dns; mx.hongyan.test"
    assert about_message["Original-Envelope-Id"] == "QQ314159"
    assert about_message["Arrival-Date"] == "Mon, 6 Jan 2025 09:00:00 +0000"
    assert about_bob["Final-Recipient"] == "rfc822; bob@example.org"
    assert about_bob["Original-Recipient"] == "rfc822; bob@example.net"
    assert about_bob["Action"] == "failed"
    assert about_bob["Status"] == "5.1.1"
    assert about_bob["Remote-MTA"] == "dns; mx.example.org"
    assert about_bob["Diagnostic-Code"] == "smtp; 550 5.1.1 No such user here [31m"
    assert about_bob["Last-Attempt-Date"] == "Mon, 6 Jan 2025 09:59:00 +0000"
    assert about_bob["Will-Retry-Until"] is None
    assert returned.get_content_type() == "message/rfc822"
    assert ORIGINAL in build_report(REPORT)


def test_the_report_is_seven_bit_unless_the_way_takes_more() -> None:
    assert build_report(REPORT).isascii()
    assert not build_report(replace(REPORT, eight_bit=True)).isascii()


def test_a_delay_says_until_when_and_returns_only_the_header() -> None:
    message, (people, programs, returned) = parts_of(replace(REPORT, recipients=(DELAYED,)))
    assert message["Subject"].startswith("邮件暂未送达 / Delayed")
    assert isinstance(people, EmailMessage)
    assert "2025-01-10 10:00 UTC" in people.get_content()
    _, about_carol = status_groups(programs)
    assert about_carol["Will-Retry-Until"] == "Fri, 10 Jan 2025 10:00:00 +0000"
    assert about_carol["Diagnostic-Code"] == "x-hongyan; No connection to the mail server"
    assert returned.get_content_type() == "text/rfc822-headers"
    assert "Hello." not in str(returned.get_payload())


def test_several_recipients_share_one_report() -> None:
    delivered = replace(FAILED, address="dan@example.org", action=Action.DELIVERED, status="2.1.5", text="")
    message, (_, programs, _) = parts_of(replace(REPORT, recipients=(DELAYED, FAILED, delivered)))
    assert message["Subject"].startswith("邮件未送达")
    assert [group["Action"] for group in status_groups(programs)] == [None, "delayed", "failed", "delivered"]


def test_the_header_alone_is_returned_where_asked_for_too_large_or_not_to_be_carried() -> None:
    for report in (
        replace(REPORT, returns_message=False),
        replace(REPORT, original=ORIGINAL + b"x" * MAX_RETURNED),
        replace(REPORT, original=ORIGINAL + "张\r\n".encode()),
    ):
        assert parts_of(report)[1][2].get_content_type() == "text/rfc822-headers"
    eight_bit = replace(REPORT, original=ORIGINAL + "张\r\n".encode(), eight_bit=True)
    assert parts_of(eight_bit)[1][2].get_content_type() == "message/rfc822"


def test_addresses_beyond_ascii_are_spelled_out_or_make_the_report_global() -> None:
    recipient = replace(FAILED, address="用户@例子.中国", original=("utf-8", "用户@例子.中国"))
    ascii_report = replace(REPORT, recipients=(recipient,))
    assert not ascii_report.is_global
    _, about = status_groups(parts_of(ascii_report)[1][1])
    assert about["Final-Recipient"] == "utf-8; \\x{7528}\\x{6237}@\\x{4F8B}\\x{5B50}.\\x{4E2D}\\x{56FD}"

    report = replace(ascii_report, smtputf8=True)
    assert report.is_global
    octets = build_report(report)
    assert b"report-type=global-delivery-status" in octets
    assert b"Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n" in octets
    assert "\r\nFinal-Recipient: utf-8; 用户@例子.中国\r\n".encode() in octets
    assert b"Content-Type: message/global\r\n" in octets


def test_what_stands_in_an_address_or_an_envelope_id_comes_back_as_it_was() -> None:
    recipient = replace(FAILED, address='"a  b"@example.org', original=("utf-8", "a+b=c\\d@example.net"))
    about, fields = require_exact(build_report(replace(REPORT, recipients=(recipient,), envelope_id="two  spaces;+2B")))
    assert about["original-envelope-id"] == "two  spaces;+2B"
    assert fields["final-recipient"] == 'rfc822; "a  b"@example.org'
    assert fields["original-recipient"] == "utf-8; a\\x{2B}b\\x{3D}c\\x{5C}d@example.net"


def test_each_recipient_names_the_log() -> None:
    _, *recipients = require_exact(build_report(replace(REPORT, recipients=(FAILED, DELAYED), log_id="8fe881c3a06619")))
    assert [fields["final-log-id"] for fields in recipients] == ["8fe881c3a06619"] * 2


def test_a_message_with_a_header_in_utf8_comes_back_as_one_by_any_way() -> None:
    original = "Subject: 会议\r\n\r\n正文\r\n".encode()
    octets = build_report(replace(REPORT, original=original))
    assert octets.isascii()
    (returned,) = message_from_bytes(octets).get_payload()[2:]  # type: ignore[index,union-attr]
    assert (returned.get_content_type(), returned["Content-Transfer-Encoding"]) == ("message/global", "base64")
    read = read_report(octets)
    assert read is not None
    assert read.returned == original[: original.index(b"\r\n\r\n") + 4]
    headers = build_report(replace(REPORT, original=original, returns_message=False))
    assert b"Content-Type: message/global-headers\r\n" in headers
    assert b"Content-Type: text/rfc822-headers\r\n" in build_report(
        replace(REPORT, original=b"Subject: \xb9\xfa\r\n\r\n")
    )


def test_nothing_in_a_report_can_forge_a_field() -> None:
    evil = replace(
        FAILED,
        text="550 x\r\nAction: delivered\r\n\r\n--=_boundary",
        remote="mx\r\nStatus: 2.0.0",
        address="a\r\nb@example.org",
    )
    hostile = b"Subject: x\r\n --=_boundary--\r\nMessage-ID: <a@b>\r\n\r\nbody"
    _, (_, programs, _) = parts_of(replace(REPORT, recipients=(evil,), original=hostile, envelope_id="e\r\nX: y"))
    about_message, about_recipient = status_groups(programs)
    assert about_message["X"] is None
    assert about_recipient.get_all("Action") == ["failed"]
    assert about_recipient.get_all("Status") == ["5.1.1"]
