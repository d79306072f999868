"""The table of senders that accounts trust, in the words of `schema`. `trusted_at` is in milliseconds since 1970."""

from __future__ import annotations

__all__ = ["TRUSTED_SENDERS"]

TRUSTED_SENDERS = (
    """
    CREATE TABLE trusted_senders (
        account_id INTEGER NOT NULL,
        address TEXT NOT NULL,
        trusted_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, address)
    ) {clustered}
    """,
)
