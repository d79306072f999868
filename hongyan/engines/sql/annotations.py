"""Annotations in SQL."""

from __future__ import annotations

__all__ = ["SqlAnnotations"]

from collections.abc import Mapping

from hongyan.engines.sql.mailboxes import log_change, next_modseq
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit, unit_of
from hongyan.errors import NotFound, OverLimit, OverQuota
from hongyan.store.annotations import EVERYBODY, SERVER_NOTES, AnnotationLimits, Topic
from hongyan.store.changes import Annotated, LoggedChange
from hongyan.types import AccountId, MailboxId

_TOPIC = "account_id = $1 AND owner_id = $2 AND mailbox_id = $3"


class SqlAnnotations:
    """`store.annotations.AnnotationStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def read(self, topic: Topic) -> Mapping[str, bytes]:
        return await self._database.read_small(lambda: _read(topic))

    async def read_account(self, account: AccountId) -> Mapping[Topic, Mapping[str, bytes]]:
        return await self._database.read(_read_account(account))

    async def write(
        self, topic: Topic, values: Mapping[str, bytes | None], limits: AnnotationLimits
    ) -> LoggedChange | None:
        return await self._database.write(unit_of(_write, topic, values, limits))

    async def note_change(self, owner: AccountId, mailbox: MailboxId) -> LoggedChange:
        return await self._database.write(unit_of(_note_change, owner, mailbox))


def _read(topic: Topic) -> Unit[dict[str, bytes]]:
    rows = yield Statement(
        f"SELECT entry, value FROM annotations WHERE {_TOPIC} ORDER BY entry",
        (topic.account, topic.owner, topic.mailbox),
    )
    return {row[0]: bytes(row[1]) for row in rows}


def _read_account(account: AccountId) -> Unit[dict[Topic, dict[str, bytes]]]:
    rows = yield Statement(
        "SELECT owner_id, mailbox_id, entry, value FROM annotations WHERE account_id = $1"
        " ORDER BY owner_id, mailbox_id, entry",
        (account,),
    )
    found: dict[Topic, dict[str, bytes]] = {}
    for owner, mailbox, entry, value in rows:
        found.setdefault(Topic(account, AccountId(owner), MailboxId(mailbox)), {})[entry] = bytes(value)
    return found


def _write(topic: Topic, values: Mapping[str, bytes | None], limits: AnnotationLimits) -> Unit[LoggedChange | None]:
    yield from _lock(topic.account)
    key = (topic.account, topic.owner, topic.mailbox)
    stood = yield from _read(topic)
    values = {entry: value for entry, value in values.items() if stood.get(entry) != value}
    if not values:
        return None
    yield from _set(key, values)
    if any(value is not None for value in values.values()):  # Who takes away is not stopped by a limit.
        yield from _require_room(key, limits)
    if topic.account != topic.owner or topic.mailbox == SERVER_NOTES:
        return None
    return (yield from _note_change(topic.owner, topic.mailbox))


def _note_change(owner: AccountId, mailbox: MailboxId) -> Unit[LoggedChange]:
    modseq = yield from next_modseq(owner)
    alive = yield Statement(
        "UPDATE mailboxes SET highestmodseq = $1 WHERE account_id = $2 AND mailbox_id = $3 RETURNING mailbox_id",
        (modseq, owner, mailbox),
    )
    if not alive:
        raise NotFound("There is no such mailbox.")
    change = Annotated()
    yield from log_change(owner, modseq, mailbox, change)
    return LoggedChange(modseq, mailbox, change)


def _set(key: tuple[AccountId, AccountId, MailboxId], values: Mapping[str, bytes | None]) -> Unit[None]:
    for entry, value in values.items():
        if value is None:
            yield Statement(f"DELETE FROM annotations WHERE {_TOPIC} AND entry = $4", (*key, entry))
        else:
            yield Statement(
                "INSERT INTO annotations (account_id, owner_id, mailbox_id, entry, value) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT (account_id, owner_id, mailbox_id, entry) DO UPDATE SET value = excluded.value",
                (*key, entry, value),
            )


def _require_room(key: tuple[AccountId, AccountId, MailboxId], limits: AnnotationLimits) -> Unit[None]:
    count = yield Statement(f"SELECT COUNT(*) FROM annotations WHERE {_TOPIC}", key)
    if count[0][0] > limits.entries:
        raise OverLimit("There are as many entries as there may be.")
    if (yield from _used_octets(key[0])) > limits.octets:
        raise OverQuota("There is no more room for entries.")


def _lock(account: AccountId) -> Unit[None]:
    """Let nobody else note anything for the account until the unit ends."""
    if account == EVERYBODY:
        return
    alive = yield Statement(
        "UPDATE account_state SET next_email = next_email WHERE account_id = $1 RETURNING account_id", (account,)
    )
    if not alive:
        raise NotFound("There is no such account.")


def _used_octets(account: AccountId) -> Unit[int]:
    rows = yield Statement(
        "SELECT COALESCE(SUM(LENGTH(entry) + LENGTH(value)), 0) FROM annotations WHERE account_id = $1", (account,)
    )
    return int(rows[0][0])
