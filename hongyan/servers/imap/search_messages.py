"""What a search has to read messages for: header fields that have no column, headers whole, and bodies.

Threads look, two at a time for all connections, so that others go on. Of a message no more than `MAX_READ` octets
are looked at, and no more than `_TOGETHER` are in memory for one search.
"""

from __future__ import annotations

__all__ = ["MAX_READ", "MessageSearch"]

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.message.analyze import STORED_FIELDS
from hongyan.message.encoded_words import decode_words
from hongyan.message.headers import MAX_HEADER, field_finder, find_body, iterate_fields
from hongyan.message.outline import Outline
from hongyan.message.text import fold_text, message_text
from hongyan.servers.imap.search_rows import RowSearch
from hongyan.store.blobs import BlobStore
from hongyan.store.messages import Column, Row

_ID_FIELDS = frozenset({b"message-id", b"in-reply-to", b"references"})  # in ids nothing is encoded (RFC 2047 §5)

MAX_READ = 16 << 20
"""Octets of a message that are searched."""

_TOGETHER = 8 << 20
_AT_ONCE = 200
_MAX_TEXT = 4 << 20  # characters


class _Message(NamedTuple):
    """What is read of a message: its first octets, and where its parts stand if that is of interest."""

    uid: int
    octets: bytes
    outline: bytes = b""


Test = Callable[[_Message], bool]


class MessageSearch:
    """Searches messages of one mailbox by reading them."""

    __slots__ = ("_blobs", "_rows", "_threads")

    def __init__(self, rows: RowSearch, blobs: BlobStore, threads: asyncio.Semaphore) -> None:
        self._rows = rows
        self._blobs = blobs
        self._threads = threads

    async def field(self, field: bytes, text: str, among: BitMap) -> BitMap:
        """Return those messages that have the header field, and in it the text."""
        if field in _ID_FIELDS:
            return await self._ids(field, text, among)
        needle = fold_text(text)
        if field in STORED_FIELDS:
            select = field_finder(frozenset({field}))
            return await self._test(
                self._stored_fields(among), lambda message: _field_has(select(message.octets), field, needle)
            )
        return await self._test(self._headers(among), lambda message: _field_has(message.octets, field, needle))

    async def _ids(self, field: bytes, text: str, among: BitMap) -> BitMap:
        """Compare ids octet by octet, but for the case of ASCII letters."""
        needle = text.encode().lower()
        if needle.isascii() and len(needle.split()) == 1 and needle == needle.strip():
            among = await self._rows.fields(needle.decode(), among)  # no fold can part it
        select = field_finder(frozenset({field}))
        return await self._test(
            self._stored_fields(among),
            lambda message: any(needle in value.lower() for _, value in iterate_fields(select(message.octets))),
        )

    async def body(self, text: str, among: BitMap) -> BitMap:
        """Return those messages whose text holds the text."""
        needle = fold_text(text)
        return await self._test(self._messages(among), lambda message: _body_has(message, needle))

    async def anywhere(self, text: str, among: BitMap) -> BitMap:
        """Return those messages whose header or text holds the text."""
        needle = fold_text(text)
        header_has = _header_test(needle)
        return await self._test(
            self._messages(among), lambda message: header_has(message.octets) or _body_has(message, needle)
        )

    async def _test(self, messages: AsyncIterator[_Message], meets: Test) -> BitMap:
        found = BitMap()
        async for batch in _batched(messages):
            async with self._threads:
                found |= await asyncio.to_thread(_test_all, batch, meets)
        return found

    # -- what is read

    async def _stored_fields(self, uids: BitMap) -> AsyncIterator[_Message]:
        async for uid, fields in self._rows.rows((Column.UID, Column.FIELDS), uids):
            yield _Message(uid, fields)

    async def _headers(self, uids: BitMap) -> AsyncIterator[_Message]:
        async for row in self._rows.rows((Column.UID, Column.PREFIX, Column.BLOB, Column.OUTLINE), uids):
            header = Outline(row[3]).parts[0].body_start
            yield _Message(row[0], await self._octets(row, min(header, MAX_HEADER)))

    async def _messages(self, uids: BitMap) -> AsyncIterator[_Message]:
        columns = (Column.UID, Column.PREFIX, Column.BLOB, Column.SIZE, Column.OUTLINE)
        async for row in self._rows.rows(columns, uids):
            yield _Message(row[0], await self._octets(row, min(row[3], MAX_READ)), row[4])

    async def _octets(self, row: Row, size: int) -> bytes:
        """Return the first octets of a message; of one that cannot be read back, its prefix."""
        prefix: bytes = row[1]
        if size <= len(prefix):
            return prefix[:size]
        try:
            return prefix + await self._blobs.read(row[2], 0, size - len(prefix))
        except Corrupt:
            return prefix


async def _batched(messages: AsyncIterator[_Message]) -> AsyncIterator[Sequence[_Message]]:
    """Gather messages until they are many, or much."""
    batch: list[_Message] = []
    octets = 0
    async for message in messages:
        batch.append(message)
        octets += len(message.octets)
        if octets >= _TOGETHER or len(batch) >= _AT_ONCE:
            yield batch
            batch, octets = [], 0
    if batch:
        yield batch


def _test_all(messages: Sequence[_Message], meets: Test) -> BitMap:
    return BitMap([message.uid for message in messages if meets(message)])


def _field_has(block: bytes, field: bytes, needle: str) -> bool:
    return any(
        name.lower() == field and needle in fold_text(decode_words(value)) for name, value in iterate_fields(block)
    )


def _header_test(needle: str) -> Callable[[bytes], bool]:
    """Return what tells whether the header of a message as served has the text."""
    word = needle.encode() if _WORD.fullmatch(needle) else b""

    def header_has(served: bytes) -> bool:
        block = served[: find_body(served, 0, len(served))]
        # A word in plain ASCII stands there as it is, if it does; most headers are done with by this.
        is_plain = word and block.isascii() and b"=?" not in block and b"\0" not in block
        if is_plain and word not in block.lower():
            return False
        return any(
            needle in fold_text(f"{name.decode('latin-1')}: {decode_words(value)}")
            for name, value in iterate_fields(block)
        )

    return header_has


_WORD = re.compile(r"[a-z0-9]+")


def _body_has(message: _Message, needle: str) -> bool:
    return any(needle in fold_text(text) for text in message_text(Outline(message.outline), message.octets, _MAX_TEXT))
