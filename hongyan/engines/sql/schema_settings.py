"""The table of settings of single accounts, in the words of `schema`. What an account has no row for is as for all."""

from __future__ import annotations

__all__ = ["SETTINGS"]

SETTINGS = (
    """
    CREATE TABLE account_settings (
        account_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (account_id, name)
    ) {clustered}
    """,
)
