"""The stored outline of a message: which octets are which section (RFC 9051 §6.4.5.1).

Kept in the database beside the message as a few octets for each part, so that any section of a body is
a range of the blob. All positions count from the start of the message as served.

    outline = 1*part           in the order of the octets, a container before what it holds
    part    = tag gap header body [lines] [count]
    tag     = OCTET            kind (2 bits), transfer encoding (3 bits), text (1 bit)
    gap     = number           octets between where the part before begins (container) or ends (leaf) and here
    header  = number           octets of the header with its empty line
    body    = number           octets of the body
    lines   = number           line breaks in the body, for text and messages
    count   = number           parts of a multipart
    number  = 7 bits an octet, least significant first, the high bit says that more follow
"""

from __future__ import annotations

__all__ = ["Outline", "OutlinePart", "Specifier"]

from collections.abc import Sequence
from typing import Literal, NamedTuple

from hongyan.errors import Corrupt
from hongyan.message.part_header import Kind
from hongyan.message.parts import Part
from hongyan.message.transfer import Encoding

Specifier = Literal["", "HEADER", "TEXT", "MIME"]


class OutlinePart(NamedTuple):
    """The ranges of one part. `parts` are the numbers of its parts in `Outline.parts`."""

    header_start: int
    body_start: int
    body_end: int
    lines: int
    kind: Kind
    encoding: Encoding
    is_text: bool
    parts: list[int]

    @property
    def header(self) -> range:
        return range(self.header_start, self.body_start)

    @property
    def body(self) -> range:
        return range(self.body_start, self.body_end)


class Outline:
    """Reads what `Outline.from_parts` wrote; nothing is unpacked before it is asked for."""

    __slots__ = ("_octets", "_parts")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._parts: list[OutlinePart] | None = None

    @classmethod
    def from_octets(cls, octets: bytes) -> Outline:
        return cls(octets)

    @classmethod
    def from_parts(cls, parts: Sequence[Part], before: int = 0) -> Outline:
        """Return the outline of parts that were found in a message without the first `before` octets of its header."""
        return cls(_pack(parts, before))

    def to_octets(self) -> bytes:
        return self._octets

    @property
    def parts(self) -> list[OutlinePart]:
        """All parts; the first is the message itself. Raises Corrupt if the octets are not an outline."""
        if self._parts is None:
            self._parts = _unpack(self._octets)
        return self._parts

    def find_part(self, path: tuple[int, ...]) -> OutlinePart | None:
        """Return the part that a section's numbers name; () is the message."""
        parts = self.parts
        part = parts[0]
        inside_message = True
        for number in path:
            if inside_message and part.kind is not Kind.MULTIPART:
                # "Every message has at least one part number": the body of a message that is not a multipart is 1.
                if number != 1:
                    return None
                inside_message = False
                continue
            if part.kind is Kind.MESSAGE:
                part = parts[part.parts[0]]
                if part.kind is not Kind.MULTIPART:
                    if number != 1:
                        return None
                    continue
            if part.kind is not Kind.MULTIPART or not 1 <= number <= len(part.parts):
                return None
            part = parts[part.parts[number - 1]]
            inside_message = False
        return part

    def find_section(self, path: tuple[int, ...], specifier: Specifier) -> range | None:
        """Return the octets of BODY[path.specifier], or None if the message has no such section."""
        part = self.find_part(path)
        if part is None or (not path and specifier == "MIME"):
            return None
        if not path:
            message = part
            if specifier == "":
                return range(part.body_end)
        else:
            match specifier:
                case "":
                    return part.body
                case "MIME":
                    return part.header
                case _ if part.kind is not Kind.MESSAGE:
                    return None
            message = self.parts[part.parts[0]]
        return message.header if specifier == "HEADER" else message.body


def _pack(parts: Sequence[Part], before: int) -> bytes:
    packed = bytearray()
    append = packed.append
    cursor = -before
    for part in parts:
        header, kind = part.header, part.kind
        start, body, end = part.header_start if packed else -before, part.body_start, part.body_end
        append(kind | header.encoding << 2 | header.is_text << 5)
        numbers = [start - cursor, body - start, end - body]
        if header.is_text or kind is Kind.MESSAGE:
            numbers.append(part.lines)
        if kind is Kind.MULTIPART:
            numbers.append(len(part.children))
        for number in numbers:
            while number > 0x7F:
                append(number & 0x7F | 0x80)
                number >>= 7
            append(number)
        cursor = end if kind is Kind.LEAF else body
    return bytes(packed)


_KINDS = {int(kind): kind for kind in Kind}  # a look into a table takes a fifth of a call of the enumeration
_ENCODINGS = {int(encoding): encoding for encoding in Encoding}


def _unpack(octets: bytes) -> list[OutlinePart]:
    parts: list[OutlinePart] = []
    waiting: list[tuple[list[int], int]] = []  # Containers that lack parts, and how many.
    position = cursor = 0
    try:
        while not parts or waiting:
            tag = octets[position]
            kind = _KINDS[tag & 3]
            is_text = bool(tag & 0x20)
            position, gap = _number(octets, position + 1)
            position, header = _number(octets, position)
            position, body = _number(octets, position)
            lines = 0
            if is_text or kind is Kind.MESSAGE:
                position, lines = _number(octets, position)
            start = cursor + gap
            part = OutlinePart(
                start, start + header, start + header + body, lines, kind, _ENCODINGS[tag >> 2 & 7], is_text, []
            )
            if waiting:
                siblings, lacking = waiting.pop()
                siblings.append(len(parts))
                if lacking > 1:
                    waiting.append((siblings, lacking - 1))
            parts.append(part)
            if kind is Kind.MULTIPART:
                position, count = _number(octets, position)
                waiting.append((part.parts, count))
            elif kind is Kind.MESSAGE:
                waiting.append((part.parts, 1))
            cursor = part.body_end if kind is Kind.LEAF else part.body_start
    except (IndexError, KeyError) as fault:
        raise Corrupt(cause="outline cannot be read") from fault
    return parts


def _number(octets: bytes, position: int) -> tuple[int, int]:
    octet = octets[position]
    position += 1
    if octet < 0x80:
        return position, octet
    number, shift = octet & 0x7F, 7
    while octet >= 0x80:
        octet = octets[position]
        position += 1
        number |= (octet & 0x7F) << shift
        shift += 7
    return position, number
