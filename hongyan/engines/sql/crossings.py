"""Messages that go from one account to another, in SQL."""

from __future__ import annotations

__all__ = ["SqlCrossings"]

from collections.abc import Mapping

from pyroaring import BitMap

from hongyan.engines.sql.email_rows import INSERT_TEXTS, insert_rows, order_values
from hongyan.engines.sql.mailboxes import log_change
from hongyan.engines.sql.messages import EMAIL_BITS, grow_account, grow_mailbox
from hongyan.engines.sql.threads import find_threads
from hongyan.engines.sql.units import Many, Row, SqlDatabase, Statement, Unit, conditions, unit_of
from hongyan.errors import Conflict, NotFound
from hongyan.message.order_keys import read_order_keys
from hongyan.store.changes import Appended, Flag, uid_runs
from hongyan.store.crossings import Taken
from hongyan.store.messages import CopyResult
from hongyan.types import AccountId, EmailId, MailboxId

_OF_MESSAGE = ("internal_date", "internal_text", "size")
_OF_EMAIL = (
    *("blob_ref", "prefix", "skipped", "envelope", "envelope_utf8", "bodystructure", "bodystructure_utf8"),
    *("outline", "fields", "preview", "has_attachment"),
)
_OF_TEXTS = (
    *("sent_date", "message_id", "reference_ids", "from_text", "to_text", "cc_text", "bcc_text", "subject_text"),
)
_SIZE = 1 + _OF_MESSAGE.index("size")
_EMAIL_AT = 1 + len(_OF_MESSAGE)
_TEXTS_AT = _EMAIL_AT + len(_OF_EMAIL)
_FIELDS_AT = _EMAIL_AT + _OF_EMAIL.index("fields")


class SqlCrossings:
    """`store.crossings.CrossingStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def take(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> Taken:
        return await self._database.read(_take(account, mailbox, uids))

    async def bring(
        self, account: AccountId, mailbox: MailboxId, taken: Taken, flags: Mapping[Flag, BitMap], saved_at: int
    ) -> CopyResult:
        return await self._database.write(unit_of(_bring, account, mailbox, taken, flags, saved_at))


def _take(account: AccountId, mailbox: MailboxId, uids: BitMap) -> Unit[Taken]:
    if not (yield Statement("SELECT 1 FROM mailboxes WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox))):
        raise NotFound("There is no such mailbox.")
    names = ", ".join(
        [*(f"m.{name}" for name in _OF_MESSAGE), *(f"e.{name}" for name in _OF_EMAIL), *(f"t.{n}" for n in _OF_TEXTS)]
    )
    found: list[Row] = []
    for chosen, numbers in conditions("m.uid", uid_runs(uids), 3):
        found += yield Statement(
            f"SELECT m.uid, {names} FROM messages m JOIN emails e ON e.account_id = m.account_id"
            " AND e.email_id = m.email_id JOIN email_texts t ON t.account_id = m.account_id AND t.email_id = m.email_id"
            f" WHERE m.account_id = $1 AND m.mailbox_id = $2 AND {chosen} ORDER BY m.uid",
            (account, mailbox, *numbers),
        )
    if len(found) != len(uids):
        raise Conflict(cause="a message is gone")
    found.sort(key=lambda row: int(row[0]))
    # Threads are an account's own: a message joins those of the account that it comes to, by what its fields say.
    rows = [(*row, read_order_keys(bytes(row[_FIELDS_AT]))) for row in found]
    return Taken([row[0] for row in found], sum(row[_SIZE] for row in found), rows)


def _bring(
    account: AccountId, mailbox: MailboxId, taken: Taken, flags: Mapping[Flag, BitMap], saved_at: int
) -> Unit[CopyResult]:
    count = len(taken.uids)
    modseq, first_email = yield from grow_account(account, count, taken.octets, within_quota=True)
    uidvalidity, first_uid = yield from grow_mailbox(account, mailbox, modseq, count, taken.octets)
    keys = [row[-1] for row in taken.rows]
    ids = [account << EMAIL_BITS | first_email + n for n in range(count)]
    emails = [EmailId(one) for one in ids]
    threads = yield from find_threads(account, emails, [key.thread_links for key in keys])
    rows = taken.rows
    yield _many("emails", _OF_EMAIL, [(account, ids[n], *row[_EMAIL_AT:_TEXTS_AT]) for n, row in enumerate(rows)])
    yield from insert_rows(
        INSERT_TEXTS,
        [
            (account, ids[n], key.thread_links[0] or None, threads[n], *rows[n][_TEXTS_AT:-1], *order_values(key))
            for n, key in enumerate(keys)
        ],
    )
    yield _many(
        "messages",
        ("mailbox_id", "uid", *_OF_MESSAGE, "saved_at"),
        [(account, ids[n], mailbox, first_uid + n, *row[1:_EMAIL_AT], saved_at) for n, row in enumerate(rows)],
    )
    order = {uid: first_uid + n for n, uid in enumerate(taken.uids)}
    copied = {flag: BitMap([order[uid] for uid in having if uid in order]) for flag, having in flags.items()}
    change = Appended(first_uid, count, {flag: having for flag, having in copied.items() if having})
    yield from log_change(account, modseq, mailbox, change)
    return CopyResult(modseq, None, uidvalidity, list(taken.uids), first_uid)


def _many(table: str, columns: tuple[str, ...], rows: list[Row]) -> Many:
    names = ("account_id", "email_id", *columns)
    numbers = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    return Many(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({numbers})", rows)
