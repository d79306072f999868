"""The ids and numbers of mail, each with a type of its own.

Nothing here checks anything: a value gets its type where it is made, once. All numbers are
positive and fit a signed 64-bit integer; `Uid` and `UidValidity` fit 32 bits (RFC 9051 §2.3.1.1).
"""

from __future__ import annotations

__all__ = ["AccountId", "BlobRef", "CredentialId", "EmailId", "MailboxId", "ModSeq", "QueueId", "Uid", "UidValidity"]

from typing import NewType

AccountId = NewType("AccountId", int)
"""Who owns mail. It leads the key of every account table."""

MailboxId = NewType("MailboxId", int)
"""A mailbox within its account; never used again after the mailbox is deleted (RFC 8474 §4)."""

EmailId = NewType("EmailId", int)
"""A message's content within the server: `account << 32 | n`. Copies in several mailboxes share it (RFC 8474 §5.1)."""

BlobRef = NewType("BlobRef", bytes)
"""Where a blob lies. Only the blob store that made it reads it; the row that holds it keeps the blob alive."""

Uid = NewType("Uid", int)
"""A message's number within a mailbox, 1 … 2³²-1, given in commit order (RFC 9051 §2.3.1.1)."""

UidValidity = NewType("UidValidity", int)
"""With a changed UIDVALIDITY all UIDs of a mailbox are void; only an admin's act changes it."""

ModSeq = NewType("ModSeq", int)
"""A position in an account's change log, 1 … 2⁶³-1 (RFC 7162 §3.1)."""

QueueId = NewType("QueueId", int)
"""A message in the outgoing queue."""

CredentialId = NewType("CredentialId", int)
"""A password or an app password of an account, for revocation and the audit log."""
