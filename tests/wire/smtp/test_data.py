"""DATA and BDAT: the message's octets, however they are cut, and every way to fake their end."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from hongyan.wire.lines import DotStuffer
from hongyan.wire.smtp.data import BareNewline, BdatReceiver, DataReceiver

# Octets that other servers have taken for the end of the message: smtpsmuggling.com and its successors
# (CVE-2023-51764, CVE-2023-51765, CVE-2023-51766, VU#302671).
FALSE_ENDS = [
    first + b"." + last
    for first in (b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\r\n\r", b"\r\n\0", b"\n\n", b"\r\r", b"\0\r\n")
    for last in (b"\n", b"\r", b"\r\n", b"\n\r", b"\r\r\n", b"\0\r\n", b"\r\0\n", b"\n\n", b"\r\r", b" \r\n")
]
FALSE_ENDS = [end for end in FALSE_ENDS if b"\r\n.\r\n" not in end]


def receive(chunks: list[bytes]) -> tuple[bytes, bytes, bool] | type[BareNewline]:
    """What a receiver says: message, rest, and whether it holds a NUL; or that it gave up."""
    receiver = DataReceiver()
    message = b""
    try:
        for number, chunk in enumerate(chunks):
            message += receiver.feed(chunk)
            if receiver.done:
                return message, receiver.rest + b"".join(chunks[number + 1 :]), receiver.holds_nul
    except BareNewline:
        return BareNewline
    return message, b"unfinished", receiver.holds_nul


def plainly(octets: bytes) -> tuple[bytes, bytes, bool] | type[BareNewline] | None:
    """The same, written down a second time and without chunks; None where the end is missing."""
    end = (b"\r\n" + octets).find(b"\r\n.\r\n")
    if end < 0:
        return None
    wire = octets[: max(end, 0)]
    without = wire.replace(b"\r\n", b"")
    if b"\r" in without or b"\n" in without:
        return BareNewline
    lines = [line.removeprefix(b".") for line in wire.split(b"\r\n")]
    return b"\r\n".join(lines), octets[end + 3 :], b"\0" in wire


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    return [octets[start:end] for start, end in pairwise([0, *sorted(places), len(octets)])]


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"...a\r\n.\r\n", b"..a\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n"),
        (b"a\r\n. \r\n.\r\n", b"a\r\n \r\n"),
        ("é\u0085\u2028\x0b\x0c\x1c\r\n.\r\n".encode(), "é\u0085\u2028\x0b\x0c\x1c\r\n".encode()),
    ],
)
def test_dots_are_undone(wire: bytes, message: bytes) -> None:
    rest = b"QUIT\r\n"
    for place in range(len(wire) + 1):
        assert receive(cut(wire + rest, [place])) == (message, rest, False)
    assert receive([wire[i : i + 1] for i in range(len(wire))]) == (message, b"", False)


@pytest.mark.parametrize("end", FALSE_ENDS, ids=repr)
def test_no_false_end_is_taken_for_the_end(end: bytes) -> None:
    """After one of these, MAIL must still be part of the message, or the connection is closed."""
    wire = b"Subject: one\r\n\r\nbody%bMAIL FROM:<evil@evil.example>\r\nDATA\r\n.\r\nQUIT\r\n" % end
    result = receive([wire])
    for place in range(len(wire)):
        assert receive(cut(wire, [place])) == result
    if result is not BareNewline:
        message, rest, _ = result
        assert b"MAIL FROM:<evil@evil.example>" in message
        assert rest == b"QUIT\r\n"
    if end.replace(b"\r\n", b"").strip(b". \0"):
        assert result is BareNewline


@pytest.mark.slow
def test_60_000_random_messages_cut_four_ways_come_out_the_same() -> None:
    chance = random.Random(5321)
    pieces = [b"\r", b"\n", b"\r\n", b".", b"a", b"\0", b"\r\n.", b"\r\n.\r\n", b"text"]
    weights = [1, 1, 9, 9, 9, 1, 9, 1, 9]
    for _ in range(60_000):
        octets = b"".join(chance.choices(pieces, weights, k=chance.randrange(1, 12))) + b"\r\n.\r\nQUIT\r\n"
        expected = plainly(octets)
        assert receive([octets]) == expected
        assert receive(cut(octets, [chance.randrange(len(octets))])) == expected
        assert receive(cut(octets, [chance.randrange(len(octets)) for _ in range(4)])) == expected


def test_what_is_stuffed_comes_out_as_it_was() -> None:
    chance = random.Random(5322)
    for _ in range(5_000):
        message = b"".join(chance.choices([b"\r\n", b".", b"a", b"\r\n.", b".."], k=chance.randrange(1, 12))) + b"\r\n"
        stuffer = DotStuffer()
        assert receive([stuffer.feed(message), stuffer.end()]) == (message, b"", False)


def test_whole_chunks_are_not_copied() -> None:
    receiver = DataReceiver()
    receiver.feed(b"first line\r\n")
    receiver.feed(b"in the middle")
    chunk = b"of a line, to the middle of another\r\nas most chunks of a large message are"
    assert receiver.feed(chunk) is chunk


class TestBdat:
    """Chunks by size."""

    def test_octets_are_counted(self) -> None:
        receiver = BdatReceiver()
        receiver.expect(5)
        receiver.feed(b"a\r")
        assert receiver.wanted == 3
        receiver.feed(b"\n.\r")
        assert receiver.wanted == 0
        receiver.expect(1)
        receiver.feed(b"\n")
        receiver.end()
        with pytest.raises(ValueError, match="chunk"):
            receiver.feed(b"x")

    @pytest.mark.parametrize("octets", [b"\n", b"a\nb", b"a\rb", b"\r", b"a\r\r\n"])
    def test_a_bare_newline_is_found(self, octets: bytes) -> None:
        for place in range(len(octets)):
            receiver = BdatReceiver()
            receiver.expect(len(octets))
            with pytest.raises(BareNewline):
                self.feed_all(receiver, octets, place)

    def feed_all(self, receiver: BdatReceiver, octets: bytes, place: int) -> None:
        receiver.feed(octets[:place])
        receiver.feed(octets[place:])
        receiver.end()

    def test_a_nul_is_noted(self) -> None:
        receiver = BdatReceiver()
        receiver.expect(3)
        receiver.feed(b"a\0b")
        assert receiver.holds_nul
