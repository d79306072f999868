"""The PROXY protocol on a socket that nothing else has read.

The header, and not one octet more, is taken from the socket: what follows it, TLS or plain text, is for whoever comes
next. Only networks that the operator names are believed; from them a header is demanded, for else a client that
reaches the proxy's address could choose its own.
"""

from __future__ import annotations

__all__ = ["NotProxied", "ProxyOptions", "ProxyPolicy"]

import asyncio
import socket
from dataclasses import dataclass

from hongyan.errors import PeerFault
from hongyan.limits.networks import is_within, parse_networks
from hongyan.options import option
from hongyan.servers.arrival import Endpoint
from hongyan.wire.proxy import ProxyFault, ProxyHeader, ProxyReceiver

_PEEK = 1024  # octets looked at together; a header may be longer


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """Whether a proxy stands before a listener."""

    networks: tuple[str, ...] = option((), "Networks of proxies, which begin with a PROXY header (v1 or v2).")
    direct: bool = option(False, "Whether other networks may connect too, without a header.")
    timeout: float = option(5.0, "How long a proxy may take for its header.", unit="s")

    def __post_init__(self) -> None:
        parse_networks(self.networks)
        if self.timeout <= 0:
            raise ValueError("the time-out of a PROXY header is positive")


class NotProxied(PeerFault):
    """No header, a bad one, or a peer that may not send one: the connection is dropped."""


class ProxyPolicy:
    """Who may speak for whom."""

    def __init__(self, options: ProxyOptions) -> None:
        self._networks = parse_networks(options.networks)
        self._direct = options.direct
        self._timeout = options.timeout

    async def identify(self, accepted: socket.socket, peer: Endpoint, local: Endpoint) -> tuple[Endpoint, Endpoint]:
        """Return client and server address of a connection that was just accepted. Raises `NotProxied`."""
        if not is_within(peer.host, self._networks):
            if self._direct:
                return peer, local
            raise NotProxied(cause="untrusted")
        try:
            async with asyncio.timeout(self._timeout):
                header = await _read(accepted)
        except TimeoutError as error:
            raise NotProxied(cause="timeout") from error
        except OSError as error:
            raise NotProxied(cause="lost") from error
        source, destination = header.source, header.destination
        return (
            Endpoint(source.host, source.port) if source else peer,
            Endpoint(destination.host, destination.port) if destination else local,
        )


async def _read(accepted: socket.socket) -> ProxyHeader:
    receiver = ProxyReceiver()
    while True:
        await _readable(accepted)
        try:
            seen = accepted.recv(_PEEK, socket.MSG_PEEK)
        except BlockingIOError:  # a false alarm of the kernel
            continue
        if not seen:
            raise NotProxied(cause="lost")
        try:
            header = receiver.feed(seen)
        except ProxyFault as fault:
            raise NotProxied(cause="malformed") from fault
        _take(accepted, len(seen) - len(receiver.rest))
        if header is not None:
            return header


def _take(accepted: socket.socket, count: int) -> None:
    """Take octets that were seen; the kernel has them, so they come at once."""
    while count:
        count -= len(accepted.recv(count))


async def _readable(waited_for: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(waited_for, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(waited_for)
