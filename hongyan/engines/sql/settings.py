"""Settings of accounts in SQL."""

from __future__ import annotations

__all__ = ["SqlSettings"]

from collections.abc import Mapping

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.errors import NotFound
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.types import AccountId


class SqlSettings:
    """`store.settings.SettingsStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def read_settings(self, account: AccountId) -> Mapping[str, str]:
        return await self._database.read_small(lambda: _read(account))

    async def change_settings(
        self, account: AccountId, changes: Mapping[str, str | None], *, audit: AuditEntry
    ) -> Mapping[str, str]:
        return await self._database.write(lambda _refs: _change(account, changes, audit))


def _read(account: AccountId) -> Unit[Mapping[str, str]]:
    rows = yield Statement("SELECT name, value FROM account_settings WHERE account_id = $1", (account,))
    return dict(rows)


def _change(account: AccountId, changes: Mapping[str, str | None], audit: AuditEntry) -> Unit[Mapping[str, str]]:
    # The account's row first: it is locked until the unit ends, and tells whether there is one.
    rows = yield Statement(
        "UPDATE accounts SET next_credential = next_credential WHERE account_id = $1 AND state <> 'removed'"
        " RETURNING account_id",
        (account,),
    )
    if not rows:
        raise NotFound("There is no such account.")
    for name, value in changes.items():
        if value is None:
            yield Statement("DELETE FROM account_settings WHERE account_id = $1 AND name = $2", (account, name))
        else:
            yield Statement(
                "INSERT INTO account_settings (account_id, name, value) VALUES ($1, $2, $3)"
                " ON CONFLICT (account_id, name) DO UPDATE SET value = excluded.value",
                (account, name, value),
            )
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ACCOUNT, audit.at, account)
    return (yield from _read(account))
