"""Tallies for reports to other domains in SQL. Days are counted, and times are seconds, since 1970."""

from __future__ import annotations

__all__ = ["SqlEvaluations"]

from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from itertools import groupby

from hongyan.engines.sql.audit import insert_audit
from hongyan.engines.sql.units import SqlDatabase, Statement, Unit
from hongyan.errors import NotFound
from hongyan.store.audit import AuditEntry
from hongyan.store.evaluations import DueReport, OptOut, ReportKind, Tally, WaitingReport

_EPOCH = date(1970, 1, 1).toordinal()
_MINE = "kind = $1 AND day = $2 AND domain = $3"


class SqlEvaluations:
    """`store.evaluations.EvaluationStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def add(self, tallies: Sequence[Tally], *, most_domains: int, most_facts: int) -> int:
        return await self._database.write(lambda _refs: _add(tallies, most_domains, most_facts), durable=False)

    async def claim_due(self, now: datetime, until: datetime) -> DueReport | None:
        return await self._database.write(lambda _refs: _claim_due(_seconds(now), _seconds(until)))

    async def settle(self, kind: ReportKind, day: date, domain: str) -> None:
        await self._database.write(lambda _refs: _settle(kind, _number(day), domain))

    async def list_waiting(self, *, limit: int = 1000) -> Sequence[WaitingReport]:
        return await self._database.read(_list_waiting(limit))

    async def list_optouts(self) -> Sequence[OptOut]:
        return await self._database.read(_list_optouts())

    async def put_optout(self, optout: OptOut, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _put_optout(optout, audit))

    async def remove_optout(self, domain: str, *, audit: AuditEntry) -> None:
        await self._database.write(lambda _refs: _remove_optout(domain, audit))


def _add(tallies: Sequence[Tally], most_domains: int, most_facts: int) -> Unit[int]:
    dropped = 0

    # One order in all processes: none waits for a row of another that waits for one of its own.
    def key(one: Tally) -> tuple[str, int, str]:
        return one.kind.value, _number(one.day), one.domain

    for (kind, day, domain), group in groupby(sorted(tallies, key=lambda one: (*key(one), one.facts)), key):
        some = list(group)
        room = yield from _find_room(kind, day, domain, some[-1], most_domains, most_facts)
        added = 0
        for tally in some:
            digest = blake2b(tally.facts.encode(), digest_size=16).digest()
            counted = yield Statement(
                "UPDATE report_tallies SET count = count + $1 WHERE kind = $2 AND day = $3 AND domain = $4"
                " AND digest = $5 RETURNING count",
                (tally.count, kind, day, domain, digest),
            )
            if counted:
                continue
            if added >= room:
                dropped += 1
                continue
            added += 1
            yield Statement(
                "INSERT INTO report_tallies (kind, day, domain, digest, facts, count) VALUES ($1, $2, $3, $4, $5, $6)"
                " ON CONFLICT (kind, day, domain, digest) DO UPDATE SET count = report_tallies.count + excluded.count",
                (kind, day, domain, digest, tally.facts, tally.count),
            )
        if added:
            yield Statement(
                "UPDATE report_days SET facts = facts + $1 WHERE kind = $2 AND day = $3 AND domain = $4",
                (added, kind, day, domain),
            )
    return dropped


def _find_room(kind: str, day: int, domain: str, tally: Tally, most_domains: int, most_facts: int) -> Unit[int]:
    """Return how many facts more the report of a domain has room for, and see to it that it is there."""
    rows = yield Statement(
        "UPDATE report_days SET about = $1 WHERE kind = $2 AND day = $3 AND domain = $4 RETURNING facts",
        (tally.about, kind, day, domain),
    )
    if rows:
        return max(0, most_facts - int(rows[0][0]))
    counted = yield Statement("SELECT COUNT(*) FROM report_days WHERE kind = $1 AND day = $2", (kind, day))
    if counted[0][0] >= most_domains:
        return 0
    yield Statement(
        "INSERT INTO report_days (kind, day, domain, about, due_at, attempts, facts) VALUES ($1, $2, $3, $4, $5, 0, 0)"
        " ON CONFLICT (kind, day, domain) DO NOTHING",
        (kind, day, domain, tally.about, _seconds(tally.due_at)),
    )
    return most_facts


def _claim_due(now: int, until: int) -> Unit[DueReport | None]:
    first = yield Statement(
        "SELECT kind, day, domain FROM report_days WHERE due_at <= $1 ORDER BY due_at LIMIT 1", (now,)
    )
    if not first:
        return None
    # Of two processes that read the same row, only one finds it still due.
    rows = yield Statement(
        "UPDATE report_days SET due_at = $1, attempts = attempts + 1 WHERE kind = $2 AND day = $3 AND domain = $4"
        " AND due_at <= $5 RETURNING kind, day, domain, about, attempts",
        (until, *first[0], now),
    )
    if not rows:
        return None
    kind, day, domain, about, attempts = rows[0]
    facts = yield Statement(
        f"SELECT facts, count FROM report_tallies WHERE {_MINE} ORDER BY count DESC, digest", (kind, day, domain)
    )
    told = [(str(row[0]), int(row[1])) for row in facts]
    return DueReport(ReportKind(kind), _day(day), domain, about, attempts, told)


def _settle(kind: ReportKind, day: int, domain: str) -> Unit[None]:
    for table in ("report_tallies", "report_days"):
        yield Statement(f"DELETE FROM {table} WHERE {_MINE}", (kind.value, day, domain))


def _list_waiting(limit: int) -> Unit[Sequence[WaitingReport]]:
    rows = yield Statement(
        "SELECT kind, day, domain, due_at, facts FROM report_days ORDER BY due_at, domain LIMIT $1", (limit,)
    )
    return [WaitingReport(ReportKind(row[0]), _day(row[1]), row[2], _time(row[3]), row[4]) for row in rows]


def _list_optouts() -> Unit[Sequence[OptOut]]:
    rows = yield Statement("SELECT domain, since FROM report_optouts ORDER BY domain")
    return [OptOut(row[0], _time(row[1])) for row in rows]


def _put_optout(optout: OptOut, audit: AuditEntry) -> Unit[None]:
    yield Statement(
        "INSERT INTO report_optouts (domain, since) VALUES ($1, $2) ON CONFLICT (domain) DO NOTHING",
        (optout.domain, _seconds(optout.since)),
    )
    yield from insert_audit(audit)


def _remove_optout(domain: str, audit: AuditEntry) -> Unit[None]:
    removed = yield Statement("DELETE FROM report_optouts WHERE domain = $1 RETURNING domain", (domain,))
    if not removed:
        raise NotFound("That domain is sent reports.")
    yield from insert_audit(audit)


def _number(day: date) -> int:
    return day.toordinal() - _EPOCH


def _day(number: int) -> date:
    return date.fromordinal(number + _EPOCH)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
