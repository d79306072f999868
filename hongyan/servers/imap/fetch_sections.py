"""Sections of messages: from the ranges of the outline and the octets of the blob to strings of FETCH.

A message as served is its prefix and its blob. A small one is read in one go; of a large one only what is asked for
(`fetch_large`).
"""

from __future__ import annotations

__all__ = ["SectionReader"]

from collections.abc import AsyncIterator

from hongyan.errors import Corrupt
from hongyan.message.outline import Outline
from hongyan.message.transfer import decode_transfer
from hongyan.servers.imap.fetch_large import LargeMessage, UnknownEncoding
from hongyan.servers.imap.fetch_plan import FetchPlan
from hongyan.servers.imap.fetch_ranges import FIELDS, absent, cut, header_fields, section_range
from hongyan.servers.imap.selected import Selected
from hongyan.store.blobs import BlobStore
from hongyan.store.messages import Column, Row
from hongyan.types import BlobRef
from hongyan.wire.imap.encoder import ROW_END, begin_literal
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Section, SectionText

_COLUMNS = (Column.SIZE, Column.PREFIX, Column.BLOB, Column.SKIPPED, Column.OUTLINE)
_WHOLE_BELOW = 1 << 20  # messages that are read in one go


class SectionReader:
    """Writes the rows of a plan that has sections. `met_unknown_encoding`: some part could not be decoded."""

    __slots__ = ("_at", "_blobs", "_plan", "_sections", "met_unknown_encoding")

    def __init__(self, blobs: BlobStore, plan: FetchPlan) -> None:
        self._blobs = blobs
        self._plan = plan
        self._sections = frozenset(plan.sections)
        self.met_unknown_encoding = False
        columns = plan.columns
        self._at = tuple(map(columns.index, _COLUMNS))

    async def read(self, pair: tuple[int, int], selected: Selected, row: Row) -> AsyncIterator[bytes]:
        """Yield the octets of one FETCH response. A section that cannot be read is told by NIL."""
        size, prefix, ref, skipped, outline = [row[at] for at in self._at]
        (values,) = self._plan.values((pair,), selected, (row,))
        if size < _WHOLE_BELOW:
            yield self._whole(values, await self._served(prefix, ref, skipped), Outline(outline))
            return
        message = LargeMessage(self._blobs, size, prefix, ref, skipped, Outline(outline))
        yield self._plan.form.begin(values[0])
        for number, item in enumerate(self._plan.items):
            if number:
                yield b" "
            if item not in self._sections:
                yield self._plan.piece(number, values[number + 1])
                continue
            try:
                async for octets in message.tell(item):
                    yield octets
            except UnknownEncoding:
                self.met_unknown_encoding = True
                yield absent(item)
        yield ROW_END

    def read_now(self, pair: tuple[int, int], selected: Selected, row: Row) -> bytes | None:
        """Return one FETCH response if the message is small and at hand, else None."""
        size, prefix, ref, skipped, outline = [row[at] for at in self._at]
        if size >= _WHOLE_BELOW:
            return None
        try:
            octets = self._blobs.read_now(ref, skipped)
        except Corrupt:
            served = None
        else:
            if octets is None:
                return None
            served = prefix + octets if prefix else octets
        (values,) = self._plan.values((pair,), selected, (row,))
        return self._whole(values, served, Outline(outline))

    async def _served(self, prefix: bytes, ref: BlobRef, skipped: int) -> bytes | None:
        """Return a small message whole, or None if it cannot be read back."""
        try:
            octets = self._blobs.read_now(ref, skipped)
            if octets is None:
                octets = await self._blobs.read(ref, skipped)
        except Corrupt:
            return None
        return prefix + octets if prefix else octets

    def _whole(self, values: tuple[int | bytes, ...], served: bytes | None, outline: Outline) -> bytes:
        """Write the response of a message that is in memory."""
        pieces = [
            self._section(item, served, outline)
            if item in self._sections
            else self._plan.piece(number, values[number + 1])
            for number, item in enumerate(self._plan.items)
        ]
        return self._plan.form.begin(values[0]) + b" ".join(pieces) + ROW_END

    def _section(self, item: FetchItem, served: bytes | None, outline: Outline) -> bytes:
        """Write one section of a message that is in memory; `served` None: it cannot be read back."""
        found = None if served is None else section_range(item, outline, len(served))
        if served is None or found is None:
            return absent(item)
        match item:
            case Section(part=(), text=SectionText.ALL, partial=None):
                return begin_literal(item.label, len(served)) + served
            case Section(text=text) if text in FIELDS:
                return header_fields(item, served[found.start : found.stop])
            case Section():
                start, stop = cut(found, item.partial)
                return begin_literal(item.label, stop - start) + served[start:stop]
            case Binary() | BinarySize():
                return self._binary(item, _decoded(item.part, served, found, outline))
            case _:
                raise ValueError(item)

    def _binary(self, item: Binary | BinarySize, decoded: bytes | None) -> bytes:
        if decoded is None:
            self.met_unknown_encoding = True
            return absent(item)
        if isinstance(item, BinarySize):
            return item.label + b" %d" % len(decoded)
        start, stop = cut(range(len(decoded)), item.partial)
        octets = decoded[start:stop]
        return begin_literal(item.label, len(octets), binary=b"\0" in octets) + octets


def _decoded(part: tuple[int, ...], served: bytes, found: range, outline: Outline) -> bytes | None:
    """Return a part with its transfer encoding undone (RFC 9051 §6.4.5.1), None where that is not known."""
    octets = served[found.start : found.stop]
    there = outline.find_part(part) if part else None
    return octets if there is None else decode_transfer(octets, there.encoding)
