"""Where the time of a message went on its way in: an injected delay shows in its stage and in no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hongyan.inbound.passage import Watch
from hongyan.message.dates import format_date
from hongyan.store.passages import Passage
from hongyan.telemetry.metrics import REGISTRY
from tests.support.clock import FakeClock

STAGES = ("transfer", "checks", "storing")


def watch(clock: FakeClock, header: bytes = b"", **delays: float) -> Passage:
    watched = Watch(clock)
    clock.advance(delays.get("transfer", 0))
    watched.transferred()
    clock.advance(delays.get("checks", 0))
    watched.examined()
    clock.advance(delays.get("storing", 0))
    return watched.stored(header)


def stage_sum(stage: str) -> float:
    return REGISTRY.get_sample_value("hongyan_smtpserver_delivery_stage_seconds_sum", {"stage": stage}) or 0.0


def waits() -> tuple[float, float]:
    name = "hongyan_smtpserver_last_hop_seconds"
    return REGISTRY.get_sample_value(f"{name}_count") or 0.0, REGISTRY.get_sample_value(f"{name}_sum") or 0.0


@pytest.mark.parametrize("slow", STAGES)
def test_a_delay_shows_in_its_stage_alone(slow: str) -> None:
    before = {stage: stage_sum(stage) for stage in (*STAGES, "accept")}
    passage = watch(FakeClock(), **{slow: 7.0})
    assert {stage: getattr(passage, stage) for stage in STAGES} == {stage: 7.0 * (stage == slow) for stage in STAGES}
    grown = {stage: stage_sum(stage) - before[stage] for stage in before}
    assert grown == {stage: 7.0 * (stage == slow) for stage in STAGES} | {"accept": 7.0 * (slow != "transfer")}


def test_a_correction_of_the_wall_clock_is_no_delay() -> None:
    clock = FakeClock()
    watched = Watch(clock)
    watched.transferred()
    clock.set(clock.now().replace(year=2040))
    watched.examined()
    assert watched.stored(b"").checks == 0


@pytest.mark.parametrize(
    ("ahead", "wait", "counted"),
    [(-90, 90, 90.0), (0, 0, 0.0), (200, -200, 0.0), (301, -301, None), (-40 * 86_400, 40 * 86_400, None)],
)
def test_a_wait_elsewhere_is_told_and_counted_unless_clocks_disagree(
    ahead: int, wait: int, counted: float | None
) -> None:
    clock = FakeClock()
    stamp = format_date(clock.now() + timedelta(seconds=ahead))
    count, total = waits()
    passage = watch(clock, f"Received: from a by b; {stamp}\r\n".encode(), transfer=5)
    assert passage.wait == wait
    assert waits() == ((count, total) if counted is None else (count + 1, total + counted))


def test_without_a_date_nothing_is_known_of_the_wait() -> None:
    before = waits()
    assert watch(FakeClock(), b"Received: from a by b; soon\r\n").wait is None
    assert watch(FakeClock()).wait is None
    assert waits() == before
