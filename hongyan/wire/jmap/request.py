"""The Request object (RFC 8620 §3.3): which capabilities, which calls, which ids are known already."""

from __future__ import annotations

__all__ = ["Invocation", "Request", "RequestLimits", "parse_object", "parse_request", "read_request"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hongyan.wire.jmap.faults import RequestProblem
from hongyan.wire.jmap.ijson import JsonFault, parse_ijson
from hongyan.wire.jmap.values import is_id

_MAX_CREATED_IDS = 10_000
_MAX_CAPABILITIES = 100


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What the session object says of requests (RFC 8620 §2): octets, and method calls."""

    size: int
    calls: int


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call or a response (RFC 8620 §3.2). `call_id` is the client's, and comes back with each response."""

    name: str
    arguments: Mapping[str, object]
    call_id: str

    def as_json(self) -> list[object]:
        """Return it as the response holds it."""
        return [self.name, self.arguments, self.call_id]


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `created_ids` is None when the client does not want them back."""

    using: frozenset[str]
    calls: Sequence[Invocation]
    created_ids: Mapping[str, str] | None


def parse_request(octets: bytes, limits: RequestLimits) -> Request:
    """Return the request. Raises `RequestProblem`."""
    return read_request(parse_object(octets, limits), limits)


def parse_object(octets: bytes, limits: RequestLimits) -> Mapping[str, object]:
    """Return the object that these octets are. Raises `RequestProblem`."""
    if len(octets) > limits.size:
        raise RequestProblem(
            "limit", "The request is larger than maxSizeRequest octets.", status=413, limit="maxSizeRequest"
        )
    try:
        value = parse_ijson(octets)
    except JsonFault as fault:
        raise RequestProblem("notJSON", fault.sentence) from None
    if not isinstance(value, dict):
        raise _not_request("The request is no object.")
    return value


def read_request(value: Mapping[str, object], limits: RequestLimits) -> Request:
    """Return the request that an object is. Raises `RequestProblem`."""
    calls = value.get("methodCalls")
    if not isinstance(calls, list):
        raise _not_request("methodCalls is an array of calls.")
    using = _read_using(value.get("using"))
    if len(calls) > limits.calls:
        raise RequestProblem("limit", f"There are more than {limits.calls} calls.", limit="maxCallsInRequest")
    return Request(using, [_read_call(call) for call in calls], _read_created(value.get("createdIds")))


def _read_using(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > _MAX_CAPABILITIES:
        raise _not_request("using is an array of capabilities.")
    if not all(isinstance(one, str) for one in value):
        raise _not_request("A capability is a string.")
    return frozenset(value)


def _read_call(value: object) -> Invocation:
    match value:
        case [str(name), dict(arguments), str(call_id)]:
            return Invocation(name, arguments, call_id)
    raise _not_request("A call is an array of a name, an object of arguments and an id.")


def _read_created(value: object) -> Mapping[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > _MAX_CREATED_IDS:
        raise _not_request("createdIds is an object of ids.")
    if not all(is_id(key) and is_id(one) for key, one in value.items()):
        raise _not_request("createdIds is an object of ids.")
    return value


def _not_request(detail: str) -> RequestProblem:
    return RequestProblem("notRequest", detail)
