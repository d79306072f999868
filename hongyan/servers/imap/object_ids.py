"""Ids that never change, as IMAP tells them (RFC 8474).

A letter says what they name. Messages are not brought together in threads yet: THREADID is NIL (RFC 8474 §5.2).
"""

from __future__ import annotations

__all__ = ["email_object_id", "mailbox_object_id"]

from hongyan.types import EmailId, MailboxId


def mailbox_object_id(mailbox: MailboxId) -> bytes:
    """Return a MAILBOXID: it stays when the mailbox is renamed."""
    return b"F%d" % mailbox


def email_object_id(email: EmailId) -> bytes:
    """Return an EMAILID: copies have the same."""
    return b"M%x" % email
