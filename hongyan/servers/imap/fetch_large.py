"""Sections of a large message: only what is asked for is read, in pieces, so that no message has to fit into memory."""

from __future__ import annotations

__all__ = ["LargeMessage", "UnknownEncoding", "Unreadable"]

import asyncio
from collections.abc import AsyncIterator

from hongyan.errors import Corrupt, ServerFault, UserFault
from hongyan.message.headers import MAX_HEADER
from hongyan.message.outline import Outline
from hongyan.message.transfer import Base64Stream, Encoding, decode_transfer
from hongyan.servers.imap.fetch_ranges import FIELDS, absent, cut, header_fields, section_range
from hongyan.store.blobs import BlobStore
from hongyan.types import BlobRef
from hongyan.wire.imap.encoder import begin_literal
from hongyan.wire.imap.fetch import Binary, BinarySize, FetchItem, Section

_PIECE = 64 << 10
_ENCODED_PIECE = 768 << 10  # of which a decoder makes half a megabyte


class Unreadable(ServerFault):
    """A message cannot be read on after its row was begun: the client cannot be told any more."""


class UnknownEncoding(UserFault):
    """A part has a transfer encoding that is not known (RFC 3516 §4.3)."""


class LargeMessage:
    """A message of which only what is asked for is read."""

    __slots__ = ("_blobs", "_outline", "_prefix", "_ref", "_size", "_skipped")

    def __init__(
        self, blobs: BlobStore, size: int, prefix: bytes, ref: BlobRef, skipped: int, outline: Outline
    ) -> None:
        self._blobs = blobs
        self._size = size
        self._prefix = prefix
        self._ref = ref
        self._skipped = skipped
        self._outline = outline

    async def tell(self, item: FetchItem) -> AsyncIterator[bytes]:
        """Yield an item with its label; one that cannot be read back as NIL.

        Raises `UnknownEncoding` before the first piece, and `Unreadable`.
        """
        found = section_range(item, self._outline, self._size)
        pieces = self._pieces(item, found) if found is not None else None
        told = False
        try:
            if pieces is not None:
                async for octets in pieces:
                    told = True
                    yield octets
        except ServerFault as fault:
            if told or not isinstance(fault, Corrupt):
                raise Unreadable(cause=fault.cause) from fault
        if not told:
            yield absent(item)

    async def _pieces(self, item: FetchItem, found: range) -> AsyncIterator[bytes]:
        match item:
            case Section(text=text) if text in FIELDS:
                yield header_fields(item, await self._read(found.start, min(found.stop, found.start + MAX_HEADER)))
            case Section(partial=partial):
                start, stop = cut(found, partial)
                announcement = begin_literal(item.label, stop - start)
                async for octets in _announced(announcement, self._stream(start, stop, _PIECE)):
                    yield octets
            case BinarySize(part=part):
                yield item.label + b" %d" % await self._decoded_size(part, found)
            case Binary(part=part, partial=partial):
                start, stop = cut(range(await self._decoded_size(part, found)), partial)
                # A literal8, as nobody has looked whether there is a NUL in it (RFC 9051 §9, msg-att-static).
                announcement = begin_literal(item.label, stop - start, binary=True)
                async for octets in _announced(announcement, _slice(self._decoded(part, found), start, stop)):
                    yield octets

    async def _decoded_size(self, part: tuple[int, ...], found: range) -> int:
        if self._encoding(part) is Encoding.IDENTITY:
            return len(found)
        size = 0
        async for octets in self._decoded(part, found):
            size += len(octets)
        return size

    async def _decoded(self, part: tuple[int, ...], found: range) -> AsyncIterator[bytes]:
        """Yield a part with its transfer encoding undone."""
        encoding = self._encoding(part)
        if encoding is Encoding.IDENTITY:
            async for octets in self._stream(found.start, found.stop, _PIECE):
                yield octets
        elif encoding is Encoding.BASE64:
            decoder = Base64Stream()
            async for octets in self._stream(found.start, found.stop, _ENCODED_PIECE):
                yield decoder.feed(octets)
                await asyncio.sleep(0)  # nothing may be sent for long, and others have their turn
            yield decoder.finish()
        else:
            encoded = await self._read(found.start, found.stop)
            decoded = await asyncio.to_thread(decode_transfer, encoded, encoding)
            if decoded is None:
                raise UnknownEncoding
            yield decoded

    def _encoding(self, part: tuple[int, ...]) -> Encoding:
        there = self._outline.find_part(part) if part else None
        return Encoding.IDENTITY if there is None else there.encoding

    async def _stream(self, start: int, stop: int, size: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, size):
            yield await self._read(at, min(stop, at + size))

    async def _read(self, start: int, stop: int) -> bytes:
        prefix, skipped = self._prefix, self._skipped
        head = prefix[start:stop]
        begin, end = max(start - len(prefix), 0), stop - len(prefix)
        if end <= begin:
            return head
        return head + await self._blobs.read(self._ref, skipped + begin, skipped + end)


async def _announced(announcement: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield pieces behind what announces them; nothing is said before the first could be read."""
    async for octets in pieces:
        yield announcement + octets
        announcement = b""
    if announcement:
        yield announcement


async def _slice(pieces: AsyncIterator[bytes], start: int, stop: int) -> AsyncIterator[bytes]:
    """Yield the octets of [start, stop)."""
    at = 0
    async for octets in pieces:
        if at + len(octets) > start and at < stop:
            yield octets[max(start - at, 0) : stop - at]
        at += len(octets)
        if at >= stop:
            return
