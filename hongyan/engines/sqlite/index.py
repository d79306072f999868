"""The text index in SQLite's FTS5: a database file of its own for each account, beside the mail's.

So indexing never holds the writer of mail, words of one account never slow another's search, and an account's index
goes by removing its files. The table holds no text (`content=''`), only tokens with their places; `engines` for mail
keep the text. All of it can be made anew from the mail.

Files stay open for the accounts that were used last. Nothing is written where the disk has no more room than its
reserve: that is for mail.
"""

from __future__ import annotations

__all__ = ["SqliteIndex"]

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw
from pyroaring import BitMap

from hongyan.engines.disk import Disk
from hongyan.engines.sqlite.index_file import GivenUp, fault_of_index, parts_of
from hongyan.engines.sqlite.index_reader import IndexReader
from hongyan.engines.sqlite.index_writer import IndexWriter
from hongyan.engines.sqlite.page_sums import find_summing_vfs
from hongyan.errors import NotFound, StorageFull
from hongyan.store.index import Clause, Document, IndexField, IndexRoom, IndexSize, TextMatch
from hongyan.types import AccountId

T = TypeVar("T")

_OPEN_AT_ONCE = 16
_BATCH_OCTETS = 16 << 20  # that a batch may write, with what is merged on its occasion


class SqliteIndex:
    """`store.index.TextIndex` in a directory."""

    def __init__(self, path: Path, *, reserve_octets: int = 0, disk: Disk | None = None) -> None:
        """The directory is made when it is needed; its parent is there."""
        self.path = path
        self._reserve_octets = reserve_octets
        self._disk = disk or Disk()
        self._vfs = find_summing_vfs()
        self._sides: OrderedDict[AccountId, _Sides] = OrderedDict()
        self._lock = threading.Lock()
        self._under_way: set[threading.Event] = set()
        self.is_closing = False
        self._writing = ThreadPoolExecutor(1, "search-writer")
        self._reading = ThreadPoolExecutor(2, "search-reader")

    async def put(self, account: AccountId, documents: Sequence[Document], after: int, covered: int) -> float:
        def write(given_up: threading.Event, sides: _Sides) -> float | None:
            self._require_room()
            return sides.write(lambda writer: writer.put(documents, after, covered, given_up), make=True)

        return await self._write(account, write) or 0.0

    async def delete(self, account: AccountId, numbers: BitMap) -> None:
        def write(given_up: threading.Event, sides: _Sides) -> None:
            sides.write(lambda writer: writer.delete(numbers, given_up), make=False)

        await self._write(account, write)

    async def match(self, account: AccountId, fields: Sequence[IndexField], needle: str) -> TextMatch | None:
        return await self._read(account, lambda reader: reader.match(fields, needle))

    async def match_words(
        self, account: AccountId, fields: Sequence[IndexField], clauses: Sequence[Clause]
    ) -> TextMatch | None:
        return await self._read(account, lambda reader: reader.match_words(fields, clauses))

    async def find_covered(self, account: AccountId) -> int:
        return await self._read(account, lambda reader: reader.file.covered()) or 0

    async def numbers(self, account: AccountId) -> BitMap:
        return await self._read(account, lambda reader: reader.file.numbers()) or BitMap()

    async def newest_marks(self, account: AccountId, limit: int) -> Mapping[int, int]:
        return await self._read(account, lambda reader: reader.newest_marks(limit)) or {}

    async def measure(self, account: AccountId) -> IndexSize:
        return await self._read(account, lambda reader: reader.measure()) or IndexSize(0, 0, 0, 0)

    async def check(self, account: AccountId) -> None:
        await self._read(account, lambda reader: reader.check())

    async def room(self) -> IndexRoom:
        return await asyncio.to_thread(self._room)

    async def list_accounts(self) -> Sequence[AccountId]:
        return await asyncio.to_thread(self._list)

    async def drop(self, account: AccountId) -> None:
        await self._write(account, lambda _given_up, sides: sides.drop())

    def close(self) -> None:
        """Give up the batch that is being written, let searches finish, and close the files."""
        for given_up in list(self._under_way):
            given_up.set()
        self.is_closing = True
        self._writing.shutdown(cancel_futures=True)
        self._reading.shutdown(cancel_futures=True)
        for sides in self._sides.values():
            sides.close()
        self._sides.clear()

    async def _write(self, account: AccountId, work: Callable[[threading.Event, _Sides], T]) -> T:
        """Have the writing thread do it. Whoever is cancelled meanwhile has the batch given up."""
        given_up = threading.Event()
        self._under_way.add(given_up)
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._writing, self._work, account, lambda sides: work(given_up, sides), given_up
            )
        except asyncio.CancelledError:
            given_up.set()
            raise
        finally:
            self._under_way.discard(given_up)

    async def _read(self, account: AccountId, work: Callable[[IndexReader], T]) -> T | None:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reading, self._work, account, lambda sides: sides.read(work))

    def _work(self, account: AccountId, work: Callable[[_Sides], T], given_up: threading.Event | None = None) -> T:
        try:
            with self._used(account) as sides:
                return work(sides)
        except (apsw.Error, OSError) as error:
            if given_up is not None and given_up.is_set():  # Whatever SQLite says of being interrupted.
                raise GivenUp(cause=str(error)) from error
            raise fault_of_index(error) from error

    # -- files

    @contextlib.contextmanager
    def _used(self, account: AccountId) -> Iterator[_Sides]:
        """Hold an account's file, which is not closed meanwhile."""
        with self._lock:
            sides = self._sides.get(account)
            if sides is None:
                sides = self._sides[account] = _Sides(self.path / f"{account}.db", self._vfs)
            self._sides.move_to_end(account)
            sides.users += 1
        try:
            yield sides
        finally:
            with self._lock:
                sides.users -= 1
                unused = self._pop_unused()
            for others in unused:
                others.close(leaving_log=True)

    def _pop_unused(self) -> list[_Sides]:
        old = list(self._sides)[:-_OPEN_AT_ONCE]
        return [self._sides.pop(account) for account in old if not self._sides[account].users]

    def _list(self) -> Sequence[AccountId]:
        names = [path.stem for path in self.path.glob("*.db")]
        return sorted(AccountId(int(name)) for name in names if name.isdigit())

    # -- room

    def _room(self) -> IndexRoom:
        try:
            free = self._disk.free_octets(self.path if self.path.exists() else self.path.parent)
        except OSError as error:
            raise fault_of_index(error) from error
        return IndexRoom(free, self._reserve_octets + _BATCH_OCTETS if self._reserve_octets else 0)

    def _require_room(self) -> None:
        room = self._room()
        if room.is_short:
            raise StorageFull(cause=f"{room.free} octets are free on the disk of the text index")


class _Sides:
    """The two sides of one account's file: who writes and who reads, each open since it was first needed.

    A connection whose file has left its place would delete what belongs to the next one when it is closed. So both are
    closed before another file is made.
    """

    __slots__ = ("_path", "_reader", "_reading", "_vfs", "_writer", "_writing", "users")

    def __init__(self, path: Path, vfs: str | None) -> None:
        self._path = path
        self._vfs = vfs
        self._writing = threading.Lock()  # before the other, where both are held
        self._reading = threading.Lock()
        self._writer: IndexWriter | None = None
        self._reader: IndexReader | None = None
        self.users = 0

    def read(self, work: Callable[[IndexReader], T]) -> T | None:
        """Ask; None if there is no file."""
        with self._reading:
            if self._reader is None:
                if not self._path.exists():
                    return None
                try:
                    self._reader = IndexReader(self._path, self._vfs)
                except NotFound:  # It is being made.
                    return None
            if not self._reader.file.is_in_place:
                return None
            return work(self._reader)

    def write(self, work: Callable[[IndexWriter], T], *, make: bool) -> T | None:
        """Write; None if there is no file, and none is to be made."""
        with self._writing:
            sides = (self._writer, self._reader)
            if any(side is not None and not side.file.is_in_place for side in sides):
                self._close()
            if self._writer is None:
                if not make and not self._path.exists():
                    return None
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                self._writer = IndexWriter(self._path, self._vfs)
            return work(self._writer)

    def drop(self) -> None:
        """Delete the file."""
        with self._writing:
            self._close()
            for part in parts_of(self._path):
                part.unlink(missing_ok=True)

    def close(self, *, leaving_log: bool = False) -> None:
        """Close both sides; see `IndexFile.close`."""
        with self._writing:
            self._close(leaving_log=leaving_log)

    def _close(self, *, leaving_log: bool = False) -> None:
        with self._reading:
            for side in (self._reader, self._writer):
                if side is not None:
                    with contextlib.suppress(apsw.Error):
                        side.file.close(leaving_log=leaving_log)
            self._reader = self._writer = None
