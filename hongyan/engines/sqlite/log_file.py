"""SQLite's log as a file: synced apart from commits, and written anew after a sync that failed.

The kernel may have dropped what a failed sync was to write, and call it clean: to sync once more says nothing. What
can still be read is written again as it stands, octet for octet, and synced. Whenever the power goes meanwhile, the
log is whole or ends early, as after any crash. (To move it into the database instead would not do: until the emptied
log is synced in its turn, a power loss puts the pages from before the gap over newer ones.)
"""

from __future__ import annotations

__all__ = ["LogFile"]

import errno
import os
import struct
from pathlib import Path

from hongyan.engines.disk import Disk

_CHUNK = 1 << 20
_HEAD = struct.Struct(">4sIIIQQ")  # magic, version, page size, checkpoints so far, salts, checksums
_FRAME = struct.Struct(">IIQQ")  # page, size of the database after a commit, salts, checksums


class LogFile:
    """The log of one database (https://sqlite.org/walformat.html). The file stays open: see `close`."""

    def __init__(self, database: Path, disk: Disk) -> None:
        self._path = Path(f"{database}-wal")
        self._disk = disk
        self._fd = -1

    def sync(self) -> None:
        """Return when all that was committed is on stable storage. Raises `OSError`."""
        if self._fd < 0:
            self._fd = self._disk.open(self._path, os.O_RDWR)
            self._disk.sync_directory(self._path.parent)
        self._disk.sync(self._fd)

    def write_anew(self, frames: int) -> None:
        """Write and sync again so many frames. Nobody may commit meanwhile. Raises `OSError`.

        What stands behind them is cut off: a commit that failed must not come back with the next start.
        """
        if self._fd < 0:
            self._fd = self._disk.open(self._path, os.O_RDWR)
        end = self._require_whole(frames) if frames else 0
        for at in range(0, end, _CHUNK):
            self._disk.write(self._fd, (os.pread(self._fd, min(_CHUNK, end - at), at),), at)
        self._disk.truncate(self._fd, end)
        self._disk.sync(self._fd)
        self._disk.sync_directory(self._path.parent)

    def _require_whole(self, frames: int) -> int:
        """Return where the last frame ends, if all of them can still be read. Raises `OSError`."""
        head = os.pread(self._fd, _HEAD.size, 0)
        if len(head) == _HEAD.size:
            _magic, _version, page_octets, _count, salts, _sums = _HEAD.unpack(head)
            stride: int = _FRAME.size + page_octets
            for at in range(_HEAD.size, _HEAD.size + frames * stride, stride):
                frame = os.pread(self._fd, _FRAME.size, at)
                if len(frame) < _FRAME.size or _FRAME.unpack(frame)[2] != salts:
                    break
            else:
                return _HEAD.size + frames * stride
        raise OSError(errno.EIO, "the log cannot be read any more")

    def close(self) -> None:
        """Close the file, when no connection to the database is open any more.

        To close any descriptor of a file gives up all the locks that the process holds on it, SQLite's as well.
        """
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
