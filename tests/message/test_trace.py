"""Trace fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hongyan.message.headers import iterate_fields
from hongyan.message.trace import (
    ReceivedBy,
    count_hops,
    delivered_to_field,
    find_deliveries,
    received_field,
    return_path_field,
)
from hongyan.servers.tls import TlsInfo

AT = datetime(2025, 1, 6, 10, 0, tzinfo=UTC)
TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", None)


def received(**changes: object) -> str:
    values: dict[str, object] = {"helo": "mail.example.org", "peer": "192.0.2.1", "host": "mx.hongyan.test"}
    field = received_field(ReceivedBy(**{**values, "mid": "4XyZ", "at": AT, **changes}))  # type: ignore[arg-type]
    assert len(list(iterate_fields(field))) == 1
    return field.decode()


def test_received_names_client_server_protocol_and_time() -> None:
    assert received(recipient="bob@hongyan.test", tls=TLS) == (
        "Received: from mail.example.org ([192.0.2.1])\r\n"
        "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
        "\tby mx.hongyan.test (Hongyan) with ESMTPS id 4XyZ\r\n"
        "\tfor <bob@hongyan.test>;\r\n"
        "\tMon, 6 Jan 2025 10:00:00 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("changes", "keyword"),
    [
        ({"extended": False}, "SMTP"),
        ({}, "ESMTP"),
        ({"tls": TLS}, "ESMTPS"),
        ({"login": True}, "ESMTPA"),
        ({"tls": TLS, "login": True}, "ESMTPSA"),
        ({"smtputf8": True}, "UTF8SMTP"),
        ({"smtputf8": True, "tls": TLS, "login": True}, "UTF8SMTPSA"),
    ],
)
def test_the_protocol_has_its_registered_keyword(changes: dict[str, object], keyword: str) -> None:
    assert f" with {keyword} id " in received(**changes)


def test_what_a_client_says_of_itself_cannot_leave_its_place() -> None:
    field = received(helo="x) by evil; (\r\nSubject: y", peer="2001:db8::1")
    assert field.startswith("Received: from x??by?evil?????Subject:?y ([IPv6:2001:db8::1])\r\n\tby mx.hongyan.test")
    assert "\nSubject" not in field


def test_a_hidden_client_is_not_named() -> None:
    assert "192.0.2.1" not in received(hides_peer=True)
    assert "mail.example.org" not in received(hides_peer=True)


def test_hops_are_counted_in_the_header_only() -> None:
    octets = b"Received: a\r\nreceived : b\r\nX-Received: c\r\nSubject: x\r\n Received: d\r\n\r\nReceived: e\r\n"
    assert count_hops(octets) == 2
    assert count_hops(received().encode() * 100 + b"\r\n") == 100


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Received: a",
        b"RECEIVED\t \t: a\nreceived:\r\nreceived\r\n:b\n",
        b" Received: a\r\nX: b\r\n\tReceived: c\r\nreceivedx: d\r\nreceived x: e\r\n",
        b"received\x0b: a\r\nx\rreceived: b\r\nreceived: c\r\n",
        b"received" + b" " * 5000 + b":\r\n" * 3,
    ],
)
def test_a_hop_is_a_line_that_begins_a_received_field(header: bytes) -> None:
    lines = [line.lower() for line in header.split(b"\n")]
    hops = sum(line.startswith(b"received") and line[8:].lstrip(b" \t").startswith(b":") for line in lines)
    assert count_hops(header + b"\r\n\r\nReceived: not in the header\r\n") == hops


def test_return_path_and_delivered_to() -> None:
    assert return_path_field(None) == b"Return-Path: <>\r\n"
    assert return_path_field("a@b") == b"Return-Path: <a@b>\r\n"
    field = delivered_to_field("Bob@hongyan.test")
    assert field == b"Delivered-To: Bob@hongyan.test\r\n"
    octets = field + b"Delivered-To: <carol@hongyan.test>\r\n\r\nDelivered-To: dan@hongyan.test\r\n"
    assert find_deliveries(octets) == {"bob@hongyan.test", "carol@hongyan.test"}
