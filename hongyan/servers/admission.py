"""Who is let in: bans, and how many at once, from one network, in a minute.

A network is an IPv4 address or an IPv6 /64: whoever has one such address has them all. When places grow few the
last of them are kept for networks from which somebody has logged in before. All is in memory and is decided
before a single octet is read.
"""

from __future__ import annotations

__all__ = ["Admission", "AdmissionOptions", "Refusal"]

from array import array
from collections.abc import Callable
from dataclasses import dataclass

from hongyan.clock import Clock
from hongyan.limits.networks import is_within, parse_networks
from hongyan.options import option

_MINUTE = 60.0
_MAX_REMEMBERED = 50_000  # networks without an open connection, and networks known


@dataclass(frozen=True, slots=True)
class AdmissionOptions:
    """How many connections a service takes."""

    connections: int = option(10_000, "Connections at once, in total.")
    connections_per_network: int = option(100, "Connections at once from one address or IPv6 /64.")
    new_per_minute: int = option(0, "New connections within a minute from one address or IPv6 /64; 0: no limit.")
    reserve: float = option(0.2, "Share of all connections that is kept for networks known by a login.")
    exempt: tuple[str, ...] = option((), "Networks without limits of their own, such as a NAT of our users.")

    def __post_init__(self) -> None:
        if self.connections < 1 or self.connections_per_network < 1 or self.new_per_minute < 0:
            raise ValueError("limits of connections are at least one")
        if not 0 <= self.reserve < 1:
            raise ValueError("reserve is a share: at least 0 and less than 1")
        parse_networks(self.exempt)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a connection is not let in. Without a sentence it is closed without a word."""

    reason: str
    sentence: str = ""


_BANNED = Refusal("banned")
_FULL = Refusal("full", "Too many connections, try again later")
_CROWD = Refusal("network", "Too many connections from your address, close some first")
_HASTE = Refusal("rate", "Too many new connections from your address, try again in a minute")
_WORDLESS = Refusal("rate")


class _Visitor:
    __slots__ = ("arrivals", "open", "refused", "refused_since")

    def __init__(self) -> None:
        self.open = 0
        self.arrivals = array("d")  # of the last minute, if they are limited
        self.refused = 0
        self.refused_since = 0.0


class Admission:
    """Counts the connections of a service, whichever listeners they come through."""

    def __init__(self, options: AdmissionOptions, clock: Clock, is_banned: Callable[[str], bool] | None = None) -> None:
        self._options = options
        self._clock = clock
        self._is_banned = is_banned or _nobody
        self._exempt = parse_networks(options.exempt)
        self._for_strangers = int(options.connections * (1 - options.reserve))
        self._visitors: dict[str, _Visitor] = {}
        self._known: dict[str, None] = {}
        self._open = 0

    @property
    def open(self) -> int:
        """Connections let in and not gone."""
        return self._open

    def enter(self, host: str, network: str) -> Refusal | None:
        """Let a connection in and count it until `leave`, or say why not."""
        if self._is_banned(host):
            return _BANNED
        if self._open >= self._for_strangers and (
            network not in self._known or self._open >= self._options.connections
        ):
            return _FULL
        visitor = self._visitors.get(network) or self._meet(network)
        if not is_within(host, self._exempt) and (refusal := self._check(visitor)) is not None:
            return refusal
        visitor.open += 1
        self._open += 1
        return None

    def leave(self, network: str) -> None:
        """A connection that was let in is gone."""
        self._open -= 1
        visitor = self._visitors[network]
        visitor.open -= 1
        if not visitor.open and not visitor.arrivals:
            del self._visitors[network]

    def know(self, network: str) -> None:
        """Somebody has logged in from this network."""
        self._known.pop(network, None)
        self._known[network] = None
        if len(self._known) > _MAX_REMEMBERED:
            del self._known[next(iter(self._known))]

    def _check(self, visitor: _Visitor) -> Refusal | None:
        if visitor.open >= self._options.connections_per_network:
            return _CROWD
        limit = self._options.new_per_minute
        if not limit:
            return None
        now = self._clock.monotonic()
        arrivals = visitor.arrivals
        while arrivals and arrivals[0] <= now - _MINUTE:
            del arrivals[0]
        if len(arrivals) < limit:
            arrivals.append(now)
            return None
        if now - visitor.refused_since >= _MINUTE:
            visitor.refused, visitor.refused_since = 0, now
        visitor.refused += 1
        return _HASTE if visitor.refused <= limit else _WORDLESS

    def _meet(self, network: str) -> _Visitor:
        if len(self._visitors) >= _MAX_REMEMBERED + self._open:
            self._forget()
        visitor = self._visitors[network] = _Visitor()
        return visitor

    def _forget(self) -> None:
        """Forget the tenth of the visitors that came first and have no connection open."""
        gone = [network for network, visitor in self._visitors.items() if not visitor.open]
        for network in gone[: _MAX_REMEMBERED // 10]:
            del self._visitors[network]


def _nobody(host: str) -> bool:  # noqa: ARG001 - where no bans are kept
    return False
