"""Small records of accounts, in the words of `schema`.

`gone` is 1 for what was removed: its document is empty, its states are kept. `floor` is the state before which it is
not known any more what is gone.
"""

from __future__ import annotations

__all__ = ["RECORDS"]

RECORDS = (
    """
    CREATE TABLE records (
        account_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        record_id TEXT NOT NULL,
        document TEXT NOT NULL,
        made INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        gone INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account_id, kind, record_id)
    ) {clustered}
    """,
    """
    CREATE TABLE record_states (
        account_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        state INTEGER NOT NULL,
        floor INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account_id, kind)
    ) {clustered}
    """,
)
