"""Web sessions in SQL."""

from __future__ import annotations

__all__ = ["SqlWebSessions"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.engines.sql.accounts import ACCOUNT_COLUMNS, read_account
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.credential_numbers import next_credential, numbered, revoke_credentials
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.store.accounts import Account
from hongyan.store.audit import AuditEntry
from hongyan.store.credentials import owner_of
from hongyan.store.directory import DirectoryTopic
from hongyan.store.web_sessions import NewWebSession, SessionKind, WebSession
from hongyan.types import AccountId, CredentialId

_COLUMNS = (
    "credential_id, kind, digest, label, agent, address, place, scopes, created_at, seen_at, ends_at, proven_at,"
    " remembered, previous, rotated_at"
)
_WIDTH = len(_COLUMNS.split(","))


class SqlWebSessions:
    """`store.web_sessions.WebSessionStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def add_web_session(
        self,
        account: AccountId,
        new: NewWebSession,
        *,
        limit: int,
        replaces: CredentialId | None = None,
        audit: AuditEntry | None = None,
    ) -> WebSession | None:
        return await self._database.write(lambda _refs: _add(account, new, limit, replaces, audit))

    async def find_web_session(self, credential: CredentialId) -> tuple[WebSession, Account] | None:
        return await self._database.read_small(lambda: _find(credential))

    async def list_web_sessions(self, account: AccountId) -> Sequence[WebSession]:
        return await self._database.read(_list(account))

    async def touch_web_session(
        self, credential: CredentialId, at: datetime, address: str, place: str, *, proven: bool = False
    ) -> None:
        await self._database.write(lambda _refs: _touch(credential, at, address, place, proven=proven))

    async def rotate_web_session(self, credential: CredentialId, old: bytes, new: bytes, at: datetime) -> bool:
        return await self._database.write(lambda _refs: _rotate(credential, old, new, at))

    async def revoke_web_sessions(
        self, account: AccountId, credentials: Sequence[CredentialId] | None = None, *, audit: AuditEntry
    ) -> Sequence[CredentialId]:
        return await self._database.write(lambda _refs: revoke_credentials("web_sessions", account, credentials, audit))

    async def expire_web_sessions(self, now: datetime) -> int:
        return await self._database.write(lambda _refs: _expire(now))


def _add(
    account: AccountId, new: NewWebSession, limit: int, replaces: CredentialId | None, audit: AuditEntry | None
) -> Unit[WebSession | None]:
    number = yield from next_credential(account)
    created_at = int(new.created_at.timestamp())
    gone: list[CredentialId] = []
    if replaces is not None:
        replaced = yield Statement(
            "DELETE FROM web_sessions WHERE account_id = $1 AND credential_id = $2 RETURNING credential_id",
            (account, replaces),
        )
        if not replaced:
            return None
        gone.append(replaces)
    yield Statement("DELETE FROM web_sessions WHERE account_id = $1 AND ends_at < $2", (account, created_at))
    crowd = yield Statement(
        "SELECT credential_id FROM web_sessions WHERE account_id = $1 AND kind = $2 ORDER BY seen_at, credential_id",
        (account, new.kind.value),
    )
    for (surplus,) in crowd[: max(0, len(crowd) - limit + 1)]:
        yield Statement("DELETE FROM web_sessions WHERE account_id = $1 AND credential_id = $2", (account, surplus))
        gone.append(CredentialId(surplus))
    row = (
        numbered(account, number),
        new.kind.value,
        new.digest,
        new.label,
        new.agent,
        new.address,
        new.place,
        " ".join(sorted(new.scopes)),
        created_at,
        created_at,
        int(new.ends_at.timestamp()),
        None if new.proven_at is None else int(new.proven_at.timestamp()),
        int(new.remembered),
        b"",
        created_at,
    )
    values = ", ".join(f"${position + 2}" for position in range(_WIDTH))
    yield Statement(f"INSERT INTO web_sessions (account_id, {_COLUMNS}) VALUES ($1, {values})", (account, *row))
    if audit is not None:
        yield from insert_audit(audit)
    for credential in gone:
        yield from log_directory_change(DirectoryTopic.CREDENTIAL, new.created_at, account, credential)
    return _session(row)


def _find(credential: CredentialId) -> Unit[tuple[WebSession, Account] | None]:
    account = owner_of(credential)
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM web_sessions WHERE account_id = $1 AND credential_id = $2", (account, credential)
    )
    owners = yield Statement(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE a.account_id = $1 AND a.state <> 'removed'", (account,)
    )
    return (_session(rows[0]), read_account(owners[0])) if rows and owners else None


def _list(account: AccountId) -> Unit[Sequence[WebSession]]:
    rows = yield Statement(
        f"SELECT {_COLUMNS} FROM web_sessions WHERE account_id = $1 ORDER BY credential_id", (account,)
    )
    return [_session(row) for row in rows]


def _touch(credential: CredentialId, at: datetime, address: str, place: str, *, proven: bool) -> Unit[None]:
    seconds = int(at.timestamp())
    yield Statement(
        "UPDATE web_sessions SET seen_at = $1, address = $2, place = $3 WHERE account_id = $4 AND credential_id = $5",
        (seconds, address, place, owner_of(credential), credential),
    )
    if proven:
        yield Statement(
            "UPDATE web_sessions SET proven_at = $1 WHERE account_id = $2 AND credential_id = $3",
            (seconds, owner_of(credential), credential),
        )


def _rotate(credential: CredentialId, old: bytes, new: bytes, at: datetime) -> Unit[bool]:
    # One statement: of two requests at once, one finds that the other was first.
    done = yield Statement(
        "UPDATE web_sessions SET digest = $1, previous = $2, rotated_at = $3"
        " WHERE account_id = $4 AND credential_id = $5 AND digest = $2 RETURNING credential_id",
        (new, old, int(at.timestamp()), owner_of(credential), credential),
    )
    return bool(done)


def _expire(now: datetime) -> Unit[int]:
    gone = yield Statement(
        "DELETE FROM web_sessions WHERE ends_at < $1 RETURNING credential_id", (int(now.timestamp()),)
    )
    return len(gone)


def _session(row: Row) -> WebSession:
    return WebSession(
        credential=CredentialId(row[0]),
        kind=SessionKind(row[1]),
        digest=row[2],
        label=row[3],
        agent=row[4],
        address=row[5],
        place=row[6],
        scopes=frozenset(row[7].split()),
        created_at=datetime.fromtimestamp(row[8], UTC),
        seen_at=datetime.fromtimestamp(row[9], UTC),
        ends_at=datetime.fromtimestamp(row[10], UTC),
        proven_at=None if row[11] is None else datetime.fromtimestamp(row[11], UTC),
        remembered=bool(row[12]),
        previous=row[13],
        rotated_at=datetime.fromtimestamp(row[14], UTC),
    )
