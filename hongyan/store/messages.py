"""Messages: one way in, and everything that moves, marks and removes them."""

from __future__ import annotations

__all__ = ["Appending", "Column", "CopyResult", "Discarding", "ExpungeResult", "MessageStore", "NewMessage", "Row"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from pyroaring import BitMap

from hongyan.addresses import Address
from hongyan.message.analyze import Analysis
from hongyan.store.changes import Flag, FlagsAdded, FlagsRemoved, FlagsReplaced, SeenBy
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
    SKIPPED = "skipped"  # octets at the beginning of the blob that are not served
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
    THREAD_ID = "thread_id"  # None in a row that waits for its keys (`store.ordering`); so are those below
    SUBJECT_KEY = "subject_key"
    IS_REPLY = "is_reply"
    FROM_KEY = "from_key"
    TO_KEY = "to_key"
    CC_KEY = "cc_key"
    FROM_NAME_KEY = "from_name_key"
    TO_NAME_KEY = "to_name_key"
    LINKS = "links"

    __hash__ = (
        object.__hash__
    )  # There is one of each; the hash of Enum is computed in Python, and columns are looked up.


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message on its way in: octets as they came, trace fields before them, what the analysis found.

    What is served is `prefix`, then the octets from `skipped` on.
    """

    octets: bytes
    prefix: bytes
    analysis: Analysis
    flags: tuple[Flag, ...]
    internal_date: int
    internal_text: bytes
    saved_at: int
    heard: Address | None = None
    """Who wrote it to the account, as far as that is to be remembered (`store.correspondents`)."""
    skipped: int = 0


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


@dataclass(frozen=True, slots=True)
class Discarding:
    """What became of messages that leave a mailbox: moved, because they were the last of their email; or removed."""

    moved: CopyResult | None
    removed: ExpungeResult | None


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
        change: FlagsAdded | FlagsRemoved | FlagsReplaced | SeenBy,
        *,
        expected: ModSeq | None = None,
        durable: bool = False,
    ) -> ModSeq:
        """Log a change of flags. With `expected`, raises `Conflict` when the mailbox has changed after it."""
        ...

    async def expunge(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> ExpungeResult:
        """Remove those of the messages that are there."""
        ...

    async def replace(
        self, account: AccountId, source: MailboxId, uid: int, target: MailboxId, message: NewMessage
    ) -> tuple[ExpungeResult, Appending]:
        """Remove a message and store another, both or neither; what counts against the quota is the difference.

        Raises `Conflict` when the message is gone, and what `append` raises.
        """
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

    async def discard(
        self, account: AccountId, source: MailboxId, uids: BitMap, flags: Mapping[Flag, BitMap], target: MailboxId
    ) -> Discarding:
        """Move the messages whose email is in no other mailbox, and remove the others; `flags` as for `copy`.

        Raises `Conflict` when one of them is gone, `NotFound` (no such target).
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

    def rows_now(
        self, account: AccountId, mailbox: MailboxId, columns: Sequence[Column], uids: Sequence[int]
    ) -> Sequence[Row] | None:
        """Return the rows of a few UIDs, in order of UID, if they are at hand without waiting; else None."""
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

    async def find_thread(self, account: AccountId, mailbox: MailboxId, thread: int) -> Sequence[int]:
        """Return the UIDs of the messages of a thread, ascending."""
        ...

    async def find_dates(
        self, account: AccountId, mailbox: MailboxId, column: Column, start: int | None, stop: int | None
    ) -> Sequence[int]:
        """Return the UIDs whose date or size column lies in [start, stop), ascending."""
        ...

    async def newest_email(self, account: AccountId) -> EmailId:
        """Return the id that was given out last: emails of higher ids are yet to come. Raises `NotFound`."""
        ...

    async def emails(
        self, account: AccountId, columns: Sequence[Column], after: EmailId, *, limit: int
    ) -> Sequence[Row]:
        """Return up to `limit` emails with ids above `after`, in order. The size of one without a message is None."""
        ...

    async def count_emails(self, account: AccountId, after: EmailId) -> int:
        """Return how many emails with ids above `after` there are."""
        ...

    async def find_emails(
        self, account: AccountId, mailbox: MailboxId, ranges: Sequence[tuple[int, int]]
    ) -> Sequence[tuple[int, int]]:
        """Return UID and email id of the messages whose email ids lie in the inclusive ranges, in no order."""
        ...
