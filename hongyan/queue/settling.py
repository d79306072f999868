"""Outcomes, stored: at once as a rule, and again with growing pauses when the store fails.

A delivery that is forgotten is made twice, so nothing is given up while the process lives. The first tries are made
where the delivery ran; after them the settlement waits aside, so that no destination waits for it. Its leases are
renewed meanwhile (`messages`): nobody delivers a second time what is only not noted. A restart ends that, and the
recipients of this one settlement are tried again.

A store that is full or away passes. What fails by itself, a fault of ours in a notice or a step, would fail for ever:
it is then stored without them, and failures that nobody is told of wait for an operator.
"""

from __future__ import annotations

__all__ = ["Pending", "Settler", "plain"]

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Final

from hongyan import telemetry
from hongyan.clock import Random
from hongyan.errors import ServerFault
from hongyan.queue.outcome import deliveries_of
from hongyan.store.queue import LeaseLost, QueueStore, RecipientState, Settlement
from hongyan.telemetry import metrics
from hongyan.types import QueueId

_PAUSES: Final = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds between tries; the last is repeated."""

_SPREAD: Final = 0.1
"""By which part a pause is longer or shorter, so that those that failed together do not come together."""

_FIRST: Final = 4
"""Tries before a settlement waits aside: 8 seconds."""

_WHOLE: Final = 5
"""Faults of ours after which a settlement is stored without what it tells."""

_log = telemetry.logger("queue")


class Settler:
    """Stores settlements."""

    def __init__(self, store: QueueStore, random: Random) -> None:
        self._store = store
        self._random = random
        self._aside: Counter[QueueId] = Counter()

    @property
    def messages(self) -> frozenset[QueueId]:
        """Messages whose settlement waits aside."""
        return frozenset(self._aside)

    async def begin(self, settlement: Settlement) -> Pending | None:
        """Store a settlement; return it if it was not to be stored in a few tries, for `persist`."""
        pending = Pending(settlement)
        while not await self._try(pending):
            if pending.tries >= _FIRST:
                return pending
            await self._pause(pending)
        return None

    async def persist(self, pending: Pending) -> None:
        """Try until it is stored."""
        message = pending.settlement.message
        self._aside[message] += 1
        metrics.queue_unsettled.set(self._aside.total())
        try:
            await self._pause(pending)
            while not await self._try(pending):
                await self._pause(pending)
        finally:
            self._aside[message] -= 1
            self._aside += Counter()  # without those that are at nought
            metrics.queue_unsettled.set(self._aside.total())

    async def _try(self, pending: Pending) -> bool:
        settlement = pending.settlement
        if not settlement.recipients:
            return True
        try:
            await self._store.settle(settlement)
        except LeaseLost as lost:
            _log.warning("lease-lost", error=lost)
            pending.settlement = deliveries_of(settlement)
            return await self._try(pending) if settlement.lease is not None else False
        except ServerFault as fault:
            pending.failed("store", fault)
        except Exception as error:  # noqa: BLE001 - what was delivered must be settled, or it is delivered again
            pending.failed("crash", error)
            metrics.panic_total.labels("queue").inc()
        else:
            return True
        return False

    async def _pause(self, pending: Pending) -> None:
        pause = _PAUSES[min(pending.tries, len(_PAUSES)) - 1]
        await asyncio.sleep(pause * self._random.jitter(_SPREAD))


class Pending:
    """A settlement that is not stored yet."""

    __slots__ = ("_crashes", "settlement", "tries")

    def __init__(self, settlement: Settlement) -> None:
        self.settlement = settlement
        self.tries = 0
        self._crashes = 0

    def failed(self, kind: str, error: Exception) -> None:
        """One more try was in vain."""
        self.tries += 1
        self._crashes += kind == "crash"
        metrics.queue_settle_failures_total.labels(kind).inc()
        _log.error("settle-failed", error=error, queue_id=self.settlement.message, tries=self.tries)
        if self._crashes == _WHOLE:
            self.settlement = plain(self.settlement)


def plain(settlement: Settlement) -> Settlement:
    """Return the outcomes alone. What the sender would have been told of as failed waits for an operator."""
    recipients = settlement.recipients
    if settlement.notices:
        recipients = tuple(
            replace(one, state=RecipientState.HELD) if one.state is RecipientState.FAILED else one for one in recipients
        )
    return replace(settlement, recipients=recipients, notices=(), timeline=())
