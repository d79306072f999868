"""The file of one account's text index, open: its connection, its format, and whether it is still in its place.

A page that changed on the disk is found when it is read, by its checksum; and since the file can be made anew at any
time, every error that is not the disk's means that the file is damaged.
"""

from __future__ import annotations

__all__ = ["FIELDS", "GivenUp", "IndexFile", "fault_of_index", "parts_of"]

import os
from pathlib import Path

import apsw
from pyroaring import BitMap

from hongyan.engines.sqlite.connection import fault_of
from hongyan.engines.sqlite.page_sums import SUM_OCTETS
from hongyan.errors import Corrupt, NotFound, ServerFault, Unavailable
from hongyan.search.tokenize import VERSION
from hongyan.store.index import IndexField

FIELDS = tuple(IndexField)
"""The columns of the table of texts, before that of grams."""

_FORMAT = VERSION * 100 + 2
_CACHE_KIBIBYTES = 8192
_TOKEN_CHARACTERS = "".join(chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum())
_CHECKPOINT_PAGES = 2000
_LEFT_IN_LOG = 1 << 18  # octets
_LEAF_OCTETS = 4040  # as much of a leaf as one page takes that has room for its checksum
_BUSY_MILLISECONDS = 2000

_SCHEMA = f"""
CREATE VIRTUAL TABLE texts USING fts5({", ".join(field.value for field in FIELDS)}, grams,
    content='', contentless_delete=1, detail=full,
    tokenize="ascii tokenchars '{_TOKEN_CHARACTERS.replace("'", "''''").replace('"', '""')}'");
INSERT INTO texts (texts, rank) VALUES ('pgsz', {_LEAF_OCTETS});
CREATE TABLE words (n INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT;
CREATE TABLE partial (number INTEGER PRIMARY KEY) STRICT;
CREATE TABLE emails (number INTEGER PRIMARY KEY, mark INTEGER NOT NULL) STRICT;
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


class GivenUp(Unavailable):
    """A batch was given up: nothing of it is in the index."""


class IndexFile:
    """A connection to the file at a path. One thread at a time works with it."""

    __slots__ = ("_inode", "_sums", "connection", "path")

    def __init__(self, path: Path, vfs: str | None, *, make: bool) -> None:
        """With `make` the file is made if there is none, and may be written.

        Raises `Corrupt`, `NotFound` if it is only about to be made, and what APSW raises.
        """
        self.path = path
        self._sums = vfs is not None
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if make else 0)
        self.connection = apsw.Connection(str(path), flags=flags, vfs=vfs)
        try:
            self._inode = os.stat(path).st_ino
            self.connection.set_busy_timeout(_BUSY_MILLISECONDS)
            if make:
                self._make()
            self._set(f"cache_size = -{_CACHE_KIBIBYTES}", "temp_store = MEMORY", "trusted_schema = OFF")
            self._require_format()
        except BaseException:
            self.connection.close()
            raise

    def _make(self) -> None:
        connection = self.connection
        if self._sums and not self.path.stat().st_size:
            connection.reserve_bytes(reserve=SUM_OCTETS)
        # A file that a power loss leaves half made is found to be empty or damaged, and made again.
        self._set("synchronous = OFF", "page_size = 4096", "journal_mode = WAL")
        self._set("synchronous = NORMAL", f"wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        if connection.pragma("user_version") == 0:
            with connection:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {_FORMAT}")

    def _set(self, *pragmas: str) -> None:
        for pragma in pragmas:
            self.connection.execute(f"PRAGMA {pragma}").fetchall()

    def _require_format(self) -> None:
        version = self.connection.pragma("user_version")
        if version == 0:
            raise NotFound
        if version != _FORMAT:
            raise Corrupt(cause=f"the index {self.path.name} is of another version")
        if self._sums and self.connection.reserve_bytes() != SUM_OCTETS:
            raise Corrupt(cause=f"the index {self.path.name} has no checksums")

    @property
    def is_in_place(self) -> bool:
        """Whether the file at the path is still the one that is open."""
        try:
            return os.stat(self.path).st_ino == self._inode
        except FileNotFoundError:
            return False

    def close(self, *, leaving_log: bool = False) -> None:
        """Close the connection. With `leaving_log` a short log is not brought over, which waits for the disk twice.

        Whoever opens the file next finds in it what was committed, as after a crash.
        """
        if leaving_log and self._log_octets() <= _LEFT_IN_LOG:
            self.connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        self.connection.close()

    def _log_octets(self) -> int:
        _, log, _ = parts_of(self.path)
        try:
            return log.stat().st_size
        except FileNotFoundError:
            return 0

    def covered(self) -> int:
        """Return the number up to which all emails are indexed."""
        return self.number("SELECT coalesce(max(value), 0) FROM state WHERE name = 'covered'")

    def number(self, sql: str) -> int:
        """Return the number that a statement yields."""
        value = self.connection.execute(sql).get
        if not isinstance(value, int):
            raise Corrupt(cause=f"the index {self.path.name} says {value!r} where a number stands")
        return value

    def numbers(self) -> BitMap:
        """Return the emails that are indexed."""
        return BitMap([number for (number,) in self.connection.execute("SELECT number FROM emails")])


def parts_of(path: Path) -> tuple[Path, Path, Path]:
    """Return the files of an index: its own, its log, and what its connections share."""
    return path, Path(f"{path}-wal"), Path(f"{path}-shm")


def fault_of_index(error: apsw.Error | OSError) -> ServerFault:
    """Return our error for SQLite's: what is not the disk's fault, and not a matter of time, is the file's."""
    fault = fault_of(error)
    return Corrupt(cause=fault.cause) if type(fault) is ServerFault else fault
