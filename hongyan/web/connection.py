"""HTTP connections: uvicorn's HTTP/1.1 protocol on our own listeners.

So PROXY, bans, limits, TLS and drain hold for the web as for mail. What uvicorn lacks is added: a deadline for
the header of a request, so that nobody holds a connection by sending an octet now and then; one for the whole
request, and one for reading its answer.
"""

from __future__ import annotations

__all__ = ["HttpConnection", "HttpService"]

import asyncio
import logging
from typing import Protocol, cast

from starlette.types import ASGIApp
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from hongyan import telemetry
from hongyan.telemetry import metrics
from hongyan.web.allowance import Allowances, usual_allowances
from hongyan.web.life import Life
from hongyan.web.options import WebOptions

_FAREWELL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"retry-after: 60\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b\n"
)
_GRACE = 5.0  # seconds after the request's own time-out, in which its answer may still leave

log = telemetry.logger("web")
_invalid = metrics.httpserver_invalid_requests_total


class Peer(Protocol):
    """An address and a port."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Tls(Protocol):
    """What a handshake agreed on."""

    @property
    def version(self) -> str: ...


class Arrival(Protocol):
    """A connection as the listener hands it over."""

    @property
    def cid(self) -> str: ...

    @property
    def peer(self) -> Peer: ...

    @property
    def tls(self) -> Tls | None: ...

    def end(self) -> None:
        """To be called once, when the connection has ended."""
        ...


class HttpService:
    """Serves an application to connections that come through listeners."""

    def __init__(self, app: ASGIApp, options: WebOptions, allowances: Allowances | None = None) -> None:
        # It complains of each stranger's nonsense as a warning, and of an application's errors once more.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.options = options
        self.allowances = allowances or usual_allowances(options)
        self.state = ServerState()
        self.config = Config(
            cast(ASGI3Application, app),
            http=H11Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=options.max_header,
            timeout_keep_alive=max(1, round(options.idle_timeout)),
        )
        self.config.load()

    def serve(self, arrival: Arrival) -> HttpConnection:
        """Return the protocol for a connection."""
        return HttpConnection(self, arrival)

    @staticmethod
    def farewell(sentence: str) -> bytes:
        """Return what a connection over a limit is told."""
        octets = sentence.encode()
        return _FAREWELL % (len(octets) + 1, octets)


class HttpConnection(H11Protocol):
    """One connection. A deadline is always set: for the header, the request, or the end."""

    def __init__(self, service: HttpService, arrival: Arrival) -> None:
        tls = arrival.tls.version if arrival.tls is not None else None
        self._life = Life()
        super().__init__(service.config, service.state, {"cid": arrival.cid, "tls": tls, "life": self._life})
        self._options = service.options
        self._allowances = service.allowances
        self._arrival = arrival
        self._deadline: asyncio.TimerHandle | None = None
        self._idle = False  # between requests
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._life.begin(self.transport, self.flow.drain, self._let_go)
        self.client = (self._arrival.peer.host, self._arrival.peer.port)  # behind a proxy, the one before it
        tls = transport.get_extra_info("ssl_object")
        self.app_state["tls"] = None if tls is None else tls.version()
        self._expect(self._options.header_timeout)

    def data_received(self, data: bytes) -> None:
        if self._life.receive is not None:
            self._life.receive(data)
            return
        served = self._serving
        super().data_received(data)
        if self._serving and not served:
            self._expect_answer()
        elif self._idle and not self._serving:
            self._idle = False
            self._expect(self._options.header_timeout)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._serving:
            self._expect_answer()
        else:
            # uvicorn closes an idle connection; but a peer that does not read would keep it from closing.
            self._idle = True
            self._expect(self._options.idle_timeout + _GRACE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_deadline()
        self._lost = True
        super().connection_lost(exc)
        self._life.over()
        self._arrival.end()

    def send_400_response(self, msg: str) -> None:
        log.debug("invalid-request", cid=self._arrival.cid, peer=self._arrival.peer)
        _invalid.inc()
        super().send_400_response(msg)

    def shutdown(self) -> None:
        """End after the request that is being served."""
        if not self._lost and not self.transport.is_closing():
            super().shutdown()
            self._life.over()

    def abort(self) -> None:
        """End now."""
        if not self._lost:
            self.transport.abort()

    def _let_go(self) -> bytes:
        """Nothing of HTTP is said here any more; return what came too early to be HTTP."""
        self.cycle.disconnected = True
        return self.conn.trailing_data[0]

    @property
    def _serving(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _expect_answer(self) -> None:
        timeout = self._allowances.find(self.scope["path"]).timeout
        if timeout is None:
            self._forget_deadline()  # whoever answers looks after the peer
        else:
            self._expect(timeout + _GRACE)

    def _expect(self, seconds: float) -> None:
        self._forget_deadline()
        if not self._lost:
            self._deadline = self.loop.call_later(seconds, self.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
