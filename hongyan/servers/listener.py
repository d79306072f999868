"""The door: who may come in, and who serves them.

A connection passes, in this order: the PROXY header, if our own proxy brings it (read from the raw socket, before
TLS begins); bans and limits (`admission`); TLS, where the port begins with it; then it is seated: a protocol is made
for it and has the transport. Whoever is refused for a ban is dropped without a word; for a limit, the protocol's
own sentence is said, as long as that is cheap.

Ports that begin in plain text are accepted by the loop itself, which costs half as much as accepting a socket here.
Where a socket must be read before its transport is made (PROXY, TLS), it is accepted here.
"""

from __future__ import annotations

__all__ = ["Listener"]

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Self, cast

from hongyan import telemetry
from hongyan.limits.networks import network_of
from hongyan.servers.admission import Admission, Refusal
from hongyan.servers.arrival import Arrival, ConnectionIds, Endpoint, Served
from hongyan.servers.lifecycle import Lifecycle
from hongyan.servers.proxy import NotProxied, ProxyPolicy
from hongyan.servers.sockets import endpoint_of
from hongyan.servers.tls import HandshakeFailed, Handshakes, tls_info
from hongyan.telemetry import metrics

_BACKLOG = 1024
_AT_ONCE = 64  # connections accepted in one round of the loop
_NOT_OURS = (errno.ECONNABORTED, errno.EPROTO)  # of one connection; the next may be well
_PAUSE = 1.0  # seconds without accepting when the process has no descriptor or memory left
_ABORT_TIMEOUT = 5.0  # seconds that aborted connections have to end their commands

log = telemetry.logger("servers")


class Listener:
    """Some sockets, and the connections that came through them."""

    def __init__(
        self,
        name: str,
        sockets: Sequence[socket.socket],
        serve: Callable[[Arrival], Served],
        *,
        admission: Admission,
        handshakes: Handshakes,
        ids: ConnectionIds,
        find_context: Callable[[], ssl.SSLContext] | None = None,
        implicit_tls: bool = False,
        proxy: ProxyPolicy | None = None,
        farewell: Callable[[str], bytes] | None = None,
        lifecycle: Lifecycle | None = None,
    ) -> None:
        if implicit_tls and find_context is None:
            raise ValueError(f"listener {name} begins with TLS and has no certificates")
        self.name = name
        self.find_context = find_context
        self.endpoints = [endpoint_of(listening.getsockname()) for listening in sockets]
        self._sockets = list(sockets)
        self._serve = serve
        self._admission = admission
        self._handshakes = handshakes
        self._ids = ids
        self._implicit_tls = implicit_tls
        self._proxy = proxy
        self._farewell = farewell
        self._lifecycle = lifecycle
        self._servers: list[asyncio.Server] = []
        self._acceptors: list[_Acceptor] = []
        self._receptions: set[asyncio.Task[None]] = set()
        self._arrivals: dict[Arrival, Served | None] = {}  # None: not seated yet
        self._empty = asyncio.Event()
        self._empty.set()
        self._draining = False
        self._let_in = metrics.connections_total.labels(name)
        self._now_open = metrics.open_connections.labels(name)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def serving(self) -> bool:
        """Whether connections are accepted: what a health check asks."""
        opened = len(self._acceptors) + sum(server.is_serving() for server in self._servers)
        return not self._draining and opened == len(self._sockets)

    @property
    def connections(self) -> int:
        """Connections let in and not gone."""
        return len(self._arrivals)

    async def open(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        for listening in self._sockets:
            if self._implicit_tls or self._proxy is not None:
                self._acceptors.append(_Acceptor(self.name, listening, self._admit))
            else:
                server = await loop.create_server(lambda: _Door(self), sock=listening, backlog=_BACKLOG)
                self._servers.append(server)

    async def drain(self, seconds: float) -> None:
        """Stop accepting, let sessions say farewell, and wait for them; end those that are left after so long."""
        self._stop()
        for served in list(self._arrivals.values()):
            if served is not None:
                served.shutdown()
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            log.warning("drain-cut-short", listener=self.name, connections=len(self._arrivals))
        await self.close()

    async def close(self) -> None:
        """Stop accepting and end all connections."""
        self._stop()
        for reception in self._receptions:
            # Not at once: one that has not begun must begin, to close its socket.
            asyncio.get_running_loop().call_soon(reception.cancel)
        for served in list(self._arrivals.values()):
            if served is not None:
                served.abort()
        if self._receptions:
            await asyncio.wait(self._receptions, timeout=_ABORT_TIMEOUT)
        try:
            async with asyncio.timeout(_ABORT_TIMEOUT):
                await self._empty.wait()
        except TimeoutError:
            log.error("connections-left", listener=self.name, connections=len(self._arrivals))

    def _stop(self) -> None:
        self._draining = True
        for server in self._servers:
            server.close()
        for acceptor in self._acceptors:
            acceptor.stop()
        for listening in self._sockets:
            listening.close()

    # For arrivals.

    def left(self, arrival: Arrival) -> None:
        del self._arrivals[arrival]
        self._admission.leave(arrival.network)
        self._now_open.dec()
        if not self._arrivals:
            self._empty.set()

    def know(self, arrival: Arrival, account: str, client: str) -> None:
        self._admission.know(arrival.network)
        if self._lifecycle is not None:
            self._lifecycle.note(account, client)

    @property
    def notice(self) -> str:
        return "" if self._lifecycle is None else self._lifecycle.notice

    # From accept to seat.

    def _closed(self) -> Refusal | None:
        """Refuse everybody once the last day has come."""
        sentence = "" if self._lifecycle is None else self._lifecycle.refusal
        return Refusal("closed", sentence) if sentence else None

    def _welcome(self, peer: Endpoint, local: Endpoint) -> Arrival | Refusal:
        network = network_of(peer.host)
        refusal = self._closed() or self._admission.enter(peer.host, network)
        if refusal is not None:
            metrics.connections_refused_total.labels(self.name, refusal.reason).inc()
            log.debug("refused", listener=self.name, peer=peer, reason=refusal.reason)
            return refusal
        arrival = Arrival(self._ids.next(), self, peer, local, network)
        self._arrivals[arrival] = None
        self._empty.clear()
        self._let_in.inc()
        self._now_open.inc()
        log.debug("accepted", cid=arrival.cid, listener=self.name, peer=peer)
        return arrival

    def seat(self, arrival: Arrival, transport: asyncio.Transport) -> None:
        """Make the protocol that serves an arrival, and let it have the transport."""
        try:
            served = self._serve(arrival)
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._panic(error)
            transport.abort()
            self.left(arrival)
            return
        self._arrivals[arrival] = served
        transport.set_protocol(cast(asyncio.BaseProtocol, served))
        served.connection_made(transport)
        if self._draining:
            served.shutdown()

    def meet(self, transport: asyncio.Transport) -> None:
        """Somebody came to a port that begins in plain text, and the loop has accepted."""
        name = transport.get_extra_info("peername")
        if not name or self._draining:  # gone already
            transport.abort()
            return
        arrival = self._welcome(endpoint_of(name), endpoint_of(transport.get_extra_info("sockname")))
        if isinstance(arrival, Arrival):
            self.seat(arrival, transport)
        elif arrival.sentence and self._farewell is not None:
            transport.write(self._farewell(arrival.sentence))
            transport.close()
        else:
            transport.abort()

    def _admit(self, accepted: socket.socket, peer: Endpoint) -> None:
        _own(self._receptions, self._receive(accepted, peer))

    async def _receive(self, accepted: socket.socket, peer: Endpoint) -> None:
        """Bring an accepted socket to its seat: PROXY, admission, TLS."""
        try:
            local = endpoint_of(accepted.getsockname())
            if self._proxy is not None:
                peer, local = await self._proxy.identify(accepted, peer, local)
            arrival = self._welcome(peer, local)
            if isinstance(arrival, Arrival):
                await self._bring(accepted, arrival)
            else:
                await self._turn_away(accepted, arrival)
        except NotProxied as refusal:
            metrics.connections_refused_total.labels(self.name, f"proxy-{refusal.cause}").inc()
            log.debug("refused", listener=self.name, peer=peer, reason=f"proxy: {refusal.cause}")
            accepted.close()
        except HandshakeFailed as failure:
            log.debug("handshake-failed", listener=self.name, peer=peer, error=failure.cause)
        except OSError as error:
            log.debug("lost", listener=self.name, peer=peer, error=error)
            accepted.close()
        except Exception as error:  # noqa: BLE001 - the top of a connection
            self._panic(error)
            accepted.close()
        except asyncio.CancelledError:
            accepted.close()
            raise

    async def _bring(self, accepted: socket.socket, arrival: Arrival) -> None:
        seat = _Seat(self, arrival)
        try:
            await self._connect(accepted, seat)
        finally:
            if not seat.taken:
                self.left(arrival)

    async def _turn_away(self, accepted: socket.socket, refusal: Refusal) -> None:
        """Say why, if that is wanted and cheap."""
        if refusal.sentence and self._farewell is not None and not (self._implicit_tls and self._handshakes.busy):
            await self._connect(accepted, _Farewell(self._farewell(refusal.sentence)))
        else:
            accepted.close()

    async def _connect(self, accepted: socket.socket, protocol: asyncio.Protocol) -> None:
        """Make the transport. From here on the socket is its, also when this fails."""
        if self._implicit_tls and self.find_context is not None:
            await self._handshakes.accept(accepted, lambda: protocol, self.find_context, self.name)
        else:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, accepted)

    def _panic(self, error: Exception) -> None:
        metrics.panic_total.labels(self.name).inc()
        log.error("panic", error=error, listener=self.name)


class _Acceptor:
    """Accepts from one socket, a handful in each round of the loop."""

    def __init__(self, name: str, listening: socket.socket, take: Callable[[socket.socket, Endpoint], None]) -> None:
        self._name = name
        self._listening = listening
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._start()

    def stop(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        if self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening)

    def _start(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, name = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _NOT_OURS:
                    continue
                log.error("accept-failed", error=error, listener=self._name)
                self.stop()
                self._pause = self._loop.call_later(_PAUSE, self._start)
                return
            accepted.setblocking(False)
            self._take(accepted, endpoint_of(name))


class _Door(asyncio.Protocol):
    """Stands at a port that begins in plain text until somebody comes in."""

    __slots__ = ("_listener",)

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._listener.meet(cast(asyncio.Transport, transport))


class _Seat(asyncio.Protocol):
    """Kept for an arrival until its transport is ready."""

    __slots__ = ("_arrival", "_listener", "taken")

    def __init__(self, listener: Listener, arrival: Arrival) -> None:
        self._listener = listener
        self._arrival = arrival
        self.taken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.taken = True
        if transport.get_extra_info("ssl_object") is not None:
            self._arrival.tls = tls_info(transport)
        self._listener.seat(self._arrival, cast(asyncio.Transport, transport))


class _Farewell(asyncio.Protocol):
    """Says one sentence and leaves."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        upper = cast(asyncio.Transport, transport)
        upper.write(self._octets)
        upper.close()


def _own(tasks: set[asyncio.Task[None]], work: Coroutine[object, object, None]) -> None:
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
