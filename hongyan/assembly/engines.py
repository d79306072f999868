"""Engines from the configuration: a database that is up to date, and the blobs that its rows refer to."""

from __future__ import annotations

__all__ = ["Engines", "open_engines"]

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from hongyan.clock import Clock
from hongyan.config import Config
from hongyan.engines.directory import DataDirectory
from hongyan.engines.memory import MemoryBus, MemoryCounters
from hongyan.engines.postgres.database import PostgresDatabase
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import POSTGRES, SQLITE, migrate
from hongyan.engines.sql.storage import SqlStorage
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.store.bus import Bus
from hongyan.store.counters import Counters


@dataclass(frozen=True, slots=True)
class Engines:
    """What everything is stored in."""

    storage: SqlStorage
    bus: Bus
    counters: Counters
    directory: DataDirectory
    is_shared: bool
    """Whether other processes write to the same database."""
    close: Callable[[], Awaitable[None]]


async def open_engines(config: Config, data: Path, clock: Clock) -> Engines:
    """Take the data directory, open the engines and bring the schema up to date."""
    directory = DataDirectory(data)
    directory.lock()
    try:
        options = config.database
        blobs = SegmentStore(
            directory.blobs, segment_octets=options.segment_octets, reserve_octets=options.reserve_octets
        )
        if options.engine == "postgres":
            return await _open_postgres(config, directory, blobs, clock)
        return await _open_sqlite(directory, blobs, clock)
    except BaseException:
        directory.unlock()
        raise


async def _open_sqlite(directory: DataDirectory, blobs: SegmentStore, clock: Clock) -> Engines:
    database = SqliteDatabase(directory.database, blobs)
    database.open()
    await migrate(database, SQLITE)

    async def close() -> None:
        database.close()
        blobs.close()
        directory.unlock()

    storage = SqlStorage(database, SQLITE, blobs)
    return Engines(storage, MemoryBus(), MemoryCounters(clock), directory, is_shared=False, close=close)


async def _open_postgres(config: Config, directory: DataDirectory, blobs: SegmentStore, clock: Clock) -> Engines:
    database = PostgresDatabase(config.database.dsn, blobs, connections=config.database.connections)
    await database.open()
    await migrate(database, POSTGRES)

    async def close() -> None:
        await database.close()
        blobs.close()
        directory.unlock()

    storage = SqlStorage(database, POSTGRES, blobs)
    return Engines(storage, MemoryBus(), MemoryCounters(clock), directory, is_shared=True, close=close)
