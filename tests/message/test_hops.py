"""The way of a message, by its Received fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hongyan.message.hops import MAX_TOLD, Hop, read_hops

TEN = int(datetime(2025, 1, 6, 10, 0, tzinfo=UTC).timestamp())


def test_hops_are_told_in_the_order_of_the_way() -> None:
    header = (
        b"Received: from relay.example.org (relay.example.org [192.0.2.1])\r\n\tby mx.example.net (Postfix) with ESMTPS"
        b" id 4XyZ\r\n\tfor <bob@example.net>; Mon, 6 Jan 2025 18:00:05 +0800 (CST)\r\n"
        b"Subject: Received: from nobody; Mon, 6 Jan 2025 10:00:00 +0000\r\n"
        b"RECEIVED : from laptop ([2001:db8::1]) by relay.example.org; Mon, 6 Jan 2025 10:00:00 +0000\r\n\r\n"
    )
    assert read_hops(header) == (
        Hop("laptop", "relay.example.org", TEN),
        Hop("relay.example.org", "mx.example.net", TEN + 5),
    )


@pytest.mark.parametrize(
    ("value", "hop"),
    [
        (b"from a (by evil) by b; Mon, 6 Jan 2025 10:00:00 +0000", Hop("a", "b", TEN)),
        (b"by b; Mon, 6 Jan 2025 10:00:00 +0000 (early; very)", Hop("", "b", TEN)),
        (b"by b; yesterday", Hop("", "b", None)),
        (b"by b; Mon, 6 Jan 1825 10:00:00 +0000", Hop("", "b", None)),
        (b"by b", Hop("", "b", None)),
        (b"from a\x1b[2J<b> by c\xff\xe9\xb8\xbf", Hop("a?[2J?b?", "c????", None)),
        (b"from a (never closed by b; Mon, 6 Jan 2025 10:00:00 +0000", Hop("a", "", TEN)),
        (b";" * 5000, Hop("", "", None)),
        (b"from " + b"a" * 5000, Hop("a" * 100, "", None)),
        (b"", Hop("", "", None)),
    ],
)
def test_whatever_a_stranger_writes_is_cut_down_to_a_hop(value: bytes, hop: Hop) -> None:
    assert read_hops(b"Received: " + value + b"\r\n") == (hop,)


def test_of_many_hops_those_nearest_to_us_are_told() -> None:
    header = b"".join(b"Received: by s%d\r\n" % number for number in range(100))
    hops = read_hops(header)
    assert len(hops) == MAX_TOLD
    assert (hops[0].taken_by, hops[-1].taken_by) == ("s19", "s0")
