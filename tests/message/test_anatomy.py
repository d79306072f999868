"""What a message consists of is read once, and holds behind our trace fields too."""

from __future__ import annotations

import pytest

from hongyan.message.analyze import analyze
from hongyan.message.anatomy import Anatomy

LETTER = b"From: a@elsewhere.test\r\nSubject: Geese\r\n\r\nHonk.\r\n"
TRACE = b"Return-Path: <a@elsewhere.test>\r\nReceived: from x\r\n\tby y; Mon, 1 Jan 2026 00:00:00 +0000\r\n"


def test_who_asks_second_gets_what_was_read_for_the_first() -> None:
    anatomy = Anatomy(LETTER)
    assert anatomy.fields is anatomy.fields
    assert anatomy.parts is anatomy.parts
    assert anatomy.fields[b"subject"] == [b"Geese"]
    assert LETTER[anatomy.body :] == b"Honk.\r\n"


def test_what_was_read_without_the_trace_fields_serves_for_the_whole() -> None:
    anatomy = Anatomy(LETTER)
    assert anatomy.is_same_behind(TRACE)
    assert analyze(TRACE, LETTER, anatomy) == analyze(TRACE, LETTER)


@pytest.mark.parametrize(
    ("prefix", "octets"),
    [
        (TRACE, b" folded into the trace\r\n\r\nHonk.\r\n"),
        (TRACE.removesuffix(b"\r\n"), LETTER),
        (b"", LETTER),
        (b"Subject: Ducks\r\n", LETTER),
        (TRACE + b"\r\n", b"No header at all.\r\n"),
        (TRACE, b"\r\nNo header at all.\r\n"),
        (TRACE, b"X: " + 20_000 * b"y" + b"\r\n\r\nHonk.\r\n"),
    ],
    ids=["folded", "no line end", "no prefix", "field of ours", "header ended", "empty header", "long header"],
)
def test_what_trace_fields_change_is_read_anew(prefix: bytes, octets: bytes) -> None:
    assert analyze(prefix, octets, Anatomy(octets)) == analyze(prefix, octets)
