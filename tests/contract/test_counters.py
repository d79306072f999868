"""What every engine's sliding windows promise, to the second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.engines.memory import MemoryCounters
from hongyan.engines.sql.counters import SqlCounters
from hongyan.engines.sql.units import Statement, Unit
from hongyan.engines.storage import SqlStorage
from hongyan.errors import Unavailable
from hongyan.store.counters import Counters
from tests.support.clock import FakeClock
from tests.support.storage import ENGINES, open_storage

HOUR = 3600.0


@pytest.fixture(params=["memory", *ENGINES])
async def counters(request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Counters]:
    if request.param == "memory":
        yield MemoryCounters(clock)
    else:
        async with open_storage(request.param, tmp_path, request) as storage:
            yield SqlCounters(storage.database, clock)


async def test_500_in_an_hour_pass_and_the_501st_waits_for_the_first_to_be_an_hour_old(
    counters: Counters, clock: FakeClock
) -> None:
    for _ in range(500):
        assert await counters.take("logins 192.0.2.1", 500, HOUR) == 0
        clock.advance(1)
    wait = await counters.take("logins 192.0.2.1", 500, HOUR)
    assert wait == pytest.approx(HOUR - 500)
    clock.advance(HOUR - 501)
    assert await counters.take("logins 192.0.2.1", 500, HOUR) == pytest.approx(1)
    clock.advance(1)
    assert await counters.take("logins 192.0.2.1", 500, HOUR) == 0
    assert await counters.take("logins 192.0.2.1", 500, HOUR) == pytest.approx(1)


async def test_a_refused_act_takes_no_slot(counters: Counters, clock: FakeClock) -> None:
    assert await counters.take("key", 1, HOUR) == 0
    for _ in range(100):
        clock.advance(10)
        assert await counters.take("key", 1, HOUR) > 0
    clock.advance(HOUR - 1000)
    assert await counters.take("key", 1, HOUR) == 0


async def test_keys_do_not_know_one_another(counters: Counters) -> None:
    assert await counters.take("a", 1, HOUR) == 0
    assert await counters.take("b", 1, HOUR) == 0
    assert await counters.take("a", 1, HOUR) > 0


async def test_a_slot_that_is_given_back_is_free(counters: Counters) -> None:
    for _ in range(1000):
        assert await counters.take("key", 1, HOUR) == 0
        await counters.give_back("key")
    assert await counters.count("key", HOUR) == 0
    await counters.give_back("key")
    await counters.give_back("never taken")


async def test_a_crowd_at_once_does_not_slip_through(counters: Counters) -> None:
    taken = await asyncio.gather(*(counters.take("key", 10, HOUR) for _ in range(100)))
    assert taken.count(0) == 10


async def test_several_slots_are_taken_together_or_not_at_all(counters: Counters, clock: FakeClock) -> None:
    assert await counters.take("recipients 7", 100, HOUR, 60) == 0
    clock.advance(100)
    assert await counters.take("recipients 7", 100, HOUR, 41) == pytest.approx(HOUR - 100)
    assert await counters.take("recipients 7", 100, HOUR, 40) == 0
    assert await counters.count("recipients 7", HOUR) == 100
    assert await counters.count("recipients 7", 50) == 40
    assert await counters.take("recipients 7", 100, HOUR, 101) == HOUR
    await counters.give_back("recipients 7", 30)
    assert await counters.take("recipients 7", 100, HOUR, 30) == 0


async def test_a_limit_of_nothing_lets_nothing_pass(counters: Counters) -> None:
    assert await counters.take("key", 0, HOUR) == HOUR


async def test_windows_are_forgotten_by_the_beginning_of_their_key(counters: Counters) -> None:
    for key in ("logins 192.0.2.1", "logins 192.0.2.1 li", "logins 192.0.2.2"):
        assert await counters.take(key, 1, HOUR) == 0
    await counters.forget("logins 192.0.2.1")
    assert [await counters.count(key, HOUR) for key in ("logins 192.0.2.1", "logins 192.0.2.1 li")] == [0, 0]
    assert await counters.count("logins 192.0.2.2", HOUR) == 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 3)), max_size=60), st.integers(1, 6))
async def test_any_course_of_events_is_as_a_list_of_times_would_have_it(
    steps: list[tuple[int, int]], limit: int
) -> None:
    clock = FakeClock()
    counters = MemoryCounters(clock)
    model: deque[float] = deque()
    for seconds, amount in steps:
        clock.advance(seconds)
        now = clock.monotonic()
        while model and model[0] <= now - 60:
            model.popleft()
        fits = len(model) + amount <= limit
        wait = await counters.take("key", limit, 60, amount)
        assert (wait == 0) == fits
        if fits:
            model.extend([now] * amount)
        elif amount <= limit:
            assert sum(time > now + wait - 60 for time in model) + amount <= limit
        assert await counters.count("key", 60) == len(model)


async def test_the_memory_of_windows_is_bounded(clock: FakeClock) -> None:
    counters = MemoryCounters(clock, max_windows=100, max_slots=1000)
    for n in range(500):
        assert await counters.take(f"key {n}", 10, HOUR) == 0
        assert await counters.take("busy", 10_000, HOUR) == 0
    assert len(counters._windows) == 100
    assert await counters.count("busy", HOUR) == 500  # it was touched all the time
    assert [await counters.count(f"key {n}", HOUR) for n in (0, 499)] == [0, 1]
    for n in range(100):
        await counters.take(f"wide {n}", 10_000, HOUR, 50)
    assert counters._slots == sum(map(len, counters._windows.values())) <= 1000
    await counters.take("wider", 10_000, HOUR, 5000)
    assert counters._slots == 5000


async def test_windows_on_one_database_are_those_of_everybody(storage: SqlStorage, clock: FakeClock) -> None:
    one, other = SqlCounters(storage.database, clock), SqlCounters(storage.database, clock)
    taken = await asyncio.gather(*(counters.take("key", 10, HOUR) for counters in (one, other) for _ in range(20)))
    assert taken.count(0) == 10
    await one.give_back("key")
    assert await other.count("key", HOUR) == 9
    assert await other.take("key", 10, HOUR) == 0
    assert await one.take("key", 10, HOUR) > 0


async def test_a_clock_that_is_behind_keeps_windows_in_order(storage: SqlStorage, clock: FakeClock) -> None:
    late = FakeClock(clock.now() - timedelta(seconds=30))
    assert await SqlCounters(storage.database, clock).take("key", 2, HOUR) == 0
    assert await SqlCounters(storage.database, late).take("key", 2, HOUR) == 0
    assert await SqlCounters(storage.database, clock).take("key", 2, HOUR) == pytest.approx(HOUR)


async def test_empty_windows_are_removed(storage: SqlStorage, clock: FakeClock) -> None:
    counters = SqlCounters(storage.database, clock)
    await counters.take("short", 1, 60)
    await counters.take("long", 1, HOUR)
    clock.advance(61)
    assert (await counters.expire(), await counters.expire()) == (1, 0)
    assert await counters.count("long", HOUR) == 1


async def test_windows_of_a_database_that_is_away_are_unavailable(storage: SqlStorage, clock: FakeClock) -> None:
    counters = SqlCounters(storage.database, clock)
    await storage.database.write(lambda _refs: _drop())
    with pytest.raises(Unavailable):
        await counters.take("key", 1, HOUR)
    with pytest.raises(Unavailable):
        await counters.count("key", HOUR)


def _drop() -> Unit[None]:
    yield Statement("DROP TABLE limit_windows")
