"""Slow clients beside a normal one: the whole measurement, small."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.slow import Figures, main


def test_a_small_measurement_goes_through_and_loses_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--clients", "8", "--seconds", "2", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["slow_clients"] == told["still_open"] == 8
    assert told["messages"] > 0


def test_the_goals_are_those_that_are_promised() -> None:
    good = Figures(500, 500, 80, 8.0, 20.0, 10.0, 99.0, 120.0, 70_000, 90_000)
    assert good.within_goals
    assert not replace(good, still_open=499).within_goals
    assert not replace(good, beside_p99=101.0).within_goals
    assert not replace(good, memory_after=91_000).within_goals
