"""Who is refused, why and until when: listed for the admin, explained, lifted.

A ban here follows from a rule of `rates`: it says what the windows hold. Who goes on trying while banned is
after a while not even let in; and once the windows free, the ban is over by itself.
"""

from __future__ import annotations

__all__ = ["Ban", "Bans"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hongyan import telemetry
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock
from hongyan.errors import NotFound
from hongyan.limits.networks import network_of
from hongyan.store.counters import Counters

log = telemetry.logger("limits")

_MAX_BANS = 50_000
_PATIENCE = 100  # tries while banned, before the door is shut


@dataclass(frozen=True, slots=True)
class Ban:
    """A network that is refused: for every login, or for logins with one name.

    `rule` names the limit, `why` says it in words, `refused` counts the tries that met the ban.
    """

    network: str
    name: str
    rule: str
    why: str
    since: datetime
    until: datetime
    refused: int


class Bans:
    """The bans in force."""

    def __init__(self, counters: Counters, clock: Clock, audit: AuditLog) -> None:
        self._counters = counters
        self._clock = clock
        self._audit = audit
        self._bans: dict[tuple[str, str], tuple[Ban, float]] = {}

    def note(self, network: str, name: str, rule: str, why: str, seconds: float) -> None:
        """Somebody was refused by a rule, for so long. The name is empty when the whole network is meant."""
        key = (network, name)
        now = self._clock.now()
        end = self._clock.monotonic() + seconds
        known = self._bans.pop(key, None)
        if known is not None and known[1] > self._clock.monotonic():
            ban = replace(known[0], until=now + timedelta(seconds=seconds), refused=known[0].refused + 1)
        else:
            ban = Ban(network, name, rule, why, now, now + timedelta(seconds=seconds), 1)
            log.warning("banned", network=network, rule=rule, seconds=round(seconds))
            if len(self._bans) >= _MAX_BANS:
                del self._bans[next(iter(self._bans))]
        self._bans[key] = (ban, end)

    def is_shut_out(self, host: str) -> bool:
        """Whether the peer is not to be let in: its network is banned and does not leave off."""
        if not self._bans:
            return False
        known = self._bans.get((network_of(host), ""))
        return known is not None and known[0].refused > _PATIENCE and known[1] > self._clock.monotonic()

    def list_bans(self) -> Sequence[Ban]:
        """Return the bans in force, the newest first."""
        now = self._clock.monotonic()
        self._bans = {key: kept for key, kept in self._bans.items() if kept[1] > now}
        return sorted((ban for ban, _ in self._bans.values()), key=lambda ban: ban.since, reverse=True)

    async def lift(self, host: str, actor: Actor) -> Sequence[Ban]:
        """Lift all bans of a network, given by an address in it, and forget its failures. Raises `NotFound`."""
        network = network_of(host.removesuffix("/64"))
        lifted = [ban for ban in self.list_bans() if ban.network == network]
        if not lifted:
            raise NotFound("That address is not banned.")
        for ban in lifted:
            del self._bans[ban.network, ban.name]
        await self._counters.forget(f"{network} ")
        await self._audit.append(self._audit.entry(AuditEvent.BAN_LIFTED, actor, network=network))
        return lifted
