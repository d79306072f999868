"""Blobs in append-only segment files: one sync for each group of blobs.

Nothing is ever overwritten: a torn tail is left as it is and the next segment begins, so that no octet that a row
may refer to is touched. Who writes a segment holds its lock, so that two processes never continue the same one.

A failed write or sync spoils its segment: the kernel may have dropped the pages, and a second sync of the same
descriptor would say that all is well. The segment is closed and never written again.
"""

from __future__ import annotations

__all__ = ["SegmentStore", "SegmentsFailed"]

import asyncio
import contextlib
import errno
import fcntl
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import zstandard

from hongyan.engines.disk import Disk
from hongyan.engines.segment_format import (
    CHUNK,
    FILE_HEADER_OCTETS,
    RAW,
    RECORD_HEADER_OCTETS,
    SUMMED,
    ZSTD,
    Place,
    Record,
    file_header,
    read_exactly,
    record_header,
    records_of,
    sum_chunks,
)
from hongyan.engines.segment_reader import SegmentReader, segment_path
from hongyan.errors import Corrupt, ServerFault, StorageFailed, StorageFull
from hongyan.store.blobs import BlobSource, StoredBlob
from hongyan.types import BlobRef

_COMPRESS_BELOW = 1 << 20  # Larger blobs are mostly base64 of what is compressed already.
_MAX_BLOB = (1 << 32) - 1
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class SegmentsFailed(StorageFailed):
    """A segment could not be written or synced; what it was given is to be taken as lost."""


class _Prepared(NamedTuple):
    """What a record is made of, wherever it will stand."""

    stored: BlobSource
    sums: bytes
    codec: int
    checksum: int
    digest: bytes


class SegmentStore:
    """The segment files of one directory, written by one thread at a time.

    `append` and `sync` belong to the database's writer thread, which calls `append` for every blob of a group, then
    `sync` once, and commits the rows after that. An engine without such a thread calls `put`. All other methods may
    be called from any thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        segment_octets: int = 256 << 20,
        reserve_octets: int = 64 << 20,
        compress_from: int = 8 << 10,
        disk: Disk | None = None,
    ) -> None:
        self._directory = directory
        self._segment_octets = segment_octets
        self._reserve_octets = reserve_octets
        self._compress_from = compress_from
        self._disk = disk or Disk()
        self._compressor = zstandard.ZstdCompressor(level=1, write_checksum=False, write_content_size=True)
        if not directory.exists():
            directory.mkdir(mode=0o700, parents=True)
            self._disk.sync_directory(directory.parent)
        self._reader = SegmentReader(directory)
        self._segment = max(self._numbers(), default=0)
        self._resumable = True  # whether the last segment may be continued, if it ends well
        self._fd = -1
        self._end = 0
        self._dirty = False
        self._new_file = False
        self._keepers = 0
        self._last: tuple[bytes, _Prepared] | None = None  # until the next sync
        self._waiting: list[tuple[Sequence[BlobSource], asyncio.Future[list[BlobRef]]]] = []
        self._put_task: asyncio.Task[None] | None = None
        self._put_thread = ThreadPoolExecutor(1, thread_name_prefix="segments")

    def close(self) -> None:
        """Sync and close. The store is of no use afterwards."""
        self._put_thread.shutdown(wait=True)
        with contextlib.suppress(SegmentsFailed):
            self.sync()
        self._reader.close()
        self._leave_segment()

    # -- writing: the writer thread's

    def require_room(self, octets: int) -> None:
        """Raise `StorageFull` unless the disk holds so many octets and the reserve."""
        try:
            free = self._disk.free_octets(self._directory)
        except OSError as error:
            raise _storage_error(error) from error
        if free < octets + self._reserve_octets:
            raise StorageFull(cause="the reserve of free disk space is reached")

    def append(self, octets: BlobSource) -> BlobRef:
        """Write a blob to the present segment. It is not yet safe: see `sync`."""
        stored, sums, codec, checksum, digest = self._prepare(octets)
        size, length = len(octets), len(stored) + len(sums)
        if size > _MAX_BLOB or length > _MAX_BLOB:
            raise StorageFull(cause="a blob of 4 GiB or more")
        self._make_room(RECORD_HEADER_OCTETS + length)
        place = Place(self._segment, self._end + RECORD_HEADER_OCTETS, length, size, codec, checksum)
        self._write((record_header(place, digest), stored, sums))
        return place.ref()

    def _prepare(self, octets: BlobSource) -> _Prepared:
        """Return what a record is made of. A message for many accounts comes many times, and is compressed once."""
        if self._last is not None and self._last[0] is octets:
            return self._last[1]
        stored, sums, codec = self._encode(octets)
        checksum = zlib.crc32(sums, zlib.crc32(stored))
        prepared = _Prepared(stored, sums, codec, checksum, sha256(octets).digest())
        if isinstance(octets, bytes):
            self._last = octets, prepared
        return prepared

    def sync(self) -> None:
        """Return when all that was appended is on stable storage. Raises `SegmentsFailed`."""
        self._last = None
        if not self._dirty:
            return
        try:
            self._disk.sync(self._fd)
            if self._new_file:
                self._disk.sync_directory(self._directory)
                self._new_file = False
        except OSError as error:
            self._leave_segment()
            raise SegmentsFailed(cause=f"segment sync: {error.strerror}") from error
        self._dirty = False

    def _encode(self, octets: BlobSource) -> tuple[BlobSource, bytes, int]:
        """Return what is stored, the checksums behind it, and how it is to be read."""
        if self._compress_from <= len(octets) < _COMPRESS_BELOW:
            packed = self._compressor.compress(octets)
            if len(packed) < len(octets) - len(octets) // 16:
                return packed, b"", ZSTD
        if len(octets) <= CHUNK:
            return octets, b"", RAW
        return octets, sum_chunks(octets), SUMMED

    def _make_room(self, octets: int) -> None:
        if self._fd >= 0 and self._end + octets > self._segment_octets and self._end > FILE_HEADER_OCTETS:
            self.sync()
            self._leave_segment()
        if self._fd < 0 and not (self._resumable and self._segment and self._resume(self._segment)):
            self._begin_segment()

    def _resume(self, number: int) -> bool:
        """Continue a segment, if it has room, ends with a whole record, and nobody else writes it."""
        try:
            fd = self._disk.open(segment_path(self._directory, number), os.O_RDWR)
        except OSError:
            return False
        size = os.fstat(fd).st_size
        if size >= self._segment_octets or not _lock(fd) or _end_of_records(fd, number, size) != size:
            os.close(fd)
            return False
        self._fd, self._end = fd, size
        self._new_file = self._dirty = True  # Whether an earlier run synced the directory is not known.
        return True

    def _begin_segment(self) -> None:
        number = self._segment
        while self._fd < 0:
            number += 1
            with contextlib.suppress(FileExistsError):  # Another process of ours has begun it.
                self._fd = self._create(number)
        self._segment, self._end, self._resumable = number, 0, True
        self._new_file = True
        try:
            self._write((file_header(number),))
        except ServerFault:
            self._leave_segment()
            self._segment = number - 1
            with contextlib.suppress(OSError):
                self._disk.remove(segment_path(self._directory, number))
            raise

    def _create(self, number: int) -> int:
        try:
            fd = self._disk.open(segment_path(self._directory, number), os.O_RDWR | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            raise
        except OSError as error:
            raise _storage_error(error) from error
        _lock(fd)
        return fd

    def _write(self, parts: Sequence[BlobSource]) -> None:
        try:
            self._disk.write(self._fd, parts, self._end)
        except OSError as error:
            if error.errno in _NO_ROOM and self._give_back():
                raise _storage_error(error) from error
            self._leave_segment()
            raise SegmentsFailed(cause=f"segment: {error.strerror}") from error
        self._end += sum(map(len, parts))
        self._dirty = True

    def _give_back(self) -> bool:
        """Cut off what was written of a record that found no room; nothing refers to it."""
        try:
            self._disk.truncate(self._fd, self._end)
        except OSError:
            return False
        return True

    def _leave_segment(self) -> None:
        """Never write to the present segment again."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd, self._dirty, self._new_file, self._resumable = -1, False, False, False

    # -- writing: for an engine without a writer thread

    async def put(self, blobs: Sequence[BlobSource]) -> Sequence[BlobRef]:
        """Store blobs and return once they are safe.

        Groups form by themselves: what comes while a sync is under way goes into the next.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[BlobRef]] = loop.create_future()
        self._waiting.append((blobs, future))
        if self._put_task is None:
            self._put_task = loop.create_task(self._put_groups())
        return await future

    async def _put_groups(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                done = await loop.run_in_executor(self._put_thread, self._put_group, [blobs for blobs, _ in group])
                for (_, future), refs in zip(group, done, strict=True):
                    if future.done():
                        continue
                    if isinstance(refs, BaseException):
                        future.set_exception(refs)
                    else:
                        future.set_result(refs)
        finally:
            self._put_task = None

    def _put_group(self, group: Sequence[Sequence[BlobSource]]) -> Sequence[list[BlobRef] | Exception]:
        done: list[list[BlobRef] | Exception] = []
        try:
            for blobs in group:
                try:
                    self.require_room(sum(map(len, blobs)))
                    done.append([self.append(blob) for blob in blobs])
                except StorageFull as fault:
                    done.append(fault)
            self.sync()
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait get it
            return [error] * len(group)
        return done

    # -- reading: anybody's

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return the octets if they lie in the page cache, else None."""
        return self._reader.read_now(ref, start, stop)

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop), from a thread where the disk is needed."""
        return await self._reader.read(ref, start, stop)

    def read_blocking(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop), waiting for the disk."""
        return self._reader.read_blocking(ref, start, stop)

    def scan(self) -> Iterator[StoredBlob]:
        """Yield every record of every segment; stop within a segment where records end."""
        for number in sorted(self._numbers()):
            for place, digest in self.records(number):
                yield StoredBlob(place.ref(), place.size, self._is_intact(place.ref(), digest))

    def _is_intact(self, ref: BlobRef, digest: bytes) -> bool:
        try:
            return sha256(self.read_blocking(ref)).digest() == digest
        except Corrupt:
            return False

    # -- upkeep: the sweep's, the verification's and the backup's

    def sizes(self) -> Mapping[int, int]:
        """Return the size of each segment file by its number, ascending."""
        found = {}
        for number in sorted(self._numbers()):
            with contextlib.suppress(FileNotFoundError):
                found[number] = segment_path(self._directory, number).stat().st_size
        return found

    def records(self, number: int) -> Iterator[Record]:
        """Yield the records of a segment, as far as one follows the other."""
        try:
            with open(segment_path(self._directory, number), "rb") as file:
                fd = file.fileno()
                yield from records_of(fd, number, os.fstat(fd).st_size)
        except OSError:
            return

    def is_sealed(self, number: int) -> bool:
        """Whether nothing will be written to this segment any more, by us or by another process of ours."""
        if number >= self._segment:
            return False
        try:
            with open(segment_path(self._directory, number), "rb") as file:
                return _lock(file.fileno())
        except OSError:
            return False

    def path(self, number: int) -> Path:
        """Return where a segment lies."""
        return segment_path(self._directory, number)

    @contextlib.contextmanager
    def keeping(self) -> Iterator[None]:
        """No segment is deleted within: for a backup."""
        self._keepers += 1
        try:
            yield
        finally:
            self._keepers -= 1

    def delete(self, number: int) -> bool:
        """Delete a sealed segment to which no row refers, unless a backup needs it still."""
        if self._keepers or not self.is_sealed(number):
            return False
        try:
            self._disk.remove(segment_path(self._directory, number))
        except OSError:
            return False
        self._reader.forget(number)
        return True

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in self._directory.glob("*.segment") if path.stem.isdigit()]


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _storage_error(error: OSError) -> StorageFull | SegmentsFailed:
    if error.errno in _NO_ROOM:
        return StorageFull(cause=f"segment: {error.strerror}")
    return SegmentsFailed(cause=f"segment: {error.strerror}")


def _end_of_records(fd: int, number: int, size: int) -> int:
    """Return where the last whole record ends; -1 if the file is no segment, or its last record is not whole."""
    end, last = -1, None
    try:
        if os.pread(fd, FILE_HEADER_OCTETS, 0) == file_header(number):
            end = FILE_HEADER_OCTETS
        for record in records_of(fd, number, size):
            last, end = record.place, record.place.end
        if last is not None and zlib.crc32(read_exactly(fd, last.offset, last.length)) != last.checksum:
            return -1  # The length was written but not all of the octets.
    except OSError:
        return -1
    return end
