"""Dates in every dress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.message.dates import format_date, parse_date

MOMENT = int(datetime(2025, 1, 6, 1, 59, 58, tzinfo=UTC).timestamp())
MINUTE = MOMENT - 58


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Mon, 06 Jan 2025 09:59:58 +0800", MOMENT),
        (b"Mon, 6 Jan 2025 01:59:58 GMT", MOMENT),
        (b"6 Jan 2025 01:59:58 +0000", MOMENT),
        (b"6 Jan 2025 01:59 Z", MINUTE),
        (b"06 Jan 25 01:59:58 UT", MOMENT),
        (b"Sun, 05 Jan 2025 20:59:58 EST (New York)", MOMENT),
        (b"Sunday, 05-Jan-25 17:59:58 PST", MOMENT),
        (b"Mon,06 Jan 2025 09:59:58 +08:00", MOMENT),
        (b"Mon (a comment), 6 (x) Jan 2025 09 : 59 : 58 +0800", MOMENT),
        (b"Mon Jan  6 01:59:58 2025", MOMENT),
        (b"Mon Jan  6 01:59:58 CET 2025", MOMENT - 3600),
        (b"Jan 6, 2025 1:59 AM", MINUTE),
        (b"6 January 2025 1:59 PM", MINUTE + 12 * 3600),
        (b"Mon, 06 Jan 2025 09:59:58 0800", MOMENT),
        (b"Mon, 06 Jan 2025 09:59:58.123 +0800", MOMENT),
        (b"Tue, 31 Dec 2024 23:59:60 +0000", int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())),
        (b"Mon, 06 Jan 125 01:59:58 +0000", MOMENT),
        (b"Fri, 21 Nov 97 09:55:06 -0600", 880127706),
        (b"Mon, 31 Feb 2025 00:00:00 +0000", None),
        (b"Mon, 06 Jan 2025 25:00:00 +0000", None),
        (b"Mon, 06 Foo 2025 09:59:58 +0800", None),
        (b"Mon, 06 Jan 2025", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
def test_dates_are_read(value: bytes, expected: int | None) -> None:
    assert parse_date(value) == expected


@given(st.integers(-60 * 365 * 86_400, 8000 * 365 * 86_400), st.integers(-12 * 60, 14 * 60))
def test_what_is_written_is_read(seconds: int, zone: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    moment = moment.astimezone(timezone(timedelta(minutes=zone)))
    assert parse_date(format_date(moment).encode()) == seconds
