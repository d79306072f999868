"""The table of what left mailboxes, in the words of `schema`: what is remembered when the log is pruned.

`block` is a MODSEQ without its last twelve bits; `uids` are those that left while the log stood there, as a bitmap.
`expunges_floor` of an account: of what left up to there some may be forgotten. It is 0 but for data of a version that
forgot, and where the log itself was lost: after a restored backup, or a mailbox that had to be made anew.
"""

from __future__ import annotations

__all__ = ["EXPUNGED"]

EXPUNGED = (
    """
    CREATE TABLE expunged (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        block INTEGER NOT NULL,
        uids BLOB NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, block)
    ) {clustered}
    """,
    "ALTER TABLE account_state ADD COLUMN expunges_floor INTEGER NOT NULL DEFAULT 0",
    "UPDATE account_state SET expunges_floor = changes_floor",
)
"""Whoever returns after years learns what left, in proportion to it (RFC 7162 §3.2.5)."""
