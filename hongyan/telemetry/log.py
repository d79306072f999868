"""Loggers: who emits an event, for which area, with which fields."""

from __future__ import annotations

__all__ = ["LEVELS", "Level", "Logger", "bind", "capture", "logger", "set_level"]

import contextlib
import logging
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Literal

from hongyan.telemetry import metrics
from hongyan.telemetry.event import Event

Level = Literal["debug", "info", "warning", "error"]

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

_totals = {number: metrics.log_total.labels(name) for name, number in LEVELS.items()}
_bound: ContextVar[Mapping[str, object] | None] = ContextVar("hongyan_bound", default=None)


class _Area:
    """The level of one area, shared by all its loggers. It is read at each call, so it may change at any time."""

    __slots__ = ("level", "name", "parent")

    newest = logging.INFO
    """The level that an area begins with when it is first asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.level = self.newest
        self.parent = logging.getLogger(f"hongyan.{name}")


_areas: dict[str, _Area] = {}


class Logger:
    """Emits the events of one area. A call below the level costs one comparison."""

    __slots__ = ("_area", "_fields")

    def __init__(self, area: _Area, fields: Mapping[str, object]) -> None:
        self._area = area
        self._fields = fields

    def bind(self, **fields: object) -> Logger:
        """Return a logger whose events carry these fields too."""
        return Logger(self._area, {**self._fields, **fields})

    def debug(self, event: str, /, **fields: object) -> None:
        """For whoever looks for a fault: what a peer or a user did wrong, and each step."""
        if self._area.level > logging.DEBUG:
            return
        self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, /, **fields: object) -> None:
        """What an operator wants to find later: accepted, delivered, logged in."""
        if self._area.level > logging.INFO:
            return
        self._emit(logging.INFO, event, fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Something that will become a fault when nobody acts."""
        if self._area.level > logging.WARNING:
            return
        self._emit(logging.WARNING, event, fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Our fault: it pages somebody. With an exception as the field `error` its traceback is logged."""
        self._emit(logging.ERROR, event, fields)

    def _emit(self, level: int, event: str, fields: dict[str, object]) -> None:
        bound = _bound.get()
        if bound or self._fields:
            fields = {**(bound or {}), **self._fields, **fields}
        _totals[level].inc()
        self._area.parent.handle(Event(self._area.name, level, event, fields))


def logger(area: str) -> Logger:
    """Return the logger of an area: a package's name, such as "smtp" or "queue"."""
    return Logger(_find_area(area), {})


def _find_area(name: str) -> _Area:
    area = _areas.get(name)
    if area is None:
        area = _areas[name] = _Area(name)
    return area


@contextlib.contextmanager
def bind(**fields: object) -> Iterator[None]:
    """Add fields, such as `mid`, to every event within, in any module of this task and of the tasks it starts."""
    token = _bound.set({**(_bound.get() or {}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def set_level(level: Level, area: str | None = None) -> None:
    """Set the level of one area, or of all areas, those to come included."""
    if area is not None:
        _find_area(area).level = LEVELS[level]
        return
    _Area.newest = LEVELS[level]
    for known in _areas.values():
        known.level = LEVELS[level]


@contextlib.contextmanager
def capture(level: Level = "debug") -> Iterator[list[Event]]:
    """Gather the events of all areas in a list: for tests."""
    events: list[Event] = []
    gatherer = _Gatherer(events)
    newest, levels = _Area.newest, {area: area.level for area in _areas.values()}
    set_level(level)
    logging.getLogger("hongyan").addHandler(gatherer)
    try:
        yield events
    finally:
        logging.getLogger("hongyan").removeHandler(gatherer)
        _Area.newest = newest
        for area in _areas.values():
            area.level = levels.get(area, newest)


class _Gatherer(logging.Handler):
    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record, Event):
            self._events.append(record)
