"""One connection to the database file: how it is opened, how it runs a unit of work, what its errors mean."""

from __future__ import annotations

__all__ = ["PAGE_OCTETS", "connect", "fault_of", "roll_back", "run_unit", "to_sqlite"]

import contextlib
import re
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import apsw

from hongyan.engines.sql.units import Many, Rows, Statement, Unit
from hongyan.errors import Corrupt, ServerFault, StorageFailed, StorageFull, Unavailable

T = TypeVar("T")

PAGE_OCTETS = 4096
"""A commit writes whole pages: small ones make small commits cheap."""

_STATEMENTS = 256
_BUSY_MILLISECONDS = 10_000
_CHANGED_ON_THE_DISK = (apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS)


def connect(
    path: Path, *, cache_octets: int, read_only: bool = False, vfs: str | None = None, wait: bool = True
) -> apsw.Connection:
    """Open the database file, which must exist unless it may be made. Without `wait` a lock is never waited for."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=_STATEMENTS)
    connection.set_busy_timeout(_BUSY_MILLISECONDS)
    # Plans stay: a planner that looks at parameters plans anew for each LIMIT, and a read takes three times as long.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    for pragma in (
        f"page_size = {PAGE_OCTETS}",
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
    if not wait:
        connection.set_busy_timeout(0)
    return connection


@lru_cache(maxsize=2048)
def to_sqlite(sql: str) -> str:
    """Return the statement in SQLite's words."""
    sql = sql.replace("{position}", "instr").replace("{lower_fields}", "lower(e.fields)")
    sql = sql.replace("{for_share}", "")  # Only one unit writes at a time.
    return re.sub(r"\$(\d)", r"?\1", sql)


def run_unit(cursor: apsw.Cursor, unit: Unit[T]) -> T:
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


def roll_back(cursor: apsw.Cursor) -> None:
    """End a transaction that failed, if SQLite has not done so itself."""
    with contextlib.suppress(apsw.Error):
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK")


def fault_of(error: apsw.Error | OSError) -> ServerFault:
    """Return our error for SQLite's."""
    text = f"{type(error).__name__}: {error}"
    match error:
        case OSError():
            return StorageFailed(cause=text)
        case apsw.FullError() | apsw.ReadOnlyError():
            return StorageFull(cause=text)
        case apsw.CorruptError() | apsw.NotADBError():
            return Corrupt(cause=text)
        case apsw.IOError() if getattr(error, "extendedresult", 0) in _CHANGED_ON_THE_DISK:
            return Corrupt(cause=text)
        case apsw.IOError() | apsw.CantOpenError():
            return StorageFailed(cause=text)
        case apsw.BusyError() | apsw.LockedError():
            return Unavailable(cause=text)
        case _:
            return ServerFault(cause=text)
