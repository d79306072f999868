"""SQLite as the database of one machine: a thread that writes in groups, threads that read, and a connection for the
loop itself.

Readers see the last commit and never wait for the writer. Small units run on the loop's own connection where that
needs no waiting: a read whenever its pages lie in memory, a write that need not be durable at once while the writer
rests. That saves two changes of thread, which cost more than the unit itself.
"""

from __future__ import annotations

__all__ = ["SqliteDatabase"]

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import apsw

from hongyan.engines.disk import Disk
from hongyan.engines.sql.units import MakeUnit, Rows, Unit, Value
from hongyan.engines.sqlite.connection import connect, fault_of
from hongyan.engines.sqlite.notices import Notices
from hongyan.engines.sqlite.nowait import WOULD_WAIT, LoopConnection, WouldWait
from hongyan.engines.sqlite.readers import Read, Readers
from hongyan.engines.sqlite.writer import BlobWriter, Job, Writer
from hongyan.errors import Unavailable

T = TypeVar("T")

_BACKUP_CACHE_OCTETS = 8 << 20
_BACKUP_PAGES = 1000


class SqliteDatabase:
    """One database file, used by one process."""

    def __init__(
        self,
        path: Path,
        blobs: BlobWriter,
        *,
        readers: int = 2,
        sync_within: float = 1.0,
        disk: Disk | None = None,
    ) -> None:
        self._path = path
        self._writer = Writer(path, blobs, disk or Disk(), sync_within=sync_within)
        self._readers = Readers(path, readers)
        self._notices: Notices | None = None
        self._open = False

    def open(self) -> None:
        """Open the file, create it if need be, and start the threads. Raises `Corrupt` or `StorageFailed`."""
        try:
            with contextlib.ExitStack() as opened:
                self._writer.open()
                opened.callback(self._writer.close)
                self._readers.open()
                opened.callback(self._readers.close)
                self._here = LoopConnection(self._path)
                opened.pop_all()
        except (apsw.Error, OSError) as error:
            raise fault_of(error) from error
        self._here.on_commit(self._writer.note_log_pages)
        self._open = True

    def close(self) -> None:
        """Finish what was handed in, sync and close."""
        if not self._open:
            return
        self._open = False
        self._here.close()
        self._readers.close()
        self._writer.close()
        self._here.close_files()

    # -- what services call, on the loop

    async def write(
        self, make: MakeUnit[T], *, blobs: Sequence[bytes] = (), durable: bool = True, small: bool = False
    ) -> T:
        """Store the blobs, run the unit, commit. See `SqlDatabase.write`."""
        notices = self._find_notices()
        if small and not durable and not blobs:
            done = self._write_here(make)
            if done is not WOULD_WAIT:
                return done
        job = Job(notices, make, blobs, durable=durable or bool(blobs))
        self._writer.submit(job)
        result: T = await job.future
        return result

    async def read(self, unit: Unit[T]) -> T:
        """Run a reading unit in a reader's thread. See `SqlDatabase.read`."""
        read = Read(self._find_notices(), unit)
        self._readers.submit(read)
        result: T = await read.future
        return result

    def read_now(self, sql: str, parameters: Sequence[Value]) -> Rows | None:
        """Return the rows of a statement that only reads, if they are at hand. See `SqlDatabase.read_now`."""
        return self._here.rows(sql, parameters) if self._open else None

    async def read_small(self, make: Callable[[], Unit[T]]) -> T:
        """Run a small reading unit, here if that needs no waiting. See `SqlDatabase.read_small`."""
        if self._open:
            done = self._here.read(make())
            if done is not WOULD_WAIT:
                return done
        return await self.read(make())

    def _write_here(self, make: MakeUnit[T]) -> T | WouldWait:
        writer = self._writer
        if not writer.turn.acquire(blocking=False):
            return WOULD_WAIT
        try:
            done = self._here.write(make) if writer.is_at_rest else WOULD_WAIT
            if done is not WOULD_WAIT:
                writer.note_commit()
            return done
        finally:
            writer.turn.release()

    def _find_notices(self) -> Notices:
        """Return the way back to the running loop; there is nearly always but one. Raises `Unavailable`."""
        if not self._open:
            raise Unavailable(cause="the database is closed")
        loop = asyncio.get_running_loop()
        if self._notices is None or self._notices.loop is not loop:
            self._notices = Notices(loop)
        return self._notices

    # -- for a backup

    def backup_to(self, path: Path) -> None:
        """Copy a consistent state of the database to a new file, blocking, while writers go on."""
        source = connect(self._path, cache_octets=_BACKUP_CACHE_OCTETS, read_only=True)
        target = apsw.Connection(str(path))
        try:
            # One reading transaction for all steps: without it the copy would begin again with each commit of others.
            source.execute("BEGIN")
            source.execute("SELECT COUNT(*) FROM sqlite_schema").fetchall()
            with target.backup("main", source, "main") as backup:
                while not backup.done:
                    backup.step(_BACKUP_PAGES)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
        except apsw.Error as error:
            raise fault_of(error) from error
        finally:
            target.close()
            source.close()
