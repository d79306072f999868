"""Engines from the configuration: a database that is up to date, and the blobs that its rows refer to."""

from __future__ import annotations

__all__ = ["Engines", "open_engines", "open_postgres"]

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from hongyan.clock import Clock
from hongyan.config import Config, DatabaseOptions
from hongyan.engines.directory import DataDirectory
from hongyan.engines.local.storage import LocalStorage, open_local_storage
from hongyan.engines.memory import MemoryBus, MemoryCounters
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.counters import SqlCounters
from hongyan.engines.sql.facts import require_presence
from hongyan.engines.sql.migrations import POSTGRES, migrate
from hongyan.engines.storage import SqlStorage
from hongyan.store.bus import Bus
from hongyan.store.counters import Counters


@dataclass(frozen=True, slots=True)
class Engines:
    """What everything is stored in."""

    storage: SqlStorage
    bus: Bus
    counters: Counters
    """Windows of this process: what spreads load."""
    offences: Counters
    """Windows that all processes on the database share: failed logins, and what bans."""
    directory: DataDirectory
    is_shared: bool
    """Whether other processes write to the same database."""
    close: Callable[[], Awaitable[None]]
    local: LocalStorage | None = None
    """The storage of one machine, where it is that."""


async def open_engines(config: Config, clock: Clock) -> Engines:
    """Take the data directory, open the engines and bring the schema up to date.

    Raises `ConfigurationError`, `StorageFailed` or `Corrupt`; then nothing is held.
    """
    data = Path(config.server.data)
    if config.database.engine == "postgres":
        return await _open_postgres(config, data, clock)
    local = await open_local_storage(data, config.storage)
    counters = MemoryCounters(clock)
    return Engines(
        storage=local.sql,
        bus=MemoryBus(),
        counters=counters,
        offences=counters,
        directory=local.directory,
        is_shared=False,
        close=local.close,
        local=local,
    )


async def _open_postgres(config: Config, data: Path, clock: Clock) -> Engines:
    directory = DataDirectory(data)
    directory.lock()
    async with contextlib.AsyncExitStack() as opened:
        opened.callback(directory.unlock)
        sizes = config.storage
        blobs = SegmentStore(
            directory.blobs,
            segment_octets=sizes.segment_size << 20,
            reserve_octets=sizes.reserve << 20,
            compress_from=sizes.compress_from << 10,
        )
        opened.callback(blobs.close)
        storage = await opened.enter_async_context(open_postgres(config.database, blobs))
        await migrate(storage.database, POSTGRES)
        await require_presence(storage.database)
        close = opened.pop_all().aclose
    return Engines(
        storage=storage,
        bus=MemoryBus(),
        counters=MemoryCounters(clock),
        offences=SqlCounters(storage.database, clock),
        directory=directory,
        is_shared=True,
        close=close,
    )


@contextlib.asynccontextmanager
async def open_postgres(options: DatabaseOptions, blobs: SegmentStore) -> AsyncIterator[SqlStorage]:
    """Connect to a database of PostgreSQL, whatever its schema is. Raises `Unavailable`."""
    from hongyan.engines.postgres.database import PostgresDatabase  # here: who has SQLite does not wait for it

    database = PostgresDatabase(options.dsn, blobs, connections=options.connections)
    await database.open()
    try:
        yield SqlStorage(database, POSTGRES, blobs)
    finally:
        await database.close()
