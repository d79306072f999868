"""The table of timelines, in the words of `schema`: a server table, which many accounts are written to at once.

Times are microseconds since 1970. It grows at one end and shrinks at the other: what is oldest is found by the key,
so no index by time is needed. Only entries that count have a `fold`.
"""

from __future__ import annotations

__all__ = ["PASSAGES", "TIMELINES"]

TIMELINES = (
    """
    CREATE TABLE timelines (
        entry_id{growing_key},
        account_id INTEGER NOT NULL,
        mid TEXT NOT NULL,
        at INTEGER NOT NULL,
        direction TEXT NOT NULL,
        step TEXT NOT NULL,
        address TEXT NOT NULL,
        counterpart TEXT NOT NULL,
        stage TEXT NOT NULL,
        host TEXT NOT NULL,
        code INTEGER,
        status TEXT NOT NULL,
        text TEXT NOT NULL,
        encrypted INTEGER,
        next_attempt INTEGER,
        folder TEXT NOT NULL,
        reason TEXT NOT NULL,
        fold BLOB,
        times INTEGER NOT NULL,
        first_at INTEGER NOT NULL
    ) {strict}
    """,
    "CREATE INDEX timelines_by_account ON timelines (account_id, entry_id)",
    "CREATE INDEX timelines_by_mid ON timelines (mid)",
    "CREATE UNIQUE INDEX timelines_by_fold ON timelines (account_id, fold) WHERE fold IS NOT NULL",
)
"""What became of messages, step by step."""

PASSAGES = ("ALTER TABLE timelines ADD COLUMN passage TEXT NOT NULL DEFAULT ''",)
"""How incoming messages came, and how long each stage took."""
