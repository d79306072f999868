"""A disk that is really full: a small tmpfs. What comes is refused whole; reading, marking and deleting go on."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.local.storage import StorageOptions, open_local_storage
from hongyan.engines.upkeep.sweep import Sweep, SweepOptions
from hongyan.engines.upkeep.verify import Verification
from hongyan.errors import StorageFull
from hongyan.mailboxes.flags import FlagAction, mark
from tests.support.mail import ACCOUNT, MailShop, new_message

pytestmark = pytest.mark.root

_random = random.Random(5)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


async def fill(shop: MailShop) -> int:
    """Append until nothing is taken any more; return how many were."""
    for number in range(1000):
        try:
            await shop.add(new_message(f"n{number}", _random.randbytes(20_000).hex()))
        except StorageFull:
            return number
    raise AssertionError("the disk is never full")


def fill_rest(path: Path) -> None:
    with path.open("wb", buffering=0) as rest, contextlib.suppress(OSError):
        while True:
            rest.write(bytes(4096))


async def test_a_disk_at_its_reserve_takes_no_mail_and_everything_else(small_disk: Path) -> None:
    storage = await open_local_storage(small_disk / "data", StorageOptions(reserve=2, segment_size=1))
    shop = MailShop(storage.sql)
    await shop.open_account()
    taken = await fill(shop)
    assert await shop.uids() == list(range(1, taken + 1))
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    await mark(mail, ACCOUNT, state, BitMap([1]), FlagAction.ADD, (b"\\Seen",))
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other.mailbox_id)
    assert len(await shop.read(taken)) > 20_000
    await shop.expunge(*range(2, taken + 1))
    sweeping = Sweep(storage.sql, shop.clock, SweepOptions(grace=0))
    for _ in range(3):
        await sweeping.run()
    assert await fill(shop) > taken // 4
    assert (await Verification(storage.sql, shop.clock).run()).is_sound
    await shop.require_exact_counters()
    await storage.close()


async def test_a_disk_without_any_room_loses_nothing(small_disk: Path) -> None:
    other = small_disk / "other"  # what somebody else keeps there, and removes when the disk is full
    other.write_bytes(bytes(2 << 20))
    storage = await open_local_storage(small_disk / "data", StorageOptions(reserve=0, segment_size=1))
    shop = MailShop(storage.sql)
    await shop.open_account()
    taken = await fill(shop)
    fill_rest(small_disk / "rest")
    with pytest.raises(StorageFull):
        await shop.add(new_message())
    assert len(await shop.read(taken)) > 20_000
    (small_disk / "rest").unlink()
    other.unlink()
    await shop.add(new_message())
    assert await shop.uids() == list(range(1, taken + 2))
    assert (await Verification(storage.sql, shop.clock).run()).is_sound
    await storage.close()
    storage = await open_local_storage(small_disk / "data", StorageOptions(reserve=0))
    await MailShop(storage.sql).require_exact_counters()
    await storage.close()
