"""Octets of an IMAP client give the same events in any pieces, within the limits, and none after the end.

The first octet says how the stream is cut and whether messages are accepted.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.wire.imap.receiver import (
    CommandReceived,
    CommandRefused,
    Event,
    LineReceived,
    MessageChunk,
    MessageOffered,
    Receiver,
    after_login,
)

CORPUS: list[bytes] = [
    b"\x01a NOOP\r\nb IDLE\r\nDONE\r\nc LOGIN {4+}\r\nfred {3}\r\nabc\r\n",
    b"\x07a APPEND b (\\Seen) {5+}\r\n1\r\n\r\n ~{3}\r\na\0b\r\nb NOOP\r\n",
    b"\x08a APPEND {1+}\r\nb {30+}\r\n012345678901234567890123456789 {9+}\r\n123456789\r\nb NOOP\r\n",
    b"\x03a APPEND b {2000}\r\nb X {500+}\r\n",
    b"\x10a X\n\r\nb NOOP\r\n",
    b"\x02a X {0+}\r\n{0}\r\n\r\n",
]

_LIMITS = after_login(message=1000, line=300, command=600)
_LONGEST = 4096


def target(octets: bytes) -> None:
    if not octets:
        return
    size, accept = (octets[0] >> 1) + 1, bool(octets[0] & 1)
    stream = octets[1:_LONGEST]
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    whole = _receive([stream], accept=accept)
    assert _receive(pieces, accept=accept) == whole
    for event in whole[:-1]:
        assert not (isinstance(event, CommandRefused) and event.closes), "it goes on after the end"


def _receive(pieces: list[bytes], *, accept: bool) -> list[Event | bytes]:
    receiver = Receiver(_LIMITS)
    events: list[Event | bytes] = []
    for piece in pieces:
        receiver.receive_data(piece)
        while (event := receiver.next_event()) is not None:
            if isinstance(event, MessageChunk) and events and isinstance(events[-1], bytes):
                events[-1] += event.octets
                continue
            events.append(event.octets if isinstance(event, MessageChunk) else event)
            _check(receiver, event, accept=accept)
    return events


def _check(receiver: Receiver, event: Event, *, accept: bool) -> None:
    match event:
        case MessageOffered(size=size):
            assert size <= _LIMITS.message
            if accept:
                receiver.accept_message()
            else:
                receiver.refuse_message()
        case CommandReceived(text):
            assert len(text) <= _LIMITS.command + _LIMITS.line
            if text.endswith(b"IDLE"):
                receiver.expect_line(20)
        case LineReceived(text):
            assert len(text) <= 20
        case _:
            pass
