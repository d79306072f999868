"""Engines for tests: SQLite in a temporary directory, PostgreSQL in a database of its own."""

from __future__ import annotations

__all__ = ["open_postgres", "open_sqlite"]

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hongyan.engines.disk import Disk
from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import POSTGRES, SQLITE, migrate
from hongyan.engines.sql.storage import SqlStorage
from hongyan.engines.sqlite.database import SqliteDatabase

_SEGMENT_OCTETS = 1 << 20


@asynccontextmanager
async def open_sqlite(
    path: Path, *, segment_octets: int = _SEGMENT_OCTETS, disk: Disk | None = None
) -> AsyncIterator[SqlStorage]:
    """Open, or make, a storage in a directory."""
    blobs = SegmentStore(path / "blobs", segment_octets=segment_octets, reserve_octets=0, disk=disk)
    database = SqliteDatabase(path / "mail.db", blobs, disk=disk)
    database.open()
    await migrate(database, SQLITE)
    yield SqlStorage(database, SQLITE, blobs)
    database.close()
    blobs.close()


@asynccontextmanager
async def open_postgres(dsn: str, path: Path, *, segment_octets: int = _SEGMENT_OCTETS) -> AsyncIterator[SqlStorage]:
    """Open, or make, a storage in a database of PostgreSQL and a directory."""
    blobs = SegmentStore(path / "blobs", segment_octets=segment_octets, reserve_octets=0)
    database = PostgresDatabase(dsn, blobs)
    await database.open()
    await migrate(database, POSTGRES)
    yield SqlStorage(database, POSTGRES, blobs)
    await database.close()
    blobs.close()
