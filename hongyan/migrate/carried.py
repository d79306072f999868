"""A message on its way in or out, and the ends of its lines.

Mail has CRLF (RFC 5322 §2.1), files of mail on Unix have LF. What has CRLF throughout, and nothing that would be
taken for one, is written with LF and read back as it was.
"""

from __future__ import annotations

__all__ = ["Carried", "from_file", "to_file"]

import re
from dataclasses import dataclass
from datetime import datetime

_BARE_LF = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Carried:
    """A message with what a mailbox knows of it. Flags are written as IMAP writes them."""

    octets: bytes
    flags: tuple[str, ...] = ()
    date: datetime | None = None


def from_file(octets: bytes) -> bytes:
    """Return a message with CRLF, whichever its file has."""
    return _BARE_LF.sub(b"\r\n", octets)


def to_file(octets: bytes) -> bytes:
    """Return a message as a file has it: with LF, if it can be read back as it was."""
    if octets.count(b"\r\n") == octets.count(b"\r") == octets.count(b"\n"):
        return octets.replace(b"\r\n", b"\n")
    return octets
