"""JMAP over WebSocket (RFC 8887): requests and their answers on one connection, and changes as they come.

One coroutine serves a socket: what the peer says is answered one message after the other, and while there is something
to answer nothing more is read. So a socket holds one message, and the last states that its peer has not heard yet.
"""

from __future__ import annotations

__all__ = ["WEB_SOCKET_PATH", "web_socket_capability", "web_socket_route"]

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hongyan.auth.principal import Principal
from hongyan.web.identity import Identities, Unidentified
from hongyan.web.jmap.call import Capability, Visitor
from hongyan.web.jmap.core import WEB_SOCKET, Jmap
from hongyan.web.jmap.routes import guarded, problem
from hongyan.web.jmap.socket_session import SocketSession
from hongyan.web.jmap.streams import Streams
from hongyan.web.life import life_of
from hongyan.web.upgrade import UpgradeFault, accept_upgrade

WEB_SOCKET_PATH = "/jmap/ws"

_SUBPROTOCOL = "jmap"
_MAX_CLIENT = 200


def web_socket_capability() -> Capability:
    """Return what the session object says of it; its URL is added where the session's other URLs are."""
    return Capability(WEB_SOCKET, {}, {"supportsPush": True})


def web_socket_route(identities: Identities, jmap: Jmap, streams: Streams) -> Route:
    """Return the route."""

    async def web_socket(request: Request, principal: Principal) -> Response:
        _require_own_origin(request)
        try:
            answer = accept_upgrade(request, _SUBPROTOCOL)
        except UpgradeFault as fault:
            headers = {"upgrade": "websocket", "sec-websocket-version": "13"} if fault.status == 426 else None
            return problem(fault.status, fault.sentence, headers=headers)
        peer = request.client.host if request.client else ""
        visitor = Visitor(principal, peer=peer, client=request.headers.get("user-agent", "")[:_MAX_CLIENT])
        return _Upgraded(answer, SocketSession(jmap, streams, visitor, life_of(request.scope)))

    return Route(WEB_SOCKET_PATH, guarded(identities, web_socket))


def _require_own_origin(request: Request) -> None:
    """Refuse what another site's page has opened: browsers ask nobody before (RFC 6455 §10.2). Raises `Unidentified`.

    A program says no origin; and what comes with a cookie must say one, for all browsers do.
    """
    origin = request.headers.get("origin")
    if origin is None and "cookie" in request.headers and "authorization" not in request.headers:
        raise Unidentified("The request does not say that it comes from our own pages.", status=403)
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host', '')}":
        raise Unidentified("Another site made this request.", status=403)


class _Upgraded(Response):
    """The answer that is no answer of HTTP any more."""

    def __init__(self, answer: bytes, session: SocketSession) -> None:
        super().__init__(status_code=101)
        self._answer = answer
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - what ASGI gives
        await self._session.run(self._answer)
