"""SQLite on the loop's own thread, where that needs no waiting for a disk.

A virtual file system beneath this one connection reads with RWF_NOWAIT: pages that lie in the kernel's page cache
are given, and for others the statement fails with `BlockingIOError`. Whoever asked then turns to a thread. A row
that is at hand costs 30 µs in this way instead of the 100 µs and more that two changes of thread take, and the loop
never waits. Some file systems (FUSE, NFS, 9p) do not say what lies in memory: on those everything is left to threads.
"""

from __future__ import annotations

__all__ = ["WOULD_WAIT", "LoopConnection", "WouldWait"]

import errno
import os
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar

import apsw

from hongyan.engines.disk import lies_in_memory
from hongyan.engines.sql.units import MakeUnit, Rows, Unit, Value
from hongyan.engines.sqlite.connection import connect, roll_back, run_unit, to_sqlite

T = TypeVar("T")

_CACHE_OCTETS = 16 << 20


class WouldWait(Enum):
    """The answer of what would have had to wait."""

    WOULD_WAIT = 0


WOULD_WAIT: Final = WouldWait.WOULD_WAIT


class LoopConnection:
    """A connection for small reads and small writes, at once or not at all."""

    def __init__(self, path: Path) -> None:
        self._files = _Files()
        try:
            self._connection = connect(path, cache_octets=_CACHE_OCTETS, vfs=self._files.vfs_name, wait=False)
            self._connection.execute("PRAGMA synchronous = NORMAL").fetchall()
        except BaseException:
            self._files.unregister()
            raise
        self._cursor = self._connection.cursor()
        self._files.patient = lies_in_memory(path.parent)

    def on_commit(self, note: Callable[[apsw.Connection, str, int], int]) -> None:
        """Have the length of the log told after each commit."""
        self._connection.set_wal_hook(note)

    def read(self, unit: Unit[T]) -> T | WouldWait:
        """Run a reading unit, if all it needs is at hand."""
        if not self._files.can_tell:
            return WOULD_WAIT
        try:
            return run_unit(self._cursor, unit)
        except (BlockingIOError, apsw.Error):  # What else is wrong, the thread meets and tells.
            return WOULD_WAIT

    def rows(self, sql: str, parameters: Sequence[Value]) -> Rows | None:
        """Return the rows of a statement that only reads, if all it needs is at hand."""
        if not self._files.can_tell:
            return None
        try:
            return self._cursor.execute(to_sqlite(sql), parameters).fetchall()
        except (BlockingIOError, apsw.Error):
            return None

    def write(self, make: MakeUnit[T]) -> T | WouldWait:
        """Run a unit and commit it without a sync of the log, if all it needs is at hand and nobody else writes.

        Raises what the unit raised. A fault of the disk is left to be met, and told, by the writer's thread.
        """
        if not self._files.can_tell:
            return WOULD_WAIT
        cursor = self._cursor
        try:
            cursor.execute("BEGIN IMMEDIATE")
            result = run_unit(cursor, make(()))
            cursor.execute("COMMIT")
        except (BlockingIOError, apsw.Error):
            roll_back(cursor)
            return WOULD_WAIT
        except BaseException:
            roll_back(cursor)
            raise
        return result

    def close(self) -> None:
        """Close the connection."""
        self._files.patient = True
        self._connection.close()
        self._files.unregister()

    def close_files(self) -> None:
        """Close what the connection read by, when no connection to the database is open any more.

        To close any descriptor of a file gives up all the locks that the process holds on it, SQLite's as well.
        """
        while self._files.fds:
            os.close(self._files.fds.pop())


class _Files(apsw.VFS):
    """The system's files, but that reading waits only while `patient`."""

    def __init__(self) -> None:
        self.vfs_name = f"nowait-{id(self):x}"
        self.patient = True
        self.can_tell = True
        self.fds: list[int] = []
        super().__init__(self.vfs_name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802 - SQLite's name
        return _File(self, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, files: _Files, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        assert path  # noqa: S101 - temporary files, which have no name, lie in memory
        self._files = files
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        files.fds.append(self._fd)

    def xRead(self, amount: int, offset: int) -> bytearray:  # type: ignore[override]  # noqa: N802 - any buffer will do
        buffer = bytearray(amount)
        try:
            got = os.preadv(self._fd, (buffer,), offset, 0 if self._files.patient else os.RWF_NOWAIT)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            self._files.can_tell = False
            raise BlockingIOError(errno.EAGAIN, "the file system cannot tell what lies in memory") from error
        return buffer if got == amount else buffer[:got]
