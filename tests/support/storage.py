"""Engines with the newest schema, opened in a test's own folder or database."""

from __future__ import annotations

__all__ = ["ENGINES", "open_storage"]

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import POSTGRES, SQLITE, migrate
from hongyan.engines.sql.storage import SqlStorage
from hongyan.engines.sqlite.database import SqliteDatabase

ENGINES = ("sqlite", "postgres")


@contextlib.asynccontextmanager
async def open_storage(engine: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[SqlStorage]:
    """Open one of `ENGINES`; a PostgreSQL is that of the fixture `postgres_dsn`."""
    blobs = SegmentStore(folder / "blobs", reserve_octets=0)
    if engine == "sqlite":
        sqlite = SqliteDatabase(folder / "mail.db", blobs)
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
