"""Engines with the newest schema, opened in a test's own folder or database."""

from __future__ import annotations

__all__ = ["ENGINES", "open_postgres", "open_sqlite", "open_storage"]

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from hongyan.engines.disk import Disk
from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import POSTGRES, SQLITE, migrate
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.engines.storage import SqlStorage

ENGINES = ("sqlite", "postgres")

_SEGMENT_OCTETS = 1 << 20


def open_storage(
    engine: str, folder: Path, request: pytest.FixtureRequest, *, segment_octets: int = _SEGMENT_OCTETS
) -> AbstractAsyncContextManager[SqlStorage]:
    """Open one of `ENGINES`; a PostgreSQL is that of the fixture `postgres_dsn`."""
    if engine == "sqlite":
        return open_sqlite(folder, segment_octets=segment_octets)
    return open_postgres(request.getfixturevalue("postgres_dsn"), folder, segment_octets=segment_octets)


@asynccontextmanager
async def open_sqlite(
    folder: Path, *, segment_octets: int = _SEGMENT_OCTETS, disk: Disk | None = None
) -> AsyncIterator[SqlStorage]:
    """Open, or make, a SQLite database with its blobs in a folder."""
    blobs = SegmentStore(folder / "blobs", segment_octets=segment_octets, reserve_octets=0, disk=disk)
    database = SqliteDatabase(folder / "mail.db", blobs, disk=disk)
    database.open()
    await migrate(database, SQLITE)
    yield SqlStorage(database, SQLITE, blobs)
    database.close()
    blobs.close()


@asynccontextmanager
async def open_postgres(dsn: str, folder: Path, *, segment_octets: int = _SEGMENT_OCTETS) -> AsyncIterator[SqlStorage]:
    """Open, or fill, a database of PostgreSQL, with blobs in a folder."""
    blobs = SegmentStore(folder / "blobs", segment_octets=segment_octets, reserve_octets=0)
    database = PostgresDatabase(dsn, blobs)
    await database.open()
    await migrate(database, POSTGRES)
    yield SqlStorage(database, POSTGRES, blobs)
    await database.close()
    blobs.close()
