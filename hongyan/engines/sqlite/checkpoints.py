"""Moving the log into the database file, in a thread of its own, while others commit.

A passive checkpoint keeps nobody from writing; but while somebody always writes, it never reaches the end of the log,
and the log never begins anew. So this thread does the bulk, and when it has done so and the log is long all the same,
the writer does the little that is left between two commits.

SQLite syncs the log before it moves anything. It syncs the database file when it has moved all of the log, and counts
as moved what it has moved before that, synced or not. If that sync fails, pages that it will not write again may be
lost: the log is all that has them. So nothing is moved any more then, the log grows, and the next start moves all of
it from its first frame on. SQLite does not say which of the two syncs has failed; each is taken for the second.
"""

from __future__ import annotations

__all__ = ["Checkpoints"]

import contextlib
import threading
from pathlib import Path

import apsw

from hongyan import telemetry
from hongyan.engines.sqlite.connection import connect

log = telemetry.logger("store")

_CACHE_OCTETS = 1 << 20
_LONG = 4_000  # pages of the log from which it is worth moving
_HARMLESS = (apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ, apsw.SQLITE_IOERR_WRITE)  # it can be tried again
_TOO_LONG = 16_000  # pages from which the writer lends a hand


class Checkpoints:
    """Decides when, and does it. `consider` and `renew` are the writer's, between two commits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wanted = threading.Event()
        self._closing = False
        self._bulk_done = False
        self._given_up = False
        self._thread = threading.Thread(target=self._work, name="sqlite-checkpoints", daemon=True)

    def open(self) -> None:
        """Connect and start."""
        self._connection = connect(self._path, cache_octets=_CACHE_OCTETS)
        telemetry.metrics.store_needs_restart.set(0)
        self._thread.start()

    def close(self, last: apsw.Connection, *, keep_log: bool = False) -> None:
        """Finish and close; `last` is the connection that will be closed last.

        With `keep_log`, or where moving has failed, the log stays as it is for the next start.
        """
        self._closing = True
        self._wanted.set()
        self._thread.join()
        self._connection.close()
        if not self._given_up and not keep_log:
            self._checkpoint(last)
        if self._given_up or keep_log:
            last.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)

    def consider(self, pages: int, writer: apsw.Connection) -> None:
        """The log has so many pages: have it moved, or finish that by the writer's own connection."""
        if pages < _LONG or self._given_up or self._wanted.is_set():
            return
        if pages >= _TOO_LONG and self._bulk_done:
            self._bulk_done = False
            self._checkpoint(writer)
        else:
            self._wanted.set()

    def renew(self) -> None:
        """The log was written anew: what this connection's files have yet to tell of it is settled.

        Else the next checkpoint would fail for it, and be taken for one that has lost pages of the database.
        """
        if self._wanted.is_set():
            return  # The thread is at work, and told by its own files.
        with contextlib.suppress(apsw.Error):
            fresh = connect(self._path, cache_octets=_CACHE_OCTETS)
            self._connection.close()
            self._connection = fresh

    def _work(self) -> None:
        while not self._closing:
            self._wanted.wait()
            if not self._closing:
                self._checkpoint(self._connection)
                self._bulk_done = True
            self._wanted.clear()

    def _checkpoint(self, connection: apsw.Connection) -> None:
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except apsw.Error as error:  # The log still holds everything; it is tried again.
            log.warning("checkpoint-failed", cause=str(error))
            if isinstance(error, apsw.IOError) and getattr(error, "extendedresult", 0) not in _HARMLESS:
                self._given_up = True
                telemetry.metrics.store_needs_restart.set(1)
                log.error("checkpoints-given-up", remedy="See to the disk, then restart.")
