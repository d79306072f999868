"""The table of Web Push, in the words of `schema`. `told` holds the states that were pushed last, in JSON."""

from __future__ import annotations

__all__ = ["PUSH"]

PUSH = (
    """
    CREATE TABLE push_subscriptions (
        account_id INTEGER NOT NULL,
        subscription_id TEXT NOT NULL,
        credential_id INTEGER NOT NULL,
        service TEXT NOT NULL,
        device TEXT NOT NULL,
        url TEXT NOT NULL,
        public_key BLOB NOT NULL,
        secret BLOB NOT NULL,
        code TEXT NOT NULL,
        verified INTEGER NOT NULL,
        expires_at INTEGER,
        types TEXT,
        told TEXT NOT NULL,
        key_number INTEGER NOT NULL,
        PRIMARY KEY (account_id, subscription_id)
    ) {clustered}
    """,
)
