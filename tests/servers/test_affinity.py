"""Threads that take turns, on one core."""

from __future__ import annotations

import os
import threading

import pytest

from hongyan.servers import affinity
from hongyan.servers.affinity import CoreKeeper, busy_shares, core_times

Times = dict[int, tuple[int, int]]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Times:
    """A machine of three cores; what is put in are their (busy, idle) ticks."""
    times: Times = {0: (0, 0), 1: (0, 0), 2: (0, 0)}
    monkeypatch.setattr(affinity, "core_times", times.copy)
    return times


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> dict[int, set[int]]:
    """Which cores each thread was given."""
    given: dict[int, set[int]] = {}
    monkeypatch.setattr(os, "sched_setaffinity", given.__setitem__, raising=False)
    monkeypatch.setattr(os, "times", lambda: (0.0, 0.0, 0.0, 0.0, 0.0))
    return given


def keeper() -> CoreKeeper:
    return CoreKeeper(frozenset({0, 1, 2}))


def test_all_threads_share_the_core_that_was_idlest(machine: Times, pinned: dict[int, set[int]]) -> None:
    machine |= {0: (900, 100), 1: (100, 900), 2: (500, 500)}
    cores = keeper()
    cores.adopt(11)
    cores.adopt(12)
    assert pinned == {11: {1}, 12: {1}}


def test_they_move_together_when_others_keep_the_core_busy(machine: Times, pinned: dict[int, set[int]]) -> None:
    machine |= {0: (0, 100), 1: (50, 50), 2: (50, 50)}
    cores = keeper()
    cores.adopt(11)
    cores.adopt(12)
    machine |= {0: (90, 110), 1: (60, 140), 2: (55, 145)}
    assert cores.look_around() == 2
    assert pinned == {11: {2}, 12: {2}}


@pytest.mark.parametrize(
    "later",
    [
        {0: (30, 170), 1: (50, 150), 2: (50, 150)},  # a little busy
        {0: (90, 110), 1: (130, 70), 2: (135, 65)},  # busy, and the others are no better
    ],
)
def test_they_stay_where_a_move_gains_little(machine: Times, pinned: dict[int, set[int]], later: Times) -> None:
    machine |= {0: (0, 100), 1: (50, 50), 2: (50, 50)}
    cores = keeper()
    cores.adopt(11)
    machine |= later
    assert cores.look_around() == 0
    assert pinned == {11: {0}}


def test_our_own_work_does_not_drive_us_away(
    machine: Times, pinned: dict[int, set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine |= {0: (0, 100), 1: (50, 50), 2: (50, 50)}
    cores = keeper()
    cores.adopt(11)
    machine |= {0: (95, 105), 1: (50, 150), 2: (50, 150)}
    used = 95 / os.sysconf("SC_CLK_TCK")
    monkeypatch.setattr(os, "times", lambda: (used, 0.0, 0.0, 0.0, 0.0))
    assert cores.look_around() == 0


def test_a_thread_that_cannot_be_kept_is_left_alone(machine: Times, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def refuse(thread: int, _cores: set[int]) -> None:
        tries.append(thread)
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    machine |= {0: (0, 100), 1: (50, 50), 2: (50, 50)}
    cores = keeper()
    cores.adopt(11)
    machine |= {0: (90, 110), 1: (50, 150), 2: (50, 150)}
    cores.look_around()
    assert tries == [11]


def test_where_the_system_says_nothing_nothing_is_done(
    pinned: dict[int, set[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(affinity, "core_times", dict)
    monkeypatch.setattr(affinity, "_allowed_cores", frozenset)
    cores = CoreKeeper()
    cores.join()
    assert cores.look_around() is None
    assert pinned == {}


def test_this_system_tells_of_its_cores() -> None:
    times = core_times()
    assert set(times) >= set(os.sched_getaffinity(0))
    assert all(busy >= 0 and idle >= 0 for busy, idle in times.values())


def test_a_share_is_what_was_busy_of_what_passed() -> None:
    assert busy_shares({0: (10, 10), 1: (5, 5)}, {0: (40, 20), 1: (5, 5)}) == {0: 0.75, 1: 0.0}


def test_the_calling_thread_stays_on_its_core() -> None:
    """In a thread of its own: pytest's keeps all cores."""
    kept: list[set[int]] = []

    def work() -> None:
        CoreKeeper().join()
        kept.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(kept[0]) == 1
