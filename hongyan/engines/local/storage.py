"""The storage of one machine, from start to end: lock, database, schema, blobs, a look at both."""

from __future__ import annotations

__all__ = [
    "LocalStorage",
    "StorageOptions",
    "begin_lineage",
    "find_lineage",
    "open_local_storage",
    "open_local_storage_to_move",
]

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path

from hongyan import telemetry
from hongyan.clock import SystemRandom
from hongyan.engines.directory import DataDirectory
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.facts import find_fact, put_fact, require_presence
from hongyan.engines.sql.migrations import SQLITE, migrate
from hongyan.engines.sql.skipping import skip_after_power_loss
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, unit_of
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.engines.storage import SqlStorage
from hongyan.errors import ConfigurationError, Corrupt
from hongyan.options import option
from hongyan.types import BlobRef

log = telemetry.logger("store")

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_OPEN, _CLOSED, _LINEAGE = "open-since-boot", "closed", "lineage"  # names of facts, and one fact
_SAMPLED_ACCOUNTS = 20
_SAMPLE_THAT_TELLS = 3


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """How one machine stores."""

    readers: int = option(2, "Threads that read the database.")
    sync_within: float = option(1.0, "After this time at the latest a change of flags survives a power loss.", unit="s")
    segment_size: int = option(256, "Size at which a file of message contents is full.", unit="MiB")
    reserve: int = option(64, "Free disk space that new mail does not touch: beneath it the answer is 452.", unit="MiB")
    compress_from: int = option(
        8,
        "Size from which a message is stored compressed. Reading a smaller one would take longer than its room is"
        " worth.",
        unit="KiB",
    )

    def __post_init__(self) -> None:
        if not 1 <= self.readers <= 64:
            raise ValueError("readers: from 1 to 64")
        if not 0.01 <= self.sync_within <= 60:
            raise ValueError("sync_within: from 0.01 to 60 seconds")
        if not 1 <= self.segment_size <= 2048:
            raise ValueError("segment_size: from 1 to 2048 MiB")
        if not 0 <= self.compress_from <= 1024:
            raise ValueError("compress_from: from 0 to 1024 KiB")
        if self.reserve < 0:
            raise ValueError("reserve: not below 0")


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A data directory that is open and locked."""

    directory: DataDirectory
    database: SqliteDatabase
    blobs: SegmentStore

    @property
    def sql(self) -> SqlStorage:
        """The same, as upkeep sees every engine."""
        return SqlStorage(self.database, SQLITE, self.blobs)

    async def close(self) -> None:
        """Close what is open and give the directory back. Nothing may be under way any more."""
        with contextlib.suppress(Exception):  # It only spares the next start a step.
            await _note_state(self.database, is_open=False)
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.database.close()
        self.blobs.close()
        self.directory.unlock()


async def open_local_storage(path: Path, options: StorageOptions | None = None) -> LocalStorage:
    """Open a data directory, new or old, whatever became of the process that used it last.

    Raises `DirectoryInUse`, `ConfigurationError`, `StorageFailed` or `Corrupt`; then nothing is held.
    """
    storage = await open_local_storage_to_move(path, options)
    try:
        await require_presence(storage.database)
        await _look_at_sample(storage)
    except BaseException:
        await storage.close()
        raise
    return storage


async def open_local_storage_to_move(path: Path, options: StorageOptions | None = None) -> LocalStorage:
    """Open a data directory whose data may be in another database. Raises as `open_local_storage` does."""
    options = options or StorageOptions()
    directory = DataDirectory(path)
    directory.lock()
    with contextlib.ExitStack() as opened:
        opened.callback(directory.unlock)
        blobs = SegmentStore(
            directory.blobs,
            segment_octets=options.segment_size << 20,
            reserve_octets=options.reserve << 20,
            compress_from=options.compress_from << 10,
        )
        opened.callback(blobs.close)
        database = SqliteDatabase(directory.database, blobs, readers=options.readers, sync_within=options.sync_within)
        await asyncio.to_thread(database.open)  # After a crash it reads the log again.
        opened.callback(database.close)
        await migrate(database, SQLITE)
        await _begin(database)
        opened.pop_all()
    return LocalStorage(directory, database, blobs)


async def _begin(database: SqliteDatabase) -> None:
    """Find out whether the machine went down with the directory open, and remember that it is open."""
    if await database.read(find_fact(_OPEN)) not in ("", _CLOSED, _boot_id()):
        log.warning("power-loss-recovered")
        await skip_after_power_loss(database)
    await _note_state(database, is_open=True)


async def find_lineage(database: SqlDatabase) -> str:
    """Return the name of this history of the data: a restored backup begins another."""
    fact = await database.read(find_fact(_LINEAGE))
    return fact or await begin_lineage(database)


async def begin_lineage(database: SqlDatabase) -> str:
    """Begin another history: what comes from now on is not what came after the same moment elsewhere."""
    name = SystemRandom.token(16).hex()
    await database.write(unit_of(put_fact, _LINEAGE, name))
    return name


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


async def _note_state(database: SqlDatabase, *, is_open: bool) -> None:
    await database.write(unit_of(put_fact, _OPEN, _boot_id() or "unknown" if is_open else _CLOSED))


async def _look_at_sample(storage: LocalStorage) -> None:
    """Read the newest message of a few accounts. If none can be read, the database is without its blobs."""
    refs = await storage.database.read(_newest_blobs())
    broken = 0
    for ref in refs:
        try:
            await storage.blobs.read(ref)
        except Corrupt as fault:
            broken += 1
            log.error("blob-unreadable", cause=fault.cause)
    if broken == len(refs) >= _SAMPLE_THAT_TELLS:
        raise ConfigurationError(
            f"The data directory {storage.directory.path} holds a database and not its messages."
            " Is a part of it not mounted, or not restored?"
        )


def _newest_blobs() -> Unit[list[BlobRef]]:
    accounts = yield Statement(
        "SELECT account_id FROM account_state WHERE used_messages > 0 ORDER BY highestmodseq DESC LIMIT $1",
        (_SAMPLED_ACCOUNTS,),
    )
    refs = []
    for (account,) in accounts:
        rows = yield Statement(
            "SELECT e.blob_ref FROM messages m JOIN emails e ON e.account_id = m.account_id AND e.email_id = m.email_id"
            " WHERE m.account_id = $1 ORDER BY m.email_id DESC LIMIT 1",
            (account,),
        )
        refs += [BlobRef(row[0]) for row in rows]
    return refs
