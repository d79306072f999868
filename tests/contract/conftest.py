"""`storage`: an engine with the newest schema and its blobs, of each engine in turn; `sql_database` is its database.

Over an engine stands `shop`: the stores of mail, an account, and messages to put into it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import POSTGRES, SQLITE, migrate
from hongyan.engines.sql.storage import SqlStorage
from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.sqlite.database import SqliteDatabase
from tests.support.mail import MailShop


@pytest.fixture(params=["sqlite", "postgres"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStorage]:
    blobs = SegmentStore(tmp_path / "blobs", reserve_octets=0)
    if request.param == "sqlite":
        sqlite = SqliteDatabase(tmp_path / "mail.db", blobs)
        sqlite.open()
        await migrate(sqlite, SQLITE)
        yield SqlStorage(sqlite, SQLITE, blobs)
        sqlite.close()
    else:
        postgres = PostgresDatabase(request.getfixturevalue("postgres_dsn"), blobs)
        await postgres.open()
        await migrate(postgres, POSTGRES)
        yield SqlStorage(postgres, POSTGRES, blobs)
        await postgres.close()
    blobs.close()


@pytest.fixture
def sql_database(storage: SqlStorage) -> SqlDatabase:
    return storage.database


@pytest.fixture
async def shop(storage: SqlStorage) -> MailShop:
    shop = MailShop(storage)
    await shop.open_account()
    return shop
