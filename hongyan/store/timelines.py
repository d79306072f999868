"""Port: timelines. What became of each message that an account sent or was sent, step by step, refused ones included.

An entry is one step of one message as one account may read it: of what it sent, for each recipient; of what it was
sent, for itself. Nothing of a message's content is kept, neither its subject nor its Message-ID: an entry says who,
when, where and why, and no more than an account knows of its own mail anyway.

Steps that leave no message (refusals in the session, of strangers and of our own users) are folded: those of one kind
within a day are one entry that counts. So many tries cost one row.

`entry_id` grows in the order of storing. Times are aware and in UTC.
"""

from __future__ import annotations

__all__ = [
    "MAX_NAME",
    "MAX_TEXT",
    "Direction",
    "NewTimelineEntry",
    "Step",
    "TimelineEntry",
    "TimelineStore",
    "clean",
]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from hongyan.store.passages import Passage
from hongyan.types import AccountId

MAX_TEXT: Final = 1000
"""Characters that are kept of what another server said."""

MAX_NAME: Final = 320
"""Characters that are kept of an address, a host or a mailbox's name: 64 and 255 octets and the sign between them."""


class Direction(StrEnum):
    """Which way the message goes, as the account sees it."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


class Step(StrEnum):
    """What happened. Those of one message are told in the order in which they were stored."""

    ACCEPTED = "accepted"
    """We took the message, and it waits to be delivered."""
    HELD = "held"
    """It waits for an operator."""
    RELEASED = "released"
    """It waits no longer."""
    DEFERRED = "deferred"
    """Not now. Outgoing: we try again; incoming: the sender's server does."""
    RELAYED = "relayed"
    """Another server took it."""
    DELIVERED = "delivered"
    """It lies in a mailbox here."""
    REFUSED = "refused"
    """Refused for good: by the receiving server, or by us."""
    FAILED = "failed"
    """Given up by this server: nobody to hand it to, or something in it that nobody takes."""
    EXPIRED = "expired"
    """Given up because its time was over."""
    CANCELLED = "cancelled"
    """Dropped: by its sender or an operator."""
    BLOCKED = "blocked"
    """A rule of this server keeps it from being sent or delivered."""
    NOTIFIED = "notified"
    """A notification (DSN) was sent to its sender."""
    BOUNCED = "bounced"
    """A notification came back: a server that had taken it could not deliver it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTimelineEntry:
    """A step, to be stored. Texts are cleaned and cut when they are stored (`clean`)."""

    account: AccountId
    """Who may read it."""
    direction: Direction
    mid: str
    """The message's `mid` in the logs; empty when it was refused before it had one."""
    step: Step
    at: datetime
    address: str = ""
    """The account's own address: who wrote, or who was written to. Empty: several."""
    counterpart: str = ""
    """The other side: a recipient, or the reverse-path. Empty: the null reverse-path, or several."""
    stage: str = ""
    """How far it had got: a word of `queue.outcome.Stage`, or the SMTP command that was refused."""
    host: str = ""
    """The host at the other end."""
    code: int | None = None
    """The SMTP reply code, if there was a reply."""
    status: str = ""
    """The enhanced status code (RFC 3463)."""
    text: str = ""
    """What was said, by them or by us, in one line."""
    is_encrypted: bool | None = None
    """Whether it went by TLS; None where there was no connection."""
    next_attempt: datetime | None = None
    folder: str = ""
    """Delivered: "inbox", "junk", or the name of another mailbox; to senders only "folder"."""
    reason: str = ""
    """Why, as `check/reason` of the deciding finding or another stable word: "dmarc/policy-reject", "over-quota"."""
    passage: Passage | None = None
    """Of mail that came in and was taken: its way, and how long each stage took."""
    fold: bytes | None = None
    """Entries of an account with the same fold are one, which counts. The newest text and mid are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """A step as it was stored."""

    entry_id: int
    new: NewTimelineEntry
    """What is told of it; `at` is the last time, and `fold` is not told."""
    times: int = 1
    """How often it happened."""
    first_at: datetime


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """Return text in one line that a terminal, a page and a database can take."""
    if len(text) > limit:
        text = text[:limit]
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


class TimelineStore(Protocol):
    """Keeps timelines."""

    async def append_timeline(self, entries: Sequence[NewTimelineEntry]) -> None:
        """Store steps that have no other unit of work, in this order. A power loss may undo the last second."""
        ...

    async def list_timeline(
        self,
        account: AccountId | None,
        *,
        mid: str | None = None,
        counterpart: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[TimelineEntry]:
        """Return entries, the newest first: those that fit every criterion given.

        `account` None means all accounts, and is for operators; `counterpart` is compared without regard to case;
        `before` is an entry's id.
        """
        ...

    async def expire_timeline(self, before: datetime, *, keep: int) -> int:
        """Drop entries older than that, and of each account all but the newest `keep`; return how many."""
        ...
