"""HTML cut into tags and text, as a browser does it (HTML Living Standard §13.2.5), in one walk that never goes back.

What cannot be told apart by a tokenizer alone (foreign content, scripts) is of no matter to those who read the tokens
here: `message.html` writes them anew, so that whoever parses the result sees the same tokens.
"""

from __future__ import annotations

__all__ = ["EndTag", "RawText", "StartTag", "Text", "Token", "unescape_attribute", "walk"]

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

MAX_ATTRIBUTES = 60
"""Attributes of one tag that are read; the others are passed over."""

_NAME = re.compile(r"[a-zA-Z][^ \t\n\f\r/>]*")
_ATTRIBUTE = re.compile(
    r"[ \t\n\f\r/]*([^ \t\n\f\r/>][^ \t\n\f\r/>=]*)"
    r"""(?:[ \t\n\f\r]*=[ \t\n\f\r]*(?:"([^"]*)"|'([^']*)'|(?!["'])([^ \t\n\f\r>]+))?)?"""
)
_TAG_END = re.compile(r"[ \t\n\f\r/]*>")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,8};?|#[xX][0-9a-fA-F]{1,8};?|[a-zA-Z][a-zA-Z0-9]{0,31}(?:;|(?![=a-zA-Z0-9;])))")
# What stands in these is text for a browser, up to the tag that closes them (§13.2.5.2, §13.2.5.3).
_RAW = {
    name: re.compile(f"</{name}(?=[ \\t\\n\\f\\r/>])", re.IGNORECASE)
    for name in ("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp")
}


class Text(NamedTuple):
    """Text with character references as they were written."""

    text: str


class StartTag(NamedTuple):
    """A tag that opens. Names are in lower case; of equal attributes the first one counts."""

    name: str
    attributes: dict[str, str]


class EndTag(NamedTuple):
    """A tag that closes."""

    name: str


class RawText(NamedTuple):
    """An element whose content is no markup, with its content."""

    name: str
    text: str


Token = Text | StartTag | EndTag | RawText


def walk(html: str) -> Iterator[Token]:
    """Yield the tokens of `html` without NUL. Comments, declarations and what is cut off at the end say nothing."""
    position, end = 0, len(html)
    without_end: set[str] = set()  # Raw elements that nothing closes any more: looked for only once.
    while position < end:
        tag = html.find("<", position)
        if tag < 0:
            yield Text(html[position:])
            return
        if tag > position:
            yield Text(html[position:tag])
        mark = html[tag + 1 : tag + 2]
        if mark.isascii() and mark.isalpha():
            name, attributes, position = _read_tag(html, tag + 1)
            if position < 0:
                return
            if name == "plaintext":
                yield RawText(name, html[position:])
                return
            if name not in _RAW:
                yield StartTag(name, attributes)
                continue
            closing = None if name in without_end else _RAW[name].search(html, position)
            if closing is None:
                without_end.add(name)
                yield RawText(name, html[position:])
                return
            yield RawText(name, html[position : closing.start()])
            position = closing.start()
        elif mark == "/" and _NAME.match(html, tag + 2):
            name, _, position = _read_tag(html, tag + 2)
            if position < 0:
                return
            yield EndTag(name)
        elif mark in ("!", "?", "/"):
            position = _comment_end(html, tag)
        else:
            yield Text("<")
            position = tag + 1


def unescape_attribute(value: str) -> str:
    """Return an attribute's value: references undone by the rules for attributes (§13.2.5.73)."""
    return _REFERENCE.sub(lambda match: unescape(match[0]), value) if "&" in value else value


def _read_tag(html: str, start: int) -> tuple[str, dict[str, str], int]:
    """Return name and attributes, and where the tag ends: -1 if it does not."""
    match = _NAME.match(html, start)
    if match is None:
        return "", {}, -1
    name = match[0].lower()
    attributes: dict[str, str] = {}
    position = match.end()
    while True:
        ended = _TAG_END.match(html, position)
        if ended is not None:
            return name, attributes, ended.end()
        found = _ATTRIBUTE.match(html, position)
        if found is None:
            return name, attributes, -1
        if html[found.end() : found.end() + 1] in ('"', "'") and html[found.end() - 1] in "= \t\n\f\r":
            return name, attributes, -1  # a quote that nothing closes: browsers lose the rest too
        position = found.end()
        if len(attributes) < MAX_ATTRIBUTES:
            value = next((group for group in (found[2], found[3], found[4]) if group is not None), "")
            attributes.setdefault(found[1].lower(), unescape_attribute(value))


def _comment_end(html: str, tag: int) -> int:
    if html.startswith("<!--", tag):
        if html.startswith((">", "->"), tag + 4):
            return html.find(">", tag) + 1
        ended = _COMMENT_END.search(html, tag + 4)
        return len(html) if ended is None else ended.end()
    close = html.find(">", tag)
    return len(html) if close < 0 else close + 1
