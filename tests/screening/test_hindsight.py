"""Who is praised or blamed for a message later: only whom this server's own trace vouches for."""

from __future__ import annotations

import pytest

from hongyan.screening.hindsight import Hindsight, read_trace

RECEIVED = b"Received: from relay.test ([192.0.2.7])\r\n\tby mail.hongyan.test (Hongyan) with ESMTP id x;\r\n\tnow\r\n"
RESULTS = b"Authentication-Results: mail.hongyan.test;\r\n\t%b\r\n"


def trace(results: bytes, sender: bytes = b"Ann@Elsewhere.test") -> bytes:
    return b"Return-Path: <" + sender + b">\r\n" + (RESULTS % results if results else b"") + RECEIVED


def told(prefix: bytes) -> tuple[str | None, str | None, str | None]:
    found = read_trace(prefix)
    return None if found.sender is None else found.sender.canonical, found.domain, found.peer


def test_spf_vouches_for_the_sender() -> None:
    prefix = trace(b"spf=pass smtp.mailfrom=ann@elsewhere.test")
    assert told(prefix) == ("ann@elsewhere.test", "elsewhere.test", "192.0.2.7")


def test_a_signature_vouches_for_its_domain_alone() -> None:
    assert told(trace(b"dkim=pass header.d=signer.test")) == (None, "signer.test", "192.0.2.7")


@pytest.mark.parametrize(
    "results", [b"", b"spf=fail smtp.mailfrom=elsewhere.test", b"dkim=fail header.d=elsewhere.test"]
)
def test_without_a_pass_only_the_network_is_known(results: bytes) -> None:
    assert told(trace(results)) == (None, None, "192.0.2.7")


def test_what_stands_behind_our_received_is_a_strangers() -> None:
    forged = trace(b"spf=none") + RESULTS % b"spf=pass smtp.mailfrom=elsewhere.test"
    assert told(forged) == (None, None, "192.0.2.7")
    assert told(RECEIVED + b"Received: from x ([203.0.113.1])\r\n") == (None, None, "192.0.2.7")


@pytest.mark.parametrize("prefix", [b"", b"\0\xff", b"Received: x\r\n", b"Return-Path: <>\r\nReceived: from ([x])\r\n"])
def test_strange_traces_say_nothing(prefix: bytes) -> None:
    assert read_trace(prefix) == Hindsight()
