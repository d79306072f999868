"""Texts of one mailbox's messages: the index answers, and what it cannot answer for is read. The answer is the same."""

from __future__ import annotations

__all__ = ["TextSearch"]

import asyncio
from collections.abc import Mapping

from pyroaring import BitMap

from hongyan.mailboxes.mail import Mail
from hongyan.message.anatomy import STORED_FIELDS
from hongyan.message.fold import fold_text
from hongyan.message.searchable import OPAQUE_FIELDS
from hongyan.search.loose import ALL_POINTS
from hongyan.servers.imap.progress import Progress
from hongyan.servers.imap.search_index import Answers, EmailMaps, IndexKeeper, IndexSearch
from hongyan.servers.imap.search_loose import INDEXED, LooseSearch, needle_of
from hongyan.servers.imap.search_messages import MessageSearch
from hongyan.servers.imap.search_rows import TEXT_COLUMNS, RowSearch
from hongyan.store.index import IndexField, TextIndex
from hongyan.types import AccountId, MailboxId
from hongyan.wire.imap.search import InBody, InHeader, InText


class TextSearch:
    """Searches for texts in one mailbox."""

    __slots__ = ("_index", "_loose", "_messages", "_rows")

    def __init__(
        self,
        mail: Mail,
        account: AccountId,
        mailbox: MailboxId,
        index: TextIndex | None,
        maps: EmailMaps,
        keeper: IndexKeeper | None,
        threads: asyncio.Semaphore,
        answers: Answers,
        progress: Progress,
    ) -> None:
        self._rows = RowSearch(mail, account, mailbox)
        self._messages = MessageSearch(self._rows, mail.blobs, threads, progress)
        self._index = IndexSearch(index, maps, mail, account, mailbox, keeper, answers)
        self._loose = LooseSearch(self._rows, self._messages, self._index)

    async def find(self, key: InHeader | InBody | InText, among: BitMap) -> BitMap:
        """Return those messages that hold the text where the key says."""
        match key:
            case InHeader(field, text) if text and field in TEXT_COLUMNS:
                sure, unread = await self._index.split((INDEXED[field],), fold_text(text), among)
                return sure | await self._rows.text(TEXT_COLUMNS[field], text, unread) if unread else sure
            case InHeader(field, text) if not text or field in STORED_FIELDS or field in OPAQUE_FIELDS:
                return await self._messages.field(field, text, among)
            case InHeader(field, text):
                # Some field holds it; whether it is this one has to be seen.
                sure, unread = await self._index.split((IndexField.HEADER,), fold_text(text), among)
                return await self._messages.field(field, text, sure | unread)
            case InBody(text):
                sure, unread = await self._index.split((IndexField.BODY,), fold_text(text), among)
                return sure | await self._messages.body(text, unread)
            case InText(text):
                sure, unread = await self._index.split((IndexField.HEADER, IndexField.BODY), fold_text(text), among)
                return sure | await self._messages.anywhere(text, unread)

    async def find_loosely(self, key: InHeader | InBody | InText, among: BitMap) -> BitMap:
        """Return those messages in which the words of the text are, where the key says."""
        needle = needle_of(key)
        return await (self.find(key, among) if needle is None else self._loose.find(key, needle, among))

    async def weigh(self, key: InHeader | InBody | InText, among: BitMap) -> Mapping[int, BitMap]:
        """Return what `find_loosely` does by scores from 1 to 100; what can only be met exactly has the highest."""
        needle = needle_of(key)
        if needle is None:
            return {ALL_POINTS: await self.find(key, among)}
        return await self._loose.weigh(key, needle, among)
