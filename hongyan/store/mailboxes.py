"""Mailboxes of an account: names, UIDVALIDITY, UIDNEXT, and the snapshot of what is in them."""

from __future__ import annotations

__all__ = [
    "INBOX",
    "INBOX_ID",
    "MAX_MAILBOXES",
    "Mailbox",
    "MailboxProperties",
    "MailboxStore",
    "Quota",
    "StoredState",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hongyan.store.changes import LoggedChange
from hongyan.types import AccountId, MailboxId, ModSeq, UidValidity

INBOX = "INBOX"
"""The mailbox that every account has; its name is in no letter case (RFC 9051 §5.1)."""


INBOX_ID = MailboxId(1)
"""Its number: INBOX is the first mailbox that an account gets, and is neither deleted nor renamed."""


MAX_MAILBOXES = 10_000
"""Mailboxes of one account. Clients list them all, often."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as its row tells it.

    `special_use` is the attribute of RFC 6154 §2 with its backslash (`\\Sent`), or empty.
    `octets` is the sum of the sizes of its messages, `sort_order` where programs show it (RFC 8621 §2).
    """

    mailbox_id: MailboxId
    name: str
    special_use: str
    uidvalidity: UidValidity
    uidnext: int
    highestmodseq: ModSeq
    messages: int
    octets: int
    subscribed: bool
    sort_order: int = 0


@dataclass(frozen=True, slots=True)
class MailboxProperties:
    """What is to be set of a mailbox; None leaves what it is. `special_use` empty takes the use away."""

    special_use: str | None = None
    sort_order: int | None = None
    subscribed: bool | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What an account stores and may store; a limit of 0 means none (RFC 9208 §5)."""

    used_octets: int
    used_messages: int
    limit_octets: int
    limit_messages: int


@dataclass(frozen=True, slots=True)
class StoredState:
    """All that is needed to know a mailbox: its row, its last snapshot and the changes after it."""

    mailbox: Mailbox
    snapshot: bytes | None
    changes: Sequence[LoggedChange]


class MailboxStore(Protocol):
    """Keeps mailboxes. Each method is one unit of work of one account.

    Names are compared octet by octet but for INBOX; a name's hierarchy separator is `/`.
    """

    async def list_mailboxes(self, account: AccountId) -> Sequence[Mailbox]:
        """Return all mailboxes, sorted by name."""
        ...

    async def find_mailbox(self, account: AccountId, name: str) -> Mailbox | None:
        """Return the mailbox of that name."""
        ...

    async def create_mailbox(self, account: AccountId, name: str, *, special_use: str = "") -> Mailbox:
        """Make a mailbox, subscribed. Raises `AlreadyExists`, or `OverLimit` beyond the limit of mailboxes."""
        ...

    async def rename_mailboxes(self, account: AccountId, names: Sequence[tuple[MailboxId, str]]) -> ModSeq:
        """Give mailboxes new names, all or none. Raises `AlreadyExists` or `NotFound`."""
        ...

    async def delete_mailbox(self, account: AccountId, mailbox: MailboxId) -> ModSeq:
        """Delete a mailbox with its messages. Raises `NotFound`."""
        ...

    async def change_properties(
        self, account: AccountId, mailbox: MailboxId, wanted: MailboxProperties
    ) -> LoggedChange:
        """Set properties of a mailbox, and log it. Raises `NotFound`, and `AlreadyExists` for another's special use."""
        ...

    async def subscribe(self, account: AccountId, name: str, *, subscribed: bool) -> None:
        """Remember the subscription of a name, whether or not the mailbox is there (RFC 9051 §6.3.7)."""
        ...

    async def list_subscriptions(self, account: AccountId) -> Sequence[str]:
        """Return the subscribed names, those of mailboxes that are gone included, sorted."""
        ...

    async def load_state(self, account: AccountId, mailbox: MailboxId) -> StoredState:
        """Return what a mailbox in memory is built from. Raises `NotFound`."""
        ...

    async def save_snapshot(self, account: AccountId, mailbox: MailboxId, modseq: ModSeq, snapshot: bytes) -> None:
        """Keep a snapshot of the mailbox at `modseq`, unless a later one is kept."""
        ...

    async def highestmodseq(self, account: AccountId) -> ModSeq:
        """Return the position of the account's last change. Raises `NotFound`."""
        ...

    async def quota(self, account: AccountId) -> Quota:
        """Return what the account uses and may use. Raises `NotFound`."""
        ...

    async def count_mailboxes(self, account: AccountId) -> int:
        """Return how many mailboxes the account has."""
        ...

    async def set_quota(self, account: AccountId, *, limit_octets: int, limit_messages: int) -> None:
        """Set the limits; 0 means none. Raises `NotFound`."""
        ...
