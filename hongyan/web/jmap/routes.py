"""The resources of JMAP: the session object, and where requests go (RFC 8620 §2, §3.1)."""

from __future__ import annotations

__all__ = ["jmap_routes", "problem", "write_json"]

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hongyan.auth.principal import Principal
from hongyan.web.identity import Identities, Unidentified
from hongyan.web.jmap.call import Visitor
from hongyan.web.jmap.core import Jmap
from hongyan.wire.jmap.faults import RequestProblem

_MAX_CLIENT = 200
_SESSION_HEADERS = {"cache-control": "no-cache, no-store, must-revalidate"}  # RFC 8620 §2

Answer = Callable[[Request, Principal], Awaitable[Response]]


def jmap_routes(jmap: Jmap, identities: Identities, base_url: str) -> list[Route]:
    """Return the routes. `base_url` is where the web is, without a slash at its end; empty: where the request came."""

    async def session(request: Request, principal: Principal) -> Response:
        return write_json(jmap.session(principal, base_url or base_of(request)), headers=_SESSION_HEADERS)

    async def api(request: Request, principal: Principal) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise RequestProblem("notJSON", "The content type is application/json.")
        visitor = Visitor(
            principal,
            peer=request.client.host if request.client else "",
            client=request.headers.get("user-agent", "")[:_MAX_CLIENT],
        )
        return write_json(await jmap.answer(visitor, await request.body()))

    async def well_known(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        return RedirectResponse("/jmap/session", 307)  # RFC 8620 §2.2

    return [
        Route("/.well-known/jmap", well_known),
        Route("/jmap/session", guarded(identities, session)),
        Route("/jmap", guarded(identities, session)),  # for those who know but one address
        Route("/jmap", guarded(identities, api), methods=["POST"]),
    ]


def guarded(identities: Identities, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint for those who say who they are; problems are told as RFC 7807 has them."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request, await identities.identify(request))
        except Unidentified as fault:
            return problem(fault.status, fault.sentence, headers=fault.headers)
        except RequestProblem as fault:
            return write_json(fault.as_json(), fault.status, media_type="application/problem+json")

    endpoint.__name__ = answer.__name__
    return endpoint


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None) -> Response:
    """Return a problem that has no type of its own (RFC 7807 §4.2)."""
    document: dict[str, object] = {"type": "about:blank", "status": status, "detail": detail}
    return write_json(document, status, headers=headers, media_type="application/problem+json")


def write_json(
    value: dict[str, object],
    status: int = 200,
    *,
    headers: dict[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """Return a response in JSON. What no UTF-8 can say becomes a question mark."""
    octets = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(octets, status, headers, media_type)


def base_of(request: Request) -> str:
    """Return where the request came, by its Host field: the guard has made sure that it is ours."""
    return f"{request.url.scheme}://{request.url.netloc}"
