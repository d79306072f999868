"""Mailboxes in SQL."""

from __future__ import annotations

__all__ = [
    "SqlMailboxes",
    "create_account_state",
    "find_mailbox",
    "insert_mailbox",
    "list_mailboxes_of",
    "log_change",
    "next_modseq",
]

from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.engines.sql.expunged import expunged_since, forget_expunges
from hongyan.engines.sql.mailbox_properties import change_properties
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit, conditions
from hongyan.errors import AlreadyExists, NotFound, OverLimit
from hongyan.store.changes import Change, ChangePage, LoggedChange, MailboxChanged, decode_change, encode_change
from hongyan.store.mailboxes import MAX_MAILBOXES, Mailbox, MailboxProperties, Quota, StoredState
from hongyan.types import AccountId, MailboxId, ModSeq, UidValidity

_MAILBOX = "m.mailbox_id, m.name, m.special_use, m.uidvalidity, m.uidnext, m.highestmodseq, m.messages, m.octets"
_SUBSCRIBED = "EXISTS (SELECT 1 FROM subscriptions s WHERE s.account_id = m.account_id AND s.name = m.name)"
_ROW = f"{_MAILBOX}, {_SUBSCRIBED}, m.sort_order"
_UIDVALIDITY_BITS = 30


class SqlMailboxes:
    """`store.mailboxes.MailboxStore` and `store.changes.ChangeStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def list_mailboxes(self, account: AccountId) -> Sequence[Mailbox]:
        return await self._database.read(_list(account))

    async def find_mailbox(self, account: AccountId, name: str) -> Mailbox | None:
        return await self._database.read_small(lambda: find_mailbox(account, name))

    async def create_mailbox(self, account: AccountId, name: str, *, special_use: str = "") -> Mailbox:
        return await self._database.write(lambda _refs: insert_mailbox(account, name, special_use))

    async def rename_mailboxes(self, account: AccountId, names: Sequence[tuple[MailboxId, str]]) -> ModSeq:
        return await self._database.write(lambda _refs: _rename(account, names))

    async def delete_mailbox(self, account: AccountId, mailbox: MailboxId) -> ModSeq:
        return await self._database.write(lambda _refs: _delete(account, mailbox))

    async def change_properties(
        self, account: AccountId, mailbox: MailboxId, wanted: MailboxProperties
    ) -> LoggedChange:
        return await self._database.write(lambda _refs: _change_properties(account, mailbox, wanted))

    async def subscribe(self, account: AccountId, name: str, *, subscribed: bool) -> None:
        await self._database.write(lambda _refs: _subscribe(account, name, subscribed=subscribed))

    async def list_subscriptions(self, account: AccountId) -> Sequence[str]:
        return await self._database.read(_subscriptions(account))

    async def load_state(self, account: AccountId, mailbox: MailboxId) -> StoredState:
        return await self._database.read(_load_state(account, mailbox))

    async def save_snapshot(self, account: AccountId, mailbox: MailboxId, modseq: ModSeq, snapshot: bytes) -> None:
        await self._database.write(lambda _refs: _save_snapshot(account, mailbox, modseq, snapshot), durable=False)

    async def highestmodseq(self, account: AccountId) -> ModSeq:
        return await self._database.read_small(lambda: _highestmodseq(account))

    async def quota(self, account: AccountId) -> Quota:
        return await self._database.read_small(lambda: _quota(account))

    async def count_mailboxes(self, account: AccountId) -> int:
        return await self._database.read_small(lambda: _count(account))

    async def set_quota(self, account: AccountId, *, limit_octets: int, limit_messages: int) -> None:
        await self._database.write(lambda _refs: _set_quota(account, limit_octets, limit_messages))

    async def changes_since(self, account: AccountId, cursor: ModSeq, *, limit: int = 1000) -> ChangePage:
        return await self._database.read(_changes_since(account, cursor, limit))

    async def changes_of_mailbox(
        self, account: AccountId, mailbox: MailboxId, cursor: ModSeq
    ) -> Sequence[LoggedChange]:
        return await self._database.read(_changes_of_mailbox(account, mailbox, cursor))

    async def expunged_since(self, account: AccountId, mailbox: MailboxId, cursor: ModSeq) -> BitMap | None:
        return await self._database.read(expunged_since(account, mailbox, cursor))

    async def log_floor(self, account: AccountId) -> ModSeq:
        return (await self._database.read_small(lambda: _log_ends(account)))[0]


# -- parts of units, for this package


def create_account_state(
    account: AccountId, chance: int, *, limit_octets: int = 0, limit_messages: int = 0
) -> Unit[None]:
    """Make the row that an account's mail hangs on.

    `chance` is an unguessable number: an address given to a new account must not meet the UIDVALIDITY of the old one.
    """
    base = 1 + chance % (1 << _UIDVALIDITY_BITS)
    yield Statement(
        "INSERT INTO account_state (account_id, highestmodseq, next_mailbox, next_email, uidvalidity_base,"
        " used_octets, used_messages, limit_octets, limit_messages) VALUES ($1, 0, 1, 1, $2, 0, 0, $3, $4)",
        (account, base, limit_octets, limit_messages),
    )


def next_modseq(account: AccountId) -> Unit[ModSeq]:
    """Advance the account's log by one; it locks the account until the unit ends."""
    rows = yield Statement(
        "UPDATE account_state SET highestmodseq = highestmodseq + 1 WHERE account_id = $1 RETURNING highestmodseq",
        (account,),
    )
    if not rows:
        raise NotFound("There is no such account.")
    return ModSeq(rows[0][0])


def log_change(account: AccountId, modseq: ModSeq, mailbox: MailboxId, change: Change) -> Unit[None]:
    """Write an entry of the log."""
    yield Statement(
        "INSERT INTO changes (account_id, modseq, mailbox_id, entry) VALUES ($1, $2, $3, $4)",
        (account, modseq, mailbox, encode_change(change)),
    )


def insert_mailbox(account: AccountId, name: str, special_use: str) -> Unit[Mailbox]:
    """Make a mailbox, subscribed."""
    rows = yield Statement(
        "UPDATE account_state SET highestmodseq = highestmodseq + 1, next_mailbox = next_mailbox + 1"
        " WHERE account_id = $1 RETURNING highestmodseq, next_mailbox - 1, uidvalidity_base",
        (account,),
    )
    if not rows:
        raise NotFound("There is no such account.")
    modseq, number, base = ModSeq(rows[0][0]), MailboxId(rows[0][1]), int(rows[0][2])
    if (yield Statement("SELECT 1 FROM mailboxes WHERE account_id = $1 AND name = $2", (account, name))):
        raise AlreadyExists("A mailbox of that name exists already.")
    if (yield from _count(account)) >= MAX_MAILBOXES:
        raise OverLimit("The account has as many mailboxes as it may have.")
    # A number is never given again, so a name that comes back has a greater UIDVALIDITY (RFC 9051 §2.3.1.1).
    mailbox = Mailbox(number, name, special_use, UidValidity(base + number), 1, modseq, 0, 0, subscribed=True)
    yield Statement(
        "INSERT INTO mailboxes (account_id, mailbox_id, name, special_use, uidvalidity, uidnext, highestmodseq,"
        " messages, octets) VALUES ($1, $2, $3, $4, $5, 1, $6, 0, 0)",
        (account, number, name, special_use, mailbox.uidvalidity, modseq),
    )
    yield from _subscribe(account, name, subscribed=True)
    yield from log_change(account, modseq, number, MailboxChanged("created", name))
    return mailbox


def find_mailbox(account: AccountId, name: str) -> Unit[Mailbox | None]:
    """Return the mailbox of that name."""
    rows = yield Statement(f"SELECT {_ROW} FROM mailboxes m WHERE m.account_id = $1 AND m.name = $2", (account, name))
    return _mailbox(rows[0]) if rows else None


def list_mailboxes_of(account: AccountId, mailboxes: Sequence[MailboxId]) -> Unit[Sequence[Mailbox]]:
    """Return those of the mailboxes that are there, sorted by number."""
    found: list[Row] = []
    for chosen, numbers in conditions("m.mailbox_id", [(one, one) for one in sorted(mailboxes)], 2):
        found += yield Statement(
            f"SELECT {_ROW} FROM mailboxes m WHERE m.account_id = $1 AND {chosen} ORDER BY m.mailbox_id",
            (account, *numbers),
        )
    return [_mailbox(row) for row in found]


# -- whole units


def _mailbox(row: Row) -> Mailbox:
    return Mailbox(
        MailboxId(row[0]),
        row[1],
        row[2],
        UidValidity(row[3]),
        row[4],
        ModSeq(row[5]),
        row[6],
        row[7],
        bool(row[8]),
        row[9],
    )


def _list(account: AccountId) -> Unit[Sequence[Mailbox]]:
    rows = yield Statement(f"SELECT {_ROW} FROM mailboxes m WHERE m.account_id = $1 ORDER BY m.name", (account,))
    return [_mailbox(row) for row in rows]


def _rename(account: AccountId, names: Sequence[tuple[MailboxId, str]]) -> Unit[ModSeq]:
    modseq = yield from next_modseq(account)
    for number, (mailbox, name) in enumerate(names):
        if number:
            modseq = yield from next_modseq(account)
        taken = yield Statement(
            "SELECT mailbox_id FROM mailboxes WHERE account_id = $1 AND name = $2 AND mailbox_id <> $3",
            (account, name, mailbox),
        )
        if taken:
            raise AlreadyExists("A mailbox of that name exists already.")
        done = yield Statement(
            "UPDATE mailboxes SET name = $1, highestmodseq = $2 WHERE account_id = $3 AND mailbox_id = $4"
            " RETURNING mailbox_id",
            (name, modseq, account, mailbox),
        )
        if not done:
            raise NotFound("There is no such mailbox.")
        yield from log_change(account, modseq, mailbox, MailboxChanged("renamed", name))
    return modseq


def _delete(account: AccountId, mailbox: MailboxId) -> Unit[ModSeq]:
    modseq = yield from next_modseq(account)
    key = (account, mailbox)
    gone = yield Statement(
        "DELETE FROM mailboxes WHERE account_id = $1 AND mailbox_id = $2 RETURNING name, messages, octets", key
    )
    if not gone:
        raise NotFound("There is no such mailbox.")
    name, messages, octets = gone[0]
    # The rows of its messages, however many, are the sweep's: they hang on a mailbox that is no more.
    yield Statement("DELETE FROM snapshots WHERE account_id = $1 AND mailbox_id = $2", key)
    yield from forget_expunges(account, mailbox)
    yield Statement("DELETE FROM grants WHERE account_id = $1 AND mailbox_id = $2", key)
    yield Statement("DELETE FROM annotations WHERE account_id = $1 AND owner_id = $1 AND mailbox_id = $2", key)
    yield Statement(
        "UPDATE account_state SET used_octets = used_octets - $1, used_messages = used_messages - $2"
        " WHERE account_id = $3",
        (octets, messages, account),
    )
    yield Statement(
        "INSERT INTO deleted_mailboxes (account_id, mailbox_id, modseq) VALUES ($1, $2, $3)", (account, mailbox, modseq)
    )
    yield from log_change(account, modseq, mailbox, MailboxChanged("deleted", name))
    return modseq


def _change_properties(account: AccountId, mailbox: MailboxId, wanted: MailboxProperties) -> Unit[LoggedChange]:
    modseq = yield from next_modseq(account)
    done = yield from change_properties(account, mailbox, wanted, modseq)
    yield from log_change(account, modseq, mailbox, done.change)
    return done


def _subscribe(account: AccountId, name: str, *, subscribed: bool) -> Unit[None]:
    if subscribed:
        sql = "INSERT INTO subscriptions (account_id, name) VALUES ($1, $2) ON CONFLICT (account_id, name) DO NOTHING"
    else:
        sql = "DELETE FROM subscriptions WHERE account_id = $1 AND name = $2"
    yield Statement(sql, (account, name))


def _subscriptions(account: AccountId) -> Unit[Sequence[str]]:
    rows = yield Statement("SELECT name FROM subscriptions WHERE account_id = $1 ORDER BY name", (account,))
    return [row[0] for row in rows]


def _load_state(account: AccountId, mailbox: MailboxId) -> Unit[StoredState]:
    key = (account, mailbox)
    while True:
        # The snapshot first: changes that are read after it cannot miss one that it lacks.
        saved = yield Statement("SELECT modseq, snapshot FROM snapshots WHERE account_id = $1 AND mailbox_id = $2", key)
        modseq, snapshot = saved[0] if saved else (0, None)
        rows = yield Statement(f"SELECT {_ROW} FROM mailboxes m WHERE m.account_id = $1 AND m.mailbox_id = $2", key)
        if not rows:
            raise NotFound("There is no such mailbox.")
        changes = yield from _changes_of_mailbox(account, mailbox, ModSeq(modseq))
        # A later snapshot allows the sweep to prune the log behind it: then the entries just read have a gap.
        again = yield Statement("SELECT modseq FROM snapshots WHERE account_id = $1 AND mailbox_id = $2", key)
        if not again or again[0][0] == modseq:
            return StoredState(_mailbox(rows[0]), snapshot, changes)


def _save_snapshot(account: AccountId, mailbox: MailboxId, modseq: ModSeq, snapshot: bytes) -> Unit[None]:
    alive = yield Statement("SELECT 1 FROM mailboxes WHERE account_id = $1 AND mailbox_id = $2", (account, mailbox))
    if alive:
        yield Statement(
            "INSERT INTO snapshots (account_id, mailbox_id, modseq, snapshot) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (account_id, mailbox_id) DO UPDATE SET modseq = excluded.modseq, snapshot = excluded.snapshot"
            " WHERE snapshots.modseq < excluded.modseq",
            (account, mailbox, modseq, snapshot),
        )


def _highestmodseq(account: AccountId) -> Unit[ModSeq]:
    rows = yield Statement("SELECT highestmodseq FROM account_state WHERE account_id = $1", (account,))
    if not rows:
        raise NotFound("There is no such account.")
    return ModSeq(rows[0][0])


def _quota(account: AccountId) -> Unit[Quota]:
    rows = yield Statement(
        "SELECT used_octets, used_messages, limit_octets, limit_messages FROM account_state WHERE account_id = $1",
        (account,),
    )
    if not rows:
        raise NotFound("There is no such account.")
    return Quota(*rows[0])


def _count(account: AccountId) -> Unit[int]:
    rows = yield Statement("SELECT COUNT(*) FROM mailboxes WHERE account_id = $1", (account,))
    return int(rows[0][0])


def _set_quota(account: AccountId, limit_octets: int, limit_messages: int) -> Unit[None]:
    rows = yield Statement(
        "UPDATE account_state SET limit_octets = $1, limit_messages = $2 WHERE account_id = $3 RETURNING account_id",
        (limit_octets, limit_messages, account),
    )
    if not rows:
        raise NotFound("There is no such account.")


def _changes_since(account: AccountId, cursor: ModSeq, limit: int) -> Unit[ChangePage]:
    """Read the positions (cursor, cursor + limit] of the log: every position has one entry at most.

    The log lies mailbox by mailbox, so that a commit touches one page of it. Mailboxes without a change after
    the cursor are not looked at.
    """
    _floor, head = yield from _log_ends(account)
    last = min(cursor + limit, head)
    rows = yield Statement(
        "SELECT modseq, mailbox_id, entry FROM changes WHERE account_id = $1 AND mailbox_id IN"
        " (SELECT mailbox_id FROM mailboxes WHERE account_id = $1 AND highestmodseq > $2 UNION ALL"
        " SELECT mailbox_id FROM deleted_mailboxes WHERE account_id = $1 AND modseq > $2)"
        " AND modseq > $2 AND modseq <= $3 ORDER BY modseq",
        (account, cursor, last),
    )
    changes = [LoggedChange(ModSeq(row[0]), MailboxId(row[1]), decode_change(row[2])) for row in rows]
    # The floor is read last: what was pruned while we read is below it.
    floor, _head = yield from _log_ends(account)
    return ChangePage(changes, ModSeq(max(cursor, last)), last < head, floor)


def _log_ends(account: AccountId) -> Unit[tuple[ModSeq, ModSeq]]:
    """Return the floor and the head of the account's log."""
    rows = yield Statement("SELECT changes_floor, highestmodseq FROM account_state WHERE account_id = $1", (account,))
    if not rows:
        raise NotFound("There is no such account.")
    return ModSeq(rows[0][0]), ModSeq(rows[0][1])


def _changes_of_mailbox(account: AccountId, mailbox: MailboxId, cursor: ModSeq) -> Unit[Sequence[LoggedChange]]:
    rows = yield Statement(
        "SELECT modseq, entry FROM changes WHERE account_id = $1 AND mailbox_id = $2 AND modseq > $3 ORDER BY modseq",
        (account, mailbox, cursor),
    )
    return [LoggedChange(ModSeq(row[0]), mailbox, decode_change(row[1])) for row in rows]
