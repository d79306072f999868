"""What is kept: verified, and backed up with the keys that it is worth nothing without.

A backup is a directory: what `engines.local.backup` makes of the database and the messages, and in `keys` the server's
key, the DKIM keys and the relay's secret.
"""

from __future__ import annotations

__all__ = ["KEYS", "check_restore", "restore_backup", "store_operations"]

import asyncio
import contextlib
import dataclasses
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from hongyan.assembly.ground import Ground
from hongyan.assembly.services import Services
from hongyan.auth.client_authority import CLIENT_AUTHORITY
from hongyan.engines.local.backup import back_up, restore
from hongyan.engines.progress import Progress
from hongyan.engines.upkeep.verify import Verification
from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.operations.calling import Caller, Document, Operation, Tell
from hongyan.search.verify import look_at_indexes

KEYS = "keys"
_KEPT = ("server.key", CLIENT_AUTHORITY, "relay.secret", "dkim")
_LOOK = 0.2  # seconds between two looks at how far it is


def store_operations(ground: Ground, services: Services) -> Mapping[str, Operation]:
    """Return the operations on what is kept, by name."""
    group = _Store(ground, services)
    return {"store.verify": group.verify, "store.backup": group.backup}


class _Store:
    def __init__(self, ground: Ground, services: Services) -> None:
        self._ground = ground
        self._services = services

    async def verify(self, caller: Caller, *, repair: bool = False, shallow: bool = False) -> Document:
        """Look at everything that is kept; with `repair`, mend what can be."""
        verification = Verification(self._ground.engines.storage, self._ground.clock, repair=repair, shallow=shallow)
        async with _telling(caller.tell, verification.progress):
            report = await verification.run()
        for account in report.changed_accounts:
            await self._services.mail.live.catch_up(account)
            self._services.hub.publish(account, await self._services.mail.mailboxes.highestmodseq(account))
        return {**report.as_json(), "index": await self._look_at_index(repair=repair, shallow=shallow)}

    async def _look_at_index(self, *, repair: bool, shallow: bool) -> Document | None:
        """Look at the text index as well, which is no part of what may not be lost; None if there is none."""
        searching = self._services.searching
        if searching.index is None or searching.indexer is None:
            return None
        messages = self._services.mail.messages
        found = await look_at_indexes(searching.index, searching.indexer, messages, repair=repair, shallow=shallow)
        return dataclasses.asdict(found)

    async def backup(self, caller: Caller, *, target: str, dry_run: bool = False) -> Document:
        """Make a backup in a directory, or bring the one that lies there up to date; the server goes on."""
        local = self._ground.engines.local
        if local is None:
            raise Refused("The database is PostgreSQL: back it up by its own means, and the data directory as files.")
        folder = Path(target)
        await asyncio.to_thread(_check_target, folder, self._ground.data)
        if dry_run:
            return {"target": target, "dry_run": True}
        progress = Progress()
        async with _telling(caller.tell, progress):
            report = await back_up(local, folder, self._ground.clock, progress)
        await asyncio.to_thread(_copy_keys, self._ground.data, folder / KEYS)
        return {"target": target, **report.as_json()}


async def restore_backup(backup: Path, data: Path, tell: Tell) -> None:
    """Make a data directory from a backup, whole or not at all; `tell` is told how many octets are done.

    Raises `AlreadyExists` unless the directory is empty or not there, `NotFound`, `Corrupt`.
    """
    await asyncio.to_thread(check_restore, backup, data)
    making = data.with_name(f".{data.name}.restoring")
    await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)
    progress = Progress()
    async with _telling(tell, progress):
        await restore(backup, making, progress)
    await asyncio.to_thread(_put_in_place, backup / KEYS, making, data)


def _check_target(folder: Path, data: Path) -> None:
    if not folder.is_absolute():
        raise Refused("The directory of a backup is named by its whole path.")
    if data.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise Refused("A backup does not lie within the data that it is of.")


def check_restore(backup: Path, data: Path) -> None:
    """Refuse what cannot be restored. Raises `AlreadyExists` and `NotFound`."""
    if data.exists() and any(data.iterdir()):
        raise AlreadyExists(f"{data} is not empty.")
    if not (backup / KEYS / _KEPT[0]).is_file():
        raise NotFound(f"{backup} is no backup, or one that was not finished.")


def _put_in_place(keys: Path, making: Path, data: Path) -> None:
    _copy_keys(keys, making)
    if data.exists():
        data.rmdir()
    making.rename(data)
    _sync(data.parent)


def _copy_keys(source: Path, target: Path) -> None:
    """Copy what is there of the keys, and sync it: each file readable by its owner alone."""
    target.mkdir(mode=0o700, exist_ok=True)
    for name in _KEPT:
        for file in _files(source / name):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy(file, copy)
    _sync(target)


def _files(path: Path) -> list[Path]:
    return sorted(found for found in path.rglob("*") if found.is_file()) if path.is_dir() else [path] * path.is_file()


def _copy(source: Path, target: Path) -> None:
    fresh = target.with_name(f"{target.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def _telling(tell: Tell, progress: Progress) -> AsyncIterator[None]:
    """Tell how far it is, now and then, and at the end."""

    async def look() -> None:
        while True:
            tell(progress.done, progress.total)
            await asyncio.sleep(_LOOK)

    looking = asyncio.ensure_future(look())
    try:
        yield
    finally:
        looking.cancel()
        tell(progress.done, progress.total)
