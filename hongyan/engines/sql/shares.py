"""Shared mailboxes in SQL: grants in the owner's account, notes in the viewer's."""

from __future__ import annotations

__all__ = ["MAX_GRANTS", "SqlShares"]

from collections.abc import Sequence

from pyroaring import BitMap

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.mailboxes import find_mailbox, list_mailboxes_of, log_change, next_modseq
from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, unit_of
from hongyan.errors import NotFound, OverLimit
from hongyan.store.audit import AuditEntry
from hongyan.store.changes import AccessChanged
from hongyan.store.shares import ANYONE, Access, Grant, Granted, Reached, SeenNote, Shared
from hongyan.types import AccountId, MailboxId, ModSeq

MAX_GRANTS = 500
"""Grants of one mailbox."""


class SqlShares:
    """`store.shares.ShareStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def list_grants(self, owner: AccountId, mailbox: MailboxId) -> Sequence[Grant]:
        return await self._database.read(_grants(owner, mailbox))

    async def list_all_grants(self, owner: AccountId) -> Sequence[tuple[MailboxId, Grant]]:
        return await self._database.read(_all_grants(owner))

    async def change_access(
        self, owner: AccountId, mailbox: MailboxId, access: Access, *, audit: AuditEntry | None = None
    ) -> Granted:
        return await self._database.write(unit_of(_change_access, owner, mailbox, access, audit))

    async def find_shared(self, owner: AccountId, name: str, viewer: AccountId) -> Shared | None:
        return await self._database.read_small(lambda: _find_shared(owner, name, viewer))

    async def list_shared(
        self, owner: AccountId, mailboxes: Sequence[MailboxId], viewer: AccountId
    ) -> Sequence[Shared]:
        return await self._database.read(_list_shared(owner, mailboxes, viewer))

    async def note_reached(self, viewer: AccountId, reached: Reached) -> None:
        await self._database.write(unit_of(_note, "reached", "account_id", viewer, reached))

    async def forget_reached(self, viewer: AccountId, reached: Sequence[Reached]) -> None:
        await self._database.write(unit_of(_forget_reached, viewer, reached))

    async def list_reached(self, viewer: AccountId, *, limit: int) -> Sequence[Reached]:
        return await self._database.read_small(lambda: _list("reached", "account_id", viewer, limit))

    async def note_open(self, domain: str, reached: Reached) -> None:
        await self._database.write(unit_of(_note, "domain_reached", "domain", domain, reached))

    async def forget_open(self, domain: str, reached: Sequence[Reached]) -> None:
        await self._database.write(unit_of(_forget, "domain_reached", "domain", domain, reached))

    async def list_open(self, domain: str, *, limit: int) -> Sequence[Reached]:
        return await self._database.read_small(lambda: _list("domain_reached", "domain", domain, limit))

    async def seen_note(self, viewer: AccountId, reached: Reached) -> SeenNote:
        return await self._database.read_small(lambda: _seen_note(viewer, reached))

    async def note_seen(
        self, viewer: AccountId, reached: Reached, modseq: ModSeq, uids: BitMap, *, is_seen: bool
    ) -> None:
        await self._database.write(
            unit_of(_note_seen, viewer, reached, modseq, uids, is_seen=is_seen), durable=False, small=True
        )


# -- grants, in the owner's account


def _grants(owner: AccountId, mailbox: MailboxId) -> Unit[list[Grant]]:
    rows = yield Statement(
        "SELECT grantee, rights, is_negative FROM grants WHERE account_id = $1 AND mailbox_id = $2"
        " ORDER BY grantee, is_negative",
        (owner, mailbox),
    )
    return [Grant(AccountId(row[0]), row[1], bool(row[2])) for row in rows]


def _all_grants(owner: AccountId) -> Unit[list[tuple[MailboxId, Grant]]]:
    rows = yield Statement(
        "SELECT mailbox_id, grantee, rights, is_negative FROM grants WHERE account_id = $1"
        " ORDER BY mailbox_id, grantee, is_negative",
        (owner,),
    )
    return [(MailboxId(row[0]), Grant(AccountId(row[1]), row[2], bool(row[3]))) for row in rows]


def _grants_for(owner: AccountId, mailbox: MailboxId, viewer: AccountId) -> Unit[list[Grant]]:
    rows = yield Statement(
        "SELECT grantee, rights, is_negative FROM grants WHERE account_id = $1 AND mailbox_id = $2"
        " AND grantee IN ($3, $4)",
        (owner, mailbox, ANYONE, viewer),
    )
    return [Grant(AccountId(row[0]), row[1], bool(row[2])) for row in rows]


def _find_shared(owner: AccountId, name: str, viewer: AccountId) -> Unit[Shared | None]:
    mailbox = yield from find_mailbox(owner, name)
    if mailbox is None:
        return None
    return Shared(mailbox, (yield from _grants_for(owner, mailbox.mailbox_id, viewer)))


def _list_shared(owner: AccountId, mailboxes: Sequence[MailboxId], viewer: AccountId) -> Unit[list[Shared]]:
    found = yield from list_mailboxes_of(owner, mailboxes)
    shared: list[Shared] = []
    for mailbox in found:
        grants = yield from _grants_for(owner, mailbox.mailbox_id, viewer)
        shared.append(Shared(mailbox, grants))
    return shared


def _change_access(owner: AccountId, mailbox: MailboxId, access: Access, audit: AuditEntry | None) -> Unit[Granted]:
    # The account first: what is read after that cannot change until the unit ends.
    modseq = yield from next_modseq(owner)
    key = (owner, mailbox, access.grantee, int(access.is_negative))
    rows = yield Statement(
        "SELECT rights FROM grants WHERE account_id = $1 AND mailbox_id = $2 AND grantee = $3 AND is_negative = $4", key
    )
    rights = _combined(rows[0][0] if rows else "", access)
    alive = yield Statement(
        "UPDATE mailboxes SET highestmodseq = $1 WHERE account_id = $2 AND mailbox_id = $3 RETURNING mailbox_id",
        (modseq, owner, mailbox),
    )
    if not alive:
        raise NotFound("There is no such mailbox.")
    yield Statement(
        "DELETE FROM grants WHERE account_id = $1 AND mailbox_id = $2 AND grantee = $3 AND is_negative = $4", key
    )
    if rights:
        count = yield Statement(
            "SELECT COUNT(*) FROM grants WHERE account_id = $1 AND mailbox_id = $2", (owner, mailbox)
        )
        if count[0][0] >= MAX_GRANTS:
            raise OverLimit("The mailbox is shared with as many as it may be.")
        yield Statement(
            "INSERT INTO grants (account_id, mailbox_id, grantee, is_negative, rights) VALUES ($1, $2, $3, $4, $5)",
            (*key, rights),
        )
    change = AccessChanged(access.grantee, access.is_negative, rights)
    yield from log_change(owner, modseq, mailbox, change)
    if audit is not None:
        yield from insert_audit(audit, owner)
    return Granted(modseq, change)


def _combined(old: str, access: Access) -> str:
    """Return the rights after the change, in the order of the alphabet; the words are `mailboxes.rights`' own."""
    if access.mode == "+":
        return "".join(sorted({*old, *access.rights}))
    if access.mode == "-":
        return "".join(sorted({*old} - {*access.rights}))
    return "".join(sorted({*access.rights}))


# -- who reaches what


def _note(table: str, column: str, key: int | str, reached: Reached) -> Unit[None]:
    yield Statement(
        f"INSERT INTO {table} ({column}, owner_id, mailbox_id) VALUES ($1, $2, $3)"
        f" ON CONFLICT ({column}, owner_id, mailbox_id) DO NOTHING",
        (key, reached.owner, reached.mailbox),
    )


def _forget(table: str, column: str, key: int | str, reached: Sequence[Reached]) -> Unit[None]:
    if reached:
        yield Many(
            f"DELETE FROM {table} WHERE {column} = $1 AND owner_id = $2 AND mailbox_id = $3",
            [(key, one.owner, one.mailbox) for one in reached],
        )


def _forget_reached(viewer: AccountId, reached: Sequence[Reached]) -> Unit[None]:
    for table in ("reached", "viewer_seen", "annotations"):
        yield from _forget(table, "account_id", viewer, reached)


def _list(table: str, column: str, key: int | str, limit: int) -> Unit[list[Reached]]:
    rows = yield Statement(
        f"SELECT owner_id, mailbox_id FROM {table} WHERE {column} = $1 ORDER BY owner_id, mailbox_id LIMIT $2",
        (key, limit),
    )
    return [Reached(AccountId(row[0]), MailboxId(row[1])) for row in rows]


# -- what a viewer has seen


def _seen_note(viewer: AccountId, reached: Reached) -> Unit[SeenNote]:
    rows = yield Statement(
        "SELECT note FROM viewer_seen WHERE account_id = $1 AND owner_id = $2 AND mailbox_id = $3",
        (viewer, reached.owner, reached.mailbox),
    )
    return SeenNote.decode(bytes(rows[0][0])) if rows else SeenNote()


def _note_seen(viewer: AccountId, reached: Reached, modseq: ModSeq, uids: BitMap, *, is_seen: bool) -> Unit[None]:
    # Nobody else changes the note until the unit ends.
    alive = yield Statement(
        "UPDATE account_state SET next_email = next_email WHERE account_id = $1 RETURNING account_id", (viewer,)
    )
    if not alive:
        raise NotFound("There is no such account.")
    note = yield from _seen_note(viewer, reached)
    yield Statement(
        "INSERT INTO viewer_seen (account_id, owner_id, mailbox_id, note) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (account_id, owner_id, mailbox_id) DO UPDATE SET note = excluded.note",
        (viewer, reached.owner, reached.mailbox, note.with_step(modseq, uids, is_seen=is_seen).encode()),
    )
