"""What a hostile client tries: smuggling, pipelining out of turn, injection, floods."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.wire.smtp import replies
from hongyan.wire.smtp.events import Hello, MailFrom, MessageChunk, MessageEnd, Question
from hongyan.wire.smtp.offer import Offer
from hongyan.wire.smtp.server import ServerConnection

Play = Callable[..., Any]
Say = Callable[..., ServerConnection]

START = (b"EHLO a.example", b"MAIL FROM:<a@other.example>", b"RCPT TO:<ann@hongyan.test>", b"DATA")
FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\n\n.\r\n",
    b"\r\n\r.\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\n",
    b"\n\r\n.\r\n",
    b"\r\n\n.\n\r\n",
]
MARTIANS = [
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\n. \r\n",
    b"\xe2\x80\xa8.\xe2\x80\xa8",  # U+2028 and the next are line ends for str.splitlines
    b"\xc2\x85.\xc2\x85",
    b"\x0b.\x0b",
    b"\x1c.\x1c",
]


@pytest.mark.parametrize("end", FALSE_ENDS, ids=repr)
@pytest.mark.parametrize("bytewise", [False, True])
def test_a_smuggled_message_is_refused_and_the_connection_closes(
    say: Say, inbound: Offer, end: bytes, bytewise: bool
) -> None:
    """Whatever some other server takes for the end of a message, here it ends the session."""
    connection = say(inbound, *START)
    wire = b"Subject: first\r\n\r\nx%bMAIL FROM:<admin@hongyan.test>\r\nDATA\r\nx\r\n.\r\n" % end
    for piece in [wire[i : i + 1] for i in range(len(wire))] if bytewise else [wire]:
        connection.receive_data(piece)
        for event in connection.events():
            assert not isinstance(event, MailFrom | MessageEnd)
    assert connection.data_to_send() == replies.BARE_NEWLINE_IN_MESSAGE.octets
    assert connection.closing


@pytest.mark.parametrize("end", MARTIANS, ids=repr)
def test_what_only_looks_like_an_end_is_part_of_the_message(say: Say, inbound: Offer, end: bytes) -> None:
    connection = say(inbound, *START)
    connection.receive_data(b"x" + end + b"MAIL FROM:<admin@hongyan.test>\r\n.\r\n")
    for event in connection.events():
        assert not isinstance(event, MailFrom)
        if isinstance(event, MessageChunk):
            assert b"MAIL FROM" in event.octets
        if isinstance(event, MessageEnd):
            connection.accept()
    assert not connection.closing
    assert connection.data_to_send() in (replies.MESSAGE_ACCEPTED.octets, replies.NUL_IN_MESSAGE.octets)


@pytest.mark.parametrize(
    "line",
    [b"MAIL FROM:<a@b.c>\nRCPT TO:<a@b.c>\r\n", b"NOOP\rRSET\r\n", b"NOOP\n", b"NO\0OP\r\n", b"\n", b"x" * 99_999],
    ids=lambda line: repr(line[:20]),
)
def test_a_command_line_that_another_server_reads_otherwise_closes(say: Say, inbound: Offer, line: bytes) -> None:
    connection = say(inbound, START[0])
    connection.receive_data(line + b"NOOP\r\n")
    list(connection.events())
    assert connection.data_to_send().startswith(b"500 5.5.2 ")
    assert connection.closing


@pytest.mark.parametrize(
    "group",
    [
        "C: EHLO a.example\nC: MAIL FROM:<a@b.c>",
        "C: HELO a.example\nC: NOOP",
        "C: MAIL FROM:<a@b.c>\nC: EHLO a.example\nC: RSET",
        "C: DATA\nC: x\nC: .",
    ],
)
def test_nothing_may_follow_a_synchronization_point(play: Play, group: str) -> None:
    """RFC 2920 §3.1. An attacker who makes a web browser post mail cannot wait for our answers."""
    before = "C: MAIL FROM:<a@b.c>\nC: RCPT TO:<ann@hongyan.test>\nS: 250 …\nS: 250 …\n" if "DATA" in group else ""
    first = "S: 250 2.1.0 …\n" if group.startswith("C: MAIL") else ""
    play(before + group + "\n" + first + "S: 554 5.5.0 Commands came before…\nS: (closes)", hello=True)


def test_nothing_may_follow_auth(play: Play, submission: Offer) -> None:
    for group in ("C: AUTH PLAIN AGFubgBzZWNyZXQ=\nC: MAIL FROM:<a@b.c>", "C: AUTH LOGIN\nC: YW5u\nC: c2VjcmV0"):
        play(group + "\nS: 554 5.5.0 …\nS: (closes)", submission, tls=True, hello=True)
    play("C: AUTH LOGIN\nS: 334 …\nC: YW5u\nC: c2VjcmV0\nS: 554 5.5.0 …\nS: (closes)", submission, tls=True, hello=True)


def test_who_speaks_before_the_greeting_is_turned_away(inbound: Offer) -> None:
    connection = ServerConnection(inbound)
    connection.receive_data(b"EHLO a.example\r\n")
    assert connection.next_event() is None
    connection.greet()
    assert connection.data_to_send() == replies.OUT_OF_STEP.octets
    assert connection.closing


def test_who_does_not_wait_for_354_is_turned_away(say: Say, inbound: Offer) -> None:
    """Also where the content comes while policy thinks."""
    connection = say(inbound, *START[:-1])
    connection.receive_data(b"DATA\r\n")
    assert connection.next_event()
    connection.receive_data(b"Subject: x\r\n\r\n.\r\n")
    connection.accept()
    assert connection.data_to_send() == replies.OUT_OF_STEP.octets
    assert connection.closing
    assert next(connection.events()).reply == replies.OUT_OF_STEP


def test_who_does_not_wait_for_the_answer_to_ehlo_is_turned_away(say: Say, inbound: Offer) -> None:
    connection = say(inbound)
    connection.receive_data(b"EHLO a.example\r\n")
    assert connection.next_event()
    connection.receive_data(b"NOOP\r\n")
    connection.accept()
    assert connection.data_to_send() == replies.OUT_OF_STEP.octets


def test_content_of_a_refused_message_is_never_read_as_commands(play: Play) -> None:
    """A page that posts DATA and commands at once gets nowhere."""
    policy = play("C: DATA\nC: MAIL FROM:<a@b.c>\nC: .\nS: 554 5.5.0 …\nS: (closes)", hello=True)
    assert not any(isinstance(event, MailFrom) for event in policy.events)


@pytest.mark.parametrize(
    "name",
    [r"a.example\r", r"a.example\0", r"a\x1bb", r"a.example (by evil.example)", "x;y", 'x" y', "<x>", r"x\xc2\x85y"],
)
def test_a_name_cannot_break_a_header_line(play: Play, name: str) -> None:
    policy = play("S: 220 …\nC: NOOP\nS: 250 …")
    policy.connection.receive_data(b"EHLO " + name.encode().decode("unicode_escape").encode("latin-1") + b"\r\n")
    policy.run()
    for event in policy.events:
        if isinstance(event, Hello):
            assert not set(event.name) & set('\r\n\0 ();<>"\\\x1b\x85')


def test_a_flood_of_recipients_is_bounded(play: Play) -> None:
    refused = "C: RCPT TO:<bad@@bad>\nS: 501 5.1.3 …\n"
    play("C: MAIL FROM:<>\nS: 250 …\n" + refused * 3 + "C: RCPT TO:<bad>\nS: 421 …\nS: (closes)", hello=True)


def transcript(chunks: list[bytes], offer: Offer) -> tuple[bytes, list[object], bool]:
    """All that a session says and tells, with every question answered by yes."""
    connection = ServerConnection(offer, tls=True)
    connection.greet()
    said, told = b"", []
    for chunk in chunks:
        connection.receive_data(chunk)
        for event in connection.events():
            if isinstance(event, Question):
                connection.accept()
            if isinstance(event, MessageChunk) and told and isinstance(told[-1], bytes):
                told[-1] += event.octets
            else:
                told.append(event.octets if isinstance(event, MessageChunk) else event)
        said += connection.data_to_send()
    return said, told, connection.closing


LINES = st.lists(
    st.sampled_from(
        [
            b"MAIL FROM:<a@b.c>\r\n",
            b"MAIL FROM:<a@b.c> SIZE=99999\r\n",
            b"RCPT TO:<ann@hongyan.test>\r\n",
            b"RCPT TO:<bad>\r\n",
            b"BDAT 4\r\n.\r\nx",
            b"BDAT 7 LAST\r\nQUIT\r\n\0",
            b"BDAT 3 LAST\r\na\nb",
            b"BDAT 900 LAST\r\n" + b"x" * 900,
            b"BDAT 1200\r\n" + b"y" * 1200,
            b"RSET\r\n",
            b"NOOP \0\r\n",
            b"NOOP\r\n",
            b"bogus\r\n",
            b"x" * 5000 + b"\r\n",
            b"QUIT\r\n",
            b"lf\n",
        ]
    ),
    max_size=10,
)


@given(LINES, st.lists(st.integers(0, 9999), max_size=6))
def test_any_chunking_of_pipelined_commands_gives_the_same(lines: list[bytes], cuts: list[int]) -> None:
    offer = Offer("mx.hongyan.test", max_message=1000, max_recipients=2, max_faults=5, max_idle_commands=8)
    octets = b"".join(lines)
    places = [0, *sorted(place % (len(octets) + 1) for place in cuts), len(octets)]
    pieces = [octets[start:end] for start, end in pairwise(places)]
    assert transcript([b"EHLO a.example\r\n", *pieces], offer) == transcript([b"EHLO a.example\r\n", octets], offer)


def test_any_chunking_of_a_message_gives_the_same(inbound: Offer) -> None:
    chance = random.Random(99)
    start = [line + b"\r\n" for line in START]
    pieces_of_text = [b"\r\n", b".", b"x", b"\r\n.", b"\0", b"\r", b"\n", b"x" * 400]
    for _ in range(2_000):
        octets = b"".join(chance.choices(pieces_of_text, [9, 9, 9, 9, 1, 1, 1, 3], k=8))
        octets += b"\r\n.\r\nMAIL FROM:<b@b.c>\r\nNOOP\r\n"
        places = [0, *sorted(chance.randrange(len(octets)) for _ in range(4)), len(octets)]
        pieces = [octets[start:end] for start, end in pairwise(places)]
        said, told, closing = transcript(start + pieces, inbound)
        whole_said, whole_told, whole_closing = transcript([*start, octets], inbound)
        assert (said, closing) == (whole_said, whole_closing)
        if told[-1] == whole_told[-1] and not closing:
            messages = [event for event in told if isinstance(event, MessageEnd)]
            assert messages == [event for event in whole_told if isinstance(event, MessageEnd)]
