"""The tables of upkeep, in the words of `schema`: what the sweep, the verification and the start remember.

`changes_floor` of an account: entries of its log up to there may be gone. Who asks from an older cursor starts over.
"""

from __future__ import annotations

__all__ = ["UPKEEP"]

UPKEEP = (
    "ALTER TABLE account_state ADD COLUMN changes_floor INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE log_marks (
        account_id INTEGER NOT NULL,
        noted_at INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        PRIMARY KEY (account_id, noted_at)
    ) {clustered}
    """,
    """
    CREATE TABLE damaged_messages (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        email_id INTEGER NOT NULL,
        internal_date INTEGER NOT NULL,
        size INTEGER NOT NULL,
        stand_in INTEGER NOT NULL,
        found_at INTEGER NOT NULL,
        cause TEXT NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, uid)
    ) {clustered}
    """,
    """
    CREATE TABLE store_facts (
        name TEXT NOT NULL PRIMARY KEY,
        fact TEXT NOT NULL
    ) {clustered}
    """,
)
"""`log_marks` says how old entries of a log are; `damaged_messages` what was set aside, and the UID in its place."""
