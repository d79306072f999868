"""What the trace fields of a delivered message say of its sender, before it is answered."""

from __future__ import annotations

import pytest

from hongyan.delivery.vacation import _find_sender, _is_forged

PATH = b"Return-Path: <ben@elsewhere.test>\r\n"
RECEIVED = b"Received: from x ([192.0.2.1]) by y (Hongyan) with ESMTP id 1; now\r\n"


def prefix(results: str) -> bytes:
    return PATH + f"Authentication-Results: us.test; {results}\r\n".encode() + RECEIVED


@pytest.mark.parametrize(
    ("results", "is_forged"),
    [
        ("spf=fail smtp.mailfrom=ben@elsewhere.test", True),
        ("spf=pass smtp.mailfrom=ben@elsewhere.test; dmarc=fail header.from=other.test", False),
        ("spf=fail smtp.mailfrom=ben@elsewhere.test; dkim=pass header.d=elsewhere.test", False),
        ("spf=fail smtp.mailfrom=ben@elsewhere.test; dkim=pass header.d=other.test", True),
        ("spf=none smtp.mailfrom=ben@elsewhere.test", False),
        ("none", False),
    ],
)
def test_a_sender_whom_a_check_denies_and_none_vouches_for_is_forged(results: str, is_forged: bool) -> None:
    assert _is_forged(prefix(results)) is is_forged


def test_only_our_own_fields_are_believed() -> None:
    claimed = b"Authentication-Results: us.test; spf=fail smtp.mailfrom=ben@elsewhere.test\r\n"
    assert not _is_forged(PATH + RECEIVED + claimed)


def test_the_sender_is_whom_our_return_path_names() -> None:
    sender = _find_sender(prefix("none"))
    assert sender is not None
    assert str(sender) == "ben@elsewhere.test"
    assert _find_sender(b"Return-Path: <>\r\n" + RECEIVED) is None
    assert _find_sender(b"Return-Path: <no address>\r\n" + RECEIVED) is None
