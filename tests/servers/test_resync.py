"""QRESYNC when others change the mailbox in the middle of it."""

from __future__ import annotations

from pathlib import Path

from pyroaring import BitMap

from hongyan.mailboxes.expunge import expunge
from hongyan.servers.imap.resync import find_vanished, vanished_within
from hongyan.types import AccountId, MailboxId, ModSeq
from hongyan.wire.imap.sequence import STAR, SequenceSet
from tests.support.mail import ACCOUNT, MailShop
from tests.support.storage import open_sqlite


async def test_what_leaves_while_the_log_is_read_is_told_too(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path) as storage:
        shop = MailShop(storage)
        await shop.open_account()
        await shop.add_many(5)
        mail = shop.mail()
        state = await mail.live.open(ACCOUNT, shop.inbox)
        cursor = state.modseq
        await expunge(mail, ACCOUNT, shop.inbox, BitMap([2]))

        class Meanwhile:
            async def expunged_since(self, account: AccountId, mailbox: MailboxId, cursor: ModSeq) -> BitMap | None:
                gone = await shop.mailboxes.expunged_since(account, mailbox, cursor)
                await expunge(mail, ACCOUNT, shop.inbox, BitMap([4]))
                return gone

        gone = await find_vanished(Meanwhile(), ACCOUNT, state, cursor)  # type: ignore[arg-type]  # what is asked
        assert gone == BitMap([2, 4])
        await mail.live.close()


def test_a_set_names_what_does_not_exist_up_to_the_last_that_was_given() -> None:
    assert vanished_within(SequenceSet(((3, 5), (9, STAR))), 11) == BitMap([3, 4, 5, 9, 10])
    assert vanished_within(SequenceSet(((4_000_000_000, 1),)), 4) == BitMap([1, 2, 3])
    assert vanished_within(SequenceSet(((50, 60),)), 4) == BitMap()
