"""Where commands end, whatever pieces they come in."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hongyan.wire.imap.receiver import (
    BEFORE_LOGIN,
    AppendEnd,
    CommandReceived,
    CommandRefused,
    ContinuationDue,
    Event,
    LineReceived,
    MessageChunk,
    MessageEnd,
    MessageOffered,
    Receiver,
    ReceiverLimits,
    after_login,
)

AFTER_LOGIN = after_login(message=1000, line=200, command=400)


def receive(*octets: bytes, limits: ReceiverLimits = AFTER_LOGIN, accept: bool = True) -> list[Event]:
    """Feed pieces; accept or refuse each message at once; take IDLE's next line as it is."""
    receiver = Receiver(limits)
    events: list[Event] = []
    for piece in octets:
        receiver.receive_data(piece)
        while (event := receiver.next_event()) is not None:
            events.append(event)
            match event:
                case MessageOffered() if accept:
                    receiver.accept_message()
                case MessageOffered():
                    receiver.refuse_message()
                case CommandReceived(text) if text.endswith(b" IDLE"):
                    receiver.expect_line(20)
                case _:
                    pass
    return events


def commands(events: list[Event]) -> list[bytes]:
    return [event.octets for event in events if isinstance(event, CommandReceived)]


# Lines


def test_all_commands_of_a_read_are_found() -> None:
    assert receive(b"a NOOP\r\nb NOOP\r\n\r\nc NO") == [
        CommandReceived(b"a NOOP"),
        CommandReceived(b"b NOOP"),
        CommandReceived(b""),
    ]


def test_a_command_may_come_octet_by_octet() -> None:
    octets = b"a LOGIN {4+}\r\nfred {3}\r\nabc\r\nb NOOP\r\n"
    events = receive(*(octets[at : at + 1] for at in range(len(octets))))
    assert events == [
        ContinuationDue(),
        CommandReceived(b"a LOGIN {4+}\r\nfred {3}\r\nabc"),
        CommandReceived(b"b NOOP"),
    ]


@pytest.mark.parametrize("octets", [b"a NOOP\n", b"\n", b"a\nb NOOP\r\n", b'a SEARCH SUBJECT "x\nb DELETE y"\r\n'])
def test_an_lf_alone_ends_the_connection_and_no_command(octets: bytes) -> None:
    (event,) = receive(octets + b"c NOOP\r\n")
    assert isinstance(event, CommandRefused)
    assert event.closes
    assert event.status == b"BAD"


def test_a_cr_alone_and_a_nul_are_left_to_the_grammar() -> None:
    assert receive(b"a \r NOOP\r\nb \0\r\nc NOOP\r\r\n") == [
        CommandReceived(b"a \r NOOP"),
        CommandReceived(b"b \0"),
        CommandReceived(b"c NOOP\r"),
    ]


def test_a_line_has_a_limit() -> None:
    assert commands(receive(b"a " + b"x" * 198 + b"\r\n")) == [b"a " + b"x" * 198]
    for tail in (b"\r\nb NOOP\r\n", b""):
        (event,) = receive(b"a " + b"x" * 199 + b"\r" + tail)[:1]
        assert event == CommandRefused(b"a", b"BAD", b"LIMIT", "A line has at most 200 octets", closes=True)


def test_a_stranger_may_say_less() -> None:
    assert commands(receive(b"a " + b"x" * 8190 + b"\r\n", limits=BEFORE_LOGIN))
    assert receive(b"a " + b"x" * 8192, limits=BEFORE_LOGIN)[0].closes  # type: ignore[union-attr]
    assert receive(b"a LOGIN {4096}\r\n", limits=BEFORE_LOGIN) == [ContinuationDue()]
    (refused,) = receive(b"a LOGIN {4097}\r\n", limits=BEFORE_LOGIN)
    assert refused == CommandRefused(b"a", b"BAD", b"TOOBIG", "A literal here has at most 4096 octets", closes=False)
    (broken,) = receive(b"a LOGIN {4097+}\r\n", limits=BEFORE_LOGIN)
    assert isinstance(broken, CommandRefused)
    assert broken.closes
    (append,) = receive(b"a APPEND INBOX {4097}\r\n", limits=BEFORE_LOGIN)
    assert isinstance(append, CommandRefused), "APPEND is nothing special before login"


# Literals


def test_a_literal_holds_anything() -> None:
    inside = b"\r\n\n\r\0{3}\r\n"
    octets = b"a X {%d+}\r\n%b y" % (len(inside), inside)
    assert commands(receive(octets + b"\r\n")) == [octets]


def test_a_literal_may_be_empty() -> None:
    assert commands(receive(b"a X {0+}\r\n\r\nb NOOP\r\n")) == [b"a X {0+}\r\n", b"b NOOP"]


def test_a_literal8_is_a_literal() -> None:
    assert commands(receive(b"a X ~{3+}\r\n\0\r\n\r\n")) == [b"a X ~{3+}\r\n\0\r\n"]


@pytest.mark.parametrize(
    "line",
    [b"a X {3", b"a X 3}", b"a X {}", b"a X {+}", b"a X {a}", b"a X {3-}", b"a X {3}x", b"a X {3 }", b'a X "{3}"'],
)
def test_what_only_looks_like_a_literal_is_not(line: bytes) -> None:
    assert commands(receive(line + b"\r\nb NOOP\r\n")) == [line, b"b NOOP"]


def test_a_literal_that_is_too_large_is_refused_before_it_is_asked_for() -> None:
    events = receive(b"a LOGIN {401}\r\nb NOOP\r\n")
    assert isinstance(events[0], CommandRefused)
    assert (events[0].tag, events[0].code, events[0].closes) == (b"a", b"TOOBIG", False)
    assert events[1:] == [CommandReceived(b"b NOOP")]


def test_a_literal_that_is_too_large_and_on_its_way_ends_the_connection() -> None:
    for size in (b"401", b"99999999999999999999", b"9" * 100):
        (event,) = receive(b"a LOGIN {%b+}\r\nb DELETE x\r\n" % size)
        assert isinstance(event, CommandRefused)
        assert (event.tag, event.code, event.closes) == (b"a", b"TOOBIG", True)


def test_all_parts_of_a_command_together_have_a_limit() -> None:
    part = b"{100+}\r\n" + b"x" * 100
    assert commands(receive(b"a X " + part * 3 + b"\r\n"))
    (event,) = receive(b"a X " + part * 4 + b"\r\n")
    assert isinstance(event, CommandRefused)
    assert event.closes
    (waits,) = receive(b"a X " + part * 3 + b"{100}\r\n")
    assert isinstance(waits, CommandRefused)
    assert not waits.closes


# Messages


def test_a_message_streams_by() -> None:
    events = receive(b"a APPEND INBOX (\\Seen) {10}\r\n", b"01234", b"56789\r\nb NOOP\r\n")
    assert events == [
        MessageOffered(b"a APPEND INBOX (\\Seen) {10}", 10, waits=True, binary=False, first=True),
        MessageChunk(b"01234"),
        MessageChunk(b"56789"),
        MessageEnd(has_nul=False),
        AppendEnd(b""),
        CommandReceived(b"b NOOP"),
    ]


def test_a_chunk_is_not_copied_where_it_fills_the_read() -> None:
    receiver = Receiver(after_login(message=1 << 26))
    receiver.receive_data(b"a APPEND INBOX {1048576}\r\n")
    receiver.next_event()
    receiver.accept_message()
    chunk = b"x" * 65536
    receiver.receive_data(chunk)
    event = receiver.next_event()
    assert isinstance(event, MessageChunk)
    assert event.octets is chunk
    assert receiver.buffered == 0


def test_an_idle_connection_keeps_nothing() -> None:
    receiver = Receiver()
    receiver.receive_data(b"a NOOP\r\n" * 1000)
    for _ in range(1000):
        receiver.next_event()
    assert receiver._buffer == b""
    assert receiver._command == b""


def test_the_mailbox_of_append_may_be_a_literal_and_is_no_message() -> None:
    events = receive(b"a append {5}\r\nINBOX {3+}\r\nabc\r\n")
    assert events == [
        ContinuationDue(),
        MessageOffered(b"a append {5}\r\nINBOX {3+}", 3, waits=False, binary=False, first=True),
        MessageChunk(b"abc"),
        MessageEnd(has_nul=False),
        AppendEnd(b""),
    ]


def test_an_append_may_hold_several_messages() -> None:
    events = receive(b"a APPEND b {1+}\r\nx (\\Seen) ~{2+}\r\n\0y UTF8 (~{0}\r\n)\r\n")
    assert [event for event in events if isinstance(event, MessageOffered)] == [
        MessageOffered(b"a APPEND b {1+}", 1, waits=False, binary=False, first=True),
        MessageOffered(b" (\\Seen) ~{2+}", 2, waits=False, binary=True, first=False),
        MessageOffered(b" UTF8 (~{0}", 0, waits=True, binary=True, first=False),
    ]
    assert [event for event in events if isinstance(event, MessageEnd)] == [
        MessageEnd(has_nul=False),
        MessageEnd(has_nul=True),
        MessageEnd(has_nul=False),
    ]
    assert events[-1] == AppendEnd(b")")


def test_nothing_comes_out_until_a_message_is_accepted_or_refused() -> None:
    receiver = Receiver(AFTER_LOGIN)
    receiver.receive_data(b"a APPEND b {1+}\r\nx\r\nb NOOP\r\n")
    assert isinstance(receiver.next_event(), MessageOffered)
    assert receiver.next_event() is None
    assert receiver.buffered == len(b"x\r\nb NOOP\r\n")
    receiver.accept_message()
    assert receiver.next_event() == MessageChunk(b"x")


def test_a_refused_message_that_the_client_holds_back_does_not_come() -> None:
    assert receive(b"a APPEND b {10}\r\nb NOOP\r\n", accept=False)[1:] == [CommandReceived(b"b NOOP")]


def test_a_refused_message_on_its_way_is_skipped_with_all_that_follow_it() -> None:
    octets = b"a APPEND b {3+}\r\n\r\nc {9+}\r\n123456789 {1}\r\nb NOOP\r\n"
    assert receive(octets, accept=False)[1:] == [CommandReceived(b"b NOOP")]
    events = receive(b"a APPEND b {3+}\r\n\r\nc {1001+}\r\n" + b"x" * 1001, accept=False)
    assert events[1:] == [CommandRefused(None, b"BAD", b"TOOBIG", "A message has at most 1000 octets", closes=True)]


def test_a_message_that_is_too_large_is_refused_before_it_is_asked_for() -> None:
    (event, after) = receive(b"a APPEND b {1001}\r\nb NOOP\r\n")
    assert event == CommandRefused(b"a", b"NO", b"TOOBIG", "A message has at most 1000 octets", closes=False)
    assert after == CommandReceived(b"b NOOP")
    (event,) = receive(b"a APPEND b {1001+}\r\nb NOOP\r\n")
    assert isinstance(event, CommandRefused)
    assert (event.tag, event.closes) == (b"a", True)


def test_a_second_message_that_is_too_large_is_refused_under_the_tag_of_its_command() -> None:
    events = receive(b"a APPEND b {1+}\r\nx {1001}\r\nb NOOP\r\n")
    assert events[-2:] == [
        CommandRefused(b"a", b"NO", b"TOOBIG", "A message has at most 1000 octets", closes=False),
        CommandReceived(b"b NOOP"),
    ]


def test_a_message_that_breaks_off_is_only_not_complete() -> None:
    assert receive(b"a APPEND b {10}\r\n012")[1:] == [MessageChunk(b"012")]


def test_messages_can_only_be_decided_when_one_is_offered() -> None:
    for decide in (Receiver.accept_message, Receiver.refuse_message):
        with pytest.raises(ValueError, match="offered"):
            decide(Receiver())


# Modes


def test_the_line_after_idle_is_taken_as_it_is() -> None:
    assert receive(b"a IDLE\r\nDONE\r\nb NOOP\r\n") == [
        CommandReceived(b"a IDLE"),
        LineReceived(b"DONE"),
        CommandReceived(b"b NOOP"),
    ]
    assert receive(b"a IDLE\r\nx {3+}\r\nb NOOP\r\n")[1:] == [LineReceived(b"x {3+}"), CommandReceived(b"b NOOP")]
    (_, refused) = receive(b"a IDLE\r\n" + b"x" * 23)
    assert refused == CommandRefused(None, b"BAD", b"LIMIT", "A line has at most 20 octets", closes=True)


def test_what_was_sent_in_the_clear_is_gone_after_starttls() -> None:
    receiver = Receiver()
    receiver.receive_data(b"a STARTTLS\r\nb LOGIN mallory x\r\nc LOG")
    assert receiver.next_event() == CommandReceived(b"a STARTTLS")
    receiver.discard()
    assert receiver.buffered == 0
    assert receiver.next_event() is None
    receiver.receive_data(b"b NOOP\r\n")
    assert receiver.next_event() == CommandReceived(b"b NOOP")


def test_nothing_is_read_once_closed() -> None:
    receiver = Receiver()
    receiver.close()
    receiver.receive_data(b"a NOOP\r\n")
    assert receiver.next_event() is None
    assert receiver.buffered == 0


def test_limits_rise_at_login() -> None:
    receiver = Receiver()
    receiver.receive_data(b"a LOGIN x y\r\nb APPEND c {5000}\r\n")
    assert receiver.next_event() == CommandReceived(b"a LOGIN x y")
    receiver.set_limits(after_login(message=1 << 20))
    assert isinstance(receiver.next_event(), MessageOffered)


# Any pieces

LINES = st.sampled_from(
    [
        b"a NOOP\r\n",
        b"b IDLE\r\nDONE\r\n",
        b"c LOGIN {4+}\r\nfred {3}\r\nabc\r\n",
        b"d APPEND b (\\Seen) {5+}\r\n1\r\n\r\n {3}\r\na\0b\r\n",
        b"e APPEND {1+}\r\nb ~{300+}\r\n" + b"x\r\n" * 100 + b"\r\n",
        b"f APPEND b {2000}\r\n",
        b"g X {500}\r\n",
        b"h X {500+}\r\n",
        b"i \n\r\n",
        b"j " + b"y" * 250 + b"\r\n",
        b"\r\n",
    ]
)
STREAMS = st.lists(LINES | st.binary(max_size=8) | st.text("{}+~0123 \r\na", max_size=12).map(str.encode), max_size=6)


def normal(events: list[Event]) -> list[Event | bytes]:
    """Join the chunks of a message: where they are cut does not matter."""
    joined: list[Event | bytes] = []
    for event in events:
        if isinstance(event, MessageChunk):
            if joined and isinstance(joined[-1], bytes):
                joined[-1] += event.octets
            else:
                joined.append(event.octets)
        else:
            joined.append(event)
    return joined


@given(STREAMS, st.lists(st.integers(0, 600), max_size=12), st.booleans())
@example([b"d APPEND b {5+}\r\n1\r\n\r\n {3}\r\na\0b\r\n"], list(range(40)), True)
def test_any_pieces_give_the_same_events(stream: list[bytes], cuts: list[int], accept: bool) -> None:
    octets = b"".join(stream)
    ends = [0, *sorted(cuts), len(octets)]
    pieces = [octets[start:stop] for start, stop in itertools.pairwise(ends)]
    whole: Callable[..., list[Event]] = receive
    assert normal(receive(*pieces, accept=accept)) == normal(whole(octets, accept=accept))
