"""Backup and restore: one moment of a server at work, whole again elsewhere, and nothing given out twice."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
from pathlib import Path

import apsw
import pytest
from pyroaring import BitMap

from hongyan.engines.local.backup import back_up, restore
from hongyan.engines.local.storage import LocalStorage, StorageOptions, open_local_storage
from hongyan.engines.upkeep.sweep import Sweep, SweepOptions
from hongyan.engines.upkeep.verify import Verification
from hongyan.errors import AlreadyExists, Corrupt, NotFound, StorageFailed, StorageFull
from hongyan.mailboxes.expunge import expunged_since
from tests.support.clock import FakeClock
from tests.support.mail import ACCOUNT, MailShop, message_octets, new_message

_CLOCK = FakeClock()


async def open_shop(path: Path, segment_octets: int = 20_000) -> tuple[LocalStorage, MailShop]:
    storage = await open_local_storage(path, StorageOptions(reserve=0))
    storage.blobs._segment_octets = segment_octets
    return storage, MailShop(storage.sql)


async def require_sound(shop: MailShop) -> None:
    report = await Verification(shop.storage, _CLOCK).run()
    assert report.findings == []
    await shop.require_exact_counters()


async def test_a_backup_made_under_load_is_whole(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    stop = asyncio.Event()
    told: list[int] = []

    async def work(turn: int) -> None:
        while not stop.is_set():
            done = await shop.add(new_message(f"{turn}", "x" * 500))
            told.append(done.first_uid)
            if done.first_uid % 5 == 0:
                await shop.expunge(done.first_uid - 3)

    workers = [asyncio.create_task(work(turn)) for turn in range(4)]
    await asyncio.sleep(0)
    while len(told) < 40:
        await asyncio.sleep(0)
    acknowledged = set(told)
    await back_up(storage, tmp_path / "backup", _CLOCK)
    stop.set()
    await asyncio.gather(*workers)
    await storage.close()
    await restore(tmp_path / "backup", tmp_path / "again")
    storage, shop = await open_shop(tmp_path / "again")
    await require_sound(shop)
    uids = set(await shop.uids())
    assert acknowledged - {uid - 3 for uid in range(5, 10_000, 5)} <= uids
    await storage.close()


async def test_a_restored_server_gives_out_no_number_twice(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    await shop.add_many(5)
    await shop.expunge(1)
    await back_up(storage, tmp_path / "backup", _CLOCK)
    lost = await shop.add_many(50)
    lost_box = await shop.mailboxes.create_mailbox(ACCOUNT, "Lost")
    cursor = await shop.mailboxes.highestmodseq(ACCOUNT)
    await storage.close()
    await restore(tmp_path / "backup", tmp_path / "again")
    storage, shop = await open_shop(tmp_path / "again")
    assert [await shop.read(uid) for uid in (2, 5)] == [message_octets("n1"), message_octets("n4")]
    new = await shop.add_many(1)
    new_box = await shop.mailboxes.create_mailbox(ACCOUNT, "New")
    assert new.uidvalidity == lost.uidvalidity
    assert new.first_uid > lost.first_uid + 50
    assert new.modseq > cursor
    assert min(new.email_ids) > max(lost.email_ids)
    assert new_box.uidvalidity > lost_box.uidvalidity
    state = await shop.mail().live.open(ACCOUNT, shop.inbox)
    gone = await expunged_since(shop.mailboxes, ACCOUNT, state, cursor)
    assert gone & BitMap(range(1, 60)) == BitMap([1, *range(6, 60)])
    await require_sound(shop)
    await storage.close()


async def test_a_later_backup_copies_only_what_is_new(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    for number in range(20):
        await shop.add(new_message(f"n{number}", str(number) * 40_000))
        await shop.add(new_message(f"n{number}", message_noise(number)))
    first = await back_up(storage, tmp_path / "backup", _CLOCK)
    await shop.add_many(1)
    second = await back_up(storage, tmp_path / "backup", _CLOCK)
    assert (first.kept_octets, first.copied_octets) == (0, sum(first.segments.values()))
    assert second.kept_octets > second.copied_octets > 0
    await storage.close()
    await restore(tmp_path / "backup", tmp_path / "again")
    storage, shop = await open_shop(tmp_path / "again")
    await require_sound(shop)
    assert await shop.read(41) == message_octets("n0")
    third = await back_up(storage, tmp_path / "backup", _CLOCK)
    assert third.kept_octets == 0
    await storage.close()


def message_noise(seed: int) -> str:
    return random.Random(seed).randbytes(4000).hex()


async def test_a_backup_forgets_segments_that_the_server_has_deleted(tmp_path: Path) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    for number in range(10):
        await shop.add(new_message(f"n{number}", message_noise(number)))
    await back_up(storage, tmp_path / "backup", _CLOCK)
    await shop.expunge(*range(1, 11))
    sweeping = Sweep(storage.sql, _CLOCK, SweepOptions(grace=0))
    await sweeping.run()
    await back_up(storage, tmp_path / "backup", _CLOCK)
    names = {path.name for path in (tmp_path / "backup" / "blobs").iterdir()}
    assert names == {path.name for path in (tmp_path / "data" / "blobs").iterdir()}
    await storage.close()


async def test_no_blob_is_deleted_while_a_backup_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    for number in range(10):
        await shop.add(new_message(f"n{number}", message_noise(number)))
    loop = asyncio.get_running_loop()
    real = storage.database.backup_to

    async def expunge_and_sweep() -> None:
        await shop.expunge(*range(1, 11))
        await Sweep(storage.sql, _CLOCK, SweepOptions(grace=0)).run()

    def slow(path: Path) -> None:
        real(path)
        asyncio.run_coroutine_threadsafe(expunge_and_sweep(), loop).result(60)

    monkeypatch.setattr(type(storage.database), "backup_to", lambda _self, path: slow(path))
    await back_up(storage, tmp_path / "backup", _CLOCK)
    await storage.close()
    monkeypatch.undo()
    await restore(tmp_path / "backup", tmp_path / "again")
    storage, shop = await open_shop(tmp_path / "again")
    await require_sound(shop)
    assert await shop.uids() == list(range(1, 11))
    await storage.close()


async def make_backup(tmp_path: Path) -> Path:
    storage, shop = await open_shop(tmp_path / "data")
    await shop.open_account()
    await shop.add_many(30)
    await back_up(storage, tmp_path / "backup", _CLOCK)
    await storage.close()
    return tmp_path / "backup"


async def test_a_backup_is_for_its_owner_alone(tmp_path: Path) -> None:
    backup = await make_backup(tmp_path)
    assert {path.stat().st_mode & 0o077 for path in [backup, *backup.rglob("*")]} == {0}
    assert json.loads((backup / "backup.json").read_text())["made_at"] == "2026-01-01T12:00:00+00:00"


async def test_a_restore_needs_an_empty_directory(tmp_path: Path) -> None:
    backup = await make_backup(tmp_path)
    with pytest.raises(AlreadyExists):
        await restore(backup, tmp_path / "data")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").touch()
    with pytest.raises(AlreadyExists):
        await restore(backup, tmp_path / "other")
    (tmp_path / "empty").mkdir()
    await restore(backup, tmp_path / "empty")


async def test_a_backup_is_not_made_over_something_else(tmp_path: Path) -> None:
    storage, _shop = await open_shop(tmp_path / "data")
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "letter").touch()
    with pytest.raises(AlreadyExists):
        await back_up(storage, tmp_path / "backup", _CLOCK)
    with pytest.raises(StorageFailed):
        await back_up(storage, tmp_path / "backup" / "letter" / "x", _CLOCK)
    await storage.close()


@pytest.mark.parametrize("missing", ["backup.json", "mail.db", "blobs/00000001.segment"])
async def test_what_is_no_whole_backup_is_not_restored(tmp_path: Path, missing: str) -> None:
    backup = await make_backup(tmp_path)
    (backup / missing).unlink()
    with pytest.raises((NotFound, StorageFailed)):
        await restore(backup, tmp_path / "again")
    assert not (tmp_path / "again" / "mail.db").exists()


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "segments": []}'])
async def test_a_manifest_that_cannot_be_read_is_corrupt(tmp_path: Path, manifest: str) -> None:
    backup = await make_backup(tmp_path)
    (backup / "backup.json").write_text(manifest)
    with pytest.raises(Corrupt):
        await restore(backup, tmp_path / "again")


async def test_a_backup_with_a_damaged_database_is_not_restored(tmp_path: Path) -> None:
    backup = await make_backup(tmp_path)
    octets = bytearray((backup / "mail.db").read_bytes())
    octets[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    (backup / "mail.db").write_bytes(octets)
    with pytest.raises(Corrupt):
        await restore(backup, tmp_path / "again")


async def test_a_shortened_segment_is_told(tmp_path: Path) -> None:
    backup = await make_backup(tmp_path)
    segment = backup / "blobs" / "00000001.segment"
    segment.write_bytes(segment.read_bytes()[:100])
    with pytest.raises(Corrupt):
        await restore(backup, tmp_path / "again")


async def test_a_backup_that_was_cut_off_leaves_the_earlier_one_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = await make_backup(tmp_path)
    storage, shop = await open_shop(tmp_path / "data")
    await shop.add_many(1)
    before = json.loads((backup / "backup.json").read_text())

    def fail(_self: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(storage.database), "backup_to", fail)
    with pytest.raises(StorageFull):
        await back_up(storage, backup, _CLOCK)
    monkeypatch.undo()
    assert json.loads((backup / "backup.json").read_text()) == before
    await restore(backup, tmp_path / "earlier")
    await back_up(storage, backup, _CLOCK)
    await storage.close()
    await restore(backup, tmp_path / "later")
    storage, shop = await open_shop(tmp_path / "later")
    assert len(await shop.uids()) == 31
    await storage.close()


async def test_a_copy_of_the_database_is_one_file_that_others_read(tmp_path: Path) -> None:
    backup = await make_backup(tmp_path)
    shutil.copy(backup / "mail.db", tmp_path / "alone.db")
    connection = apsw.Connection(str(tmp_path / "alone.db"))
    assert connection.execute("SELECT COUNT(*) FROM messages").fetchall() == [(30,)]
    connection.close()
