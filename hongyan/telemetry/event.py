"""One event, and how it is written: as a JSON object or as a line for people.

Control characters, line ends and directional marks leave escaped: one event is one line, and no
peer forges another. Secrets print as `***`.
"""

from __future__ import annotations

__all__ = ["Event", "console_line", "json_line"]

import functools
import json
import logging
import math
import re
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from hongyan.clock import SystemClock

_ROOT = "hongyan."
_NAMES = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "error"}
_SECRET_KEYS = frozenset({"authorization", "cookie", "credentials", "password", "private_key", "secret", "token"})
_RESERVED_KEYS = frozenset({"time", "level", "area", "event"})
_MAX_TEXT = 2_000  # characters of one value
_MAX_TRACEBACK = 20_000  # characters


class Event(logging.LogRecord):
    """One event, as the handlers of `logging` see it."""

    fields: Mapping[str, object]

    def __init__(self, area: str, level: int, event: str, fields: Mapping[str, object]) -> None:
        # Not the parent's: it looks for the caller's file, thread and process, which costs more than all the rest.
        created = SystemClock.timestamp()
        record = self.__dict__
        record.update(_RECORD)
        record["name"] = f"hongyan.{area}"
        record["msg"] = event
        record["levelno"] = level
        record["levelname"] = logging.getLevelName(level)
        record["created"] = created
        record["msecs"] = created % 1 * 1000
        record["fields"] = fields
        if level >= logging.ERROR and isinstance(error := fields.get("error"), BaseException):
            record["exc_info"] = (type(error), error, error.__traceback__)

    def getMessage(self) -> str:  # noqa: N802 - the name is logging's
        return " ".join((_escape(str(self.msg)), *_console_fields(self.fields)))


_RECORD: dict[str, object] = {
    **logging.makeLogRecord({}).__dict__,
    "args": (),
    "exc_info": None,
    "exc_text": None,
    "stack_info": None,
}


# Control characters of both sets, the separators that some readers take for a line end, directional marks
# that make a line read as another, and halves of a surrogate pair, which no encoding can write.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_PLAIN = re.compile(r"[^\s\"'=\\]+")
_quote = json.JSONEncoder(ensure_ascii=False).encode


def _escape(text: str) -> str:
    if _UNSAFE.search(text) is None:
        return text
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _literal(key: str, value: object) -> str:
    """Return a value as JSON writes it."""
    text = _text(key, value)
    if text is not None:
        return _quote(text)
    return "null" if value is None else str(value).lower()  # False, True and numbers


def _text(key: str, value: object) -> str | None:
    """Return what may be shown of a value, bounded, and never a secret; None for what JSON has literals for."""
    if isinstance(value, str):
        text = value
    elif value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return None if key not in _SECRET_KEYS else "***"
    elif isinstance(value, bytes):
        text = value[: _MAX_TEXT + 1].decode("utf-8", "backslashreplace")
    elif isinstance(value, BaseException):
        text = f"{type(value).__name__}: {value}"
    else:
        text = str(value)
    if key in _SECRET_KEYS:
        return "***"
    limit = _MAX_TRACEBACK if key == "traceback" else _MAX_TEXT
    return text if len(text) <= limit else text[:limit] + "…"


def _explain(record: logging.LogRecord) -> tuple[str, str, dict[str, object]]:
    """Return area, event and fields, also of a record that another library made."""
    if isinstance(record, Event):
        area, event, fields = record.name.removeprefix(_ROOT), str(record.msg), dict(record.fields)
    else:
        area, event, fields = record.name, "logged", {"message": record.getMessage()}
    if record.exc_info and (error := record.exc_info[1]) is not None:
        fields["error"] = error
        fields["traceback"] = "".join(traceback.format_exception(error))
    return area, event, fields


def json_line(record: logging.LogRecord) -> str:
    """Return a record as one JSON object, with its line end."""
    area, event, fields = _explain(record)
    level = _NAMES.get(record.levelno, "info")
    words = [f'{{"time":"{_time_of(record)}","level":"{level}","area":{_quote(area)},"event":{_quote(event)}']
    for key, value in fields.items():
        shown_key = f"{key}_" if key in _RESERVED_KEYS else key
        words.append(f'"{shown_key}":{_literal(key, value)}')
    return _escape(",".join(words)) + "}\n"


def console_line(record: logging.LogRecord) -> str:
    """Return a record as a line for people; the lines of a traceback follow it, indented."""
    area, event, fields = _explain(record)
    trace = fields.pop("traceback", None)
    words = [_time_of(record)[11:-1], _NAMES.get(record.levelno, "info").ljust(7), area, _escape(event)]
    lines = [" ".join((*words, *_console_fields(fields)))]
    if trace is not None:
        lines += [f"    | {_escape(line)}" for line in str(trace)[:_MAX_TRACEBACK].rstrip("\n").split("\n")]
    return "\n".join(lines) + "\n"


def _console_fields(fields: Mapping[str, object]) -> Iterator[str]:
    for key, value in fields.items():
        text = _text(key, value)
        if text is None or not _PLAIN.fullmatch(text):
            text = _literal(key, value)
        yield f"{key}={_escape(text)}"


def _time_of(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@functools.lru_cache(maxsize=8)
def _second(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%S}"
