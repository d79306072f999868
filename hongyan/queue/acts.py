"""What somebody does to messages that wait (hold, release, drop, cancel), told in the timelines of their senders.

The acts are the store's. Whom they concern is gathered before and noted after: of a recipient that moves on in between,
the timeline may tell an act that came too late, and the step that follows corrects it.
"""

from __future__ import annotations

__all__ = ["QueueActs"]

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from hongyan.audit.timelines import Timelines
from hongyan.queue.schedule import SteadyClock
from hongyan.store.queue import QueuedRecipient, QueueEntry, QueueStore, RecipientState, Selection
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.types import AccountId, QueueId

_PAGE: Final = 200
_MOST: Final = 5000
"""Recipients whose timelines tell of one act: who drops a queue of 100,000 does not wait for more."""


class QueueActs:
    """Holds, releases, drops and cancels messages. Each act returns how many recipients changed."""

    def __init__(self, store: QueueStore, timelines: Timelines, clock: SteadyClock) -> None:
        self._store = store
        self._timelines = timelines
        self._clock = clock

    async def hold(self, selection: Selection, reason: str = "") -> int:
        """See `QueueStore.hold`."""
        meant = await self._gather(replace(selection, state=RecipientState.READY))
        done = await self._store.hold(selection, reason)
        self._note(meant, Step.HELD, reason)
        return done

    async def release(self, selection: Selection) -> int:
        """See `QueueStore.release`."""
        meant = await self._gather(replace(selection, state=RecipientState.HELD))
        done = await self._store.release(selection)
        self._note(meant, Step.RELEASED)
        return done

    async def drop(self, selection: Selection) -> int:
        """See `QueueStore.drop`."""
        meant = await self._gather(selection)
        done = await self._store.drop(selection)
        self._note(meant, Step.CANCELLED)
        return done

    async def cancel(self, message: QueueId, account: AccountId | None = None) -> int:
        """See `QueueStore.cancel`; the time is now."""
        meant = await self._gather(Selection(messages=frozenset((message,))))
        done = await self._store.cancel(message, self._clock.now(), account)
        if done:
            self._note(meant, Step.CANCELLED)
        return done

    async def _gather(self, selection: Selection) -> Sequence[NewTimelineEntry]:
        """Return a step for each recipient that is meant. A message that no account sent has no reader."""
        now = self._clock.now()
        found: list[NewTimelineEntry] = []
        last = None
        while len(found) < _MOST and (page := await self._store.list_messages(selection, after=last, limit=_PAGE)):
            for entry in page:
                found += _steps(entry, selection, now)
            last = page[-1].message.id
        return found[:_MOST]

    def _note(self, meant: Sequence[NewTimelineEntry], step: Step, text: str = "") -> None:
        for one in meant:
            self._timelines.note(replace(one, step=step, text=text))


def _steps(entry: QueueEntry, selection: Selection, now: datetime) -> list[NewTimelineEntry]:
    message = entry.message
    if message.account is None:
        return []
    return [
        NewTimelineEntry(
            account=message.account,
            direction=Direction.OUTGOING,
            mid=message.trace_id,
            step=Step.HELD,
            at=now,
            address="" if message.reverse_path is None else str(message.reverse_path),
            counterpart=str(recipient.address),
        )
        for recipient in entry.recipients
        if _is_meant(recipient, selection)
    ]


def _is_meant(recipient: QueuedRecipient, selection: Selection) -> bool:
    return (
        not recipient.state.is_finished
        and selection.destination in (None, recipient.destination)
        and selection.state in (None, recipient.state)
    )
