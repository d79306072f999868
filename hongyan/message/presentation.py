"""How a message is shown: which parts are its text, which pictures belong to it, and what is attached.

Of alternatives the richest that can be shown counts; in multipart/related the first part is the text and the others are
what it refers to by Content-ID (RFC 2387); texts that stand side by side are shown one after the other. All the rest is
attached, and so is a text that says so of itself. A message within the message is one attachment.
"""

from __future__ import annotations

__all__ = ["Attachment", "Presentation", "decode_part", "part_text", "present", "safe_name"]

import re
from dataclasses import dataclass, field
from typing import Final

from hongyan.message.charsets import decode_text
from hongyan.message.outline import Outline, OutlinePart
from hongyan.message.parameters import find_parameter
from hongyan.message.part_header import Kind, PartHeader, read_part_header
from hongyan.message.transfer import decode_transfer

MAX_SHOWN: Final = 500
"""Parts that are looked at; the others are not shown."""

_MAX_NAME = 150  # characters of a file's name; file systems take 255 octets
_MAX_META = 1024
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_META = re.compile(rb"""<meta[^>]{0,200}charset[ \t\r\n]*=[ \t\r\n"']*([A-Za-z0-9_-]{2,40})""", re.IGNORECASE)
# Controls, what ends paths, and marks that turn the direction of writing ("gpj.exe" shown as "exe.jpg").
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\:*?\"<>|\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)
_EXTENSIONS = {
    "application/pdf": ".pdf",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the text. `part` is its number in the outline; `size` is about that of the decoded octets."""

    part: int
    name: str
    media_type: str
    size: int
    content_id: str
    is_inline: bool
    """Whether it belongs to the text (multipart/related), and need not be listed once it is shown there."""


@dataclass(slots=True)
class Presentation:
    """What is shown of a message: numbers of parts in the outline, in their order."""

    texts: list[int] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    headers: dict[int, PartHeader] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def find_cid(self, content_id: str) -> Attachment | None:
        """Return the part of a Content-ID."""
        wanted = content_id.strip("<> ")
        return next((one for one in self.attachments if wanted and one.content_id == wanted), None)

    def find(self, part: int) -> Attachment | None:
        """Return the attachment of a number."""
        return next((one for one in self.attachments if one.part == part), None)


def present(outline: Outline, served: bytes) -> Presentation:
    """Return how a message is shown."""
    presenter = _Presenter(outline.parts, served)
    presenter.take(0, is_related=False)
    return presenter.shown


def decode_part(outline: Outline, served: bytes, part: int, header: PartHeader) -> bytes:
    """Return the octets of a part as its sender had them."""
    found = outline.parts[part]
    octets = served[found.body_start : found.body_end]
    if found.kind is Kind.MESSAGE:
        return octets
    decoded = decode_transfer(octets, header.encoding)
    return octets if decoded is None else decoded


def part_text(octets: bytes, header: PartHeader) -> str:
    """Return the text of a text part; HTML may name its charset itself if the header does not."""
    charset = header.charset
    if not charset and header.content_type.subtype.lower() == b"html":
        named = _META.search(octets[:_MAX_META])
        charset = named[1].decode("ascii") if named else ""
    return decode_text(octets, charset)


def safe_name(name: str, fallback: str) -> str:
    """Return a file's name without a path, controls, or marks that show it otherwise than it is."""
    name = _UNSAFE.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    if _DEVICES.match(name):
        name = f"_{name}"
    if len(name) > _MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        short = bool(dot) and len(extension) <= 12
        name = f"{stem[: _MAX_NAME - len(extension) - 1]}.{extension}" if short else name[:_MAX_NAME]
    return name or fallback


class _Presenter:
    def __init__(self, parts: list[OutlinePart], served: bytes) -> None:
        self._parts = parts
        self._served = served
        self._left = MAX_SHOWN
        self.shown = Presentation()

    def take(self, number: int, *, is_related: bool) -> None:
        """Take a part in. Containers nest at most `parts.MAX_DEPTH` deep."""
        if self._left <= 0:
            return
        self._left -= 1
        part = self._parts[number]
        header = self._header(number)
        if part.kind is not Kind.MULTIPART:
            self._take_leaf(number, part, header, is_related=is_related)
            return
        match header.content_type.subtype.lower():
            case b"alternative":
                self._take_alternative(part)
            case b"related":
                for place, child in enumerate(part.parts):
                    self.take(child, is_related=is_related or place > 0)
            case _:
                for child in part.parts:
                    self.take(child, is_related=is_related)

    def _take_alternative(self, part: OutlinePart) -> None:
        best = max(part.parts, key=lambda child: (self._richness(child), child), default=None)
        for child in part.parts:
            if child == best:
                self.take(child, is_related=False)
            elif not self._richness(child):
                self.take(child, is_related=False)  # such as a calendar: attached

    def _richness(self, number: int) -> int:
        part, header = self._parts[number], self._header(number)
        if part.kind is Kind.MULTIPART:
            return max((self._richness(child) for child in part.parts[:20]), default=0)
        if not self._is_text(part, header):
            return 0
        return 2 if header.content_type.subtype.lower() == b"html" else 1

    def _take_leaf(self, number: int, part: OutlinePart, header: PartHeader, *, is_related: bool) -> None:
        if not is_related and self._is_text(part, header):
            self.shown.texts.append(number)
            return
        content_id = header.fields.get(b"content-id", [b""])[0].strip().strip(b"<>").decode("utf-8", "replace")[:500]
        media_type = b"%b/%b" % (header.content_type.type.lower(), header.content_type.subtype.lower())
        shown_type = media_type.decode("ascii", "replace")
        if not _TYPE.fullmatch(shown_type):
            shown_type = "application/octet-stream"
        size = part.body_end - part.body_start
        if header.encoding.name == "BASE64" and part.kind is Kind.LEAF:
            size = size * 57 // 78
        name = self._unique(safe_name(_file_name(header), _fallback(number, shown_type)))
        self.shown.attachments.append(Attachment(number, name, shown_type, size, content_id, is_related))

    def _unique(self, name: str) -> str:
        """Return a name that no other attachment has, whatever the case of letters."""
        stem, dot, extension = name.rpartition(".") if "." in name else (name, "", "")
        unique, count = name, 1
        while unique.casefold() in self.shown.names:
            count += 1
            unique = f"{stem} ({count}){dot}{extension}"
        self.shown.names.add(unique.casefold())
        return unique

    def _is_text(self, part: OutlinePart, header: PartHeader) -> bool:
        if part.kind is not Kind.LEAF or header.content_type.type.lower() != b"text":
            return False
        if header.content_type.subtype.lower() not in (b"plain", b"html"):
            return False
        return header.disposition is None or header.disposition.kind.lower() != b"attachment"

    def _header(self, number: int) -> PartHeader:
        header = self.shown.headers.get(number)
        if header is None:
            part = self._parts[number]
            header = read_part_header(self._served[part.header_start : part.body_start])
            self.shown.headers[number] = header
        return header


def _file_name(header: PartHeader) -> str:
    found = header.disposition and find_parameter(header.disposition.parameters, b"filename")
    found = found or find_parameter(header.content_type.parameters, b"name")
    return found.text if found else ""


def _fallback(number: int, media_type: str) -> str:
    return f"part-{number}{_EXTENSIONS.get(media_type, '.bin')}"
