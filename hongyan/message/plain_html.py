"""Plain text as HTML: quotes by their depth, links found, flowed lines joined (RFC 3676).

Each line is looked at once, and nothing of the text is written unescaped.
"""

from __future__ import annotations

__all__ = ["MAX_PLAIN", "text_to_html"]

import re
from collections.abc import Iterator
from html import escape
from typing import Final

from hongyan.message.links import find_links

MAX_PLAIN: Final = 1024 * 1024
"""Characters that are shown; what follows is cut off."""

_MAX_LINES = 40_000
_MAX_QUOTES = 20
_MAX_LINKS = 2000
_QUOTE = re.compile(r"(?:> ?){1,100}")
_SIGNATURE = "-- "
_LINE = re.compile(r"\r\n|\r|\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def text_to_html(text: str, *, flowed: bool = False, delsp: bool = False) -> str:
    """Return HTML in which nothing but `blockquote`, `div`, `a` and `br` occurs.

    `flowed` and `delsp` are those parameters of text/plain (RFC 3676 §4).
    """
    lines = _LINE.split(text[:MAX_PLAIN], _MAX_LINES)[:_MAX_LINES]
    written: list[str] = []
    depth = 0
    links = _MAX_LINKS
    for quotes, line in _unflow(lines, delsp) if flowed else map(_read_fixed, lines):
        wanted = min(quotes, _MAX_QUOTES)
        written.append("</blockquote>" * (depth - wanted) + "<blockquote>" * (wanted - depth))
        depth = wanted
        shown, links = _write_line(line, links)
        written.append(f"<div>{shown or '<br>'}</div>")
    written.append("</blockquote>" * depth)
    return "".join(written)


def _read_fixed(line: str) -> tuple[int, str]:
    """Return how deep a line is quoted, and its text. What is merely arrow or prompt (">>>x") counts too."""
    quote = _QUOTE.match(line)
    return (quote[0].count(">"), line[quote.end() :]) if quote else (0, line)


def _unflow(lines: list[str], delsp: bool) -> Iterator[tuple[int, str]]:
    """Yield paragraphs of flowed text with their depth (RFC 3676 §4.1 to §4.5)."""
    depth, pieces, flows = 0, [""], False
    begun = False
    for line in lines:
        text = line.lstrip(">")
        quotes = len(line) - len(text)
        text = text.removeprefix(" ")  # §4.4: stuffed
        if begun and not (flows and quotes == depth and text != _SIGNATURE):
            yield depth, "".join(pieces)
            pieces = []
        elif not begun:
            pieces = []
        begun, depth = True, quotes
        flows = text.endswith(" ") and text != _SIGNATURE  # §4.3
        pieces.append(text[:-1] if flows and delsp else text)
    if begun:
        yield depth, "".join(pieces)


def _write_line(line: str, links: int) -> tuple[str, int]:
    line = _CONTROLS.sub("\ufffd", line).expandtabs(8) if len(line) < 10_000 else _CONTROLS.sub("\ufffd", line)
    if links <= 0 or ("://" not in line and "www." not in line and "mailto:" not in line):
        return _spaces(line), links
    written, position = [], 0
    for start, end, target in find_links(line):
        if links <= 0:
            break
        links -= 1
        written.append(_spaces(line[position:start]))
        url = escape(target)
        written.append(f'<a href="{url}" target="_blank" title="{escape(target[:300])}" rel="noopener noreferrer">')
        written.append(f"{escape(line[start:end], quote=False)}</a>")
        position = end
    written.append(_spaces(line[position:]))
    return "".join(written), links


def _spaces(text: str) -> str:
    """Escape text; runs of spaces stay as wide as they are."""
    return escape(text, quote=False).replace("  ", " \u00a0")
