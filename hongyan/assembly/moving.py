"""The service moved from SQLite to PostgreSQL or back, while no server runs: rows move, messages stay as they lie."""

from __future__ import annotations

__all__ = ["Move", "move"]

import contextlib
from dataclasses import dataclass
from pathlib import Path

from hongyan.assembly.engines import open_postgres
from hongyan.clock import Clock
from hongyan.config import Config, DatabaseOptions
from hongyan.engines.local.storage import open_local_storage_to_move
from hongyan.engines.sql.migrations import migrate
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep.transfer import Tell, TransferReport, check_transfer, transfer
from hongyan.engines.upkeep.verify import Verification


@dataclass(frozen=True, slots=True)
class Move:
    """What was moved, and whether all of it is whole where it is now."""

    rows: TransferReport
    is_sound: bool


async def move(config: Config, target: DatabaseOptions, clock: Clock, tell: Tell, *, dry_run: bool) -> Move:
    """Move everything to the other engine; the configuration names the one where it is. With `dry_run`, only look.

    Raises `DirectoryInUse`, `Unavailable`, `AlreadyExists`, `ConfigurationError`, `StorageFailed` or `Corrupt`.
    """
    to_postgres = target.engine == "postgres"
    async with contextlib.AsyncExitStack() as opened:
        local = await open_local_storage_to_move(Path(config.server.data), config.storage)
        opened.push_async_callback(local.close)
        postgres = await opened.enter_async_context(
            open_postgres(target if to_postgres else config.database, local.blobs)
        )
        old, new = (local.sql, postgres) if to_postgres else (postgres, local.sql)
        if dry_run:
            return Move(await check_transfer(old, new), is_sound=True)
        return await _move(old, new, clock, tell)


async def _move(old: SqlStorage, new: SqlStorage, clock: Clock, tell: Tell) -> Move:
    for storage in (old, new):
        await migrate(storage.database, storage.dialect)
    rows = await transfer(old, new, tell)
    found = await Verification(new, clock, shallow=True).run()
    return Move(rows, found.is_sound)
