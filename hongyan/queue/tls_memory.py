"""A memory of how well connections to each domain were secured: what it once had, it is held to (chasquid's idea).

It guards the domains that publish neither TLSA records nor an MTA-STS policy against those who take STARTTLS away. A
level goes up by what is seen and never goes down by what is seen: only an operator (`hongyan domain tls --forget`) or
time clears it, `remember_for` days after it was last seen. What may raise it, so that nobody on the way can nail a
domain to a level that it does not have:

* Only a session by which a message was accepted counts, and only a route by MX.
* VERIFIED counts at once if the certificate is for a host that the domain itself vouches for: below its own name,
  named by its MTA-STS policy, or by signed DNS. To forge that takes a certificate of the domain.
* Anything else (TLS whose certificate nobody verified, or one for a host of somebody else that unsigned DNS named)
  counts once it was seen on two occasions at least `confirm_after` hours apart, with nothing less between them.
* A session that DANE secured counts as TLS, for its certificate may be good for nobody else.
"""

from __future__ import annotations

__all__ = ["Observation", "TlsMemory", "observe"]

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.queue.security import OutgoingTlsOptions, TlsLevel
from hongyan.store.transport import KeptLevel, TransportStore

_MOST_IN_MEMORY: Final = 10_000
_FRESH: Final = 600.0
"""Seconds after which what is in memory is read again: another process may have learnt, or an operator forgotten."""

_SEEN_STEP: Final = timedelta(hours=6)
"""How much later `seen_at` has to be before it is written again."""

_log = telemetry.logger("tls-memory")


@dataclass(frozen=True, slots=True)
class Observation:
    """A message was accepted over a connection for a domain."""

    domain: str
    level: TlsLevel
    is_vouched: bool
    """The domain itself vouches for the host."""


def observe(
    known: KeptLevel | None, seen: Observation, now: datetime, *, confirm: timedelta, keep: timedelta
) -> KeptLevel | None:
    """Return what is to be remembered after an observation; None if there is nothing."""
    if known is not None and now - known.seen_at > keep:
        known = None
    if seen.level is TlsLevel.VERIFIED and seen.is_vouched:
        return KeptLevel(seen.domain, seen.level, seen.level, now, now)
    if known is None:
        if seen.level is TlsLevel.PLAIN:
            return None
        known = KeptLevel(seen.domain, TlsLevel.PLAIN, TlsLevel.PLAIN, now, now)
    level, candidate = TlsLevel(known.level), TlsLevel(known.candidate)
    seen_at = now if seen.level.rank >= level.rank else known.seen_at
    if seen.level.rank <= level.rank:
        # No more than is demanded anyway: what was about to be more has had a break.
        return replace(known, candidate=level, candidate_since=now, seen_at=seen_at)
    if candidate.rank <= level.rank:
        candidate, since = seen.level, now
    else:
        candidate, since = min(candidate, seen.level, key=lambda one: one.rank), known.candidate_since
    if now - since >= confirm:
        return KeptLevel(seen.domain, candidate, seen.level, now, now)
    return replace(known, candidate=candidate, candidate_since=since, seen_at=seen_at)


class TlsMemory:
    """What is remembered, with a copy of it in memory. `queue.lookup.RememberedLevels`."""

    def __init__(self, store: TransportStore, clock: Clock, options: OutgoingTlsOptions) -> None:
        self._store = store
        self._clock = clock
        self._confirm = timedelta(hours=options.confirm_after)
        self._keep = timedelta(days=options.remember_for)
        self._known: OrderedDict[str, tuple[KeptLevel | None, float]] = OrderedDict()

    async def level(self, domain: str) -> TlsLevel:
        """Return what is demanded of connections for a domain."""
        known = await self._find(domain)
        if known is None or self._clock.now() - known.seen_at > self._keep:
            return TlsLevel.PLAIN
        return TlsLevel(known.level)

    async def observe(self, seen: Observation) -> None:
        """Learn from a session by which a message was accepted. What cannot be stored is forgotten."""
        try:
            known = await self._find(seen.domain)
            now = self._clock.now().replace(microsecond=0)
            new = observe(known, seen, now, confirm=self._confirm, keep=self._keep)
            if new is None or not _is_news(known, new):
                return
            await self._store.put_level(new)
        except ServerFault as fault:
            _log.error("not-remembered", error=fault, domain=seen.domain)
            return
        if known is None or known.level != new.level:
            _log.info("level-raised", domain=seen.domain, level=new.level)
        self._remember(seen.domain, new)

    def drop(self, domain: str) -> None:
        """Read a domain again when it is asked for: somebody has changed what is kept."""
        self._known.pop(domain, None)

    async def _find(self, domain: str) -> KeptLevel | None:
        remembered = self._known.get(domain)
        if remembered is not None and self._clock.monotonic() < remembered[1]:
            return remembered[0]
        known = await self._store.find_level(domain)
        self._remember(domain, known)
        return known

    def _remember(self, domain: str, known: KeptLevel | None) -> None:
        self._known[domain] = (known, self._clock.monotonic() + _FRESH)
        self._known.move_to_end(domain)
        while len(self._known) > _MOST_IN_MEMORY:
            self._known.popitem(last=False)


def _is_news(known: KeptLevel | None, new: KeptLevel) -> bool:
    """Whether it is worth a write: not each message moves a time by seconds."""
    if known is None or (known.level, known.candidate) != (new.level, new.candidate):
        return True
    moved = new.candidate_since != known.candidate_since and new.candidate != new.level
    return moved or new.seen_at - known.seen_at >= _SEEN_STEP
