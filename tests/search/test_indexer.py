"""The indexer follows the mail, and whatever it has not reached is read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from pyroaring import BitMap

from hongyan import telemetry
from hongyan.engines.memory import MemoryBus
from hongyan.engines.sql.cursors import SqlCursors
from hongyan.engines.sql.units import Statement, Unit
from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.errors import Corrupt, StorageFailed
from hongyan.notify.consumers import ConsumerOptions, Consumers, NotYet
from hongyan.search.indexer import Indexer
from hongyan.search.options import SearchOptions
from hongyan.store.bus import Topic
from hongyan.store.changes import Appended, Expunged, LoggedChange
from hongyan.store.index import Document, IndexField, email_of
from hongyan.telemetry import metrics
from hongyan.types import AccountId, MailboxId, ModSeq
from hongyan.wire.imap.search import InBody, InHeader
from tests.search.conftest import Desk
from tests.support.disk import FaultyDisk
from tests.support.mail import ACCOUNT, MailShop, new_message

_PATIENCE = 30.0  # seconds, after which something waits that should not
_GOOSE = b"Subject: goose\r\n\r\nthe wild goose flies"
_DUCK = b"Subject: duck\r\n\r\nthe tame duck swims"
_NEW = LoggedChange(ModSeq(2), MailboxId(1), Appended(1, 1))
_GONE = LoggedChange(ModSeq(9), MailboxId(1), Expunged(BitMap([1])))


async def test_what_came_after_the_index_is_found_at_once(desk: Desk) -> None:
    await desk.file(_GOOSE)
    await desk.indexer.take(ACCOUNT, [_NEW])
    await desk.file(_GOOSE, _DUCK)
    assert await desk.index.find_covered(ACCOUNT) == 1
    assert await desk.look_up(InBody("goose"), BitMap([1, 2, 3])) == BitMap([1, 2])


async def test_what_left_the_mailbox_is_not_found(desk: Desk) -> None:
    await desk.file(_GOOSE, _GOOSE)
    await desk.catch_up()
    await desk.shop.expunge(1)
    assert await desk.look_up(InBody("goose"), BitMap([2])) == BitMap([2])
    assert await desk.look_up(InHeader(b"subject", "goose"), BitMap([2])) == BitMap([2])


async def test_copies_share_what_is_indexed(desk: Desk) -> None:
    await desk.file(_GOOSE)
    await desk.catch_up()
    await desk.shop.messages.copy(ACCOUNT, desk.shop.inbox, BitMap([1]), {}, desk.shop.inbox)
    assert await desk.index.numbers(ACCOUNT) == BitMap([1])
    assert await desk.look_up(InBody("goose"), BitMap([1, 2])) == BitMap([1, 2])


async def test_a_crash_before_the_commit_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.file(_GOOSE, _DUCK)

    async def fail(*_arguments: object) -> float:
        raise StorageFailed(cause="a test")

    with monkeypatch.context() as broken:
        broken.setattr(desk.index, "put", fail)
        with pytest.raises(StorageFailed):
            await desk.catch_up()
    assert await desk.index.find_covered(ACCOUNT) == 0
    again = Indexer(desk.mail, desk.index, SearchOptions(share=1))
    await again.catch_up(ACCOUNT)
    assert await desk.index.numbers(ACCOUNT) == BitMap([1, 2])


async def test_indexing_the_same_again_changes_nothing(desk: Desk) -> None:
    await desk.file(_GOOSE)
    await desk.catch_up()
    await desk.indexer.begin_anew(ACCOUNT)
    await desk.indexer.take(ACCOUNT, [_NEW])
    match = await desk.index.match(ACCOUNT, (IndexField.BODY,), "oos")
    assert match is not None
    assert match.sure == BitMap([1])


async def test_a_damaged_index_is_passed_by_and_reported(desk: Desk) -> None:
    await desk.file(_GOOSE, _DUCK)
    await desk.catch_up()
    folder = desk.index.path
    desk.index.close()
    (folder / f"{ACCOUNT}.db").write_bytes(b"no database at all" * 1000)
    desk.index = SqliteIndex(folder)
    with pytest.raises(Corrupt):
        await desk.index.find_covered(ACCOUNT)
    assert await desk.look_up(InBody("goose"), BitMap([1, 2])) == BitMap([1])
    assert desk.keeper.asked == [(ACCOUNT, True)]
    await Indexer(desk.mail, desk.index, SearchOptions(share=1)).catch_up(ACCOUNT)
    assert await desk.index.find_covered(ACCOUNT) == 2


@pytest.mark.parametrize("damage", ["flipped", "cut off", "deleted", "deleted while open"])
async def test_whatever_becomes_of_the_file_searches_are_right_and_it_is_made_anew(desk: Desk, damage: str) -> None:
    await desk.file(*[_GOOSE, _DUCK] * 60)
    await desk.catch_up()
    among, geese = BitMap(range(1, 121)), BitMap(range(1, 121, 2))
    file = desk.index.path / f"{ACCOUNT}.db"
    if damage != "deleted while open":
        desk.index.close()
        desk.index = SqliteIndex(file.parent)
    if damage.startswith("deleted"):
        file.unlink()
    else:
        octets = file.read_bytes()
        file.write_bytes(octets[:9000] if damage == "cut off" else bytes(octet ^ 1 for octet in octets))
    restarted = desk.restarted()
    assert await restarted.look_up(InBody("goose"), among) == geese
    ((account, damaged),) = restarted.keeper.asked
    indexed = metrics.REGISTRY.get_sample_value("hongyan_indexed_total") or 0.0
    restarted.indexer.ask(account, damaged=damaged)
    running = asyncio.ensure_future(restarted.indexer.run())
    async with asyncio.timeout(_PATIENCE):
        while metrics.REGISTRY.get_sample_value("hongyan_indexed_total") != indexed + 120:
            await asyncio.sleep(0.01)
    running.cancel()
    await desk.index.check(ACCOUNT)
    assert await restarted.look_up(InBody("goose"), among) == geese
    assert len(restarted.keeper.asked) == 1


async def test_an_index_that_is_taken_away_between_two_batches_is_begun_anew(desk: Desk) -> None:
    await desk.file(*[_GOOSE] * 60)
    assert not await desk.indexer.advance(ACCOUNT)
    put = desk.index.put

    async def put_late(account: AccountId, documents: Sequence[Document], after: int, covered: int) -> float:
        (desk.index.path / f"{ACCOUNT}.db").unlink()
        desk.index.put = put  # type: ignore[method-assign]  # once
        return await put(account, documents, after, covered)

    desk.index.put = put_late  # type: ignore[method-assign]  # as above
    await desk.catch_up()
    assert await desk.index.numbers(ACCOUNT) == BitMap(range(1, 61))


async def test_without_room_indexing_stops_tells_so_once_and_goes_on_by_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FaultyDisk()
    desk.index = SqliteIndex(desk.index.path, reserve_octets=100 << 20, disk=disk)
    indexer = desk.restarted().indexer
    monkeypatch.setattr("hongyan.search.indexer._LOOK_FOR_ROOM", 0.001)
    disk.free = 10 << 20
    await desk.file(_GOOSE, _DUCK)
    with telemetry.capture() as told:
        for _ in range(3):
            with pytest.raises(NotYet):
                await indexer.take(ACCOUNT, [_NEW])
        assert metrics.REGISTRY.get_sample_value("hongyan_index_stopped") == 1
        assert await desk.look_up(InBody("goose"), BitMap([1, 2])) == BitMap([1])
        disk.free = 1 << 30
        await indexer.take(ACCOUNT, [_NEW])
    assert [event.msg for event in told if event.msg.startswith("index-")] == ["index-stopped", "index-goes-on"]
    assert metrics.REGISTRY.get_sample_value("hongyan_index_stopped") == 0
    assert await desk.index.numbers(ACCOUNT) == BitMap([1, 2])


async def test_new_mail_of_others_does_not_wait_for_an_import(desk: Desk) -> None:
    others = [AccountId(number) for number in range(2, 6)]
    await desk.file(*[_GOOSE] * 1000)
    shops = [MailShop(desk.shop.storage, account) for account in others]
    for shop in shops:
        await shop.open_account()
    bus = MemoryBus()
    consumers = Consumers(bus, desk.shop.mailboxes, SqlCursors(desk.shop.database), ConsumerOptions(share=1))
    consumers.add(desk.indexer)
    done: list[AccountId] = []
    put = desk.index.put

    async def put_and_tell(account: AccountId, documents: Sequence[Document], after: int, covered: int) -> float:
        done.append(account)
        if len(done) == 3:  # In the middle of the import others get mail.
            for shop in shops:
                await shop.add(new_message())
                bus.publish(Topic.ACCOUNT, shop.account, 2)
        return await put(account, documents, after, covered)

    desk.index.put = put_and_tell  # type: ignore[method-assign]  # it is told of, and done
    async with asyncio.timeout(_PATIENCE):
        await consumers.catch_up()
    assert done.count(ACCOUNT) == 20
    assert [account for account in done[3:12] if account != ACCOUNT] == others
    assert await desk.index.numbers(ACCOUNT) == BitMap(range(1, 1001))


async def test_a_missing_index_is_asked_for(desk: Desk) -> None:
    await desk.file(_GOOSE)
    assert await desk.look_up(InBody("goose"), BitMap([1])) == BitMap([1])
    assert desk.keeper.asked == [(ACCOUNT, False)]


async def test_emails_that_are_no_more_are_forgotten(desk: Desk) -> None:
    await desk.file(_GOOSE, _DUCK)
    await desk.catch_up()
    await desk.shop.database.write(lambda _refs: _remove_email(1))
    await desk.indexer.take(ACCOUNT, [_GONE])
    assert await desk.indexer.tidy() == 1
    assert await desk.index.numbers(ACCOUNT) == BitMap([2])
    match = await desk.index.match(ACCOUNT, (IndexField.BODY,), "goose")
    assert match is not None
    assert not match.sure


async def test_the_index_of_an_account_that_is_no_more_goes(desk: Desk) -> None:
    await desk.file(_GOOSE)
    await desk.catch_up()
    await desk.shop.database.write(lambda _refs: _remove_account())
    await desk.indexer.tidy()
    assert await desk.index.list_accounts() == []


async def test_an_index_that_is_ahead_of_the_mail_is_begun_anew(desk: Desk) -> None:
    await desk.file(_GOOSE)
    await desk.index.put(ACCOUNT, [], 0, 40)
    await desk.catch_up()
    assert await desk.index.find_covered(ACCOUNT) == 1


async def test_an_index_of_a_later_state_of_the_database_is_neither_believed_nor_kept(desk: Desk) -> None:
    await desk.file(_GOOSE, _GOOSE, _GOOSE)
    await desk.catch_up()
    await desk.shop.database.write(lambda _refs: _go_back(1))
    await desk.file(_DUCK, _DUCK, _DUCK)  # Their numbers are 2, 3 and 4.
    restarted = desk.restarted()
    everything = BitMap(await desk.shop.uids())
    assert await restarted.look_up(InBody("goose"), everything) == BitMap([1])
    assert restarted.keeper.asked == [(ACCOUNT, False)]
    await restarted.catch_up()
    assert await restarted.look_up(InBody("duck"), everything) == everything - BitMap([1])
    match = await desk.index.match(ACCOUNT, (IndexField.BODY,), "goose")
    assert match is not None
    assert match.sure == BitMap([1])


async def test_a_text_that_is_too_long_is_read_by_each_search(desk: Desk) -> None:
    await desk.file(b"Subject: long\r\n\r\n" + b"goose egg " * 200_000, _DUCK)
    await desk.catch_up()
    assert (await desk.index.measure(ACCOUNT)).partial == 1
    assert await desk.look_up(InBody("goose egg"), BitMap([1, 2])) == BitMap([1])


async def test_many_hits_and_few_are_the_same_messages(desk: Desk) -> None:
    await desk.file(*[_GOOSE if n % 2 else _DUCK for n in range(1100 * 2)])
    await desk.catch_up()
    among = BitMap(range(1, 2201))
    odd = BitMap(range(2, 2201, 2))
    assert await desk.look_up(InBody("goose"), among) == odd
    assert await desk.look_up(InBody("goose"), BitMap([2, 4, 5])) == BitMap([2, 4])


def _remove_email(number: int) -> Unit[None]:
    yield Statement("DELETE FROM messages WHERE email_id = $1", (email_of(ACCOUNT, number),))
    yield Statement("DELETE FROM emails WHERE email_id = $1", (email_of(ACCOUNT, number),))
    yield Statement("DELETE FROM email_texts WHERE email_id = $1", (email_of(ACCOUNT, number),))


def _go_back(last: int) -> Unit[None]:
    """Make it the database that it was when this email was the last."""
    for table in ("messages", "emails", "email_texts"):
        yield Statement(f"DELETE FROM {table} WHERE email_id > $1", (email_of(ACCOUNT, last),))
    yield Statement("UPDATE account_state SET next_email = $1 WHERE account_id = $2", (last + 1, ACCOUNT))


def _remove_account() -> Unit[None]:
    yield Statement("DELETE FROM account_state WHERE account_id = $1", (ACCOUNT,))
