"""What a search has to read messages for: header fields that have no column, headers whole, and bodies.

Threads look, two at a time for all connections, so that others go on. Of a message no more than `MAX_READ` octets
are looked at, and no more than `_TOGETHER` are in memory for one search.
"""

from __future__ import annotations

__all__ = ["ID_FIELDS", "MAX_READ", "Judge", "MessageSearch"]

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.message.anatomy import STORED_FIELDS
from hongyan.message.encoded_words import decode_words
from hongyan.message.fold import fold_text
from hongyan.message.headers import MAX_HEADER, field_finder, iterate_fields
from hongyan.message.outline import Outline
from hongyan.message.searchable import body_texts, header_block, header_texts
from hongyan.servers.imap.progress import Progress
from hongyan.servers.imap.search_rows import RowSearch
from hongyan.store.blobs import BlobStore
from hongyan.store.messages import Column, Row
from hongyan.wire.imap.search import InBody, InHeader, InText

ID_FIELDS = frozenset({b"message-id", b"in-reply-to", b"references"})
"""In ids nothing is encoded (RFC 2047 §5), and nothing folded."""

_PROMINENT = frozenset({b"subject", b"from"})

MAX_READ = 16 << 20
"""Octets of a message that are searched."""

_PLACE = (Column.UID, Column.PREFIX, Column.BLOB, Column.SKIPPED)
_TOGETHER = 8 << 20
_AT_ONCE = 200


class _Message(NamedTuple):
    """What is read of a message: its first octets, and where its parts stand if that is of interest."""

    uid: int
    octets: bytes
    outline: bytes = b""


Test = Callable[[_Message], bool]
Judge = Callable[[Iterable[str], Iterable[str]], int]
"""Gives points for the texts that are searched, and those that weigh most."""
_Read = Callable[[BitMap], AsyncIterator[_Message]]


class MessageSearch:
    """Searches messages of one mailbox by reading them."""

    __slots__ = ("_blobs", "_progress", "_rows", "_threads")

    def __init__(self, rows: RowSearch, blobs: BlobStore, threads: asyncio.Semaphore, progress: Progress) -> None:
        self._rows = rows
        self._blobs = blobs
        self._threads = threads
        self._progress = progress

    async def field(self, field: bytes, text: str, among: BitMap) -> BitMap:
        """Return those messages that have the header field, and in it the text."""
        if field in ID_FIELDS:
            return await self._ids(field, text, among)
        needle = fold_text(text)
        if field in STORED_FIELDS:
            select = field_finder(frozenset({field}))
            return await self._test(
                among, self._stored_fields, lambda message: _field_has(select(message.octets), field, needle)
            )
        return await self._test(among, self._headers, lambda message: _field_has(message.octets, field, needle))

    async def _ids(self, field: bytes, text: str, among: BitMap) -> BitMap:
        """Compare ids octet by octet, but for the case of ASCII letters."""
        needle = text.encode().lower()
        if needle.isascii() and len(needle.split()) == 1 and needle == needle.strip():
            among = await self._rows.fields(needle.decode(), among)  # no fold can part it
        select = field_finder(frozenset({field}))
        return await self._test(
            among,
            self._stored_fields,
            lambda message: any(needle in value.lower() for _, value in iterate_fields(select(message.octets))),
        )

    async def body(self, text: str, among: BitMap) -> BitMap:
        """Return those messages whose text holds the text."""
        needle = fold_text(text)
        return await self._test(among, self._messages, lambda message: _body_has(message, needle))

    async def anywhere(self, text: str, among: BitMap) -> BitMap:
        """Return those messages whose header or text holds the text."""
        needle = fold_text(text)
        header_has = _header_test(needle)
        return await self._test(
            among, self._messages, lambda message: header_has(message.octets) or _body_has(message, needle)
        )

    async def judge(self, key: InHeader | InBody | InText, among: BitMap, judge: Judge) -> dict[int, BitMap]:
        """Return the messages by the points that a judge gives for their texts; those with none are left out."""
        judged: dict[int, BitMap] = {}
        if isinstance(key, InHeader):
            messages = self._stored_fields(among) if key.field in STORED_FIELDS else self._headers(among)
        else:
            messages = self._messages(among)
        self._progress.expect(len(among))
        async for batch in _batched(messages):
            async with self._threads:
                for uid, points in await asyncio.to_thread(_judge_all, batch, key, judge):
                    judged.setdefault(points, BitMap()).add(uid)
            self._progress.add(len(batch))
        return judged

    async def _test(self, among: BitMap, read: _Read, meets: Test) -> BitMap:
        found = BitMap()
        self._progress.expect(len(among))
        async for batch in _batched(read(among)):
            async with self._threads:
                found |= await asyncio.to_thread(_test_all, batch, meets)
            self._progress.add(len(batch))
        return found

    # -- what is read

    async def _stored_fields(self, uids: BitMap) -> AsyncIterator[_Message]:
        async for uid, fields in self._rows.rows((Column.UID, Column.FIELDS), uids):
            yield _Message(uid, fields)

    async def _headers(self, uids: BitMap) -> AsyncIterator[_Message]:
        async for row in self._rows.rows((*_PLACE, Column.OUTLINE), uids):
            header = Outline(row[4]).parts[0].body_start
            yield _Message(row[0], await self._octets(row, min(header, MAX_HEADER)))

    async def _messages(self, uids: BitMap) -> AsyncIterator[_Message]:
        async for row in self._rows.rows((*_PLACE, Column.SIZE, Column.OUTLINE), uids):
            yield _Message(row[0], await self._octets(row, min(row[4], MAX_READ)), row[5])

    async def _octets(self, row: Row, size: int) -> bytes:
        """Return the first octets of a message; of one that cannot be read back, its prefix."""
        _, prefix, ref, skipped, *_ = row
        if size <= len(prefix):
            return bytes(prefix[:size])
        try:
            return bytes(prefix + await self._blobs.read(ref, skipped, skipped + size - len(prefix)))
        except Corrupt:
            return bytes(prefix)


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


def _judge_all(messages: Sequence[_Message], key: InHeader | InBody | InText, judge: Judge) -> list[tuple[int, int]]:
    judged = [(message.uid, judge(_texts(message, key), _prominent(message, key))) for message in messages]
    return [(uid, points) for uid, points in judged if points]


def _texts(message: _Message, key: InHeader | InBody | InText) -> Iterator[str]:
    """Yield what a key is about."""
    if isinstance(key, InHeader):
        yield from _field_texts(message.octets, frozenset({key.field}))
        return
    if isinstance(key, InText):
        yield from header_texts(header_block(message.octets))
    yield from body_texts(Outline(message.outline), message.octets)


def _prominent(message: _Message, key: InHeader | InBody | InText) -> Iterator[str]:
    """Yield what weighs most: the field itself that is asked for, else subject and sender."""
    fields = frozenset({key.field}) if isinstance(key, InHeader) else _PROMINENT
    block = message.octets if isinstance(key, InHeader) else header_block(message.octets)
    yield from _field_texts(block, fields)


def _field_texts(block: bytes, fields: frozenset[bytes]) -> Iterator[str]:
    return (fold_text(decode_words(value)) for name, value in iterate_fields(block) if name.lower() in fields)


def _field_has(block: bytes, field: bytes, needle: str) -> bool:
    return any(
        name.lower() == field and needle in fold_text(decode_words(value)) for name, value in iterate_fields(block)
    )


def _header_test(needle: str) -> Callable[[bytes], bool]:
    """Return what tells whether the header of a message as served has the text."""
    word = needle.encode() if _WORD.fullmatch(needle) else b""

    def header_has(served: bytes) -> bool:
        block = header_block(served)
        # A word in plain ASCII stands there as it is, if it does; most headers are done with by this.
        is_plain = word and block.isascii() and b"=?" not in block and b"\0" not in block
        if is_plain and word not in block.lower():
            return False
        return any(needle in text for text in header_texts(block))

    return header_has


_WORD = re.compile(r"[a-z0-9]+")


def _body_has(message: _Message, needle: str) -> bool:
    return any(needle in text for text in body_texts(Outline(message.outline), message.octets))
