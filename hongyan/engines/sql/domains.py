"""Domains in SQL."""

from __future__ import annotations

__all__ = ["SqlDomains", "require_domain"]

from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.addresses import Address, Domain
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.domain_state import forget_domain_state
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.store.domains import DomainSettings


class SqlDomains:
    """`store.domains.DomainStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def list_domains(self) -> Sequence[DomainSettings]:
        return await self._database.read(_list())

    async def add_domain(self, settings: DomainSettings, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _add(settings, audit))

    async def change_domain(self, settings: DomainSettings, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _change(settings, audit))

    async def remove_domain(self, domain: Domain, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _remove(domain, audit))


def require_domain(domain: Domain) -> Unit[None]:
    """Refuse an address of a domain that is not ours. The domain's row stays locked until the unit ends."""
    rows = yield Statement(
        "UPDATE domains SET separators = separators WHERE domain = $1 RETURNING domain",
        (domain.text,),
    )
    if not rows:
        raise NotFound("That domain is not served here.")


def _settings(row: Row) -> DomainSettings:
    catch_all = Address.parse(row[2]) if row[2] else None
    return DomainSettings(Domain.parse(row[0]), datetime.fromtimestamp(row[1], UTC), catch_all, row[3], bool(row[4]))


def _list() -> Unit[Sequence[DomainSettings]]:
    rows = yield Statement(
        "SELECT domain, created_at, catch_all, separators, second_factor FROM domains ORDER BY domain"
    )
    return [_settings(row) for row in rows]


def _add(settings: DomainSettings, audit: AuditEntry) -> Unit[None]:
    added = yield Statement(
        "INSERT INTO domains (domain, created_at, catch_all, separators, second_factor) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (domain) DO NOTHING RETURNING domain",
        (
            settings.domain.text,
            int(settings.created_at.timestamp()),
            _catch_all(settings),
            settings.separators,
            int(settings.needs_second_factor),
        ),
    )
    if not added:
        raise AlreadyExists("That domain is served already.")
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.DOMAIN, audit.at)


def _change(settings: DomainSettings, audit: AuditEntry) -> Unit[None]:
    changed = yield Statement(
        "UPDATE domains SET catch_all = $1, separators = $2, second_factor = $3 WHERE domain = $4 RETURNING domain",
        (_catch_all(settings), settings.separators, int(settings.needs_second_factor), settings.domain.text),
    )
    if not changed:
        raise NotFound("That domain is not served here.")
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.DOMAIN, audit.at)


def _remove(domain: Domain, audit: AuditEntry) -> Unit[None]:
    yield from require_domain(domain)
    used = yield Statement("SELECT canonical FROM addresses WHERE domain = $1 LIMIT 1", (domain.text,))
    if used:
        raise Refused("The domain still has accounts or aliases.")
    yield Statement("DELETE FROM domains WHERE domain = $1", (domain.text,))
    yield from forget_domain_state(domain)
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.DOMAIN, audit.at)


def _catch_all(settings: DomainSettings) -> str:
    return str(settings.catch_all) if settings.catch_all else ""
