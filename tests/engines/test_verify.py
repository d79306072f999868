"""The verification finds each kind of damage, mends it when asked to, and finds nothing where nothing is wrong."""

from __future__ import annotations

import asyncio
import json
import shutil

import pytest
from pyroaring import BitMap

from hongyan.engines.segment_format import place_of
from hongyan.engines.upkeep.sweep import Sweep
from hongyan.engines.upkeep.verify import Fault, Finding, Verification, VerifyReport
from hongyan.errors import Corrupt
from hongyan.mailboxes.flags import FlagAction, mark
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import Expunged, FlagsAdded
from hongyan.store.messages import Column
from hongyan.types import AccountId, BlobRef, EmailId, MailboxId, ModSeq
from tests.support.mail import ACCOUNT, MailShop, message_octets, new_message


async def verify(shop: MailShop, *, repair: bool = False, shallow: bool = False) -> VerifyReport:
    report = await Verification(shop.storage, shop.clock, repair=repair, shallow=shallow).run()
    json.dumps(report.as_json())
    return report


def faults(report: VerifyReport) -> list[tuple[Fault, int | None, int | None]]:
    return [(finding.fault, finding.mailbox, finding.uid) for finding in report.findings]


async def require_mended(shop: MailShop) -> VerifyReport:
    report = await verify(shop, repair=True)
    assert all(finding.repaired for finding in report.findings), report.findings
    assert faults(await verify(shop)) == []
    await shop.require_exact_counters()
    return report


async def break_blob(shop: MailShop, uid: int) -> None:
    ((ref,),) = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.BLOB,), [(uid, uid)])
    place = place_of(BlobRef(ref))
    with shop.storage.blobs.path(place.segment).open("r+b") as file:
        file.seek(place.offset + place.length // 2)
        file.write(b"\0!")


async def test_nothing_is_wrong_where_nothing_is_wrong(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.open_account(AccountId(8))
    await shop.add_many(12)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1, 2]), {}, other.mailbox_id, move=True)
    await shop.expunge(3, 4)
    await shop.mailboxes.delete_mailbox(ACCOUNT, other.mailbox_id)
    report = await verify(shop)
    assert (report.accounts, report.mailboxes, report.messages, report.blobs) == (2, 2, 8, 12)
    assert (report.findings, report.is_sound, report.orphan_blobs) == ([], True, 0)
    await Sweep(shop.storage, shop.clock).run()
    report = await verify(shop)
    assert (report.findings, report.orphan_blobs) == ([], 4)


async def test_a_verification_of_a_server_at_work_finds_nothing(shop: MailShop) -> None:
    async def work(turn: int) -> None:
        for number in range(12):
            done = await shop.add(new_message(f"{turn} {number}"))
            if number % 3 == 0:
                await shop.expunge(done.first_uid)

    reports, *_ = await asyncio.gather(verify(shop), work(1), work(2))
    assert faults(reports) == []


async def test_a_mailbox_whose_flags_always_change_is_looked_at_all_the_same(shop: MailShop) -> None:
    await shop.add_many(20)
    stop = asyncio.Event()

    async def mark_on() -> None:
        while not stop.is_set():
            await shop.messages.change_flags(ACCOUNT, shop.inbox, FlagsAdded(BitMap([1]), (b"\\Seen",)), durable=True)

    task = asyncio.create_task(mark_on())
    report = await verify(shop)
    stop.set()
    await task
    assert (report.messages, report.busy_mailboxes, report.findings) == (20, 0, [])


# -- damaged messages


async def test_a_message_that_cannot_be_read_is_found_and_the_mailbox_stays_open(shop: MailShop) -> None:
    await shop.add_many(3)
    await break_blob(shop, 2)
    report = await verify(shop)
    assert faults(report) == [(Fault.MESSAGE_UNREADABLE, 1, 2)]
    assert not report.is_sound
    assert await shop.read(3) == message_octets("n2")
    assert len((await shop.mail().live.open(ACCOUNT, shop.inbox)).uids) == 3
    with pytest.raises(Corrupt):
        await shop.read(2)


async def test_a_damaged_message_is_set_aside_and_one_that_says_so_comes_in_its_place(shop: MailShop) -> None:
    await shop.add(new_message("erste"), new_message("Gänsepost", flags=(b"\\Seen", b"$x"), date=777), new_message())
    await break_blob(shop, 2)
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    cursor = state.modseq
    report = await require_mended(shop)
    assert report.changed_accounts == [ACCOUNT]
    await mail.live.catch_up(ACCOUNT)
    assert list(state.uids) == [1, 3, 4]
    assert set(state.column.set_of(2)) == {b"\\Seen", b"$x"}
    shown = await shop.read(4)
    assert "Gänsepost".encode() in shown
    assert b"could not read this message" in shown
    assert "无法".encode() in shown
    columns = (Column.INTERNAL_DATE, Column.SUBJECT_TEXT, Column.SIZE)
    ((date, subject, size),) = await shop.messages.rows(ACCOUNT, shop.inbox, columns, [(4, 4)])
    assert (date, size) == (777, len(shown))
    assert "nsepost" in subject
    kept = await shop.rows("SELECT uid, stand_in, internal_date FROM damaged_messages WHERE account_id = $1")
    assert kept == [(2, 4, 777)]
    logged = await shop.mailboxes.changes_of_mailbox(ACCOUNT, shop.inbox, cursor)
    assert Expunged(BitMap([2])) in [entry.change for entry in logged]
    await Sweep(shop.storage, shop.clock).run()
    assert len(await shop.rows("SELECT 1 FROM emails WHERE account_id = $1")) == 4


async def test_every_copy_of_a_damaged_message_is_set_aside(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.add_many(2)
    await shop.messages.copy(ACCOUNT, shop.inbox, BitMap([1]), {}, other.mailbox_id)
    await break_blob(shop, 1)
    report = await require_mended(shop)
    assert faults(report) == [(Fault.MESSAGE_UNREADABLE, 1, 1), (Fault.MESSAGE_UNREADABLE, other.mailbox_id, 1)]
    assert (await shop.uids(), await shop.uids(other.mailbox_id)) == ([2, 3], [2])


async def test_a_full_account_is_mended_all_the_same(shop: MailShop) -> None:
    await shop.add_many(2)
    await break_blob(shop, 1)
    await shop.mailboxes.set_quota(ACCOUNT, limit_octets=1, limit_messages=1)
    await require_mended(shop)


async def test_a_lost_segment_damages_its_messages_and_no_others(shop: MailShop) -> None:
    await shop.add_many(3)
    shop.storage.blobs.path(1).unlink()
    shop.storage.blobs._reader.forget(1)
    for shallow in (True, False):
        report = await verify(shop, shallow=shallow)
        assert faults(report) == [(Fault.MESSAGE_UNREADABLE, 1, uid) for uid in (1, 2, 3)]


async def test_a_message_without_its_email_is_set_aside(shop: MailShop) -> None:
    await shop.add_many(3)
    ((email,),) = await shop.messages.rows(ACCOUNT, shop.inbox, (Column.EMAIL_ID,), [(2, 2)])
    await shop.run("DELETE FROM emails WHERE email_id = $1", email)
    report = await require_mended(shop)
    assert faults(report) == [(Fault.EMAIL_MISSING, 1, 2)]
    assert b"(damaged message)" in await shop.read(4)


async def test_a_queued_message_without_its_blob_is_found(shop: MailShop) -> None:
    await shop.run(
        "INSERT INTO queue_messages (blob_ref, size, prefix, omitted, trace_id, body, smtputf8, require_tls, queued_at,"
        " expires, unfinished) VALUES ($1, 1, $2, '', '', '7BIT', 0, 0, 0, 0, 1)",
        b"\0" * 29,
        b"",
    )
    report = await verify(shop, repair=True)
    assert faults(report) == [(Fault.BLOB_UNREADABLE, None, None)]
    assert "queue_messages" in report.findings[0].detail


# -- counts


async def test_wrong_counts_are_found_and_mended(shop: MailShop) -> None:
    other = await shop.mailboxes.create_mailbox(ACCOUNT, "Other")
    await shop.add_many(3)
    await shop.run("UPDATE mailboxes SET octets = octets + 7, uidnext = 2 WHERE mailbox_id = 1")
    await shop.run("UPDATE account_state SET used_messages = 99")
    report = await require_mended(shop)
    assert faults(report) == [(Fault.MAILBOX_COUNTS, 1, None), (Fault.ACCOUNT_COUNTS, None, None)]
    assert (await shop.add_many(1)).first_uid == 4
    assert (await shop.mailbox("Other")).uidvalidity == other.uidvalidity


async def test_an_email_that_nobody_needs_is_left_to_the_sweep(shop: MailShop) -> None:
    await shop.add_many(2)
    await shop.expunge(1)
    await shop.run("DELETE FROM dropped_emails")
    report = await verify(shop)
    assert faults(report) == [(Fault.EMAIL_UNREFERENCED, None, None)]
    assert report.is_sound
    await require_mended(shop)
    assert (await Sweep(shop.storage, shop.clock).run()).emails == 1


# -- states


async def seen_and_starred(shop: MailShop) -> None:
    await shop.add_many(6)
    mail = shop.mail()
    state = await mail.live.open(ACCOUNT, shop.inbox)
    await mark(mail, ACCOUNT, state, BitMap([1, 2, 6]), FlagAction.ADD, (b"\\Seen", b"$x"))


async def save_snapshot(shop: MailShop) -> None:
    state = MailboxState(await shop.mailboxes.load_state(ACCOUNT, shop.inbox))
    modseq, pack = state.snapshot()
    await shop.mailboxes.save_snapshot(ACCOUNT, shop.inbox, modseq, pack())


async def flags(shop: MailShop) -> dict[int, set[bytes]]:
    state = await shop.mail().live.open(ACCOUNT, shop.inbox)
    return {uid: set(state.column.set_of(at)) for at, uid in enumerate(state.uids)}


async def test_a_state_that_disagrees_with_the_rows_is_made_anew_with_its_flags(shop: MailShop) -> None:
    await seen_and_starred(shop)
    await save_snapshot(shop)
    await shop.run("DELETE FROM messages WHERE uid = 2")
    report = await require_mended(shop)
    assert (Fault.MAILBOX_STATE, 1, None) in faults(report)
    both = {b"\\Seen", b"$x"}
    assert await flags(shop) == {1: both, 3: set(), 4: set(), 5: set(), 6: both}


async def test_a_message_that_the_state_has_forgotten_comes_back(shop: MailShop) -> None:
    await seen_and_starred(shop)
    await shop.expunge(2, 3)
    await shop.run(
        "INSERT INTO messages SELECT account_id, mailbox_id, 3, email_id, internal_date, internal_text, size, saved_at"
        " FROM messages WHERE uid = 1"
    )
    await require_mended(shop)
    assert list(await flags(shop)) == [1, 3, 4, 5, 6]


@pytest.mark.parametrize("damage", ["snapshot", "log", "both", "lost log"])
async def test_a_state_that_cannot_be_read_is_made_anew(shop: MailShop, damage: str) -> None:
    await seen_and_starred(shop)
    await save_snapshot(shop)
    await shop.messages.change_flags(ACCOUNT, shop.inbox, FlagsAdded(BitMap([3]), (b"\\Seen",)))
    if damage in ("snapshot", "both"):
        await shop.run("UPDATE snapshots SET snapshot = $1", b"HYS1 and no more")
    if damage in ("log", "both"):
        await shop.run("UPDATE changes SET entry = $1 WHERE modseq > $2", b"?", 2)
    if damage == "lost log":
        await shop.run("DELETE FROM changes WHERE modseq > 2")
    with pytest.raises(Corrupt):
        await shop.mail().live.open(ACCOUNT, shop.inbox)
    before = await shop.mailbox()
    assert faults(await verify(shop)) == [(Fault.MAILBOX_STATE, 1, None)]
    await require_mended(shop)
    assert list(await flags(shop)) == [1, 2, 3, 4, 5, 6]
    after = await shop.mailbox()
    assert (after.uidvalidity, after.uidnext) == (before.uidvalidity, before.uidnext)
    assert after.highestmodseq > before.highestmodseq
    page = await shop.mailboxes.changes_since(ACCOUNT, ModSeq(before.highestmodseq))
    assert page.floor == after.highestmodseq


async def test_messages_without_a_mailbox_get_one(shop: MailShop) -> None:
    await shop.add_many(2)
    lost = await shop.mailboxes.create_mailbox(ACCOUNT, "Lost")
    await shop.add_many(3, mailbox=lost.mailbox_id)
    await shop.run("DELETE FROM mailboxes WHERE mailbox_id = $1", lost.mailbox_id)
    report = await verify(shop, repair=True)
    assert (Fault.MAILBOX_MISSING, lost.mailbox_id, None) in faults(report)
    found = await shop.mailbox(f"Recovered {lost.mailbox_id}")
    assert (found.mailbox_id, found.uidvalidity, found.messages) == (lost.mailbox_id, lost.uidvalidity, 3)
    assert await shop.read(2, lost.mailbox_id) == message_octets("n1")
    assert faults(await verify(shop)) == []


# -- segments


async def test_a_torn_tail_is_told_and_harms_nobody(shop: MailShop) -> None:
    await shop.add_many(2)
    shop.storage.blobs.close()
    path = shop.storage.blobs.path(1)
    with path.open("ab") as file:
        file.write(b"torn")
    shutil.copy(path, path.with_name("00000002.segment"))
    shop.storage.blobs._segment = 3
    report = await Verification(shop.storage, shop.clock, shallow=True).run()
    assert report.counts == {Fault.SEGMENT_TORN: 2}
    assert report.is_sound


def test_a_report_tells_the_first_findings_and_counts_all() -> None:
    report = VerifyReport()
    for number in range(1500):
        report.add(Finding(Fault.EMAIL_UNREFERENCED, "", AccountId(1), MailboxId(1), int(EmailId(number))))
    assert (len(report.findings), report.counts.total()) == (1000, 1500)
