"""The sweep removes what nothing needs, keeps what anybody needs, and may be cut off anywhere."""

from __future__ import annotations

import asyncio
import random

import pytest
from pyroaring import BitMap

from hongyan.engines.segment_format import place_of
from hongyan.engines.sql import catalog
from hongyan.engines.sql.migrations import MIGRATIONS
from hongyan.engines.sql.units import Statement, Unit
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep import sweep
from hongyan.engines.upkeep.sweep import Sweep, SweepOptions, SweepReport
from hongyan.engines.upkeep.sweep_blobs import find_live_blobs
from hongyan.errors import Corrupt
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.state import MailboxState
from hongyan.store.messages import Column
from hongyan.store.receipts import Receipt
from hongyan.types import BlobRef, ModSeq
from tests.support.mail import ACCOUNT, MailShop, message_octets, new_message

_random = random.Random(2)


def body(octets: int = 3000) -> str:
    """Words that no compression makes small."""
    return _random.randbytes(octets).hex()


def make_sweep(shop: MailShop, *, keep_changes: int = 1000, keep_days: int = 90) -> Sweep:
    options = SweepOptions(keep_changes=keep_changes, keep_days=keep_days, grace=60)
    return Sweep(shop.storage, shop.clock, options)


async def count(shop: MailShop, table: str) -> int:
    return int((await shop.rows(f"SELECT COUNT(*) FROM {table} WHERE account_id = $1"))[0][0])


async def test_an_email_without_a_message_is_removed_and_one_with_a_copy_stays(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.add_many(250)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 2]), {}, other.mailbox_id)
    await shop.expunge(*range(1, 201))
    assert (await make_sweep(shop).run()).emails == 198
    assert [await count(shop, table) for table in ("emails", "email_texts", "dropped_emails")] == [52, 52, 0]
    assert await shop.read(2, other.mailbox_id) == message_octets("n1")
    await shop.expunge(1, 2, mailbox=other.mailbox_id)
    assert (await make_sweep(shop).run()).emails == 2
    assert (await make_sweep(shop).run()).emails == 0


async def test_messages_of_a_deleted_mailbox_go_little_by_little(
    shop: MailShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "_ROWS", 10)
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.add_many(35, mailbox=other.mailbox_id)
    await shop.add_many(3)
    await shop.messages.copy(ACCOUNT, other.mailbox_id, BitMap([35]), {}, shop.inbox)
    await shop.mailboxes.delete_mailbox(ACCOUNT, other.mailbox_id)
    report = await make_sweep(shop).run()
    assert (report.messages, report.emails) == (35, 34)
    assert await shop.read(4) == message_octets("n34")
    await shop.require_exact_counters()


async def test_receipts_end(shop: MailShop) -> None:
    now = int(shop.clock.timestamp())
    for at in range(5):
        await shop.add(new_message(), receipt=Receipt(b"%d" % at, now=now, expires=now + at * 100))
    shop.clock.advance(200)
    assert (await make_sweep(shop).run()).receipts == 3
    assert await count(shop, "receipts") == 2


# -- the log


async def make_log(shop: MailShop, entries: int) -> None:
    """Move the log on by so many entries, cheaply."""
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    for number in range(entries):
        action = (FlagAction.ADD, FlagAction.REMOVE)[number % 2]
        await mark(mail, ACCOUNT, state, BitMap([1]), action, (b"\\Seen",))
    await mail.live.close()


async def skip(shop: MailShop, positions: int) -> None:
    await shop.run("UPDATE account_state SET highestmodseq = highestmodseq + $1", positions)


async def test_a_long_log_is_pruned_and_every_mailbox_still_opens(shop: MailShop) -> None:
    quiet = await shop.mailboxes.create_mailbox(ACCOUNT, "Quiet")
    gone = await shop.mailboxes.create_mailbox(ACCOUNT, "Gone")
    await shop.add_many(3)
    await shop.add_many(4, mailbox=quiet.mailbox_id)
    await shop.mailboxes.delete_mailbox(ACCOUNT, gone.mailbox_id)
    await make_log(shop, 40)
    await skip(shop, 1000)
    await make_log(shop, 5)
    before = {
        box: MailboxState(await shop.mailboxes.load_state(ACCOUNT, box)) for box in (shop.inbox, quiet.mailbox_id)
    }
    head = await shop.mailboxes.highestmodseq(ACCOUNT)
    report = await make_sweep(shop).run()
    assert report.changes > 40
    assert report.snapshots >= 1
    assert await shop.mailboxes.log_floor(ACCOUNT) == head - 1000
    left = await shop.rows("SELECT modseq FROM changes WHERE account_id = $1 ORDER BY modseq")
    assert [row[0] for row in left] == list(range(head - 4, head + 1))
    for box, state in before.items():
        fresh = MailboxState(await shop.mailboxes.load_state(ACCOUNT, box))
        assert (list(fresh.uids), list(fresh.modseqs)) == (list(state.uids), list(state.modseqs))
        assert fresh.modseq == state.modseq
    assert await count(shop, "deleted_mailboxes") == 0
    assert (await make_sweep(shop).run()).changes == 0


async def test_a_short_log_is_kept_however_old(shop: MailShop) -> None:
    await shop.add_many(3)
    sweeping = make_sweep(shop, keep_days=1)
    for _ in range(3):
        await sweeping.run()
        shop.clock.advance(10 * 86_400)
    assert await shop.mailboxes.log_floor(ACCOUNT) == 0


async def test_entries_are_pruned_by_age_though_they_are_fewer(shop: MailShop) -> None:
    await shop.add_many(1)
    await make_log(shop, 20)
    await skip(shop, 1500)
    sweeping = make_sweep(shop, keep_changes=100_000, keep_days=30)
    assert (await sweeping.run()).changes == 0
    old = await shop.mailboxes.highestmodseq(ACCOUNT)
    for _ in range(31):
        shop.clock.advance(86_400)
        await make_log(shop, 2)
        await sweeping.run()
    assert await shop.mailboxes.log_floor(ACCOUNT) >= old
    assert await count(shop, "log_marks") <= 32
    assert len((await shop.mail().live.open(ACCOUNT, shop.inbox)).uids) == 1


async def test_what_left_is_known_when_the_log_that_told_it_is_gone(shop: MailShop) -> None:
    await shop.add_many(30)
    cursor = await shop.mailboxes.highestmodseq(ACCOUNT)
    for uid in (3, 4, 29):
        await shop.expunge(uid)
    await skip(shop, 5000)
    assert (await make_sweep(shop).run()).changes > 3
    assert await count(shop, "changes") == 0
    assert await count(shop, "expunged") == 1
    mine = await shop.mailboxes.expunged_since(ACCOUNT, shop.inbox, cursor)
    assert mine == BitMap([3, 4, 29])


async def test_who_asks_the_log_from_before_its_floor_is_told(shop: MailShop) -> None:
    await shop.add_many(3)
    await skip(shop, 2000)
    await make_sweep(shop).run()
    floor = await shop.mailboxes.log_floor(ACCOUNT)
    page = await shop.mailboxes.changes_since(ACCOUNT, ModSeq(1))
    assert page.floor == floor > 1
    assert (await shop.mailboxes.changes_since(ACCOUNT, floor)).floor == floor


async def test_memory_that_the_log_has_left_behind_starts_over(shop: MailShop) -> None:
    class Hints:
        def publish(self, *_arguments: object) -> None: ...

    live = LiveMailboxes(shop.mailboxes, shop.mailboxes, Hints())
    state = await live.open(ACCOUNT, shop.inbox)
    await shop.add_many(5)
    await shop.expunge(2)
    await skip(shop, 2000)
    assert (await make_sweep(shop).run()).changes == 3
    await live.catch_up(ACCOUNT)
    assert list(state.uids) == [1, 3, 4, 5]


# -- blobs


async def fill(shop: MailShop, messages: int) -> None:
    for number in range(messages):
        await shop.add(new_message(f"n{number}", body()))


def sizes(storage: SqlStorage) -> list[int]:
    return list(storage.blobs.sizes())


async def settle(shop: MailShop, sweeping: Sweep) -> SweepReport:
    """Sweep as often as it takes, with the time of grace between."""
    total = SweepReport()
    for _ in range(4):
        done = await sweeping.run()
        total.segments_deleted += done.segments_deleted
        total.blobs_moved += done.blobs_moved
        shop.clock.advance(61)
    return total


async def test_a_dead_segment_is_deleted_after_the_time_of_grace_and_not_before(shop: MailShop) -> None:
    await fill(shop, 9)
    before = sizes(shop.storage)
    await shop.expunge(*range(1, 10))
    sweeping = make_sweep(shop)
    assert (await sweeping.run()).segments_deleted == 0
    shop.clock.advance(59)
    assert (await sweeping.run()).segments_deleted == 0
    shop.clock.advance(1)
    report = await sweeping.run()
    assert report.segments_deleted == len(before) - 1
    assert report.octets_freed > 15_000 * report.segments_deleted
    assert sizes(shop.storage) == before[-1:]


async def test_the_living_blobs_of_a_sparse_segment_are_copied_away_and_stay_readable(shop: MailShop) -> None:
    await fill(shop, 30)
    octets = {uid: await shop.read(uid) for uid in (1, 14, 30)}
    await shop.expunge(*set(range(1, 31)) - set(octets))
    first = sizes(shop.storage)
    report = await settle(shop, make_sweep(shop))
    assert report.blobs_moved >= 2
    assert not set(sizes(shop.storage)) & set(first[:-1])
    assert {uid: await shop.read(uid) for uid in octets} == octets


async def test_a_reader_that_holds_an_old_reference_reads_on_within_the_grace(shop: MailShop) -> None:
    await fill(shop, 12)
    ((ref,),) = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.BLOB,), [(1, 1)])
    octets = await shop.read(1)
    await shop.expunge(*range(2, 13))
    sweeping = make_sweep(shop)
    assert (await sweeping.run()).blobs_moved == 1
    ((moved,),) = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.BLOB,), [(1, 1)])
    assert place_of(moved).segment > place_of(ref).segment
    shop.clock.advance(61)
    await sweeping.run()
    assert await shop.storage.blobs.read(BlobRef(ref)) == octets
    shop.clock.advance(61)
    await sweeping.run()
    with pytest.raises(Corrupt):
        await shop.storage.blobs.read(BlobRef(ref))


async def test_a_reference_that_comes_back_within_the_grace_keeps_its_segment(shop: MailShop) -> None:
    """A blob whose message was expunged is queued to be forwarded by whoever read the row before."""
    await fill(shop, 5)
    ((ref,),) = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.BLOB,), [(1, 1)])
    octets = await shop.read(1)
    await shop.expunge(*range(1, 6))
    sweeping = make_sweep(shop)
    await sweeping.run()
    await shop.run(
        "INSERT INTO queue_messages (blob_ref, size, prefix, omitted, trace_id, body, smtputf8, require_tls, queued_at,"
        " expires, unfinished) VALUES ($1, 1, $2, '', '', '7BIT', 0, 0, 0, 0, 1)",
        bytes(ref),
        b"",
    )
    await settle(shop, sweeping)
    ((kept,),) = await shop.storage.database.read(_rows("SELECT blob_ref FROM queue_messages"))
    assert await shop.storage.blobs.read(BlobRef(kept)) == octets


def _rows(sql: str) -> Unit[list[tuple[bytes]]]:
    return (yield Statement(sql))


async def test_a_sweep_that_is_cut_off_anywhere_loses_nothing(shop: MailShop) -> None:
    await fill(shop, 24)
    kept = {uid: await shop.read(uid) for uid in range(1, 25, 6)}
    await shop.expunge(*set(range(1, 25)) - set(kept))
    sweeping = make_sweep(shop)
    for steps in range(0, 60, 3):
        task = asyncio.create_task(sweeping.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        shop.clock.advance(30)
    await settle(shop, sweeping)
    assert {uid: await shop.read(uid) for uid in kept} == kept
    assert await count(shop, "emails") == len(kept)


async def test_the_sweep_and_arriving_mail_do_not_meet(shop: MailShop) -> None:
    sweeping = make_sweep(shop)
    kept: dict[int, bytes] = {}

    async def arrive() -> None:
        for number in range(40):
            message = new_message(f"m{number}", body(500))
            uid = (await shop.add(message)).first_uid
            if number % 4:
                await shop.expunge(uid)
            else:
                kept[uid] = message.octets

    async def sweep_on() -> None:
        for _ in range(12):
            await sweeping.run()
            shop.clock.advance(61)

    await asyncio.gather(arrive(), arrive(), sweep_on())
    await settle(shop, sweeping)
    assert {uid: await shop.read(uid) for uid in kept} == kept
    await shop.require_exact_counters()


async def test_an_unreadable_blob_keeps_its_segment(shop: MailShop) -> None:
    await fill(shop, 6)
    ((ref,),) = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.BLOB,), [(2, 2)])
    place = place_of(BlobRef(ref))
    path = shop.storage.blobs.path(place.segment)
    octets = bytearray(path.read_bytes())
    octets[place.offset + 5] ^= 1
    path.write_bytes(octets)
    await shop.expunge(1, 3, 4, 5)
    await settle(shop, make_sweep(shop))
    assert place.segment in sizes(shop.storage)


async def test_no_segment_is_deleted_while_a_backup_runs(shop: MailShop) -> None:
    await fill(shop, 9)
    await shop.expunge(*range(1, 10))
    sweeping = make_sweep(shop)
    with shop.storage.blobs.keeping():
        assert (await settle(shop, sweeping)).segments_deleted == 0
    assert (await sweeping.run()).segments_deleted > 0


async def test_a_blob_with_two_rows_is_counted_once(shop: MailShop) -> None:
    await fill(shop, 2)
    live = await find_live_blobs(shop.storage)
    await shop.run(
        "INSERT INTO emails SELECT account_id, email_id + 100, blob_ref, prefix, envelope, envelope_utf8,"
        " bodystructure, bodystructure_utf8, outline, fields, preview, has_attachment, skipped FROM emails"
    )
    assert await find_live_blobs(shop.storage) == live


def test_every_column_that_refers_to_a_blob_has_the_name_by_which_it_is_found() -> None:
    for step in MIGRATIONS:
        for statement in step.statements:
            for line in statement.splitlines():
                name = line.split()[0] if line.split() else ""
                assert "blob" not in name or name == catalog.BLOB_COLUMN, line


@pytest.mark.parametrize("options", [{"keep_changes": 0}, {"keep_days": 0}, {"compact_below": 1.0}, {"grace": -1.0}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        SweepOptions(**options)  # type: ignore[arg-type]
