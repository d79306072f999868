"""A message on its way in: in memory at first, in a temporary file when it grows large or memory is short.

However many senders stall in the middle of a message, all of them together hold no more memory than is set; beyond it
what comes goes to files at once. What lies here is nobody's promise: it is gone when the process is. The files have no
name.
"""

from __future__ import annotations

__all__ = ["IN_MEMORY", "Spool", "SpoolOptions", "SpoolRoom", "make_room"]

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from hongyan.errors import StorageFailed, StorageFull
from hongyan.options import option

IN_MEMORY = 1 << 20
"""Octets of a message that wait in memory."""


@dataclass(frozen=True, slots=True)
class SpoolOptions:
    """The section `[spool]`."""

    in_memory: int = option(
        64 << 20,
        "Messages on their way in: what of them all together waits in memory; what is more goes to temporary files.",
        unit="octets",
    )

    def __post_init__(self) -> None:
        if self.in_memory < 0:
            raise ValueError("in_memory is not negative")


class SpoolRoom:
    """What all spools share: the directory of their files, and the memory that they may hold."""

    __slots__ = ("directory", "held", "most")

    def __init__(self, directory: Path, most: int) -> None:
        self.directory = directory
        self.most = most
        self.held = 0

    def take(self, octets: int) -> bool:
        """Reserve memory; say whether there is that much."""
        if self.held + octets > self.most:
            return False
        self.held += octets
        return True

    def give_back(self, octets: int) -> None:
        """Free what was reserved."""
        self.held -= octets


class Spool:
    """Collects the chunks of one message."""

    __slots__ = ("_file", "_held", "_room", "size")

    def __init__(self, room: SpoolRoom) -> None:
        self._room = room
        self._held = bytearray()  # Chunks may be of an octet each; a list of them would cost forty times as much.
        self._file: int | None = None
        self.size = 0

    def __del__(self) -> None:
        self.drop()

    def add(self, octets: bytes) -> None:
        """Take the next chunk. Raises `StorageFull` or `StorageFailed` when the temporary file does not take it."""
        self.size += len(octets)
        if self._file is None and self.size <= IN_MEMORY and self._room.take(len(octets)):
            self._held += octets
        else:
            self._write_out(octets)

    def _write_out(self, octets: bytes) -> None:
        """Move what is in memory to the file, and what came. The page cache takes it; nothing waits for the disk."""
        try:
            if self._file is None:
                self._file = os.open(self._room.directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
            if self._held:
                _write_all(self._file, self._held)
            _write_all(self._file, octets)
        except OSError as error:
            self.drop()
            fault = StorageFull if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) else StorageFailed
            raise fault(cause=f"spool: {error.strerror}") from error
        self._release()

    def take(self) -> bytes:
        """Return the whole message, and hold nothing any more. Raises `StorageFailed` when it is not whole."""
        size = self.size
        try:
            octets = bytes(self._held) if self._file is None else _read_all(self._file)
        except OSError as error:
            raise StorageFailed(cause=f"spool: {error.strerror}") from error
        finally:
            self.drop()
        if len(octets) != size:
            raise StorageFailed(cause=f"spool: {len(octets)} octets are left of {size}")
        return octets

    def drop(self) -> None:
        """Forget the message."""
        self._release()
        self.size = 0
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _release(self) -> None:
        if self._held:
            self._room.give_back(len(self._held))
            self._held = bytearray()


def _write_all(file: int, octets: bytes | bytearray) -> None:
    """Write all octets: a disk that grows full takes a part of them first, and says nothing."""
    left = memoryview(octets)
    while left:
        left = left[os.write(file, left) :]


def _read_all(file: int) -> bytes:
    with open(file, "rb", closefd=False) as reader:
        reader.seek(0)
        return reader.read()


def make_room(data: Path, options: SpoolOptions) -> SpoolRoom:
    """Return the room of a data directory's spools; its directory is made if need be."""
    directory = data / "spool"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SpoolRoom(directory, options.in_memory)
