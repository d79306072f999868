"""The peers that are known: their mail was taken lately, so they need not show their manners again.

Memory first; then what is remembered of the network by our accounts (`reputation`), where that is asked for.
"""

from __future__ import annotations

__all__ = ["KnownPeers"]

from collections.abc import Awaitable, Callable

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.errors import ServerFault

_MAX_KNOWN = 50_000

log = telemetry.logger("gate")


class KnownPeers:
    """Networks from which mail was taken, in bounded memory: the longest unseen is forgotten first."""

    def __init__(
        self, clock: Clock, hours: float, has_good_name: Callable[[str], Awaitable[bool]] | None = None
    ) -> None:
        """`has_good_name` says whether accounts remember good mail, and hardly any bad, from a network."""
        self._clock = clock
        self._seconds = hours * 3600
        self._has_good_name = has_good_name
        self._until: dict[str, float] = {}

    async def knows(self, network: str) -> bool:
        """Whether the network is known. It opens when the store is away: a stranger then waits, and no more."""
        until = self._until.get(network)
        if until is not None:
            if until > self._clock.monotonic():
                return True
            del self._until[network]
        if self._has_good_name is None:
            return False
        try:
            is_good = await self._has_good_name(network)
        except ServerFault as fault:
            log.warning("reputation-unreachable", cause=fault.cause)
            return False
        if is_good:
            self.learn(network)
        return is_good

    def learn(self, network: str) -> None:
        """Mail was taken from the network, and nothing was wrong with how it came."""
        self._until.pop(network, None)
        self._until[network] = self._clock.monotonic() + self._seconds
        if len(self._until) > _MAX_KNOWN:
            del self._until[next(iter(self._until))]
