"""Where mail programs ask for their settings. What is answered depends on the domain alone, never on the account.

Thunderbird and its kin ask at autoconfig.DOMAIN, at DOMAIN itself, and at a directory of providers, if they are told of
ours; Outlook at autodiscover.DOMAIN and DOMAIN; programs that speak PACC at ua-auto-config.DOMAIN, by HTTPS alone.
"""

from __future__ import annotations

__all__ = ["ClientSettingsSource", "autoconfig_routes"]

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from hongyan.domains.client_documents import (
    MAX_REQUEST,
    AutodiscoverFault,
    autoconfig_xml,
    autodiscover_error,
    autodiscover_json,
    autodiscover_xml,
    pacc_octets,
    read_autodiscover,
)
from hongyan.domains.client_settings import ClientSettings, find_domain
from hongyan.errors import Unavailable
from hongyan.limits.networks import network_of
from hongyan.store.counters import Counters

_PER_MINUTE: Final = 120
_MINUTE: Final = 60.0
_XML: Final = "application/xml"
_JSON: Final = "application/json"

Handler = Callable[[Request], Awaitable[Response]]


class ClientSettingsSource(Protocol):
    """Knows the settings of our domains."""

    def find(self, domain: str) -> ClientSettings | None:
        """Return what is told of a domain as listeners run now; None if it is not ours."""
        ...

    def find_pacc(self, domain: str) -> ClientSettings | None:
        """Return what PACC tells of a domain; None if it is not ours, or PACC cannot say it."""
        ...

    def autodiscover_url(self) -> str:
        """Return where Autodiscover is answered by HTTPS; empty if nowhere."""
        ...


def autoconfig_routes(source: ClientSettingsSource, counters: Counters) -> list[Route]:
    """Return the routes."""
    places = _Places(source)

    def limited(handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            await _take(counters, request)
            return await handler(request)

        return answer

    return [
        Route("/mail/config-v1.1.xml", limited(places.autoconfig)),
        Route("/.well-known/autoconfig/mail/config-v1.1.xml", limited(places.autoconfig)),
        Route("/.well-known/mail-v1.xml", limited(places.autoconfig)),
        Route("/autoconfig/v1.1/{domain}", limited(places.directory)),
        Route("/autodiscover/autodiscover.xml", limited(places.autodiscover), methods=["GET", "POST"]),
        Route("/Autodiscover/Autodiscover.xml", limited(places.autodiscover), methods=["GET", "POST"]),
        Route("/AutoDiscover/AutoDiscover.xml", limited(places.autodiscover), methods=["GET", "POST"]),
        Route("/autodiscover/autodiscover.json", limited(places.autodiscover_json)),
        Route("/autodiscover/autodiscover.json/v1.0/{address}", limited(places.autodiscover_json)),
        Route("/.well-known/user-agent-configuration.json", limited(places.pacc)),
    ]


class _Places:
    def __init__(self, source: ClientSettingsSource) -> None:
        self._source = source

    async def autoconfig(self, request: Request) -> Response:
        """Tell Thunderbird: by the address if it says one, else by the host that it asks."""
        address = request.query_params.get("emailaddress", "")
        return self._autoconfig(address.rpartition("@")[2] if "@" in address else find_domain(_host(request)))

    async def directory(self, request: Request) -> Response:
        """Tell Thunderbird as its directory of providers does."""
        return self._autoconfig(request.path_params["domain"])

    def _autoconfig(self, domain: str) -> Response:
        settings = self._source.find(domain)
        if settings is None:
            raise HTTPException(404)
        return Response(autoconfig_xml(settings), media_type=_XML)

    async def autodiscover(self, request: Request) -> Response:
        """Tell Outlook. In the clear it is led to HTTPS and told nothing else."""
        if request.url.scheme != "https":
            url = self._source.autodiscover_url()
            if request.method != "GET" or not url:
                raise HTTPException(404)
            return RedirectResponse(url, 302)
        try:
            address = read_autodiscover(await _read(request))
        except AutodiscoverFault:
            return Response(autodiscover_error(), media_type=_XML)
        settings = self._source.find(address.rpartition("@")[2])
        octets = autodiscover_error() if settings is None else autodiscover_xml(settings, address)
        return Response(octets, media_type=_XML)

    async def autodiscover_json(self, request: Request) -> Response:
        """Lead Outlook to the XML."""
        url = self._source.autodiscover_url()
        if not url:
            raise HTTPException(404)
        status, octets = autodiscover_json(request.query_params.get("Protocol", ""), url)
        return Response(octets, status, media_type=_JSON)

    async def pacc(self, request: Request) -> Response:
        """Tell programs that speak PACC."""
        host = _host(request)
        settings = self._source.find_pacc(find_domain(host)) if host.startswith("ua-auto-config.") else None
        if settings is None or request.url.scheme != "https":
            raise HTTPException(404)
        # What is told is for everybody: a program of the web may read it as well.
        return Response(pacc_octets(settings), media_type=_JSON, headers={"access-control-allow-origin": "*"})


def _host(request: Request) -> str:
    return (request.url.hostname or "").lower()


async def _read(request: Request) -> bytes:
    octets = b""
    async for piece in request.stream():
        octets += piece
        if len(octets) > MAX_REQUEST:
            raise AutodiscoverFault
    return octets


async def _take(counters: Counters, request: Request) -> None:
    """Count a question of a network. Raises `HTTPException`. When the counters are away, it passes."""
    network = network_of(request.client.host) if request.client is not None else ""
    try:
        wait = await counters.take(f"autoconfig {network}", _PER_MINUTE, _MINUTE)
    except Unavailable:
        return
    if wait:
        raise HTTPException(429, headers={"retry-after": str(int(wait) + 1)})
