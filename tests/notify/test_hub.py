"""From a hint to those who wait."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable

import pytest

from hongyan import telemetry
from hongyan.engines.memory import MemoryBus
from hongyan.errors import Unavailable
from hongyan.notify.hub import Hub
from hongyan.store.bus import Topic
from hongyan.types import AccountId, ModSeq

PATIENCE = 10.0
SEVEN, EIGHT = AccountId(7), AccountId(8)


class Sleeper:
    """Waits for an account."""

    def __init__(self, *, fails: bool = False) -> None:
        self.told: list[int] = []
        self.fails = fails

    def account_changed(self, modseq: ModSeq) -> None:
        self.told.append(modseq)
        if self.fails:
            raise RuntimeError("broken")


class Log:
    """A database that other processes write to as well."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None

    async def catch_up(self, account: AccountId) -> None:
        self.read.append(account)
        await self.open.wait()
        if self.failure is not None:
            raise self.failure


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


@pytest.fixture
async def fleet() -> AsyncIterator[tuple[Hub, MemoryBus, Log]]:
    bus, database = MemoryBus(), Log()
    hub = Hub(bus, database.catch_up)
    running = asyncio.ensure_future(hub.run())
    yield hub, bus, database
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_change_wakes_those_who_wait_for_its_account_and_no_others() -> None:
    hub = Hub(MemoryBus())
    one, two, other = Sleeper(), Sleeper(), Sleeper()
    hub.join(SEVEN, one)
    hub.join(SEVEN, two)
    hub.join(EIGHT, other)
    hub.publish(SEVEN, ModSeq(12))
    assert one.told == []
    await until(lambda: one.told == [12] and two.told == [12])
    assert other.told == []


async def test_many_changes_at_once_wake_once() -> None:
    hub, sleeper = Hub(MemoryBus()), Sleeper()
    hub.join(SEVEN, sleeper)
    for modseq in range(1, 1000):
        hub.publish(SEVEN, ModSeq(modseq))
    await until(lambda: bool(sleeper.told))
    assert sleeper.told == [999]


async def test_who_has_left_is_not_woken() -> None:
    hub, sleeper, stays = Hub(MemoryBus()), Sleeper(), Sleeper()
    hub.join(SEVEN, sleeper)
    hub.join(SEVEN, stays)
    hub.publish(SEVEN, ModSeq(1))
    hub.leave(SEVEN, sleeper)
    hub.leave(SEVEN, sleeper)
    await until(lambda: stays.told == [1])
    assert sleeper.told == []
    hub.leave(SEVEN, stays)
    assert hub.waiting == 0


async def test_who_leaves_while_others_are_told_does_not_disturb() -> None:
    class Leaver(Sleeper):
        def account_changed(self, modseq: ModSeq) -> None:
            super().account_changed(modseq)
            hub.leave(SEVEN, self)

    hub, leaver, sleeper = Hub(MemoryBus()), Leaver(), Sleeper()
    hub.join(SEVEN, leaver)
    hub.join(SEVEN, sleeper)
    hub.publish(SEVEN, ModSeq(1))
    await until(lambda: sleeper.told == [1])
    assert hub.waiting == 1


async def test_a_waiter_that_fails_stops_no_other() -> None:
    hub, broken, sleeper = Hub(MemoryBus()), Sleeper(fails=True), Sleeper()
    hub.join(SEVEN, broken)
    hub.join(SEVEN, sleeper)
    with telemetry.capture() as events:
        hub.publish(SEVEN, ModSeq(1))
        await until(lambda: sleeper.told == [1])
    assert [event.msg for event in events] == ["panic"]


async def test_what_another_process_did_is_read_before_it_is_told(fleet: tuple[Hub, MemoryBus, Log]) -> None:
    hub, bus, database = fleet
    sleeper = Sleeper()
    hub.join(SEVEN, sleeper)
    database.open.clear()
    bus.publish(Topic.ACCOUNT, SEVEN, 5)
    await until(lambda: database.read == [7])
    assert sleeper.told == []
    database.open.set()
    await until(lambda: sleeper.told == [5])


async def test_what_this_process_did_is_told_without_reading(fleet: tuple[Hub, MemoryBus, Log]) -> None:
    hub, bus, database = fleet
    sleeper = Sleeper()
    hub.join(SEVEN, sleeper)
    hub.publish(SEVEN, ModSeq(5))
    bus.publish(Topic.ACCOUNT, SEVEN, 4)
    await until(lambda: sleeper.told == [5])
    assert database.read == []


async def test_hints_about_accounts_that_nobody_waits_for_cost_no_reading(fleet: tuple[Hub, MemoryBus, Log]) -> None:
    hub, bus, database = fleet
    sleeper = Sleeper()
    hub.join(EIGHT, sleeper)
    bus.publish(Topic.ACCOUNT, SEVEN, 5)
    bus.publish(Topic.ACCOUNT, EIGHT, 5)
    await until(lambda: sleeper.told == [5])
    assert database.read == [8]


async def test_a_lost_hint_costs_half_a_minute(fleet: tuple[Hub, MemoryBus, Log]) -> None:
    hub, _, database = fleet
    sleepers = {AccountId(n): Sleeper() for n in range(100)}
    for account, sleeper in sleepers.items():
        hub.join(account, sleeper)
    read = []
    for _ in range(30):
        hub.tick()
        await until(lambda: not hub._behind)
        read.append(len(database.read))
    await until(lambda: all(sleeper.told == [0] for sleeper in sleepers.values()))
    assert sorted(database.read) == list(range(100))
    assert max(after - before for before, after in itertools.pairwise(read)) <= 4  # spread over the time


async def test_a_single_process_has_nothing_to_look_at() -> None:
    hub, sleeper = Hub(MemoryBus()), Sleeper()
    hub.join(SEVEN, sleeper)
    for _ in range(60):
        hub.tick()
    await asyncio.sleep(0)
    assert sleeper.told == []


@pytest.mark.parametrize("failure", [Unavailable(cause="gone"), RuntimeError("broken")])
async def test_a_database_that_fails_is_told_and_asked_again(
    fleet: tuple[Hub, MemoryBus, Log], failure: Exception
) -> None:
    hub, bus, database = fleet
    sleeper = Sleeper()
    hub.join(SEVEN, sleeper)
    database.failure = failure
    with telemetry.capture() as events:
        bus.publish(Topic.ACCOUNT, SEVEN, 5)
        await until(lambda: sleeper.told == [5])
    assert [event.msg for event in events] == ["log-unreadable" if isinstance(failure, Unavailable) else "panic"]
    database.failure = None
    bus.publish(Topic.ACCOUNT, SEVEN, 6)
    await until(lambda: sleeper.told == [5, 6])


async def test_a_slow_account_does_not_hold_up_others(fleet: tuple[Hub, MemoryBus, Log]) -> None:
    hub, bus, _ = fleet
    gate = asyncio.Event()

    async def catch_up(account: AccountId) -> None:
        if account == SEVEN:
            await gate.wait()

    hub._catch_up = catch_up
    slow, quick = Sleeper(), Sleeper()
    hub.join(SEVEN, slow)
    hub.join(EIGHT, quick)
    bus.publish(Topic.ACCOUNT, SEVEN, 1)
    bus.publish(Topic.ACCOUNT, EIGHT, 1)
    await until(lambda: quick.told == [1])
    assert slow.told == []
    gate.set()
    await until(lambda: slow.told == [1])
