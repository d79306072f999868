"""Timelines: what each account may read of the messages that it sent and was sent.

Steps of outgoing mail are stored with the queue's own units of work (`store.queue`), and are never lost. Steps of
incoming mail are noted here (`Timelines.note`), wait in memory for about a second and are written together, so that no
delivery waits for them: a crash of the process may lose the last second of them, and no mail.

Strangers cannot fill the database. What they are refused is folded by kind and day; how many kinds an account and the
whole server keep in a day is limited, and beyond that only the number is kept, then nothing but a metric.
"""

from __future__ import annotations

__all__ = ["TimelineOptions", "Timelines"]

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.options import option
from hongyan.store.timelines import Direction, NewTimelineEntry, Step, TimelineEntry, TimelineStore
from hongyan.telemetry import metrics
from hongyan.types import AccountId

log = telemetry.logger("audit")

_INTERVAL: Final = 1.0
"""Seconds between writes."""

_TOGETHER: Final = 1000
"""Entries that are written in one unit of work, so that mail does not wait behind them."""

_dropped = metrics.timeline_dropped_total
_FOLDED: Final = {
    Direction.INCOMING: frozenset({Step.DEFERRED, Step.REFUSED, Step.BLOCKED}),
    # A program may send what is refused again and again. Answers of other servers come by the queue, never by here.
    Direction.OUTGOING: frozenset({Step.REFUSED, Step.BLOCKED}),
}


@dataclass(frozen=True, slots=True)
class TimelineOptions:
    """The section `[timelines]`."""

    keep: int = option(30, "How long the steps of messages are kept.", unit="days")
    per_account: int = option(10_000, "Steps that are kept for one account, the newest.")
    refusals_per_account: int = option(
        200, "Kinds of refusal that an account is told of each day, one by one; further ones are only counted."
    )
    refusals: int = option(20_000, "Kinds of refusal that all accounts together are told of each day.")
    waiting: int = option(10_000, "Steps that may wait in memory to be written; those beyond are not kept.")

    def __post_init__(self) -> None:
        if min(self.keep, self.per_account, self.refusals_per_account, self.refusals, self.waiting) < 1:
            raise ValueError("timelines keep a day, a step and a kind of refusal at least")


class Timelines:
    """Takes steps of incoming mail, and reads timelines. `run` writes what was noted, `close` writes the rest."""

    def __init__(
        self, store: TimelineStore, clock: Clock, options: TimelineOptions, *, interval: float = _INTERVAL
    ) -> None:
        self._store = store
        self._clock = clock
        self._options = options
        self._interval = interval
        self._waiting: deque[NewTimelineEntry] = deque()
        self._kinds = _Kinds(options)

    def note(self, entry: NewTimelineEntry) -> None:
        """Take note of a step; it is written within about a second. What is refused is folded."""
        if entry.step in _FOLDED[entry.direction]:
            folded = self._kinds.fold(entry)
            if folded is None:
                _dropped.labels("flood").inc()
                return
            entry = folded
        if len(self._waiting) >= self._options.waiting:
            _dropped.labels("full").inc()
            return
        self._waiting.append(entry)

    async def run(self) -> None:
        """Write what was noted, again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self.flush()

    async def flush(self) -> bool:
        """Write what was noted; what cannot be written is kept as long as there is room. Say whether all could be."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))]
            written = False
            try:
                await self._store.append_timeline(batch)
                written = True
            except ServerFault as fault:
                log.warning("timeline-unwritten", steps=len(batch), cause=fault.cause)
                return False
            finally:
                if not written:  # or cancelled: a step told twice is better than one that is lost
                    self._waiting.extendleft(reversed(batch))
        return True

    async def close(self) -> None:
        """Write what is left. Call it when no mail comes in any more."""
        if not await self.flush():
            log.error("timeline-lost", steps=len(self._waiting))

    async def read(
        self,
        account: AccountId | None,
        *,
        mid: str | None = None,
        counterpart: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[TimelineEntry]:
        """Return entries, the newest first, with all that was noted up to now; see `TimelineStore.list_timeline`."""
        with contextlib.suppress(ServerFault):
            await self.flush()
        return await self._store.list_timeline(
            account, mid=mid, counterpart=counterpart, since=since, before=before, limit=limit
        )

    async def expire(self) -> int:
        """Drop what is older than it is kept, and what is too much; return how many entries."""
        before = self._clock.now() - timedelta(days=self._options.keep)
        return await self._store.expire_timeline(before, keep=self._options.per_account)


class _Kinds:
    """Which kinds of refusal were seen today: bounded, whatever strangers try."""

    def __init__(self, options: TimelineOptions) -> None:
        self._options = options
        self._day = ""
        self._known: set[bytes] = set()
        self._of: dict[AccountId, int] = {}

    def fold(self, entry: NewTimelineEntry) -> NewTimelineEntry | None:
        """Return the entry with what it is counted by; None if not even that is kept."""
        day = entry.at.strftime("%Y-%m-%d")
        if day != self._day:
            self._day, self._known, self._of = day, set(), {}
        fold = self._digest(entry)
        kinds = self._of.get(entry.account, 0)
        if fold not in self._known:
            if kinds >= self._options.refusals_per_account or len(self._known) >= self._options.refusals:
                return self._coarsen(entry)
            self._known.add(fold)
            self._of[entry.account] = kinds + 1
        return replace(entry, fold=fold)

    def _coarsen(self, entry: NewTimelineEntry) -> NewTimelineEntry | None:
        """Leave out what a stranger chooses: of each account there are a few such entries a day."""
        coarse = replace(entry, mid="", address="", counterpart="", host="", text="", is_encrypted=None)
        fold = self._digest(coarse)
        if fold not in self._known:
            if len(self._known) >= 2 * self._options.refusals:
                return None
            self._known.add(fold)
        return replace(coarse, fold=fold)

    def _digest(self, entry: NewTimelineEntry) -> bytes:
        parts = (
            self._day,
            entry.direction.value,
            entry.step.value,
            entry.address,
            entry.counterpart,
            entry.stage,
            entry.host,
            str(entry.code),
            entry.status,
            entry.reason,
        )
        key = "\0".join((str(int(entry.account)), *parts))
        return blake2b(key.encode("utf-8", "replace"), digest_size=12).digest()
