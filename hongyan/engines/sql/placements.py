"""Emails and where they are, in SQL."""

from __future__ import annotations

__all__ = ["SqlPlacements", "forget_departures", "note_departures", "note_left_behind"]

from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, conditions
from hongyan.errors import NotFound
from hongyan.store.changes import uid_runs
from hongyan.store.index import email_of, number_of
from hongyan.store.placements import Departure, EmailRecord, Placement
from hongyan.types import AccountId, BlobRef, EmailId, MailboxId, ModSeq

_THREAD = "COALESCE(t.thread_id, m.email_id)"  # A row that waits for its keys has none yet.
_OF_TEXTS = " JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id"
# Messages of a deleted mailbox may still have their rows; nobody is to see them.
_THAT_ARE_THERE = " JOIN mailboxes b ON b.account_id = m.account_id AND b.mailbox_id = m.mailbox_id"


class SqlPlacements:
    """`store.placements.PlacementStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_heads(self, account: AccountId) -> tuple[ModSeq, int]:
        return await self._database.read_small(lambda: _heads(account))

    async def list_placements(self, account: AccountId, emails: Sequence[EmailId]) -> Sequence[Placement]:
        return await self._database.read(_placements(account, emails))

    async def list_threads(self, account: AccountId, threads: Sequence[int]) -> Sequence[tuple[Placement, int]]:
        return await self._database.read(_threads(account, threads))

    async def read_emails(self, account: AccountId, emails: Sequence[EmailId]) -> Sequence[EmailRecord]:
        return await self._database.read(_emails(account, emails))

    async def list_uids(
        self, account: AccountId, mailbox: MailboxId, ranges: Sequence[tuple[int, int]]
    ) -> Sequence[Placement]:
        return await self._database.read(_uids(account, mailbox, ranges))

    async def list_departures(self, account: AccountId, after: ModSeq, upto: ModSeq) -> Sequence[Departure]:
        return await self._database.read(_departures(account, after, upto))

    async def list_left_behind(self, account: AccountId, mailbox: MailboxId) -> Sequence[Placement]:
        return await self._database.read(_left_behind(account, mailbox))

    async def list_columns(
        self, account: AccountId, mailbox: MailboxId, after: int, *, limit: int
    ) -> Sequence[tuple[int, int, int, int, int, int]]:
        return await self._database.read(_columns(account, mailbox, after, limit))

    async def list_keys(
        self, account: AccountId, emails: Sequence[EmailId]
    ) -> Sequence[tuple[int, int | None, str | None, str | None, str | None]]:
        return await self._database.read(_keys(account, emails))


def _heads(account: AccountId) -> Unit[tuple[ModSeq, int]]:
    rows = yield Statement("SELECT highestmodseq, next_email FROM account_state WHERE account_id = $1", (account,))
    if not rows:
        raise NotFound("There is no such account.")
    return ModSeq(rows[0][0]), int(rows[0][1])


# -- writing: parts of the units that remove messages


def note_departures(
    account: AccountId, mailbox: MailboxId, modseq: ModSeq, chosen: str, numbers: Sequence[int]
) -> Unit[None]:
    """Note the messages that leave by the change at `modseq`; `chosen` is a condition on `uid` from `$4` on."""
    yield Statement(
        "INSERT INTO departures (account_id, modseq, uid, email_id, thread_id)"
        f" SELECT m.account_id, CAST($3 AS BIGINT), m.uid, m.email_id, {_THREAD} FROM messages m{_OF_TEXTS}"
        f" WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.{chosen}",
        (account, mailbox, modseq, *numbers),
    )


def note_left_behind(account: AccountId, mailbox: MailboxId, last: int) -> Unit[None]:
    """Note messages of a deleted mailbox, up to a UID, under the change that deleted it."""
    yield Statement(
        "INSERT INTO departures (account_id, modseq, uid, email_id, thread_id)"
        f" SELECT m.account_id, d.modseq, m.uid, m.email_id, {_THREAD} FROM messages m{_OF_TEXTS}"
        " JOIN deleted_mailboxes d ON d.account_id = m.account_id AND d.mailbox_id = m.mailbox_id"
        " JOIN account_state s ON s.account_id = m.account_id AND s.changes_floor < d.modseq"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid <= $3"
        " ON CONFLICT (account_id, modseq, uid) DO NOTHING",
        (account, mailbox, last),
    )


def forget_departures(account: AccountId, upto: ModSeq) -> Unit[None]:
    """Forget what the log does not tell any more."""
    yield Statement("DELETE FROM departures WHERE account_id = $1 AND modseq <= $2", (account, upto))


# -- reading


def _ranges(numbers: Sequence[int]) -> list[tuple[int, int]]:
    return [(number, number) for number in sorted(set(numbers))]


def _placements(account: AccountId, emails: Sequence[EmailId]) -> Unit[Sequence[Placement]]:
    found: list[Placement] = []
    for chosen, numbers in conditions("m.email_id", _ranges(emails), 2):
        rows = yield Statement(
            f"SELECT m.email_id, m.mailbox_id, m.uid, {_THREAD} FROM messages m{_OF_TEXTS}{_THAT_ARE_THERE}"
            f" WHERE m.account_id = $1 AND {chosen} ORDER BY m.email_id, m.mailbox_id, m.uid",
            (account, *numbers),
        )
        found += [_placement(row) for row in rows]
    return found


def _threads(account: AccountId, threads: Sequence[int]) -> Unit[Sequence[tuple[Placement, int]]]:
    found: list[tuple[Placement, int]] = []
    for chosen, numbers in conditions("t.thread_id", _ranges(threads), 2):
        rows = yield Statement(
            "SELECT m.email_id, m.mailbox_id, m.uid, t.thread_id, m.internal_date FROM email_texts t"
            " JOIN messages m ON m.account_id = t.account_id AND m.email_id = t.email_id"
            f"{_THAT_ARE_THERE} WHERE t.account_id = $1 AND {chosen} ORDER BY m.internal_date, m.email_id",
            (account, *numbers),
        )
        found += [(_placement(row), int(row[4])) for row in rows]
    return found


def _emails(account: AccountId, emails: Sequence[EmailId]) -> Unit[Sequence[EmailRecord]]:
    found: list[EmailRecord] = []
    for chosen, numbers in conditions("e.email_id", _ranges(emails), 2):
        rows = yield Statement(
            f"SELECT e.email_id, COALESCE(t.thread_id, e.email_id), m.internal_date, m.size, e.prefix, e.blob_ref,"
            " e.skipped, e.fields, e.preview, e.has_attachment, t.subject_text FROM emails e"
            " JOIN email_texts t ON t.account_id = e.account_id AND t.email_id = e.email_id"
            " JOIN messages m ON m.account_id = e.account_id AND m.email_id = e.email_id"
            f"{_THAT_ARE_THERE} WHERE e.account_id = $1 AND {chosen}",
            (account, *numbers),
        )
        seen: set[int] = set()
        for row in rows:  # one for each mailbox that it is in, all alike
            if row[0] not in seen:
                seen.add(row[0])
                found.append(_record(*row))
    return found


def _record(
    email: int,
    thread: int,
    date: int,
    size: int,
    prefix: bytes,
    blob: bytes,
    skipped: int,
    fields: bytes,
    preview: str,
    has_attachment: int,
    subject: str,
) -> EmailRecord:
    return EmailRecord(
        EmailId(email),
        thread,
        date,
        size,
        bytes(prefix),
        BlobRef(bytes(blob)),
        skipped,
        bytes(fields),
        preview,
        bool(has_attachment),
        subject,
    )


def _uids(account: AccountId, mailbox: MailboxId, ranges: Sequence[tuple[int, int]]) -> Unit[Sequence[Placement]]:
    found: list[Placement] = []
    for chosen, numbers in conditions("m.uid", ranges, 3):
        rows = yield Statement(
            f"SELECT m.email_id, m.mailbox_id, m.uid, {_THREAD} FROM messages m{_OF_TEXTS}"
            f" WHERE m.account_id = $1 AND m.mailbox_id = $2 AND {chosen}",
            (account, mailbox, *numbers),
        )
        found += [_placement(row) for row in rows]
    return found


def _departures(account: AccountId, after: ModSeq, upto: ModSeq) -> Unit[Sequence[Departure]]:
    rows = yield Statement(
        "SELECT modseq, uid, email_id, thread_id FROM departures"
        " WHERE account_id = $1 AND modseq > $2 AND modseq <= $3 ORDER BY modseq, uid",
        (account, after, upto),
    )
    return [Departure(ModSeq(row[0]), row[1], EmailId(row[2]), row[3]) for row in rows]


def _left_behind(account: AccountId, mailbox: MailboxId) -> Unit[Sequence[Placement]]:
    rows = yield Statement(
        f"SELECT m.email_id, m.mailbox_id, m.uid, {_THREAD} FROM messages m{_OF_TEXTS}"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2",
        (account, mailbox),
    )
    return [_placement(row) for row in rows]


def _columns(
    account: AccountId, mailbox: MailboxId, after: int, limit: int
) -> Unit[Sequence[tuple[int, int, int, int, int, int]]]:
    rows = yield Statement(
        f"SELECT m.uid, m.email_id, m.internal_date, m.size, {_THREAD}, e.has_attachment FROM messages m{_OF_TEXTS}"
        " JOIN emails e ON e.account_id = m.account_id AND e.email_id = m.email_id"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid > $3 ORDER BY m.uid LIMIT $4",
        (account, mailbox, after, limit),
    )
    return rows


def _keys(
    account: AccountId, emails: Sequence[EmailId]
) -> Unit[Sequence[tuple[int, int | None, str | None, str | None, str | None]]]:
    found: list[tuple[int, int | None, str | None, str | None, str | None]] = []
    for chosen, numbers in conditions("email_id", uid_runs(BitMap([number_of(email) for email in emails])), 2):
        rows = yield Statement(
            "SELECT email_id, sent_date, from_name_key, to_name_key, subject_key FROM email_texts"
            f" WHERE account_id = $1 AND {chosen}",
            (account, *(email_of(account, number) for number in numbers)),
        )
        found += rows
    return found


def _placement(row: Sequence[int]) -> Placement:
    return Placement(EmailId(row[0]), MailboxId(row[1]), row[2], row[3])
