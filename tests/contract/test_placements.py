"""`PlacementStore`: emails and where they are, and what is remembered of those that left."""

from __future__ import annotations

from pyroaring import BitMap

from hongyan.engines.sql.placements import SqlPlacements
from hongyan.store.index import email_of
from hongyan.types import ModSeq
from tests.support.mail import ACCOUNT, MailShop


def _store(shop: MailShop) -> SqlPlacements:
    return SqlPlacements(shop.database)


async def test_an_email_is_found_in_each_mailbox_that_holds_it(shop: MailShop) -> None:
    await shop.add_many(2)
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([2]), {}, other)
    second = email_of(ACCOUNT, 2)
    found = await _store(shop).list_placements(ACCOUNT, [second, email_of(ACCOUNT, 77)])
    assert [(one.email, one.mailbox, one.uid) for one in found] == [(second, shop.inbox, 2), (second, other, 1)]


async def test_a_message_that_left_is_remembered_under_the_change_it_left_by(shop: MailShop) -> None:
    await shop.add_many(3)
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    done = await shop.messages.expunge(ACCOUNT, shop.inbox, BitMap([1, 3]))
    found = await _store(shop).list_departures(ACCOUNT, before, ModSeq(before + 10))
    assert [(one.modseq, one.uid, one.email) for one in found] == [
        (done.modseq, 1, email_of(ACCOUNT, 1)),
        (done.modseq, 3, email_of(ACCOUNT, 3)),
    ]


async def test_a_move_is_a_departure_too(shop: MailShop) -> None:
    await shop.add_many(1)
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    done = await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other, move=True)
    assert done.source_modseq is not None
    found = await _store(shop).list_departures(ACCOUNT, ModSeq(0), done.source_modseq)
    assert [(one.modseq, one.uid) for one in found] == [(done.source_modseq, 1)]


async def test_messages_of_a_deleted_mailbox_are_nowhere_and_left_behind(shop: MailShop) -> None:
    await shop.add_many(1)
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other, move=True)
    await shop.mailboxes.delete_mailbox(ACCOUNT, other)
    store = _store(shop)
    assert not await store.list_placements(ACCOUNT, [email_of(ACCOUNT, 1)])
    assert not await store.read_emails(ACCOUNT, [email_of(ACCOUNT, 1)])
    assert [one.email for one in await store.list_left_behind(ACCOUNT, other)] == [email_of(ACCOUNT, 1)]


async def test_an_email_is_read_once_however_many_mailboxes_hold_it(shop: MailShop) -> None:
    await shop.add_many(1)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, shop.inbox)
    store = _store(shop)
    [record] = await store.read_emails(ACCOUNT, [email_of(ACCOUNT, 1)])
    assert record.size > 0
    assert record.thread == record.email
    [(placement, _date), _copy] = await store.list_threads(ACCOUNT, [record.thread])
    assert placement.email == record.email


async def test_columns_come_behind_a_uid_and_keys_by_email(shop: MailShop) -> None:
    await shop.add_many(3)
    store = _store(shop)
    rows = await store.list_columns(ACCOUNT, shop.inbox, 1, limit=10)
    assert [row[:2] for row in rows] == [(2, email_of(ACCOUNT, 2)), (3, email_of(ACCOUNT, 3))]
    keys = await store.list_keys(ACCOUNT, [email_of(ACCOUNT, number) for number in (1, 2, 3)])
    assert sorted(row[0] for row in keys) == [email_of(ACCOUNT, number) for number in (1, 2, 3)]


async def test_the_heads_tell_new_mail_from_other_changes(shop: MailShop) -> None:
    store = _store(shop)
    _, empty = await store.find_heads(ACCOUNT)
    await shop.add_many(2)
    modseq, number = await store.find_heads(ACCOUNT)
    assert (modseq, number) == (await shop.mailboxes.highestmodseq(ACCOUNT), empty + 2)
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([2]), {}, other)
    await shop.messages.expunge(ACCOUNT, shop.inbox, BitMap([1]))
    later, same = await store.find_heads(ACCOUNT)
    assert (later > modseq, same) == (True, number)
