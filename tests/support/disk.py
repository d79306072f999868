"""Disks that fail when they are told to, and tell what was asked of them: beneath segments, and beneath SQLite."""

from __future__ import annotations

__all__ = ["FaultyDisk", "FaultySqlite", "faulty_sqlite"]

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from hongyan.engines.disk import Disk


class FaultyDisk(Disk):
    """Fails each call named in `fail` with that error number; writes only `short` octets of a write that fails."""

    def __init__(self, calls: list[str] | None = None) -> None:
        self.calls = calls if calls is not None else []
        self.fail: dict[str, int] = {}
        self.short = 0
        self.free = 1 << 40
        self.synced = threading.Event()

    def _meet(self, call: str, fd: int | None = None) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{fd}")).suffix if fd is not None else ""
        self.calls.append(f"{call} {name}".strip())
        if call in self.fail:
            raise OSError(self.fail[call], os.strerror(self.fail[call]))

    def open(self, path: Path, flags: int) -> int:
        if flags & os.O_CREAT:
            self._meet("create")
        return super().open(path, flags)

    def write(self, fd: int, parts: Sequence[bytes | bytearray | memoryview], at: int) -> None:
        if "write" in self.fail and self.short:
            super().write(fd, (b"".join(parts)[: self.short],), at)
        self._meet("write", fd)
        super().write(fd, parts, at)

    def truncate(self, fd: int, size: int) -> None:
        self._meet("truncate", fd)
        super().truncate(fd, size)

    def sync(self, fd: int) -> None:
        self._meet("sync", fd)
        super().sync(fd)
        self.synced.set()

    def sync_directory(self, directory: Path) -> None:
        self._meet("sync-directory")
        super().sync_directory(directory)

    def free_octets(self, directory: Path) -> int:
        if "free" in self.fail:
            raise OSError(self.fail["free"], os.strerror(self.fail["free"]))
        return self.free

    def fill(self) -> None:
        """From now on nothing finds room."""
        self.fail["write"] = self.fail["create"] = errno.ENOSPC


class FaultySqlite(apsw.VFS):
    """The files that SQLite opens: `fail` maps "sync -wal", "write .db" … to the error that the call raises."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail: dict[str, type[apsw.Error]] = {}
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _FaultyFile(self, name, flags)

    def meet(self, call: str) -> None:
        self.calls.append(call)
        if call in self.fail:
            raise self.fail[call]("made to fail")


class _FaultyFile(apsw.VFSFile):
    def __init__(self, files: FaultySqlite, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name or ""
        self._files = files
        self._kind = "-wal" if path.endswith("-wal") else Path(path).suffix

    def xWrite(self, data: bytes, offset: int) -> None:
        self._files.meet(f"write {self._kind}")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._files.meet(f"sync {self._kind}")
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        self._files.meet(f"truncate {self._kind}")
        super().xTruncate(newsize)


@contextmanager
def faulty_sqlite() -> Iterator[FaultySqlite]:
    """Put faulty files beneath every connection that is opened within."""
    files = FaultySqlite()
    try:
        yield files
    finally:
        files.unregister()
