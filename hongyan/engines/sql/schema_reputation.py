"""The tables of what is remembered of senders, in the words of `schema`.

Times are seconds since 1970, and 0 is never. `reputation` belongs to accounts: the account id leads the key; `kind`
says what the subject is (`store.reputation.Kind`). `network_names` and `greylist` are the server's: what accounts
together think of a network (each account counts once), and first contacts that were put off.
"""

from __future__ import annotations

__all__ = ["REPUTATION"]

REPUTATION = (
    """
    CREATE TABLE reputation (
        account_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        good INTEGER NOT NULL,
        bad INTEGER NOT NULL,
        noted_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, kind, subject)
    ) {clustered}
    """,
    "CREATE INDEX reputation_by_time ON reputation (noted_at)",
    """
    CREATE TABLE network_names (
        network TEXT NOT NULL PRIMARY KEY,
        good INTEGER NOT NULL,
        bad INTEGER NOT NULL,
        noted_at INTEGER NOT NULL
    ) {clustered}
    """,
    "CREATE INDEX network_names_by_time ON network_names (noted_at)",
    """
    CREATE TABLE greylist (
        source TEXT NOT NULL,
        sender TEXT NOT NULL,
        recipient TEXT NOT NULL,
        first_at INTEGER NOT NULL,
        passed_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL,
        PRIMARY KEY (source, sender, recipient)
    ) {clustered}
    """,
    "CREATE INDEX greylist_by_time ON greylist (seen_at)",
)
"""The indexes find what nobody has come back to for long."""
