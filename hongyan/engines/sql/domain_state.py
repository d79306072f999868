"""What is known of our domains' DNS, in SQL."""

from __future__ import annotations

__all__ = ["SqlDomainState", "forget_domain_state"]

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from hongyan.addresses import Domain
from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.directory import log_directory_change
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.errors import NotFound
from hongyan.store.audit import AuditEntry
from hongyan.store.directory import DirectoryTopic
from hongyan.store.domain_state import DkimKey, KeyState, OwnRecord, ReadinessEntry, Waiver

_TABLES = ("domain_readiness", "domain_waivers", "domain_records", "dkim_keys")


class SqlDomainState:
    """`store.domain_state.DomainStateStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def list_readiness(self) -> Sequence[ReadinessEntry]:
        return await self._database.read(_list_readiness())

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> Sequence[Domain]:
        return await self._database.write(lambda _refs: _claim_due(_seconds(now), _seconds(until), limit))

    async def put_readiness(self, entry: ReadinessEntry, due_at: datetime, *, changed: bool) -> None:
        await self._database.write(lambda _refs: _put_readiness(entry, _seconds(due_at), changed=changed))

    async def set_due(self, domain: Domain, due_at: datetime) -> None:
        await self._database.write(lambda _refs: _set_due(domain, _seconds(due_at)))

    async def list_waivers(self) -> Sequence[Waiver]:
        return await self._database.read(_list_waivers())

    async def put_waiver(self, waiver: Waiver, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _put_waiver(waiver, audit))

    async def remove_waiver(self, domain: Domain, aspect: str, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _remove_waiver(domain, aspect, audit))

    async def list_records(self, domain: Domain) -> Sequence[OwnRecord]:
        return await self._database.read(_list_records(domain))

    async def add_record(self, record: OwnRecord, now: datetime) -> None:
        await self._database.write(lambda _refs: _add_record(record, _seconds(now)))

    async def remove_record(self, record: OwnRecord) -> None:
        await self._database.write(lambda _refs: _remove_record(record))

    async def list_keys(self) -> Sequence[DkimKey]:
        return await self._database.read(_list_keys())

    async def put_keys(self, keys: Sequence[DkimKey], *, audit: Sequence[AuditEntry]) -> None:
        await self._database.write(lambda _refs: _put_keys(keys, audit))


def forget_domain_state(domain: Domain) -> Unit[None]:
    """Forget all that is known of a domain, within the unit that removes it."""
    for table in _TABLES:
        yield Statement(f"DELETE FROM {table} WHERE domain = $1", (domain.text,))


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _list_readiness() -> Unit[Sequence[ReadinessEntry]]:
    rows = yield Statement(
        "SELECT domain, states, checked_at, unchanged, told FROM domain_readiness WHERE checked_at > 0 ORDER BY domain"
    )
    return [
        ReadinessEntry(Domain.parse(domain), json.loads(states), _moment(checked_at), unchanged, told)
        for domain, states, checked_at, unchanged, told in rows
    ]


def _claim_due(now: int, until: int, limit: int) -> Unit[Sequence[Domain]]:
    yield Statement(
        "INSERT INTO domain_readiness (domain, states, checked_at, due_at, unchanged, told)"
        " SELECT domain, '{}', 0, $1, 0, '' FROM domains WHERE NOT EXISTS"
        " (SELECT 1 FROM domain_readiness r WHERE r.domain = domains.domain) ON CONFLICT (domain) DO NOTHING",
        (now,),
    )
    # The second condition: of two processes that read the same list, only one finds it still due.
    rows = yield Statement(
        "UPDATE domain_readiness SET due_at = $1 WHERE due_at <= $2 AND domain IN"
        " (SELECT domain FROM domain_readiness WHERE due_at <= $2 ORDER BY due_at LIMIT $3) RETURNING domain",
        (until, now, limit),
    )
    return sorted((Domain.parse(row[0]) for row in rows), key=lambda domain: domain.text)


def _put_readiness(entry: ReadinessEntry, due_at: int, *, changed: bool) -> Unit[None]:
    yield Statement(
        "INSERT INTO domain_readiness (domain, states, checked_at, due_at, unchanged, told)"
        " SELECT domain, $1, $2, $3, $4, $5 FROM domains WHERE domain = $6"
        " ON CONFLICT (domain) DO UPDATE SET states = excluded.states, checked_at = excluded.checked_at,"
        " due_at = excluded.due_at, unchanged = excluded.unchanged, told = excluded.told",
        (
            json.dumps(dict(entry.states), sort_keys=True),
            _seconds(entry.checked_at),
            due_at,
            entry.unchanged,
            entry.told,
            entry.domain.text,
        ),
    )
    if changed:
        yield from log_directory_change(DirectoryTopic.DOMAIN, entry.checked_at)


def _set_due(domain: Domain, due_at: int) -> Unit[None]:
    yield Statement(
        "UPDATE domain_readiness SET due_at = $1, unchanged = 0 WHERE domain = $2 AND due_at > $1",
        (due_at, domain.text),
    )


def _list_waivers() -> Unit[Sequence[Waiver]]:
    rows = yield Statement(
        "SELECT domain, aspect, reason, actor, waived_at FROM domain_waivers ORDER BY domain, aspect"
    )
    return [
        Waiver(Domain.parse(domain), aspect, reason, actor, _moment(waived_at))
        for domain, aspect, reason, actor, waived_at in rows
    ]


def _put_waiver(waiver: Waiver, audit: AuditEntry) -> Unit[None]:
    ours = yield Statement("SELECT 1 FROM domains WHERE domain = $1", (waiver.domain.text,))
    if not ours:
        raise NotFound("That domain is not served here.")
    yield Statement(
        "INSERT INTO domain_waivers (domain, aspect, reason, actor, waived_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (domain, aspect) DO UPDATE SET reason = excluded.reason, actor = excluded.actor,"
        " waived_at = excluded.waived_at",
        (waiver.domain.text, waiver.aspect, waiver.reason, waiver.actor, _seconds(waiver.waived_at)),
    )
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.DOMAIN, audit.at)


def _remove_waiver(domain: Domain, aspect: str, audit: AuditEntry) -> Unit[None]:
    gone = yield Statement(
        "DELETE FROM domain_waivers WHERE domain = $1 AND aspect = $2 RETURNING aspect", (domain.text, aspect)
    )
    if not gone:
        raise NotFound("That was not waived.")
    yield from insert_audit(audit)
    yield from log_directory_change(DirectoryTopic.DOMAIN, audit.at)


def _list_records(domain: Domain) -> Unit[Sequence[OwnRecord]]:
    rows = yield Statement(
        "SELECT name, kind, value FROM domain_records WHERE domain = $1 ORDER BY name, kind, value", (domain.text,)
    )
    return [OwnRecord(domain, name, kind, value) for name, kind, value in rows]


def _add_record(record: OwnRecord, now: int) -> Unit[None]:
    yield Statement(
        "INSERT INTO domain_records (domain, name, kind, value, published_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (domain, name, kind, value) DO NOTHING",
        (record.domain.text, record.name, record.kind, record.value, now),
    )


def _remove_record(record: OwnRecord) -> Unit[None]:
    yield Statement(
        "DELETE FROM domain_records WHERE domain = $1 AND name = $2 AND kind = $3 AND value = $4",
        (record.domain.text, record.name, record.kind, record.value),
    )


def _list_keys() -> Unit[Sequence[DkimKey]]:
    rows = yield Statement(
        "SELECT domain, selector, kind, state, made_at, since FROM dkim_keys ORDER BY domain, selector"
    )
    return [
        DkimKey(Domain.parse(domain), selector, kind, KeyState(state), _moment(made_at), _moment(since))
        for domain, selector, kind, state, made_at, since in rows
    ]


def _put_keys(keys: Sequence[DkimKey], audit: Sequence[AuditEntry]) -> Unit[None]:
    for key in keys:
        yield Statement(
            "INSERT INTO dkim_keys (domain, selector, kind, state, made_at, since) VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (domain, selector) DO UPDATE SET state = excluded.state, since = excluded.since",
            (
                key.domain.text,
                key.selector,
                key.kind,
                key.state.value,
                _seconds(key.made_at),
                _seconds(key.since),
            ),
        )
    for entry in audit:
        yield from insert_audit(entry)
        yield from log_directory_change(DirectoryTopic.DOMAIN, entry.at)
