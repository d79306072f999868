"""The data directory: everything that a server of one machine keeps, used by one process at a time."""

from __future__ import annotations

__all__ = ["DataDirectory", "DirectoryInUse"]

import contextlib
import fcntl
import os
from pathlib import Path

from hongyan import telemetry
from hongyan.engines.disk import Disk
from hongyan.errors import ConfigurationError, StorageFailed

log = telemetry.logger("store")

_LOCK = "lock"


class DirectoryInUse(ConfigurationError):
    """Another process works in the directory."""


class DataDirectory:
    """Where things lie, and the lock that keeps a second process out.

    The lock is the kernel's: it ends with the process, however that ends, and a file that is left behind locks nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_fd = -1

    @property
    def database(self) -> Path:
        return self.path / "mail.db"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    def lock(self) -> None:
        """Make the directory if need be and take it. Raises `DirectoryInUse`, `StorageFailed`."""
        try:
            self._make()
            self._close_to_others()
            fd = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageFailed(cause=f"the data directory: {error}") from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
            os.close(fd)
            raise DirectoryInUse(f"The data directory {self.path} is in use by process {holder or '?'}.") from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._lock_fd = fd

    def find_holder(self) -> str | None:
        """Return the process that works in the directory, by its number; None: nobody does. Changes nothing."""
        try:
            fd = os.open(self.path / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "?"
        finally:
            os.close(fd)
        return None

    def unlock(self) -> None:
        """Give the directory back."""
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _make(self) -> None:
        """Make the directory and those above it; a power loss does not take back the names of new ones."""
        missing = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for made in missing:
            Disk().sync_directory(made.parent)

    def _close_to_others(self) -> None:
        mode = self.path.stat().st_mode
        if mode & 0o077:
            with contextlib.suppress(PermissionError):
                self.path.chmod(0o700)
                return
            log.warning("data-directory-open-to-others", mode=oct(mode & 0o777))
