"""What every HTTP request passes before a route sees it, and every response on its way out.

A request must name a host that is ours (RFC 9110 §7.2; a browser that was made to believe that a stranger's name is
this machine is sent away with 421), must not be framed in two ways (RFC 9112 §6.1), and has limits of size and
time. A response carries headers that forbid browsers whatever it does not need; an error of ours is logged once and
says nothing of its cause.
"""

from __future__ import annotations

__all__ = ["Guard", "is_near"]

import asyncio
from collections.abc import Callable
from email.utils import format_datetime
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.limits.networks import is_within
from hongyan.telemetry import metrics
from hongyan.web.allowance import Allowance, Allowances, usual_allowances
from hongyan.web.options import WebOptions

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_YEAR = 365 * 24 * 3600
_TOO_LARGE = "The request is too large."

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

log = telemetry.logger("web")


class Guard:
    """Stands around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        options: WebOptions,
        clock: Clock,
        is_ours: Callable[[str], bool],
        allowances: Allowances | None = None,
    ) -> None:
        """`is_ours` tells whether a host name is served that the options do not know."""
        self._app = app
        self._options = options
        self._clock = clock
        self._names = frozenset(name.lower() for name in options.names)
        self._is_ours = is_ours
        self._allowances = allowances or usual_allowances(options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"nobody serves {scope['type']}")
        allowance = self._allowances.find(scope["path"])
        exchange = _Exchange(scope, receive, send, self._clock, allowance.max_body)
        begun = self._clock.monotonic()
        try:
            await self._exchange(exchange, allowance)
        finally:
            metrics.httpserver_request_duration_seconds.labels(
                getattr(scope.get("endpoint"), "__name__", "none"),
                scope["method"] if scope["method"] in _METHODS else "other",
                str(exchange.status),
            ).observe(self._clock.monotonic() - begun)

    async def _exchange(self, exchange: _Exchange, allowance: Allowance) -> None:
        headers = Headers(scope=exchange.scope)
        host = _host_of(headers.getlist("host"))
        if host is None or not self._serves(host, exchange.scope):
            await exchange.refuse(421, "This server does not answer for that host.")
            return
        exchange.is_public = host in self._names
        refusal = self._find_refusal(exchange.scope, headers, allowance.max_body)
        if refusal is not None:
            await exchange.refuse(*refusal)
            return
        try:
            async with asyncio.timeout(allowance.timeout):
                await self._app(exchange.scope, exchange.receive, exchange.send)
        except TimeoutError:
            await exchange.refuse(503, "That took too long; try again later.")
        except Exception as error:  # noqa: BLE001 - the top of a request
            metrics.panic_total.labels("web").inc()
            log.error("panic", error=error, cid=exchange.cid, path=exchange.scope["path"])
            await exchange.refuse(500, "Something went wrong on our side.")

    def _find_refusal(self, scope: Scope, headers: Headers, max_body: int) -> tuple[int, str] | None:
        """Return status and sentence for a request that is not looked at further."""
        if "transfer-encoding" in headers and ("content-length" in headers or scope["http_version"] == "1.0"):
            return 400, "The length of the request is said in two ways."
        size = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(n) + len(v) for n, v in headers.raw)
        if size > self._options.max_header:
            return 431, "The header of the request is too large."
        if int(headers.get("content-length", "0")) > max_body:
            return 413, _TOO_LARGE
        return None

    def _serves(self, host: str, scope: Scope) -> bool:
        if host == "localhost" or host in self._names:
            return True
        local = scope.get("server")
        return (local is not None and host == local[0]) or self._is_ours(host)


class _Exchange:
    """One request and its response."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, clock: Clock, max_body: int) -> None:
        self.scope = scope
        self.status = 0
        self.is_public = False
        self._receive = receive
        self._send = send
        self._clock = clock
        self._left = max_body

    @property
    def cid(self) -> str:
        return str(self.scope.get("state", {}).get("cid", ""))

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, _TOO_LARGE, {"connection": "close"})
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self._headers(message.get("headers", ()))]
        await self._send(message)

    async def refuse(self, status: int, sentence: str) -> None:
        """Answer, if nothing was answered yet, and close the connection."""
        if self.status:
            return
        octets = f"{sentence}\n".encode()
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(octets)).encode()),
            (b"connection", b"close"),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": octets})

    def _headers(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        names = {name.lower() for name, _ in given}
        added = [(b"date", format_datetime(self._clock.now(), usegmt=True).encode()), *_HEADERS]
        if b"cache-control" not in names:
            added.append((b"cache-control", b"no-store"))
        if self.is_public and self.scope["scheme"] == "https":
            # RFC 6797. Not for localhost, where other programs serve plain HTTP under the same name.
            added.append((b"strict-transport-security", f"max-age={_YEAR}".encode()))
        return [(name, value) for name, value in added if name not in names]


def is_near(request: Request, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether a request comes from one of these networks and not through a proxy there."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return is_within(request.client.host, networks)


def _host_of(values: list[str]) -> str | None:
    """Return the host of the Host field without its port, or None unless there is exactly one that is well formed."""
    if len(values) != 1:
        return None
    value = values[0].strip().lower()
    if value.startswith("["):
        host, bracket, port = value[1:].partition("]")
        try:
            host = str(ip_address(host))
        except ValueError:
            return None
        well_formed = bracket and (not port or port.startswith(":"))
        return host if well_formed and port[1:].isdigit() == bool(port) else None
    host, colon, port = value.partition(":")
    if not host or (colon and not port.isdigit()):
        return None
    return host.rstrip(".")
