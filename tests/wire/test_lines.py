"""Lines: where one ends, what is refused, and what is done to the octets of a message."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire.lines import (
    BareNewline,
    CrlfCheck,
    CrlfNormalizer,
    DotStuffer,
    EndlessLine,
    LineFault,
    LineReceiver,
    LineTooLong,
    NulOctet,
    odd_octets,
)

PIECES = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b".", b"\0", b"a", b"bcdefgh", b"\r\n.", b"x" * 30]), max_size=12
)
CUTS = st.lists(st.integers(0, 400), max_size=6)


def cut(octets: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(place % (len(octets) + 1) for place in cuts), len(octets)]
    return [octets[start:end] for start, end in pairwise(places)]


def lines_of(chunks: list[bytes], limit: int = 16) -> list[object]:
    """Everything that a receiver says to these chunks; it stops where it wants the connection closed."""
    receiver = LineReceiver(limit)
    said: list[object] = []
    for chunk in chunks:
        receiver.receive_data(chunk)
        while True:
            try:
                line = receiver.next_line()
            except (BareNewline, EndlessLine) as fault:
                return [*said, type(fault)]
            except LineFault as fault:
                said.append(type(fault))
                continue
            if line is None:
                break
            said.append(line)
    return said


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"", []),
        (b"NOOP", []),
        (b"NOOP\r", []),
        (b"NOOP\r\n", [b"NOOP"]),
        (b"\r\n\r\n", [b"", b""]),
        (b"one\r\ntwo\r\nthr", [b"one", b"two"]),
        (b"12345678901234\r\n", [b"12345678901234"]),
        (b"123456789012345\r\nnext\r\n", [LineTooLong, b"next"]),
        (b"x" * 200 + b"\r\nnext\r\n", [LineTooLong, b"next"]),
        (b"x" * 300 + b"\r\nnext\r\n", [EndlessLine]),
        (b"a\0b\r\nnext\r\n", [NulOctet, b"next"]),
        (b"one\ntwo\r\n", [BareNewline]),
        (b"\n", [BareNewline]),
        (b"one\rtwo\r\n", [BareNewline]),
        (b"one\r\r\n", [BareNewline]),
        (b"one\r\n\ntwo\r\n", [b"one", BareNewline]),
        (b"x" * 40 + b"\n", [BareNewline]),
        ("NEL\u0085LS\u2028\r\n".encode(), [b"NEL\xc2\x85LS\xe2\x80\xa8"]),
        (b"vt\x0bff\x0cfs\x1c\r\n", [b"vt\x0bff\x0cfs\x1c"]),
    ],
)
def test_only_crlf_ends_a_line(octets: bytes, said: list[object]) -> None:
    assert lines_of([octets]) == said
    assert lines_of([octets[i : i + 1] for i in range(len(octets))]) == said


@given(PIECES, CUTS)
def test_any_chunking_gives_the_same_lines(pieces: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(pieces)
    assert lines_of(cut(octets, cuts)) == lines_of([octets])


def test_octets_can_be_taken_as_they_are() -> None:
    receiver = LineReceiver(16)
    receiver.receive_data(b"DATA\r\nabc\r\n.\r\nQUIT\r\n")
    assert receiver.next_line() == b"DATA"
    assert receiver.take(3) == b"abc"
    assert receiver.buffered == 11
    assert receiver.take() == b"\r\n.\r\nQUIT\r\n"
    assert receiver.take() == b""
    receiver.put_back(b"QUIT\r\n")
    receiver.receive_data(b"NOOP\r\n")
    assert receiver.next_line() == b"QUIT"
    assert receiver.next_line() == b"NOOP"
    receiver.receive_data(b"half")
    receiver.clear()
    assert receiver.buffered == 0
    receiver.receive_data(b"a\r\n")
    assert receiver.next_line() == b"a"


def test_an_overlong_line_is_not_kept() -> None:
    receiver = LineReceiver(16)
    for _ in range(10):
        receiver.receive_data(b"x" * 20)
        assert receiver.next_line() is None
        assert receiver.buffered == 1


@pytest.mark.parametrize(
    ("octets", "odd"),
    [
        (b"a\r\nb", b""),
        (b"\r\n\r\n", b""),
        (b"\r\r\n", b"\r"),
        (b"\n\r\n", b"\n"),
        (b"\n\r", b"\n\r"),
        (b"\r\0\n", b"\r\0\n"),
        (b"\rtext\n", b"\r\n"),
        (b"\r\r\n\n", b"\r\n"),
    ],
)
def test_odd_octets_are_what_stands_alone(octets: bytes, odd: bytes) -> None:
    assert odd_octets(octets) == odd


def check(chunks: list[bytes]) -> str:
    checker = CrlfCheck()
    nul = False
    try:
        for chunk in chunks:
            try:
                checker.feed(chunk)
            except NulOctet:
                nul = True
        checker.end()
    except BareNewline:
        return "bare"
    return "nul" if nul else "sound"


def plainly(octets: bytes) -> str:
    rest = octets.replace(b"\r\n", b"")
    return "bare" if b"\r" in rest or b"\n" in rest else "nul" if b"\0" in rest else "sound"


@given(PIECES, CUTS)
def test_any_chunking_checks_the_same(pieces: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(pieces)
    assert check(cut(octets, cuts)) == plainly(octets)


def normalized(chunks: list[bytes]) -> bytes:
    normalizer = CrlfNormalizer()
    return b"".join([*map(normalizer.feed, chunks), normalizer.end()])


@given(PIECES, CUTS)
def test_any_chunking_normalizes_the_same(pieces: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(pieces)
    whole = normalized([octets])
    assert normalized(cut(octets, cuts)) == whole
    assert plainly(whole) != "bare"
    assert normalized([whole]) == whole
    if plainly(octets) != "bare":
        assert whole == octets


def stuffed(chunks: list[bytes]) -> bytes:
    stuffer = DotStuffer()
    return b"".join([*map(stuffer.feed, chunks), stuffer.end()])


@pytest.mark.parametrize(
    ("octets", "wire"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n.\r\n", b"..\r\n..\r\n.\r\n"),
        (b"a.\r\n..b\r\n", b"a.\r\n...b\r\n.\r\n"),
    ],
)
def test_dots_are_stuffed(octets: bytes, wire: bytes) -> None:
    assert stuffed([octets]) == wire
    assert stuffed([octets[i : i + 1] for i in range(len(octets))]) == wire


def test_any_chunking_stuffs_the_same() -> None:
    chance = random.Random(2821)
    for _ in range(20_000):
        octets = b"".join(chance.choices([b"\r\n", b".", b"x", b"\r\n.", b"..", b"\r\n\r\n"], k=chance.randrange(9)))
        lines = octets.split(b"\r\n")
        text = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
        expected = text + (b".\r\n" if octets.endswith(b"\r\n") or not octets else b"\r\n.\r\n")
        assert stuffed(cut(octets, [chance.randrange(99) for _ in range(3)])) == expected
