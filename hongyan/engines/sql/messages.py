"""Messages in SQL: append, flags, copy and move, expunge, rows."""

from __future__ import annotations

__all__ = ["SqlMessages", "append", "count_out"]

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pyroaring import BitMap

from hongyan.engines.sql.mailboxes import log_change, next_modseq
from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, conditions
from hongyan.errors import Conflict, NotFound, OverLimit, OverQuota
from hongyan.store.changes import Appended, Expunged, Flag, FlagsAdded, FlagsRemoved, FlagsReplaced, uid_runs
from hongyan.store.messages import Appending, Column, CopyResult, ExpungeResult, NewMessage, Row
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, BlobRef, EmailId, MailboxId, ModSeq, UidValidity

_EMAIL_BITS = 32
_FEW_ROWS = 8
_MAX_UIDNEXT = (1 << 32) - 1  # RFC 9051 §2.3.1.1: unique identifiers are 32-bit values
_TEXT_COLUMNS = frozenset(
    (Column.FROM_TEXT, Column.TO_TEXT, Column.CC_TEXT, Column.BCC_TEXT, Column.SUBJECT_TEXT, Column.MESSAGE_ID)
)
_OF_MESSAGE = frozenset(
    (Column.UID, Column.EMAIL_ID, Column.INTERNAL_DATE, Column.INTERNAL_TEXT, Column.SAVED_AT, Column.SIZE)
)
_OF_TEXTS = _TEXT_COLUMNS | {Column.SENT_DATE}


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
        change: FlagsAdded | FlagsRemoved | FlagsReplaced,
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

    async def find_text(
        self, account: AccountId, mailbox: MailboxId, column: Column, needle: str, low: int, high: int
    ) -> Sequence[int]:
        return await self._database.read(_find_text(account, mailbox, column, needle, low, high))

    async def find_in_fields(
        self, account: AccountId, mailbox: MailboxId, needle: str, low: int, high: int
    ) -> Sequence[int]:
        return await self._database.read(_find_in_fields(account, mailbox, needle, low, high))

    async def find_dates(
        self, account: AccountId, mailbox: MailboxId, column: Column, start: int | None, stop: int | None
    ) -> Sequence[int]:
        return await self._database.read(_find_dates(account, mailbox, column, start, stop))


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
    modseq, first_email = yield from _grow_account(account, count, octets, within_quota=within_quota)
    uidvalidity, first_uid = yield from _grow_mailbox(account, mailbox, modseq, count, octets)
    ids = [EmailId(account << _EMAIL_BITS | first_email + n) for n in range(count)]
    yield from _insert(_INSERT_EMAIL, [_email_row(account, *of) for of in zip(ids, messages, refs, strict=True)])
    yield from _insert(_INSERT_TEXTS, [_texts_row(account, *of) for of in zip(ids, messages, strict=True)])
    yield from _insert(
        _INSERT_MESSAGE,
        [
            (account, mailbox, first_uid + n, ids[n], m.internal_date, m.internal_text, m.analysis.size, m.saved_at)
            for n, m in enumerate(messages)
        ],
    )
    yield from log_change(account, modseq, mailbox, Appended(first_uid, count, _flags_by_uid(messages, first_uid)))
    return Appending(modseq, uidvalidity, first_uid, ids)


_INSERT_EMAIL = (
    "INSERT INTO emails (account_id, email_id, blob_ref, prefix, envelope, envelope_utf8, bodystructure,"
    " bodystructure_utf8, outline, fields, preview, has_attachment)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
)
_INSERT_TEXTS = (
    "INSERT INTO email_texts (account_id, email_id, sent_date, message_id, reference_ids, from_text, to_text, cc_text,"
    " bcc_text, subject_text) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)
_INSERT_MESSAGE = (
    "INSERT INTO messages (account_id, mailbox_id, uid, email_id, internal_date, internal_text, size, saved_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
)


def _insert(sql: str, rows: list[tuple[int | str | bytes | None, ...]]) -> Unit[None]:
    yield Statement(sql, rows[0]) if len(rows) == 1 else Many(sql, rows)


def _email_row(
    account: AccountId, email: EmailId, message: NewMessage, ref: BlobRef
) -> tuple[int | str | bytes | None, ...]:
    of = message.analysis
    return (
        account,
        email,
        ref,
        message.prefix,
        of.envelope,
        of.envelope_utf8,
        of.bodystructure,
        of.bodystructure_utf8,
        of.outline,
        of.fields,
        _storable(of.preview),
        int(of.has_attachment),
    )


def _texts_row(account: AccountId, email: EmailId, message: NewMessage) -> tuple[int | str | bytes | None, ...]:
    of = message.analysis
    texts = (of.message_id, " ".join(of.references), of.from_text, of.to_text, of.cc_text, of.bcc_text, of.subject_text)
    return (account, email, of.sent_date, *map(_storable, texts))


def _storable(text: str) -> str:
    """Return the text without what no database holds: NUL, and halves of surrogate pairs."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


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


def _grow_account(account: AccountId, messages: int, octets: int, *, within_quota: bool) -> Unit[tuple[ModSeq, int]]:
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


def _grow_mailbox(
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
    change: FlagsAdded | FlagsRemoved | FlagsReplaced,
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
    removed = yield from _remove(account, mailbox, uids)
    if not removed:
        raise _NothingRemoved
    yield from count_out(account, mailbox, modseq, len(removed), sum(removed.values()))
    yield from log_change(account, modseq, mailbox, Expunged(BitMap(removed)))
    return ExpungeResult(modseq, BitMap(removed))


class _NothingRemoved(Conflict):
    """Undoes the step of the log that a removal of nothing has taken."""


def _remove(account: AccountId, mailbox: MailboxId, uids: BitMap) -> Unit[dict[int, int]]:
    """Delete the rows of messages and return the size of each by UID."""
    removed: dict[int, int] = {}
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
    uidvalidity, first_uid = yield from _grow_mailbox(account, target, modseq, count, octets)
    yield from _insert(_INSERT_MESSAGE, [(account, target, first_uid + n, *row[1:]) for n, row in enumerate(found)])
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
    for chosen, numbers in conditions("uid", uid_runs(uids), 3):
        rows = yield Statement(
            f"DELETE FROM messages WHERE account_id = $1 AND mailbox_id = $2 AND {chosen} RETURNING uid, size",
            (account, source, *numbers),
        )
        removed.update(rows)
    yield from _count_out_of_mailbox(account, source, modseq, len(removed), sum(removed.values()))
    yield from log_change(account, modseq, source, Expunged(BitMap(removed)))
    return modseq


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
    table = "m" if column in _OF_MESSAGE else "t" if column in _OF_TEXTS else "e"
    return _COALESCED.get(column) or f"{table}.{column.value}"


@lru_cache(maxsize=256)
def _row_query(columns: tuple[Column, ...]) -> str:
    wanted = set(columns)
    names = ", ".join(map(_expression, columns))
    joins = ""
    if wanted - _OF_MESSAGE - _OF_TEXTS:
        joins += " JOIN emails e ON e.account_id = m.account_id AND e.email_id = m.email_id"
    if wanted & _OF_TEXTS:
        joins += " JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id"
    return f"SELECT {names} FROM messages m{joins} WHERE m.account_id = $1 AND m.mailbox_id = $2"


def _find_text(
    account: AccountId, mailbox: MailboxId, column: Column, needle: str, low: int, high: int
) -> Unit[Sequence[int]]:
    if column not in _TEXT_COLUMNS:
        raise ValueError(column)
    # LIKE folds ASCII case in SQLite and its wildcards would need escaping; the position of a substring needs neither.
    rows = yield Statement(
        "SELECT m.uid FROM messages m JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid BETWEEN $3 AND $4"
        f" AND {{position}}(t.{column.value}, $5) > 0 ORDER BY m.uid",
        (account, mailbox, low, high, needle),
    )
    return [row[0] for row in rows]


def _find_in_fields(account: AccountId, mailbox: MailboxId, needle: str, low: int, high: int) -> Unit[Sequence[int]]:
    rows = yield Statement(
        "SELECT m.uid FROM messages m JOIN emails e ON e.account_id = m.account_id AND e.email_id = m.email_id"
        " WHERE m.account_id = $1 AND m.mailbox_id = $2 AND m.uid BETWEEN $3 AND $4"
        " AND {position}({lower_fields}, $5) > 0 ORDER BY m.uid",
        (account, mailbox, low, high, needle),
    )
    return [row[0] for row in rows]


def _find_dates(
    account: AccountId, mailbox: MailboxId, column: Column, start: int | None, stop: int | None
) -> Unit[Sequence[int]]:
    table = "t" if column in _OF_TEXTS else "m"
    join = " JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id" if table == "t" else ""
    bounds = ""
    parameters: list[int | str | bytes | float | None] = [account, mailbox]
    for operator, bound in ((">=", start), ("<", stop)):
        if bound is not None:
            parameters.append(bound)
            bounds += f" AND {table}.{column.value} {operator} ${len(parameters)}"
    rows = yield Statement(
        f"SELECT m.uid FROM messages m{join} WHERE m.account_id = $1 AND m.mailbox_id = $2{bounds} ORDER BY m.uid",
        parameters,
    )
    return [row[0] for row in rows]
