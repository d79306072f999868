"""Well-known resources (RFC 8615): where to report a hole (RFC 9116), how to deliver with TLS (RFC 8461 §3.2), and what
proves that a name is ours (RFC 8555 §8.3).
"""

from __future__ import annotations

__all__ = ["ChallengeAnswers", "mta_sts_domain", "wellknown_routes"]

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hongyan.clock import Clock
from hongyan.web.options import WebOptions

_VALID = timedelta(days=180)  # RFC 9116 §2.5.5 recommends less than a year
_MTA_STS = "mta-sts."


class ChallengeAnswers(Protocol):
    """What proves to a certification authority that names are ours."""

    def find(self, host: str, token: str) -> str | None:
        """Return the answer to a token under a host name."""
        ...

    def asks_for(self, host: str) -> bool:
        """Whether an order under way asks for this name."""
        ...


def mta_sts_domain(host: str) -> str | None:
    """Return the domain whose policy is fetched from this host, if it is such a host."""
    return host.removeprefix(_MTA_STS) if host.startswith(_MTA_STS) else None


def wellknown_routes(
    options: WebOptions,
    clock: Clock,
    find_mta_sts_policy: Callable[[str], str | None],
    challenges: ChallengeAnswers,
) -> list[Route]:
    """Return the routes. `find_mta_sts_policy` gives the text of a domain's policy, if it has one."""

    async def security(request: Request) -> Response:  # noqa: ARG001 - the same for everybody
        if not options.security_contact:
            raise HTTPException(404)
        expires = (clock.now() + _VALID).replace(hour=0, minute=0, second=0, microsecond=0)
        fields = [
            ("Contact", options.security_contact),
            ("Expires", expires.strftime("%Y-%m-%dT%H:%M:%SZ")),
            ("Preferred-Languages", options.security_languages),
            ("Policy", options.security_policy),
        ]
        return PlainTextResponse("".join(f"{name}: {value}\r\n" for name, value in fields if value))

    async def mta_sts(request: Request) -> Response:
        # RFC 8461 §3.3: fetched over HTTPS from the host mta-sts of the domain, and from nowhere else.
        domain = mta_sts_domain((request.url.hostname or "").lower())
        policy = find_mta_sts_policy(domain) if domain and request.url.scheme == "https" else None
        if policy is None:
            raise HTTPException(404)
        return PlainTextResponse(policy, headers={"cache-control": "max-age=300"})

    async def acme_challenge(request: Request) -> Response:
        # RFC 8555 §8.3: what an order under way asks for, under the name that it asks for; anything else is not there.
        answer = challenges.find((request.url.hostname or "").lower(), request.path_params["token"])
        if answer is None:
            raise HTTPException(404)
        return Response(answer, media_type="application/octet-stream")

    return [
        Route("/.well-known/acme-challenge/{token}", acme_challenge),
        Route("/.well-known/security.txt", security),
        Route("/.well-known/mta-sts.txt", mta_sts),
    ]
