"""Port: how much accounts send, what each may, and which are on hold.

What is counted is mail that leaves this server, within slots of five minutes: a window slides slot by slot, and a slot
counts until all of it is older than the window is long. Counts are kept across a restart. Two processes that judge for
one account in the same moment may both let through what is free for one of them; they count both.
"""

from __future__ import annotations

__all__ = [
    "DAY_SLOTS",
    "SLOT",
    "BodyCount",
    "Hold",
    "Origin",
    "SenderState",
    "SendingFacts",
    "SendingLimits",
    "SendingQuestion",
    "SendingStore",
    "Slot",
    "Trigger",
]

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from hongyan.addresses import Address
from hongyan.store.accounts import AccountClass
from hongyan.store.audit import AuditEntry
from hongyan.store.bookings import Booking
from hongyan.store.queue import NewMessage
from hongyan.types import AccountId

SLOT: Final = 300
"""Seconds of a slot."""

DAY_SLOTS: Final = 86_400 // SLOT


class Trigger(StrEnum):
    """What put an account on hold."""

    FIRST_TIME = "first-time-recipients"
    BOUNCES = "bounces"
    VOLUME = "volume"
    SAME_BODY = "same-body"
    PLACES = "places"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingLimits:
    """What an account may send; None is what its class may. `exempt` accounts are never held by themselves."""

    messages_per_day: int | None = None
    first_per_day: int | None = None
    first_per_hour: int | None = None
    recipients_per_message: int | None = None
    exempt: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """An account that may not send for now: by which trigger, why in words, by whom, since when."""

    trigger: Trigger
    reason: str
    by: str
    since: datetime

    @property
    def why(self) -> str:
        """The reason that the queue and timelines show of what is held with the account."""
        return f"The account is on hold: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderState:
    """What is kept of an account that sends."""

    limits: SendingLimits = SendingLimits()
    hold: Hold | None = None
    grace_until: datetime | None = None
    """Until then no evidence puts it on hold again: it was released."""
    days: int = 0
    """Days in a row that `average` speaks of; those without mail count."""
    average: float = 0.0
    """Recipients elsewhere on a usual day: today is left out, older days weigh less."""
    outcomes: str = ""
    """The last deliveries elsewhere, the newest last: `d` is delivered, `h` refused, for there is no such address."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What left within five minutes. `number` times `SLOT` is when it began, in seconds since 1970."""

    number: int
    messages: int
    recipients: int
    first_time: int


@dataclass(frozen=True, slots=True)
class BodyCount:
    """In so many messages the same body went to so many first-time recipients within the last day."""

    messages: int = 0
    strangers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingQuestion:
    """A message that somebody wants to send."""

    account: AccountId
    recipients: Collection[Address]
    """Those elsewhere."""
    references: Collection[str]
    """The messages that it says it answers."""
    body: bytes
    """Digest of what its body says."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingFacts:
    """What is known when a message is to be judged."""

    state: SenderState
    account_class: AccountClass = AccountClass.CONSUMER
    slots: Sequence[Slot]
    """Those of the last day, the oldest first."""
    written: frozenset[str]
    """Which of the recipients the account has written to, by `correspondent_key`."""
    heard: frozenset[str]
    """Which of them have written to the account."""
    answers: bool
    """Whether one of the references came to the account from elsewhere or by delivery here, and is still there."""
    body: BodyCount = BodyCount()


@dataclass(frozen=True, slots=True)
class Origin:
    """A place that an account has logged in from: a country or a network, and when it first did."""

    place: str
    first_at: datetime


class SendingStore(Protocol):
    """Keeps what accounts send."""

    async def find_sender(self, account: AccountId) -> SenderState:
        """Return what is kept of an account, which may be nothing."""
        ...

    async def slots(self, account: AccountId, since: datetime) -> Sequence[Slot]:
        """Return the slots that reach beyond `since`, the oldest first."""
        ...

    async def look_up(self, question: SendingQuestion) -> SendingFacts:
        """Return what is known of a message that is to be sent."""
        ...

    async def book(self, booking: Booking) -> None:
        """Count a message that is not queued, and note its recipients as correspondents.

        What is queued brings its booking (`store.queue.NewMessage`). A power loss may undo the last second.
        """
        ...

    async def set_limits(self, account: AccountId, limits: SendingLimits, *, audit: AuditEntry) -> None:
        """Set what an account may send."""
        ...

    async def hold(
        self, account: AccountId, hold: Hold, *, audit: AuditEntry, notices: Sequence[NewMessage] = ()
    ) -> bool:
        """Put an account on hold, and queue what tells of it; false, and nothing is changed, when it is on hold.

        A message of the account that is queued from here on is HELD (`QueueStore.enqueue`).
        """
        ...

    async def release(self, account: AccountId, grace_until: datetime, *, audit: AuditEntry) -> bool:
        """End a hold, and forget the deliveries that were counted; false, and nothing is changed, without a hold."""
        ...

    async def list_held(self) -> Sequence[tuple[AccountId, Hold]]:
        """Return the accounts on hold, the longest held first."""
        ...

    async def note_outcomes(self, account: AccountId, outcomes: str, *, keep: int) -> SenderState:
        """Add to the outcomes of an account, keep the newest so many, and return what is then kept of it."""
        ...

    async def note_place(self, account: AccountId, place: str, at: datetime, *, keep: int) -> Sequence[Origin]:
        """Note a place, and return all places of the account, the newest first; the oldest beyond `keep` go."""
        ...

    async def expire(self, now: datetime) -> int:
        """Drop counts older than a day; return how many."""
        ...
