"""Reading blobs from segment files, at once where they lie in the page cache, else in a thread.

Nothing is returned whose checksum was not found right, be it a part or the whole.
"""

from __future__ import annotations

__all__ = ["SegmentReader", "segment_path"]

import asyncio
import errno
import os
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import zstandard

from hongyan.engines.disk import lies_in_memory
from hongyan.engines.segment_format import CHUNK, RAW, SUMMED, Place, place_of, read_exactly, sum_chunks
from hongyan.errors import Corrupt
from hongyan.types import BlobRef

_OPEN_FILES = 256
_SUM_OCTETS = 4


class SegmentReader:
    """Reads the segments of one directory. Its methods may be called from any thread, but `read` on a loop."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._in_memory = lies_in_memory(directory)
        self._files: OrderedDict[int, _File] = OrderedDict()
        self._files_lock = threading.Lock()
        self._local = threading.local()
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="blobs")

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
        """Return the octets if they lie in the page cache, else None."""
        place = place_of(ref)
        stop = place.size if stop is None else min(stop, place.size)
        try:
            file = self._file(place.segment)
            if place.codec == SUMMED and (start or stop < place.size):
                return _read_part(place, start, stop, lambda at, count: self._read_cached(file.fd, at, count))
            stored = self._read_cached(file.fd, place.offset, place.length)
        except OSError as error:
            raise _corrupt(place, str(error.strerror)) from error
        return None if stored is None else self._decode(stored, place)[start:stop]

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop), from a thread where the disk is needed."""
        octets = self.read_now(ref, start, stop)
        if octets is not None:
            return octets
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_blocking, ref, start, stop)

    def read_blocking(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        """Return the octets of [start, stop), waiting for the disk."""
        place = place_of(ref)
        stop = place.size if stop is None else min(stop, place.size)
        try:
            file = self._file(place.segment)
            if place.codec == SUMMED and (start or stop < place.size):
                return _read_part(place, start, stop, lambda at, count: read_exactly(file.fd, at, count)) or b""
            stored = read_exactly(file.fd, place.offset, place.length)
        except OSError as error:
            raise _corrupt(place, str(error.strerror)) from error
        return self._decode(stored, place)[start:stop]

    def forget(self, segment: int) -> None:
        """A segment is no more: do not keep its file open."""
        with self._files_lock:
            self._files.pop(segment, None)

    def close(self) -> None:
        """Close all files, when what is being read has been read."""
        self._threads.shutdown(wait=True)
        with self._files_lock:
            self._files.clear()

    def _read_cached(self, fd: int, at: int, count: int) -> bytes | None:
        """Read what lies in the page cache, or return None; never wait for the disk."""
        if self._in_memory:
            return read_exactly(fd, at, count)
        buffer = bytearray(count)
        try:
            got = os.preadv(fd, (buffer,), at, os.RWF_NOWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:  # The file system cannot tell what is cached.
                return None
            raise
        return bytes(buffer) if got == count else None

    def _decode(self, stored: bytes, place: Place) -> bytes:
        if zlib.crc32(stored) != place.checksum:
            raise _corrupt(place, "wrong checksum")
        if place.codec in (RAW, SUMMED):
            return stored[: place.size]
        try:
            octets = self._decompressor().decompress(stored, max_output_size=place.size)
        except zstandard.ZstdError as error:
            raise _corrupt(place, str(error)) from error
        if len(octets) != place.size:
            raise _corrupt(place, "wrong size")
        return octets

    def _decompressor(self) -> zstandard.ZstdDecompressor:
        found: zstandard.ZstdDecompressor | None = getattr(self._local, "decompressor", None)
        if found is None:
            found = self._local.decompressor = zstandard.ZstdDecompressor()
        return found

    def _file(self, segment: int) -> _File:
        """Return an open file; the last used ones stay open."""
        with self._files_lock:
            file = self._files.get(segment)
            if file is None:
                file = self._files[segment] = _File(segment_path(self._directory, segment))
                if len(self._files) > _OPEN_FILES:
                    self._files.popitem(last=False)
            else:
                self._files.move_to_end(segment)
            return file


def _read_part(place: Place, start: int, stop: int, read: Callable[[int, int], bytes | None]) -> bytes | None:
    """Return [start, stop) of a blob whose chunks have checksums; None if `read` does for any of it."""
    if start >= stop:
        return b""
    first, last = start // CHUNK, (stop - 1) // CHUNK + 1
    begin, end = first * CHUNK, min(last * CHUNK, place.size)
    sums = read(place.offset + place.size + _SUM_OCTETS * first, _SUM_OCTETS * (last - first))
    octets = None if sums is None else read(place.offset + begin, end - begin)
    if octets is None:
        return None
    if sum_chunks(octets) != sums:
        raise _corrupt(place, f"wrong checksum between {begin} and {end}")
    return octets[start - begin : stop - begin]


class _File:
    """A descriptor that closes when nobody reads by it any more, and not while somebody does."""

    __slots__ = ("fd",)

    def __init__(self, path: Path) -> None:
        self.fd = -1
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


def segment_path(directory: Path, number: int) -> Path:
    """Return the name of a segment's file."""
    return directory / f"{number:08d}.segment"


def _corrupt(place: Place, cause: str) -> Corrupt:
    return Corrupt(cause=f"segment {place.segment} at {place.offset}: {cause}")
