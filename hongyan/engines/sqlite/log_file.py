"""SQLite's log as a file: synced apart from commits, and written anew after a sync that failed.

The kernel may have dropped what a failed sync was to write, and call it clean: to sync once more says nothing. What
can still be read is written again as it stands, octet for octet, and synced. Whenever the power goes meanwhile, the
log is whole or ends early, as after any crash. (To move it into the database instead would not do: until the emptied
log is synced in its turn, a power loss puts the pages from before the gap over newer ones.)

The kernel tells a failed write once to each descriptor that was open by then, and to none that is opened later: so
the log is opened before anything is written to it, and stays open.
"""

from __future__ import annotations

__all__ = ["LogFile"]

import errno
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from hongyan.engines.disk import Disk

_AT_ONCE = 256  # frames
_HEAD = struct.Struct(">III4xQII")  # magic, version, page size, [checkpoints so far], salts, checksums
_FRAME = struct.Struct(">8xQII")  # [page, size of the database after a commit], salts, checksums
_MAGIC = 0x377F0682  # and 1 where checksums are of big-endian words
_MASK = 0xFFFFFFFF

Sums = tuple[int, int]


class LogFile:
    """The log of one database (https://sqlite.org/walformat.html)."""

    def __init__(self, database: Path, disk: Disk) -> None:
        self._path = Path(f"{database}-wal")
        self._disk = disk
        self._fd = -1

    def open(self) -> None:
        """Open the file, which is there once the database was read. Raises `OSError`."""
        self._fd = self._disk.open(self._path, os.O_RDWR)
        self._disk.sync_directory(self._path.parent)

    def sync(self) -> None:
        """Return when all that was committed is on stable storage. Raises `OSError`."""
        self._disk.sync(self._fd)

    def write_anew(self, frames: int) -> None:
        """Write and sync again so many frames. Nobody may commit meanwhile. Raises `OSError`.

        What stands behind them is cut off: a commit that failed must not come back with the next start.
        """
        end = 0
        for part in self._read_whole(frames) if frames else ():
            self._disk.write(self._fd, (part,), end)
            end += len(part)
        self._disk.truncate(self._fd, end)
        self._disk.sync(self._fd)
        self._disk.sync_directory(self._path.parent)

    def _read_whole(self, frames: int) -> Iterator[bytes]:
        """Yield the head and so many frames, as long as they are what was written. Raises `OSError`.

        A part that was lost may read as zeros, or as what stood there before; the checksums tell.
        """
        head = os.pread(self._fd, _HEAD.size, 0)
        if len(head) < _HEAD.size:
            raise _unreadable()
        magic, _version, page_octets, salts, *stored = _HEAD.unpack(head)
        words = struct.Struct(">II" if magic & 1 else "<II")
        sums = _sums(words, head[:24], (0, 0))
        if magic & ~1 != _MAGIC or sums != tuple(stored):
            raise _unreadable()
        yield head
        stride, at = _FRAME.size + page_octets, len(head)
        while frames:
            part = os.pread(self._fd, min(frames, _AT_ONCE) * stride, at)
            for start in range(0, min(frames, _AT_ONCE) * stride, stride):
                frame = part[start : start + stride]
                sums = _require_frame(words, frame, stride, salts, sums)
            yield part
            at += len(part)
            frames -= len(part) // stride

    def close(self) -> None:
        """Close the file, when no connection to the database is open any more.

        To close any descriptor of a file gives up all the locks that the process holds on it, SQLite's as well.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _require_frame(words: struct.Struct, frame: bytes, stride: int, salts: int, before: Sums) -> Sums:
    """Return the checksums of the log up to this frame, if they are the ones that it names. Raises `OSError`."""
    if len(frame) < stride:
        raise _unreadable()
    found, *stored = _FRAME.unpack_from(frame)
    sums = _sums(words, frame[_FRAME.size :], _sums(words, frame[:8], before))
    if found != salts or sums != tuple(stored):
        raise _unreadable()
    return sums


def _sums(words: struct.Struct, octets: bytes, before: Sums) -> Sums:
    one, two = before
    for first, second in words.iter_unpack(octets):
        one = (one + first + two) & _MASK
        two = (two + second + one) & _MASK
    return one, two


def _unreadable() -> OSError:
    return OSError(errno.EIO, "the log cannot be read any more")
