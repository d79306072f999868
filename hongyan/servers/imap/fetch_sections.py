"""Sections of messages: from the ranges of the outline and the octets of the blob to strings of FETCH.

A message as served is its prefix and its blob. Of a large message only the ranges that are asked for are read, in
pieces, so that no message has to fit into memory to be sent.
"""

from __future__ import annotations

__all__ = ["SectionReader"]

from collections.abc import AsyncIterator

from hongyan.errors import Corrupt
from hongyan.message.headers import select_fields
from hongyan.message.outline import Outline
from hongyan.message.transfer import decode_transfer
from hongyan.servers.imap.fetch_plan import FetchPlan
from hongyan.servers.imap.selected import Selected
from hongyan.store.blobs import BlobStore
from hongyan.store.messages import Column, Row
from hongyan.types import BlobRef
from hongyan.wire.imap import codes
from hongyan.wire.imap.encoder import ROW_END, begin_literal
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Section, SectionText
from hongyan.wire.imap.strings import NIL

_PIECE = 64 << 10
_WHOLE_BELOW = 1 << 20  # messages that are read in one go
_FIELDS = frozenset({SectionText.HEADER_FIELDS, SectionText.HEADER_FIELDS_NOT})


class SectionReader:
    """Writes the rows of a plan that has sections."""

    __slots__ = ("_at", "_blobs", "_plan", "_sections")

    def __init__(self, blobs: BlobStore, plan: FetchPlan) -> None:
        self._blobs = blobs
        self._plan = plan
        self._sections = frozenset(plan.sections)
        columns = plan.columns
        self._at = tuple(columns.index(column) for column in (Column.SIZE, Column.PREFIX, Column.BLOB, Column.OUTLINE))

    async def read(self, pair: tuple[int, int], selected: Selected, row: Row) -> AsyncIterator[bytes]:
        """Yield the octets of one FETCH response. A section that cannot be read is told by NIL."""
        size, prefix, ref, outline = (row[at] for at in self._at)
        (values,) = self._plan.values((pair,), selected, (row,))
        if size < _WHOLE_BELOW:
            yield self._whole(pair[0] + 1, values, await self._served(prefix, ref), Outline(outline))
            return
        message = _LargeMessage(self._blobs, size, prefix, ref, Outline(outline))
        yield b"* %d FETCH (" % (pair[0] + 1)
        for number, item in enumerate(self._plan.items):
            if number:
                yield b" "
            if item not in self._sections:
                yield self._plan.piece(number, values[number + 1])
            elif isinstance(item, Section) and item.text not in _FIELDS:
                async for octets in message.stream(item):
                    yield octets
            else:
                yield _section(item, await message.octets(item), message.outline)
        yield ROW_END

    async def _served(self, prefix: bytes, ref: BlobRef) -> bytes | None:
        """Return a small message whole, or None if it cannot be read back."""
        try:
            octets = self._blobs.read_now(ref)
            if octets is None:
                octets = await self._blobs.read(ref)
        except Corrupt:
            return None
        return prefix + octets if prefix else octets

    def _whole(self, seq: int, values: tuple[int | bytes, ...], served: bytes | None, outline: Outline) -> bytes:
        """Write the response of a message that is in memory."""
        pieces = [
            _section(item, served, outline) if item in self._sections else self._plan.piece(number, values[number + 1])
            for number, item in enumerate(self._plan.items)
        ]
        return b"* %d FETCH (%b)\r\n" % (seq, b" ".join(pieces))


class _LargeMessage:
    """A message of which only what is asked for is read."""

    __slots__ = ("_blobs", "_prefix", "_ref", "_size", "outline")

    def __init__(self, blobs: BlobStore, size: int, prefix: bytes, ref: BlobRef, outline: Outline) -> None:
        self._blobs = blobs
        self._size = size
        self._prefix = prefix
        self._ref = ref
        self.outline = outline

    async def octets(self, item: FetchItem) -> bytes | None:
        """Return the message up to where the section ends, so that the outline's positions hold."""
        found = _range_of(item, self.outline, self._size)
        try:
            return b"" if found is None else await self._read(0, found.stop)
        except Corrupt:
            return None

    async def stream(self, item: Section) -> AsyncIterator[bytes]:
        """Yield a section that is a range of octets, as a literal in pieces."""
        found = _range_of(item, self.outline, self._size)
        if found is None:
            yield item.label + b" " + NIL
            return
        start, stop = _cut(found, item.partial)
        try:
            first = await self._read(start, min(stop, start + _PIECE))
        except Corrupt:
            yield item.label + b" " + NIL
            return
        yield begin_literal(item.label, stop - start) + first
        for at in range(start + len(first), stop, _PIECE):
            yield await self._read(at, min(stop, at + _PIECE))

    async def _read(self, start: int, stop: int) -> bytes:
        prefix = self._prefix
        head = prefix[start:stop]
        begin, end = max(start - len(prefix), 0), stop - len(prefix)
        return head + await self._blobs.read(self._ref, begin, end) if end > begin else head


def _range_of(item: FetchItem, outline: Outline, size: int) -> range | None:
    """Return the octets of the message as served that a section speaks of."""
    match item:
        case Section(part=(), text=SectionText.ALL):
            return range(size)
        case Section(part=part, text=text) if text in _FIELDS:
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


def _section(item: FetchItem, served: bytes | None, outline: Outline) -> bytes:
    """Write one section of a message that is in memory; `served` None: it cannot be read back."""
    found = None if served is None else _range_of(item, outline, len(served))
    if served is None or found is None:
        return _absent(item)
    match item:
        case Section(part=(), text=SectionText.ALL, partial=None):
            return begin_literal(item.label, len(served)) + served
        case Section(text=text) if text in _FIELDS:
            inverted = text is SectionText.HEADER_FIELDS_NOT
            header = served[found.start : found.stop]
            fields = select_fields(header, frozenset(item.fields), inverted=inverted) + b"\r\n"
            start, stop = _cut(range(len(fields)), item.partial)
            return begin_literal(item.label, stop - start) + fields[start:stop]
        case Section():
            start, stop = _cut(found, item.partial)
            return begin_literal(item.label, stop - start) + served[start:stop]
        case Binary():
            decoded = _decoded(item.part, served, found, outline)
            start, stop = _cut(range(len(decoded)), item.partial)
            octets = decoded[start:stop]
            return begin_literal(item.label, len(octets), binary=b"\0" in octets) + octets
        case BinarySize():
            return item.label + b" %d" % len(_decoded(item.part, served, found, outline))
        case _:
            raise ValueError(item)


def _absent(item: FetchItem) -> bytes:
    """Write a section that the message does not have."""
    match item:
        case BinarySize():
            return item.label + b" 0"
        case Section() | Binary():
            return item.label + b" " + NIL
        case _:
            raise ValueError(item)


def _cut(found: range, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Return the part of a range that `<first.count>` asks for."""
    if wanted is None:
        return found.start, found.stop
    start = min(found.start + wanted[0], found.stop)
    return start, min(start + wanted[1], found.stop)


def _decoded(part: tuple[int, ...], served: bytes, found: range, outline: Outline) -> bytes:
    """Return a part with its transfer encoding undone (RFC 9051 §6.4.5.1)."""
    octets = served[found.start : found.stop]
    there = outline.find_part(part) if part else None
    decoded = octets if there is None else decode_transfer(octets, there.encoding)
    if decoded is None:
        raise CommandFault("The part has an encoding that is not known", status=b"NO", code=codes.UNKNOWN_CTE)
    return decoded
