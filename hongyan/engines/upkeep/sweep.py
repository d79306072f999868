"""The sweep: what nothing refers to any more is removed, little by little, while the server works.

Whatever is interrupted is found again by the next run: each step looks at what is there and remembers nothing but what
it has made true. A unit touches a few rows, so that nobody waits for it.

* Messages of a deleted mailbox lose their rows; an email without a message in any mailbox loses its own.
* Receipts end. The log is pruned behind the snapshots of its mailboxes, and `changes_floor` says how far. What left a
  mailbox by the entries that go is remembered in a compact form (`sql.expunged`).
* A segment of blobs that is mostly dead has its living blobs copied away. A segment to which no row refers in two runs
  with the time of grace between them is deleted: a reference that somebody holds meanwhile, to read by it or to make a
  row of it, stays good for that long.
"""

from __future__ import annotations

__all__ = ["Sweep", "SweepOptions", "SweepReport"]

import asyncio
from dataclasses import dataclass

from hongyan.clock import Clock
from hongyan.engines.sql.expunged import fold_expunges
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.placements import forget_departures, note_left_behind
from hongyan.engines.sql.threads import forget_threads, threads_of
from hongyan.engines.sql.units import Statement, Unit, conditions, unit_of
from hongyan.engines.storage import SqlStorage
from hongyan.engines.upkeep.sweep_blobs import BlobSweep
from hongyan.errors import Corrupt, NotFound
from hongyan.mailboxes.state import MailboxState
from hongyan.options import option
from hongyan.types import AccountId, MailboxId, ModSeq

_ROWS = 100  # in one unit
_LOG_ROWS = 1000
_SHORT_LOG = 1000  # positions; what is shorter is not worth a look
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """What is kept, and for how long."""

    keep_changes: int = option(
        100_000, "Entries of an account's log that are kept: who was away for longer synchronizes anew."
    )
    keep_days: int = option(90, "Age at which entries of an account's log are removed though they are fewer.", unit="d")
    compact_below: float = option(0.5, "Living share of a file of message contents beneath which it is copied away.")
    compact_at_once: int = option(256, "Message contents that one sweep copies at most.", unit="MiB")
    grace: float = option(3600.0, "For so long a file to which nothing refers any more is kept.", unit="s")

    def __post_init__(self) -> None:
        if self.keep_changes < _SHORT_LOG:
            raise ValueError(f"keep_changes: not below {_SHORT_LOG}")
        if self.keep_days < 1:
            raise ValueError("keep_days: not below 1")
        if not 0 <= self.compact_below < 1:
            raise ValueError("compact_below: from 0 to less than 1")
        if self.grace < 0:
            raise ValueError("grace: not below 0")


@dataclass(slots=True)
class SweepReport:
    """What one sweep has done."""

    messages: int = 0
    emails: int = 0
    receipts: int = 0
    changes: int = 0
    snapshots: int = 0
    blobs_moved: int = 0
    octets_moved: int = 0
    segments_deleted: int = 0
    octets_freed: int = 0


class Sweep:
    """Sweeps one storage. It is one object for the life of the process: it knows since when a segment is dead."""

    def __init__(self, storage: SqlStorage, clock: Clock, options: SweepOptions | None = None) -> None:
        self._database = storage.database
        self._mailboxes = SqlMailboxes(storage.database)
        self._clock = clock
        self._options = options or SweepOptions()
        self._blobs = BlobSweep(
            storage,
            clock,
            compact_below=self._options.compact_below,
            compact_octets=self._options.compact_at_once << 20,
            grace=self._options.grace,
        )

    async def run(self) -> SweepReport:
        """Sweep once. To be cancelled is harmless."""
        report = SweepReport()
        report.messages = await self.remove_messages()
        report.emails = await self.remove_emails()
        report.receipts = await self.expire_receipts()
        report.changes, report.snapshots = await self.prune_logs()
        moved = await self._blobs.run()
        report.blobs_moved, report.octets_moved = moved.blobs, moved.octets
        report.segments_deleted, report.octets_freed = moved.segments_deleted, moved.octets_freed
        return report

    async def remove_messages(self) -> int:
        """Remove the messages of mailboxes that were deleted; return how many."""
        removed = 0
        for account, mailbox in await self._database.read(_deleted_with_messages()):
            while count := await self._database.write(unit_of(_remove_messages, account, mailbox)):
                removed += count
                await asyncio.sleep(0)
        return removed

    async def remove_emails(self) -> int:
        """Remove what was dropped and is in no mailbox; return how many."""
        removed = 0
        for account in await self._database.read(_accounts_with_dropped()):
            looked = _ROWS
            while looked == _ROWS:
                looked, dead = await self._database.write(unit_of(_remove_emails, account))
                removed += dead
                await asyncio.sleep(0)
        return removed

    async def expire_receipts(self) -> int:
        """Forget envelopes that may come again; return how many."""
        now = int(self._clock.timestamp())
        removed = 0
        for account in await self._database.read(_accounts_with_ended_receipts(now)):
            while count := await self._database.write(unit_of(_expire_receipts, account, now)):
                removed += count
                await asyncio.sleep(0)
        return removed

    # -- the log

    async def prune_logs(self) -> tuple[int, int]:
        """Prune the accounts' logs; return how many entries went, and how many snapshots were made for that."""
        now = int(self._clock.timestamp())
        old = now - self._options.keep_days * _DAY
        changes = snapshots = 0
        for account in await self._database.read(_accounts_with_long_logs()):
            target = await self._database.write(unit_of(_mark_and_aim, account, now, old, self._options.keep_changes))
            if not target:
                continue
            snapshots += await self._fold(account, target)
            await self._database.write(unit_of(_raise_floor, account, target))
            while count := await self._database.write(unit_of(_prune, account, target)):
                changes += count
                await asyncio.sleep(0)
        return changes, snapshots

    async def _fold(self, account: AccountId, target: ModSeq) -> int:
        """Make snapshots of the mailboxes whose entries could not be pruned without."""
        made = 0
        for mailbox in await self._database.read(_unfolded(account, target)):
            try:
                state = MailboxState(await self._mailboxes.load_state(account, mailbox))
            except (NotFound, Corrupt):
                continue  # Gone meanwhile; or a case for the verification, and its entries stay.
            modseq, pack = state.snapshot()
            await self._mailboxes.save_snapshot(account, mailbox, modseq, await asyncio.to_thread(pack))
            made += 1
        return made


def _lock(account: AccountId) -> Unit[None]:
    """Let nobody else change the account until the unit ends."""
    yield Statement("UPDATE account_state SET next_email = next_email WHERE account_id = $1", (account,))


# -- messages and emails


def _deleted_with_messages() -> Unit[list[tuple[AccountId, MailboxId]]]:
    rows = yield Statement(
        "SELECT d.account_id, d.mailbox_id FROM deleted_mailboxes d WHERE EXISTS (SELECT 1 FROM messages m"
        " WHERE m.account_id = d.account_id AND m.mailbox_id = d.mailbox_id)"
    )
    return [(AccountId(row[0]), MailboxId(row[1])) for row in rows]


def _remove_messages(account: AccountId, mailbox: MailboxId) -> Unit[int]:
    yield from _lock(account)
    key = (account, mailbox)
    rows = yield Statement(
        "SELECT uid FROM messages WHERE account_id = $1 AND mailbox_id = $2 ORDER BY uid LIMIT $3", (*key, _ROWS)
    )
    if rows:
        last = rows[-1][0]
        yield Statement(
            "INSERT INTO dropped_emails (account_id, email_id) SELECT account_id, email_id FROM messages"
            " WHERE account_id = $1 AND mailbox_id = $2 AND uid <= $3 ON CONFLICT (account_id, email_id) DO NOTHING",
            (*key, last),
        )
        yield from note_left_behind(account, mailbox, last)
        yield Statement("DELETE FROM messages WHERE account_id = $1 AND mailbox_id = $2 AND uid <= $3", (*key, last))
    return len(rows)


def _accounts_with_dropped() -> Unit[list[AccountId]]:
    rows = yield Statement("SELECT DISTINCT account_id FROM dropped_emails")
    return [AccountId(row[0]) for row in rows]


def _remove_emails(account: AccountId) -> Unit[tuple[int, int]]:
    """Look at some of the dropped emails; return how many that were, and how many had no message any more."""
    yield from _lock(account)
    rows = yield Statement(
        "SELECT d.email_id, EXISTS (SELECT 1 FROM messages m WHERE m.account_id = d.account_id"
        " AND m.email_id = d.email_id) OR EXISTS (SELECT 1 FROM damaged_messages x WHERE x.account_id = d.account_id"
        " AND x.email_id = d.email_id) FROM dropped_emails d WHERE d.account_id = $1 ORDER BY d.email_id LIMIT $2",
        (account, _ROWS),
    )
    dead = [row[0] for row in rows if not row[1]]
    threads = yield from threads_of(account, dead)
    for table, emails in (("emails", dead), ("email_texts", dead), ("dropped_emails", [row[0] for row in rows])):
        for chosen, numbers in conditions("email_id", [(email, email) for email in emails], 2):
            yield Statement(f"DELETE FROM {table} WHERE account_id = $1 AND {chosen}", (account, *numbers))
    yield from forget_threads(account, set(threads.values()))
    return len(rows), len(dead)


def _accounts_with_ended_receipts(now: int) -> Unit[list[AccountId]]:
    rows = yield Statement("SELECT DISTINCT account_id FROM receipts WHERE expires <= $1", (now,))
    return [AccountId(row[0]) for row in rows]


def _expire_receipts(account: AccountId, now: int) -> Unit[int]:
    rows = yield Statement(
        "DELETE FROM receipts WHERE account_id = $1 AND digest IN"
        " (SELECT digest FROM receipts WHERE account_id = $1 AND expires <= $2 LIMIT $3) RETURNING account_id",
        (account, now, _ROWS),
    )
    return len(rows)


# -- the log


def _accounts_with_long_logs() -> Unit[list[AccountId]]:
    rows = yield Statement(
        "SELECT account_id FROM account_state WHERE highestmodseq - changes_floor > $1", (_SHORT_LOG,)
    )
    return [AccountId(row[0]) for row in rows]


def _mark_and_aim(account: AccountId, now: int, old: int, keep: int) -> Unit[ModSeq]:
    """Note how long the log is today, and return up to where it may be pruned; 0 for not at all."""
    yield from _lock(account)
    rows = yield Statement("SELECT highestmodseq, changes_floor FROM account_state WHERE account_id = $1", (account,))
    if not rows:
        return ModSeq(0)
    head, floor = rows[0]
    aged = yield Statement(
        "SELECT COALESCE(MAX(modseq), 0) FROM log_marks WHERE account_id = $1 AND noted_at <= $2", (account, old)
    )
    yield Statement(
        "INSERT INTO log_marks (account_id, noted_at, modseq) SELECT account_id, CAST($1 AS BIGINT), highestmodseq"
        " FROM account_state WHERE account_id = $2 AND NOT EXISTS"
        " (SELECT 1 FROM log_marks WHERE account_id = $2 AND noted_at > $3)",
        (now, account, now - _DAY),
    )
    yield Statement("DELETE FROM log_marks WHERE account_id = $1 AND modseq < $2", (account, aged[0][0]))
    target = max(int(aged[0][0]), head - keep)
    return ModSeq(target) if target > floor else ModSeq(0)


def _unfolded(account: AccountId, target: ModSeq) -> Unit[list[MailboxId]]:
    """Return the mailboxes that have entries up to the target and after their snapshot."""
    rows = yield Statement(
        "SELECT m.mailbox_id FROM mailboxes m LEFT JOIN snapshots s ON s.account_id = m.account_id"
        " AND s.mailbox_id = m.mailbox_id WHERE m.account_id = $1 AND EXISTS (SELECT 1 FROM changes c"
        " WHERE c.account_id = m.account_id AND c.mailbox_id = m.mailbox_id AND c.modseq > COALESCE(s.modseq, 0)"
        " AND c.modseq <= $2)",
        (account, target),
    )
    return [MailboxId(row[0]) for row in rows]


def _raise_floor(account: AccountId, target: ModSeq) -> Unit[None]:
    """Say that entries may be gone, before any is."""
    yield Statement(
        "UPDATE account_state SET changes_floor = $1 WHERE account_id = $2 AND changes_floor < $1", (target, account)
    )


def _prune(account: AccountId, target: ModSeq) -> Unit[int]:
    """Remove some entries up to the target: those behind a snapshot, and those of mailboxes that are gone."""
    yield from _lock(account)
    rows = yield Statement(
        "SELECT c.mailbox_id, c.modseq, c.entry, m.mailbox_id IS NULL FROM changes c"
        " LEFT JOIN mailboxes m ON m.account_id = c.account_id AND m.mailbox_id = c.mailbox_id"
        " LEFT JOIN snapshots s ON s.account_id = c.account_id"
        " AND s.mailbox_id = c.mailbox_id WHERE c.account_id = $1 AND c.modseq <= $2"
        " AND (m.mailbox_id IS NULL OR c.modseq <= s.modseq) ORDER BY c.mailbox_id, c.modseq LIMIT $3",
        (account, target, _LOG_ROWS),
    )
    pruned: dict[MailboxId, list[tuple[int, bytes]]] = {}
    for mailbox, modseq, entry, is_gone in rows:
        entries = pruned.setdefault(MailboxId(mailbox), [])
        entries.append((modseq, b"" if is_gone else entry))
    for box, entries in pruned.items():
        yield from fold_expunges(account, box, entries)
        yield Statement(
            "DELETE FROM changes WHERE account_id = $1 AND mailbox_id = $2 AND modseq <= $3",
            (account, box, entries[-1][0]),
        )
    if not rows:
        yield from forget_departures(account, target)
        yield Statement(
            "DELETE FROM deleted_mailboxes WHERE account_id = $1 AND modseq <= $2 AND NOT EXISTS (SELECT 1"
            " FROM messages m WHERE m.account_id = deleted_mailboxes.account_id"
            " AND m.mailbox_id = deleted_mailboxes.mailbox_id)",
            (account, target),
        )
    return len(rows)
