"""Messages in SQL: append, flags, copy and move, expunge, rows."""

from __future__ import annotations

__all__ = ["EMAIL_BITS", "SqlMessages", "append", "count_out", "grow_account", "grow_mailbox"]

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pyroaring import BitMap

from hongyan.engines.sql.correspondents import note_heard
from hongyan.engines.sql.email_rows import insert_emails, insert_rows
from hongyan.engines.sql.emails import count_emails, emails, find_emails, newest_email
from hongyan.engines.sql.mailboxes import log_change, next_modseq
from hongyan.engines.sql.message_search import OF_TEXTS, find_dates, find_in_fields, find_text, find_thread
from hongyan.engines.sql.placements import note_departures
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, conditions
from hongyan.errors import Conflict, NotFound, OverLimit, OverQuota
from hongyan.store.changes import Appended, Expunged, Flag, FlagsAdded, FlagsRemoved, FlagsReplaced, SeenBy, uid_runs
from hongyan.store.messages import Appending, Column, CopyResult, Discarding, ExpungeResult, NewMessage, Row
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, BlobRef, EmailId, MailboxId, ModSeq, UidValidity

EMAIL_BITS = 32
_FEW_ROWS = 8
_MAX_UIDNEXT = (1 << 32) - 1  # RFC 9051 §2.3.1.1: unique identifiers are 32-bit values
_OF_MESSAGE = frozenset(
    (Column.UID, Column.EMAIL_ID, Column.INTERNAL_DATE, Column.INTERNAL_TEXT, Column.SAVED_AT, Column.SIZE)
)


class SqlMessages:
    """`store.messages.MessageStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def append(
        self, account: AccountId, mailbox: MailboxId, messages: Sequence[NewMessage], *, receipt: Receipt | None = None
    ) -> Appending:
        return await self._database.write(
            lambda refs: append(account, mailbox, messages, refs, receipt),
            blobs=[message.octets for message in messages],
        )

    async def change_flags(
        self,
        account: AccountId,
        mailbox: MailboxId,
        change: FlagsAdded | FlagsRemoved | FlagsReplaced | SeenBy,
        *,
        expected: ModSeq | None = None,
        durable: bool = False,
    ) -> ModSeq:
        return await self._database.write(
            lambda _refs: _change_flags(account, mailbox, change, expected), durable=durable, small=True
        )

    async def expunge(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> ExpungeResult:
        try:
            return await self._database.write(lambda _refs: _expunge(account, mailbox, uids))
        except _NothingRemoved:
            return ExpungeResult(None, BitMap())

    async def replace(
        self, account: AccountId, source: MailboxId, uid: int, target: MailboxId, message: NewMessage
    ) -> tuple[ExpungeResult, Appending]:
        return await self._database.write(
            lambda refs: _replace(account, source, uid, target, message, refs), blobs=[message.octets]
        )

    async def copy(
        self,
        account: AccountId,
        source: MailboxId,
        uids: BitMap,
        flags: Mapping[Flag, BitMap],
        target: MailboxId,
        *,
        move: bool = False,
    ) -> CopyResult:
        return await self._database.write(lambda _refs: _copy(account, source, uids, flags, target, move=move))

    async def discard(
        self, account: AccountId, source: MailboxId, uids: BitMap, flags: Mapping[Flag, BitMap], target: MailboxId
    ) -> Discarding:
        return await self._database.write(lambda _refs: _discard(account, source, uids, flags, target))

    async def rows(
        self,
        account: AccountId,
        mailbox: MailboxId,
        columns: Sequence[Column],
        ranges: Sequence[tuple[int, int]],
        *,
        limit: int = 256,
    ) -> Sequence[Row]:
        if _few(ranges, limit):
            return await self._database.read_small(lambda: _rows(account, mailbox, columns, ranges, limit))
        return await self._database.read(_rows(account, mailbox, columns, ranges, limit))

    def rows_now(
        self, account: AccountId, mailbox: MailboxId, columns: Sequence[Column], uids: Sequence[int]
    ) -> Sequence[Row] | None:
        if len(uids) > _FEW_ROWS:
            return None
        return self._database.read_now(_query_of_few(tuple(columns), len(uids)), (account, mailbox, *uids))

    async def find_text(
        self, account: AccountId, mailbox: MailboxId, column: Column, needle: str, low: int, high: int
    ) -> Sequence[int]:
        return await self._database.read(find_text(account, mailbox, column, needle, low, high))

    async def find_in_fields(
        self, account: AccountId, mailbox: MailboxId, needle: str, low: int, high: int
    ) -> Sequence[int]:
        return await self._database.read(find_in_fields(account, mailbox, needle, low, high))

    async def find_thread(self, account: AccountId, mailbox: MailboxId, thread: int) -> Sequence[int]:
        return await self._database.read(find_thread(account, mailbox, thread))

    async def find_dates(
        self, account: AccountId, mailbox: MailboxId, column: Column, start: int | None, stop: int | None
    ) -> Sequence[int]:
        return await self._database.read(find_dates(account, mailbox, column, start, stop))

    async def newest_email(self, account: AccountId) -> EmailId:
        return await self._database.read_small(lambda: newest_email(account))

    async def emails(
        self, account: AccountId, columns: Sequence[Column], after: EmailId, *, limit: int
    ) -> Sequence[Row]:
        return await self._database.read(emails(account, columns, after, limit))

    async def count_emails(self, account: AccountId, after: EmailId) -> int:
        return await self._database.read(count_emails(account, after))

    async def find_emails(
        self, account: AccountId, mailbox: MailboxId, ranges: Sequence[tuple[int, int]]
    ) -> Sequence[tuple[int, int]]:
        return await self._database.read(find_emails(account, mailbox, ranges))


# -- append


def append(
    account: AccountId,
    mailbox: MailboxId,
    messages: Sequence[NewMessage],
    refs: Sequence[BlobRef],
    receipt: Receipt | None = None,
    *,
    within_quota: bool = True,
) -> Unit[Appending]:
    """Store messages whose blobs are safe: rows, counters and one entry of the log."""
    if receipt is not None and not (yield from _take_receipt(account, receipt)):
        return Appending(ModSeq(0), UidValidity(0), 0, (), duplicate=True)
    count = len(messages)
    octets = sum(message.analysis.size for message in messages)
    modseq, first_email = yield from grow_account(account, count, octets, within_quota=within_quota)
    uidvalidity, first_uid = yield from grow_mailbox(account, mailbox, modseq, count, octets)
    ids = [EmailId(account << EMAIL_BITS | first_email + n) for n in range(count)]
    yield from insert_emails(account, ids, messages, refs)
    yield from insert_rows(
        _INSERT_MESSAGE,
        [
            (account, mailbox, first_uid + n, ids[n], m.internal_date, m.internal_text, m.analysis.size, m.saved_at)
            for n, m in enumerate(messages)
        ],
    )
    for message in messages:
        if message.heard is not None:
            yield from note_heard(account, message.heard, message.saved_at)
    yield from log_change(account, modseq, mailbox, Appended(first_uid, count, _flags_by_uid(messages, first_uid)))
    return Appending(modseq, uidvalidity, first_uid, ids)


_INSERT_MESSAGE = (
    "INSERT INTO messages (account_id, mailbox_id, uid, email_id, internal_date, internal_text, size, saved_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


def _flags_by_uid(messages: Sequence[NewMessage], first_uid: int) -> dict[Flag, BitMap]:
    flags: dict[Flag, BitMap] = {}
    for uid, message in enumerate(messages, first_uid):
        for flag in message.flags:
            flags.setdefault(flag, BitMap()).add(uid)
    return flags


def _take_receipt(account: AccountId, receipt: Receipt) -> Unit[bool]:
    """Return false if the same envelope with the same octets was taken and is still remembered."""
    rows = yield Statement(
        "INSERT INTO receipts (account_id, digest, expires) VALUES ($1, $2, $3)"
        " ON CONFLICT (account_id, digest) DO UPDATE SET expires = excluded.expires WHERE receipts.expires <= $4"
        " RETURNING account_id",
        (account, receipt.digest, receipt.expires, receipt.now),
    )
    return bool(rows)


def grow_account(account: AccountId, messages: int, octets: int, *, within_quota: bool) -> Unit[tuple[ModSeq, int]]:
    """Count new content in, within the quota; return the MODSEQ and the first number for an email."""
    rows = yield Statement(
        "UPDATE account_state SET highestmodseq = highestmodseq + 1, next_email = next_email + $1,"
        " used_octets = used_octets + $2, used_messages = used_messages + $1 WHERE account_id = $3"
        " RETURNING highestmodseq, next_email, used_octets, limit_octets, used_messages, limit_messages",
        (messages, octets, account),
    )
    if not rows:
        raise NotFound("There is no such account.")
    modseq, next_email, used_octets, limit_octets, used_messages, limit_messages = rows[0]
    if within_quota:
        _require_quota(used_octets, limit_octets, used_messages, limit_messages)
    return ModSeq(modseq), next_email - messages


def _require_quota(used_octets: int, limit_octets: int, used_messages: int, limit_messages: int) -> None:
    if 0 < limit_octets < used_octets or 0 < limit_messages < used_messages:
        raise OverQuota("The mailbox is full.")


def grow_mailbox(
    account: AccountId, mailbox: MailboxId, modseq: ModSeq, messages: int, octets: int
) -> Unit[tuple[UidValidity, int]]:
    """Count messages in and return UIDVALIDITY and the first of their UIDs."""
    rows = yield Statement(
        "UPDATE mailboxes SET uidnext = uidnext + $1, messages = messages + $1, octets = octets + $2,"
        " highestmodseq = $3 WHERE account_id = $4 AND mailbox_id = $5 RETURNING uidvalidity, uidnext",
        (messages, octets, modseq, account, mailbox),
    )
    if not rows:
        raise NotFound("There is no such mailbox.")
    uidvalidity, uidnext = rows[0]
    if uidnext > _MAX_UIDNEXT:
        raise OverLimit("The mailbox has given out all its numbers.")
    return UidValidity(uidvalidity), uidnext - messages


# -- flags


def _change_flags(
    account: AccountId,
    mailbox: MailboxId,
    change: FlagsAdded | FlagsRemoved | FlagsReplaced | SeenBy,
    expected: ModSeq | None,
) -> Unit[ModSeq]:
    modseq = yield from next_modseq(account)
    if expected is not None:
        rows = yield Statement(
            "SELECT highestmodseq FROM mailboxes WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox)
        )
        if rows and rows[0][0] > expected:
            raise Conflict(cause="the mailbox has changed since")
    yield from _touch(account, mailbox, modseq)
    yield from log_change(account, modseq, mailbox, change)
    return modseq


def _touch(account: AccountId, mailbox: MailboxId, modseq: ModSeq) -> Unit[None]:
    rows = yield Statement(
        "UPDATE mailboxes SET highestmodseq = $1 WHERE account_id = $2 AND mailbox_id = $3 RETURNING mailbox_id",
        (modseq, account, mailbox),
    )
    if not rows:
        raise NotFound("There is no such mailbox.")


# -- expunge


def _expunge(account: AccountId, mailbox: MailboxId, uids: BitMap) -> Unit[ExpungeResult]:
    modseq = yield from next_modseq(account)
    removed = yield from _remove(account, mailbox, uids, modseq)
    if not removed:
        raise _NothingRemoved
    yield from count_out(account, mailbox, modseq, len(removed), sum(removed.values()))
    yield from log_change(account, modseq, mailbox, Expunged(BitMap(removed)))
    return ExpungeResult(modseq, BitMap(removed))


def _replace(
    account: AccountId, source: MailboxId, uid: int, target: MailboxId, message: NewMessage, refs: Sequence[BlobRef]
) -> Unit[tuple[ExpungeResult, Appending]]:
    """The old message leaves first: its room is the new one's."""
    gone = yield from _expunge(account, source, BitMap([uid]))
    return gone, (yield from append(account, target, [message], refs))


class _NothingRemoved(Conflict):
    """Undoes the step of the log that a removal of nothing has taken."""


def _remove(account: AccountId, mailbox: MailboxId, uids: BitMap, modseq: ModSeq) -> Unit[dict[int, int]]:
    """Delete the rows of messages and return the size of each by UID."""
    removed: dict[int, int] = {}
    yield from _note_departures(account, mailbox, uids, modseq)
    for chosen, numbers in conditions("uid", uid_runs(uids), 3):
        key = (account, mailbox, *numbers)
        yield Statement(
            "INSERT INTO dropped_emails (account_id, email_id) SELECT account_id, email_id FROM messages"
            f" WHERE account_id = $1 AND mailbox_id = $2 AND {chosen} ON CONFLICT (account_id, email_id) DO NOTHING",
            key,
        )
        rows = yield Statement(
            f"DELETE FROM messages WHERE account_id = $1 AND mailbox_id = $2 AND {chosen} RETURNING uid, size", key
        )
        removed.update(rows)
    return removed


def _note_departures(account: AccountId, mailbox: MailboxId, uids: BitMap, modseq: ModSeq) -> Unit[None]:
    for chosen, numbers in conditions("uid", uid_runs(uids), 4):
        yield from note_departures(account, mailbox, modseq, chosen, numbers)


def count_out(account: AccountId, mailbox: MailboxId, modseq: ModSeq, messages: int, octets: int) -> Unit[None]:
    """Count messages that left a mailbox out of it and out of what the account uses."""
    yield from _count_out_of_mailbox(account, mailbox, modseq, messages, octets)
    yield Statement(
        "UPDATE account_state SET used_octets = used_octets - $1, used_messages = used_messages - $2"
        " WHERE account_id = $3",
        (octets, messages, account),
    )


def _count_out_of_mailbox(
    account: AccountId, mailbox: MailboxId, modseq: ModSeq, messages: int, octets: int
) -> Unit[None]:
    rows = yield Statement(
        "UPDATE mailboxes SET messages = messages - $1, octets = octets - $2, highestmodseq = $3"
        " WHERE account_id = $4 AND mailbox_id = $5 RETURNING mailbox_id",
        (messages, octets, modseq, account, mailbox),
    )
    if not rows:
        raise NotFound("There is no such mailbox.")


# -- copy and move


def _copy(
    account: AccountId,
    source: MailboxId,
    uids: BitMap,
    flags: Mapping[Flag, BitMap],
    target: MailboxId,
    *,
    move: bool,
) -> Unit[CopyResult]:
    # The account first: what is read after that cannot change until the unit ends.
    modseq = yield from next_modseq(account)
    yield from _require_mailbox(account, source)
    found: list[Row] = []
    for chosen, numbers in conditions("uid", uid_runs(uids), 3):
        rows = yield Statement(
            "SELECT uid, email_id, internal_date, internal_text, size, saved_at FROM messages"
            f" WHERE account_id = $1 AND mailbox_id = $2 AND {chosen} ORDER BY uid",
            (account, source, *numbers),
        )
        found += rows
    if len(found) != len(uids):
        raise Conflict(cause="a message is gone")
    count, octets = len(found), sum(row[4] for row in found)
    if not move:
        yield from _charge(account, count, octets)
    uidvalidity, first_uid = yield from grow_mailbox(account, target, modseq, count, octets)
    yield from insert_rows(_INSERT_MESSAGE, [(account, target, first_uid + n, *row[1:]) for n, row in enumerate(found)])
    order = {row[0]: first_uid + n for n, row in enumerate(found)}
    copied = {flag: BitMap([order[uid] for uid in having & uids]) for flag, having in flags.items()}
    change = Appended(first_uid, count, {flag: having for flag, having in copied.items() if having})
    yield from log_change(account, modseq, target, change)
    source_modseq = (yield from _move_out(account, source, uids)) if move else None
    return CopyResult(modseq, source_modseq, uidvalidity, list(order), first_uid)


def _require_mailbox(account: AccountId, mailbox: MailboxId) -> Unit[None]:
    """Messages of a deleted mailbox may still have their rows; nobody is to reach them."""
    if not (yield Statement("SELECT 1 FROM mailboxes WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox))):
        raise NotFound("There is no such mailbox.")


def _charge(account: AccountId, messages: int, octets: int) -> Unit[None]:
    """Count copies in, within the quota."""
    rows = yield Statement(
        "UPDATE account_state SET used_octets = used_octets + $1, used_messages = used_messages + $2"
        " WHERE account_id = $3 RETURNING used_octets, limit_octets, used_messages, limit_messages",
        (octets, messages, account),
    )
    _require_quota(*rows[0])


def _move_out(account: AccountId, source: MailboxId, uids: BitMap) -> Unit[ModSeq]:
    """Take messages that were just copied out of their mailbox. What the account uses stays the same."""
    modseq = yield from next_modseq(account)
    removed: dict[int, int] = {}
    yield from _note_departures(account, source, uids, modseq)
    for chosen, numbers in conditions("uid", uid_runs(uids), 3):
        rows = yield Statement(
            f"DELETE FROM messages WHERE account_id = $1 AND mailbox_id = $2 AND {chosen} RETURNING uid, size",
            (account, source, *numbers),
        )
        removed.update(rows)
    yield from _count_out_of_mailbox(account, source, modseq, len(removed), sum(removed.values()))
    yield from log_change(account, modseq, source, Expunged(BitMap(removed)))
    return modseq


def _discard(
    account: AccountId, source: MailboxId, uids: BitMap, flags: Mapping[Flag, BitMap], target: MailboxId
) -> Unit[Discarding]:
    # The account's row first: nobody else removes the other copy until the unit ends.
    yield Statement("UPDATE account_state SET highestmodseq = highestmodseq WHERE account_id = $1", (account,))
    elsewhere = yield from _find_elsewhere(account, source, uids)
    last = uids - elsewhere
    moved = (yield from _copy(account, source, last, flags, target, move=True)) if last else None
    return Discarding(moved, (yield from _expunge(account, source, elsewhere)) if elsewhere else None)


def _find_elsewhere(account: AccountId, mailbox: MailboxId, uids: BitMap) -> Unit[BitMap]:
    """Return which of the messages are in another mailbox too."""
    found = BitMap()
    for chosen, numbers in conditions("m.uid", uid_runs(uids), 3):
        rows = yield Statement(
            f"SELECT m.uid FROM messages m WHERE m.account_id = $1 AND m.mailbox_id = $2 AND {chosen} AND EXISTS ("
            # Asked for `=`, SQLite goes through all that the account has.
            "SELECT 1 FROM messages o WHERE o.account_id = m.account_id"
            " AND o.email_id BETWEEN m.email_id AND m.email_id AND o.mailbox_id <> m.mailbox_id"
            " AND EXISTS (SELECT 1 FROM mailboxes b"
            " WHERE b.account_id = o.account_id AND b.mailbox_id = o.mailbox_id))",
            (account, mailbox, *numbers),
        )
        found.update(uid for (uid,) in rows)
    return found


# -- rows


def _few(ranges: Sequence[tuple[int, int]], limit: int) -> bool:
    """Whether the rows are so few that they are read faster than a thread is woken."""
    return limit <= _FEW_ROWS or (len(ranges) <= _FEW_ROWS and sum(high - low + 1 for low, high in ranges) <= _FEW_ROWS)


def _rows(
    account: AccountId,
    mailbox: MailboxId,
    columns: Sequence[Column],
    ranges: Sequence[tuple[int, int]],
    limit: int,
) -> Unit[Sequence[Row]]:
    sql = _row_query(tuple(columns))
    found: list[Row] = []
    for chosen, numbers in conditions("m.uid", ranges, 4):
        found += yield Statement(
            f"{sql} AND {chosen} ORDER BY m.uid LIMIT $3", (account, mailbox, limit - len(found), *numbers)
        )
        if len(found) >= limit:
            break
    return found


_COALESCED = {
    Column.ENVELOPE_UTF8: "COALESCE(e.envelope_utf8, e.envelope)",
    Column.BODYSTRUCTURE_UTF8: "COALESCE(e.bodystructure_utf8, e.bodystructure)",
}


def _expression(column: Column) -> str:
    table = "m" if column in _OF_MESSAGE else "t" if column in OF_TEXTS else "e"
    return _COALESCED.get(column) or f"{table}.{column.value}"


@lru_cache(maxsize=256)
def _row_query(columns: tuple[Column, ...]) -> str:
    wanted = set(columns)
    names = ", ".join(map(_expression, columns))
    joins = ""
    if wanted - _OF_MESSAGE - OF_TEXTS:
        joins += " JOIN emails e ON e.account_id = m.account_id AND e.email_id = m.email_id"
    if wanted & OF_TEXTS:
        joins += " JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id"
    return f"SELECT {names} FROM messages m{joins} WHERE m.account_id = $1 AND m.mailbox_id = $2"


@lru_cache(maxsize=512)
def _query_of_few(columns: tuple[Column, ...], count: int) -> str:
    numbers = ", ".join(f"${number}" for number in range(3, 3 + count))
    return f"{_row_query(columns)} AND m.uid IN ({numbers}) ORDER BY m.uid"
