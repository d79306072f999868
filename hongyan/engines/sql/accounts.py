"""Accounts in SQL."""

from __future__ import annotations

__all__ = ["ACCOUNT_COLUMNS", "SqlAccounts", "read_account", "read_services", "write_services"]

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from hongyan.addresses import Address, Domain
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit, Value
from hongyan.errors import NotFound
from hongyan.store.accounts import Account, AccountChange, AccountClass, AccountState, Locale, Role, Service
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.types import AccountId

ACCOUNT_COLUMNS: Final = (
    "a.account_id, a.address, a.name, a.role, a.account_class, a.state, a.locale, a.services, a.created_at"
)
"""What `read_account` reads, of `accounts a`."""


class SqlAccounts:
    """`store.accounts.AccountStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_account(self, account: AccountId) -> Account | None:
        return await self._database.read_small(lambda: _find(account))

    async def find_account_by_address(self, canonical: str) -> Account | None:
        return await self._database.read_small(lambda: _find_by_address(canonical))

    async def list_accounts(
        self, *, domain: Domain | None = None, after: AccountId | None = None, limit: int = 100
    ) -> Sequence[Account]:
        return await self._database.read(_list(domain, after or AccountId(0), limit))

    async def list_admins(self) -> Sequence[Account]:
        return await self._database.read(_list_admins())

    async def change_account(self, account: AccountId, change: AccountChange, *, audit: AuditEntry) -> Account:
        return await self._database.write(lambda _refs: _change(account, change, audit))


def read_account(row: Row) -> Account:
    """Return the account of a row of `ACCOUNT_COLUMNS`."""
    return Account(
        account_id=AccountId(row[0]),
        address=Address.parse(row[1]),
        name=row[2],
        role=Role(row[3]),
        account_class=AccountClass(row[4]),
        state=AccountState(row[5]),
        locale=Locale(row[6]),
        services=read_services(row[7]),
        created_at=datetime.fromtimestamp(row[8], UTC),
    )


def read_services(text: str) -> frozenset[Service]:
    """Return the services that a column names."""
    return frozenset(map(Service, text.split()))


def write_services(services: Iterable[Service]) -> str:
    """Return services as a column names them."""
    return " ".join(sorted(services))


def _find(account: AccountId) -> Unit[Account | None]:
    rows = yield Statement(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE a.account_id = $1 AND a.state <> 'removed'", (account,)
    )
    return read_account(rows[0]) if rows else None


def _find_by_address(canonical: str) -> Unit[Account | None]:
    rows = yield Statement(
        f"SELECT {ACCOUNT_COLUMNS} FROM addresses d JOIN accounts a ON a.account_id = d.account_id"
        " WHERE d.canonical = $1",
        (canonical,),
    )
    return read_account(rows[0]) if rows else None


def _list(domain: Domain | None, after: AccountId, limit: int) -> Unit[Sequence[Account]]:
    select = f"SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE a.state <> 'removed'"
    if domain is None:
        rows = yield Statement(f"{select} AND a.account_id > $1 ORDER BY a.account_id LIMIT $2", (after, limit))
    else:
        rows = yield Statement(
            f"{select} AND a.domain = $1 AND a.account_id > $2 ORDER BY a.account_id LIMIT $3",
            (domain.text, after, limit),
        )
    return [read_account(row) for row in rows]


def _list_admins() -> Unit[Sequence[Account]]:
    rows = yield Statement(
        f"SELECT {ACCOUNT_COLUMNS} FROM accounts a WHERE a.role = 'admin' AND a.state = 'active' ORDER BY a.account_id"
    )
    return [read_account(row) for row in rows]


def _change(account: AccountId, change: AccountChange, audit: AuditEntry) -> Unit[Account]:
    wanted: dict[str, Value] = {
        "name": change.name,
        "role": change.role,
        "account_class": change.account_class,
        "state": change.state,
        "locale": change.locale,
        "services": None if change.services is None else write_services(change.services),
    }
    # StrEnum to str: a driver need not know the one.
    values = [(column, str(value)) for column, value in wanted.items() if value is not None]
    assignments = "".join(f", {column} = ${number}" for number, (column, _) in enumerate(values, start=1))
    rows = yield Statement(
        f"UPDATE accounts SET next_credential = next_credential{assignments}"
        f" WHERE account_id = ${len(values) + 1} AND state <> 'removed' RETURNING account_id",
        (*(value for _, value in values), account),
    )
    changed = yield from _find(account)
    if not rows or changed is None:
        raise NotFound("There is no such account.")
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ACCOUNT, audit.at, account)
    return changed
