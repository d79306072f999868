"""Text of messages for search and preview: decoded, without markup, within limits.

HTML is cut into tags and text by one walk that never goes back; scripts, styles, the head and comments
say nothing to a reader and are passed over. The result is for matching and for one line in a list,
never for display as HTML.
"""

from __future__ import annotations

__all__ = ["MAX_TEXT", "PREVIEW_LENGTH", "html_to_text", "make_preview", "message_text", "part_text"]

import re
from collections.abc import Iterator, Sequence
from html import unescape

from hongyan.message.charsets import decode_text
from hongyan.message.outline import Outline, OutlinePart
from hongyan.message.part_header import Kind, PartHeader, read_content_fields
from hongyan.message.parts import Part
from hongyan.message.transfer import Encoding, decode_transfer

MAX_TEXT = 256 * 1024
PREVIEW_LENGTH = 200  # RFC 8970 §3.2: it should be so, and may never be more than 256

# So much HTML is read for the text that is wanted: many newsletters begin with a long style sheet.
_MARKUP_FACTOR = 4
_LEAST_MARKUP = 64 * 1024
# What stands in these is not text. All that follows an unclosed one of the second kind is lost to browsers too.
_SKIPPED = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("head", "noscript", "object", "script", "style", "svg", "template", "title")
}
_CODE = frozenset({"script", "style", "template", "title"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "br", "center", "dd", "div", "dl", "dt", "footer", "form", "header"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody"}
    | {"td", "tfoot", "th", "thead", "tr", "ul"}
)
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
# Controls, and what takes no room: some senders pad their first line with a hundred of these.
_INVISIBLE = dict.fromkeys(
    (
        *range(0x20),
        *range(0x7F, 0xA0),
        *(0xAD, 0x34F, 0x61C, 0xFEFF),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFFF0, 0xFFFC),
    )
)


def html_to_text(html: str, limit: int = MAX_TEXT) -> str:
    """Return what a reader sees of HTML, at most `limit` characters; blocks are parted by line breaks."""
    pieces: list[str] = []
    length = 0
    for piece in _visible(html):
        pieces.append(piece)
        length += len(piece)
        if length >= limit:
            break
    text = "".join(pieces)
    if "&" in text:
        text = unescape(text)
    return text[:limit]


def _visible(html: str) -> Iterator[str]:
    position, end = 0, len(html)
    unclosed: set[str] = set()  # Elements of which no closing tag follows: it is looked for only once.
    while position < end:
        tag = html.find("<", position)
        if tag < 0:
            yield html[position:]
            return
        if tag > position:
            yield html[position:tag]
        if html.startswith("<!--", tag):
            close = html.find("-->", tag + 4)
            position = close + 3 if close >= 0 else end
            continue
        name = _TAG_NAME.match(html, tag + 1)
        if name is None and html[tag + 1 : tag + 2] not in ("!", "?"):
            yield "<"
            position = tag + 1
            continue
        position = _tag_end(html, tag)
        element = name[1].lower() if name is not None else ""
        if element in _BLOCKS:
            yield "\n"
        elif element in _SKIPPED and html[tag + 1] != "/" and element not in unclosed:
            closing = _SKIPPED[element].search(html, position)
            if closing is not None:
                position = _tag_end(html, closing.start())
            elif element in _CODE:
                return
            else:
                unclosed.add(element)


def _tag_end(html: str, start: int) -> int:
    """Return where a tag ends. A ">" within a quoted attribute is seen if the quote ends soon enough."""
    close = html.find(">", start)
    if close < 0:
        return len(html)
    if html.count('"', start, close) & 1:
        quote = html.find('"', close, close + 2048)
        later = html.find(">", quote, quote + 2048) if quote >= 0 else -1
        if later >= 0:
            return later + 1
    return close + 1


def part_text(part: Part, served: bytes, limit: int = MAX_TEXT) -> str:
    """Return the decoded text of a text part of `served`, HTML as plain text."""
    return _read_text(served, part.body_start, part.body_end, part.header, limit)


def message_text(outline: Outline, served: bytes, limit: int = MAX_TEXT) -> Iterator[str]:
    """Yield the texts of a message for search, in order, until `limit` characters are out.

    Of alternatives only the plain one is given if there is one; attached texts and messages count too.
    """
    parts = outline.parts
    skipped = {number for part in parts if len(part.parts) > 1 for number in _superfluous(part, parts, served)}
    for number, part in enumerate(parts):
        if limit <= 0:
            return
        if not _has_text(part) or number in skipped:
            continue
        text = _read_text(served, part.body_start, part.body_end, _header(part, served), limit)
        limit -= len(text)
        if text:
            yield text


def _read_text(served: bytes, start: int, end: int, header: PartHeader, limit: int) -> str:
    is_html = header.content_type.subtype.lower() == b"html"
    wanted = max(limit * _MARKUP_FACTOR, _LEAST_MARKUP) if is_html else limit
    # No character takes more than four octets, and no octet more than three in quoted-printable.
    room = wanted * 4 if header.encoding is Encoding.IDENTITY else wanted * 6
    stop = min(end, start + room)
    octets = served[start:stop]
    decoded = decode_transfer(octets, header.encoding)
    if decoded is not None:  # In an encoding that nobody knows it is mostly text all the same.
        octets = decoded
    text = decode_text(octets, header.charset, cut=stop < end)
    if is_html:
        return html_to_text(text[:wanted], limit)
    return text[:limit]


def _has_text(part: OutlinePart) -> bool:
    return part.kind is Kind.LEAF and part.is_text and part.body_end > part.body_start


def _header(part: OutlinePart, served: bytes) -> PartHeader:
    return read_content_fields(served[part.header_start : part.body_start])


def _superfluous(part: OutlinePart, parts: Sequence[OutlinePart], served: bytes) -> list[int]:
    """Return the other texts of a multipart/alternative that has a plain one."""
    texts = [number for number in part.parts if _has_text(parts[number])]
    if len(texts) < 2 or _header(part, served).content_type.subtype.lower() != b"alternative":
        return []
    others = [number for number in texts if _header(parts[number], served).content_type.subtype.lower() != b"plain"]
    return others if len(others) < len(texts) else []


def make_preview(text: str) -> str:
    """Return the beginning of a text on one line (RFC 8970 §3.2)."""
    preview = " ".join(text[: PREVIEW_LENGTH * 2].split())
    if len(preview) < PREVIEW_LENGTH < len(text) // 2:
        preview = " ".join(text[: PREVIEW_LENGTH * 16].split())
    if not preview.isprintable():
        preview = preview.translate(_INVISIBLE)
    return preview[:PREVIEW_LENGTH]
