"""Addresses elsewhere that are not written to for a while, because there is nobody.

An address that bounced hard (`BounceClass.is_hard`) three times for an account within thirty days is suppressed for
that account for thirty days, and ten times for all accounts together, for all: a server that goes on writing to nobody
is taken for a spammer's. It ends by itself. Our own addresses are never suppressed, nor is anybody's postmaster.

What is suppressed is kept in memory, and read again each minute, since other nodes count too.
"""

from __future__ import annotations

__all__ = ["SuppressionOptions", "Suppressions"]

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hongyan import telemetry
from hongyan.addresses import Address, Domain
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.options import option
from hongyan.queue.bounces import Ended
from hongyan.store.suppressions import HardBounce, Suppression, SuppressionRule, SuppressionStore
from hongyan.types import AccountId

_MOST: Final = 100_000
"""Suppressions that are kept in memory, the newest ones."""

_LOOK: Final = 60.0

_log = telemetry.logger("queue")


@dataclass(frozen=True, slots=True)
class SuppressionOptions:
    """The section `[suppression]`."""

    bounces: int = option(3, "Hard bounces after which an address is suppressed for an account; 0: never.")
    server_bounces: int = option(10, "Hard bounces, of all accounts, after which it is suppressed for all; 0: never.")
    within: int = option(30, "How long a bounce counts.", unit="days")
    lasts: int = option(30, "How long an address is suppressed.", unit="days")

    def __post_init__(self) -> None:
        if min(self.bounces, self.server_bounces) < 0 or min(self.within, self.lasts) < 1:
            raise ValueError("bounces are not negative, and what is counted in days is one day or longer")


class Suppressions:
    """Counts bounces (`queue.bounces.BounceSink`), and knows who is suppressed."""

    def __init__(
        self, store: SuppressionStore, options: SuppressionOptions, is_ours: Callable[[Domain], bool], clock: Clock
    ) -> None:
        self._store = store
        self._options = options
        self._is_ours = is_ours
        self._clock = clock
        self._known: dict[tuple[AccountId | None, str], Suppression] = {}

    async def run(self) -> None:
        """Keep what is known fresh, and forget what has ended, for as long as the server runs."""
        while True:
            try:
                await self._store.forget(self._clock.now())
                await self.load()
            except ServerFault as fault:
                _log.error("suppressions-unread", error=fault)
            await asyncio.sleep(_LOOK)

    async def load(self) -> None:
        """Read what is suppressed."""
        found = await self._store.list_suppressed(self._clock.now(), limit=_MOST)
        self._known = {(one.account, one.address.canonical): one for one in found}

    def find(self, account: AccountId, address: Address) -> Suppression | None:
        """Return why an account may not write to an address; None if it may."""
        if not self._known:
            return None
        canonical = address.canonical
        known = self._known.get((account, canonical)) or self._known.get((None, canonical))
        return known if known is not None and known.until > self._clock.now() else None

    async def list_suppressed(self, limit: int) -> Sequence[Suppression]:
        return await self._store.list_suppressed(self._clock.now(), limit=limit)

    async def remove(self, address: Address, account: AccountId | None = None, *, everywhere: bool) -> int:
        """Let an address be written to again; return how many entries were removed."""
        removed = await self._store.remove(address, account, everywhere=everywhere)
        await self.load()
        return removed

    async def ended(self, ends: Sequence[Ended]) -> None:
        bounces = [bounce for end in ends if self._counts(end) for bounce in self._bounces(end)]
        if bounces and await self._store.note(bounces):
            await self.load()

    def _counts(self, end: Ended) -> bool:
        is_hard = end.bounce is not None and end.bounce.is_hard
        is_spared = end.address.local_part.lower() == "postmaster" or self._is_ours(end.address.domain)
        return is_hard and end.account is not None and not is_spared

    def _bounces(self, end: Ended) -> list[HardBounce]:
        options = self._options
        return [
            HardBounce(account, end.address, end.at, end.status, end.text, self._rule(bounces))
            for account, bounces in ((end.account, options.bounces), (None, options.server_bounces))
            if bounces
        ]

    def _rule(self, bounces: int) -> SuppressionRule:
        return SuppressionRule(bounces, timedelta(days=self._options.within), timedelta(days=self._options.lasts))
