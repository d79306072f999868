"""mbox: all messages of a mailbox in one file (RFC 4155), lines that begin with "From " quoted as mboxrd does.

A message begins at a line "From ADDRESS DATE" after an empty line or at the start. Flags stand in Status, X-Status and
X-Keywords, as mutt, Dovecot and the university programs before them write; with X-UID and X-IMAP they are taken out.
"""

from __future__ import annotations

__all__ = ["read_mbox", "write_message"]

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from hongyan.migrate.carried import Carried, from_file, to_file

_FROM = b"From "
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_TO_QUOTE = re.compile(rb"^(>*From )", re.MULTILINE)
_DATE = re.compile(
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\s+(?P<month>[A-Z][a-z]{2})\s+(?P<day>\d{1,2})\s+(?P<time>\d{2}:\d{2}(?::\d{2})?)"
    rb"(?:\s+[A-Za-z]{1,5})?\s+(?P<year>\d{4})(?:\s+(?P<zone>[+-]\d{4}))?\s*$"
)
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[ \t]*(.*)", re.DOTALL)

_KEYWORD = re.compile(r"[!#$&'+\-./0-9:;<=>?@A-Z^_`a-z|}~]+")  # an atom (RFC 9051 §9)

_STATUS = {"R": "\\Seen"}
_X_STATUS = {"A": "\\Answered", "F": "\\Flagged", "D": "\\Deleted", "T": "\\Draft"}
_OURS = frozenset({b"status", b"x-status", b"x-keywords", b"x-uid", b"x-imap", b"x-imapbase"})
_MOST = 4096  # octets of a "From " line


def read_mbox(file: BinaryIO, *, most: int) -> Iterator[Carried | None]:
    """Yield the messages of a file; None in the place of one that has more than `most` octets.

    What stands before the first "From " line is no message.
    """
    envelope: bytes | None = None
    lines: list[bytes] = []
    size = 0
    after_blank = True
    for line in file:
        if after_blank and line.startswith(_FROM) and len(line) < _MOST:
            if envelope is not None:
                yield _message(envelope, lines) if size <= most else None
            envelope, lines, size = line, [], 0
            after_blank = False
            continue
        size += len(line)
        if size <= most:
            lines.append(line)
        after_blank = line in (b"\n", b"\r\n")
    if envelope is not None:
        yield _message(envelope, lines) if size <= most else None


def write_message(message: Carried, sender: str) -> bytes:
    """Return a message as it stands in an mbox, its "From " line first and an empty line last."""
    date = (message.date or datetime.fromtimestamp(0, UTC)).astimezone(UTC)
    month = _MONTHS[date.month - 1].decode()
    first = f"From {sender} {date:%a} {month} {date.day:2d} {date:%H:%M:%S} {date.year:04d}\n".encode()
    octets = to_file(message.octets)
    if not octets.endswith(b"\n"):
        octets += b"\n"
    header, body = _split([line + b"\n" for line in octets.split(b"\n")[:-1]])
    # Behind the others: what begins with white space must not become a part of our fields.
    return first + _TO_QUOTE.sub(rb">\1", b"".join((*header, _flag_fields(message.flags), *body))) + b"\n"


def _message(envelope: bytes, lines: list[bytes]) -> Carried:
    if lines and lines[-1] in (b"\n", b"\r\n"):
        lines.pop()  # It parts messages.
    header, body = _split(lines)
    kept, flags = _take_flags(header)
    octets = _QUOTED.sub(rb"\1", b"".join(kept + body))
    return Carried(from_file(octets), flags, _parse_date(envelope))


def _split(lines: Sequence[bytes]) -> tuple[list[bytes], list[bytes]]:
    for number, line in enumerate(lines):
        if line in (b"\n", b"\r\n"):
            return list(lines[:number]), list(lines[number:])
    return list(lines), []


def _take_flags(header: Sequence[bytes]) -> tuple[list[bytes], tuple[str, ...]]:
    """Return the header without the fields that hold flags, and the flags."""
    kept: list[bytes] = []
    flags: dict[str, None] = {}
    skipping = False
    for line in header:
        if line[:1] in (b" ", b"\t"):
            if not skipping:
                kept.append(line)
            continue
        field = _FIELD.match(line)
        name = field[1].lower() if field else b""
        skipping = name in _OURS
        if field and skipping:
            flags.update(dict.fromkeys(_flags_in(name, field[2].decode("ascii", "replace").strip())))
        else:
            kept.append(line)
    return kept, tuple(flags)


def _flags_in(name: bytes, value: str) -> list[str]:
    match name:
        case b"status":
            return [_STATUS[letter] for letter in value if letter in _STATUS]
        case b"x-status":
            return [_X_STATUS[letter] for letter in value if letter in _X_STATUS]
        case b"x-keywords":
            return [keyword for keyword in value.split() if _KEYWORD.fullmatch(keyword)]
        case _:
            return []


def _flag_fields(flags: Sequence[str]) -> bytes:
    seen = "RO" if "\\Seen" in flags else "O"
    marks = "".join(letter for letter, flag in _X_STATUS.items() if flag in flags)
    keywords = " ".join(flag for flag in flags if not flag.startswith("\\"))
    fields = [f"Status: {seen}\n"]
    if marks:
        fields.append(f"X-Status: {marks}\n")
    if keywords:
        fields.append(f"X-Keywords: {keywords}\n")
    return "".join(fields).encode("ascii", "replace")


def _parse_date(envelope: bytes) -> datetime | None:
    found = _DATE.search(envelope)
    if found is None or found["month"] not in _MONTHS:
        return None
    hour, minute, second = (*map(int, found["time"].split(b":")), 0)[:3]
    zone = found["zone"] or b"+0000"
    try:
        local = datetime(
            int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"]), hour, minute, second, tzinfo=UTC
        )
        return datetime.strptime(f"{local:%Y%m%d%H%M%S} {zone.decode()}", "%Y%m%d%H%M%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
