"""How it went, for each recipient: from a reply or a cause to delivered, deferred or failed. Pure.

`Outcome` is what a transport says; `conclude` makes of it what is stored (`Settled`) and what the
sender is told (`Notice`), by the schedule and by the wishes of RFC 3461. A message with the null
reverse-path never causes a notice (RFC 5321 §4.5.5).
"""

from __future__ import annotations

__all__ = ["Notice", "Outcome", "Result", "Stage", "conclude", "deliveries_of", "hold_untold"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from hongyan.clock import Random
from hongyan.message.dsn import Action
from hongyan.queue.causes import Cause
from hongyan.queue.schedule import Schedule
from hongyan.store.queue import AttemptReport, Claim, QueuedRecipient, RecipientState, Settled, Settlement
from hongyan.store.timelines import Step
from hongyan.wire.smtp.parameters import Notify
from hongyan.wire.smtp.replies import Reply

_MAX_TEXT: Final = 1000
"""Characters that are kept of what a server said."""


class Result(Enum):
    """What an attempt came to."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    HELD = "held"
    """Nothing was tried, and nothing will be until an operator says so."""


class Stage(StrEnum):
    """How far an attempt had got. Most are those of an SMTP session (`wire.smtp.client_events`)."""

    ROUTE = "route"
    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "hello"
    TLS = "tls"
    LOGIN = "login"
    MAIL = "mail"
    RECIPIENT = "recipient"
    DATA = "data"
    END = "end of data"
    CHECK = "check"
    """What the server offers did not do for the message; it was not asked."""
    LOCAL = "local"
    """Into one of our own mailboxes."""


_BEFORE_MAIL: Final = frozenset({Stage.ROUTE, Stage.CONNECT, Stage.GREETING, Stage.HELLO, Stage.TLS, Stage.LOGIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt went for one recipient."""

    result: Result
    stage: Stage
    status: str
    """Enhanced status code (RFC 3463)."""
    text: str
    """One line of harmless text."""
    remote: str = ""
    """The host that answered."""
    code: int | None = None
    """The reply code, if it was a reply."""
    is_encrypted: bool = False
    """The connection had TLS."""
    folder: str = ""
    """Delivered here: into "inbox", "junk", or another mailbox by its name."""
    not_before: datetime | None = None
    """Deferred: no try before that moment will do better."""
    is_handed_on: bool = False
    """Delivered, and the next host tells the sender of its success, as it offers DSN (RFC 3461 §5.2.2)."""
    is_expanded: bool = False
    """Delivered to an address that stands for several, some of them elsewhere (RFC 3461 §5.2.7.3)."""

    @staticmethod
    def from_reply(reply: Reply, stage: Stage, remote: str) -> Outcome:
        """Judge a reply that ends the matter for a recipient (RFC 5321 §4.2.1)."""
        failed = Result.FAILED if reply.is_permanent else Result.DEFERRED
        result = Result.DELIVERED if reply.is_positive else failed
        enhanced = reply.enhanced_code or "0.0.0"
        status = f"{reply.code // 100}{enhanced[1:]}"  # The first digits agree (RFC 2034 §4), whatever a server says.
        text = str(reply)[:_MAX_TEXT]
        return Outcome(result=result, stage=stage, status=status, text=text, remote=remote, code=reply.code)

    @staticmethod
    def from_cause(cause: Cause, stage: Stage, *, remote: str = "", detail: str = "") -> Outcome:
        """Judge what this server found out by itself."""
        text = f"{cause.line} ({detail})"[:_MAX_TEXT] if detail else cause.line
        failed = Result.FAILED if cause.is_permanent else Result.DEFERRED
        result = Result.HELD if cause is Cause.HELD_HERE else failed
        return Outcome(result=result, stage=stage, status=cause.status, text=text, remote=remote)

    def report(self, at: datetime) -> AttemptReport:
        return AttemptReport(at, self.status, self.remote, self.text)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the sender is to be told of one recipient."""

    action: Action
    recipient: QueuedRecipient
    outcome: Outcome
    is_expired: bool = False
    """Failed because its time was over: the outcome is that of the last attempt."""


def find_obstacle(outcomes: Mapping[int, Outcome]) -> Outcome | None:
    """Return why nothing reaches the destination, if every recipient was deferred before MAIL."""
    every = list(outcomes.values())
    if every and all(outcome.result is Result.DEFERRED and outcome.stage in _BEFORE_MAIL for outcome in every):
        return every[0]
    return None


def conclude(
    claim: Claim, outcomes: Mapping[int, Outcome], schedule: Schedule, now: datetime, random: Random
) -> tuple[tuple[Settled, ...], tuple[Notice, ...]]:
    """Return what is stored and what is told, for the recipients that have an outcome (by number)."""
    settled: list[Settled] = []
    notices: list[Notice] = []
    for recipient in claim.recipients:
        outcome = outcomes.get(recipient.number)
        if outcome is None:
            continue
        one, action = _settle(claim, recipient, outcome, schedule, now, random)
        settled.append(one)
        if action is not None and _wishes(claim, recipient, action):
            is_expired = action is Action.FAILED and outcome.result is Result.DEFERRED
            notices.append(Notice(action, recipient, outcome, is_expired))
    return tuple(settled), tuple(notices)


def hold_untold(settled: Sequence[Settled], notices: Sequence[Notice]) -> tuple[Settled, ...]:
    """Return what is stored when no notice can be made: failures that nobody is told of wait for an operator."""
    untold = {notice.recipient.number for notice in notices}
    return tuple(
        replace(one, state=RecipientState.HELD) if one.number in untold and one.state is RecipientState.FAILED else one
        for one in settled
    )


def deliveries_of(settlement: Settlement) -> Settlement:
    """Return what counts of a settlement when its lease was lost: what is delivered stays so."""
    delivered = tuple(one for one in settlement.recipients if one.state is RecipientState.DELIVERED)
    told = tuple(one for one in settlement.timeline if one.step in (Step.DELIVERED, Step.RELAYED))
    return replace(settlement, lease=None, recipients=delivered, notices=(), timeline=told)


def _settle(
    claim: Claim, recipient: QueuedRecipient, outcome: Outcome, schedule: Schedule, now: datetime, random: Random
) -> tuple[Settled, Action | None]:
    told = recipient.delay_told
    attempts = recipient.attempts + 1
    if outcome.result is Result.DELIVERED:
        return _settled(recipient, RecipientState.DELIVERED, outcome, now), _arrival(outcome)
    if outcome.result is Result.FAILED:
        return _settled(recipient, RecipientState.FAILED, outcome, now), Action.FAILED
    if outcome.result is Result.HELD:
        return _settled(recipient, RecipientState.HELD, outcome, now), None
    if schedule.is_exhausted(claim.message, attempts, now):
        expired = Outcome.from_cause(Cause.EXPIRED, outcome.stage, remote=outcome.remote, detail=outcome.text)
        return _settled(recipient, RecipientState.FAILED, expired, now), Action.FAILED
    is_delay_due = schedule.is_delay_notice_due(claim.message, recipient, now)
    settled = Settled(
        number=recipient.number,
        state=RecipientState.READY,
        report=outcome.report(now),
        next_attempt=max(schedule.next_attempt(attempts, now, random), outcome.not_before or now),
        delay_told=told or is_delay_due,
    )
    return settled, Action.DELAYED if is_delay_due else None


def _settled(recipient: QueuedRecipient, state: RecipientState, outcome: Outcome, now: datetime) -> Settled:
    return Settled(number=recipient.number, state=state, report=outcome.report(now), delay_told=recipient.delay_told)


def _arrival(outcome: Outcome) -> Action | None:
    if outcome.is_handed_on:
        return None
    if outcome.is_expanded:
        return Action.EXPANDED
    return Action.DELIVERED if outcome.stage is Stage.LOCAL else Action.RELAYED


def _wishes(claim: Claim, recipient: QueuedRecipient, action: Action) -> bool:
    """Whether the sender wants to be told (RFC 3461 §4.1); without NOTIFY, of failures and delays."""
    if claim.message.reverse_path is None:
        return False
    match action:
        case Action.FAILED:
            return recipient.notify is None or Notify.FAILURE in recipient.notify
        case Action.DELAYED:
            return recipient.notify is None or Notify.DELAY in recipient.notify
        case Action.DELIVERED | Action.RELAYED | Action.EXPANDED:
            return recipient.notify is not None and Notify.SUCCESS in recipient.notify
