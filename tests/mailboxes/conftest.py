"""`shop`: an account's mail over SQLite in a temporary directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import SQLITE, migrate
from hongyan.engines.sql.storage import SqlStorage
from hongyan.engines.sqlite.database import SqliteDatabase
from tests.support.mail import MailShop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[MailShop]:
    blobs = SegmentStore(tmp_path / "blobs", reserve_octets=0)
    database = SqliteDatabase(tmp_path / "mail.db", blobs)
    database.open()
    await migrate(database, SQLITE)
    shop = MailShop(SqlStorage(database, SQLITE, blobs))
    await shop.open_account()
    yield shop
    database.close()
    blobs.close()
