"""Blobs in append-only segment files: one sync for each group of blobs.

A segment is a header and records, each a header of 64 octets and the (perhaps compressed) blob.
Nothing is ever overwritten: a torn tail is left as it is and the next segment begins, so that no
octet that a row may refer to is touched. A reference says all that reading needs: segment,
offset, stored length, size, codec and checksum.

A failed sync spoils its segment: the kernel may have dropped the pages, and a second sync of the
same descriptor would say that all is well. The segment is closed and never written again.
"""

from __future__ import annotations

__all__ = ["SegmentStore", "SegmentsFailed"]

import asyncio
import contextlib
import errno
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import zstandard

from hongyan.errors import Corrupt, ServerFault, StorageFailed, StorageFull
from hongyan.store.blobs import BlobSource, StoredBlob
from hongyan.types import BlobRef

_MAGIC = b"HYSEG\x01\r\n"
_FILE_HEADER = struct.Struct(">8sQ")
_RECORD = struct.Struct(
    ">4sBxxxQQI4x32s"
)  # magic, codec, stored length, size, crc32 of what is stored, SHA-256 of the blob
_RECORD_MAGIC = b"\xa5HYB"
_REF = struct.Struct(">IQIIBI")  # segment, offset of the stored octets, stored length, size, codec, crc32

_RAW, _ZSTD = 0, 1
_COMPRESS_BELOW = 1 << 20  # Larger blobs are mostly base64 of what is compressed already.
_COMPRESS_ABOVE = 256
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


class SegmentsFailed(StorageFailed):
    """A segment could not be written or synced; what it was given is to be taken as lost."""


class SegmentStore:
    """The segment files of one directory, written by one thread at a time.

    `append` and `sync` belong to the database's writer thread, which calls `append` for every blob of a
    group, then `sync` once, and commits the rows after that. All other methods may be called from any thread.
    """

    def __init__(self, directory: Path, *, segment_octets: int = 256 << 20, reserve_octets: int = 64 << 20) -> None:
        self._directory = directory
        self._segment_octets = segment_octets
        self._reserve_octets = reserve_octets
        self._compressor = zstandard.ZstdCompressor(level=1, write_checksum=False, write_content_size=True)
        self._local = threading.local()
        self._files: dict[int, int] = {}
        self._files_lock = threading.Lock()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="blobs")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._segment = self._last_segment()
        self._spoiled = 0
        self._fd = -1
        self._end = 0
        self._dirty = False
        self._new_file = False
        self._waiting: list[tuple[Sequence[BlobSource], asyncio.Future[list[BlobRef]]]] = []
        self._putting = False
        self._put_task: asyncio.Task[None] | None = None
        self._put_thread = ThreadPoolExecutor(1, thread_name_prefix="segments")

    # -- writing: the writer thread's

    def append(self, octets: BlobSource) -> BlobRef:
        """Write a blob to the present segment. It is not yet safe: see `sync`."""
        stored, codec = self._encode(octets)
        size, length, checksum = len(octets), len(stored), zlib.crc32(stored)
        if size >> 32 or length >> 32:
            raise StorageFull(cause="a blob of 4 GiB or more")
        header = _RECORD.pack(_RECORD_MAGIC, codec, length, size, checksum, sha256(octets).digest())
        self._make_room(len(header) + length)
        at = self._end
        self._write(at, header, stored)
        self._end = at + len(header) + length
        self._dirty = True
        return BlobRef(_REF.pack(self._segment, at + len(header), length, size, codec, checksum))

    def sync(self) -> None:
        """Return when all that was appended is on stable storage. Raises `SegmentsFailed`."""
        if not self._dirty:
            return
        try:
            os.fdatasync(self._fd)
            if self._new_file:
                _sync_directory(self._directory)
                self._new_file = False
        except OSError as error:
            self._spoil()
            raise SegmentsFailed(cause=f"segment sync: {error.strerror}") from error
        self._dirty = False

    async def put(self, blobs: Sequence[BlobSource]) -> Sequence[BlobRef]:
        """Store blobs and return once they are safe, for an engine without a writer thread of its own.

        Groups form by themselves: what comes while a sync is under way goes into the next.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[BlobRef]] = loop.create_future()
        self._waiting.append((blobs, future))
        if len(self._waiting) == 1 and not self._putting:
            self._putting = True
            self._put_task = loop.create_task(self._put_groups())
        return await future

    async def _put_groups(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                try:
                    found = await loop.run_in_executor(self._put_thread, self._put_group, [blobs for blobs, _ in group])
                except ServerFault as fault:
                    for _, future in group:
                        if not future.done():
                            future.set_exception(fault)
                    continue
                for (_, future), refs in zip(group, found, strict=True):
                    if not future.done():
                        future.set_result(refs)
        finally:
            self._putting = False

    def _put_group(self, group: Sequence[Sequence[BlobSource]]) -> list[list[BlobRef]]:
        self.require_room(sum(len(blob) for blobs in group for blob in blobs))
        refs = [[self.append(blob) for blob in blobs] for blobs in group]
        self.sync()
        return refs

    def require_room(self, octets: int) -> None:
        """Raise `StorageFull` unless the disk holds so many octets and the reserve."""
        free = os.statvfs(self._directory)
        if free.f_bavail * free.f_frsize < octets + self._reserve_octets:
            raise StorageFull(cause="the reserve of free disk space is reached")

    def _encode(self, octets: BlobSource) -> tuple[BlobSource, int]:
        if _COMPRESS_ABOVE < len(octets) < _COMPRESS_BELOW:
            packed = self._compressor.compress(octets)
            if len(packed) < len(octets) - len(octets) // 16:
                return packed, _ZSTD
        return octets, _RAW

    def _make_room(self, octets: int) -> None:
        if self._fd >= 0 and self._end + octets > self._segment_octets and self._end > _FILE_HEADER.size:
            self.sync()
            os.close(self._fd)
            self._fd = -1
        if self._fd < 0:
            self._open_for_writing()

    def _open_for_writing(self) -> None:
        """Continue the last segment if it ends with a whole record, else begin the next."""
        if self._segment not in (0, self._spoiled) and self._resume(self._segment):
            return
        number = self._segment + 1
        try:
            fd = os.open(self._path(number), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _storage_error(error) from error
        self._fd, self._segment, self._end = fd, number, 0
        self._new_file = self._dirty = True
        self._write(0, _FILE_HEADER.pack(_MAGIC, number), b"")
        self._end = _FILE_HEADER.size

    def _resume(self, number: int) -> bool:
        try:
            fd = os.open(self._path(number), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        size = os.fstat(fd).st_size
        if size >= self._segment_octets or _end_of_records(fd, number, size) != size:
            os.close(fd)
            return False
        self._fd, self._end = fd, size
        self._new_file = self._dirty = True  # Whether an earlier run synced the directory is not known.
        return True

    def _write(self, at: int, header: bytes, stored: BlobSource) -> None:
        want = len(header) + len(stored)
        try:
            done = os.pwritev(self._fd, (header, stored), at)
            while done < want:
                rest = (header + bytes(stored))[done:]
                done += os.pwrite(self._fd, rest, at + done)
        except OSError as error:
            # Nothing refers to what was written of this record; give the room back.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, at)
            if at == 0:
                self._spoil()
            raise _storage_error(error) from error

    def _spoil(self) -> None:
        """Never write to the present segment again."""
        with contextlib.suppress(OSError):
            os.close(self._fd)
        self._fd, self._dirty, self._new_file = -1, False, False
        self._spoiled = self._segment

    # -- reading: anybody's

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return the octets if they lie in the page cache, else None."""
        segment, offset, length, size, codec, checksum = _unpack(ref)
        stop = size if stop is None else min(stop, size)
        try:
            fd = self._file(segment)
            if codec == _RAW and (start or stop < size):
                return _read_cached(fd, offset + start, stop - start)
            stored = _read_cached(fd, offset, length)
        except OSError as error:
            raise Corrupt(cause=f"segment {segment}: {error.strerror}") from error
        if stored is None:
            return None
        return self._decode(stored, codec, size, checksum, segment, offset)[start:stop]

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop), from a thread where the disk is needed."""
        octets = self.read_now(ref, start, stop)
        if octets is not None:
            return octets
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_blocking, ref, start, stop)

    def read_blocking(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop), waiting for the disk."""
        segment, offset, length, size, codec, checksum = _unpack(ref)
        stop = size if stop is None else min(stop, size)
        try:
            fd = self._file(segment)
            if codec == _RAW and (start or stop < size):
                return _read_exactly(fd, offset + start, stop - start)
            stored = _read_exactly(fd, offset, length)
        except OSError as error:
            raise Corrupt(cause=f"segment {segment} at {offset}: {error.strerror}") from error
        return self._decode(stored, codec, size, checksum, segment, offset)[start:stop]

    def scan(self) -> Iterator[StoredBlob]:
        """Yield every record of every segment; stop within a segment where records end."""
        for number in sorted(self._numbers()):
            with open(self._path(number), "rb") as file:
                yield from self._scan_segment(number, file.fileno())

    def _scan_segment(self, number: int, fd: int) -> Iterator[StoredBlob]:
        size_of_file = os.fstat(fd).st_size
        for at, codec, length, size, checksum in _records(fd, number, size_of_file):
            ref = BlobRef(_REF.pack(number, at, length, size, codec, checksum))
            try:
                self.read_blocking(ref)
                intact = True
            except Corrupt:
                intact = False
            yield StoredBlob(ref, size, intact)

    def close(self) -> None:
        """Sync and close. The store is of no use afterwards."""
        with contextlib.suppress(SegmentsFailed):
            self.sync()
        self._threads.shutdown(wait=True)
        self._put_thread.shutdown(wait=True)
        with self._files_lock:
            for fd in self._files.values():
                os.close(fd)
            self._files.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _decode(self, stored: bytes, codec: int, size: int, checksum: int, segment: int, offset: int) -> bytes:
        if zlib.crc32(stored) != checksum:
            raise Corrupt(cause=f"segment {segment} at {offset}: wrong checksum")
        if codec == _RAW:
            return stored
        try:
            return self._decompressor().decompress(stored, max_output_size=size)
        except zstandard.ZstdError as error:
            raise Corrupt(cause=f"segment {segment} at {offset}: {error}") from error

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        found: zstandard.ZstdDecompressor | None = getattr(self._local, "decompressor", None)
        if found is None:
            found = self._local.decompressor = zstandard.ZstdDecompressor()
        return found

    def _file(self, segment: int) -> int:
        """Return a descriptor for reading; the last used ones stay open."""
        fd = self._files.get(segment)
        if fd is not None:
            return fd
        with self._files_lock:
            if segment not in self._files:
                self._files[segment] = os.open(self._path(segment), os.O_RDONLY | os.O_CLOEXEC)
            return self._files[segment]

    def _path(self, number: int) -> Path:
        return self._directory / f"{number:08d}.segment"

    def _numbers(self) -> list[int]:
        return [int(path.stem) for path in self._directory.glob("*.segment") if path.stem.isdigit()]

    def _last_segment(self) -> int:
        return max(self._numbers(), default=0)


def _unpack(ref: BlobRef) -> tuple[int, int, int, int, int, int]:
    try:
        return _REF.unpack(ref)
    except struct.error as error:
        raise Corrupt(cause="a blob reference of another kind") from error


def _storage_error(error: OSError) -> StorageFull | SegmentsFailed:
    if error.errno in _NO_ROOM:
        return StorageFull(cause=f"segment: {error.strerror}")
    return SegmentsFailed(cause=f"segment: {error.strerror}")


def _read_cached(fd: int, at: int, count: int) -> bytes | None:
    """Read what lies in the page cache, or return None; never wait for the disk."""
    buffer = bytearray(count)
    try:
        got = os.preadv(fd, (buffer,), at, os.RWF_NOWAIT)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:  # tmpfs and some others lie in memory anyway
            return _read_exactly(fd, at, count)
        raise
    return bytes(buffer) if got == count else None


def _read_exactly(fd: int, at: int, count: int) -> bytes:
    octets = os.pread(fd, count, at)
    while len(octets) < count:
        more = os.pread(fd, count - len(octets), at + len(octets))
        if not more:
            raise OSError(errno.EIO, "the segment ends too early")
        octets += more
    return octets


def _records(fd: int, number: int, size: int) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (offset of the stored octets, codec, stored length, size, crc32) until records end."""
    head = os.pread(fd, _FILE_HEADER.size, 0)
    if len(head) < _FILE_HEADER.size or _FILE_HEADER.unpack(head) != (_MAGIC, number):
        return
    at = _FILE_HEADER.size
    while at + _RECORD.size <= size:
        magic, codec, length, blob_size, checksum, _digest = _RECORD.unpack(os.pread(fd, _RECORD.size, at))
        at += _RECORD.size
        if magic != _RECORD_MAGIC or at + length > size:
            return
        yield at, codec, length, blob_size, checksum
        at += length


def _end_of_records(fd: int, number: int, size: int) -> int:
    """Return where the last whole record ends; 0 if the file is no segment."""
    head = os.pread(fd, _FILE_HEADER.size, 0)
    if len(head) < _FILE_HEADER.size or _FILE_HEADER.unpack(head) != (_MAGIC, number):
        return 0
    end, last = _FILE_HEADER.size, None
    for last in _records(fd, number, size):
        end = last[0] + last[2]
    if last is not None and zlib.crc32(os.pread(fd, last[2], last[0])) != last[4]:
        return 0  # The length was written but not all of the octets.
    return end


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
