"""The tables of vacations, in the words of `schema`. Times are microseconds since 1970, as in the queue.

`vacation_answers` has one row for each sender who was answered; `sender` is in canonical form.
"""

from __future__ import annotations

__all__ = ["VACATIONS"]

VACATIONS = (
    """
    CREATE TABLE vacations (
        account_id INTEGER NOT NULL PRIMARY KEY,
        version INTEGER NOT NULL,
        enabled INTEGER NOT NULL,
        enabled_at INTEGER,
        begins_at INTEGER,
        ends_at INTEGER,
        subject TEXT,
        text_body TEXT,
        html_body TEXT
    ) {strict}
    """,
    """
    CREATE TABLE vacation_answers (
        account_id INTEGER NOT NULL,
        sender TEXT NOT NULL,
        answered_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, sender)
    ) {clustered}
    """,
    "CREATE INDEX vacation_answers_by_age ON vacation_answers (account_id, answered_at)",
)
