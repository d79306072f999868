"""What a sender may read of messages that were not taken from him: his program may have said so, and may not."""

from __future__ import annotations

__all__ = ["SubmissionTimeline"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hongyan.addresses import Address
from hongyan.audit.timelines import Timelines
from hongyan.clock import Clock
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.types import AccountId
from hongyan.wire.smtp.replies import Reply

_MOST: Final = 20
"""Recipients of one refused message that are told one by one; of more, it is one step."""


@dataclass(frozen=True, slots=True)
class SubmissionTimeline:
    """Notes what is refused of our own users."""

    timelines: Timelines
    clock: Clock

    def refused_recipient(
        self, account: AccountId, sender: Address | None, recipient: Address, reply: Reply, reason: str = ""
    ) -> None:
        """A recipient is not taken: a rule says so (`reason`), or a mailbox here takes no mail."""
        step = Step.BLOCKED if reason else Step.REFUSED
        self._note(account, "", sender, str(recipient), step, "recipient", reply, reason)

    def blocked(
        self,
        account: AccountId,
        mid: str,
        sender: Address | None,
        recipients: Sequence[Address],
        reply: Reply,
        reason: str,
    ) -> None:
        """The whole message is not taken."""
        told = [str(recipient) for recipient in recipients] if len(recipients) <= _MOST else [""]
        for recipient in told:
            self._note(account, mid, sender, recipient, Step.BLOCKED, "end of data", reply, reason)

    def _note(
        self,
        account: AccountId,
        mid: str,
        sender: Address | None,
        recipient: str,
        step: Step,
        stage: str,
        reply: Reply,
        reason: str,
    ) -> None:
        self.timelines.note(
            NewTimelineEntry(
                account=account,
                direction=Direction.OUTGOING,
                mid=mid,
                step=step,
                at=self.clock.now(),
                address="" if sender is None else str(sender),
                counterpart=recipient,
                stage=stage,
                code=reply.code,
                status=reply.enhanced_code,
                text=reply.text,
                reason=reason,
            )
        )
