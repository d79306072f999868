"""Events and metrics: what is written, what never is, and what it costs nobody."""

from __future__ import annotations

import io
import json
import logging
import pickle
import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan import telemetry
from hongyan.secret import Secret
from hongyan.telemetry import LogOptions, LogWriter, metrics
from hongyan.telemetry.event import Event, console_line, json_line

log = telemetry.logger("test")


def written(form: str, act: Callable[[], None], level: str = "debug") -> str:
    stream = io.StringIO()
    with telemetry.capture():  # restores the levels
        writer = telemetry.configure(LogOptions(level=level, form=form), stream)
        try:
            act()
        finally:
            writer.close()
    return stream.getvalue()


def test_an_event_is_one_json_object_with_its_fields() -> None:
    line = json.loads(written("json", lambda: log.info("accepted", size=12, peer="192.0.2.1", spam=False)))
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "area": "test",
        "event": "accepted",
        "size": 12,
        "peer": "192.0.2.1",
        "spam": False,
    }


def test_an_event_is_one_readable_line() -> None:
    line = written("console", lambda: log.warning("slow", seconds=1.5, name="two words", empty=""))
    assert line.split(" ", 1)[1] == 'warning test slow seconds=1.5 name="two words" empty=""\n'


def test_no_octet_of_a_peer_forges_a_line_or_moves_the_cursor() -> None:
    hostile = "a\r\nb\x1b[2J\x00\x7f\x9b\u2028\u202e\udc80"
    for form in ("json", "console"):
        text = written(form, lambda: log.info("helo", name=hostile, octets=b"\xff\r\n\x1b"))
        assert text.count("\n") == 1
        assert text.endswith("\n")
        assert all(character.isprintable() for character in text[:-1])
        text.encode()


@given(st.text(), st.binary())
def test_any_value_prints_as_one_line_that_json_reads(text: str, octets: bytes) -> None:
    event = Event("test", logging.INFO, "any", {"text": text, "octets": octets})
    line = json_line(event)
    assert line.count("\n") == 1
    assert json.loads(line)["text"] == text
    assert console_line(event).count("\n") == 1


def test_secrets_are_never_written() -> None:
    def act() -> None:
        log.info("login", credential=Secret("hunter2"), password="hunter2", note=f"{Secret('hunter2')!r:>5}")

    for form in ("json", "console"):
        text = written(form, act)
        assert "hunter2" not in text
        assert text.count("***") == 3


def test_a_field_cannot_pass_itself_off_as_the_level() -> None:
    line = json.loads(written("json", lambda: log.info("x", level="error", area="y", time=1)))
    assert (line["level"], line["area"], line["level_"], line["area_"]) == ("info", "test", "error", "y")


def test_long_values_are_cut() -> None:
    line = json.loads(written("json", lambda: log.info("x", text="a" * 100_000, octets=b"b" * 100_000)))
    assert len(line["text"]) == len(line["octets"]) == 2_001


def test_numbers_that_json_lacks_are_written_as_text() -> None:
    assert json.loads(written("json", lambda: log.info("x", rate=float("inf"))))["rate"] == "inf"


def test_fields_are_bound_to_a_logger_and_to_all_that_runs_within() -> None:
    bound = log.bind(cid="c1")
    with telemetry.capture() as events:
        with telemetry.bind(mid="m1"), telemetry.bind(account=7):
            bound.info("in", size=1)
        bound.info("out")
    assert [dict(event.fields) for event in events] == [
        {"mid": "m1", "account": 7, "cid": "c1", "size": 1},
        {"cid": "c1"},
    ]


def test_events_below_the_level_are_not_made() -> None:
    with telemetry.capture("warning") as events:
        log.debug("no")
        log.info("no")
        log.warning("yes")
        telemetry.set_level("debug", "test")
        log.debug("yes")
    assert [event.msg for event in events] == ["yes", "yes"]


def test_an_area_has_a_level_of_its_own() -> None:
    stream = io.StringIO()
    other = telemetry.logger("other")
    with telemetry.capture():
        writer = telemetry.configure(LogOptions(level="warning", areas={"other": "debug"}), stream)
        log.info("no")
        other.debug("yes")
        writer.close()
    assert stream.getvalue().count("\n") == 1


def test_an_error_comes_with_its_traceback() -> None:
    def act() -> None:
        try:
            raise ValueError("no\nsuch")
        except ValueError as error:
            log.error("broken", error=error, cid="c1")

    line = json.loads(written("json", act))
    assert line["error"] == "ValueError: no\nsuch"
    assert line["cid"] == "c1"
    assert "raise ValueError" in line["traceback"]
    first, *trace = written("console", act).splitlines()
    assert 'broken error="ValueError: no\\nsuch" cid=c1' in first
    assert all(line.startswith("    | ") for line in trace)


def test_what_other_libraries_log_is_written_too() -> None:
    line = written("json", lambda: logging.getLogger("asyncio").warning("slow\x1b %s", "callback"))
    assert json.loads(line)["message"] == "slow\x1b callback"


def test_a_value_that_cannot_print_itself_does_not_end_the_log() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream, "json")
    writer.handle(logging.LogRecord("other", logging.INFO, "", 0, "%d", ("text",), None))
    writer.handle(Event("test", logging.INFO, "next", {}))
    writer.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["unprintable", "next"]
    assert lines[0]["of"] == "other"


def test_the_standard_library_and_pytest_see_events(caplog: pytest.LogCaptureFixture) -> None:
    log.warning("seen", cid="c1")
    (record,) = caplog.records
    assert record.name == "hongyan.test"
    assert record.getMessage() == "seen cid=c1"
    assert "seen cid=c1" in caplog.text


class StalledStream(io.StringIO):
    """A pipe that nobody reads, until somebody does."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.free = threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.free.wait(10)
        return super().write(text)


def test_a_stalled_log_loses_events_and_keeps_nobody_waiting() -> None:
    stream = StalledStream()
    before = metrics.log_dropped_total._value.get()
    writer = LogWriter(stream, "json")
    writer.handle(Event("test", logging.INFO, "first", {}))
    assert stream.reached.wait(10)
    taken = [writer.handle(Event("test", logging.INFO, "more", {})) for _ in range(10_050)]
    assert taken.count(False) == 50
    assert metrics.log_dropped_total._value.get() - before == 50
    stream.free.set()
    writer.close()
    assert stream.getvalue().count("\n") == 10_001


def test_a_closed_stream_is_survived() -> None:
    stream = io.StringIO()
    writer = LogWriter(stream, "json")
    stream.close()
    writer.handle(Event("test", logging.INFO, "x", {}))
    writer.close()


@pytest.mark.parametrize("options", [{"level": "loud"}, {"form": "xml"}, {"areas": {"imap": "loud"}}])
def test_impossible_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"no (level|form)"):
        LogOptions(**options)


def test_metrics_are_ours_alone_and_render_as_text() -> None:
    log.info("counted")
    text = metrics.render().decode()
    assert "# TYPE hongyan_log_total counter" in text
    assert 'hongyan_log_total{level="info"}' in text
    assert "process_resident_memory_bytes" in text
    assert "_created" not in text


def test_a_secret_compares_without_showing_itself() -> None:
    assert Secret("a") == Secret(b"a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("é").reveal() == "é".encode()
    assert Secret("é").reveal_text() == "é"
    assert not Secret("")
    assert [str(Secret("x")), repr(Secret("x")), f"{Secret('x'):>10}", "{}".format(Secret("x"))] == ["***"] * 4
    with pytest.raises(TypeError):
        hash(Secret("x"))
    with pytest.raises(TypeError):
        pickle.dumps(Secret("x"))
