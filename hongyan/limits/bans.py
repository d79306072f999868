"""Who is refused, why and until when: listed for the admin, explained, lifted.

A ban follows from a rule of `rates` (failed logins) or of `smtp_rates` (offences on port 25). It is for a network as
limits count them, or for the wider one around it. Who goes on trying while banned is after a while not even let in;
and once its time is over, the ban ends by itself.

Where several processes serve one database each tells the others of its bans every two seconds, and learns of theirs.
A ban that is lifted is lifted everywhere within that time.
"""

from __future__ import annotations

__all__ = ["Ban", "Bans"]

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

from hongyan import telemetry
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock
from hongyan.errors import NotFound, ServerFault
from hongyan.limits.networks import network_of, wide_network_of
from hongyan.store.bans import Ban, BanStore
from hongyan.store.counters import Counters

log = telemetry.logger("limits")

_MAX_BANS = 50_000
_PATIENCE = 100  # tries while banned, before the door is shut
_INTERVAL = 2.0  # seconds


class Bans:
    """The bans in force."""

    def __init__(
        self,
        counters: Counters,
        clock: Clock,
        audit: AuditLog,
        *,
        offences: Counters | None = None,
        shared: BanStore | None = None,
    ) -> None:
        """`offences` are the windows of what bans, if those are others; `shared` is where other processes look."""
        self._counters = {counters, offences or counters}
        self._clock = clock
        self._audit = audit
        self._shared = shared
        self._bans: dict[tuple[str, str], tuple[Ban, float]] = {}
        self._untold: set[tuple[str, str]] = set()
        self._telling = asyncio.Lock()

    @property
    def is_shared(self) -> bool:
        """Whether other processes are to know of bans."""
        return self._shared is not None

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
        if self._shared is not None:
            self._untold.add(key)

    async def run(self) -> NoReturn:
        """Exchange bans with the other processes until cancelled."""
        while True:
            try:
                await self.exchange()
            except ServerFault as fault:
                log.warning("bans-not-exchanged", cause=fault.cause)
            await asyncio.sleep(_INTERVAL)

    async def exchange(self) -> None:
        """Tell the other processes of bans that are new here, and take over theirs."""
        if self._shared is None:
            return
        async with self._telling:
            untold, self._untold = self._untold, set()
            try:
                await self._shared.put_bans([self._bans[key][0] for key in untold if key in self._bans])
                theirs = await self._shared.bans_in_force(self._clock.now(), limit=_MAX_BANS)
            except ServerFault:
                self._untold |= untold
                raise
            self._take_over(theirs)

    def _take_over(self, theirs: Sequence[Ban]) -> None:
        """Know what the others know, and what was noted meanwhile."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        known: dict[tuple[str, str], tuple[Ban, float]] = {}
        for ban in theirs:
            own = self._bans.get((ban.network, ban.name))
            refused = max(ban.refused, own[0].refused if own else 0)
            known[ban.network, ban.name] = replace(ban, refused=refused), monotonic + (ban.until - now).total_seconds()
        self._bans = known | {key: self._bans[key] for key in self._untold if key in self._bans}

    def is_shut_out(self, host: str, spared: Collection[str] = ()) -> bool:
        """Whether the peer is not to be let in: its network is banned and does not leave off.

        `spared` are rules that do not concern the service: a bot beside our user must not cost him his mailbox.
        """
        if not self._bans:
            return False
        now = self._clock.monotonic()
        return any(ban.refused > _PATIENCE and end > now and ban.rule not in spared for ban, end in self._around(host))

    def meet(self, host: str, rules: Collection[str]) -> Ban | None:
        """Return the ban by one of these rules that a peer has come upon, and count it as a try."""
        if not self._bans:
            return None
        now = self._clock.monotonic()
        for ban, end in self._around(host):
            if end > now and ban.rule in rules:
                self._bans[ban.network, ""] = (replace(ban, refused=ban.refused + 1), end)
                return ban
        return None

    def _around(self, host: str) -> Sequence[tuple[Ban, float]]:
        """Return the bans of a peer's network and of the one around it, over or not."""
        found = (self._bans.get((network, "")) for network in (network_of(host), wide_network_of(host)))
        return [known for known in found if known is not None]

    def list_bans(self) -> Sequence[Ban]:
        """Return the bans in force, the newest first."""
        now = self._clock.monotonic()
        self._bans = {key: kept for key, kept in self._bans.items() if kept[1] > now}
        return sorted((ban for ban, _ in self._bans.values()), key=lambda ban: ban.since, reverse=True)

    async def lift(self, host: str, actor: Actor) -> Sequence[Ban]:
        """Lift all bans of an address's networks, and forget what they failed at. Raises `NotFound`."""
        lifted = self.bans_of(host)
        if not lifted:
            raise NotFound("That address is not banned.")
        networks = list(dict.fromkeys(ban.network for ban in lifted))
        async with self._telling:
            for ban in lifted:
                self._bans.pop((ban.network, ban.name), None)
            if self._shared is not None:
                await self._shared.remove_bans(networks)
        for network in networks:
            for counters in self._counters:
                await counters.forget(f"{network} ")
            await self._audit.append(self._audit.entry(AuditEvent.BAN_LIFTED, actor, network=network))
        return lifted

    def bans_of(self, host: str) -> Sequence[Ban]:
        """Return the bans in force of the networks in which an address lies; it may be written as one of them."""
        bare = host.partition("/")[0]
        networks = (network_of(bare), wide_network_of(bare))
        return [ban for ban in self.list_bans() if ban.network in networks]
