"""When the queue tries again, tells and gives up; and that no jump of a clock confuses it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.addresses import Address
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.wire.smtp.parameters import Notify
from tests.queue.values import queued_message, queued_recipient
from tests.support.clock import FakeClock, FakeRandom

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SCHEDULE = Schedule()


class NoJitter(FakeRandom):
    def jitter(self, spread: float) -> float:
        return 1.0


def test_pauses_grow_from_five_minutes_to_four_hours() -> None:
    pauses = [SCHEDULE.next_attempt(attempts, NOW, NoJitter()) - NOW for attempts in range(1, 10)]
    assert [pause // timedelta(minutes=1) for pause in pauses] == [5, 10, 20, 40, 60, 120, 240, 240, 240]


@given(st.integers(1, 100), st.integers())
def test_jitter_spreads_by_a_tenth_and_never_beyond_the_latest(attempts: int, seed: int) -> None:
    without = SCHEDULE.next_attempt(attempts, NOW, NoJitter()) - NOW
    pause = SCHEDULE.next_attempt(attempts, NOW, FakeRandom(seed)) - NOW
    assert without * 0.9 <= pause <= without * 1.1
    assert NOW + pause <= SCHEDULE.latest(NOW)


def test_a_message_is_given_up_after_its_time_and_not_before() -> None:
    message = queued_message(queued_at=NOW, expires=SCHEDULE.expires(NOW))
    assert message.expires - NOW == timedelta(days=5)
    attempts, now = 1, NOW
    while not SCHEDULE.is_exhausted(message, attempts, now):
        now = SCHEDULE.next_attempt(attempts, now, NoJitter())
        attempts += 1
        assert attempts < 100
    assert timedelta(days=5) <= now - NOW <= timedelta(days=5, hours=4)
    assert attempts == 36


def test_a_jump_of_the_clock_leaves_half_of_the_attempts() -> None:
    message = queued_message(queued_at=NOW, expires=SCHEDULE.expires(NOW))
    late = NOW + timedelta(days=400)
    assert not SCHEDULE.is_exhausted(message, 1, late)
    assert not SCHEDULE.is_exhausted(message, 16, late)
    assert SCHEDULE.is_exhausted(message, 17, late)


@pytest.mark.parametrize(
    ("lifetime", "attempts"), [(0, 0), (4, 0), (5, 1), (14, 1), (15, 1), (36, 2), (255, 3), (495, 4)]
)
def test_a_short_lifetime_asks_for_few_attempts(lifetime: int, attempts: int) -> None:
    message = queued_message(queued_at=NOW, expires=NOW + timedelta(minutes=lifetime))
    late = NOW + timedelta(days=1)
    assert SCHEDULE.is_exhausted(message, attempts, late)
    assert attempts == 0 or not SCHEDULE.is_exhausted(message, attempts - 1, late)


@pytest.mark.parametrize(
    ("hours", "notify", "told", "null_path", "due"),
    [
        (3.9, None, False, False, False),
        (4, None, False, False, True),
        (4, None, True, False, False),
        (4, None, False, True, False),
        (4, Notify.DELAY, False, False, True),
        (4, Notify.FAILURE | Notify.SUCCESS, False, False, False),
        (4, Notify.NEVER, False, False, False),
    ],
)
def test_a_sender_is_told_of_a_delay_once_if_wished(
    hours: float, notify: Notify | None, told: bool, null_path: bool, due: bool
) -> None:
    reverse_path = None if null_path else Address.parse("ann@example.org")
    message = queued_message(reverse_path=reverse_path, queued_at=NOW)
    recipient = queued_recipient(notify=notify, delay_told=told)
    assert SCHEDULE.is_delay_notice_due(message, recipient, NOW + timedelta(hours=hours)) is due


def test_delay_notices_can_be_switched_off() -> None:
    message, recipient = queued_message(queued_at=NOW), queued_recipient()
    assert not Schedule(delay_notice=0).is_delay_notice_due(message, recipient, NOW + timedelta(days=3))


@pytest.mark.parametrize("broken", [{"pauses": ()}, {"pauses": (0,)}, {"lifetime": 0}, {"delay_notice": -1}])
def test_an_impossible_schedule_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Schedule(**broken)  # type: ignore[arg-type]


def test_the_steady_clock_goes_with_time_and_not_with_jumps() -> None:
    clock = FakeClock(NOW)
    steady = SteadyClock(clock)
    clock.advance(60)
    assert steady.now() == NOW + timedelta(seconds=60)
    for jump in (timedelta(days=-3000), timedelta(days=3000)):
        before = steady.now()
        clock.set(clock.now() + jump)
        assert steady.now() == before, "a jump alone moves nothing"
        clock.advance(100)
        moved = steady.now() - before
        assert timedelta(seconds=90) <= moved <= timedelta(seconds=110)


def test_the_steady_clock_heals_slowly() -> None:
    clock = FakeClock(NOW)
    steady = SteadyClock(clock)
    clock.set(NOW + timedelta(minutes=5))
    for _ in range(100):
        clock.advance(60)
        steady.now()
    assert steady.now() == clock.now()
