"""What a segment file looks like: a header, then records, each a header and the (perhaps compressed) blob.

A reference says all that reading needs: segment, offset, stored length, size, codec and checksum. The record's own
header says the same, and the SHA-256 of the blob, so that a segment can be read without any database.

A large blob is read in parts, and a part is to be trusted as much as the whole. `SUMMED` is a blob as it is, with the
checksums of its chunks behind it: a part costs the chunks that it touches. A blob that is shorter than a chunk, or that
is compressed, is read whole.
"""

from __future__ import annotations

__all__ = [
    "CHUNK",
    "FILE_HEADER_OCTETS",
    "RAW",
    "RECORD_HEADER_OCTETS",
    "SUMMED",
    "ZSTD",
    "Place",
    "Record",
    "file_header",
    "place_of",
    "read_exactly",
    "record_header",
    "records_of",
    "sum_chunks",
]

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from hongyan.errors import Corrupt
from hongyan.store.blobs import BlobSource
from hongyan.types import BlobRef

RAW, ZSTD, SUMMED = 0, 1, 2

CHUNK = 16 << 10
"""Octets that have a checksum of their own; their number for a blob is that of its octets, rounded up."""

_SUM = struct.Struct(">I")

_MAGIC = b"HYSEG\x01\r\n"
_FILE_HEADER = struct.Struct(">8sQ")
_RECORD_MAGIC = b"\xa5HYB"
_RECORD = struct.Struct(">4sBxxxQQI4x32s")  # magic, codec, stored length, size, crc32 of what is stored, SHA-256
_REF = struct.Struct(">IQIIBI")

FILE_HEADER_OCTETS = _FILE_HEADER.size
RECORD_HEADER_OCTETS = _RECORD.size


class Place(NamedTuple):
    """Where a blob lies and how to read it."""

    segment: int
    offset: int
    length: int
    size: int
    codec: int
    checksum: int

    @property
    def end(self) -> int:
        return self.offset + self.length

    def ref(self) -> BlobRef:
        """Return the reference that rows hold."""
        return BlobRef(_REF.pack(*self))


class Record(NamedTuple):
    """A record as its header tells it."""

    place: Place
    digest: bytes


def place_of(ref: BlobRef) -> Place:
    """Return the place that a reference names. Raises `Corrupt`."""
    try:
        return Place._make(_REF.unpack(ref))
    except struct.error as error:
        raise Corrupt(cause="a blob reference of another kind") from error


def sum_chunks(octets: BlobSource) -> bytes:
    """Return the checksums of a blob's chunks, one after the other."""
    view = memoryview(octets)
    return b"".join(_SUM.pack(zlib.crc32(view[at : at + CHUNK])) for at in range(0, len(view), CHUNK))


def file_header(number: int) -> bytes:
    """Return the first octets of a segment."""
    return _FILE_HEADER.pack(_MAGIC, number)


def record_header(place: Place, digest: bytes) -> bytes:
    """Return the octets that stand before a stored blob."""
    return _RECORD.pack(_RECORD_MAGIC, place.codec, place.length, place.size, place.checksum, digest)


def records_of(fd: int, number: int, size: int) -> Iterator[Record]:
    """Yield the records of a segment from its first octets on, as far as one follows the other."""
    if os.pread(fd, FILE_HEADER_OCTETS, 0) != file_header(number):
        return
    at = FILE_HEADER_OCTETS
    while at + RECORD_HEADER_OCTETS <= size:
        magic, codec, length, blob_size, checksum, digest = _RECORD.unpack(read_exactly(fd, at, RECORD_HEADER_OCTETS))
        at += RECORD_HEADER_OCTETS
        if magic != _RECORD_MAGIC or at + length > size:
            return
        yield Record(Place(number, at, length, blob_size, codec, checksum), digest)
        at += length


def read_exactly(fd: int, at: int, count: int) -> bytes:
    """Return so many octets, waiting for the disk. Raises `OSError`, also where the file ends."""
    octets = os.pread(fd, count, at)
    while len(octets) < count:
        more = os.pread(fd, count - len(octets), at + len(octets))
        if not more:
            raise OSError(errno.EIO, "the segment ends too early")
        octets += more
    return octets
