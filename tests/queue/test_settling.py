"""Outcomes that the store does not take: how often, how fast and in which form they are tried again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.errors import StorageFull
from hongyan.queue import settling
from hongyan.queue.items import new_message
from hongyan.queue.settling import Settler, plain
from hongyan.store.queue import (
    AttemptReport,
    Lease,
    LeaseLost,
    NewRecipient,
    RecipientState,
    Settled,
    Settlement,
)
from hongyan.telemetry import metrics
from hongyan.types import QueueId
from tests.queue.values import NOW
from tests.support.clock import FakeRandom
from tests.support.queue import MemoryQueue

REPORT = AttemptReport(NOW, "5.1.1", "mx.example", "No such user")


class FailingStore(MemoryQueue):
    """Raises what it is told to, and keeps what it is given afterwards."""

    def __init__(self, *faults: Exception) -> None:
        super().__init__()
        self.faults = list(faults)
        self.tried: list[Settlement] = []

    async def settle(self, settlement: Settlement) -> None:
        self.tried.append(settlement)
        if self.faults:
            raise self.faults.pop(0)


def settlement(*states: RecipientState) -> Settlement:
    notice = new_message(
        None, [NewRecipient(Address.parse("ann@example.org"))], now=NOW, expires=NOW, size=1, octets=b"x"
    )
    return Settlement(
        message=QueueId(7),
        lease=Lease("node-1", NOW + timedelta(minutes=10)),
        recipients=tuple(Settled(number=number, state=state, report=REPORT) for number, state in enumerate(states)),
        notices=(notice,),
    )


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that are asked for; none takes any time."""
    asked: list[float] = []

    async def sleep(seconds: float) -> None:
        asked.append(seconds)

    monkeypatch.setattr(settling.asyncio, "sleep", sleep)
    return asked


async def settle(store: FailingStore, one: Settlement) -> None:
    settler = Settler(store, FakeRandom())
    pending = await settler.begin(one)
    if pending is not None:
        await settler.persist(pending)
    assert settler.messages == frozenset()


async def test_pauses_grow_to_a_minute_and_are_never_none(pauses: list[float]) -> None:
    before = metrics.queue_settle_failures_total.labels("store")._value.get()
    with telemetry.capture() as events:
        await settle(FailingStore(*[StorageFull()] * 10), settlement(RecipientState.DELIVERED))
    assert pauses == pytest.approx([1, 2, 5, 15, 30, 60, 60, 60, 60, 60], rel=0.1)
    assert [event.msg for event in events].count("settle-failed") == 10
    assert metrics.queue_settle_failures_total.labels("store")._value.get() - before == 10
    assert metrics.queue_unsettled._value.get() == 0


async def test_a_full_disk_changes_nothing_of_what_is_stored_at_last(pauses: list[float]) -> None:
    store, one = FailingStore(*[StorageFull()] * 50), settlement(RecipientState.FAILED)
    await settle(store, one)
    assert store.tried[-1] == one
    assert min(pauses) >= 0.9


async def test_what_fails_by_itself_is_stored_without_what_it_tells_and_waits_for_an_operator(
    pauses: list[float],
) -> None:
    store = FailingStore(*[KeyError("nobody thought of it")] * 5)
    one = settlement(RecipientState.DELIVERED, RecipientState.FAILED)
    await settle(store, one)
    assert store.tried[:5] == [one] * 5
    assert store.tried[5] == plain(one)
    assert [settled.state for settled in store.tried[5].recipients] == [RecipientState.DELIVERED, RecipientState.HELD]
    assert store.tried[5].notices == ()
    assert len(pauses) == 5


async def test_of_a_lost_lease_the_deliveries_are_recorded_and_the_rest_is_another_s(pauses: list[float]) -> None:
    store = FailingStore(LeaseLost(), StorageFull())
    await settle(store, settlement(RecipientState.DELIVERED, RecipientState.FAILED))
    assert [(one.lease is None, len(one.recipients)) for one in store.tried] == [(False, 2), (True, 1), (True, 1)]
    assert len(pauses) == 1


async def test_a_settlement_that_waits_names_its_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_PAUSES", (0.0, 0.0, 0.0, 3600.0))
    settler = Settler(FailingStore(*[StorageFull()] * 9), FakeRandom())
    pending = await settler.begin(settlement(RecipientState.DELIVERED))
    assert pending is not None
    task = asyncio.create_task(settler.persist(pending))
    await asyncio.sleep(0)
    assert settler.messages == {QueueId(7)}
    assert metrics.queue_unsettled._value.get() == 1
    task.cancel()
    await asyncio.wait([task])
    assert settler.messages == frozenset()
