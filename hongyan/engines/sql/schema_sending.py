"""What sending in depth needs: why a message is held, who is suppressed, how warm an address is.

Times are microseconds since 1970, as in `schema_queue`. `account_id` 0 stands for the whole server.
"""

from __future__ import annotations

__all__ = ["SENDING"]

SENDING = (
    "ALTER TABLE queue_messages ADD COLUMN not_before INTEGER",
    "ALTER TABLE queue_recipients ADD COLUMN held_for TEXT",
    """
    CREATE TABLE suppressions (
        account_id INTEGER NOT NULL,
        address TEXT NOT NULL,
        bounces INTEGER NOT NULL,
        first_at INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        suppressed_at INTEGER,
        ends_at INTEGER NOT NULL,
        status TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (account_id, address)
    ) {clustered}
    """,
    "CREATE INDEX suppressions_by_time ON suppressions (ends_at)",
    """
    CREATE TABLE sending_addresses (
        address TEXT NOT NULL PRIMARY KEY,
        began_at INTEGER NOT NULL,
        day INTEGER NOT NULL,
        sent INTEGER NOT NULL
    ) {clustered}
    """,
)
"""`sending_addresses.began_at` and `day` are days since 1970.

`queue_messages.not_before` is NULL where a message is released as it is queued."""
