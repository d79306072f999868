"""What mail programs note about mailboxes and about the server: METADATA (RFC 5464).

A note is somebody's: shared ones belong to the mailbox's owner, private ones to whoever made them. Mailbox 0 is the
server, and its owner is whoever notes, or 0 for what administrators note for all.
"""

from __future__ import annotations

__all__ = ["EVERYBODY", "SERVER_NOTES", "AnnotationLimits", "AnnotationStore", "Topic"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hongyan.store.changes import LoggedChange
from hongyan.types import AccountId, MailboxId

SERVER_NOTES = MailboxId(0)
"""Notes that are not about a mailbox."""

EVERYBODY = AccountId(0)
"""Whose notes on the server all read."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What is noted on, and who notes it: the mailbox of an owner."""

    account: AccountId
    owner: AccountId
    mailbox: MailboxId


@dataclass(frozen=True, slots=True)
class AnnotationLimits:
    """What may be noted: entries on one topic, octets of names and values of one account."""

    entries: int
    octets: int


class AnnotationStore(Protocol):
    """Keeps annotations. Each method is one unit of work of one account."""

    async def read(self, topic: Topic) -> Mapping[str, bytes]:
        """Return all entries of a topic by name."""
        ...

    async def read_account(self, account: AccountId) -> Mapping[Topic, Mapping[str, bytes]]:
        """Return all entries that are an account's, by topic."""
        ...

    async def write(
        self, topic: Topic, values: Mapping[str, bytes | None], limits: AnnotationLimits
    ) -> LoggedChange | None:
        """Set entries, and remove those that are None; all or none.

        Return the entry of the log for a mailbox of the account itself on which something is other now.
        Raises `OverLimit` beyond the entries, `OverQuota` beyond the octets, `NotFound`.
        """
        ...

    async def note_change(self, owner: AccountId, mailbox: MailboxId) -> LoggedChange:
        """Write into the log of a mailbox that somebody else has noted something on it. Raises `NotFound`."""
        ...
