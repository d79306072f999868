"""One timer for all: never early, at most two seconds late, and cheap to leave."""

from __future__ import annotations

import asyncio
import contextlib

from hypothesis import given
from hypothesis import strategies as st

from hongyan import telemetry
from hongyan.servers.wheel import Wheel
from tests.support.clock import FakeClock


class Item:
    """Counts the looks at it."""

    def __init__(self, *again: float) -> None:
        self.slot = -1
        self.again = list(again)
        self.looks: list[float] = []

    def due(self, now: float) -> float:
        self.looks.append(now)
        return self.again.pop(0) if self.again else 0


def turn(clock: FakeClock, wheel: Wheel, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(1)
        wheel.turn()


@given(st.floats(0.01, 62), st.floats(0, 0.99))
def test_an_item_is_looked_at_on_time(seconds: float, offset: float) -> None:
    clock = FakeClock()
    clock.advance(offset)
    wheel, item = Wheel(clock), Item()
    begun = clock.monotonic()
    wheel.add(item, seconds)
    turn(clock, wheel, 64)
    assert len(item.looks) == 1
    assert seconds - 1 <= item.looks[0] - begun <= seconds + 1


def test_an_item_says_when_it_wants_to_be_looked_at_again() -> None:
    clock = FakeClock()
    wheel, item = Wheel(clock), Item(5, 10)
    start = clock.monotonic()
    wheel.add(item, 1)
    turn(clock, wheel, 40)
    assert [look - start for look in item.looks] == [1, 6, 16]
    assert item.slot == -1


def test_far_deadlines_are_looked_at_sooner() -> None:
    clock = FakeClock()
    wheel, item = Wheel(clock), Item()
    wheel.add(item, 100_000)
    turn(clock, wheel, 63)
    assert len(item.looks) == 1


def test_what_left_is_not_looked_at() -> None:
    clock = FakeClock()
    wheel, item = Wheel(clock), Item()
    wheel.add(item, 3)
    wheel.remove(item)
    wheel.remove(item)
    turn(clock, wheel, 10)
    assert item.looks == []


def test_after_a_long_pause_everything_is_looked_at_once() -> None:
    clock = FakeClock()
    wheel = Wheel(clock)
    items = [Item() for _ in range(63)]
    for seconds, item in enumerate(items, 1):
        wheel.add(item, seconds)
    clock.advance(3600)
    wheel.turn()
    assert [len(item.looks) for item in items] == [1] * 63


def test_one_fault_does_not_stop_the_others() -> None:
    class Broken(Item):
        def due(self, now: float) -> float:
            raise RuntimeError("broken")

    clock = FakeClock()
    wheel, broken, item = Wheel(clock), Broken(), Item()
    wheel.add(broken, 1)
    wheel.add(item, 1)
    with telemetry.capture() as events:
        turn(clock, wheel, 3)
    assert len(item.looks) == 1
    assert [event.msg for event in events] == ["panic"]


def test_a_job_keeps_its_beat_although_it_fails() -> None:
    clock = FakeClock()
    wheel = Wheel(clock)
    beats: list[float] = []

    def job() -> None:
        beats.append(clock.monotonic() - 1000)
        raise RuntimeError("broken")

    wheel.every(2, job)
    with telemetry.capture() as events:
        turn(clock, wheel, 7)
    assert beats == [2, 4, 6]
    assert len(events) == 3


async def test_the_wheel_turns_by_itself() -> None:
    clock = FakeClock()
    wheel, item = Wheel(clock), Item()
    wheel.add(item, 1)
    clock.advance(5)
    running = asyncio.ensure_future(wheel.run())
    async with asyncio.timeout(10):
        while not item.looks:
            await asyncio.sleep(0.05)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
