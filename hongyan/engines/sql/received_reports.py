"""Reports that others sent, in SQL. Times are seconds since 1970."""

from __future__ import annotations

__all__ = ["SqlReceivedReports"]

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit
from hongyan.store.evaluations import ReportKind
from hongyan.store.received_reports import Added, ReceivedReport

_DAY = 86_400
_COLUMNS: Final = "domain, kind, sender, report_id, organization, begins_at, ends_at, received_at, succeeded, failed"
_IN_ORDER: Final = "ORDER BY received_at DESC, sender, report_id"


_SENDERS = 20
"""Senders whose reports about one of our domains are all kept, if each sends as many as it may."""


class SqlReceivedReports:
    """`store.received_reports.ReceivedReportStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def add(self, report: ReceivedReport, *, most_a_day: int) -> Added:
        return await self._database.write(lambda _refs: _add(report, most_a_day))

    async def list_reports(
        self, domain: str | None = None, *, since: datetime, limit: int = 1000
    ) -> Sequence[ReceivedReport]:
        return await self._database.read(_list(domain, _seconds(since), limit))

    async def read_reports(
        self, domain: str, kind: ReportKind, *, since: datetime, limit: int = 1000
    ) -> Sequence[ReceivedReport]:
        return await self._database.read(_read(domain, kind, _seconds(since), limit))

    async def expire(self, before: datetime) -> int:
        return await self._database.write(lambda _refs: _expire(_seconds(before)), durable=False)


def _add(report: ReceivedReport, most_a_day: int) -> Unit[Added]:
    known = yield Statement(
        "SELECT 1 FROM received_reports WHERE domain = $1 AND kind = $2 AND sender = $3 AND report_id = $4",
        (report.domain, report.kind.value, report.sender, report.report_id),
    )
    if known:
        return Added.KNOWN
    received = _seconds(report.received_at)
    # One sender's, and everybody's: names below a domain of one's own cost nothing.
    counted = yield Statement(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN sender = $3 THEN 1 ELSE 0 END), 0) FROM received_reports"
        " WHERE domain = $1 AND kind = $2 AND received_at > $4",
        (report.domain, report.kind.value, report.sender, received - _DAY),
    )
    everybodys, ones = counted[0]
    if ones >= most_a_day or everybodys >= most_a_day * _SENDERS:
        return Added.TOO_MANY
    added = yield Statement(
        f"INSERT INTO received_reports ({_COLUMNS}, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (domain, kind, sender, report_id) DO NOTHING RETURNING 1",
        (
            report.domain,
            report.kind.value,
            report.sender,
            report.report_id,
            report.organization,
            _seconds(report.begins_at),
            _seconds(report.ends_at),
            received,
            report.succeeded,
            report.failed,
            report.content,
        ),
    )
    return Added.NEW if added else Added.KNOWN


def _list(domain: str | None, since: int, limit: int) -> Unit[Sequence[ReceivedReport]]:
    if domain is None:
        sql = f"SELECT {_COLUMNS} FROM received_reports WHERE ends_at > $1 {_IN_ORDER} LIMIT $2"
        rows = yield Statement(sql, (since, limit))
    else:
        sql = f"SELECT {_COLUMNS} FROM received_reports WHERE domain = $1 AND ends_at > $2 {_IN_ORDER} LIMIT $3"
        rows = yield Statement(sql, (domain, since, limit))
    return [_report(row, b"") for row in rows]


def _read(domain: str, kind: ReportKind, since: int, limit: int) -> Unit[Sequence[ReceivedReport]]:
    rows = yield Statement(
        f"SELECT {_COLUMNS}, content FROM received_reports WHERE domain = $1 AND kind = $2 AND ends_at > $3"
        f" {_IN_ORDER} LIMIT $4",
        (domain, kind.value, since, limit),
    )
    return [_report(row, bytes(row[10])) for row in rows]


def _expire(before: int) -> Unit[int]:
    rows = yield Statement("DELETE FROM received_reports WHERE received_at < $1 RETURNING 1", (before,))
    return len(rows)


def _report(row: Row, content: bytes) -> ReceivedReport:
    return ReceivedReport(
        domain=row[0],
        kind=ReportKind(row[1]),
        sender=row[2],
        report_id=row[3],
        organization=row[4],
        begins_at=_time(row[5]),
        ends_at=_time(row[6]),
        received_at=_time(row[7]),
        succeeded=row[8],
        failed=row[9],
        content=content,
    )


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
