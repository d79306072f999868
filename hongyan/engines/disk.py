"""The calls on files that may fail, in one place, so that a test can make them fail.

Whoever promises that something is on stable storage writes and syncs through a `Disk`.
"""

from __future__ import annotations

__all__ = ["Disk", "lies_in_memory"]

import errno
import os
from collections.abc import Sequence
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")


class Disk:
    """The system's files."""

    def open(self, path: Path, flags: int) -> int:
        """Return a descriptor; a new file is its owner's alone."""
        return os.open(path, flags | os.O_CLOEXEC, 0o600)

    def write(self, fd: int, parts: Sequence[bytes | bytearray | memoryview], at: int) -> None:
        """Write all the parts, one after the other."""
        done = os.pwritev(fd, parts, at)
        if done == sum(map(len, parts)):
            return
        rest = memoryview(b"".join(parts))[done:]
        while rest:
            more = os.pwrite(fd, rest, at + done)
            if not more:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            done += more
            rest = rest[more:]

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file off."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Return when the file's octets, and its size, are on stable storage."""
        os.fdatasync(fd)

    def sync_directory(self, directory: Path) -> None:
        """Return when the directory's names are on stable storage."""
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, path: Path) -> None:
        """Delete a file."""
        path.unlink()

    def free_octets(self, directory: Path) -> int:
        """Return how much the disk still takes from us."""
        free = os.statvfs(directory)
        return free.f_bavail * free.f_frsize


def lies_in_memory(directory: Path) -> bool:
    """Whether a directory's file system has no disk that could be waited for."""
    try:
        device = directory.stat().st_dev
        mounts = _MOUNTS.read_text().splitlines()
    except OSError:
        return False
    name = f"{os.major(device)}:{os.minor(device)}"
    # proc(5): ID, parent, device, root, mount point, options, optional fields, a dash, type …
    kinds = [line.partition(" - ")[2].split()[0] for line in mounts if line.split()[2] == name]
    return bool(kinds) and kinds[0] in ("tmpfs", "ramfs")
