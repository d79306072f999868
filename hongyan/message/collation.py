"""How texts are put in order: the collation i;unicode-casemap (RFC 5051), which SORT and THREAD use (RFC 5256 §2).

Two texts are the same, or one stands before the other, as their keys are and do, compared character by character.
"""

from __future__ import annotations

__all__ = ["casemap"]

import unicodedata

_HANGUL = range(0xAC00, 0xD7A4)  # composed by rule; the data file names no decomposition (RFC 5051 §2)
_REMEMBERED = 0xFFFF


class _Mapping(dict[int, str]):
    """What becomes of a character, found out when it is first met."""

    def __missing__(self, number: int) -> str:
        character = chr(number)
        title = character.title()
        if len(title) > 1:
            title = character  # RFC 5051 §2: the simple mapping, of one character to one
        mapped = title if number in _HANGUL else unicodedata.normalize("NFKD", title)
        if number <= _REMEMBERED:
            self[number] = mapped
        return mapped


_MAPPING = _Mapping()


def casemap(text: str) -> str:
    """Return the key of a text: its characters in title case, then decomposed (RFC 5051 §2)."""
    return text.upper() if text.isascii() else text.translate(_MAPPING)
