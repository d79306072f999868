"""Messages: one way in, and everything that moves, marks and removes them."""

from __future__ import annotations

__all__ = ["Appending", "Column", "CopyResult", "ExpungeResult", "MessageStore", "NewMessage", "Row"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from pyroaring import BitMap

from hongyan.message.analyze import Analysis
from hongyan.store.changes import Flag, FlagsAdded, FlagsRemoved, FlagsReplaced
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, EmailId, MailboxId, ModSeq, UidValidity

Row = tuple[Any, ...]
"""The values of the columns that were asked for, in that order."""


class Column(Enum):
    """What can be asked of a message's row. The value is the name in the words of the schema."""

    UID = "uid"
    EMAIL_ID = "email_id"
    INTERNAL_DATE = "internal_date"  # seconds since 1970
    INTERNAL_TEXT = "internal_text"  # as IMAP writes it, in quotes
    SAVED_AT = "saved_at"  # seconds since 1970 (RFC 8514)
    SIZE = "size"  # of the message as served: prefix and blob
    PREFIX = "prefix"
    BLOB = "blob_ref"
    ENVELOPE = "envelope"
    ENVELOPE_UTF8 = "envelope_utf8"  # the plain form where there is no other
    BODYSTRUCTURE = "bodystructure"
    BODYSTRUCTURE_UTF8 = "bodystructure_utf8"  # likewise
    OUTLINE = "outline"
    FIELDS = "fields"
    PREVIEW = "preview"
    MESSAGE_ID = "message_id"
    SENT_DATE = "sent_date"
    FROM_TEXT = "from_text"
    TO_TEXT = "to_text"
    CC_TEXT = "cc_text"
    BCC_TEXT = "bcc_text"
    SUBJECT_TEXT = "subject_text"

    __hash__ = (
        object.__hash__
    )  # There is one of each; the hash of Enum is computed in Python, and columns are looked up.


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message on its way in: octets as they came, trace fields before them, what the analysis found."""

    octets: bytes
    prefix: bytes
    analysis: Analysis
    flags: tuple[Flag, ...]
    internal_date: int
    internal_text: bytes
    saved_at: int


@dataclass(frozen=True, slots=True)
class Appending:
    """What an append did. With `duplicate` the receipt was known and nothing was stored."""

    modseq: ModSeq
    uidvalidity: UidValidity
    first_uid: int
    email_ids: Sequence[EmailId]
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy or a move did: `source_uids[i]` became UID `first_uid + i` of the target.

    `modseq` is of the change in the target; for a move `source_modseq` is of the expunge in the source.
    """

    modseq: ModSeq
    source_modseq: ModSeq | None
    uidvalidity: UidValidity
    source_uids: Sequence[int]
    first_uid: int


@dataclass(frozen=True, slots=True)
class ExpungeResult:
    """What an expunge removed. With nothing removed, `modseq` is None and the log has no entry."""

    modseq: ModSeq | None
    uids: BitMap


class MessageStore(Protocol):
    """Keeps messages. Each method is one unit of work of one account."""

    async def append(
        self, account: AccountId, mailbox: MailboxId, messages: Sequence[NewMessage], *, receipt: Receipt | None = None
    ) -> Appending:
        """Store the messages, all or none. Raises `OverQuota`, `NotFound` (no such mailbox), `StorageFull`."""
        ...

    async def change_flags(
        self,
        account: AccountId,
        mailbox: MailboxId,
        change: FlagsAdded | FlagsRemoved | FlagsReplaced,
        *,
        expected: ModSeq | None = None,
        durable: bool = False,
    ) -> ModSeq:
        """Log a change of flags. With `expected`, raises `Conflict` when the mailbox has changed after it."""
        ...

    async def expunge(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> ExpungeResult:
        """Remove those of the messages that are there."""
        ...

    async def copy(
        self,
        account: AccountId,
        source: MailboxId,
        uids: BitMap,
        flags: Mapping[Flag, BitMap],
        target: MailboxId,
        *,
        move: bool = False,
    ) -> CopyResult:
        """Put the messages into `target` too, or instead. `flags` says, by UIDs of the source, what they have.

        Raises `Conflict` when one of them is gone, `NotFound` (no such target) and `OverQuota`.
        """
        ...

    async def rows(
        self,
        account: AccountId,
        mailbox: MailboxId,
        columns: Sequence[Column],
        ranges: Sequence[tuple[int, int]],
        *,
        limit: int = 256,
    ) -> Sequence[Row]:
        """Return up to `limit` rows with UIDs in the inclusive ranges, in order of UID."""
        ...

    async def find_text(
        self, account: AccountId, mailbox: MailboxId, column: Column, needle: str, low: int, high: int
    ) -> Sequence[int]:
        """Return the UIDs in [low, high] whose text column contains the (case-folded) needle, ascending."""
        ...

    async def find_in_fields(
        self, account: AccountId, mailbox: MailboxId, needle: str, low: int, high: int
    ) -> Sequence[int]:
        """Return the UIDs in [low, high] whose stored header fields hold the needle as received, ascending.

        The needle is ASCII in lower case, and letters match in either case.
        """
        ...

    async def find_dates(
        self, account: AccountId, mailbox: MailboxId, column: Column, start: int | None, stop: int | None
    ) -> Sequence[int]:
        """Return the UIDs whose date or size column lies in [start, stop), ascending."""
        ...
