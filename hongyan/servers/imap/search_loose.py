"""Texts that are looked for loosely, and how relevant what was found is (SEARCH=FUZZY, RFC 6203).

What a message is worth is told by where the words stand, whether they are whole, and whether they stand together, and
so is found by a few questions to the index, however many messages there are. What the index cannot answer for is read.
"""

from __future__ import annotations

__all__ = ["INDEXED", "LooseSearch", "needle_of"]

from collections.abc import Mapping

from pyroaring import BitMap

from hongyan.message.fold import fold_text
from hongyan.search.loose import (
    ENDED,
    MET,
    PROMINENT,
    PROMINENT_TOGETHER,
    TOGETHER,
    LooseNeedle,
    judge,
    loose_needle,
    tokens_of,
)
from hongyan.servers.imap.search_index import IndexSearch, Needle
from hongyan.servers.imap.search_messages import ID_FIELDS, Judge, MessageSearch
from hongyan.servers.imap.search_rows import TEXT_COLUMNS, RowSearch
from hongyan.store.index import IndexField
from hongyan.store.messages import Column
from hongyan.wire.imap.search import InBody, InHeader, InText

INDEXED = {
    b"from": IndexField.FROM,
    b"to": IndexField.TO,
    b"cc": IndexField.CC,
    b"bcc": IndexField.BCC,
    b"subject": IndexField.SUBJECT,
}
"""The fields that the index knows one by one."""

_PROMINENT = (IndexField.SUBJECT, IndexField.FROM)

TextKey = InHeader | InBody | InText


def needle_of(key: TextKey) -> LooseNeedle | None:
    """Return what a key looks for loosely; None where it has no words, or those of an id, and is met exactly."""
    if isinstance(key, InHeader) and key.field in ID_FIELDS:
        return None
    return loose_needle(fold_text(key.text))


class LooseSearch:
    """Searches one mailbox."""

    __slots__ = ("_index", "_messages", "_rows")

    def __init__(self, rows: RowSearch, messages: MessageSearch, index: IndexSearch) -> None:
        self._rows = rows
        self._messages = messages
        self._index = index

    async def find(self, key: TextKey, needle: LooseNeedle, among: BitMap) -> BitMap:
        """Return those messages in which the needle is met."""
        sure, unread = await self._split(key, needle, among)
        read = await self._read(key, unread, lambda texts, _: int(needle.is_met(tokens_of(texts))))
        return sure | _all_of(read)

    async def weigh(self, key: TextKey, needle: LooseNeedle, among: BitMap) -> Mapping[int, BitMap]:
        """Return the messages in which it is met by their scores, from 1 to 100."""
        sure, unread = await self._split(key, needle, among)
        weighed = await self._read(key, unread, lambda texts, prominent: judge(needle, texts, prominent))
        for points, uids in (await self._weigh_by_index(key, needle, sure)).items():
            weighed[points] = weighed.get(points, BitMap()) | uids
        return weighed

    async def _split(self, key: TextKey, needle: LooseNeedle, among: BitMap) -> tuple[BitMap, BitMap]:
        """Return what the index is sure of, and what has to be read."""
        sure, unread = await self._index.split(_fields(key), needle, among)
        if isinstance(key, InHeader) and key.field not in INDEXED:
            return BitMap(), sure | unread  # Some fields have the words; whether this one does has to be seen.
        return sure, unread

    async def _weigh_by_index(self, key: TextKey, needle: LooseNeedle, sure: BitMap) -> dict[int, BitMap]:
        if not sure:
            return {}
        together: Needle = needle.ended if needle.is_single else needle.folded
        groups = {MET: sure}
        fields = _fields(key)
        prominent = fields if isinstance(key, InHeader) else _PROMINENT
        for points, where, what in (
            (ENDED, fields, needle.ended),
            (TOGETHER, fields, together),
            (PROMINENT, prominent, needle),
            (PROMINENT_TOGETHER, prominent, together),
        ):
            met, _ = await self._index.split(where, what, sure, however_few=True)
            groups = _raised(groups, met, points)
        return groups

    async def _read(self, key: TextKey, uids: BitMap, judge: Judge) -> dict[int, BitMap]:
        if not uids:
            return {}
        if not isinstance(key, InHeader) or key.field not in TEXT_COLUMNS:
            return await self._messages.judge(key, uids, judge)
        judged: dict[int, BitMap] = {}
        async for uid, text in self._rows.rows((Column.UID, TEXT_COLUMNS[key.field]), uids):
            if points := judge((text,), (text,)):
                judged.setdefault(points, BitMap()).add(uid)
        return judged


def _fields(key: TextKey) -> tuple[IndexField, ...]:
    match key:
        case InHeader(field, _):
            return (INDEXED.get(field, IndexField.HEADER),)
        case InBody():
            return (IndexField.BODY,)
        case InText():
            return (IndexField.HEADER, IndexField.BODY)


def _raised(groups: Mapping[int, BitMap], met: BitMap, points: int) -> dict[int, BitMap]:
    """Return messages by their points when those that are `met` have some more."""
    raised: dict[int, BitMap] = {}
    for before, uids in groups.items():
        for after, part in ((before + points, uids & met), (before, uids - met)):
            if part:
                raised[after] = raised.get(after, BitMap()) | part
    return raised


def _all_of(groups: Mapping[int, BitMap]) -> BitMap:
    return BitMap.union(*groups.values()) if groups else BitMap()
