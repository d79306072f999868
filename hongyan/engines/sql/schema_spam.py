"""The tables of the consumers' cursors and of the statistical filter, in the words of `schema`.

A model is one row with a compressed table of counts. `account_id` 0 in `spam_models` is the server's own.
"""

from __future__ import annotations

__all__ = ["SPAM"]

SPAM = (
    """
    CREATE TABLE consumer_cursors (
        account_id INTEGER NOT NULL,
        consumer TEXT NOT NULL,
        modseq INTEGER NOT NULL,
        PRIMARY KEY (account_id, consumer)
    ) {clustered}
    """,
    """
    CREATE TABLE spam_models (
        account_id INTEGER NOT NULL PRIMARY KEY,
        version INTEGER NOT NULL,
        ham INTEGER NOT NULL,
        spam INTEGER NOT NULL,
        counts BLOB NOT NULL
    ) {strict}
    """,
    """
    CREATE TABLE spam_ballots (
        account_id INTEGER NOT NULL,
        fingerprint BLOB NOT NULL,
        is_spam INTEGER NOT NULL,
        voted_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, fingerprint)
    ) {clustered}
    """,
)
