"""`MessageStore`: what every SQL engine owes to those who put mail in, mark it, move it and take it out."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pyroaring import BitMap

from hongyan.engines.storage import SqlStorage
from hongyan.errors import Conflict, NotFound, OverLimit, OverQuota
from hongyan.store.changes import Appended, Expunged, FlagsAdded, FlagsRemoved, FlagsReplaced
from hongyan.store.messages import Column
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, MailboxId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, message_octets, new_message

_OTHER = AccountId(8)


async def test_an_appended_message_is_read_as_it_came(shop: MailShop) -> None:
    done = await shop.add(new_message("eins", prefix=b"Return-Path: <>\r\n"))
    assert (done.first_uid, done.duplicate) == (1, False)
    assert await shop.read(1) == b"Return-Path: <>\r\n" + message_octets("eins")


async def test_uids_ascend_and_are_given_in_the_order_of_the_log(shop: MailShop) -> None:
    first = await shop.add_many(3)
    await shop.expunge(2, 3)
    second = await shop.add_many(2)
    assert (first.first_uid, second.first_uid) == (1, 4)
    assert second.modseq > first.modseq
    assert await shop.uids() == [1, 4, 5]
    assert (await shop.mailbox()).uidnext == 6


async def test_messages_of_one_append_are_stored_all_or_none(shop: MailShop) -> None:
    size = new_message("n0").analysis.size
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=size * 2, limit_messages=0)
    with pytest.raises(OverQuota):
        await shop.add_many(3)
    assert await shop.uids() == []
    assert (await shop.quota()).used_octets == 0
    await shop.add_many(2)
    await shop.require_exact_counters()


async def test_a_full_account_takes_nothing_and_gives_back_what_is_removed(shop: MailShop) -> None:
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=0, limit_messages=2)
    await shop.add_many(2)
    with pytest.raises(OverQuota):
        await shop.add(new_message())
    with pytest.raises(OverQuota):
        await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, shop.inbox)
    await shop.expunge(1)
    await shop.add(new_message())
    await shop.require_exact_counters()


async def test_nothing_is_stored_for_an_account_or_a_mailbox_that_is_not_there(shop: MailShop) -> None:
    with pytest.raises(NotFound):
        await shop.add(new_message(), mailbox=99)
    with pytest.raises(NotFound):
        await shop.messages.append(AccountId(99), shop.inbox, [new_message()])
    with pytest.raises(NotFound):
        await shop.messages.change_flags(ACCOUNT, MailboxId(99), FlagsAdded(BitMap([1]), (b"\\Seen",)))
    with pytest.raises(NotFound):
        await shop.messages.expunge(AccountId(99), shop.inbox, BitMap([1]))
    assert (await shop.quota()).used_messages == 0


async def test_the_same_envelope_and_octets_are_stored_once_within_the_receipts_time(shop: MailShop) -> None:
    first = await shop.add(new_message(), receipt=Receipt(b"d", now=100, expires=700))
    again = await shop.add(new_message(), receipt=Receipt(b"d", now=699, expires=1299))
    assert (first.duplicate, again.duplicate) == (False, True)
    assert await shop.uids() == [1]
    other = await shop.add(new_message(), receipt=Receipt(b"e", now=699, expires=1299))
    late = await shop.add(new_message(), receipt=Receipt(b"d", now=700, expires=1300))
    assert (other.first_uid, late.first_uid) == (2, 3)


async def test_the_same_receipt_from_many_at_once_stores_once(shop: MailShop) -> None:
    receipt = Receipt(b"d", now=100, expires=700)
    done = await asyncio.gather(*[shop.add(new_message(), receipt=receipt) for _ in range(8)])
    assert [appending.duplicate for appending in done].count(False) == 1
    assert await shop.uids() == [1]


async def test_a_receipt_is_not_kept_for_a_message_that_was_refused(shop: MailShop) -> None:
    receipt = Receipt(b"d", now=100, expires=700)
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=1, limit_messages=0)
    with pytest.raises(OverQuota):
        await shop.add(new_message(), receipt=receipt)
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=0, limit_messages=0)
    assert not (await shop.add(new_message(), receipt=receipt)).duplicate


async def test_many_appends_at_once_give_each_message_a_uid_and_count_exactly(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    boxes = [shop.inbox, other.mailbox_id]
    done = await asyncio.gather(*[shop.add(new_message(f"n{n}"), mailbox=boxes[n % 2]) for n in range(40)])
    for box in range(2):
        assert sorted(appending.first_uid for appending in done[box::2]) == list(range(1, 21))
    for n, appending in enumerate(done):
        assert await shop.read(appending.first_uid, boxes[n % 2]) == message_octets(f"n{n}")
    await shop.require_exact_counters()
    modseqs = sorted(appending.modseq for appending in done)
    assert modseqs == list(range(modseqs[0], modseqs[0] + 40))


async def test_a_unit_that_fails_does_not_touch_its_neighbours(shop: MailShop) -> None:
    await shop.open_account(_OTHER, limit_messages=3)

    async def add(account: AccountId, mailbox: int) -> str:
        try:
            await shop.messages.append(account, MailboxId(mailbox), [new_message()])
        except (OverQuota, NotFound) as error:
            return type(error).__name__
        return "stored"

    tries = [(_OTHER, 1), (ACCOUNT, 1), (ACCOUNT, 99)] * 8
    told = await asyncio.gather(*[add(*where) for where in tries])
    assert told[1::3] == ["stored"] * 8
    assert told[2::3] == ["NotFound"] * 8
    assert told[0::3].count("stored") == 3
    await shop.require_exact_counters()
    await MailShop(shop.storage, _OTHER).require_exact_counters()


async def test_a_mailbox_that_has_given_all_its_uids_takes_no_more(shop: MailShop) -> None:
    await shop.run("UPDATE mailboxes SET uidnext = 4294967294")
    assert (await shop.add(new_message())).first_uid == 4294967294
    with pytest.raises(OverLimit):
        await shop.add(new_message())


async def test_text_that_a_database_cannot_hold_is_stored_without_it(shop: MailShop) -> None:
    message = new_message()
    analysis = replace(message.analysis, subject_text="a\0b\ud800雁", preview="\0\udc00", from_text="g\0")
    await shop.add(replace(message, analysis=analysis))
    columns = (Column.SUBJECT_TEXT, Column.PREVIEW, Column.FROM_TEXT)
    assert await shop.messages.rows(ACCOUNT, shop.inbox, columns, [(1, 1)]) == [("ab?雁", "?", "g")]


# -- flags


async def test_a_change_of_flags_is_one_entry_of_the_log(shop: MailShop) -> None:
    await shop.add_many(5)
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    changes = [
        FlagsAdded(BitMap(range(1, 6)), (b"\\Seen", b"$Foo")),
        FlagsRemoved(BitMap([2]), (b"\\Seen",)),
        FlagsReplaced(BitMap([3, 5]), ()),
    ]
    modseqs = [await shop.messages.change_flags(ACCOUNT, shop.inbox, change) for change in changes]
    assert modseqs == [before + 1, before + 2, before + 3]
    logged = await shop.mailboxes.changes_of_mailbox(ACCOUNT, shop.inbox, before)
    assert [entry.change for entry in logged] == changes
    assert (await shop.mailbox()).highestmodseq == modseqs[-1]


@pytest.mark.parametrize("durable", [False, True])
async def test_a_condition_on_the_mailbox_refuses_a_change_after_another(shop: MailShop, durable: bool) -> None:
    await shop.add_many(2)
    seen = (await shop.mailbox()).highestmodseq
    change = FlagsAdded(BitMap([1]), (b"\\Seen",))
    await shop.messages.change_flags(ACCOUNT, shop.inbox, change, expected=seen, durable=durable)
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    with pytest.raises(Conflict):
        await shop.messages.change_flags(ACCOUNT, shop.inbox, change, expected=seen, durable=durable)
    assert await shop.mailboxes.highestmodseq(ACCOUNT) == before


async def test_of_many_changes_under_one_condition_one_is_made(shop: MailShop) -> None:
    await shop.add_many(1)
    seen = (await shop.mailbox()).highestmodseq

    async def mark(flag: bytes, durable: bool) -> bool:
        try:
            change = FlagsAdded(BitMap([1]), (flag,))
            await shop.messages.change_flags(ACCOUNT, shop.inbox, change, expected=seen, durable=durable)
        except Conflict:
            return False
        return True

    done = await asyncio.gather(*[mark(b"$f%d" % n, n % 2 == 0) for n in range(10)])
    assert done.count(True) == 1


# -- expunge


async def test_expunge_removes_what_is_there_and_says_what(shop: MailShop) -> None:
    await shop.add_many(10)
    done = await shop.messages.expunge(ACCOUNT, shop.inbox, BitMap([2, 3, 4, 9, 77]))
    assert done.uids == BitMap([2, 3, 4, 9])
    assert await shop.uids() == [1, 5, 6, 7, 8, 10]
    assert done.modseq == await shop.mailboxes.highestmodseq(ACCOUNT)
    logged = await shop.mailboxes.changes_of_mailbox(ACCOUNT, shop.inbox, ModSeq(done.modseq - 1))
    assert [entry.change for entry in logged] == [Expunged(BitMap([2, 3, 4, 9]))]
    await shop.require_exact_counters()


async def test_to_expunge_nothing_leaves_no_trace(shop: MailShop) -> None:
    await shop.add_many(1)
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    done = await shop.messages.expunge(ACCOUNT, shop.inbox, BitMap([5]))
    assert (done.modseq, list(done.uids)) == (None, [])
    assert await shop.mailboxes.highestmodseq(ACCOUNT) == before


async def test_what_is_expunged_twice_at_once_is_removed_once(shop: MailShop) -> None:
    await shop.add_many(20)
    removed = await asyncio.gather(*[shop.expunge(*range(1, 16)) for _ in range(4)], shop.expunge(*range(10, 21)))
    assert sum(map(len, removed)) == 20
    await shop.require_exact_counters()


# -- replace


async def test_a_message_takes_the_place_of_another_in_one_unit(shop: MailShop) -> None:
    await shop.add_many(3)
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    gone, done = await shop.messages.replace(ACCOUNT, shop.inbox, 2, target.mailbox_id, new_message("new"))
    assert (gone.uids, done.first_uid, done.uidvalidity) == (BitMap([2]), 1, target.uidvalidity)
    assert await shop.uids() == [1, 3]
    assert await shop.uids(target.mailbox_id) == [1]
    assert gone.modseq is not None
    assert gone.modseq < done.modseq
    (entry,) = await shop.mailboxes.changes_of_mailbox(ACCOUNT, shop.inbox, ModSeq(gone.modseq - 1))
    assert entry.change == Expunged(BitMap([2]))
    await shop.require_exact_counters()


async def test_what_cannot_be_stored_replaces_nothing(shop: MailShop) -> None:
    await shop.add_many(2)
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=0, limit_messages=1)
    with pytest.raises(OverQuota):
        await shop.messages.replace(ACCOUNT, shop.inbox, 2, shop.inbox, new_message("new"))
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=0, limit_messages=0)
    with pytest.raises(NotFound):
        await shop.messages.replace(ACCOUNT, shop.inbox, 2, MailboxId(99), new_message("new"))
    with pytest.raises(Conflict):
        await shop.messages.replace(ACCOUNT, shop.inbox, 7, shop.inbox, new_message("new"))
    assert await shop.uids() == [1, 2]
    assert await shop.mailboxes.highestmodseq(ACCOUNT) == before
    await shop.require_exact_counters()


async def test_the_room_of_what_is_replaced_is_free(shop: MailShop) -> None:
    await shop.add_many(2)
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=0, limit_messages=2)
    await shop.messages.replace(ACCOUNT, shop.inbox, 1, shop.inbox, new_message("new"))
    assert await shop.uids() == [2, 3]
    await shop.require_exact_counters()


# -- copy and move


async def test_a_copy_has_new_uids_the_flags_it_was_given_and_the_same_email(shop: MailShop) -> None:
    await shop.add_many(6)
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    await shop.add_many(1, mailbox=target.mailbox_id)
    flags = {b"\\Seen": BitMap([2, 5]), b"$x": BitMap([4])}
    done = await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([2, 4, 5]), flags, target.mailbox_id)
    assert (list(done.source_uids), done.first_uid, done.source_modseq) == ([2, 4, 5], 2, None)
    assert done.uidvalidity == target.uidvalidity
    columns = (Column.EMAIL_ID, Column.INTERNAL_DATE, Column.SIZE)
    source = await shop.messages.rows(ACCOUNT, shop.inbox, columns, [(2, 2), (4, 5)])
    assert await shop.messages.rows(ACCOUNT, target.mailbox_id, columns, [(2, 4)]) == source
    (entry,) = await shop.mailboxes.changes_of_mailbox(ACCOUNT, target.mailbox_id, ModSeq(done.modseq - 1))
    assert entry.change == Appended(2, 3, {b"\\Seen": BitMap([2, 4]), b"$x": BitMap([3])})
    await shop.require_exact_counters()


async def test_a_copy_into_its_own_mailbox_doubles_it(shop: MailShop) -> None:
    await shop.add_many(4)
    done = await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 3, 4]), {}, shop.inbox)
    assert done.first_uid == 5
    assert [await shop.read(uid) for uid in (5, 6, 7)] == [message_octets(f"n{n}") for n in (0, 2, 3)]
    await shop.require_exact_counters()


async def test_a_move_takes_the_messages_out_of_the_source(shop: MailShop) -> None:
    await shop.add_many(5)
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    done = await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 3]), {}, target.mailbox_id, move=True)
    assert done.source_modseq == done.modseq + 1
    assert (await shop.uids(), await shop.uids(target.mailbox_id)) == ([2, 4, 5], [1, 2])
    (entry,) = await shop.mailboxes.changes_of_mailbox(ACCOUNT, shop.inbox, done.modseq)
    assert entry.change == Expunged(BitMap([1, 3]))
    assert await shop.rows("SELECT 1 FROM dropped_emails WHERE account_id = $1") == []
    await shop.require_exact_counters()


async def test_a_move_needs_no_room_in_a_full_account(shop: MailShop) -> None:
    await shop.add_many(2)
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=1, limit_messages=1)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 2]), {}, target.mailbox_id, move=True)
    assert await shop.uids(target.mailbox_id) == [1, 2]


async def test_a_copy_is_made_of_all_messages_or_of_none(shop: MailShop) -> None:
    await shop.add_many(3)
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    with pytest.raises(Conflict):
        await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 9]), {}, target.mailbox_id)
    with pytest.raises(NotFound):
        await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, MailboxId(99))
    assert await shop.uids(target.mailbox_id) == []
    assert await shop.mailboxes.highestmodseq(ACCOUNT) == before
    await shop.require_exact_counters()


async def test_copies_and_expunges_at_once_keep_every_count_exact(shop: MailShop) -> None:
    await shop.add_many(30)
    target = (await shop.mailboxes.create_mailbox(ACCOUNT, "Target")).mailbox_id

    async def copy(uids: BitMap, move: bool) -> int:
        try:
            return len((await shop.messages.copy(ACCOUNT, shop.inbox, uids, {}, target, move=move)).source_uids)
        except Conflict:
            return 0

    work = [copy(BitMap(range(n, n + 5)), n % 2 == 0) for n in range(1, 26, 3)]
    work += [shop.expunge(n, n + 1) for n in range(1, 30, 7)]  # type: ignore[misc]
    await asyncio.gather(*work)
    await shop.require_exact_counters()
    assert len(await shop.uids(target)) == (await shop.mailbox("Target")).messages


# -- discard


async def test_the_last_of_an_email_moves_and_what_is_elsewhere_is_removed(shop: MailShop) -> None:
    await shop.add_many(3)
    trash = (await shop.mailboxes.create_mailbox(ACCOUNT, "Trash")).mailbox_id
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other)
    done = await shop.messages.discard(ACCOUNT, shop.inbox, BitMap([1, 2]), {b"\\Seen": BitMap([1, 2])}, trash)
    assert done.moved is not None
    assert (list(done.moved.source_uids), done.moved.first_uid) == ([2], 1)
    assert done.removed is not None
    assert list(done.removed.uids) == [1]
    assert (await shop.uids(), await shop.uids(trash), await shop.uids(other)) == ([3], [1], [1])
    last = await shop.messages.discard(ACCOUNT, other, BitMap([1]), {}, trash)
    assert (last.moved is not None, last.removed) == (True, None)
    await shop.require_exact_counters()


async def test_a_copy_in_a_mailbox_that_is_deleted_does_not_count(shop: MailShop) -> None:
    await shop.add_many(1)
    trash = (await shop.mailboxes.create_mailbox(ACCOUNT, "Trash")).mailbox_id
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other)
    await shop.mailboxes.delete_mailbox(ACCOUNT, other)
    done = await shop.messages.discard(ACCOUNT, shop.inbox, BitMap([1]), {}, trash)
    assert (done.moved is not None, done.removed) == (True, None)


async def test_two_who_discard_one_email_at_once_leave_it_in_the_target(shop: MailShop) -> None:
    await shop.add_many(20)
    trash = (await shop.mailboxes.create_mailbox(ACCOUNT, "Trash")).mailbox_id
    other = (await shop.mailboxes.create_mailbox(ACCOUNT, "Other")).mailbox_id
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap(range(1, 21)), {}, other)
    work = [
        shop.messages.discard(ACCOUNT, mailbox, BitMap([n]), {}, trash)
        for n in range(1, 21)
        for mailbox in (shop.inbox, other)
    ]
    await asyncio.gather(*work)
    assert len(await shop.uids(trash)) == 20
    await shop.require_exact_counters()


async def test_what_is_gone_is_not_discarded_and_the_rest_stays(shop: MailShop) -> None:
    await shop.add_many(2)
    trash = (await shop.mailboxes.create_mailbox(ACCOUNT, "Trash")).mailbox_id
    with pytest.raises(Conflict):
        await shop.messages.discard(ACCOUNT, shop.inbox, BitMap([1, 9]), {}, trash)
    assert await shop.uids() == [1, 2]


# -- rows


async def test_rows_come_by_uid_from_scattered_ranges_up_to_the_limit(shop: MailShop) -> None:
    await shop.add_many(60)
    ranges = [(2, 2), (4, 6), (10, 40), (45, 45), (47, 47), (58, 4_294_967_295)]
    expected = [uid for low, high in ranges for uid in range(low, min(high, 60) + 1)]
    for limit in (1, 3, 8, 17, 256):
        rows = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.UID,), ranges, limit=limit)
        assert [row[0] for row in rows] == expected[:limit]


async def test_each_column_can_be_asked_for(shop: MailShop) -> None:
    message = new_message("Größe", date=1234)
    await shop.add(message)
    (row,) = await shop.messages.rows(ACCOUNT, shop.inbox, tuple(Column), [(1, 1)])
    found = dict(zip(Column, row, strict=True))
    assert found[Column.UID] == 1
    assert (found[Column.INTERNAL_DATE], found[Column.SIZE]) == (1234, message.analysis.size)
    assert found[Column.ENVELOPE] == message.analysis.envelope
    assert found[Column.ENVELOPE_UTF8] == (message.analysis.envelope_utf8 or message.analysis.envelope)
    assert found[Column.SUBJECT_TEXT] == message.analysis.subject_text
    assert found[Column.EMAIL_ID] >> 32 == ACCOUNT


async def test_no_account_sees_the_rows_of_another(shop: MailShop) -> None:
    await shop.open_account(_OTHER)
    await shop.add_many(2)
    await shop.messages.append(_OTHER, shop.inbox, [new_message("theirs")])
    rows = await shop.messages.rows(_OTHER, shop.inbox, (Column.UID, Column.EMAIL_ID), [(1, 100)])
    assert [(uid, email >> 32) for uid, email in rows] == [(1, _OTHER)]
    assert (await shop.messages.expunge(_OTHER, shop.inbox, BitMap([2]))).modseq is None


async def test_text_is_found_as_it_is_written_with_wildcards_and_all(shop: MailShop) -> None:
    for subject in ("100% sure", "100x sure", "雁 geese", "a_b"):
        await shop.add(new_message(subject))

    async def find(needle: str) -> list[int]:
        return list(await shop.messages.find_text(ACCOUNT, shop.inbox, Column.SUBJECT_TEXT, needle, 1, 100))

    assert await find("0% s") == [1]
    assert await find("雁") == [3]
    assert await find("a_b") == [4]
    assert await find("") == [1, 2, 3, 4]


async def test_what_stands_in_the_stored_fields_is_found_as_received_in_either_case(shop: MailShop) -> None:
    for subject, body in (("Ab%c", "x"), ("=?utf-8?q?ab?=", "ab%c"), ("äöü \\x", "x")):
        await shop.add(new_message(subject, body))

    async def find(needle: str, low: int = 1) -> list[int]:
        return list(await shop.messages.find_in_fields(ACCOUNT, shop.inbox, needle, low, 100))

    assert await find("ab%c") == [1]
    assert await find("=?utf-8?q?ab?=") == [2]
    assert await find("\\x") == [3]
    assert await find("subject:", 2) == [2, 3]
    assert await find("no such thing") == []


async def test_dates_and_sizes_are_found_by_range(shop: MailShop) -> None:
    for date in (100, 200, 300):
        await shop.add(new_message("n", "x" * date, date=date))

    async def find(column: Column, start: int | None, stop: int | None) -> list[int]:
        return list(await shop.messages.find_dates(ACCOUNT, shop.inbox, column, start, stop))

    assert await find(Column.INTERNAL_DATE, 200, None) == [2, 3]
    assert await find(Column.INTERNAL_DATE, 100, 200) == [1]
    assert await find(Column.SAVED_AT, None, 300) == [1, 2]
    assert await find(Column.SENT_DATE, None, None) == [1, 2, 3]
    size = new_message("n", "x" * 200).analysis.size
    assert await find(Column.SIZE, size, size + 1) == [2]


async def test_what_was_appended_is_there_after_a_restart(storage: SqlStorage, shop: MailShop) -> None:
    await shop.add_many(3)
    again = MailShop(storage)
    assert await again.uids() == [1, 2, 3]
    assert await again.read(2) == message_octets("n1")


async def test_rows_that_are_at_hand_are_those_that_would_be_waited_for(shop: MailShop) -> None:
    await shop.add_many(6)
    await shop.expunge(4)
    columns = (Column.UID, Column.ENVELOPE, Column.SUBJECT_TEXT, Column.SENT_DATE)
    waited = await shop.messages.rows(ACCOUNT, shop.inbox, columns, [(2, 2), (4, 5)])
    at_hand = shop.messages.rows_now(ACCOUNT, shop.inbox, columns, [2, 4, 5])
    assert at_hand in (waited, None)  # PostgreSQL has nothing at hand
    assert [row[0] for row in waited] == [2, 5]
    assert shop.messages.rows_now(ACCOUNT, shop.inbox, columns, list(range(1, 1000))) is None
