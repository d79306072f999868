"""What Hongyan shall reach, and whether it does on a machine whose speed nobody knows.

The CPU that the same work takes differs by a factor of two between virtual cores, and between one
hour and the next on one core. What the peer takes differs with it. So a figure is brought to the
machine on which the goals were set before it is judged:

    normalised = measured * landmark / measured peer

where the landmark is what the peer took for the same work on that machine. Work without a landmark
of its own is brought there by the median of all factors of the run.
"""

from __future__ import annotations

__all__ = ["GOALS", "Goal", "Verdict", "judge"]

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.rounds import Measurement


@dataclass(frozen=True, slots=True)
class Goal:
    """At most so many milliseconds of CPU for an operation of that work (or KiB for a connection)."""

    work: str
    says: str
    limit: float
    landmark: float | None = None
    note: str | None = None  # judged is this note of the work, which no core's speed changes
    is_for_100k: bool = False  # it depends on the size of the mailbox


@dataclass(frozen=True, slots=True)
class Verdict:
    """A goal and what came of it."""

    goal: Goal
    measured: float
    peer: float | None
    normalised: float

    @property
    def met(self) -> bool:
        return self.normalised <= self.goal.limit


GOALS = (
    Goal("deliver/4k/kept/20", "accept and store 4 KB", 1.0, 5.75),
    Goal("deliver/100k/kept/20", "accept and store 100 KB", 1.8, 8.2),
    Goal("list/all", "list a message: flags, envelope, structure", 0.004, 0.013, is_for_100k=True),
    Goal("list/flags", "list a message: flags only", 0.000_35, 0.000_48, is_for_100k=True),
    Goal("single/noop", "NOOP", 0.025),
    Goal("single/flags", "FETCH the flags of one message", 0.035),
    Goal("single/envelope", "FETCH one envelope", 0.065),
    Goal("single/body-4k", "FETCH one body of 4 KB", 0.07),
    Goal("store/single", "STORE one message", 0.12, 0.15),
    Goal("store/1000", "STORE 1,000 messages", 0.5, 0.63),
    Goal("store/1000-silent", "STORE 1,000 messages, silent", 0.3, 0.36),
    Goal("select/warm", "SELECT 100,000 messages, warm", 0.4, 0.55, is_for_100k=True),
    Goal("select/cold", "SELECT 100,000 messages, cold", 3.0, 5.2, is_for_100k=True),
    Goal("login/plain/20", "log in with a secret seen before", 0.3, 1.0),
    Goal("idle/tls", "hold an idle TLS connection (KiB)", 40.0, note="kib_per_connection"),
)


def judge(measurements: Iterable[Measurement], ours: str, peer: str | None, *, is_full_size: bool) -> list[Verdict]:
    """Return the verdicts on all goals whose work was done, and done right."""
    found = {measurement.name: measurement for measurement in measurements if measurement.is_right}
    goals = [goal for goal in GOALS if goal.work in found and (is_full_size or not goal.is_for_100k)]
    factors = _factors(goals, found, peer)
    general = statistics.median(factors.values()) if factors else 1.0
    verdicts = []
    for goal in goals:
        measured = _figure(goal, found[goal.work], ours)
        if measured is None:
            continue
        factor = 1.0 if goal.note else factors.get(goal.work, general)
        theirs = None if peer is None else _figure(goal, found[goal.work], peer)
        verdicts.append(Verdict(goal, measured, theirs, measured * factor))
    return verdicts


def _factors(goals: Iterable[Goal], found: Mapping[str, Measurement], peer: str | None) -> dict[str, float]:
    """How much faster the machine of the landmarks is than this one, by each piece of work."""
    if peer is None:
        return {}
    taken = {goal: _figure(goal, found[goal.work], peer) for goal in goals if goal.landmark is not None}
    return {goal.work: goal.landmark / figure for goal, figure in taken.items() if goal.landmark and figure}


def _figure(goal: Goal, measurement: Measurement, server: str) -> float | None:
    if goal.note is not None:
        return measurement.note(server, goal.note)
    cpu = measurement.cpu(server)
    return None if cpu is None else cpu.median
