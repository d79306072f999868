"""What a run prints."""

from __future__ import annotations

import json

import pytest

from bench.laps import Lap
from bench.machine import Machine
from bench.options import parse_options
from bench.report import Report
from bench.rounds import Measurement
from bench.tables import line_of, page_of, put_into_page

MACHINE = Machine(2, "a processor", 24, "ext4", "Linux 6.18", "Python 3.11.2 with uvloop 0.23.0", 30.0, 1000.0)


def lap(cpu_ms: float, wrong: str = "", **notes: float) -> Lap:
    done = Lap(None)  # type: ignore[arg-type]  # nothing is asked of it
    done.operations, done.server_cpu, done.wall, done.speed = 100, cpu_ms / 10, 2.0, 30.0
    done.latencies, done.notes, done.pss_mib = [0.001, 0.002], notes, 64.0
    done.check([wrong] if wrong else [])
    return done


def report(*measurements: Measurement) -> Report:
    versions = {"hongyan": "Hongyan 1", "dovecot": "Dovecot 2, Postfix 3"}
    return Report("make bench", MACHINE, versions, 100_000, True, list(measurements))


def pair(ours: Lap | None, theirs: Lap | None, name: str = "store/single") -> Measurement:
    return Measurement(name, "command", {"hongyan": [ours], "dovecot": [theirs]})


def test_a_row_has_both_figures_and_their_ratio() -> None:
    page = page_of(report(pair(lap(0.1), lap(0.2))))
    assert "| `store/single` | command | 0.1 ms | 0.2 ms | 0.50 (0.50–0.50) | 50.0 | 50.0 | 1 / 2 | 1 / 2 |" in page


def test_small_figures_are_microseconds() -> None:
    assert "| 3.7 µs | 0.013 ms |" in page_of(report(pair(lap(0.0037), lap(0.013))))


def test_wrong_answers_are_marked_and_told() -> None:
    told = report(pair(lap(0.1, wrong="9 hits instead of 10"), lap(0.2)))
    assert "0.1 ms **WRONG**" in page_of(told)
    assert "WRONG: 9 hits instead of 10" in line_of(told, told.measurements[0])
    assert told.wrong == ["store/single"]


def test_a_server_that_failed_leaves_a_gap() -> None:
    failed = pair(None, lap(0.2))
    failed.failures["hongyan"] = "Unexpected: connection lost"
    told = report(failed)
    assert "– **FAILED** | 0.2 ms | – |" in page_of(told)
    assert "FAILED: Unexpected: connection lost" in line_of(told, failed)


def test_goals_are_said_to_be_met_or_missed() -> None:
    page = page_of(report(pair(lap(0.1), lap(0.15)), pair(lap(0.6), lap(0.63), "store/1000")))
    assert "| 0.12 ms | 0.1 ms | 0.15 ms | 0.15 ms | 0.1 ms | met |" in page
    assert "| 0.5 ms | 0.6 ms | 0.63 ms | 0.63 ms | 0.6 ms | **missed** by 20 % |" in page


def test_idle_connections_are_compared() -> None:
    ours, theirs = lap(1.0, kib_per_connection=20.0), lap(2.0, kib_per_connection=400.0)
    page = page_of(report(pair(ours, theirs, "idle/tls")))
    assert "| `idle/tls`: KiB (PSS) for each | 20.0 | 400 | 0.05 |" in page


def test_a_report_is_json() -> None:
    told = json.loads(json.dumps(report(pair(lap(0.1), lap(0.2))).record()))
    (one,) = told["measurements"]
    assert one["cpu_ratio"] == {"median": 0.5, "low": 0.5, "high": 0.5}
    assert one["servers"]["hongyan"]["laps"][0]["operations"] == 100


def test_a_page_keeps_its_words_and_gets_new_figures() -> None:
    page = "Before.\n<!-- figures: `make bench` writes them -->\nold\n<!-- end of figures -->\nAfter.\n"
    once = put_into_page(page, "new\n")
    assert "old" not in once
    assert once.startswith("Before.\n")
    assert once.endswith("After.\n")
    assert put_into_page(once, "new\n") == once
    with pytest.raises(ValueError, match="to put figures into"):
        put_into_page("no place", "new")


def test_the_command_of_a_run_can_be_repeated_anywhere() -> None:
    assert parse_options([]).command == "make bench"
    told = parse_options(["--quick", "--repeat", "6", "--keep", "/data", "--json", "x.json", "--only", "store"])
    assert told.command == 'make bench ARGS="--quick --repeat 6 --only store"'
    assert (told.scale, told.repeat, told.big, told.idle) == (0.1, 6, 5000, 200)


def test_work_is_chosen_by_parts_of_its_name() -> None:
    told = parse_options(["--only", "store,noop"])
    assert [name for name in ("store/single", "single/noop", "search/from") if told.wants(name)] == [
        "store/single",
        "single/noop",
    ]


@pytest.mark.parametrize("options", [["--servers", "exim"], ["--scale", "0"], ["--big", "5"], ["--repeat", "0"]])
def test_options_that_make_no_sense_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(options)
    assert "error" in capsys.readouterr().err
