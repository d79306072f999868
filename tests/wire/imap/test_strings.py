"""Strings as a server sends them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire.imap.cursor import Cursor
from hongyan.wire.imap.strings import (
    encode_astring,
    encode_date_time,
    encode_literal,
    encode_literal8,
    encode_nstring,
    encode_string,
    encode_text,
)


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"a\nb", b"{3}\r\na\nb"),
        (b"\xe4", b"{1}\r\n\xe4"),
        (b"x" * 1025, b"{1025}\r\n" + b"x" * 1025),
        (b"a\tb", b'"a\tb"'),
    ],
)
def test_a_string_is_quoted_where_it_can_be(octets: bytes, written: bytes) -> None:
    assert encode_string(octets) == written
    assert encode_nstring(octets) == written


def test_utf8_is_quoted_for_who_reads_it() -> None:
    assert encode_string("é".encode()) == "{2}\r\né".encode()
    assert encode_string("é".encode(), utf8=True) == '"é"'.encode()
    assert encode_string(b"\xe9", utf8=True) == b"{1}\r\n\xe9"


def test_nothing_is_nil() -> None:
    assert encode_nstring(None) == b"NIL"
    assert encode_string(b"NIL") == b'"NIL"'


def test_an_astring_is_an_atom_where_nobody_can_mistake_it() -> None:
    assert encode_astring(b"INBOX") == b"INBOX"
    assert encode_astring(b"nil") == b'"nil"'
    assert encode_astring(b"") == b'""'
    assert encode_astring(b"a b") == b'"a b"'
    assert encode_astring(b"a]") == b'"a]"'


def test_literals_tell_their_length() -> None:
    assert encode_literal(b"ab") == b"{2}\r\nab"
    assert encode_literal8(b"\0") == b"~{1}\r\n\0"


def test_text_never_ends_a_line() -> None:
    assert encode_text("a\r\nb\0c\x7f\x85d") == b"a  b c  d"
    assert encode_text("鴻") == b"?"
    assert encode_text("鴻", utf8=True) == "鴻".encode()


def test_a_date_is_told_in_utc() -> None:
    moment = datetime(2026, 2, 1, 7, 5, 9, tzinfo=timezone(timedelta(hours=8)))
    assert encode_date_time(moment) == b'"31-Jan-2026 23:05:09 +0000"'


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - the zone follows
def test_a_date_that_is_told_is_read_back(moment: datetime) -> None:
    told = moment.replace(microsecond=0, tzinfo=UTC)
    assert Cursor(encode_date_time(told)).read_date_time() == told


@given(st.binary().map(lambda octets: octets.replace(b"\0", b"")), st.booleans())
def test_what_is_written_is_read_back(octets: bytes, utf8: bool) -> None:
    assert Cursor(encode_string(octets, utf8=utf8)).read_string() == octets
    assert Cursor(encode_astring(octets, utf8=utf8)).read_astring() == octets
    assert Cursor(encode_nstring(octets, utf8=utf8)).read_nstring() == octets
