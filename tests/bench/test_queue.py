"""The benchmark of the queue tells its figures."""

from __future__ import annotations

import json

import pytest

from bench.queue import Figures, main


def test_living_servers_are_measured_beside_dead_ones_and_a_long_queue_is_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["--messages", "20", "--dead", "4", "--queued", "50", "--json"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["queued"] == 50
    assert min(figures["alone"], figures["beside"], figures["seconds_waiting"], figures["memory_due"]) > 0


def test_the_goals_are_checked() -> None:
    assert Figures(100, 90, 1, 1.0, 150 << 10, 1.9, 199 << 10).within_goals
    assert not Figures(100, 70, 1, 1.0, 150 << 10, 1.9, 199 << 10).within_goals
    assert not Figures(100, 90, 1, 1.0, 150 << 10, 2.1, 199 << 10).within_goals
    assert not Figures(100, 90, 1, 1.0, 201 << 10, 1.9, 199 << 10).within_goals
