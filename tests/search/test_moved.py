"""Mail that moves to another database: searches are right at once, with the index beside it or without one."""

from __future__ import annotations

from pathlib import Path

from pyroaring import BitMap

from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep.transfer import transfer
from hongyan.search.indexer import Indexer
from hongyan.search.options import SearchOptions
from hongyan.wire.imap.search import InBody
from tests.search.conftest import Desk, Keeper
from tests.support.mail import ACCOUNT, MailShop
from tests.support.storage import open_postgres, open_sqlite

_GOOSE = b"Subject: goose\r\n\r\nthe wild goose flies"
_DUCK = b"Subject: duck\r\n\r\nthe tame duck swims"
_AMONG = BitMap(range(1, 5))


def _desk_over(storage: SqlStorage, folder: Path) -> Desk:
    """Return who looks for something in a process that begins over this database."""
    shop = MailShop(storage)
    mail, index = shop.mail(), SqliteIndex(folder)
    indexer = Indexer(mail, index, SearchOptions(share=1))
    return Desk(shop, mail, index, indexer, Keeper(indexer))


async def _require_right(desk: Desk) -> None:
    assert await desk.look_up(InBody("oos"), _AMONG) == BitMap([1, 3])
    assert await desk.look_up(InBody("duck"), _AMONG) == BitMap([2, 4])


async def test_the_index_beside_the_data_stays_right_in_another_database_and_back(
    desk: Desk, tmp_path: Path, postgres_dsn: str
) -> None:
    await desk.file(_GOOSE, _DUCK, _GOOSE, _DUCK)
    await desk.catch_up()
    desk.index.close()
    async with open_postgres(postgres_dsn, tmp_path) as postgres:
        await transfer(desk.shop.storage, postgres)
        there = _desk_over(postgres, desk.index.path)
        assert await there.indexer.is_trusted(ACCOUNT)
        await _require_right(there)
        assert there.keeper.asked == []
        there.index.close()
        async with open_sqlite(tmp_path / "back") as sqlite:
            await transfer(postgres, sqlite)
            back = _desk_over(sqlite, desk.index.path)
            assert await back.indexer.is_trusted(ACCOUNT)
            back.index.close()


async def test_without_an_index_there_searches_read_and_it_is_made_anew(
    desk: Desk, tmp_path: Path, postgres_dsn: str
) -> None:
    await desk.file(_GOOSE, _DUCK, _GOOSE, _DUCK)
    await desk.catch_up()
    async with open_postgres(postgres_dsn, tmp_path) as postgres:
        await transfer(desk.shop.storage, postgres)
        there = _desk_over(postgres, tmp_path / "elsewhere")
        await _require_right(there)
        assert there.keeper.asked[0] == (ACCOUNT, False)
        await there.catch_up()
        assert await there.index.numbers(ACCOUNT) == _AMONG
        await _require_right(there)
        there.index.close()
