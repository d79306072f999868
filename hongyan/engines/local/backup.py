"""Backup and restore of a data directory.

A backup is a directory: a copy of the database as it was at one moment, the segments that its rows refer to, and
`backup.json`, written last, which says what belongs to it. The server goes on meanwhile: the database is copied
first, and since a row is committed only after its blob is safe, the segments copied after it hold all that it
refers to; none is deleted before the end. Made into the directory of an earlier backup, only what is new is copied.

A restore forgets what came after the backup, and so it moves all counters ahead: no UID, MODSEQ or number that a
client has seen is given out for something else.
"""

from __future__ import annotations

__all__ = ["BackupReport", "back_up", "restore"]

import asyncio
import contextlib
import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import apsw

from hongyan.clock import Clock
from hongyan.engines.disk import Disk
from hongyan.engines.local.storage import LocalStorage, begin_lineage, find_lineage, open_local_storage
from hongyan.engines.progress import Progress
from hongyan.engines.sql.skipping import skip_after_restore
from hongyan.engines.sqlite.connection import fault_of
from hongyan.errors import AlreadyExists, Corrupt, NotFound, StorageFailed, StorageFull

_FORMAT = 1
_DATABASE = "mail.db"
_BLOBS = "blobs"
_MANIFEST = "backup.json"
_PIECE = 8 << 20


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was copied, and what lay there from an earlier backup."""

    made_at: str
    database_octets: int
    segments: Mapping[int, int] = field(default_factory=dict)
    copied_octets: int = 0
    kept_octets: int = 0

    def as_json(self) -> dict[str, object]:
        """Return the report as values that JSON has."""
        return asdict(self)


async def back_up(storage: LocalStorage, target: Path, clock: Clock, progress: Progress | None = None) -> BackupReport:
    """Make a backup of an open storage, or bring an earlier one in `target` up to date; `progress` counts octets.

    Raises `AlreadyExists` when something else lies there, `StorageFull` or `StorageFailed`.
    """
    made_at = clock.now().isoformat(timespec="seconds")
    lineage = await find_lineage(storage.database)
    with storage.blobs.keeping():
        try:
            return await asyncio.to_thread(_back_up, storage, target, made_at, lineage, progress or Progress())
        except OSError as error:
            raise _fault(error) from error


def _back_up(storage: LocalStorage, target: Path, made_at: str, lineage: str, progress: Progress) -> BackupReport:
    disk, blobs = Disk(), storage.blobs
    manifest = _prepare(target)
    # Segments of the same number are the same only if one history made them.
    earlier = manifest.segments if manifest.lineage == lineage else {}
    fresh = target / f"{_DATABASE}.new"
    fresh.unlink(missing_ok=True)
    os.close(disk.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL))
    progress.total = storage.directory.database.stat().st_size + sum(blobs.sizes().values())
    storage.database.backup_to(fresh)
    _sync(disk, fresh)
    # The database first. What it refers to lies in these segments up to these sizes.
    segments = dict(blobs.sizes())
    database_octets = progress.done = fresh.stat().st_size
    progress.total = database_octets + sum(segments.values())
    copied = kept = 0
    for number, size in segments.items():
        copy = target / _BLOBS / blobs.path(number).name
        if earlier.get(number) == size and copy.exists() and copy.stat().st_size == size:
            kept += size
            progress.done += size
            continue
        _copy(disk, blobs.path(number), copy, size, progress)
        copied += size
    # From here on the earlier backup is no more: its manifest goes before its database does.
    (target / _MANIFEST).unlink(missing_ok=True)
    fresh.replace(target / _DATABASE)
    _forget_others(target / _BLOBS, {blobs.path(number).name for number in segments})
    _write_manifest(disk, target, _Manifest(made_at, lineage, segments))
    return BackupReport(made_at, database_octets, segments, copied, kept)


@dataclass(frozen=True, slots=True)
class _Manifest:
    made_at: str
    lineage: str
    segments: Mapping[int, int]


def _prepare(target: Path) -> _Manifest:
    """Make the directory, or return what is said of the backup that lies in it."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    (target / _BLOBS).mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(NotFound):
        return _read_manifest(target)
    strangers = {path.name for path in target.iterdir()} - {_BLOBS, _DATABASE, f"{_DATABASE}.new"}
    if strangers:
        raise AlreadyExists(f"{target} holds something that is no backup.")
    return _Manifest("", "", {})


def _read_manifest(backup: Path) -> _Manifest:
    """Return what is said of a backup. Raises `NotFound` and `Corrupt`."""
    try:
        told = json.loads((backup / _MANIFEST).read_text())
        if told["format"] != _FORMAT:
            raise Corrupt(f"{backup} is a backup of format {told['format']}; this Hongyan reads {_FORMAT}.")
        segments = {int(number): int(size) for number, size in told["segments"].items()}
        return _Manifest(told["made_at"], told["lineage"], segments)
    except FileNotFoundError as error:
        raise NotFound(f"{backup} is no backup, or one that was not finished.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(f"{backup / _MANIFEST} cannot be read.", cause=str(error)) from error


def _write_manifest(disk: Disk, target: Path, manifest: _Manifest) -> None:
    fresh = target / f"{_MANIFEST}.new"
    with open(disk.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w") as file:
        json.dump({"format": _FORMAT, **asdict(manifest)}, file, indent=1)
    _sync(disk, fresh)
    disk.sync_directory(target / _BLOBS)
    fresh.replace(target / _MANIFEST)
    disk.sync_directory(target)


def _forget_others(blobs: Path, names: set[str]) -> None:
    for path in blobs.iterdir():
        if path.name not in names:
            path.unlink()


def _copy(disk: Disk, source: Path, target: Path, size: int, progress: Progress) -> None:
    """Copy the first octets of a file; where the file system can, they are shared and not copied."""
    fresh = target.with_suffix(".new")
    with open(source, "rb") as reading, open(disk.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as writing:
        left = size
        while left:
            done = _copy_piece(reading.fileno(), writing.fileno(), min(left, _PIECE))
            if not done:
                raise Corrupt(cause=f"{source.name} is shorter than it was")
            left -= done
            progress.done += done
        disk.sync(writing.fileno())
    fresh.replace(target)


def _copy_piece(source: int, target: int, count: int) -> int:
    try:
        return os.copy_file_range(source, target, count)
    except OSError:  # Not between these file systems.
        octets = os.read(source, count)
        return os.write(target, octets) if octets else 0


def _sync(disk: Disk, path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        disk.sync(fd)
    finally:
        os.close(fd)


# -- restore


async def restore(backup: Path, data: Path, progress: Progress | None = None) -> None:
    """Make a data directory from a backup; `progress` counts octets.

    Raises `AlreadyExists` unless it is empty, `NotFound`, `Corrupt`.
    """
    try:
        await asyncio.to_thread(_restore, backup, data, progress or Progress())
    except OSError as error:
        raise _fault(error) from error
    storage = await open_local_storage(data)
    try:
        await skip_after_restore(storage.database)
        await begin_lineage(storage.database)
    finally:
        await storage.close()


def _restore(backup: Path, data: Path, progress: Progress) -> None:
    disk = Disk()
    segments = _read_manifest(backup).segments
    if data.exists() and any(data.iterdir()):
        raise AlreadyExists(f"{data} is not empty.")
    _check_database(backup / _DATABASE)
    database_octets = (backup / _DATABASE).stat().st_size
    progress.total = database_octets + sum(segments.values())
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / _BLOBS).mkdir(mode=0o700)
    for number, size in segments.items():
        name = f"{number:08d}.segment"
        _copy(disk, backup / _BLOBS / name, data / _BLOBS / name, size, progress)
    disk.sync_directory(data / _BLOBS)
    # The database last: a directory without it is empty to whoever starts on it, and not half restored.
    _copy(disk, backup / _DATABASE, data / _DATABASE, database_octets, progress)
    disk.sync_directory(data)


def _check_database(path: Path) -> None:
    if not path.exists():
        raise NotFound(f"{path} is missing: that is no whole backup.")
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            told = connection.execute("PRAGMA quick_check(1)").fetchall()
        finally:
            connection.close()
    except apsw.Error as error:
        raise fault_of(error) from error
    if told != [("ok",)]:
        raise Corrupt(f"The database of the backup is damaged: {told[0][0]}")


def _fault(error: OSError) -> StorageFull | StorageFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        return StorageFull(cause=str(error))
    return StorageFailed(cause=str(error))
