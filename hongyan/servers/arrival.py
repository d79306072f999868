"""A connection as it came through the door: who, at which of our addresses, under which TLS."""

from __future__ import annotations

__all__ = ["Arrival", "ConnectionIds", "Endpoint", "House", "Served"]

import itertools
import ssl
from collections.abc import Callable
from typing import NamedTuple, Protocol

from hongyan.clock import Random
from hongyan.servers.tls import Successor, TlsInfo


class Endpoint(NamedTuple):
    """An address and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Served(Successor, Protocol):
    """The asyncio protocol that serves a connection, with what a listener asks of it."""

    def shutdown(self) -> None:
        """The server stops: end as soon as it may be done politely."""
        ...

    def abort(self) -> None:
        """End now."""
        ...


class House(Protocol):
    """What an arrival needs of its listener."""

    @property
    def name(self) -> str:
        """The listener's name, for logs and metrics."""
        ...

    @property
    def find_context(self) -> Callable[[], ssl.SSLContext] | None:
        """Returns the TLS context of now; None where TLS is not offered."""
        ...

    def left(self, arrival: Arrival) -> None:
        """The connection has ended."""
        ...

    @property
    def notice(self) -> str:
        """A sentence for whoever reads greetings; empty where all is well."""
        ...

    def know(self, arrival: Arrival, account: str, client: str) -> None:
        """The peer has proved who it is, and says what program it is."""
        ...


class Arrival:
    """One accepted connection. `peer` is the client, also where a proxy stands between."""

    __slots__ = ("cid", "house", "local", "network", "peer", "tls")

    def __init__(self, cid: str, house: House, peer: Endpoint, local: Endpoint, network: str) -> None:
        self.cid = cid
        self.house = house
        self.peer = peer
        self.local = local
        self.network = network
        """The peer's network as limits count it (`limits.networks`)."""
        self.tls: TlsInfo | None = None

    @property
    def notice(self) -> str:
        """What the listener has to say to all who come; mostly nothing."""
        return self.house.notice

    def end(self) -> None:
        """Tell the listener that the connection has ended. To be called once, when nothing more happens for it."""
        self.house.left(self)

    def know(self, account: str, client: str) -> None:
        """Tell the listener that this peer has logged in: it comes first when places grow few."""
        self.house.know(self, account, client)


class ConnectionIds:
    """Names for connections that no other process or run gives: a random beginning and a count."""

    def __init__(self, chance: Random) -> None:
        self._beginning = chance.token(4).hex()
        self._count = itertools.count(1)

    def next(self) -> str:
        """Return the next name."""
        return f"{self._beginning}-{next(self._count):x}"
