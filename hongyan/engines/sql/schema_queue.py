"""The tables of the outgoing queue, in the words of `schema`: server tables, reached by one key each.

Times are microseconds since 1970. `queue_messages.unfinished` counts recipients that are READY or HELD: it makes
workers that settle recipients of one message at the same time take turns, and the last one removes it.
`queue_recipients.due_at` is when somebody may claim the recipient: when its time has come and no lease is on it.
"""

from __future__ import annotations

__all__ = ["QUEUE"]

QUEUE = (
    """
    CREATE TABLE queue_messages (
        queue_id{growing_key},
        reverse_path TEXT,
        blob_ref BLOB NOT NULL,
        size INTEGER NOT NULL,
        prefix BLOB NOT NULL,
        omitted TEXT NOT NULL,
        account_id INTEGER,
        trace_id TEXT NOT NULL,
        body TEXT NOT NULL,
        smtputf8 INTEGER NOT NULL,
        require_tls INTEGER NOT NULL,
        ret TEXT,
        envelope_id TEXT,
        queued_at INTEGER NOT NULL,
        expires INTEGER NOT NULL,
        unfinished INTEGER NOT NULL
    ) {strict}
    """,
    """
    CREATE TABLE queue_recipients (
        queue_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        address TEXT NOT NULL,
        destination TEXT NOT NULL,
        state TEXT NOT NULL,
        notify INTEGER,
        original_type TEXT,
        original_address TEXT,
        attempts INTEGER NOT NULL,
        next_attempt INTEGER NOT NULL,
        delay_told INTEGER NOT NULL,
        last_at INTEGER,
        last_status TEXT,
        last_remote TEXT,
        last_text TEXT,
        lease_owner TEXT,
        leased_until INTEGER,
        due_at INTEGER GENERATED ALWAYS AS (
            CASE
                WHEN state <> 'ready' THEN NULL
                WHEN leased_until > next_attempt THEN leased_until
                ELSE next_attempt
            END
        ) STORED,
        PRIMARY KEY (queue_id, number)
    ) {clustered}
    """,
    "CREATE INDEX queue_recipients_by_destination ON queue_recipients (destination, due_at, queue_id, number)",
    "CREATE INDEX queue_recipients_by_time ON queue_recipients (due_at, destination)",
    """
    CREATE TABLE queue_receipts (
        receipt BLOB NOT NULL PRIMARY KEY,
        queue_id INTEGER NOT NULL,
        ends_at INTEGER NOT NULL
    ) {clustered}
    """,
    "CREATE INDEX queue_receipts_by_time ON queue_receipts (ends_at)",
)
"""What waits to be delivered. `queue_messages.blob_ref` keeps a blob alive."""
