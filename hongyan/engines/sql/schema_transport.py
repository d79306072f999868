"""The tables of outgoing transport security, in the words of `schema`: one row for each domain that mail goes to."""

from __future__ import annotations

__all__ = ["TRANSPORT"]

TRANSPORT = (
    """
    CREATE TABLE sts_policies (
        domain TEXT NOT NULL PRIMARY KEY,
        identity TEXT NOT NULL,
        policy BLOB NOT NULL,
        fetched_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL
    ) {clustered}
    """,
    """
    CREATE TABLE tls_levels (
        domain TEXT NOT NULL PRIMARY KEY,
        level TEXT NOT NULL,
        candidate TEXT NOT NULL,
        candidate_since INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) {clustered}
    """,
    "CREATE INDEX sts_policies_by_end ON sts_policies (expires_at)",
    "CREATE INDEX tls_levels_by_age ON tls_levels (seen_at)",
)
