"""An EmailSubmission as it is kept, and what has become of it: of that nothing is kept here (RFC 8621 §7).

Whether it can still be undone is told by the time, what became of each recipient by the queue and the timeline of who
sent it. So the state is made of three: the state of the records, the last step of the timeline, and the last release.
"""

from __future__ import annotations

__all__ = [
    "KIND",
    "MOST_KEPT",
    "PROPERTIES",
    "Submission",
    "SubmissionServices",
    "SubmissionState",
    "list_submissions",
    "read_submission_state",
    "tell_delivery",
]

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from hongyan.clock import Clock, Random
from hongyan.queue.acts import QueueActs
from hongyan.store.queue import QueueStore
from hongyan.store.records import RecordKind, RecordStore
from hongyan.store.timelines import Direction, Step, TimelineEntry, TimelineStore
from hongyan.submission.transaction import SubmissionServices as Transactions
from hongyan.types import AccountId, QueueId
from hongyan.web.jmap.email_services import EmailServices
from hongyan.web.jmap.identity import IdentityServices
from hongyan.wire.jmap.faults import MethodError
from hongyan.wire.jmap.values import write_utc_date

KIND: Final = RecordKind.EMAIL_SUBMISSION
PROPERTIES: Final = (
    *("id", "identityId", "emailId", "threadId", "envelope", "sendAt", "undoStatus", "deliveryStatus"),
    *("dsnBlobIds", "mdnBlobIds"),
)
MOST_KEPT: Final = 500
_STATE = re.compile(r"e(\d{1,15})\.(\d{1,18})\.(\d{1,12})", re.ASCII)
_MOST_STEPS: Final = 1000
_LINE: Final = 500
_DELIVERED: Final[Mapping[Step, str]] = {
    Step.ACCEPTED: "queued",
    Step.HELD: "queued",
    Step.RELEASED: "queued",
    Step.DEFERRED: "queued",
    Step.RELAYED: "unknown",  # the other server has it; whether it lies in a mailbox is not told
    Step.DELIVERED: "yes",
    Step.REFUSED: "no",
    Step.FAILED: "no",
    Step.EXPIRED: "no",
    Step.CANCELLED: "no",
    Step.BLOCKED: "no",
    Step.BOUNCED: "no",
}


@dataclass(frozen=True, slots=True)
class SubmissionServices:
    """What the methods of submissions work with."""

    emails: EmailServices
    identities: IdentityServices
    records: RecordStore
    transactions: Transactions
    queue: QueueStore
    acts: QueueActs
    timelines: TimelineStore
    clock: Clock
    random: Random
    max_message: int
    max_recipients: int


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission. `send_at` is in seconds since 1970; `queue_id` is where it waits or waited."""

    submission_id: str
    identity: str
    email: str
    thread: str
    envelope: Mapping[str, object]
    send_at: int
    mid: str
    queue_id: int
    canceled: bool = False

    @property
    def document(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    def undo_status(self, now: datetime) -> str:
        """Return whether it can be undone."""
        if self.canceled:
            return "canceled"
        return "pending" if self.send_at > now.timestamp() else "final"

    def describe(self, now: datetime) -> dict[str, object]:
        """Return all properties but deliveryStatus."""
        return {
            "id": self.submission_id,
            "identityId": self.identity,
            "emailId": self.email,
            "threadId": self.thread,
            "envelope": self.envelope,
            "sendAt": write_utc_date(self.send_at),
            "undoStatus": self.undo_status(now),
            "dsnBlobIds": [],
            "mdnBlobIds": [],
        }

    @property
    def recipients(self) -> Sequence[str]:
        """The addresses that it was sent to, as the client wrote them."""
        listed = self.envelope.get("rcptTo")
        return [str(one["email"]) for one in listed] if isinstance(listed, list) else []


@dataclass(frozen=True, slots=True)
class SubmissionState:
    """The state of an account's submissions: of the records, of the timeline, and of what was released."""

    records: int
    step: int
    released: int

    def __str__(self) -> str:
        return f"e{self.records}.{self.step}.{self.released}"


def read_submission_state(text: str) -> SubmissionState:
    """Read a state. Raises `MethodError` (cannotCalculateChanges)."""
    match = _STATE.fullmatch(text)
    if match is None:
        raise MethodError("cannotCalculateChanges")
    return SubmissionState(*map(int, match.groups()))


async def list_submissions(
    services: SubmissionServices, account: AccountId
) -> tuple[Mapping[str, Submission], SubmissionState]:
    """Return the submissions by their ids, the oldest first, and their state."""
    steps = await services.timelines.list_timeline(account, limit=1)
    records, state = await services.records.list_records(account, KIND)
    found = {record.record_id: Submission(**json.loads(record.document)) for record in records}
    now = services.clock.timestamp()
    released = max((one.send_at for one in found.values() if one.send_at <= now and not one.canceled), default=0)
    return found, SubmissionState(state, steps[0].entry_id if steps else 0, released)


async def tell_delivery(services: SubmissionServices, account: AccountId, one: Submission) -> Mapping[str, object]:
    """Return deliveryStatus: by recipient, what was said last and whether the message lies in a mailbox."""
    steps = await services.timelines.list_timeline(account, mid=one.mid, limit=_MOST_STEPS)
    latest: dict[str, TimelineEntry] = {}
    for step in steps:  # the newest first
        if step.new.direction is Direction.OUTGOING and step.new.step in _DELIVERED:
            latest.setdefault(step.new.counterpart.casefold(), step)
    waiting = one.queue_id and await services.queue.find_message(QueueId(one.queue_id)) is not None
    told: dict[str, object] = {}
    for email in one.recipients:
        step_now = latest.get(email.casefold())
        if step_now is None:
            reply, delivered = f"250 2.0.0 Message accepted as {one.mid}", "queued" if waiting else "unknown"
        else:
            reply, delivered = _reply(step_now), _DELIVERED[step_now.new.step]
        if one.canceled:
            delivered = "no"
        told[email] = {"smtpReply": reply, "delivered": delivered, "displayed": "unknown"}
    return told


def _reply(step: TimelineEntry) -> str:
    new = step.new
    code = new.code or {"yes": 250, "no": 550}.get(_DELIVERED[new.step], 250)
    return " ".join(filter(None, (str(code), new.status, new.text or new.step.value)))[:_LINE]
