"""The tables, in SQLite's words; `migrations` says them in PostgreSQL's.

The account id leads every key of the account tables, so that a distributed database can place accounts on nodes.
The slim rows of `messages` hold what listings and searches by date need; the wide columns lie in `emails`, which
copies of a message share; case-folded texts for searches by header lie in `email_texts`. Flags lie in neither: they
are in a mailbox's snapshot and in the entries of `changes` after it.
"""

from __future__ import annotations

__all__ = ["MAIL"]

MAIL = (
    """
    CREATE TABLE account_state (
        account_id INTEGER NOT NULL PRIMARY KEY,
        highestmodseq INTEGER NOT NULL,
        next_mailbox INTEGER NOT NULL,
        next_email INTEGER NOT NULL,
        uidvalidity_base INTEGER NOT NULL,
        used_octets INTEGER NOT NULL,
        used_messages INTEGER NOT NULL,
        limit_octets INTEGER NOT NULL,
        limit_messages INTEGER NOT NULL
    ) {strict}
    """,
    """
    CREATE TABLE mailboxes (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        special_use TEXT NOT NULL,
        uidvalidity INTEGER NOT NULL,
        uidnext INTEGER NOT NULL,
        highestmodseq INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        octets INTEGER NOT NULL,
        PRIMARY KEY (account_id, mailbox_id)
    ) {clustered}
    """,
    "CREATE UNIQUE INDEX mailboxes_by_name ON mailboxes (account_id, name)",
    """
    CREATE TABLE subscriptions (
        account_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (account_id, name)
    ) {clustered}
    """,
    """
    CREATE TABLE messages (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        email_id INTEGER NOT NULL,
        internal_date INTEGER NOT NULL,
        internal_text BLOB NOT NULL,
        size INTEGER NOT NULL,
        saved_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, uid)
    ) {clustered}
    """,
    "CREATE INDEX messages_by_email ON messages (account_id, email_id)",
    """
    CREATE TABLE emails (
        account_id INTEGER NOT NULL,
        email_id INTEGER NOT NULL{email_key},
        blob_ref BLOB NOT NULL,
        prefix BLOB NOT NULL,
        envelope BLOB NOT NULL,
        envelope_utf8 BLOB,
        bodystructure BLOB NOT NULL,
        bodystructure_utf8 BLOB,
        outline BLOB NOT NULL,
        fields BLOB NOT NULL,
        preview TEXT NOT NULL,
        has_attachment INTEGER NOT NULL{account_email_key}
    ) {strict}
    """,
    """
    CREATE TABLE email_texts (
        account_id INTEGER NOT NULL,
        email_id INTEGER NOT NULL{email_key},
        sent_date INTEGER,
        message_id TEXT NOT NULL,
        reference_ids TEXT NOT NULL,
        from_text TEXT NOT NULL,
        to_text TEXT NOT NULL,
        cc_text TEXT NOT NULL,
        bcc_text TEXT NOT NULL,
        subject_text TEXT NOT NULL{account_email_key}
    ) {strict}
    """,
    """
    CREATE TABLE changes (
        account_id INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        entry BLOB NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, modseq)
    ) {clustered}
    """,
    """
    CREATE TABLE deleted_mailboxes (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        PRIMARY KEY (account_id, mailbox_id)
    ) {clustered}
    """,
    """
    CREATE TABLE snapshots (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        snapshot BLOB NOT NULL,
        PRIMARY KEY (account_id, mailbox_id)
    ) {strict}
    """,
    """
    CREATE TABLE receipts (
        account_id INTEGER NOT NULL,
        digest BLOB NOT NULL,
        expires INTEGER NOT NULL,
        PRIMARY KEY (account_id, digest)
    ) {clustered}
    """,
    """
    CREATE TABLE dropped_emails (
        account_id INTEGER NOT NULL,
        email_id INTEGER NOT NULL,
        PRIMARY KEY (account_id, email_id)
    ) {clustered}
    """,
)
"""Mail: what an account stores. `dropped_emails` is what the sweep looks at."""
