"""The core of JMAP: a request's calls one after the other, each by its method (RFC 8620 §3, §4)."""

from __future__ import annotations

__all__ = ["CORE", "WEB_SOCKET", "Jmap"]

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from hongyan import telemetry
from hongyan.auth.principal import Principal
from hongyan.errors import HongyanError, OverQuota, ServerFault, UserFault
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.web.jmap.blob import blob_copy
from hongyan.web.jmap.call import Call, Capability, CreatedIds, Method, Visitor, account_id_of
from hongyan.web.jmap.options import JmapOptions
from hongyan.wire.jmap.arguments import Arguments
from hongyan.wire.jmap.faults import MethodError, RequestProblem
from hongyan.wire.jmap.references import Purse, resolve_references
from hongyan.wire.jmap.request import Invocation, Request, RequestLimits, parse_request, read_request

CORE = "urn:ietf:params:jmap:core"
WEB_SOCKET = "urn:ietf:params:jmap:websocket"

_COLLATIONS = ("i;ascii-numeric", "i;ascii-casemap", "i;unicode-casemap")
_IN_A_THREAD = 256 * 1024  # octets; a greater request is parsed beside the loop
_MAX_RESPONSES = 4  # responses for each call, implicit ones included

log = telemetry.logger("jmap")


class Jmap:
    """Answers requests."""

    def __init__(
        self, capabilities: Sequence[Capability], options: JmapOptions, more: Mapping[str, Method] | None = None
    ) -> None:
        """`more` are further methods of the core."""
        self._capabilities = (_core(options, more or {}), *capabilities)
        self._options = options
        self.limits = RequestLimits(options.max_size_request, options.max_calls_in_request)
        self._methods: dict[str, tuple[str, Method]] = {
            name: (capability.uri, method)
            for capability in self._capabilities
            for name, method in capability.methods.items()
        }
        self._uris = frozenset(capability.uri for capability in self._capabilities)
        self._busy: Counter[AccountId] = Counter()

    # -- the session object

    def session(self, principal: Principal, base: str) -> dict[str, object]:
        """Return the session object (RFC 8620 §2); `base` is the URL of the web without a slash at its end."""
        session = self._session(principal)
        capabilities = {of.uri: self._located(of.uri, base, of.server) for of in self._capabilities}
        return session | {
            "capabilities": capabilities,
            "apiUrl": f"{base}/jmap",
            "downloadUrl": f"{base}/jmap/download/{{accountId}}/{{blobId}}/{{name}}?accept={{type}}",
            "uploadUrl": f"{base}/jmap/upload/{{accountId}}",
            "eventSourceUrl": f"{base}/jmap/eventsource?types={{types}}&closeafter={{closeafter}}&ping={{ping}}",
            "state": _digest(session),
        }

    @staticmethod
    def _located(uri: str, base: str, told: Mapping[str, object]) -> Mapping[str, object]:
        """Return a capability with its URL (RFC 8887 §4.2), if it has one."""
        return {"url": f"ws{base.removeprefix('http')}/jmap/ws", **told} if uri == WEB_SOCKET else dict(told)

    def session_state(self, principal: Principal) -> str:
        """Return what changes when the session object does."""
        return _digest(self._session(principal))

    def _session(self, principal: Principal) -> dict[str, object]:
        account_id = account_id_of(principal.account)
        own = {of.uri: dict(of.account) for of in self._capabilities if of.account is not None}
        account = {
            "name": str(principal.address),
            "isPersonal": True,
            "isReadOnly": False,
            "accountCapabilities": own,
        }
        return {
            "capabilities": {of.uri: dict(of.server) for of in self._capabilities},
            "accounts": {account_id: account},
            "primaryAccounts": {uri: account_id for uri in own if uri != CORE},
            "username": str(principal.address),
        }

    # -- requests

    async def answer(self, visitor: Visitor, octets: bytes) -> dict[str, object]:
        """Carry out a request and return the Response object. Raises `RequestProblem`."""
        if len(octets) > _IN_A_THREAD:
            return await self._counted(visitor, lambda: asyncio.to_thread(parse_request, octets, self.limits))
        return await self._counted(visitor, lambda: _at_once(parse_request(octets, self.limits)))

    async def answer_object(self, visitor: Visitor, value: Mapping[str, object]) -> dict[str, object]:
        """Do the same for a request whose JSON is parsed already. Raises `RequestProblem`."""
        return await self._counted(visitor, lambda: _at_once(read_request(value, self.limits)))

    async def _counted(self, visitor: Visitor, parse: Callable[[], Awaitable[Request]]) -> dict[str, object]:
        """Answer within the number of requests that an account may have under way. Raises `RequestProblem`."""
        account = visitor.principal.account
        if self._busy[account] >= self._options.max_concurrent_requests:
            raise RequestProblem("limit", "Too many requests are under way.", status=429, limit="maxConcurrentRequests")
        self._busy[account] += 1
        try:
            return await self._answer(visitor, await parse())
        finally:
            self._busy[account] -= 1
            if not self._busy[account]:
                del self._busy[account]

    async def _answer(self, visitor: Visitor, request: Request) -> dict[str, object]:
        unknown = sorted(request.using - self._uris)
        if unknown:
            raise RequestProblem("unknownCapability", f"This server does not know {unknown[0][:200]!r}.")
        run = _Run(self, Visitor(visitor.principal, request.using, visitor.peer, visitor.client), request)
        await run.all()
        response: dict[str, object] = {
            "methodResponses": [one.as_json() for one in run.responses],
            "sessionState": self.session_state(visitor.principal),
        }
        if request.created_ids is not None:
            response["createdIds"] = run.created.ids
        return response

    def find_method(self, name: str, using: frozenset[str]) -> Method:
        """Return the method of that name. Raises `MethodError` unless its capability is used (RFC 8620 §3.3)."""
        uri, method = self._methods.get(name, ("", None))
        if method is None or uri not in using:
            raise MethodError("unknownMethod")
        return method

    @property
    def max_referenced(self) -> int:
        """How many values the references of a request may bring."""
        return self._options.max_referenced


class _Run:
    """One request on its way through the methods."""

    def __init__(self, jmap: Jmap, visitor: Visitor, request: Request) -> None:
        self._jmap = jmap
        self._visitor = visitor
        self._request = request
        self._purse = Purse(jmap.max_referenced)
        self.created = CreatedIds(request.created_ids)
        self.responses: list[Invocation] = []

    async def all(self) -> None:
        """Make the calls in their order (RFC 8620 §3.10)."""
        for call in self._request.calls:
            await self._one(call, _MAX_RESPONSES)

    async def _one(self, invocation: Invocation, left: int) -> None:
        try:
            call, method = self._prepare(invocation)
            arguments = await method.handler(call)
        except MethodError as error:
            self._respond(Invocation("error", error.as_json(), invocation.call_id))
            return
        except Exception as error:  # noqa: BLE001 - the top of a call: the others of the request are carried out
            self._respond(Invocation("error", _explain(error, invocation.name), invocation.call_id))
            return
        self._respond(Invocation(invocation.name, arguments, invocation.call_id))
        for implicit in call.then[: left - 1]:
            await self._one(Invocation(implicit.name, implicit.arguments, invocation.call_id), 1)

    def _prepare(self, invocation: Invocation) -> tuple[Call, Method]:
        method = self._jmap.find_method(invocation.name, self._visitor.using)
        given = invocation.arguments
        arguments = Arguments(resolve_references(given, self.responses, self._purse))
        account = self._visitor.principal.account
        if method.takes_account and arguments.id("accountId") != account_id_of(account):
            # Another's account and none at all are told the same.
            raise MethodError("accountNotFound")
        return Call(invocation.name, account, arguments, self._visitor, self.created), method

    def _respond(self, response: Invocation) -> None:
        self.responses.append(response)


async def _at_once(request: Request) -> Request:
    return request


def _explain(error: Exception, name: str) -> dict[str, object]:
    """Return the arguments of the error response for what a method has not foreseen."""
    match error:
        case OverQuota():
            return MethodError("overQuota", error.sentence).as_json()
        case UserFault():
            return MethodError("forbidden", error.sentence).as_json()
        case ServerFault():
            log.warning("method-failed", method=name, error=error)
            return MethodError("serverUnavailable", "Try again later.").as_json()
        case HongyanError():
            return MethodError("invalidArguments", error.sentence).as_json()
    metrics.panic_total.labels("jmap").inc()
    log.error("panic", error=error, method=name)
    return MethodError("serverFail", "Something went wrong on our side.").as_json()


def _core(options: JmapOptions, more: Mapping[str, Method]) -> Capability:
    server = {
        "maxSizeUpload": options.max_size_upload,
        "maxConcurrentUpload": options.max_concurrent_upload,
        "maxSizeRequest": options.max_size_request,
        "maxConcurrentRequests": options.max_concurrent_requests,
        "maxCallsInRequest": options.max_calls_in_request,
        "maxObjectsInGet": options.max_objects_in_get,
        "maxObjectsInSet": options.max_objects_in_set,
        "collationAlgorithms": list(_COLLATIONS),
    }
    methods = {"Core/echo": Method(_echo, takes_account=False), "Blob/copy": Method(blob_copy), **more}
    return Capability(CORE, methods, server, {})


async def _echo(call: Call) -> Mapping[str, object]:
    """RFC 8620 §4."""
    return call.arguments.rest()


def _digest(session: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(session, sort_keys=True).encode()).hexdigest()[:16]
