"""Steps of messages are written together, in bounded memory, and strangers fill no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.audit.timelines import TimelineOptions, Timelines
from hongyan.errors import StorageFull
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from tests.support.clock import FakeClock

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class _Store:
    """Keeps what it is given, but for the times when it fails."""

    def __init__(self) -> None:
        self.batches: list[Sequence[NewTimelineEntry]] = []
        self.fails = False
        self.expired: list[tuple[datetime, int]] = []

    @property
    def entries(self) -> list[NewTimelineEntry]:
        return [entry for batch in self.batches for entry in batch]

    @property
    def rows(self) -> int:
        """How many rows a database would have."""
        folds = {(entry.account, entry.fold) for entry in self.entries if entry.fold is not None}
        return len(folds) + sum(entry.fold is None for entry in self.entries)

    async def append_timeline(self, entries: Sequence[NewTimelineEntry]) -> None:
        if self.fails:
            raise StorageFull(cause="no room")
        self.batches.append(entries)

    async def expire_timeline(self, before: datetime, *, keep: int) -> int:
        self.expired.append((before, keep))
        return 0


def make(store: _Store, **options: int) -> Timelines:
    return Timelines(store, FakeClock(_NOW), TimelineOptions(**options))  # type: ignore[arg-type]


def refusal(
    account: int = 1, sender: str = "spam@example.net", at: datetime = _NOW, **fields: object
) -> NewTimelineEntry:
    return NewTimelineEntry(
        account=AccountId(account),
        direction=Direction.INCOMING,
        mid="",
        step=Step.REFUSED,
        at=at,
        address="ann@geese.test",
        counterpart=sender,
        stage="RCPT",
        reason="dnsbl/listed",
        **fields,  # type: ignore[arg-type]
    )


def delivery(number: int = 0) -> NewTimelineEntry:
    return NewTimelineEntry(
        account=AccountId(1), direction=Direction.INCOMING, mid=f"m{number}", step=Step.DELIVERED, at=_NOW
    )


def dropped(reason: str) -> float:
    return metrics.timeline_dropped_total.labels(reason)._value.get()  # type: ignore[no-any-return]


async def test_what_was_noted_is_written_in_order_and_some_together() -> None:
    store = _Store()
    timelines = make(store)
    for number in range(2500):
        timelines.note(delivery(number))
    assert await timelines.flush()
    assert [len(batch) for batch in store.batches] == [1000, 1000, 500]
    assert [entry.mid for entry in store.entries] == [f"m{number}" for number in range(2500)]


async def test_what_cannot_be_written_waits_and_is_bounded() -> None:
    store = _Store()
    timelines = make(store, waiting=10)
    store.fails = True
    before = dropped("full")
    for number in range(25):
        timelines.note(delivery(number))
    assert not await timelines.flush()
    assert dropped("full") - before == 15
    store.fails = False
    assert await timelines.flush()
    assert [entry.mid for entry in store.entries] == [f"m{number}" for number in range(10)]


async def test_refusals_of_one_kind_are_one_row_a_day() -> None:
    store = _Store()
    timelines = make(store)
    for hour in (0, 1, 2):
        timelines.note(refusal(at=_NOW + timedelta(hours=hour)))
    timelines.note(refusal(at=_NOW + timedelta(days=1)))
    await timelines.flush()
    assert len(store.entries) == 4
    assert store.rows == 2


async def test_a_flood_at_one_account_leaves_as_many_rows_as_it_may() -> None:
    store = _Store()
    timelines = make(store, refusals_per_account=20)
    for number in range(3000):
        timelines.note(refusal(sender=f"{number}@example.net"))
        if not number % 1000:
            await timelines.flush()
    timelines.note(refusal(account=2))
    await timelines.flush()
    assert store.rows == 20 + 1 + 1
    coarse = [entry for entry in store.entries if not entry.counterpart]
    assert len(coarse) == 3000 - 20, "each of them is counted"
    assert {(entry.account, entry.reason, entry.host) for entry in coarse} == {(1, "dnsbl/listed", "")}


async def test_a_flood_at_all_accounts_leaves_as_many_rows_as_it_may() -> None:
    store = _Store()
    timelines = make(store, refusals=50)
    before = dropped("flood")
    for account in range(400):
        timelines.note(refusal(account=account))
    await timelines.flush()
    assert store.rows == 100
    assert dropped("flood") - before == 300
    timelines.note(refusal(account=9999, at=_NOW + timedelta(days=1)))
    await timelines.flush()
    assert store.entries[-1].account == 9999, "the next day has room again"


async def test_deliveries_are_not_counted_as_strangers_doings() -> None:
    store = _Store()
    timelines = make(store, refusals_per_account=1, refusals=1)
    for number in range(10):
        timelines.note(delivery(number))
    await timelines.flush()
    assert store.rows == 10


async def test_what_is_older_than_it_is_kept_goes() -> None:
    store = _Store()
    await make(store, keep=7, per_account=50).expire()
    assert store.expired == [(_NOW - timedelta(days=7), 50)]


def test_limits_are_one_at_least() -> None:
    with pytest.raises(ValueError, match="at least"):
        TimelineOptions(keep=0)
