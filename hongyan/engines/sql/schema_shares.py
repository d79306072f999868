"""The tables of shared mailboxes and of what is noted about mailboxes, in the words of `schema`.

`grants`, `reached`, `viewer_seen` and `annotations` are account tables. `grants.grantee` 0 is everybody. `reached` is
the viewer's note of what it may reach, and `domain_reached` that of a domain. In `annotations`, `account_id` is whose
note it is and `owner_id` whose mailbox; mailbox 0 is the server (RFC 5464 §3.2).
"""

from __future__ import annotations

__all__ = ["SHARES"]

SHARES = (
    """
    CREATE TABLE grants (
        account_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        grantee INTEGER NOT NULL,
        is_negative INTEGER NOT NULL,
        rights TEXT NOT NULL,
        PRIMARY KEY (account_id, mailbox_id, grantee, is_negative)
    ) {clustered}
    """,
    """
    CREATE TABLE reached (
        account_id INTEGER NOT NULL,
        owner_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        PRIMARY KEY (account_id, owner_id, mailbox_id)
    ) {clustered}
    """,
    """
    CREATE TABLE domain_reached (
        domain TEXT NOT NULL,
        owner_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        PRIMARY KEY (domain, owner_id, mailbox_id)
    ) {clustered}
    """,
    """
    CREATE TABLE viewer_seen (
        account_id INTEGER NOT NULL,
        owner_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        note BLOB NOT NULL,
        PRIMARY KEY (account_id, owner_id, mailbox_id)
    ) {strict}
    """,
    """
    CREATE TABLE annotations (
        account_id INTEGER NOT NULL,
        owner_id INTEGER NOT NULL,
        mailbox_id INTEGER NOT NULL,
        entry TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (account_id, owner_id, mailbox_id, entry)
    ) {strict}
    """,
)
