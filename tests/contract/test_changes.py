"""`ChangeStore`: the log of an account, read from a cursor."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.engines.sql.expunged import fold_expunges
from hongyan.engines.sql.units import unit_of
from hongyan.errors import Corrupt
from hongyan.store.changes import (
    Annotated,
    Appended,
    Change,
    Expunged,
    FlagsAdded,
    FlagsRemoved,
    FlagsReplaced,
    MailboxChanged,
    decode_change,
    encode_change,
    uid_runs,
)
from hongyan.types import AccountId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, new_message

_UIDS = st.sets(st.integers(1, 2**32 - 1), max_size=30).map(BitMap)
_FLAG = (
    st.binary(min_size=1, max_size=20)
    .filter(lambda flag: not flag.split() or flag.split() == [flag])
    .filter(lambda flag: bool(flag.split()))
)
_FLAGS = st.lists(_FLAG, max_size=5).map(tuple)
_CHANGE: st.SearchStrategy[Change] = st.one_of(
    st.builds(Appended, st.integers(1, 2**32 - 1), st.integers(1, 1000), st.dictionaries(_FLAG, _UIDS, max_size=4)),
    st.builds(FlagsAdded, _UIDS, _FLAGS),
    st.builds(FlagsRemoved, _UIDS, _FLAGS),
    st.builds(FlagsReplaced, _UIDS, _FLAGS),
    st.builds(Expunged, _UIDS),
    st.builds(Annotated),
    st.builds(MailboxChanged, st.sampled_from(["created", "renamed", "deleted"]), st.text()),
)


@given(_CHANGE)
def test_a_change_is_read_as_it_was_written(change: Change) -> None:
    assert decode_change(encode_change(change)) == change


@given(st.binary(max_size=200), st.sampled_from([b"", b"A", b"+", b"-", b"=", b"X", b"M"]))
def test_other_octets_are_corrupt_or_some_change(octets: bytes, kind: bytes) -> None:
    try:
        decode_change(kind + octets)
    except Corrupt:
        pass


@given(_CHANGE, st.data())
def test_a_change_cut_short_is_corrupt_or_some_change(change: Change, data: st.DataObject) -> None:
    octets = encode_change(change)
    try:
        decode_change(octets[: data.draw(st.integers(0, len(octets)))])
    except Corrupt:
        pass


@given(st.sets(st.integers(1, 60)))
def test_runs_are_the_set(uids: set[int]) -> None:
    runs = uid_runs(BitMap(uids))
    assert [uid for low, high in runs for uid in range(low, high + 1)] == sorted(uids)
    assert all(runs[at][1] + 1 < runs[at + 1][0] for at in range(len(runs) - 1))


async def test_the_log_is_read_page_by_page_in_order(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    boxes = (1, other.mailbox_id)
    for n in range(10):
        await shop.add(new_message(), mailbox=boxes[n % 2])
    head = await shop.mailboxes.highestmodseq(ACCOUNT)
    for limit in (1, 3, 100):
        cursor, seen, more = ModSeq(0), [], True
        while more:
            page = await shop.mailboxes.changes_since(ACCOUNT, cursor, limit=limit)
            assert len(page.changes) <= limit
            seen += [entry.modseq for entry in page.changes]
            cursor, more = page.modseq, page.more
        assert seen == list(range(1, head + 1))
        assert cursor == head
    assert not (await shop.mailboxes.changes_since(ACCOUNT, head)).changes
    assert (await shop.mailboxes.changes_since(ACCOUNT, ModSeq(head + 5))).modseq == head + 5


async def test_the_log_of_a_mailbox_holds_its_own_changes_only(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    mine = [(await shop.add_many(2)).modseq, (await shop.add_many(2)).modseq]
    await shop.add_many(1, mailbox=other.mailbox_id)
    logged = await shop.mailboxes.changes_of_mailbox(ACCOUNT, shop.inbox, ModSeq(mine[0] - 1))
    assert [entry.modseq for entry in logged] == mine
    assert {entry.mailbox for entry in logged} == {shop.inbox}


async def test_accounts_have_logs_of_their_own(shop: MailShop) -> None:
    other = AccountId(8)
    await shop.open_account(other)
    await asyncio.gather(*[shop.messages.append(account, shop.inbox, [new_message()]) for account in (ACCOUNT, other)])
    for account in (ACCOUNT, other):
        assert len((await shop.mailboxes.changes_since(account, ModSeq(0))).changes) == 2


async def test_the_end_of_a_deleted_mailbox_is_in_the_log(shop: MailShop) -> None:
    made = await shop.mailboxes.create_mailbox(ACCOUNT, "Gone")
    cursor = await shop.mailboxes.highestmodseq(ACCOUNT)
    await shop.add_many(1, mailbox=made.mailbox_id)
    await shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
    page = await shop.mailboxes.changes_since(ACCOUNT, cursor)
    assert [type(entry.change) for entry in page.changes] == [Appended, MailboxChanged]
    assert page.modseq == cursor + 2


async def test_what_left_is_told_from_any_cursor(shop: MailShop) -> None:
    await shop.add_many(6)
    first = (await shop.messages.expunge(ACCOUNT, shop.inbox, BitMap([2, 3]))).modseq
    second = (await shop.messages.expunge(ACCOUNT, shop.inbox, BitMap([6]))).modseq
    assert first is not None
    assert second is not None
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    since = [
        await shop.mailboxes.expunged_since(ACCOUNT, shop.inbox, ModSeq(cursor))
        for cursor in (0, first - 1, first, second)
    ]
    assert since == [BitMap([2, 3, 6]), BitMap([2, 3, 6]), BitMap([6]), BitMap()]
    assert await shop.mailboxes.expunged_since(ACCOUNT, other.mailbox_id, ModSeq(0)) == BitMap()


async def test_what_left_is_folded_into_blocks_of_the_log(shop: MailShop) -> None:
    def entry(*uids: int) -> bytes:
        return encode_change(Expunged(BitMap(uids)))

    async def fold(*entries: tuple[int, bytes]) -> None:
        await shop.database.write(unit_of(fold_expunges, ACCOUNT, shop.inbox, entries))

    await shop.run("UPDATE account_state SET highestmodseq = 20000")
    await fold(
        (10, entry(1, 2)), (4095, entry(7)), (4096, entry(9)), (4097, encode_change(FlagsAdded(BitMap([8]), ())))
    )
    await fold((4096, entry(9)), (5000, entry(3, 2**32 - 1)))  # some entries a second time: nothing is lost or doubled
    since = [
        await shop.mailboxes.expunged_since(ACCOUNT, shop.inbox, ModSeq(cursor)) for cursor in (0, 4000, 4096, 8192)
    ]
    below, above = BitMap([1, 2, 7]), BitMap([3, 9, 2**32 - 1])
    assert since == [below | above, below | above, above, BitMap()]
    rows = await shop.rows("SELECT COUNT(*) FROM expunged WHERE account_id = $1")
    assert rows[0][0] == 2


async def test_nobody_asks_what_left_a_deleted_mailbox(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    entries = [(5, encode_change(Expunged(BitMap([1]))))]
    await shop.database.write(unit_of(fold_expunges, ACCOUNT, other.mailbox_id, entries))
    await shop.mailboxes.delete_mailbox(ACCOUNT, other.mailbox_id)
    assert not await shop.rows("SELECT block FROM expunged WHERE account_id = $1")


async def test_who_asks_from_before_a_loss_is_told_that_it_is_not_known(shop: MailShop) -> None:
    await shop.run("UPDATE account_state SET expunges_floor = 3")
    assert await shop.mailboxes.expunged_since(ACCOUNT, shop.inbox, ModSeq(2)) is None
    assert await shop.mailboxes.expunged_since(ACCOUNT, shop.inbox, ModSeq(3)) == BitMap()
