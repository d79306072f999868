"""The types of RFC 8620 §1: Id, Int, UnsignedInt, Date, UTCDate."""

from __future__ import annotations

__all__ = ["MAX_INT", "is_id", "is_int", "is_unsigned", "parse_utc_date", "write_utc_date"]

import re
from datetime import UTC, datetime
from typing import TypeGuard

MAX_INT = (1 << 53) - 1
"""The greatest integer that every reader of JSON holds (RFC 8620 §1.3)."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)


def is_id(value: object) -> TypeGuard[str]:
    """Whether the value is an Id (RFC 8620 §1.2)."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_int(value: object) -> TypeGuard[int]:
    """Whether the value is an Int; a Boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool) and -MAX_INT <= value <= MAX_INT


def is_unsigned(value: object) -> TypeGuard[int]:
    """Whether the value is an UnsignedInt."""
    return is_int(value) and value >= 0


def parse_utc_date(value: object, *, any_zone: bool = False) -> datetime | None:
    """Return what a UTCDate says, or with `any_zone` a Date (RFC 8620 §1.4); None for anything else."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[3] != "Z" and not any_zone):
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}.{(match[2] or '0')[:6]:0<6}{match[3]}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def write_utc_date(moment: datetime | int) -> str:
    """Return a time, aware or in seconds since 1970, as a UTCDate; fractions of a second are left out."""
    if isinstance(moment, int):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
