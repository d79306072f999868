"""`MailboxStore`: what every SQL engine owes to those who make, name, count and delete mailboxes."""

from __future__ import annotations

import asyncio

import pytest
from pyroaring import BitMap

from hongyan.engines.sql import mailboxes
from hongyan.errors import AlreadyExists, NotFound, OverLimit
from hongyan.store.changes import FlagsAdded, MailboxChanged
from hongyan.store.mailboxes import INBOX, Quota
from hongyan.types import AccountId, MailboxId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, new_message


async def test_an_account_begins_with_an_inbox_that_is_subscribed(shop: MailShop) -> None:
    (inbox,) = await shop.mailboxes.list_mailboxes(ACCOUNT)
    assert (inbox.name, inbox.mailbox_id, inbox.uidnext, inbox.messages, inbox.subscribed) == (INBOX, 1, 1, 0, True)
    assert await shop.mailboxes.list_subscriptions(ACCOUNT) == [INBOX]


async def test_mailboxes_are_listed_by_name_octet_by_octet(shop: MailShop) -> None:
    for name in ("z", "Z", "a/b", "雁", "ä"):
        await shop.mailboxes.create_mailbox(ACCOUNT, name)
    names = [mailbox.name for mailbox in await shop.mailboxes.list_mailboxes(ACCOUNT)]
    assert names == sorted([INBOX, "z", "Z", "a/b", "雁", "ä"], key=str.encode)


async def test_a_name_is_taken_once_and_found_as_it_is_written(shop: MailShop) -> None:
    made = await shop.mailboxes.create_mailbox(ACCOUNT, "Gänse/雁", special_use="\\Archive")
    with pytest.raises(AlreadyExists):
        await shop.mailboxes.create_mailbox(ACCOUNT, "Gänse/雁")
    assert await shop.mailboxes.find_mailbox(ACCOUNT, "Gänse/雁") == made
    assert made.special_use == "\\Archive"
    assert await shop.mailboxes.find_mailbox(ACCOUNT, "gänse/雁") is None
    assert await shop.mailboxes.find_mailbox(AccountId(99), INBOX) is None


async def test_of_many_who_make_one_name_at_once_one_does(shop: MailShop) -> None:
    tries = [shop.mailboxes.create_mailbox(ACCOUNT, "Same") for _ in range(8)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, AlreadyExists) for result in done) == 7
    assert len(await shop.mailboxes.list_mailboxes(ACCOUNT)) == 2


async def test_a_name_that_comes_back_has_a_greater_uidvalidity_and_another_number(shop: MailShop) -> None:
    seen = []
    for _ in range(3):
        made = await shop.mailboxes.create_mailbox(ACCOUNT, "Again")
        await shop.add(new_message(), mailbox=made.mailbox_id)
        await shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
        seen.append((made.uidvalidity, made.mailbox_id))
    assert seen == sorted(set(seen))


async def test_there_is_a_limit_to_the_mailboxes_of_an_account(shop: MailShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "MAX_MAILBOXES", 3)
    await shop.mailboxes.create_mailbox(ACCOUNT, "a")
    await shop.mailboxes.create_mailbox(ACCOUNT, "b")
    with pytest.raises(OverLimit):
        await shop.mailboxes.create_mailbox(ACCOUNT, "c")


async def test_mailboxes_are_renamed_all_or_none(shop: MailShop) -> None:
    a, b, _taken = [await shop.mailboxes.create_mailbox(ACCOUNT, name) for name in ("a", "a/b", "taken")]
    with pytest.raises(AlreadyExists):
        await shop.mailboxes.rename_mailboxes(ACCOUNT, [(a.mailbox_id, "x"), (b.mailbox_id, "taken")])
    with pytest.raises(NotFound):
        await shop.mailboxes.rename_mailboxes(ACCOUNT, [(a.mailbox_id, "x"), (MailboxId(99), "y")])
    assert await shop.mailboxes.find_mailbox(ACCOUNT, "a") is not None
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    modseq = await shop.mailboxes.rename_mailboxes(ACCOUNT, [(b.mailbox_id, "x/b"), (a.mailbox_id, "x")])
    found = await shop.mailboxes.find_mailbox(ACCOUNT, "x")
    assert found is not None
    assert (found.uidvalidity, found.mailbox_id) == (a.uidvalidity, a.mailbox_id)
    page = await shop.mailboxes.changes_since(ACCOUNT, before)
    assert [(entry.mailbox, entry.change) for entry in page.changes] == [
        (b.mailbox_id, MailboxChanged("renamed", "x/b")),
        (a.mailbox_id, MailboxChanged("renamed", "x")),
    ]
    assert page.changes[-1].modseq == modseq


async def test_a_name_keeps_its_subscription_whatever_becomes_of_the_mailbox(shop: MailShop) -> None:
    made = await shop.mailboxes.create_mailbox(ACCOUNT, "News")
    await shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
    await shop.mailboxes.subscribe(ACCOUNT, "Never there", subscribed=True)
    await shop.mailboxes.subscribe(ACCOUNT, "Never there", subscribed=True)
    assert await shop.mailboxes.list_subscriptions(ACCOUNT) == [INBOX, "Never there", "News"]
    await shop.mailboxes.subscribe(ACCOUNT, INBOX, subscribed=False)
    await shop.mailboxes.subscribe(ACCOUNT, "Unknown", subscribed=False)
    assert not (await shop.mailbox()).subscribed


async def test_a_deleted_mailbox_takes_its_messages_and_what_they_used_with_it(shop: MailShop) -> None:
    made = await shop.mailboxes.create_mailbox(ACCOUNT, "Gone")
    await shop.add_many(2)
    await shop.add_many(5, mailbox=made.mailbox_id)
    modseq = await shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
    with pytest.raises(NotFound):
        await shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
    with pytest.raises(NotFound):
        await shop.mailboxes.load_state(ACCOUNT, made.mailbox_id)
    with pytest.raises(NotFound):
        await shop.add(new_message(), mailbox=made.mailbox_id)
    with pytest.raises(NotFound):
        await shop.messages.change_flags(ACCOUNT, made.mailbox_id, FlagsAdded(BitMap([1]), (b"\\Seen",)))
    page = await shop.mailboxes.changes_since(ACCOUNT, ModSeq(modseq - 1))
    assert [entry.change for entry in page.changes] == [MailboxChanged("deleted", "Gone")]
    await shop.require_exact_counters()


async def test_what_goes_on_in_a_mailbox_while_it_is_deleted_leaves_exact_counts(shop: MailShop) -> None:
    made = await shop.mailboxes.create_mailbox(ACCOUNT, "Gone")
    await shop.add_many(3, mailbox=made.mailbox_id)
    await asyncio.gather(
        *[shop.add(new_message(), mailbox=made.mailbox_id) for _ in range(5)],
        shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id),
        shop.messages.copy(ACCOUNT, made.mailbox_id, BitMap([1, 2]), {}, shop.inbox),
        *[shop.expunge(3, mailbox=made.mailbox_id)],
        *[shop.add(new_message(), mailbox=made.mailbox_id) for _ in range(5)],
        return_exceptions=True,
    )
    await shop.require_exact_counters()


async def test_quotas_are_set_and_told(shop: MailShop) -> None:
    await shop.add(new_message())
    size = new_message().analysis.size
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=5000, limit_messages=3)
    assert await shop.quota() == Quota(size, 1, 5000, 3)
    with pytest.raises(NotFound):
        await shop.mailboxes.set_quota(AccountId(99), limit_octets=0, limit_messages=0)
    with pytest.raises(NotFound):
        await shop.mailboxes.quota(AccountId(99))
    with pytest.raises(NotFound):
        await shop.mailboxes.highestmodseq(AccountId(99))


async def test_a_snapshot_is_kept_unless_a_later_one_is(shop: MailShop) -> None:
    await shop.add_many(4)
    head = await shop.mailboxes.highestmodseq(ACCOUNT)
    await shop.mailboxes.save_snapshot(ACCOUNT, shop.inbox, head, b"new")
    await shop.mailboxes.save_snapshot(ACCOUNT, shop.inbox, ModSeq(head - 1), b"old")
    await shop.mailboxes.save_snapshot(ACCOUNT, MailboxId(99), head, b"of nothing")
    await shop.add_many(1)
    stored = await shop.mailboxes.load_state(ACCOUNT, shop.inbox)
    assert stored.snapshot == b"new"
    assert [entry.modseq for entry in stored.changes] == [head + 1]
    assert stored.mailbox.messages == 5
