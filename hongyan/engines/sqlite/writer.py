"""The one thread that writes: it groups what waits into one commit.

It drains its queue: it stores the blobs of all waiting jobs, syncs them once, runs each job's unit of work in a
savepoint of its own, commits once, and then tells all waiters. Groups form by themselves while the disk is busy; no
timer makes them. A group without a durable job commits without a sync of the log (`synchronous=NORMAL` in WAL mode);
the log is synced within one second after.

When the disk has failed to keep something, what the kernel says of the log's pages is not to be trusted any more: it
may have dropped them and call them clean. Before anything else is promised, the log is written anew as it stands
(`log_file`); while that fails, nothing is taken. The thread does so by itself and soon: what was committed without a
sync is promised to be safe within a second, whoever asks or not.
"""

from __future__ import annotations

__all__ = ["BlobWriter", "Job", "Writer"]

import os
import queue
import threading
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import apsw

from hongyan import telemetry
from hongyan.engines.disk import Disk
from hongyan.engines.sql.units import MakeUnit
from hongyan.engines.sqlite.checkpoints import Checkpoints
from hongyan.engines.sqlite.connection import PAGE_OCTETS, connect, fault_of, roll_back, run_unit
from hongyan.engines.sqlite.log_file import LogFile
from hongyan.engines.sqlite.notices import Notices, Waiter
from hongyan.errors import Corrupt, ServerFault, StorageFailed, StorageFull
from hongyan.types import BlobRef

log = telemetry.logger("store")

_LOG_OCTETS = telemetry.metrics.store_bytes.labels("log")
_GROUP = 256  # jobs in one commit at most
_GROUP_OCTETS = 32 << 20
_CACHE_OCTETS = 64 << 20
_LONG_LOG = 40_000  # pages from which small commits wait for their turn as well

_DISK_FAULTS = (
    apsw.FullError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.NotADBError,
    apsw.BusyError,
)


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


class Job(Waiter):
    """One unit of work that waits for the writer."""

    __slots__ = ("blobs", "durable", "make", "octets", "refs")

    def __init__(self, notices: Notices, make: MakeUnit[Any], blobs: Sequence[bytes], *, durable: bool) -> None:
        super().__init__(notices)
        self.make = make
        self.blobs = blobs
        self.durable = durable
        self.octets = sum(map(len, blobs)) if blobs else 0
        self.refs: Sequence[BlobRef] = ()


class _Nudge(Enum):
    """What the queue holds beside jobs."""

    SYNC_SOON = 0
    CLOSE = 1


class Writer:
    """The connection that writes, and its thread.

    `turn` is held while the thread works on the database; who holds it may write through another connection.
    """

    def __init__(self, path: Path, blobs: BlobWriter, disk: Disk, *, sync_within: float) -> None:
        self._path = path
        self._blobs = blobs
        self._disk = disk
        self._sync_within = sync_within
        self._jobs: queue.SimpleQueue[Job | _Nudge] = queue.SimpleQueue()
        self._checkpoints = Checkpoints(path)
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._full_sync = True
        self._suspect = False
        self._heal_due = 0.0
        self._unsynced_since = 0.0
        self._log_pages = 0
        self._log = LogFile(path, disk)
        self._last_fault = ""
        self.turn = threading.Lock()

    def open(self) -> None:
        """Open the database, making it if need be, and start the thread."""
        # SQLite would make it readable for all; its log takes the modes of the database.
        os.close(self._disk.open(self._path, os.O_RDWR | os.O_CREAT))
        self._disk.sync_directory(self._path.parent)
        self._connection = connect(self._path, cache_octets=_CACHE_OCTETS)
        self._cursor = self._connection.cursor()
        self._connection.set_wal_hook(self.note_log_pages)
        self._cursor.execute("SELECT COUNT(*) FROM sqlite_schema").fetchall()  # The first read makes the log.
        self._log.open()
        self._checkpoints.open()
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a job carried out."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish what was handed in, sync and close."""
        self._jobs.put(_Nudge.CLOSE)
        self._thread.join()
        self._checkpoints.close(self._connection, keep_log=self._suspect)
        self._connection.close()
        self._log.close()

    # -- for who writes elsewhere, on the loop

    @property
    def is_at_rest(self) -> bool:
        """Whether who holds the `turn` may write at once, out of line."""
        return self._jobs.empty() and not self._suspect and self._log_pages < _LONG_LOG

    def note_commit(self) -> None:
        """Something was committed elsewhere without a sync of the log: sync it soon. The caller holds the `turn`."""
        if not self._unsynced_since:
            self._unsynced_since = time.monotonic()
            self._jobs.put(_Nudge.SYNC_SOON)

    def note_log_pages(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        """Remember how long the log is; SQLite calls it after each commit."""
        self._log_pages = pages
        return apsw.SQLITE_OK

    # -- the thread

    def _work(self) -> None:
        closing = False
        while not closing:
            group, closing = self._next_group()
            with self.turn:
                self._carry_out(group)
            _tell(group)
            with self.turn:
                if self._unsynced_since and (closing or time.monotonic() >= self._sync_due):
                    self._sync_log()
                if self._suspect and (closing or time.monotonic() >= self._heal_due):
                    self._try_to_heal()
                if not self._suspect:  # What is moved must stand in the log for certain.
                    self._checkpoints.consider(self._log_pages, self._connection)
                _LOG_OCTETS.set(self._log_pages * PAGE_OCTETS)

    @property
    def _sync_due(self) -> float:
        return self._unsynced_since + self._sync_within / 2

    def _patience(self) -> float | None:
        """Return for how long there is nothing to do of our own accord."""
        if self._unsynced_since:
            return max(0.0, self._sync_due - time.monotonic())
        return max(0.0, self._heal_due - time.monotonic()) if self._suspect else None

    def _next_group(self) -> tuple[list[Job], bool]:
        """Wait for a job, or until the log must be synced, and take what else waits; true when it is the last."""
        timeout = self._patience()
        group: list[Job] = []
        octets = 0
        try:
            item = self._jobs.get(timeout=timeout)
            while item is not _Nudge.CLOSE:
                if isinstance(item, Job):
                    group.append(item)
                    octets += item.octets
                    if len(group) >= _GROUP or octets >= _GROUP_OCTETS:
                        return group, False
                item = self._jobs.get_nowait()
        except queue.Empty:
            return group, False
        return group, True

    def _carry_out(self, group: list[Job]) -> None:
        """Run the group in one transaction; whatever happens, each job has a result or an error afterwards."""
        if not group:
            return
        try:
            if self._suspect:
                self._heal()
            self._store_blobs([job for job in group if job.blobs])
            self._commit_jobs([job for job in group if job.error is None])
            if self._last_fault and not any(isinstance(job.error, ServerFault) for job in group):
                self._note_fault(None)
        except ServerFault as fault:
            self._note_fault(fault)
            _fail(group, fault)
        except Exception as error:  # noqa: BLE001 - the thread must live, and nobody may wait for ever
            telemetry.metrics.panic_total.labels("store").inc()
            log.error("writer-failed", error=error)
            roll_back(self._cursor)
            _fail(group, ServerFault(cause=f"{type(error).__name__}: {error}"))

    def _store_blobs(self, jobs: list[Job]) -> None:
        """Make the blobs safe. Who brings more than there is room for fails alone; a failed disk fails them all."""
        if not jobs:
            return
        try:
            for job in jobs:
                try:
                    self._blobs.require_room(job.octets)
                    job.refs = [self._blobs.append(blob) for blob in job.blobs]
                except StorageFull as fault:
                    self._note_fault(fault)
                    job.error = fault
            self._blobs.sync()
        except ServerFault as fault:
            self._note_fault(fault)
            _fail(jobs, fault)

    def _commit_jobs(self, jobs: list[Job]) -> None:
        try:
            self._commit(jobs)
        except (StorageFull, Corrupt) as fault:
            if len(jobs) == 1:
                raise
            self._note_fault(fault)
            for job in jobs:
                self._commit_alone(job)

    def _commit_alone(self, job: Job) -> None:
        """One of the group met a full disk or a broken page; the others need not suffer for it."""
        job.error = job.result = None
        try:
            self._commit([job])
        except (StorageFull, Corrupt) as fault:
            job.error = fault

    def _commit(self, jobs: list[Job]) -> None:
        """Run the jobs and commit. Raises what the disk does; what a job's own unit raises is its own."""
        if not jobs:
            return
        cursor = self._cursor
        full = any(job.durable for job in jobs)
        try:
            self._set_sync(full=full)
            cursor.execute("BEGIN IMMEDIATE")
            if len(jobs) == 1:
                _run(cursor, jobs[0])
            else:
                for job in jobs:
                    _run_in_savepoint(cursor, job)
            if all(job.error for job in jobs):
                cursor.execute("ROLLBACK")
                return
            cursor.execute("COMMIT")
        except apsw.Error as error:
            roll_back(cursor)
            if isinstance(error, apsw.IOError):
                self._suspect = True
            raise fault_of(error) from error
        if full:
            self._unsynced_since = 0.0  # The commit has synced all of the log that stood before it.
        elif not self._unsynced_since:
            self._unsynced_since = time.monotonic()

    def _set_sync(self, *, full: bool) -> None:
        if full != self._full_sync:
            self._cursor.execute("PRAGMA synchronous = " + ("FULL" if full else "NORMAL"))
            self._full_sync = full

    def _sync_log(self) -> None:
        """Sync what was committed without a sync."""
        try:
            self._log.sync()
        except OSError as error:
            self._suspect = True
            self._note_fault(StorageFailed(cause=f"sync of the log: {error.strerror}"))
        self._unsynced_since = 0.0

    def _try_to_heal(self) -> None:
        try:
            self._heal()
        except ServerFault as fault:
            self._note_fault(fault)

    def _heal(self) -> None:
        """Write the log anew, as far as it was committed. Raises `StorageFailed`."""
        try:
            frames, _moved = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
            self._log.write_anew(frames)
        except (apsw.Error, OSError) as error:
            self._heal_due = time.monotonic() + self._sync_within / 2
            raise StorageFailed(cause=f"the disk has failed before, and again: {error}") from error
        self._suspect = False
        self._unsynced_since = self._heal_due = 0.0
        self._checkpoints.renew()

    def _note_fault(self, fault: ServerFault | None) -> None:
        """Tell the operator when trouble begins, changes or ends, and not with each job."""
        kind = type(fault).__name__ if fault is not None else ""
        if kind == self._last_fault:
            return
        self._last_fault = kind
        if fault is None:
            log.info("storing-again")
        else:
            log.error("cannot-store", kind=kind, cause=fault.cause)


def _run(cursor: apsw.Cursor, job: Job) -> None:
    """Run a job's unit and keep its result or its fault; faults of the disk pass on."""
    try:
        job.result = run_unit(cursor, job.make(job.refs))
    except _DISK_FAULTS:
        raise
    except apsw.Error as error:
        job.error = fault_of(error)
    except Exception as error:  # noqa: BLE001 - a fault in one unit must not fail its neighbours; its caller gets it
        job.error = error


def _run_in_savepoint(cursor: apsw.Cursor, job: Job) -> None:
    cursor.execute("SAVEPOINT unit")
    _run(cursor, job)
    if job.error is not None:
        cursor.execute("ROLLBACK TO unit")
    cursor.execute("RELEASE unit")


def _fail(jobs: Sequence[Job], fault: ServerFault) -> None:
    for job in jobs:
        job.error = job.error or fault


def _tell(group: Sequence[Job]) -> None:
    by_loop: dict[Notices, list[Job]] = {}
    for job in group:
        by_loop.setdefault(job.notices, []).append(job)
    for notices, jobs in by_loop.items():
        notices.tell(jobs)
