"""What a sender may read of his message: the steps of its timeline, from what the queue does with it. Pure.

They are stored in the unit of work that takes the message or settles an attempt, so that the timeline and the queue
never disagree. A message that no account of ours sent has no reader, and so no steps.
"""

from __future__ import annotations

__all__ = ["accepted_steps", "attempt_steps"]

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hongyan.addresses import Address
from hongyan.queue.outcome import Notice, Outcome, Result, Stage
from hongyan.store.queue import Claim, NewRecipient, RecipientState, Settled
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.types import AccountId


def accepted_steps(
    account: AccountId | None,
    mid: str,
    reverse_path: Address | None,
    recipients: Iterable[NewRecipient],
    now: datetime,
    *,
    not_before: datetime | None = None,
    held: str | None = None,
) -> tuple[NewTimelineEntry, ...]:
    """Return the first step for each recipient. `not_before` is given for a message that is kept back at first.

    `held` says why it waits for an operator.
    """
    if account is None:
        return ()
    address = "" if reverse_path is None else str(reverse_path)
    return tuple(
        NewTimelineEntry(
            account=account,
            direction=Direction.OUTGOING,
            mid=mid,
            step=Step.ACCEPTED if held is None else Step.HELD,
            at=now,
            address=address,
            counterpart=str(recipient.address),
            next_attempt=not_before,
            text=held or "",
        )
        for recipient in recipients
    )


def attempt_steps(
    claim: Claim,
    outcomes: Mapping[int, Outcome],
    settled: Sequence[Settled],
    told: Sequence[Notice],
) -> tuple[NewTimelineEntry, ...]:
    """Return what an attempt came to for each recipient, and of which of them the sender is told."""
    account = claim.message.account
    if account is None:
        return ()
    recipients = {recipient.number: recipient for recipient in claim.recipients}
    steps = [
        _attempt_step(claim, account, str(recipients[one.number].address), outcomes[one.number], one) for one in settled
    ]
    if told:
        steps += [_told_step(claim, account, notice, settled[0].report.at) for notice in told]
    return tuple(steps)


def _attempt_step(
    claim: Claim, account: AccountId, recipient: str, outcome: Outcome, settled: Settled
) -> NewTimelineEntry:
    step = _step_of(outcome, settled.state)
    report = settled.report
    return NewTimelineEntry(
        account=account,
        direction=Direction.OUTGOING,
        mid=claim.message.trace_id,
        step=step,
        at=report.at,
        address=_sender(claim),
        counterpart=recipient,
        stage=outcome.stage.value,
        host=report.remote,
        code=outcome.code,
        status=report.status,
        text=report.text,
        is_encrypted=outcome.is_encrypted if report.remote else None,
        next_attempt=settled.next_attempt,
        # Where a colleague has it filed is told no closer than this.
        folder=outcome.folder if outcome.folder in ("", "inbox", "junk") else "folder",
    )


def _step_of(outcome: Outcome, state: RecipientState) -> Step:
    match state:
        case RecipientState.DELIVERED:
            return Step.DELIVERED if outcome.stage is Stage.LOCAL else Step.RELAYED
        case RecipientState.READY:
            return Step.DEFERRED
        case RecipientState.HELD:
            return Step.HELD
        case _:
            if outcome.result is Result.DEFERRED:
                return Step.EXPIRED
            is_their_word = outcome.code is not None or outcome.stage is Stage.LOCAL
            return Step.REFUSED if is_their_word else Step.FAILED


def _told_step(claim: Claim, account: AccountId, notice: Notice, at: datetime) -> NewTimelineEntry:
    return NewTimelineEntry(
        account=account,
        direction=Direction.OUTGOING,
        mid=claim.message.trace_id,
        step=Step.NOTIFIED,
        at=at,
        address=_sender(claim),
        counterpart=str(notice.recipient.address),
        reason=notice.action.value,
    )


def _sender(claim: Claim) -> str:
    return "" if claim.message.reverse_path is None else str(claim.message.reverse_path)
