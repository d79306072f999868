"""Writes events in a thread of its own: whoever logs never waits for a disk or a stalled pipe.

The events that come within a twentieth of a second are written together. When the thread falls behind,
events are dropped and counted in `hongyan_log_dropped_total`.
"""

from __future__ import annotations

__all__ = ["LogOptions", "LogWriter", "configure"]

import logging
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal, TextIO

from hongyan.options import option
from hongyan.telemetry import metrics
from hongyan.telemetry.event import Event, console_line, json_line
from hongyan.telemetry.log import LEVELS, Level, set_level

_MAX_WAITING = 10_000  # events that wait for the writing thread
_GATHER = 0.05  # seconds in which events gather before they are written together


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The section `[log]`."""

    level: Level = option("info", "The least grave events that are logged: debug, info, warning or error.")
    form: Literal["json", "console"] = option("json", "One JSON object a line, or a form for people.")
    areas: dict[str, Level] = option({}, 'Levels of single areas, as in { imap = "debug" }.')

    def __post_init__(self) -> None:
        for name in (self.level, *self.areas.values()):
            if name not in LEVELS:
                raise ValueError(f"{name!r} is no level: debug, info, warning or error")
        if self.form not in ("json", "console"):
            raise ValueError(f"{self.form!r} is no form of a log: json or console")


def configure(options: LogOptions, stream: TextIO | None = None) -> LogWriter:
    """Write all events, and what other libraries log, to the stream. Close what is returned at the end."""
    set_level(options.level)
    for area, level in options.areas.items():
        set_level(level, area)
    writer = LogWriter(sys.stderr if stream is None else stream, options.form)
    root = logging.getLogger()
    root.addHandler(writer)
    root.setLevel(max(LEVELS[options.level], logging.INFO))  # of other libraries; ours are judged above
    return writer


class LogWriter(logging.Handler):
    """Formats and writes in a thread of its own, some events together; bounded, and never in the way."""

    def __init__(self, stream: TextIO, form: Literal["json", "console"]) -> None:
        super().__init__()
        self._stream = stream
        self._format = json_line if form == "json" else console_line
        self._waiting: deque[logging.LogRecord] = deque()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="hongyan-log", daemon=True)
        self._thread.start()

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the parent's lock: a deque is safe between threads.
        if len(self._waiting) >= _MAX_WAITING:
            metrics.log_dropped_total.inc()
            return False
        self._waiting.append(record)
        if not self._wake.is_set():
            self._wake.set()
        return True

    def close(self) -> None:
        """Write what waits, and end the thread."""
        logging.getLogger().removeHandler(self)
        self._ended.set()
        self._wake.set()
        self._thread.join(timeout=2)
        super().close()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._wake.clear()
            self._write()
            self._ended.wait(_GATHER)
        self._write()

    def _write(self) -> None:
        lines = []
        while self._waiting:
            lines.append(self._line(self._waiting.popleft()))
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # the reader of a pipe is gone, or the stream is closed: nobody is left to tell
            metrics.log_dropped_total.inc(len(lines))

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self._format(record)
        except Exception as error:  # noqa: BLE001 - the top of a job: what cannot print itself must not end it
            fields = {"of": record.name, "error": repr(error)}
            return self._format(Event("telemetry", logging.ERROR, "unprintable", fields))
