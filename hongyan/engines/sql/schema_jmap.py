"""What JMAP knows beyond IMAP, in the words of `schema`: the order of mailboxes, and uploads that nobody uses yet.

`upload_id` is the number of an upload within its account; it is never given again.
"""

from __future__ import annotations

__all__ = ["JMAP"]

JMAP = (
    "ALTER TABLE mailboxes ADD COLUMN sort_order INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE uploads (
        account_id INTEGER NOT NULL,
        upload_id TEXT NOT NULL,
        blob_ref BLOB NOT NULL,
        size INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        uploaded_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, upload_id)
    ) {clustered}
    """,
    "CREATE INDEX uploads_by_age ON uploads (account_id, uploaded_at)",
)
