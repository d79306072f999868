"""Clocks: the system's, and the one that tests are master of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.clock import Clock, Random, SystemClock, SystemRandom
from tests.support.clock import FakeClock, FakeRandom


def test_the_systems_time_is_aware_and_in_utc() -> None:
    clock: Clock = SystemClock()
    assert clock.now().utcoffset() == timedelta()
    assert abs(clock.now().timestamp() - clock.timestamp()) < 60
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.parametrize("chance", [SystemRandom(), FakeRandom()])
def test_chance_keeps_to_its_bounds(chance: Random) -> None:
    assert len(chance.token(16)) == 16
    assert {chance.below(3) for _ in range(200)} == {0, 1, 2}
    assert all(0.8 <= chance.jitter(0.2) <= 1.2 for _ in range(200))


def test_a_fake_clock_moves_both_times_when_advanced_and_one_when_set() -> None:
    clock = FakeClock()
    wall, monotonic = clock.now(), clock.monotonic()
    clock.advance(90)
    clock.advance(timedelta(minutes=1))
    assert (clock.now() - wall, clock.monotonic() - monotonic) == (timedelta(seconds=150), 150)
    clock.set(datetime(2001, 1, 1, tzinfo=UTC))
    assert clock.timestamp() == datetime(2001, 1, 1, tzinfo=UTC).timestamp()
    assert clock.monotonic() - monotonic == 150
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_fake_chance_is_the_same_each_time() -> None:
    assert FakeRandom(7).token(8) == FakeRandom(7).token(8) != FakeRandom(8).token(8)
