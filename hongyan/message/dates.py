"""Dates of header fields: written by the rule, read with obsolete forms and common mistakes (RFC 5322 §3.3, §4.3)."""

from __future__ import annotations

__all__ = ["format_date", "parse_date", "parse_day", "parse_moment"]

import re
from datetime import date, datetime

_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name.lower().encode(): number for number, name in enumerate(_MONTH_NAMES, 1)}
_ZONES = {b"ut": 0, b"gmt": 0, b"utc": 0, b"est": -5, b"edt": -4, b"cst": -6, b"cdt": -5, b"mst": -7, b"mdt": -6}
_ZONES |= {b"pst": -8, b"pdt": -7, b"cet": 1, b"met": 1, b"cest": 2, b"mest": 2, b"jst": 9, b"kst": 9, b"bst": 1}

_WEEKDAY = rb"\s*+(?:[A-Za-z]{3,9}+[.,]?[\s,]*+)??"
_TIME = rb"([0-9]{1,2})\s*+[:.]\s*+([0-9]{1,2})(?:\s*+[:.]\s*+([0-9]{1,2})(?:\.[0-9]{1,9})?)?(?:\s*+([AP])M\b)?"
_ZONE = rb"\s*+(?:([+-]?)([0-9]{2}):?([0-9]{2})\b|\"?([A-Za-z]{1,5})\b)?"

# date-time = [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone
_DATE = re.compile(
    _WEEKDAY + rb"([0-9]{1,2})[\s-]*+([A-Za-z]{3})[a-z]{0,6}+[\s.,-]*+([0-9]{2,4})[\s,]++" + _TIME + _ZONE
)
# What some programs write: May 8, 2005 1:17 PM, and C's asctime: Wed Nov 20 10:05:00 2002.
_MONTH_FIRST = re.compile(
    _WEEKDAY + rb"([A-Za-z]{3})[a-z]{0,6}+\.?\s++([0-9]{1,2}),?\s++([0-9]{4})[\s,]++" + _TIME + _ZONE
)
_ASCTIME = re.compile(
    _WEEKDAY + rb"([A-Za-z]{3})[a-z]{0,6}+\s++([0-9]{1,2}),?\s++" + _TIME + rb"\s++(?:([A-Z]{1,4})\s++)?([0-9]{4})\b"
)
_COMMENT = re.compile(rb"\([^()]*+\)")
_EPOCH = date(1970, 1, 1).toordinal()


def format_date(moment: datetime) -> str:
    """Return a date as RFC 5322 §3.3 writes it; a naive one is taken for UTC."""
    zone = moment.strftime("%z")[:5] or "+0000"
    return (
        f"{_DAY_NAMES[moment.weekday()]}, {moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year:04}"
        f" {moment.hour:02}:{moment.minute:02}:{moment.second:02} {zone}"
    )


def parse_date(value: bytes) -> int | None:
    """Return the seconds since 1970 that a Date's unfolded value names, or None if it names no time."""
    told = _read(value)
    return None if told is None else told[0] - told[1]


def parse_day(value: bytes) -> date | None:
    """Return the day that a Date's unfolded value names, its time and zone left aside (RFC 9051 §6.4.4)."""
    told = _read(value)
    return None if told is None else date.fromordinal(told[0] // 86_400 + _EPOCH)


def parse_moment(value: bytes) -> tuple[int, int] | None:
    """Return the seconds since 1970 that a Date's unfolded value names, and by how many its zone is ahead of UTC."""
    told = _read(value)
    return None if told is None else (told[0] - told[1], told[1])


def _read(value: bytes) -> tuple[int, int] | None:
    """Return the time as it is written, as seconds since 1970, and by how many seconds its zone is ahead of UTC."""
    match = _DATE.match(value)
    if match is None and b"(" in value:
        value = _COMMENT.sub(b" ", value)
        match = _DATE.match(value)
    if match is not None:
        day, month, year, hour, minute, second, half, sign, zone_hour, zone_minute, zone = match.groups()
    elif (match := _MONTH_FIRST.match(value)) is not None:
        month, day, year, hour, minute, second, half, sign, zone_hour, zone_minute, zone = match.groups()
    elif (match := _ASCTIME.match(value)) is not None:
        month, day, hour, minute, second, half, zone, year = match.groups()
        sign = zone_hour = zone_minute = None  # asctime has no number for it.
    else:
        return None
    if zone_hour is not None and zone_minute is not None:
        offset = int(zone_hour) * 3600 + int(zone_minute) * 60
        if sign == b"-":
            offset = -offset
    else:
        # A military letter or an unknown name says nothing about the zone (RFC 5322 §4.3).
        offset = _ZONES.get(zone.lower(), 0) * 3600 if zone else 0
    hours = int(hour) if half is None else int(hour) % 12 + (12 if half == b"P" else 0)
    seconds = _seconds(day, month, year, hours, int(minute), int(second or 0))
    return None if seconds is None or abs(offset) > 86_399 else (seconds, offset)


def _seconds(day: bytes, month: bytes, year: bytes, hour: int, minute: int, second: int) -> int | None:
    number = int(year)
    if len(year) == 2:
        number += 2000 if number < 50 else 1900  # RFC 5322 §4.3
    elif len(year) == 3:
        number += 1900
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        days = date(number, _MONTHS[month.lower()], int(day)).toordinal() - _EPOCH
    except (KeyError, ValueError):
        return None
    return days * 86_400 + hour * 3600 + minute * 60 + second
