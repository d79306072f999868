"""Addresses, aliases and identities in SQL."""

from __future__ import annotations

__all__ = ["SqlAliases", "forget_target"]

from collections.abc import Mapping, Sequence

from hongyan.addresses import Address, Domain
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.domains import require_domain
from hongyan.engines.sql.units import Many, SqlDatabase, Statement, Unit, Value
from hongyan.errors import AlreadyExists, NotFound
from hongyan.store.accounts import AccountState
from hongyan.store.aliases import AddressEntry, Alias
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.types import AccountId

_KEYS_IN_A_STATEMENT = 50


class SqlAliases:
    """`store.aliases.AliasStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def find_addresses(self, canonicals: Sequence[str]) -> Mapping[str, AddressEntry]:
        return await self._database.read_small(lambda: _find(canonicals))

    async def put_alias(self, alias: Alias, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _put(alias, audit))

    async def remove_alias(self, address: Address, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _remove(address, audit))

    async def list_aliases(self, *, domain: Domain | None = None, after: str = "", limit: int = 100) -> Sequence[Alias]:
        return await self._database.read(_list(domain, after, limit))

    async def aliases_of(self, canonical: str) -> Sequence[Alias]:
        return await self._database.read(_aliases_of(canonical))

    async def grant_identity(self, account: AccountId, address: Address, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _grant(account, address, audit))

    async def revoke_identity(self, account: AccountId, address: Address, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _revoke(account, address, audit))

    async def list_identities(self, account: AccountId) -> Sequence[Address]:
        return await self._database.read_small(lambda: _identities(account))


# -- parts of units, for this package


def forget_target(canonical: str) -> Unit[None]:
    """Let no alias and no catch-all stand for an address any more; an alias that then stands for nobody goes too."""
    todo = [canonical]
    while todo:
        target = todo.pop()
        touched = yield Statement("DELETE FROM alias_targets WHERE target = $1 RETURNING alias", (target,))
        for (alias,) in touched:
            gone = yield Statement(
                "DELETE FROM addresses WHERE canonical = $1 AND account_id IS NULL"
                " AND NOT EXISTS (SELECT 1 FROM alias_targets WHERE alias = $1) RETURNING canonical",
                (alias,),
            )
            todo += [row[0] for row in gone]
        yield from _forget_catch_all(target)


def _forget_catch_all(canonical: str) -> Unit[None]:
    # Catch-alls are few, and their column holds the address as written.
    rows = yield Statement("SELECT domain, catch_all FROM domains WHERE catch_all <> ''")
    for domain, catch_all in rows:
        if Address.parse(catch_all).canonical == canonical:
            yield Statement("UPDATE domains SET catch_all = '' WHERE domain = $1", (domain,))


# -- whole units


def _find(canonicals: Sequence[str]) -> Unit[Mapping[str, AddressEntry]]:
    found: dict[str, AddressEntry] = {}
    for at in range(0, len(canonicals), _KEYS_IN_A_STATEMENT):
        keys = canonicals[at : at + _KEYS_IN_A_STATEMENT]
        rows = yield Statement(
            "SELECT d.canonical, d.address, d.account_id, a.state, d.members_may_send"
            " FROM addresses d LEFT JOIN accounts a ON a.account_id = d.account_id"
            f" WHERE d.canonical IN ({_marks(keys)})",
            keys,
        )
        targets = yield from _targets([row[0] for row in rows if row[2] is None])
        for canonical, address, account, state, members_may_send in rows:
            found[canonical] = AddressEntry(
                Address.parse(address),
                None if account is None else AccountId(account),
                AccountState.ACTIVE if state is None else AccountState(state),
                targets.get(canonical, ()),
                bool(members_may_send),
            )
    return found


def _targets(aliases: Sequence[str]) -> Unit[Mapping[str, tuple[Address, ...]]]:
    """Return the targets of at most as many aliases as fit a statement."""
    if not aliases:
        return {}
    rows = yield Statement(
        f"SELECT alias, address FROM alias_targets WHERE alias IN ({_marks(aliases)}) ORDER BY alias, number", aliases
    )
    targets: dict[str, tuple[Address, ...]] = {}
    for alias, address in rows:
        targets[alias] = (*targets.get(alias, ()), Address.parse(address))
    return targets


def _marks(keys: Sequence[str]) -> str:
    return ", ".join(f"${number}" for number in range(1, len(keys) + 1))


def _put(alias: Alias, audit: AuditEntry) -> Unit[None]:
    canonical = alias.address.canonical
    yield from require_domain(alias.address.domain)
    stored = yield Statement(
        "INSERT INTO addresses (canonical, address, domain, account_id, members_may_send)"
        " VALUES ($1, $2, $3, NULL, $4) ON CONFLICT (canonical) DO UPDATE"
        " SET address = excluded.address, members_may_send = excluded.members_may_send"
        " WHERE addresses.account_id IS NULL RETURNING canonical",
        (canonical, str(alias.address), alias.address.domain.text, int(alias.members_may_send)),
    )
    if not stored:
        raise AlreadyExists("An account has that address.")
    yield Statement("DELETE FROM alias_targets WHERE alias = $1", (canonical,))
    yield Many(
        "INSERT INTO alias_targets (alias, number, target, address) VALUES ($1, $2, $3, $4)",
        [(canonical, number, target.canonical, str(target)) for number, target in enumerate(alias.targets)],
    )
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ADDRESS, audit.at)


def _remove(address: Address, audit: AuditEntry) -> Unit[None]:
    canonical = address.canonical
    gone = yield Statement(
        "DELETE FROM addresses WHERE canonical = $1 AND account_id IS NULL RETURNING canonical", (canonical,)
    )
    if not gone:
        raise NotFound("There is no such alias.")
    yield Statement("DELETE FROM alias_targets WHERE alias = $1", (canonical,))
    yield from forget_target(canonical)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ADDRESS, audit.at)
    yield from log_directory_change(DirectoryTopic.DOMAIN, audit.at)


def _list(domain: Domain | None, after: str, limit: int) -> Unit[Sequence[Alias]]:
    condition = "account_id IS NULL AND canonical > $1"
    values: list[Value] = [after]
    if domain is not None:
        condition += " AND domain = $2"
        values.append(domain.text)
    values.append(limit)
    rows = yield Statement(
        f"SELECT canonical FROM addresses WHERE {condition} ORDER BY canonical LIMIT ${len(values)}", values
    )
    return (yield from _aliases([row[0] for row in rows]))


def _aliases_of(canonical: str) -> Unit[Sequence[Alias]]:
    rows = yield Statement("SELECT alias FROM alias_targets WHERE target = $1 ORDER BY alias", (canonical,))
    return (yield from _aliases([row[0] for row in rows]))


def _aliases(canonicals: Sequence[str]) -> Unit[Sequence[Alias]]:
    """Return these aliases."""
    entries = yield from _find(canonicals)
    return [
        Alias(entry.address, entry.targets, entry.members_may_send)
        for entry in (entries[canonical] for canonical in canonicals if canonical in entries)
        if entry.targets
    ]


def _grant(account: AccountId, address: Address, audit: AuditEntry) -> Unit[None]:
    alive = yield Statement("SELECT 1 FROM accounts WHERE account_id = $1 AND state <> 'removed'", (account,))
    if not alive:
        raise NotFound("There is no such account.")
    yield Statement(
        "INSERT INTO identities (account_id, canonical, address) VALUES ($1, $2, $3)"
        " ON CONFLICT (account_id, canonical) DO UPDATE SET address = excluded.address",
        (account, address.canonical, str(address)),
    )
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ADDRESS, audit.at, account)


def _revoke(account: AccountId, address: Address, audit: AuditEntry) -> Unit[None]:
    gone = yield Statement(
        "DELETE FROM identities WHERE account_id = $1 AND canonical = $2 RETURNING canonical",
        (account, address.canonical),
    )
    if not gone:
        raise NotFound("That identity was not granted.")
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.ADDRESS, audit.at, account)


def _identities(account: AccountId) -> Unit[Sequence[Address]]:
    rows = yield Statement("SELECT address FROM identities WHERE account_id = $1 ORDER BY canonical", (account,))
    return [Address.parse(row[0]) for row in rows]
