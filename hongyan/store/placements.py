"""Port: emails, and the mailboxes that they are in (RFC 8621 §4.1.1): what the log's UIDs are to JMAP."""

from __future__ import annotations

__all__ = ["Departure", "EmailRecord", "Placement", "PlacementStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hongyan.types import AccountId, BlobRef, EmailId, MailboxId, ModSeq


class Placement(NamedTuple):
    """An email as a message of a mailbox."""

    email: EmailId
    mailbox: MailboxId
    uid: int
    thread: int


class Departure(NamedTuple):
    """A message that left a mailbox with the change at `modseq`."""

    modseq: ModSeq
    uid: int
    email: EmailId
    thread: int


@dataclass(frozen=True, slots=True)
class EmailRecord:
    """An email's row. What is served is `prefix` and the blob from `skipped` on; `fields` are its usual fields."""

    email: EmailId
    thread: int
    internal_date: int
    size: int
    prefix: bytes
    blob: BlobRef
    skipped: int
    fields: bytes
    preview: str
    has_attachment: bool
    subject_text: str


class PlacementStore(Protocol):
    """Reads emails by their ids. Each method is one unit of work of one account."""

    async def find_heads(self, account: AccountId) -> tuple[ModSeq, int]:
        """Return the account's last change, and the number that its next new email gets. Raises `NotFound`."""
        ...

    async def list_placements(self, account: AccountId, emails: Sequence[EmailId]) -> Sequence[Placement]:
        """Return where these emails are, ascending by email and mailbox."""
        ...

    async def list_threads(self, account: AccountId, threads: Sequence[int]) -> Sequence[tuple[Placement, int]]:
        """Return where the emails of these threads are, each with its internal date."""
        ...

    async def read_emails(self, account: AccountId, emails: Sequence[EmailId]) -> Sequence[EmailRecord]:
        """Return the rows of those emails that are in a mailbox."""
        ...

    async def list_uids(
        self, account: AccountId, mailbox: MailboxId, ranges: Sequence[tuple[int, int]]
    ) -> Sequence[Placement]:
        """Return the messages of a mailbox in inclusive ranges of UIDs."""
        ...

    async def list_departures(self, account: AccountId, after: ModSeq, upto: ModSeq) -> Sequence[Departure]:
        """Return what left by the changes in (after, upto], as long as the log reaches back."""
        ...

    async def list_left_behind(self, account: AccountId, mailbox: MailboxId) -> Sequence[Placement]:
        """Return the messages of a deleted mailbox that are still to be tidied away."""
        ...

    async def list_columns(
        self, account: AccountId, mailbox: MailboxId, after: int, *, limit: int
    ) -> Sequence[tuple[int, int, int, int, int, int]]:
        """Return UID, email, internal date, size, thread and whether something is attached, of messages after a UID."""
        ...

    async def list_keys(
        self, account: AccountId, emails: Sequence[EmailId]
    ) -> Sequence[tuple[int, int | None, str | None, str | None, str | None]]:
        """Return the email, when it was sent, and the keys of sender, recipient (both RFC 5957 §3) and subject."""
        ...
