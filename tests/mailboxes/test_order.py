"""SORT gives what RFC 5256 says, whatever was read when, and what is kept in memory is bounded."""

from __future__ import annotations

import asyncio
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from hongyan.engines.sql.ordering_fill import SqlOrdering
from hongyan.mailboxes.order import MailboxOrder, OrderBy, Ordering, Piece
from hongyan.mailboxes.orderings import OrderingOptions, Orderings
from hongyan.mailboxes.thread_links import ThreadAlgorithm
from hongyan.store.messages import Row
from tests.support.mail import ACCOUNT, MailShop

_ZONE = b'" 1-Jan-1970 00:00:00 +0800"'
_TEXT = st.sampled_from(["", "A", "B", "Ä", "甲"])
_SENT = st.none() | st.integers(0, 3)
_ROW = st.tuples(st.integers(0, 3), _SENT, st.integers(1, 3), _TEXT, _TEXT)
_BY = (OrderBy.ARRIVAL, OrderBy.SENT, OrderBy.SIZE, OrderBy.SUBJECT, OrderBy.FROM)
_ORDERINGS = st.lists(st.builds(Ordering, st.sampled_from(_BY), st.booleans()), min_size=1, max_size=3).map(tuple)


def _take(order: MailboxOrder, rows: list[Row], first: int, *, gone: BitMap) -> None:
    """Let an order read rows; those that are gone have left after their dates were read."""
    numbered = list(enumerate(rows, first))
    order.take(Piece.DATES, [(uid, row[0], _ZONE, row[2]) for uid, row in numbered])
    here = [(uid, row) for uid, row in numbered if uid not in gone]
    for piece, columns in (
        (Piece.SENT, lambda row: (row[1],)),
        (Piece.SUBJECT, lambda row: (row[3], 0)),
        (Piece.FROM, lambda row: (row[4],)),
    ):
        order.take(piece, [(uid, *columns(row)) for uid, row in here])
        order.end(piece)
        assert order.is_read(piece)


@settings(deadline=None)
@given(st.lists(_ROW, max_size=8), st.lists(_ROW, max_size=4), st.sets(st.integers(1, 12)), _ORDERINGS)
def test_messages_are_sorted_by_each_criterion_in_turn(
    old: list[Row], new: list[Row], gone: set[int], orderings: tuple[Ordering, ...]
) -> None:
    order = MailboxOrder()
    rows: dict[int, Row] = {}
    for first, some in ((1, old), (1 + len(old), new)):
        if some:
            _take(order, some, first, gone=BitMap(gone))
        rows.update(enumerate(some, first))
        among = BitMap(rows) - BitMap(gone)
        expected = list(among)
        for ordering in reversed(orderings):
            place = _BY.index(ordering.by)

            def value(uid: int, place: int = place) -> tuple[object]:
                row = rows[uid]
                return (row[0] if place == 1 and row[1] is None else row[place],)

            # Sorting turned round keeps equals in their order, which is that of numbers.
            expected.sort(key=value, reverse=ordering.reverse)
        assert order.sort(orderings, among) == expected


def _take_threaded(order: MailboxOrder, uids: range) -> None:
    """Take messages of which each answers some of those before it."""
    order.take(Piece.DATES, [(uid, uid % 11, b"", 1) for uid in uids])
    order.take(Piece.SENT, [(uid, uid % 7) for uid in uids])
    order.take(Piece.SUBJECT, [(uid, "" if uid % 5 else f"s{uid % 3}", uid % 2) for uid in uids])
    links = [(uid, *[at for at in (uid // 3, uid // 2 + 1) if uid % 4 and at != uid]) for uid in uids]
    order.take(Piece.LINKS, [(one[0], struct.pack(f"<{len(one)}q", *one)) for one in links])


@pytest.mark.parametrize("algorithm", list(ThreadAlgorithm))
def test_threads_stay_those_of_a_mailbox_that_was_just_read(
    algorithm: ThreadAlgorithm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hongyan.mailboxes.order._MANY_GONE", 5)
    chance = random.Random(5)
    order, there, last = MailboxOrder(), BitMap(), 0
    for step in range(40):
        come = range(last + 1, last + 1 + chance.randrange(8))
        if come:
            _take_threaded(order, come)
        last += len(come)
        there |= BitMap(come)
        there -= BitMap(chance.sample(sorted(there), min(len(there), chance.randrange(4))))
        order.drop_gone(there)
        for among in (there, BitMap(uid for uid in there if uid % 9)):
            fresh = MailboxOrder()
            if last:
                _take_threaded(fresh, range(1, last + 1))
            told = order.forest(algorithm, among).encode(order.uids)
            assert told == fresh.forest(algorithm, among).encode(fresh.uids), step


def test_days_are_those_that_are_written() -> None:
    order = MailboxOrder()
    noon = 43_200
    zones = [b"+0000", b"+0800", b"+1400", b"-1200", b"-1201"]
    rows = [(uid, noon, b'" 1-Jan-1970 12:00:00 %b"' % zone, uid) for uid, zone in enumerate(zones, 1)]
    order.take(Piece.DATES, rows)
    assert list(order.arrived_on(0, 1)) == [1, 2, 4]
    assert list(order.arrived_on(1, None)) == [3]
    assert list(order.arrived_on(None, 0)) == [5]
    assert list(order.sized(2, 4)) == [2, 3]
    assert list(order.arrived(noon + 1, None)) == []


def test_what_is_gone_leaves_once_it_is_much() -> None:
    order = MailboxOrder()
    _take(order, [(uid % 5, uid % 3, uid, f"s{uid % 50}", f"f{uid}") for uid in range(1, 4001)], 1, gone=BitMap())
    by = (Ordering(OrderBy.FROM),)
    there = BitMap(range(3000, 4001))
    before, weight = order.sort(by, there), order.weight
    order.drop_gone(BitMap(range(4, 4001)))
    assert order.weight == weight
    order.drop_gone(there)
    assert order.weight < weight / 2
    assert order.sort(by, there) == before
    assert order.next_uid(Piece.DATES) == 4001


@pytest.fixture
def orderings(shop: MailShop) -> Orderings:
    return Orderings(shop.messages, SqlOrdering(shop.database))


async def test_only_new_rows_are_read_again(
    shop: MailShop, orderings: Orderings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.add_many(5)
    asked: list[tuple[int, int]] = []
    rows = shop.messages.rows

    async def noting(account, mailbox, columns, ranges, *, limit=256):  # type: ignore[no-untyped-def]  # notes and passes on
        asked.extend(ranges)
        return await rows(account, mailbox, columns, ranges, limit=limit)

    monkeypatch.setattr(shop.messages, "rows", noting)
    by = (Ordering(OrderBy.SUBJECT, reverse=True),)
    there = BitMap(range(1, 6))
    assert await orderings.sort(ACCOUNT, shop.inbox, there, by, there) == [5, 4, 3, 2, 1]
    assert [low for low, _ in asked] == [1, 1]
    assert await orderings.sort(ACCOUNT, shop.inbox, there, by, BitMap([2, 4])) == [4, 2]
    assert len(asked) == 2
    await shop.add_many(1)
    there.add(6)
    assert await orderings.sort(ACCOUNT, shop.inbox, there, by, there) == [5, 4, 3, 2, 1, 6]
    assert [low for low, _ in asked[2:]] == [6, 6]


async def test_many_may_ask_at_once(shop: MailShop, orderings: Orderings) -> None:
    await shop.add_many(20)
    there = BitMap(range(1, 21))
    by = [(Ordering(key),) for key in OrderBy]
    sorted_ = await asyncio.gather(*[orderings.sort(ACCOUNT, shop.inbox, there, one, there) for one in by * 3])
    assert all(sorted(uids) == list(range(1, 21)) for uids in sorted_)
    forest, uids = await orderings.thread(ACCOUNT, shop.inbox, there, ThreadAlgorithm.REFERENCES, there)
    assert len(forest.places) == len(uids) == 20


async def test_the_least_used_leave_when_memory_is_full(shop: MailShop) -> None:
    orderings = Orderings(shop.messages, SqlOrdering(shop.database), OrderingOptions(memory=1))
    boxes = [(await shop.mailboxes.create_mailbox(ACCOUNT, f"B{number}")).mailbox_id for number in range(3)]
    there = BitMap(range(1, 2001))
    for box in boxes:
        await shop.add_many(2000, mailbox=box)
        await orderings.sort(ACCOUNT, box, there, (Ordering(OrderBy.SUBJECT),), there)
    first, last = boxes[0], boxes[-1]
    assert await orderings.dates(ACCOUNT, first, there) is None
    assert await orderings.dates(ACCOUNT, last, there) is not None
