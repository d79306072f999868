"""The directory's log reaches those who keep parts of the directory in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from hongyan.accounts.cache import Cache
from hongyan.accounts.watch import DirectoryWatch
from hongyan.engines.memory import MemoryBus
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import Unavailable
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from tests.support.clock import FakeClock
from tests.support.door import Door, OpenDoor


class _Ear:
    def __init__(self) -> None:
        self.heard: list[Sequence[DirectoryChange] | None] = []
        self.told = asyncio.Event()

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        self.heard.append(changes)
        self.told.set()


async def _watch(geese: SqlDatabase, bus: MemoryBus, interval: float = 60.0) -> tuple[DirectoryWatch, _Ear]:
    ear = _Ear()
    watch = DirectoryWatch(SqlDirectory(geese), bus, interval=interval)
    watch.listen(ear)
    await watch.start()
    return watch, ear


async def test_a_hint_of_another_process_is_followed_at_once(geese: SqlDatabase, doors: OpenDoor) -> None:
    bus = MemoryBus()
    door = await doors(bus=bus)
    watch, ear = await _watch(geese, bus)
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
        await door.add("ann@geese.test")
        await ear.told.wait()
    running.cancel()
    (changes,) = ear.heard
    assert changes is not None
    assert [change.topic for change in changes] == [DirectoryTopic.ADDRESS]


async def test_a_lost_hint_costs_time_only(geese: SqlDatabase, door: Door) -> None:
    watch, ear = await _watch(geese, MemoryBus(), interval=0.01)
    await door.add("ann@geese.test")
    running = asyncio.create_task(watch.run())
    async with asyncio.timeout(10):
        await ear.told.wait()
    running.cancel()


async def test_who_missed_entries_is_told_that_anything_may_have_changed(
    geese: SqlDatabase, door: Door, clock: FakeClock
) -> None:
    watch, ear = await _watch(geese, MemoryBus())
    await door.add("ann@geese.test")
    await SqlDirectory(geese).expire_directory_changes(clock.now() + timedelta(days=1))
    await watch.catch_up()
    await watch.catch_up()
    assert ear.heard == [None]


async def test_an_unreadable_log_is_read_again(geese: SqlDatabase, door: Door) -> None:
    watch, ear = await _watch(geese, MemoryBus(), interval=0.01)
    store = watch._store
    failing = _Failing(store)
    watch._store = failing
    running = asyncio.create_task(watch.run())
    await door.add("ann@geese.test")
    async with asyncio.timeout(10):
        await ear.told.wait()
    running.cancel()
    assert failing.failures == 0


class _Failing:
    """Cannot be reached three times."""

    def __init__(self, store: SqlDirectory) -> None:
        self._store = store
        self.failures = 3

    async def directory_changes(self, after: int, *, limit: int = 1000) -> Sequence[DirectoryChange] | None:
        if self.failures:
            self.failures -= 1
            raise Unavailable(cause="away")
        return await self._store.directory_changes(after, limit=limit)


def test_what_was_read_before_an_invalidation_is_not_kept_after_it() -> None:
    cache: Cache[str, int] = Cache(10)
    generation = cache.generation
    cache.clear()
    cache.keep("a", 1, generation)
    assert cache.find("a") is None
    cache.keep("a", 1, cache.generation)
    generation = cache.generation
    cache.drop("a")
    cache.keep("a", 1, generation)
    assert cache.find("a") is None


def test_a_full_cache_forgets_the_oldest() -> None:
    cache: Cache[int, int] = Cache(20)
    for number in range(100):
        cache.keep(number, number, cache.generation)
        assert len(cache) <= 20
    assert cache.find(99) == 99
    assert cache.find(0) is None
    cache.drop_where(lambda value: value % 2 == 0)
    assert cache.find(98) is None
    assert cache.find(99) == 99
