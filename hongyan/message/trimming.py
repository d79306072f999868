"""Text cut to so many octets, never within a character, and of HTML not within a tag."""

from __future__ import annotations

__all__ = ["trim_text"]

_LONGEST_TAG = 4096


def trim_text(text: str, limit: int, *, is_html: bool = False) -> tuple[str, bool]:
    """Return the longest beginning of at most `limit` octets of UTF-8, and whether something was cut off."""
    if len(text) * 4 <= limit:
        return text, False
    octets = text[: limit + 1].encode("utf-8", "replace")
    if len(octets) <= limit:
        return text, False
    while limit > 0 and octets[limit] & 0xC0 == 0x80:
        limit -= 1
    cut = octets[:limit].decode("utf-8", "replace")
    if is_html:
        start = cut.rfind("<", max(len(cut) - _LONGEST_TAG, 0))
        if start >= 0 and cut.find(">", start) < 0:
            cut = cut[:start]
    return cut, True
