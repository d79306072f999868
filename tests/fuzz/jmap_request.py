"""A request of JMAP, with the references between its calls, the arguments of each standard method, and a patch.

Invariant: nothing but `RequestProblem`, `MethodError` and `SetError` comes out; what is read has no more levels than
`MAX_DEPTH` and can be written as JSON in UTF-8; the references bring no more values than the purse had; a patch leaves
the record that it is applied to as it was.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import contextlib
import json
from collections.abc import Callable

from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.faults import MethodError, RequestProblem, SetError
from hongyan.wire.jmap.ijson import require_shallow
from hongyan.wire.jmap.patch import apply_patch
from hongyan.wire.jmap.references import Purse, resolve_references
from hongyan.wire.jmap.request import Invocation, RequestLimits, parse_request
from hongyan.wire.jmap.standard import read_changes, read_copy, read_get, read_query, read_query_changes, read_set

_LIMITS = RequestLimits(100_000, 32)
_PURSE = 10_000

_ECHO = (
    b'{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",{"a":[1,{"b":[2,3]}]},"c0"],'
    b'["Core/echo",{"#x":{"resultOf":"c0","name":"Core/echo","path":"/a/1/b/*"}},"c1"]],"createdIds":{"k":"F1"}}'
)
_SET = (
    b'{"using":[],"methodCalls":[["Foo/set",{"ifInState":"s1","create":{"k":{"name":"x"}},"update":{"F1":{"a/b":null,'
    b'"c~1d":2}},"destroy":["#k"]},"c"]]}'
)
_QUERY = (
    b'{"using":[],"methodCalls":[["Foo/query",{"filter":{"operator":"NOT","conditions":[{"a":1},{"operator":"AND",'
    b'"conditions":[]}]},"sort":[{"property":"a","isAscending":false}],"position":-3,"anchor":"F1","limit":5},"c"]]}'
)
_GET = (
    b'{"using":[],"methodCalls":[["Foo/get",{"ids":["a"],"properties":["b"]},"c"],["Foo/changes",{"sinceState":"s",'
    b'"maxChanges":1},"d"]]}'
)
CORPUS: list[bytes] = [_ECHO, _SET, _QUERY, _GET]

_READERS: list[Callable[[Arguments], object]] = [
    lambda of: read_get(of, None, 10),
    read_changes,
    lambda of: read_set(of, 10),
    lambda of: read_copy(of, 10),
    read_query,
    read_query_changes,
]


def target(octets: bytes) -> None:
    try:
        request = parse_request(octets, _LIMITS)
    except RequestProblem:
        return
    purse, responses = Purse(_PURSE), list[Invocation]()
    for call in request.calls:
        require_shallow(call.arguments)
        json.dumps(call.arguments, ensure_ascii=False).encode()
        try:
            arguments = resolve_references(call.arguments, responses, purse)
        except MethodError:
            continue
        assert purse.left >= 0
        responses.append(Invocation(call.name, arguments, call.call_id))
        _read(arguments)


def _read(arguments: dict[str, object] | object) -> None:
    assert isinstance(arguments, dict)
    for read in _READERS:
        with contextlib.suppress(MethodError):
            read(Arguments(arguments))
    before = json.dumps(arguments)
    for patch in list(arguments.values()):
        if isinstance(patch, dict):
            with contextlib.suppress(SetError):
                apply_patch(arguments, patch)
    assert json.dumps(arguments) == before
