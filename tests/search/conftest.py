"""`desk`: an account's mail over SQLite, its index, and searches with and without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.mailboxes.mail import Mail
from hongyan.message.analyze import analyze
from hongyan.search.indexer import Indexer
from hongyan.search.options import SearchOptions
from hongyan.servers.imap import search_index
from hongyan.servers.imap.progress import Progress
from hongyan.servers.imap.search_index import Answers, EmailMaps
from hongyan.servers.imap.search_text import TextSearch
from hongyan.store.messages import NewMessage
from hongyan.types import AccountId
from hongyan.wire.imap.search import InBody, InHeader, InText
from tests.support.mail import ACCOUNT, MailShop
from tests.support.storage import open_sqlite


@dataclass
class Keeper:
    """Writes down who was asked for, and trusts as the indexer does."""

    indexer: Indexer
    asked: list[tuple[AccountId, bool]] = field(default_factory=list)

    def ask(self, account: AccountId, *, damaged: bool = False) -> None:
        self.asked.append((account, damaged))

    async def is_trusted(self, account: AccountId) -> bool:
        return await self.indexer.is_trusted(account)


@dataclass
class Desk:
    """An account with an INBOX, and who looks for something in it."""

    shop: MailShop
    mail: Mail
    index: SqliteIndex
    indexer: Indexer
    keeper: Keeper

    def restarted(self) -> Desk:
        """Return the same in a process that begins."""
        indexer = Indexer(self.mail, self.index, SearchOptions(share=1))
        return Desk(self.shop, self.mail, self.index, indexer, Keeper(indexer))

    async def file(self, *messages: bytes) -> None:
        """Put messages into the INBOX."""
        date = b'" 1-Jan-2026 12:00:00 +0000"'
        await self.shop.add(
            *[NewMessage(octets, b"", analyze(b"", octets), (), 1000, date, 1000) for octets in messages]
        )

    async def catch_up(self) -> None:
        await self.indexer.catch_up(ACCOUNT)

    async def scan(self, key: InBody | InHeader | InText, among: BitMap) -> BitMap:
        """Search without the index."""
        return await self.search(reads=True).find(key, among)

    async def look_up(self, key: InBody | InHeader | InText, among: BitMap) -> BitMap:
        """Search with the index."""
        return await self.search().find(key, among)

    def search(self, *, reads: bool = False) -> TextSearch:
        """Return a search that asks the index, or one that reads all."""
        return TextSearch(
            self.mail,
            ACCOUNT,
            self.shop.inbox,
            None if reads else self.index,
            EmailMaps(self.mail),
            self.keeper,
            asyncio.Semaphore(2),
            Answers(),
            Progress(),
        )


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """Open an account with nothing in it; the index is asked even for few messages."""
    async with open_sqlite(folder) as storage:
        shop = MailShop(storage)
        await shop.open_account()
        mail = shop.mail()
        index = SqliteIndex(folder / "search")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(search_index, "_FEW", 0)
            indexer = Indexer(mail, index, SearchOptions(share=1))
            yield Desk(shop, mail, index, indexer, Keeper(indexer))
        index.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk
