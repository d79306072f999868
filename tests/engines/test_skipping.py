"""After a power loss or a restore: no number goes back, and clients learn what was forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pyroaring import BitMap

from hongyan.engines.local.storage import open_local_storage
from hongyan.engines.sql.skipping import skip_after_power_loss, skip_after_restore
from hongyan.engines.sql.units import SqlDatabase
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.mail import Mail
from tests.support.mail import ACCOUNT, MailShop

Skip = Callable[[SqlDatabase], Awaitable[None]]


@pytest.mark.parametrize("skip", [skip_after_power_loss, skip_after_restore])
async def test_every_message_counts_as_changed_and_no_modseq_goes_back(tmp_path: Path, skip: Skip) -> None:
    storage = await open_local_storage(tmp_path)
    shop = MailShop(storage.sql)
    await shop.open_account()
    await shop.add_many(3)
    mail: Mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    await mark(mail, ACCOUNT, state, BitMap([2]), FlagAction.ADD, (b"\\Seen",))
    seen, listed = state.highestmodseq, {box.name: box for box in await shop.mailboxes.list_mailboxes(ACCOUNT)}

    await skip(storage.database)
    await skip(storage.database)

    state = await shop.mail().live.open(ACCOUNT, shop.inbox)
    assert state.highestmodseq > seen + 1000
    assert state.changed_since(seen) == [0, 1, 2]
    assert state.flags_of(BitMap([1, 2, 3])) == {b"\\Seen": BitMap([2])}
    for box in await shop.mailboxes.list_mailboxes(ACCOUNT):
        assert box.highestmodseq >= listed[box.name].highestmodseq
        assert box.uidvalidity == listed[box.name].uidvalidity
    await shop.add_many(1)
    await shop.require_exact_counters()
    await storage.close()
