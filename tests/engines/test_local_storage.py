"""A data directory: one process at a time, open after any crash, closed to strangers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hongyan import telemetry
from hongyan.engines.directory import DataDirectory, DirectoryInUse
from hongyan.engines.local import storage as local
from hongyan.engines.local.storage import LocalStorage, StorageOptions, open_local_storage
from hongyan.errors import ConfigurationError, Corrupt, StorageFailed
from tests.support.mail import ACCOUNT, MailShop, message_octets

_HOLD = """
import sys
from pathlib import Path
from hongyan.engines.directory import DataDirectory
DataDirectory(Path(sys.argv[1])).lock()
print("locked", flush=True)
sys.stdin.read()
"""


async def open_shop(path: Path) -> tuple[LocalStorage, MailShop]:
    storage = await open_local_storage(path)
    return storage, MailShop(storage.sql)


def test_a_second_process_is_refused_and_told_who_holds_the_directory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLD, str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(DirectoryInUse, match=str(holder.pid)):
            DataDirectory(tmp_path / "data").lock()
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
    directory = DataDirectory(tmp_path / "data")
    directory.lock()
    directory.unlock()
    directory.unlock()


def test_a_lock_file_that_was_left_behind_locks_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("1\n")
    directory = DataDirectory(tmp_path)
    directory.lock()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    with pytest.raises(DirectoryInUse):
        DataDirectory(tmp_path).lock()


def test_the_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    DataDirectory(tmp_path / "data").lock()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "lock").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_made_is_a_failed_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed):
        DataDirectory(tmp_path / "file" / "data").lock()


async def test_a_directory_opens_again_with_all_that_was_in_it(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path)
    await shop.open_account()
    await shop.add_many(3)
    with pytest.raises(DirectoryInUse):
        await open_local_storage(tmp_path)
    await storage.close()
    storage, shop = await open_shop(tmp_path)
    assert await shop.read(3) == message_octets("n2")
    await storage.close()
    assert {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")} == {0}


async def test_what_a_killed_process_left_opens_without_repair(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    await shop.add_many(3)
    shutil.copytree(tmp_path / "data", tmp_path / "after")  # as the disk stands at this instant
    await storage.close()
    storage, shop = await open_shop(tmp_path / "after")
    assert await shop.read(3) == message_octets("n2")
    assert (await shop.add_many(1)).first_uid == 4
    await storage.close()


@pytest.mark.parametrize(("boot", "closed"), [("other", False), ("other", True), (None, False)])
async def test_after_a_power_loss_and_only_then_modseqs_are_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, boot: str | None, closed: bool
) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    await shop.add_many(1)
    head = await shop.mailboxes.highestmodseq(ACCOUNT)
    await shop.mail().live.open(ACCOUNT, shop.inbox)
    if closed:
        await storage.close()
    shutil.copytree(tmp_path / "data", tmp_path / "after")
    if not closed:
        await storage.close()
    if boot is not None:
        monkeypatch.setattr(local, "_boot_id", lambda: boot)
    storage, shop = await open_shop(tmp_path / "after")
    lost = boot is not None and not closed
    assert (await shop.mailboxes.highestmodseq(ACCOUNT) > head + 1000) == lost
    state = await shop.mail().live.open(ACCOUNT, shop.inbox)
    assert len(state) == 1
    await shop.add_many(1)
    await shop.require_exact_counters()
    await storage.close()


async def test_a_database_without_its_blobs_is_not_served(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path)
    for account in range(1, 5):
        other = MailShop(shop.storage, ACCOUNT.__class__(account))
        await other.open_account()
        await other.add_many(1)
    await storage.close()
    shutil.move(tmp_path / "blobs", tmp_path / "elsewhere")
    with telemetry.capture() as events, pytest.raises(ConfigurationError, match="not its messages"):
        await open_local_storage(tmp_path)
    assert [event.msg for event in events].count("blob-unreadable") == 4
    shutil.rmtree(tmp_path / "blobs")
    shutil.move(tmp_path / "elsewhere", tmp_path / "blobs")
    await (await open_local_storage(tmp_path)).close()


async def test_a_single_unreadable_message_does_not_stop_the_start(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path)
    await shop.open_account()
    await shop.add_many(1)
    await storage.close()
    (segment,) = (tmp_path / "blobs").iterdir()
    segment.write_bytes(segment.read_bytes()[:70])
    storage = await open_local_storage(tmp_path)
    with pytest.raises(Corrupt):
        await MailShop(storage.sql).read(1)
    await storage.close()


async def test_a_start_that_fails_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "mail.db").write_bytes(b"no database at all " * 100)
    for _ in range(2):
        with pytest.raises(Corrupt):
            await open_local_storage(tmp_path)
    (tmp_path / "mail.db").unlink()
    await (await open_local_storage(tmp_path)).close()


async def test_data_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path)
    await shop.run("INSERT INTO schema_log (number, name) VALUES (999, 'from the future')")
    await storage.close()
    with pytest.raises(ConfigurationError, match="999"):
        await open_local_storage(tmp_path)


async def test_a_start_with_a_long_log_is_quick_to_read(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    await asyncio.gather(*[shop.add_many(20) for _ in range(20)])
    shutil.copytree(tmp_path / "data", tmp_path / "after")
    await storage.close()
    storage, shop = await open_shop(tmp_path / "after")
    assert len(await shop.uids()) == 400
    await storage.close()


@pytest.mark.parametrize(
    "options", [{"readers": 0}, {"sync_within": 0.0}, {"segment_size": 0}, {"segment_size": 9999}, {"reserve": -1}]
)
def test_impossible_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        StorageOptions(**options)  # type: ignore[arg-type]
