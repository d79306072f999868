"""What messages are sorted and threaded by, in the words of `schema`.

The keys of `message.order_keys` stand beside the texts for searches. A row whose `thread_id` is NULL was written before
there were any, and gets them from `ordering_fill`. `thread_link` is the message's own link; `thread_links` are the
links of messages that others answer and that need not be here.
"""

from __future__ import annotations

__all__ = ["ORDERING"]

ORDERING = (
    "ALTER TABLE email_texts ADD COLUMN subject_key TEXT",
    "ALTER TABLE email_texts ADD COLUMN is_reply INTEGER",
    "ALTER TABLE email_texts ADD COLUMN from_key TEXT",
    "ALTER TABLE email_texts ADD COLUMN to_key TEXT",
    "ALTER TABLE email_texts ADD COLUMN cc_key TEXT",
    "ALTER TABLE email_texts ADD COLUMN from_name_key TEXT",
    "ALTER TABLE email_texts ADD COLUMN to_name_key TEXT",
    "ALTER TABLE email_texts ADD COLUMN links BLOB",
    "ALTER TABLE email_texts ADD COLUMN thread_id INTEGER",
    "ALTER TABLE email_texts ADD COLUMN thread_link INTEGER",
    "CREATE INDEX email_texts_by_thread ON email_texts (account_id, thread_id)",
    "CREATE INDEX email_texts_by_thread_link ON email_texts (account_id, thread_link)",
    """
    CREATE TABLE thread_links (
        account_id INTEGER NOT NULL,
        link INTEGER NOT NULL,
        thread_id INTEGER NOT NULL,
        PRIMARY KEY (account_id, link)
    ) {clustered}
    """,
    "CREATE INDEX thread_links_by_thread ON thread_links (account_id, thread_id)",
)
