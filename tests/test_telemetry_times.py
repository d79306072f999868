"""Times of commands, as Prometheus reads them."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from hongyan.telemetry.times import Times


def test_prometheus_reads_the_same_as_from_its_own_histogram() -> None:
    registry = CollectorRegistry()
    times = Times("goose_seconds", "Flights.", ("to",), (0.1, 1.0), registry)
    for seconds in (0.05, 0.1, 0.5, 7.0):
        times.labels("north").observe(seconds)
    times.labels("south")
    told = generate_latest(registry).decode().splitlines()
    assert told == [
        "# HELP goose_seconds Flights.",
        "# TYPE goose_seconds histogram",
        'goose_seconds_bucket{le="0.1",to="north"} 2.0',
        'goose_seconds_bucket{le="1.0",to="north"} 3.0',
        'goose_seconds_bucket{le="+Inf",to="north"} 4.0',
        'goose_seconds_count{to="north"} 4.0',
        'goose_seconds_sum{to="north"} 7.65',
        'goose_seconds_bucket{le="0.1",to="south"} 0.0',
        'goose_seconds_bucket{le="1.0",to="south"} 0.0',
        'goose_seconds_bucket{le="+Inf",to="south"} 0.0',
        'goose_seconds_count{to="south"} 0.0',
        'goose_seconds_sum{to="south"} 0.0',
    ]


def test_a_name_is_taken_once_and_labels_are_complete() -> None:
    registry = CollectorRegistry()
    times = Times("goose_seconds", "Flights.", ("to",), (0.1,), registry)
    with pytest.raises(ValueError, match="goose_seconds"):
        Times("goose_seconds", "Flights.", ("to",), (0.1,), registry)
    with pytest.raises(ValueError, match="north"):
        times.labels("north", "by east")
