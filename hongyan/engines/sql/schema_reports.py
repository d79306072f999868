"""The tables of reports, in the words of `schema`: what is to be told to other domains, and what they told us."""

from __future__ import annotations

__all__ = ["REPORTS"]

REPORTS = (
    """
    CREATE TABLE report_days (
        kind TEXT NOT NULL,
        day INTEGER NOT NULL,
        domain TEXT NOT NULL,
        about TEXT NOT NULL,
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        facts INTEGER NOT NULL,
        PRIMARY KEY (kind, day, domain)
    ) {clustered}
    """,
    """
    CREATE TABLE report_tallies (
        kind TEXT NOT NULL,
        day INTEGER NOT NULL,
        domain TEXT NOT NULL,
        digest BLOB NOT NULL,
        facts TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (kind, day, domain, digest)
    ) {clustered}
    """,
    """
    CREATE TABLE report_optouts (
        domain TEXT NOT NULL PRIMARY KEY,
        since INTEGER NOT NULL
    ) {clustered}
    """,
    """
    CREATE TABLE received_reports (
        domain TEXT NOT NULL,
        kind TEXT NOT NULL,
        sender TEXT NOT NULL,
        report_id TEXT NOT NULL,
        organization TEXT NOT NULL,
        begins_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        succeeded INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (domain, kind, sender, report_id)
    ) {strict}
    """,
    "CREATE INDEX report_days_by_time ON report_days (due_at)",
    "CREATE INDEX received_reports_by_time ON received_reports (received_at)",
)
