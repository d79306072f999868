"""Append, mark, copy, move and expunge: what a session does with a mailbox, over real storage."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pyroaring import BitMap

from hongyan.errors import Conflict, NotFound
from hongyan.mailboxes import expunge as expunge_module
from hongyan.mailboxes.append import Incoming, append, internal_text
from hongyan.mailboxes.expunge import expunge, expunged_since
from hongyan.mailboxes.flag_column import MAX_FLAGS, TooManyKeywords
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.move import copy_messages
from hongyan.store.receipts import Receipt
from hongyan.types import MailboxId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, message_octets

_INBOX = MailboxId(1)


async def add(mail: Mail, *flags: tuple[bytes, ...]) -> None:
    await append(mail, ACCOUNT, _INBOX, [Incoming(message_octets(f"n{n}"), flags=of) for n, of in enumerate(flags)])


async def test_messages_come_with_their_flags_and_their_date(shop: MailShop) -> None:
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, _INBOX)
    date = datetime(1996, 7, 17, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7)))
    incoming = Incoming(message_octets(), b"Return-Path: <>\r\n", (b"\\Seen", b"$Label"), date)
    done = await append(mail, ACCOUNT, _INBOX, [incoming, Incoming(message_octets())])
    assert (done.first_uid, state.column.set_of(0), state.column.set_of(1)) == (1, [b"\\Seen", b"$Label"], [])
    assert (await shop.read(1)).startswith(b"Return-Path: <>\r\nFrom: ")
    assert state.unseen() == 1


async def test_a_duplicate_changes_nothing_in_memory(shop: MailShop) -> None:
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, _INBOX)
    for _ in range(2):
        receipt = Receipt(b"x", now=1, expires=600)
        await append(mail, ACCOUNT, _INBOX, [Incoming(message_octets())], receipt=receipt)
    assert len(state) == 1


@pytest.mark.parametrize(
    ("date", "text"),
    [
        (datetime(1996, 7, 7, 2, 4, 5, tzinfo=UTC), b'" 7-Jul-1996 02:04:05 +0000"'),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=8))), b'"31-Dec-2026 23:59:59 +0800"'),
        (datetime(999, 1, 1, tzinfo=timezone(-timedelta(minutes=30))), b'" 1-Jan-0999 00:00:00 -0030"'),
    ],
)
def test_dates_are_written_as_imap_writes_them(date: datetime, text: bytes) -> None:
    assert internal_text(date) == text


async def test_flags_that_a_message_has_already_leave_it_alone(shop: MailShop) -> None:
    mail = shop.mail()
    await add(mail, (), (b"\\Seen",), ())
    state = await mail.live.open(ACCOUNT, _INBOX)
    before = list(state.modseqs)
    done = await mark(mail, ACCOUNT, state, BitMap([1, 2, 3, 9]), FlagAction.ADD, (b"\\Seen",))
    assert done.changed == BitMap([1, 3])
    assert list(state.modseqs) == [done.modseq, before[1], done.modseq]
    again = await mark(mail, ACCOUNT, state, BitMap([1, 2, 3]), FlagAction.ADD, (b"\\SEEN",))
    assert (again.modseq, again.changed) == (None, BitMap())
    assert await shop.mailboxes.highestmodseq(ACCOUNT) == done.modseq


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (FlagAction.ADD, {b"\\Seen", b"$a", b"$b"}),
        (FlagAction.REMOVE, {b"\\Seen"}),
        (FlagAction.REPLACE, {b"$a", b"$b"}),
    ],
)
async def test_flags_are_added_removed_and_replaced(shop: MailShop, action: FlagAction, expected: set[bytes]) -> None:
    mail = shop.mail()
    await add(mail, (b"\\Seen", b"$a"))
    state = await mail.live.open(ACCOUNT, _INBOX)
    await mark(mail, ACCOUNT, state, BitMap([1]), action, (b"$a", b"$b"))
    assert set(state.column.set_of(0)) == expected
    fresh = await shop.mail().live.open(ACCOUNT, _INBOX)
    assert set(fresh.column.set_of(0)) == expected


async def test_unchangedsince_leaves_out_what_has_changed(shop: MailShop) -> None:
    mail = shop.mail()
    await add(mail, (), (), ())
    state = await mail.live.open(ACCOUNT, _INBOX)
    since = state.highestmodseq
    await mark(mail, ACCOUNT, state, BitMap([2]), FlagAction.ADD, (b"$late",))
    done = await mark(
        mail, ACCOUNT, state, BitMap([1, 2, 3]), FlagAction.ADD, (b"\\Seen",), unchanged_since=ModSeq(since)
    )
    assert (done.changed, done.modified) == (BitMap([1, 3]), BitMap([2]))


async def test_unchangedsince_sees_what_another_process_changed(shop: MailShop) -> None:
    ours, theirs = shop.mail(), shop.mail()
    await add(ours, (), ())
    state = await ours.live.open(ACCOUNT, _INBOX)
    since = state.highestmodseq
    await mark(theirs, ACCOUNT, await theirs.live.open(ACCOUNT, _INBOX), BitMap([1]), FlagAction.ADD, (b"$x",))
    done = await mark(ours, ACCOUNT, state, BitMap([1, 2]), FlagAction.ADD, (b"\\Seen",), unchanged_since=ModSeq(since))
    assert (done.changed, done.modified) == (BitMap([2]), BitMap([1]))


async def test_the_limit_of_keywords_is_met_before_anything_is_stored(shop: MailShop) -> None:
    mail = shop.mail()
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    many = tuple(b"k%d" % number for number in range(MAX_FLAGS - 20))
    more = tuple(b"more%d" % number for number in range(20))
    await add(mail, many, ())
    await append(mail, ACCOUNT, other.mailbox_id, [Incoming(message_octets(), flags=more)])
    state, source = await mail.live.open(ACCOUNT, _INBOX), await mail.live.open(ACCOUNT, other.mailbox_id)
    before = await shop.mailboxes.highestmodseq(ACCOUNT)
    with pytest.raises(TooManyKeywords):
        await mark(mail, ACCOUNT, state, BitMap([2]), FlagAction.ADD, more)
    with pytest.raises(TooManyKeywords):
        await append(mail, ACCOUNT, _INBOX, [Incoming(message_octets(), flags=more)])
    with pytest.raises(TooManyKeywords):
        await copy_messages(mail, ACCOUNT, source, BitMap([1]), _INBOX)
    assert await shop.mailboxes.highestmodseq(ACCOUNT) == before
    await mark(mail, ACCOUNT, state, BitMap([1]), FlagAction.REPLACE, ())
    await mark(mail, ACCOUNT, state, BitMap([2]), FlagAction.ADD, more)


async def test_a_mailbox_whose_log_holds_too_many_keywords_opens(shop: MailShop) -> None:
    mails = [shop.mail() for _ in range(2)]
    await add(mails[0], ())
    states = [await mail.live.open(ACCOUNT, _INBOX) for mail in mails]
    for number, (mail, state) in enumerate(zip(mails, states, strict=True)):
        flags = tuple(b"k%d-%d" % (number, at) for at in range(150))
        await mark(mail, ACCOUNT, state, BitMap([1]), FlagAction.ADD, flags)
    assert len((await shop.mail().live.open(ACCOUNT, _INBOX)).column.set_of(0)) == 300


async def test_a_copy_takes_flags_along(shop: MailShop) -> None:
    mail = shop.mail()
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    await add(mail, (b"\\Seen",), (), (b"$x", b"\\Seen"))
    source = await mail.live.open(ACCOUNT, _INBOX)
    copies = await mail.live.open(ACCOUNT, target.mailbox_id)
    done = await copy_messages(mail, ACCOUNT, source, BitMap([1, 2, 3, 77]), target.mailbox_id, move=True)
    assert done is not None
    assert [copies.column.set_of(at) for at in range(3)] == [[b"\\Seen"], [], [b"\\Seen", b"$x"]]
    assert len(source) == 0
    assert await copy_messages(mail, ACCOUNT, source, BitMap([1]), target.mailbox_id) is None
    with pytest.raises(NotFound):
        await copy_messages(mail, ACCOUNT, copies, BitMap([1]), MailboxId(99))


async def test_a_copy_of_what_another_process_removed_copies_the_rest(shop: MailShop) -> None:
    ours, theirs = shop.mail(), shop.mail()
    target = await shop.mailboxes.create_mailbox(ACCOUNT, "Target")
    await add(ours, (), (), ())
    source = await ours.live.open(ACCOUNT, _INBOX)
    await expunge(theirs, ACCOUNT, _INBOX, BitMap([2]))
    done = await copy_messages(ours, ACCOUNT, source, BitMap([1, 2, 3]), target.mailbox_id)
    assert done is not None
    assert list(done.source_uids) == [1, 3]


async def test_a_state_that_nobody_keeps_current_gives_up(shop: MailShop) -> None:
    mail = shop.mail()
    await add(mail, (), ())
    stale = await mail.live.open(ACCOUNT, _INBOX)
    mail.live.forget(ACCOUNT, _INBOX)
    await expunge(mail, ACCOUNT, _INBOX, BitMap([2]))
    with pytest.raises(Conflict):
        await copy_messages(mail, ACCOUNT, stale, BitMap([2]), _INBOX)


async def test_a_great_many_are_expunged_in_steps(shop: MailShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expunge_module, "_AT_ONCE", 3)
    mail = shop.mail()
    await add(mail, *[()] * 10)
    state = await mail.live.open(ACCOUNT, _INBOX)
    assert await expunge(mail, ACCOUNT, _INBOX, BitMap([1, 2, 4, 5, 6, 8, 9, 50])) == BitMap([1, 2, 4, 5, 6, 8, 9])
    assert list(state.uids) == [3, 7, 10]
    assert await expunge(mail, ACCOUNT, _INBOX, BitMap()) == BitMap()
    await shop.require_exact_counters()


async def test_who_was_away_learns_what_left(shop: MailShop) -> None:
    mail = shop.mail()
    await add(mail, *[()] * 6)
    state = await mail.live.open(ACCOUNT, _INBOX)
    await expunge(mail, ACCOUNT, _INBOX, BitMap([1]))
    cursor = state.modseq
    await expunge(mail, ACCOUNT, _INBOX, BitMap([3, 4]))
    assert await expunged_since(shop.mailboxes, ACCOUNT, state, cursor) == BitMap([3, 4])
    await shop.run("UPDATE account_state SET expunges_floor = $1", cursor + 1)
    assert await expunged_since(shop.mailboxes, ACCOUNT, state, cursor) == BitMap([1, 3, 4])
    assert await expunged_since(shop.mailboxes, ACCOUNT, state, ModSeq(cursor + 1)) == BitMap()
