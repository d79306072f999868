"""Ids that never change, as IMAP tells them (RFC 8474).

A letter says what they name. A THREADID is NIL for the moment in which a message from before there were threads
waits for its own (`mailboxes.orderings`).
"""

from __future__ import annotations

__all__ = ["email_object_id", "mailbox_object_id", "place_object_id", "read_thread_object_id", "thread_object_id"]

import re

from hongyan.mailboxes.reach import Place
from hongyan.types import EmailId, MailboxId

_THREAD = re.compile(rb"T([0-9a-f]{1,15})")


def mailbox_object_id(mailbox: MailboxId) -> bytes:
    """Return a MAILBOXID: it stays when the mailbox is renamed."""
    return b"F%d" % mailbox


def place_object_id(place: Place) -> bytes:
    """Return the MAILBOXID of a mailbox of whomever: numbers are given by each account."""
    number = mailbox_object_id(place.mailbox.mailbox_id)
    return number if place.is_own else b"%b-%d" % (number, place.account)


def email_object_id(email: EmailId) -> bytes:
    """Return an EMAILID: copies have the same."""
    return b"M%x" % email


def thread_object_id(thread: int) -> bytes:
    """Return a THREADID: the thread has the number of the email that began it."""
    return b"T%x" % thread


def read_thread_object_id(octets: bytes) -> int | None:
    """Return the thread that a THREADID names, None if it names none."""
    match = _THREAD.fullmatch(octets)
    return int(match[1], 16) if match else None
