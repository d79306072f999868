"""Messages over a WebSocket (RFC 8887 §4.3): requests with an id of their own, and what is pushed.

A message is one JSON object whose `@type` says what it is. What is no such object is answered with an error, and the
socket goes on: only what is no text, or too large, ends it.
"""

from __future__ import annotations

__all__ = [
    "PushDisable",
    "PushEnable",
    "SocketMessage",
    "SocketRequest",
    "change_message",
    "error_message",
    "read_message",
    "response_message",
]

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hongyan.wire.jmap.faults import RequestProblem
from hongyan.wire.jmap.push import state_change
from hongyan.wire.jmap.request import RequestLimits, parse_object

_MAX_ID = 255
_MAX_TYPES = 100
_MAX_POSITION = 64


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A request; its object is read as one that came by HTTP."""

    id: str | None
    value: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PushEnable:
    """From now on changes of these types are wanted, None: of all; `position` is up to where they are known."""

    types: frozenset[str] | None
    position: str | None


@dataclass(frozen=True, slots=True)
class PushDisable:
    """No more changes are wanted."""


SocketMessage = SocketRequest | PushEnable | PushDisable


def read_message(octets: bytes, limits: RequestLimits) -> SocketMessage:
    """Return what a client says. Raises `RequestProblem`."""
    value = parse_object(octets, limits)
    match value.get("@type"):
        case "Request":
            given = value.get("id")
            if given is not None and not (isinstance(given, str) and len(given) <= _MAX_ID):
                raise RequestProblem("notRequest", f"An id is a string of at most {_MAX_ID} characters.")
            return SocketRequest(given, {name: one for name, one in value.items() if name not in ("@type", "id")})
        case "WebSocketPushEnable":
            return PushEnable(_read_types(value.get("dataTypes")), _read_position(value.get("pushState")))
        case "WebSocketPushDisable":
            return PushDisable()
    raise RequestProblem("notRequest", "@type is Request, WebSocketPushEnable or WebSocketPushDisable.")


def response_message(request_id: str | None, response: Mapping[str, object]) -> bytes:
    """Return the answer to a request (§4.3.2)."""
    return _write({"@type": "Response", **_named(request_id), **response})


def error_message(request_id: str | None, problem: RequestProblem) -> bytes:
    """Return what is said of a message that is refused (§4.3.3)."""
    return _write({"@type": "RequestError", "requestId": request_id, **problem.as_json()})


def change_message(account_id: str, changed: Mapping[str, str], position: str) -> bytes:
    """Return what tells of changes; `position` is what WebSocketPushEnable may name later (§4.3.5.1)."""
    return _write({**state_change(account_id, changed), "pushState": position})


def _named(request_id: str | None) -> dict[str, str]:
    return {} if request_id is None else {"requestId": request_id}


def _read_types(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    if isinstance(value, list) and len(value) <= _MAX_TYPES and all(isinstance(one, str) for one in value):
        return frozenset(value)
    raise RequestProblem("notRequest", f"dataTypes is null, or a list of at most {_MAX_TYPES} names.")


def _read_position(value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= _MAX_POSITION):
        return value
    raise RequestProblem("notRequest", "pushState is a string that was told here.")


def _write(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
