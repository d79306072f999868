"""The tables of what is known of our domains' DNS, in the words of `schema`: server tables.

Times are seconds since 1970. `domain_readiness.states` says how each required aspect stands, as JSON; `due_at` is when
the DNS of the domain is looked at again, by whoever claims it first.
"""

from __future__ import annotations

__all__ = ["DKIM_KEYS", "READINESS"]

READINESS = (
    """
    CREATE TABLE domain_readiness (
        domain TEXT NOT NULL PRIMARY KEY,
        states TEXT NOT NULL,
        checked_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        unchanged INTEGER NOT NULL,
        told TEXT NOT NULL
    ) {clustered}
    """,
    """
    CREATE TABLE domain_waivers (
        domain TEXT NOT NULL,
        aspect TEXT NOT NULL,
        reason TEXT NOT NULL,
        actor TEXT NOT NULL,
        waived_at INTEGER NOT NULL,
        PRIMARY KEY (domain, aspect)
    ) {clustered}
    """,
    """
    CREATE TABLE domain_records (
        domain TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        published_at INTEGER NOT NULL,
        PRIMARY KEY (domain, name, kind, value)
    ) {clustered}
    """,
)
"""`domain_records` are the records that we wrote into a zone ourselves: only these do we ever take out again."""

DKIM_KEYS = (
    """
    CREATE TABLE dkim_keys (
        domain TEXT NOT NULL,
        selector TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        made_at INTEGER NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (domain, selector)
    ) {clustered}
    """,
)
"""`since` is when a key came into its state. The keys themselves lie in files."""
