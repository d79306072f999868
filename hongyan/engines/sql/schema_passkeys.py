"""The table of passkeys, and what a domain asks of its accounts, in the words of `schema`."""

from __future__ import annotations

__all__ = ["PASSKEYS"]

PASSKEYS = (
    """
    CREATE TABLE passkeys (
        account_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        handle BLOB NOT NULL,
        host TEXT NOT NULL,
        public_key BLOB NOT NULL,
        sign_count INTEGER NOT NULL,
        label TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER,
        PRIMARY KEY (account_id, number)
    ) {clustered}
    """,
    "CREATE UNIQUE INDEX passkeys_by_handle ON passkeys (handle)",
    "ALTER TABLE domains ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0",
)
