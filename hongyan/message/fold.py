"""The one folded text: search by scan, search by index and the stored texts of headers all compare this form.

Folded are case, width and compatible forms (NFKC), traditional characters to simplified ones, and white space: a run
of it is one space, so that a needle is found where a line was broken within it. Chinese and Japanese are written
without spaces: a line break between two of their characters is nothing at all. Folding twice is folding once.

It is not the comparator i;unicode-casemap that RFC 5255 §4.6 would have searches use: see docs/decisions/0039.
"""

from __future__ import annotations

__all__ = ["FOLD_VERSION", "fold_case", "fold_text"]

import re
import unicodedata

from hongyan.message.han import SIMPLIFIED

FOLD_VERSION = 2
"""Grows with each change of what is folded: whatever was stored folded is then made anew."""

_HAN = re.compile("[\u4e00-\u9fff]")
# Kana, Bopomofo, ideographs and their punctuation; Hangul not, for Korean parts its words.
_UNSPACED = "\u3001-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_BROKEN = re.compile(f"(?<=[{_UNSPACED}])[^\\S\n]*\n\\s*(?=[{_UNSPACED}])")


def fold_text(text: str) -> str:
    """Return text as search compares it; NUL is left out."""
    folded = fold_case(text)
    if not folded.isascii():
        if _HAN.search(folded):
            folded = folded.translate(SIMPLIFIED)
        if "\n" in folded:
            folded = _BROKEN.sub("", folded)
    return _with_single_spaces(folded)


def fold_case(text: str) -> str:
    """Return text without its case, width and compatible forms, and without NUL."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _with_single_spaces(text: str) -> str:
    merged = " ".join(text.split())
    if len(merged) == len(text):
        return merged
    if not merged:
        return " " if text else ""
    return f"{' ' * text[0].isspace()}{merged}{' ' * text[-1].isspace()}"
