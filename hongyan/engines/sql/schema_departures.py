"""Which email each message was that left a mailbox, in the words of `schema`.

An entry of the log names UIDs, and what left has no row any more that knows its email. JMAP tells of emails (RFC 8621
§4.3); so each departure is noted under its entry's MODSEQ, in the same unit, for as long as the log keeps the entry.
"""

from __future__ import annotations

__all__ = ["DEPARTURES"]

DEPARTURES = (
    """
    CREATE TABLE departures (
        account_id INTEGER NOT NULL,
        modseq INTEGER NOT NULL,
        uid INTEGER NOT NULL,
        email_id INTEGER NOT NULL,
        thread_id INTEGER NOT NULL,
        PRIMARY KEY (account_id, modseq, uid)
    ) {clustered}
    """,
)
