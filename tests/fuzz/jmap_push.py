"""What a client says over a WebSocket of JMAP, and the wishes in the URL of an event source.

Invariant: nothing but `RequestProblem` and `ValueError` comes out; what was read as a request is answered with its own
id; wishes name no more types than there may be, and a ping within its bounds; what is told is one event of UTF-8.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import contextlib
import json
from urllib.parse import parse_qsl

from hongyan.wire.jmap.faults import RequestProblem
from hongyan.wire.jmap.push import LEAST_PING, MOST_PING, position_of, read_wishes, select_states, state_event
from hongyan.wire.jmap.request import RequestLimits, read_request
from hongyan.wire.jmap.socket import (
    PushEnable,
    SocketRequest,
    change_message,
    error_message,
    read_message,
    response_message,
)

_LIMITS = RequestLimits(100_000, 32)
_STATES = {"Email": "s1", "Mailbox": "s1", "EmailDelivery": "d1"}

CORPUS = (
    b'{"@type":"Request","id":"R1","using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{},"c"]]}',
    b'{"@type":"WebSocketPushEnable","dataTypes":["Email","Mailbox"],"pushState":"0123456789abcdef"}',
    b'{"@type":"WebSocketPushEnable","dataTypes":null}',
    b'{"@type":"WebSocketPushDisable"}',
    b"types=Email,Mailbox&closeafter=state&ping=300",
    b"types=*&closeafter=no&ping=0",
)


def target(octets: bytes) -> None:
    _message(octets)
    _wishes(octets)


def _message(octets: bytes) -> None:
    try:
        message = read_message(octets, _LIMITS)
    except RequestProblem as problem:
        json.loads(error_message(None, problem))
        return
    if isinstance(message, SocketRequest):
        with contextlib.suppress(RequestProblem):
            read_request(message.value, _LIMITS)
        assert json.loads(response_message(message.id, {})).get("requestId") == message.id
    if isinstance(message, PushEnable):
        json.loads(change_message("A1", select_states(_STATES, message.types), position_of(_STATES)))


def _wishes(octets: bytes) -> None:
    given = dict(parse_qsl(octets.decode("latin-1"), keep_blank_values=True))
    try:
        wishes = read_wishes(given)
    except ValueError:
        return
    assert wishes.ping == 0 or LEAST_PING <= wishes.ping <= MOST_PING
    assert wishes.types is None or len(wishes.types) <= 100
    event = state_event("A1", select_states(_STATES, wishes.types), position_of(_STATES))
    assert event.decode().count("\n\n") == 1
