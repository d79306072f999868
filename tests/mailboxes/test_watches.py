"""One reading serves all of a viewer's listeners, and a hint that comes meanwhile one more."""

from __future__ import annotations

import asyncio

import pytest

from hongyan.addresses import Address
from hongyan.engines.memory import MemoryBus
from hongyan.errors import Unavailable
from hongyan.mailboxes.picture import Picture
from hongyan.mailboxes.reach import Viewer
from hongyan.mailboxes.watches import Watches, Wishes
from hongyan.notify.hub import Hub
from hongyan.types import AccountId, ModSeq

ANNA = Viewer(AccountId(1), Address.parse("anna@hongyan.test"))
PATIENCE = 10.0


class Readings(Watches):
    """Reads nothing, and counts how often."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(None, None, None, hub)  # type: ignore[arg-type]  # nothing of it is asked
        self.count = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def read(self, viewer: Viewer, wishes: Wishes) -> Picture:
        self.count += 1
        await self.gate.wait()
        if self.fails:
            raise Unavailable(cause="the database is away")
        return Picture({}, frozenset({str(self.count)}))


class Ear:
    """Listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_lost = False
        self.stirred = asyncio.Event()

    def picture_changed(self, picture: Picture) -> None:
        self.heard += picture.subscribed
        self.stirred.set()

    def picture_lost(self) -> None:
        self.is_lost = True
        self.stirred.set()

    async def wait(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.stirred.wait()
        self.stirred.clear()


async def test_one_reading_serves_all_listeners_of_a_viewer() -> None:
    hub = Hub(MemoryBus())
    watches, ears = Readings(hub), [Ear() for _ in range(5)]
    for ear in ears:
        await watches.join(ANNA, ear, Wishes())
    before = watches.count
    hub.publish(ANNA.account, ModSeq(7))
    for ear in ears:
        await ear.wait()
    assert watches.count == before + 1
    assert hub.waiting == 1


async def test_hints_that_come_while_it_reads_fall_into_one_more() -> None:
    hub = Hub(MemoryBus())
    watches, ear = Readings(hub), Ear()
    await watches.join(ANNA, ear, Wishes())
    watches.gate.clear()
    for modseq in range(20):
        hub.publish(ANNA.account, ModSeq(modseq))
        await asyncio.sleep(0)
    watches.gate.set()
    while "3" not in ear.heard:
        await ear.wait()
    assert ear.heard == ["2", "3"]


async def test_who_cannot_be_told_any_more_hears_that() -> None:
    hub = Hub(MemoryBus())
    watches, ear = Readings(hub), Ear()
    await watches.join(ANNA, ear, Wishes())
    watches.fails = True
    hub.publish(ANNA.account, ModSeq(7))
    await ear.wait()
    assert ear.is_lost


async def test_with_its_last_listener_a_watch_ends() -> None:
    hub = Hub(MemoryBus())
    watches, ear = Readings(hub), Ear()
    await watches.join(ANNA, ear, Wishes())
    watches.leave(ANNA, ear)
    watches.leave(ANNA, ear)
    assert (len(watches), hub.waiting) == (0, 0)


async def test_who_could_not_join_leaves_nothing_behind() -> None:
    hub = Hub(MemoryBus())
    watches = Readings(hub)
    watches.fails = True
    with pytest.raises(Unavailable):
        await watches.join(ANNA, Ear(), Wishes())
    assert (len(watches), hub.waiting) == (0, 0)
