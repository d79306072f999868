"""SQLite as the database of one machine: a writer thread that groups commits, and reader threads.

The writer drains its queue: it stores the blobs of all waiting jobs, syncs them once, runs each job's unit of
work in a savepoint of its own, commits once, and then tells all waiters with one wake-up of the loop. Groups form
by themselves while the disk is busy; no timer makes them.

A group without a durable job commits without a sync of the log (`synchronous=NORMAL` in WAL mode); the log is synced
within one second after (`sync_within`). Readers see the last commit and never wait for the writer.
"""

from __future__ import annotations

__all__ = ["BlobWriter", "SqliteDatabase", "to_sqlite"]

import asyncio
import contextlib
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import apsw

from hongyan.engines.sql.units import MakeUnit, Many, Rows, Statement, Unit
from hongyan.errors import Corrupt, ServerFault, StorageFailed, StorageFull, Unavailable
from hongyan.types import BlobRef

T = TypeVar("T")

_GROUP = 256  # jobs in one commit at most
_GROUP_OCTETS = 32 << 20
_CHECKPOINT_PAGES = 2000  # of the log, when the writer has nothing else to do
_CHECKPOINT_PAGES_BUSY = 20_000
_PAGE = 4096


class BlobWriter(Protocol):
    """What the writer thread needs of a blob store."""

    def append(self, octets: bytes) -> BlobRef:
        """Write a blob; not yet safe."""
        ...

    def sync(self) -> None:
        """Make safe what was appended."""
        ...

    def require_room(self, octets: int) -> None:
        """Raise `StorageFull` unless there is room and a reserve."""
        ...


class _Job:
    """One unit of work that waits for the writer."""

    __slots__ = ("blobs", "durable", "error", "future", "loop", "make", "octets", "refs", "result")

    def __init__(
        self, make: MakeUnit[Any], blobs: Sequence[bytes], durable: bool, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.make = make
        self.blobs = blobs
        self.durable = durable
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.octets = sum(map(len, blobs)) if blobs else 0
        self.refs: list[BlobRef] = []
        self.result: Any = None
        self.error: BaseException | None = None


class SqliteDatabase:
    """One database file, written by one thread of one process."""

    def __init__(self, path: Path, blobs: BlobWriter, *, readers: int = 2, sync_within: float = 1.0) -> None:
        self._path = path
        self._blobs = blobs
        self._sync_within = sync_within
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Read | None] = queue.SimpleQueue()
        self._reader_count = readers
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._writer_connection: apsw.Connection | None = None
        self._full_sync = True
        self._log_fd = -1
        self._unsynced_since = 0.0
        self._log_pages = 0

    def open(self) -> None:
        """Open the file, create it if need be, and start the threads. Raises `Corrupt` or `StorageFailed`."""
        try:
            self._writer_connection = _connect(self._path, cache_octets=64 << 20)
        except apsw.Error as error:
            raise _fault(error) from error
        self._writer_connection.set_wal_hook(self._note_log_pages)
        self._start(self._write_jobs, "sqlite-writer")
        for number in range(self._reader_count):
            self._start(self._read_jobs, f"sqlite-reader-{number}")

    def _start(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def close(self) -> None:
        """Finish what was handed in, sync and close."""
        if self._closed or self._writer_connection is None:
            return
        self._closed = True
        self._jobs.put(None)
        for _ in range(self._reader_count):
            self._reads.put(None)
        for thread in self._threads:
            thread.join()
        with contextlib.suppress(apsw.Error):
            self._writer_connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._writer_connection.close()
        if self._log_fd >= 0:
            os.close(self._log_fd)

    # -- what services call, on the loop

    async def write(self, make: MakeUnit[T], *, blobs: Sequence[bytes] = (), durable: bool = True) -> T:
        """Store the blobs, run the unit, commit. See `SqlDatabase.write`."""
        if self._closed:
            raise Unavailable(cause="the database is closed")
        job = _Job(make, blobs, durable or bool(blobs), asyncio.get_running_loop())
        self._jobs.put(job)
        result: T = await job.future
        return result

    async def read(self, unit: Unit[T]) -> T:
        """Run a reading unit in a reader thread. See `SqlDatabase.read`."""
        if self._closed:
            raise Unavailable(cause="the database is closed")
        work = _Read(unit, asyncio.get_running_loop())
        self._reads.put(work)
        result: T = await work.future
        return result

    def backup_to(self, path: Path) -> None:
        """Copy a consistent state of the database to a new file, blocking, while writers go on."""
        source = _connect(self._path, cache_octets=8 << 20)
        target = apsw.Connection(str(path))
        try:
            with target.backup("main", source, "main") as backup:
                while not backup.done:
                    backup.step(1000)
            target.execute("PRAGMA journal_mode = DELETE").fetchall()
        finally:
            target.close()
            source.close()

    # -- the writer thread

    def _write_jobs(self) -> None:
        connection = self._writer_connection
        assert connection is not None  # noqa: S101 - `open` made it before the thread
        cursor = connection.cursor()
        while True:
            group, last = self._next_group()
            if group:
                self._carry_out(cursor, group)
                _tell(group)
            elif not last:
                self._sync_log()
            self._checkpoint(cursor, idle=self._jobs.empty())
            if last:
                self._sync_log()
                return

    def _next_group(self) -> tuple[list[_Job], bool]:
        """Wait for a job and take what else waits; true beside it when the database closes."""
        try:
            first = self._jobs.get(timeout=self._sync_within / 2 if self._unsynced_since else None)
        except queue.Empty:
            return [], False
        if self._unsynced_since and time.monotonic() - self._unsynced_since > self._sync_within / 2:
            self._sync_log()
        group: list[_Job] = []
        octets = 0
        job: _Job | None = first
        while job is not None:
            group.append(job)
            octets += job.octets
            if len(group) >= _GROUP or octets >= _GROUP_OCTETS:
                return group, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _carry_out(self, cursor: apsw.Cursor, group: list[_Job]) -> None:
        """Run the group in one transaction. A fault of the disk fails every job that has no fault of its own."""
        self._store_blobs([job for job in group if job.blobs])
        todo = [job for job in group if job.error is None]
        if not todo:
            return
        try:
            self._set_sync(cursor, full=any(job.durable for job in todo))
            cursor.execute("BEGIN IMMEDIATE")
            if len(todo) == 1:
                _run(cursor, todo[0])
            else:
                for job in todo:
                    _run_in_savepoint(cursor, job)
            cursor.execute("ROLLBACK" if all(job.error for job in todo) else "COMMIT")
            if not self._full_sync and not self._unsynced_since:
                self._unsynced_since = time.monotonic()
        except apsw.Error as error:
            fault = _fault(error)
            _roll_back(cursor)
            for job in todo:
                job.error = job.error or fault

    def _store_blobs(self, jobs: list[_Job]) -> None:
        """Make the blobs of the group safe; if that fails, the jobs that bring blobs fail and the others go on."""
        if not jobs:
            return
        try:
            self._blobs.require_room(sum(job.octets for job in jobs))
            for job in jobs:
                job.refs = [self._blobs.append(blob) for blob in job.blobs]
            self._blobs.sync()
        except ServerFault as fault:
            for job in jobs:
                job.error = fault

    def _set_sync(self, cursor: apsw.Cursor, *, full: bool) -> None:
        if full != self._full_sync:
            cursor.execute("PRAGMA synchronous = " + ("FULL" if full else "NORMAL"))
            self._full_sync = full
        if full:
            self._unsynced_since = 0.0  # This commit syncs all of the log that stands before it.

    def _sync_log(self) -> None:
        """Sync what was committed without a sync."""
        if not self._unsynced_since:
            return
        try:
            if self._log_fd < 0:
                self._log_fd = os.open(f"{self._path}-wal", os.O_RDONLY | os.O_CLOEXEC)
            os.fdatasync(self._log_fd)
        except OSError:
            return  # It is tried again; the next durable commit meets the same disk and reports it.
        self._unsynced_since = 0.0

    def _checkpoint(self, cursor: apsw.Cursor, *, idle: bool) -> None:
        """Move the log into the database file now and then, best while nobody waits."""
        if self._log_pages > (_CHECKPOINT_PAGES if idle else _CHECKPOINT_PAGES_BUSY):
            with contextlib.suppress(apsw.Error):
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self._log_pages = 0

    def _note_log_pages(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK

    # -- the reader threads

    def _read_jobs(self) -> None:
        connection = _connect(self._path, cache_octets=32 << 20, read_only=True)
        cursor = connection.cursor()
        while (work := self._reads.get()) is not None:
            try:
                work.result = _drive(cursor, work.unit)
            except apsw.Error as error:
                work.error = _fault(error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
                work.error = error
            _wake(work.loop, work.tell)
        connection.close()


class _Read:
    """One reading unit that waits for a reader."""

    __slots__ = ("error", "future", "loop", "result", "unit")

    def __init__(self, unit: Unit[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.unit = unit
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


@lru_cache(maxsize=2048)
def to_sqlite(sql: str) -> str:
    """Return the statement in SQLite's words."""
    return re.sub(r"\$(\d)", r"?\1", sql).replace("{position}", "instr")


def _drive(cursor: apsw.Cursor, unit: Unit[T]) -> T:
    """Run a unit to its end."""
    try:
        statement = next(unit)
        while True:
            rows: Rows
            if type(statement) is Many:
                cursor.executemany(to_sqlite(statement.sql), statement.parameters)
                rows = []
            else:
                assert isinstance(statement, Statement)  # noqa: S101 - the only other kind
                rows = cursor.execute(to_sqlite(statement.sql), statement.parameters).fetchall()
            statement = unit.send(rows)
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        unit.close()


def _run(cursor: apsw.Cursor, job: _Job) -> None:
    """Run a job's unit and keep its result or its fault; faults of the disk pass on."""
    try:
        job.result = _drive(cursor, job.make(job.refs))
    except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CorruptError, apsw.NotADBError, apsw.BusyError):
        raise
    except apsw.Error as error:
        job.error = _fault(error)
    except Exception as error:  # noqa: BLE001 - a fault in one unit must not fail its neighbours; its caller gets it
        job.error = error


def _run_in_savepoint(cursor: apsw.Cursor, job: _Job) -> None:
    cursor.execute("SAVEPOINT unit")
    _run(cursor, job)
    if job.error is not None:
        cursor.execute("ROLLBACK TO unit")
    cursor.execute("RELEASE unit")


def _tell(group: list[_Job]) -> None:
    """Wake every waiter of the group, with one wake-up for each loop (there is nearly always one)."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in group:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, jobs in by_loop.items():
        _wake(loop, _settle, jobs)


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.cancelled():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _wake(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: object) -> None:
    with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        loop.call_soon_threadsafe(callback, *arguments)


def _connect(path: Path, *, cache_octets: int, read_only: bool = False) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, statementcachesize=256)
    connection.set_busy_timeout(10_000)
    for pragma in (
        f"page_size = {_PAGE}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "wal_autocheckpoint = 0",
        f"cache_size = -{cache_octets >> 10}",
        "temp_store = MEMORY",
        "foreign_keys = OFF",
        "trusted_schema = OFF",
    ):
        connection.execute("PRAGMA " + pragma).fetchall()
    if read_only:
        connection.execute("PRAGMA query_only = ON").fetchall()
    return connection


def _roll_back(cursor: apsw.Cursor) -> None:
    with contextlib.suppress(apsw.Error):
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK")


def _fault(error: apsw.Error) -> ServerFault:
    """Return our error for SQLite's."""
    text = f"{type(error).__name__}: {error}"
    match error:
        case apsw.FullError() | apsw.ReadOnlyError():
            return StorageFull(cause=text)
        case apsw.CorruptError() | apsw.NotADBError():
            return Corrupt(cause=text)
        case apsw.IOError() | apsw.CantOpenError():
            return StorageFailed(cause=text)
        case apsw.BusyError() | apsw.LockedError():
            return Unavailable(cause=text)
        case _:
            return ServerFault(cause=text)
