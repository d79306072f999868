"""The statistics of a run."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Spread, paired_ratios, percentile

VALUES = st.lists(st.floats(0.001, 1000), min_size=1)


def test_a_spread_is_the_median_between_the_lowest_and_the_highest() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert Spread.of([4.0, 1.0]) == Spread(2.5, 1.0, 4.0)


def test_nothing_has_no_spread_and_no_percentile() -> None:
    assert Spread.of([]) is None
    assert percentile([], 0.5) is None
    assert paired_ratios([], []) is None


def test_an_impossible_spread_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="not between"):
        Spread(median=1.0, low=2.0, high=3.0)


@pytest.mark.parametrize(("share", "found"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(share: float, found: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == found


@given(VALUES, st.floats(0.01, 1.0))
def test_a_percentile_is_one_of_the_values_and_as_many_are_below_it_as_it_says(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9


def test_ratios_are_taken_round_by_round() -> None:
    """On a core that becomes twice as slow, the ratio of what ran side by side stays what it was."""
    assert paired_ratios([1.0, 2.0, 4.0], [2.0, 4.0, 8.0]) == Spread(0.5, 0.5, 0.5)


def test_a_round_in_which_the_peer_used_nothing_has_no_ratio() -> None:
    assert paired_ratios([1.0, 3.0], [0.0, 6.0]) == Spread(0.5, 0.5, 0.5)


@given(VALUES)
def test_the_spread_agrees_with_the_standard_library(values: list[float]) -> None:
    spread = Spread.of(values)
    assert spread == Spread(statistics.median(values), min(values), max(values))
