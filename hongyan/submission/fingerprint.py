"""Is it the same text again? A digest of what a body says, whatever each copy has of its own. Pure.

Numbers, white space, boundaries and the fields of parts are left out, so that a counter, a date or another encoding of
line ends makes no other text. Whoever wants to, can write each copy in other words: this finds the lazy.
"""

from __future__ import annotations

__all__ = ["fingerprint"]

import re
from hashlib import sha256
from typing import Final

_READ: Final = 32_768
"""Octets of a body that are looked at."""

# Delimiters, and the fields of parts with their continuation lines: boundaries and file names are made for each copy.
_PER_COPY = re.compile(rb"^(?:--.*|[Cc]ontent-[^\n]*(?:\n[ \t][^\n]*)*)$", re.MULTILINE)
_NUMBERS_AND_SPACE: Final = b"0123456789 \t\r\n"


def fingerprint(octets: bytes, body: int) -> bytes:
    """Return 16 octets that are the same for bodies that say the same. The body begins at `body`."""
    said = _PER_COPY.sub(b"", octets[body : body + _READ])
    return sha256(said.translate(None, _NUMBERS_AND_SPACE)).digest()[:16]
