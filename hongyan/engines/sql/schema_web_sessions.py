"""The tables of web sessions and of second factors, in the words of `schema`."""

from __future__ import annotations

__all__ = ["WEB_SESSIONS"]

WEB_SESSIONS = (
    """
    CREATE TABLE web_sessions (
        account_id INTEGER NOT NULL,
        credential_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        digest BLOB NOT NULL,
        label TEXT NOT NULL,
        agent BLOB NOT NULL,
        address TEXT NOT NULL,
        place TEXT NOT NULL,
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        proven_at INTEGER,
        remembered INTEGER NOT NULL,
        previous BLOB NOT NULL,
        rotated_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, credential_id)
    ) {clustered}
    """,
    "CREATE INDEX web_sessions_by_end ON web_sessions (ends_at)",
    """
    CREATE TABLE second_factors (
        account_id INTEGER NOT NULL PRIMARY KEY,
        sealed BLOB NOT NULL,
        confirmed_at INTEGER,
        last_step INTEGER NOT NULL
    ) {clustered}
    """,
    """
    CREATE TABLE recovery_codes (
        account_id INTEGER NOT NULL,
        digest BLOB NOT NULL,
        PRIMARY KEY (account_id, digest)
    ) {clustered}
    """,
    "ALTER TABLE accounts ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0",
)
