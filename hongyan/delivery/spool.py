"""A message on its way in: in memory at first, in a temporary file when it grows large.

What lies here is nobody's promise: it is gone when the process is. The file has no name.
"""

from __future__ import annotations

__all__ = ["IN_MEMORY", "Spool", "spool_directory"]

import errno
import os
from pathlib import Path

from hongyan.errors import StorageFailed, StorageFull

IN_MEMORY = 1 << 20
"""Octets of a message that wait in memory."""


class Spool:
    """Collects the chunks of one message."""

    __slots__ = ("_chunks", "_directory", "_file", "size")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._chunks: list[bytes] = []
        self._file: int | None = None
        self.size = 0

    def add(self, octets: bytes) -> None:
        """Take the next chunk. Raises `StorageFull` or `StorageFailed` when the temporary file does not take it."""
        self._chunks.append(octets)
        self.size += len(octets)
        if self.size > IN_MEMORY:
            self._write_out()

    def _write_out(self) -> None:
        """Move what is in memory to the file. The page cache takes it; nothing here waits for the disk."""
        try:
            if self._file is None:
                self._file = os.open(self._directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
            _write_all(self._file, b"".join(self._chunks))
        except OSError as error:
            self.drop()
            fault = StorageFull if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) else StorageFailed
            raise fault(cause=f"spool: {error.strerror}") from error
        self._chunks = []

    def take(self) -> bytes:
        """Return the whole message, and hold nothing any more. Raises `StorageFailed` when it is not whole."""
        size = self.size
        try:
            octets = b"".join(self._chunks) if self._file is None else _read_all(self._file)
        except OSError as error:
            raise StorageFailed(cause=f"spool: {error.strerror}") from error
        finally:
            self.drop()
        if len(octets) != size:
            raise StorageFailed(cause=f"spool: {len(octets)} octets are left of {size}")
        return octets

    def drop(self) -> None:
        """Forget the message."""
        self._chunks = []
        self.size = 0
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _write_all(file: int, octets: bytes) -> None:
    """Write all octets: a disk that grows full takes a part of them first, and says nothing."""
    left = memoryview(octets)
    while left:
        left = left[os.write(file, left) :]


def _read_all(file: int) -> bytes:
    with open(file, "rb", closefd=False) as reader:
        reader.seek(0)
        return reader.read()


def spool_directory(data: Path) -> Path:
    """Return where the temporary files of a data directory lie, made if need be."""
    directory = data / "spool"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
