"""Shared mailboxes, what viewers have seen, and messages that go across: what every SQL engine owes."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from hongyan.engines.sql import shares as sql_shares
from hongyan.engines.sql.annotations import SqlAnnotations
from hongyan.engines.sql.crossings import SqlCrossings
from hongyan.engines.sql.shares import SqlShares
from hongyan.engines.sql.units import SqlDatabase
from hongyan.errors import Conflict, Corrupt, NotFound, OverLimit, OverQuota
from hongyan.store.annotations import EVERYBODY, SERVER_NOTES, AnnotationLimits, Topic
from hongyan.store.changes import AccessChanged, Annotated
from hongyan.store.shares import ANYONE, Access, Grant, Reached, SeenNote
from hongyan.types import AccountId, MailboxId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, new_message

_BERT = AccountId(8)
_CARL = AccountId(9)
_INBOX = MailboxId(1)
_HERE = Reached(ACCOUNT, _INBOX)
_LIMITS = AnnotationLimits(entries=2, octets=100)


@pytest.fixture
def shares(sql_database: SqlDatabase) -> SqlShares:
    return SqlShares(sql_database)


def plus(grantee: AccountId, rights: str) -> Access:
    return Access(grantee, False, "+", rights)


async def test_grants_are_joined_reduced_replaced_and_logged(shares: SqlShares, shop: MailShop) -> None:
    await shares.change_access(ACCOUNT, _INBOX, plus(_BERT, "rl"))
    await shares.change_access(ACCOUNT, _INBOX, plus(_BERT, "sl"))
    done = await shares.change_access(ACCOUNT, _INBOX, Access(_BERT, False, "-", "r"))
    assert done.change == AccessChanged(_BERT, is_negative=False, rights="ls")
    await shares.change_access(ACCOUNT, _INBOX, Access(_BERT, True, "=", "s"))
    assert await shares.list_grants(ACCOUNT, _INBOX) == [Grant(_BERT, "ls"), Grant(_BERT, "s", is_negative=True)]
    page = await shop.mailboxes.changes_since(ACCOUNT, ModSeq(done.modseq - 1))
    assert page.changes[0].change == done.change
    assert (await shop.mailbox()).highestmodseq == page.modseq
    await shares.change_access(ACCOUNT, _INBOX, Access(_BERT, False, "=", ""))
    assert await shares.list_grants(ACCOUNT, _INBOX) == [Grant(_BERT, "s", is_negative=True)]


@pytest.mark.usefixtures("shop")
async def test_a_viewer_is_told_what_speaks_of_it_and_of_everybody(shares: SqlShares) -> None:
    await shares.change_access(ACCOUNT, _INBOX, plus(_BERT, "l"))
    await shares.change_access(ACCOUNT, _INBOX, plus(_CARL, "lr"))
    await shares.change_access(ACCOUNT, _INBOX, plus(ANYONE, "p"))
    found = await shares.find_shared(ACCOUNT, "INBOX", _BERT)
    assert found is not None
    assert set(found.grants) == {Grant(_BERT, "l"), Grant(ANYONE, "p")}
    assert await shares.find_shared(ACCOUNT, "Nothing", _BERT) is None
    (listed,) = await shares.list_shared(ACCOUNT, [_INBOX, MailboxId(99)], _CARL)
    assert set(listed.grants) == {Grant(_CARL, "lr"), Grant(ANYONE, "p")}


@pytest.mark.usefixtures("shop")
async def test_a_mailbox_that_is_not_there_is_granted_to_nobody(shares: SqlShares) -> None:
    with pytest.raises(NotFound):
        await shares.change_access(ACCOUNT, MailboxId(99), plus(_BERT, "l"))
    assert await shares.list_grants(ACCOUNT, MailboxId(99)) == []


@pytest.mark.usefixtures("shop")
async def test_grants_of_one_mailbox_are_bounded(shares: SqlShares, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_shares, "MAX_GRANTS", 1)
    await shares.change_access(ACCOUNT, _INBOX, plus(_BERT, "l"))
    with pytest.raises(OverLimit):
        await shares.change_access(ACCOUNT, _INBOX, plus(_CARL, "l"))
    await shares.change_access(ACCOUNT, _INBOX, plus(_BERT, "r"))


async def test_grants_go_with_their_mailbox(shares: SqlShares, shop: MailShop) -> None:
    made = await shop.mailboxes.create_mailbox(ACCOUNT, "Work")
    await shares.change_access(ACCOUNT, made.mailbox_id, plus(_BERT, "l"))
    await shop.mailboxes.delete_mailbox(ACCOUNT, made.mailbox_id)
    assert await shares.list_grants(ACCOUNT, made.mailbox_id) == []


async def test_who_reaches_what_is_found_by_one_key(shares: SqlShares) -> None:
    other = Reached(_CARL, _INBOX)
    for reached in (other, _HERE, _HERE):
        await shares.note_reached(_BERT, reached)
    await shares.note_open("geese.test", _HERE)
    assert await shares.list_reached(_BERT, limit=10) == [_HERE, other]
    assert await shares.list_reached(_BERT, limit=1) == [_HERE]
    assert await shares.list_reached(_CARL, limit=10) == []
    assert await shares.list_open("geese.test", limit=10) == [_HERE]
    await shares.forget_reached(_BERT, [_HERE])
    await shares.forget_open("geese.test", [_HERE])
    assert await shares.list_reached(_BERT, limit=10) == [other]
    assert await shares.list_open("geese.test", limit=10) == []


async def test_what_was_seen_is_noted_with_the_viewer_in_the_order_of_the_log(
    shares: SqlShares, shop: MailShop
) -> None:
    await shop.open_account(_BERT)
    await shares.note_seen(_BERT, _HERE, ModSeq(5), BitMap([1, 2]), is_seen=True)
    await shares.note_seen(_BERT, _HERE, ModSeq(9), BitMap([2]), is_seen=True)
    await shares.note_seen(_BERT, _HERE, ModSeq(7), BitMap([1, 2]), is_seen=False)  # comes late
    note = await shares.seen_note(_BERT, _HERE)
    assert note.now_seen() == BitMap([2])
    assert note.modseq == 9
    assert (await shares.seen_note(_CARL, _HERE)).now_seen() == BitMap()
    await shares.forget_reached(_BERT, [_HERE])
    assert (await shares.seen_note(_BERT, _HERE)).now_seen() == BitMap()


def test_a_note_of_what_was_seen_that_is_cut_short_is_corrupt() -> None:
    note = SeenNote(ModSeq(3)).with_step(ModSeq(5), BitMap([1, 2]), is_seen=True)
    octets = note.encode()
    assert SeenNote.decode(octets) == note
    for length in range(len(octets)):
        with pytest.raises(Corrupt):
            SeenNote.decode(octets[:length])


async def test_messages_go_across_with_flags_and_count_where_they_arrive(
    sql_database: SqlDatabase, shop: MailShop
) -> None:
    crossings = SqlCrossings(sql_database)
    await shop.open_account(_BERT)
    await shop.add(new_message("one"), new_message("two", prefix=b"Received: x\r\n"), new_message("three"))
    taken = await crossings.take(ACCOUNT, _INBOX, BitMap([1, 2]))
    done = await crossings.bring(_BERT, _INBOX, taken, {b"$x": BitMap([2, 3])}, 77)
    assert (done.source_uids, done.first_uid) == ([1, 2], 1)
    theirs = MailShop(shop.storage, _BERT)
    assert await theirs.read(2) == await shop.read(2)
    await theirs.require_exact_counters()
    await shop.require_exact_counters()
    state = await theirs.mail().live.open(_BERT, _INBOX)
    assert state.flags_of(BitMap([1, 2])) == {b"$x": BitMap([2])}
    with pytest.raises(Conflict):
        await crossings.take(ACCOUNT, _INBOX, BitMap([1, 9]))
    with pytest.raises(NotFound):
        await crossings.bring(_BERT, MailboxId(9), taken, {}, 77)
    await theirs.mailboxes.set_quota(_BERT, limit_octets=0, limit_messages=3)
    with pytest.raises(OverQuota):
        await crossings.bring(_BERT, _INBOX, taken, {}, 77)
    assert await theirs.uids() == [1, 2]


async def test_entries_are_set_all_or_none_within_their_limits(sql_database: SqlDatabase, shop: MailShop) -> None:
    annotations = SqlAnnotations(sql_database)
    topic = Topic(ACCOUNT, ACCOUNT, _INBOX)
    await annotations.write(topic, {"/shared/a": b"1", "/shared/b": b"\0"}, _LIMITS)
    with pytest.raises(OverLimit):
        await annotations.write(topic, {"/shared/a": None, "/shared/c": b"3", "/shared/d": b"4"}, _LIMITS)
    with pytest.raises(OverQuota):
        await annotations.write(topic, {"/shared/a": b"x" * 100}, _LIMITS)
    assert await annotations.read(topic) == {"/shared/a": b"1", "/shared/b": b"\0"}
    await annotations.write(topic, {"/shared/a": None, "/shared/none": None}, AnnotationLimits(0, 0))
    assert await annotations.read(topic) == {"/shared/b": b"\0"}
    everybody = Topic(EVERYBODY, EVERYBODY, SERVER_NOTES)
    await annotations.write(everybody, {"/shared/comment": b"x"}, _LIMITS)
    assert await annotations.read(everybody) == {"/shared/comment": b"x"}


async def test_an_entry_that_becomes_another_one_advances_the_mailbox(
    sql_database: SqlDatabase, shop: MailShop
) -> None:
    annotations = SqlAnnotations(sql_database)
    topic = Topic(ACCOUNT, ACCOUNT, _INBOX)
    done = await annotations.write(topic, {"/shared/a": b"1"}, _LIMITS)
    assert done is not None
    assert done.change == Annotated()
    assert (await shop.mailbox()).highestmodseq == done.modseq
    assert await annotations.write(topic, {"/shared/a": b"1", "/shared/none": None}, _LIMITS) is None
    assert await annotations.write(Topic(ACCOUNT, ACCOUNT, SERVER_NOTES), {"/private/a": b"1"}, _LIMITS) is None
    theirs = await annotations.note_change(ACCOUNT, _INBOX)
    assert theirs.modseq == done.modseq + 1
    page = await shop.mailboxes.changes_since(ACCOUNT, ModSeq(done.modseq - 1))
    assert [one.change for one in page.changes] == [Annotated(), Annotated()]
    assert (await shop.mailbox()).highestmodseq == page.modseq
    with pytest.raises(NotFound):
        await annotations.note_change(ACCOUNT, MailboxId(99))
    with pytest.raises(NotFound):
        await annotations.write(Topic(ACCOUNT, ACCOUNT, MailboxId(99)), {"/shared/a": b"1"}, _LIMITS)


async def test_all_entries_of_an_account_are_read_by_what_they_are_about(
    sql_database: SqlDatabase, shop: MailShop
) -> None:
    annotations = SqlAnnotations(sql_database)
    await MailShop(shop.storage).open_account(_BERT)
    own, server, theirs = (
        Topic(ACCOUNT, ACCOUNT, _INBOX),
        Topic(ACCOUNT, ACCOUNT, SERVER_NOTES),
        Topic(_BERT, ACCOUNT, _INBOX),
    )
    await annotations.write(own, {"/shared/b": b"2", "/private/a": b"1"}, _LIMITS)
    await annotations.write(server, {"/private/a": b"\0"}, _LIMITS)
    await annotations.write(theirs, {"/private/a": b"bert's"}, _LIMITS)
    assert await annotations.read_account(ACCOUNT) == {
        own: {"/private/a": b"1", "/shared/b": b"2"},
        server: {"/private/a": b"\0"},
    }
    assert await annotations.read_account(_BERT) == {theirs: {"/private/a": b"bert's"}}
    assert await annotations.read_account(_CARL) == {}


@pytest.mark.usefixtures("shop")
async def test_all_grants_of_an_account_are_told_mailbox_by_mailbox(shares: SqlShares, shop: MailShop) -> None:
    work = await shop.mailboxes.create_mailbox(ACCOUNT, "Work")
    await shares.change_access(ACCOUNT, _INBOX, plus(_CARL, "lr"))
    await shares.change_access(ACCOUNT, work.mailbox_id, plus(ANYONE, "p"))
    await shares.change_access(ACCOUNT, _INBOX, plus(_BERT, "l"))
    await shares.change_access(ACCOUNT, _INBOX, Access(_BERT, True, "=", "s"))
    assert await shares.list_all_grants(ACCOUNT) == [
        (_INBOX, Grant(_BERT, "l")),
        (_INBOX, Grant(_BERT, "s", is_negative=True)),
        (_INBOX, Grant(_CARL, "lr")),
        (work.mailbox_id, Grant(ANYONE, "p")),
    ]
    assert await shares.list_all_grants(_BERT) == []
