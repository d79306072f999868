"""How often somebody may fail to log in, in numbers that are published.

1. `network`: 500 failed logins within a sliding hour from one network (an IPv4 address, an IPv6 /64) are let
   pass to the check. Every login after them is refused, with a right secret too, until the hour frees.
2. `name`: 10 failed logins within 15 minutes with one name from one network. Then this name is refused from
   this network, and from no other: nobody locks the owner out from elsewhere.
3. `strangers`: 100 failed logins within an hour with one name, from networks that never logged in with it. From
   then on each login from such a network waits two seconds for its answer, right or wrong. Networks that the
   owner has logged in from notice nothing.

A login refused by 2 counts as failed for 1. A login that succeeds counts for none. When the counters cannot be
reached, logins pass: an outage of theirs must not lock everybody out, and secrets are too long to be guessed.
"""

from __future__ import annotations

__all__ = ["Admitted", "LimitOptions", "LoginLimits", "OverRate"]

from dataclasses import dataclass

from hongyan import telemetry
from hongyan.errors import Unavailable
from hongyan.limits.bans import Bans
from hongyan.limits.networks import is_within, network_of, parse_networks
from hongyan.options import option
from hongyan.store.counters import Counters

log = telemetry.logger("limits")

_HOUR = 3600.0
_QUARTER = 900.0


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """The section `[limits]`: failed logins."""

    enabled: bool = option(True, "Whether failed logins are limited; off is for load tests.")
    failures_per_network: int = option(
        500, "Failed logins from one address or IPv6 /64 that are let pass.", unit="per hour"
    )
    failures_per_name: int = option(
        10, "Failed logins with one name from one address or IPv6 /64.", unit="per 15 minutes"
    )
    failures_by_strangers: int = option(
        100,
        "Failed logins with one name from networks it never logged in from, before they are slowed.",
        unit="per hour",
    )
    stranger_delay: float = option(2.0, "How long such a login then waits for its answer.", unit="s")
    exempt: tuple[str, ...] = option(
        (), "Networks, such as a NAT of our users, to which only the limit for one name applies."
    )

    def __post_init__(self) -> None:
        if min(self.failures_per_network, self.failures_per_name, self.failures_by_strangers) < 1:
            raise ValueError("limits of failed logins are at least one")
        if not 0 <= self.stranger_delay <= 30:
            raise ValueError("stranger_delay is between 0 and 30 seconds")
        parse_networks(self.exempt)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The login may be checked, after so many seconds. Its slots are held until it is settled."""

    delay: float
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OverRate:
    """The login is refused unseen; in so many seconds it may be tried again."""

    rule: str
    seconds: float


_FREE = Admitted(0.0, ())


class LoginLimits:
    """Asked before a login is checked, and told when it has succeeded."""

    def __init__(self, options: LimitOptions, counters: Counters, bans: Bans) -> None:
        self._options = options
        self._counters = counters
        self._bans = bans
        self._exempt = parse_networks(options.exempt)

    async def admit(self, host: str, name: str) -> Admitted | OverRate:
        """Decide whether a login with this name from this peer may be checked."""
        if not self._options.enabled:
            return _FREE
        try:
            return await self._admit(host, name)
        except Unavailable as fault:
            log.warning("counters-unreachable", cause=fault.cause)
            return _FREE

    async def slow_down(self, admitted: Admitted, name: str) -> Admitted:
        """Count an admitted login of a stranger: the name was never used from its network. It may have to wait."""
        if not self._options.enabled:
            return admitted
        key = f"* strangers {name}"
        try:
            if await self._counters.take(key, self._options.failures_by_strangers, _HOUR):
                return Admitted(self._options.stranger_delay, admitted.keys)
        except Unavailable as fault:
            log.warning("counters-unreachable", cause=fault.cause)
            return admitted
        return Admitted(0.0, (*admitted.keys, key))

    async def succeeded(self, admitted: Admitted) -> None:
        """The login did not fail, or not by its secret: it counts for no limit."""
        try:
            for key in admitted.keys:
                await self._counters.give_back(key)
        except Unavailable as fault:
            log.warning("counters-unreachable", cause=fault.cause)

    async def _admit(self, host: str, name: str) -> Admitted | OverRate:
        options = self._options
        network = network_of(host)
        keys: tuple[str, ...] = ()
        if not is_within(host, self._exempt):
            keys = (f"{network} network",)
            seconds = await self._counters.take(keys[0], options.failures_per_network, _HOUR)
            if seconds:
                why = f"{options.failures_per_network} failed logins within an hour"
                self._bans.note(network, "", "network", why, seconds)
                return OverRate("network", seconds)
        key = f"{network} name {name}"
        seconds = await self._counters.take(key, options.failures_per_name, _QUARTER)
        if seconds:
            why = f"{options.failures_per_name} failed logins with this name within 15 minutes"
            self._bans.note(network, name, "name", why, seconds)
            return OverRate("name", seconds)
        return Admitted(0.0, (*keys, key))
