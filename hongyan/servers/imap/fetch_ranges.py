"""Which octets of a message a section means, and what is told of a section that the message does not have."""

from __future__ import annotations

__all__ = ["FIELDS", "absent", "cut", "header_fields", "section_range"]

from hongyan.message.headers import select_fields
from hongyan.message.outline import Outline
from hongyan.wire.imap.encoder import begin_literal
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Section, SectionText
from hongyan.wire.imap.strings import NIL

FIELDS = frozenset({SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT})
"""Sections that are made of a header, and are no range of the message's octets."""


def section_range(item: FetchItem, outline: Outline, size: int) -> range | None:
    """Return the octets of the message as served that a section speaks of; of FIELDS the header."""
    match item:
        case Section(part=(), text=SectionText.ALL):
            return range(size)
        case Section(part=part, text=text) if text in FIELDS:
            return outline.find_section(part, "HEADER")
        case Section(part=part, text=text):
            return outline.find_section(part, text.value.decode())  # type: ignore[arg-type]  # its own words
        case Binary(part=()) | BinarySize(part=()):
            return range(size)
        case Binary(part=part) | BinarySize(part=part):
            found = outline.find_part(part)
            return None if found is None else found.body
        case _:
            return None


def cut(found: range, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Return start and stop of what a partial leaves of a range (RFC 9051 §6.4.5.1)."""
    if wanted is None:
        return found.start, found.stop
    start = min(found.start + wanted[0], found.stop)
    return start, min(start + wanted[1], found.stop)


def header_fields(item: Section, header: bytes) -> bytes:
    """Write the fields of a header that a section asks for, as a literal."""
    inverted = item.text is SectionText.HEADER_FIELDS_NOT
    fields = select_fields(header, frozenset(item.fields), inverted=inverted) + b"\r\n"
    start, stop = cut(range(len(fields)), item.partial)
    return begin_literal(item.label, stop - start) + fields[start:stop]


def absent(item: FetchItem) -> bytes:
    """Write a section that the message does not have, or that cannot be told."""
    match item:
        case BinarySize():
            return item.label + b" 0"
        case Section() | Binary():
            return item.label + b" " + NIL
        case _:
            raise ValueError(item)
