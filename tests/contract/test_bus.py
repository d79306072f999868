"""What every bus promises: hints arrive, may fall into one, and a listener's fault is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hongyan import telemetry
from hongyan.engines.memory import MemoryBus
from hongyan.store.bus import Bus, Topic

PATIENCE = 10.0


@pytest.fixture(params=["memory"])
def bus(request: pytest.FixtureRequest) -> Bus:
    return MemoryBus()


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []
        self._stirred = asyncio.Event()

    def take(self, subject: int, position: int) -> None:
        self.heard.append((subject, position))
        self._stirred.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._stirred.clear()
                await self._stirred.wait()


async def test_a_hint_reaches_everybody_who_listens_to_its_topic(bus: Bus) -> None:
    one, two, other = Listener(), Listener(), Listener()
    bus.subscribe(Topic.ACCOUNT, one.take)
    bus.subscribe(Topic.ACCOUNT, two.take)
    bus.subscribe(Topic.QUEUE, other.take)
    bus.publish(Topic.ACCOUNT, 7, 4812)
    bus.publish(Topic.QUEUE, 0, 0)
    await one.until(lambda: one.heard == [(7, 4812)])
    await two.until(lambda: two.heard == [(7, 4812)])
    await other.until(lambda: other.heard == [(0, 0)])


async def test_publishing_does_not_call_anybody_at_once(bus: Bus) -> None:
    listener = Listener()
    bus.subscribe(Topic.ACCOUNT, listener.take)
    bus.publish(Topic.ACCOUNT, 7, 1)
    assert listener.heard == []
    await listener.until(lambda: bool(listener.heard))


async def test_the_highest_position_always_arrives(bus: Bus) -> None:
    listener = Listener()
    bus.subscribe(Topic.ACCOUNT, listener.take)
    for position in (1, 2, 9, 3):
        bus.publish(Topic.ACCOUNT, 7, position)
        bus.publish(Topic.ACCOUNT, 8, position + 100)
    await listener.until(lambda: {(7, 9), (8, 109)} <= set(listener.heard))


async def test_who_has_cancelled_hears_nothing_more(bus: Bus) -> None:
    listener, other = Listener(), Listener()
    subscription = bus.subscribe(Topic.ACCOUNT, listener.take)
    bus.subscribe(Topic.ACCOUNT, other.take)
    subscription.cancel()
    subscription.cancel()
    bus.publish(Topic.ACCOUNT, 7, 1)
    await other.until(lambda: bool(other.heard))
    assert listener.heard == []


async def test_a_listener_that_fails_stops_nobody(bus: Bus) -> None:
    def fail(subject: int, position: int) -> None:
        raise RuntimeError("broken")

    listener = Listener()
    bus.subscribe(Topic.ACCOUNT, fail)
    bus.subscribe(Topic.ACCOUNT, listener.take)
    with telemetry.capture() as events:
        bus.publish(Topic.ACCOUNT, 7, 1)
        await listener.until(lambda: bool(listener.heard))
    assert [event.msg for event in events] == ["panic"]


async def test_a_listener_may_publish(bus: Bus) -> None:
    listener = Listener()

    def answer(subject: int, position: int) -> None:
        if position < 5:
            bus.publish(Topic.ACCOUNT, subject, position + 1)

    bus.subscribe(Topic.ACCOUNT, answer)
    bus.subscribe(Topic.ACCOUNT, listener.take)
    bus.publish(Topic.ACCOUNT, 7, 1)
    await listener.until(lambda: (7, 5) in listener.heard)


async def test_without_listeners_a_hint_is_nothing(bus: Bus) -> None:
    for subject in range(1000):
        bus.publish(Topic.ACCOUNT, subject, 1)


async def test_the_memory_of_a_bus_is_bounded() -> None:
    bus, listener = MemoryBus(max_hints=10), Listener()
    bus.subscribe(Topic.ACCOUNT, listener.take)
    for subject in range(100):
        bus.publish(Topic.ACCOUNT, subject, 1)
    await listener.until(lambda: len(listener.heard) == 10)
    assert listener.heard == [(subject, 1) for subject in range(90, 100)]
