"""The tables of correspondence and of sending, in the words of `schema`: account tables, the account id leads each key.

Times are seconds since 1970, and 0 is never. `correspondents.address` is the key that `store.correspondents` makes of
an address; `written` and `heard` count days with mail, not messages. `senders` has a row for each account that has
sent, whose limits were set, or that was held; a limit that is NULL is that of the account's class. `sending_slots`
counts what left within a slot of five minutes.
"""

from __future__ import annotations

__all__ = ["CORRESPONDENTS"]

CORRESPONDENTS = (
    """
    CREATE TABLE correspondents (
        account_id INTEGER NOT NULL,
        domain TEXT NOT NULL,
        address TEXT NOT NULL,
        written INTEGER NOT NULL,
        written_at INTEGER NOT NULL,
        heard INTEGER NOT NULL,
        heard_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, domain, address)
    ) {clustered}
    """,
    """
    CREATE TABLE senders (
        account_id INTEGER NOT NULL PRIMARY KEY,
        messages_per_day INTEGER,
        first_per_day INTEGER,
        first_per_hour INTEGER,
        recipients_per_message INTEGER,
        exempt INTEGER NOT NULL,
        held_trigger TEXT NOT NULL,
        held_reason TEXT NOT NULL,
        held_by TEXT NOT NULL,
        held_at INTEGER NOT NULL,
        grace_until INTEGER NOT NULL,
        last_day INTEGER NOT NULL,
        last_day_recipients INTEGER NOT NULL,
        days INTEGER NOT NULL,
        average REAL NOT NULL,
        outcomes TEXT NOT NULL
    ) {strict}
    """,
    """
    CREATE TABLE sending_slots (
        account_id INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        recipients INTEGER NOT NULL,
        first_time INTEGER NOT NULL,
        PRIMARY KEY (account_id, slot)
    ) {clustered}
    """,
    """
    CREATE TABLE sent_bodies (
        account_id INTEGER NOT NULL,
        digest BLOB NOT NULL,
        began_at INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        strangers INTEGER NOT NULL,
        PRIMARY KEY (account_id, digest)
    ) {clustered}
    """,
    """
    CREATE TABLE login_places (
        account_id INTEGER NOT NULL,
        place TEXT NOT NULL,
        first_at INTEGER NOT NULL,
        PRIMARY KEY (account_id, place)
    ) {clustered}
    """,
    "CREATE INDEX email_texts_by_message_id ON email_texts (account_id, message_id)",
)
"""The index finds the message that another one answers."""
