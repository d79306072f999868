"""`sql_database`: a fresh database with the newest schema, of each SQL engine in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import SQLITE, migrate
from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.sqlite.database import SqliteDatabase


@pytest.fixture(params=["sqlite"])
async def sql_database(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    database = SqliteDatabase(tmp_path / "mail.db", SegmentStore(tmp_path / "blobs"))
    database.open()
    await migrate(database, SQLITE)
    yield database
    database.close()
