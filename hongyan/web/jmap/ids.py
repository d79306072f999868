"""Ids of mail in JMAP: the same that IMAP tells as EMAILID, THREADID and MAILBOXID (RFC 8474 §4, §5).

A blob of a message is named by its email, a part of it by its number behind that: `B<email>-2_1` is part
2.1; an Id may not have dots (RFC 8620 §1.2). So every part of every message has a blob id, and none is stored.
"""

from __future__ import annotations

__all__ = [
    "email_blob_id",
    "email_id",
    "mailbox_id",
    "part_blob_id",
    "read_email_blob_id",
    "read_email_id",
    "read_mailbox_id",
    "read_thread_id",
    "split_part",
    "thread_id",
]

import re

from hongyan.types import AccountId, EmailId, MailboxId

_EMAIL = re.compile(r"M([0-9a-f]{1,15})")
_BLOB = re.compile(r"B([0-9a-f]{1,15})")
_THREAD = re.compile(r"T([0-9a-f]{1,15})")
_MAILBOX = re.compile(r"F([1-9][0-9]{0,17})")
_PART = re.compile(r"([A-Za-z0-9_-]+)-([0-9]{1,5}(?:_[0-9]{1,5}){0,99})")
_EMAIL_BITS = 32
_LONGEST_ID = 255


def email_id(email: EmailId) -> str:
    """Return the id of an Email."""
    return f"M{email:x}"


def thread_id(thread: int) -> str:
    """Return the id of a Thread: the number of the email that began it."""
    return f"T{thread:x}"


def mailbox_id(mailbox: MailboxId) -> str:
    """Return the id of a Mailbox."""
    return f"F{mailbox}"


def email_blob_id(email: EmailId) -> str:
    """Return the id of a message's octets."""
    return f"B{email:x}"


def part_blob_id(blob: str, number: str) -> str | None:
    """Return the id of a part's decoded octets; None where messages nest so deep that no Id is long enough."""
    made = f"{blob}-{number.replace('.', '_')}"
    return made if len(made) <= _LONGEST_ID else None


def read_email_id(text: str, account: AccountId) -> EmailId | None:
    """Return the email of the account that an id names."""
    return _read(_EMAIL, text, account)


def read_email_blob_id(text: str, account: AccountId) -> EmailId | None:
    """Return the email of the account whose octets an id names."""
    return _read(_BLOB, text, account)


def read_thread_id(text: str, account: AccountId) -> int | None:
    """Return the thread of the account that an id names."""
    return _read(_THREAD, text, account)


def read_mailbox_id(text: str) -> MailboxId | None:
    """Return the mailbox that an id names."""
    match = _MAILBOX.fullmatch(text)
    return None if match is None else MailboxId(int(match[1]))


def split_part(text: str) -> tuple[str, str] | None:
    """Return the blob and the number of the part that a blob id names, or None if it names no part."""
    match = _PART.fullmatch(text)
    return None if match is None else (match[1], match[2].replace("_", "."))


def _read(pattern: re.Pattern[str], text: str, account: AccountId) -> EmailId | None:
    match = pattern.fullmatch(text)
    number = None if match is None else int(match[1], 16)
    return EmailId(number) if number is not None and number >> _EMAIL_BITS == account else None
