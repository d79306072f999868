"""Port: the outgoing queue as it is kept. Messages, their recipients, who is due, claims and outcomes.

A queued message is stored once, with a row for each recipient. A recipient is READY (waiting for
its time, or claimed), HELD, or finished: DELIVERED, FAILED, DROPPED. When the last recipient is
finished the message is removed and its blob let go, in the same unit of work.

Invariants that every engine keeps:

* `enqueue` is complete or absent, and idempotent for ten minutes by the message's receipt.
* A recipient has at most one lease. A lease that ran out is as none. Nobody but the holder of the
  lease moves a recipient on, with two exceptions: an operator's hold, drop or retry, and a delivery
  that happened although the lease was lost (`Settlement.lease` is None).
* `settle` is one unit: outcomes, the notifications (DSNs) and steps of timelines that speak of them, and the
  removal of a finished message are stored together or not at all.
* Times come from the caller, and the engine never asks a clock: the queue lives on the steady clock
  of `queue.schedule`, which no jump of the wall clock moves.

A destination is the text of the recipient's domain (`Domain.text`), for local domains as well: what
is local is decided when a recipient is claimed, not when it was queued.
"""

from __future__ import annotations

__all__ = [
    "AttemptReport",
    "Claim",
    "Enqueued",
    "Lease",
    "LeaseLost",
    "NewMessage",
    "NewRecipient",
    "QueueCounts",
    "QueueEntry",
    "QueueStore",
    "QueuedMessage",
    "QueuedRecipient",
    "RecipientState",
    "Selection",
    "Settled",
    "Settlement",
]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.addresses import Address
from hongyan.errors import Conflict
from hongyan.store.blobs import BlobSource
from hongyan.store.bookings import Booking
from hongyan.store.timelines import NewTimelineEntry
from hongyan.types import AccountId, BlobRef, QueueId
from hongyan.wire.smtp.parameters import Body, Notify, OriginalRecipient, Ret


class LeaseLost(Conflict):
    """A recipient is not under the caller's lease any more; nothing of the settlement was stored."""


class RecipientState(StrEnum):
    """Where a recipient stands."""

    READY = "ready"
    HELD = "held"
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"

    @property
    def is_finished(self) -> bool:
        return self not in (RecipientState.READY, RecipientState.HELD)


@dataclass(frozen=True, slots=True)
class NewRecipient:
    """A forward-path to be queued."""

    address: Address
    notify: Notify | None = None
    """None: the sender did not say (RFC 3461 §4.1)."""
    original: OriginalRecipient | None = None
    """ORCPT."""

    @property
    def destination(self) -> str:
        return self.address.domain.text


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to be queued. What leaves is `prefix`, then the blob without the `omitted` ranges.

    The octets are either already a blob (`blob`) or handed over to become one in the same unit
    (`octets`); exactly one of them is given.
    """

    reverse_path: Address | None
    """None is the null reverse-path."""
    recipients: tuple[NewRecipient, ...]
    size: int
    """Octets of the blob."""
    blob: BlobRef | None = None
    octets: BlobSource | None = None
    prefix: bytes = b""
    """Trace fields and signatures that stand before the blob's octets."""
    omitted: tuple[tuple[int, int], ...] = ()
    """Octet ranges [start, end) of the blob that do not leave: Bcc. Ordered, not overlapping."""
    account: AccountId | None = None
    """Whose submission it is."""
    trace_id: str = ""
    """The `mid` of the logs, which runs through all stages."""
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    require_tls: bool = False
    ret: Ret | None = None
    envelope_id: str | None = None
    """ENVID, its xtext undone (RFC 3461 §4.4)."""
    queued_at: datetime
    not_before: datetime
    """First attempt: `queued_at`, or later for a message that can still be taken back."""
    expires: datetime
    held: str | None = None
    """Why it is not sent until an operator releases it: its recipients begin HELD. None: it is sent."""
    receipt: bytes | None = None
    """Digest of envelope and octets: a message with the same receipt within its time is the same message."""
    receipt_until: datetime | None = None
    timeline: tuple[NewTimelineEntry, ...] = ()
    """Its first steps, stored with it if it is new."""
    verp: str | None = None
    """The two delimiters of `queue.verp`, if each recipient has a reverse-path of his own."""
    booking: Booking | None = None
    """What it counts for, of whoever sends it: counted with it if it is new."""

    def __post_init__(self) -> None:
        if (self.blob is None) == (self.octets is None):
            raise ValueError("a queued message has a blob or octets, not both")
        if not self.recipients:
            raise ValueError("a queued message has at least one recipient")
        if (self.receipt is None) != (self.receipt_until is None):
            raise ValueError("a receipt has an end")
        if self.verp is not None and (len(self.verp) != 2 or self.reverse_path is None):
            raise ValueError("a reverse-path for each recipient needs one to begin with, and two delimiters")


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of `enqueue`. `is_new` is false when the receipt named a message that is or was queued already."""

    id: QueueId
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """A message in the queue, without its recipients."""

    id: QueueId
    reverse_path: Address | None
    blob: BlobRef
    size: int
    prefix: bytes
    omitted: tuple[tuple[int, int], ...]
    account: AccountId | None
    trace_id: str
    body: Body
    smtputf8: bool
    require_tls: bool
    ret: Ret | None
    envelope_id: str | None
    queued_at: datetime
    not_before: datetime
    """When it was, or will be, released for delivery: `queued_at` or later (RFC 4865)."""
    expires: datetime
    verp: str | None = None
    """As in `NewMessage`."""

    @property
    def octets_out(self) -> int:
        """Octets as they leave."""
        return len(self.prefix) + self.size - sum(end - start for start, end in self.omitted)


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """What the last attempt for a recipient came to, for the operator and for notifications."""

    at: datetime
    status: str
    """Enhanced status code, "4.4.1" (RFC 3463)."""
    remote: str
    """The host that said so; empty when nobody answered."""
    text: str
    """One line, safe to show: the reply as it was sanitised, or our own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRecipient:
    """One recipient of a queued message."""

    number: int
    """Its place within the message, from 0, as given to `enqueue`."""
    address: Address
    destination: str
    state: RecipientState
    notify: Notify | None
    original: OriginalRecipient | None
    attempts: int
    next_attempt: datetime
    delay_told: bool
    """The sender was told once that this takes longer."""
    last: AttemptReport | None
    leased_until: datetime | None = None
    held_for: str = ""
    """Why it is HELD, in words of this server; empty where nobody said."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on a recipient, and until when. The owner is one process's name, the same after a restart."""

    owner: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Recipients of one message for one destination, under one lease."""

    message: QueuedMessage
    destination: str
    recipients: tuple[QueuedRecipient, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What an attempt came to for one recipient.

    READY means deferred to `next_attempt`: a recipient that was held meanwhile stays held. HELD waits
    for an operator. The attempt is counted.
    """

    number: int
    state: RecipientState
    report: AttemptReport
    next_attempt: datetime | None = None
    delay_told: bool = False
    """Told now or earlier."""

    def __post_init__(self) -> None:
        if self.state is RecipientState.DROPPED:
            raise ValueError("an attempt delivers, fails, defers or holds")
        if (self.state is RecipientState.READY) != (self.next_attempt is not None):
            raise ValueError("a deferred recipient, and no other, has a next attempt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Outcomes of one message, and the notifications that speak of them."""

    message: QueueId
    lease: Lease | None
    """None: record deliveries that happened although the lease was lost; only DELIVERED may then be settled."""
    recipients: tuple[Settled, ...]
    notices: tuple[NewMessage, ...] = ()
    timeline: tuple[NewTimelineEntry, ...] = ()
    """The steps that the outcomes are, for the timeline of who sent the message."""

    def __post_init__(self) -> None:
        if self.lease is None and any(settled.state is not RecipientState.DELIVERED for settled in self.recipients):
            raise ValueError("without a lease only deliveries are settled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which unfinished recipients an operator means: those that fit every criterion given. No criterion: all."""

    messages: frozenset[QueueId] | None = None
    destination: str | None = None
    reverse_path: Address | None = None
    account: AccountId | None = None
    state: RecipientState | None = None


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A message with all its recipients, finished ones included, by number."""

    message: QueuedMessage
    recipients: tuple[QueuedRecipient, ...]


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How full the queue is."""

    messages: int = 0
    recipients: Mapping[RecipientState, int] = field(default_factory=dict)
    """Unfinished recipients by state: READY and HELD."""
    octets: int = 0


class QueueStore(Protocol):
    """The outgoing queue, kept."""

    async def recover(self, owner: str, now: datetime, latest: datetime) -> int:
        """Make the queue usable after a start; return how many leases were taken away.

        Leases of `owner` and leases that ended before `now` are removed. No READY recipient waits
        longer than `latest`, but for its message's `not_before`: a wall clock that ran ahead before the
        start delays nothing.
        """
        ...

    async def enqueue(self, message: NewMessage) -> Enqueued:
        """Store a message with its recipients, all READY, due at `not_before`; or all HELD if `held` says why.

        A message of an account that is on hold (`store.sending.Hold`) is HELD, whatever its sender knew when it asked:
        of a hold and an `enqueue` at the same time, one sees the other.

        If the receipt is known and its end is not before `queued_at`, nothing is stored and the id
        of the earlier message is returned, also when that one is finished already.
        """
        ...

    async def due_destinations(self, now: datetime, *, limit: int, excluding: Collection[str] = ()) -> Sequence[str]:
        """Return destinations that have READY recipients due and not leased, the longest waiting first."""
        ...

    async def claim(self, destinations: Mapping[str, int], lease: Lease, now: datetime) -> Sequence[Claim]:
        """Lease due recipients, for each destination at most so many, the longest waiting first.

        Recipients of one message and one destination come as one claim, ordered by number; claims
        come in the order of their longest waiting recipient. A recipient is in one claim only.
        """
        ...

    async def renew(self, messages: Collection[QueueId], lease: Lease, now: datetime) -> None:
        """Extend the leases that `lease.owner` holds on recipients of these messages to `lease.until`.

        A lease that ran out before `now` is extended too, unless somebody else took the recipient.
        """
        ...

    async def give_back(self, message: QueueId, numbers: Collection[int], owner: str) -> None:
        """End the owner's leases without an attempt: the recipients stay due as they were."""
        ...

    async def settle(self, settlement: Settlement) -> None:
        """Store outcomes and notifications, end the leases; remove the message if it is finished.

        Under a lease: raises `LeaseLost`, and stores nothing, if a recipient is finished, gone, or
        leased by somebody else. (A lease of ours that ran out and that nobody took is still ours.)
        Without a lease: recipients finished or gone are passed over.
        """
        ...

    async def next_due(self, now: datetime, *, excluding: Collection[str] = ()) -> datetime | None:
        """Return when the next READY recipient comes due or a lease runs out; None if nothing waits.

        It may lie in the past. Recipients of `excluding` destinations are not looked at.
        """
        ...

    async def hold(self, selection: Selection, reason: str = "") -> int:
        """READY becomes HELD; an attempt under way is not stopped. Return how many recipients changed."""
        ...

    async def release(self, selection: Selection) -> int:
        """HELD becomes READY, due when it was. Return how many recipients changed."""
        ...

    async def retry(self, selection: Selection, now: datetime) -> int:
        """READY recipients are due now; HELD ones stay held. Return how many recipients changed."""
        ...

    async def drop(self, selection: Selection) -> int:
        """Unfinished recipients become DROPPED, silently; finished messages are removed. Return how many."""
        ...

    async def cancel(self, message: QueueId, now: datetime, account: AccountId | None = None) -> int:
        """Drop a message that waits for its release; return how many recipients that was.

        0, and nothing dropped: it is not there, not the account's (None: anybody's), its time has come, or
        somebody works on it.
        """
        ...

    async def find_message(self, message: QueueId) -> QueueEntry | None:
        """Return a queued message with its recipients."""
        ...

    async def list_messages(
        self, selection: Selection, *, after: QueueId | None = None, limit: int = 100
    ) -> Sequence[QueueEntry]:
        """Return messages that have a recipient in the selection, by id, those after `after`."""
        ...

    async def counts(self) -> QueueCounts:
        """Count what is unfinished."""
        ...

    async def forget_receipts(self, now: datetime) -> int:
        """Remove receipts that ended before `now`; return how many."""
        ...
