"""What a recipient may read of mail that came to our door: taken, put off or refused, and why.

Only accounts that exist have a timeline: what is refused because nobody has the address leaves none. A refusal that
concerns everybody is told to each of the recipients that were named before.
"""

from __future__ import annotations

__all__ = ["InboundTimeline", "reason_of", "why_not_stored"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hongyan.addresses import Address
from hongyan.audit.timelines import Timelines
from hongyan.clock import Clock
from hongyan.delivery.deliver import Delivered
from hongyan.errors import HongyanError, OverQuota
from hongyan.screening.verdict import Disposition, Finding, Verdict
from hongyan.store.passages import Passage
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.types import AccountId
from hongyan.wire.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class InboundTimeline:
    """Notes the steps of messages from other servers."""

    timelines: Timelines
    clock: Clock

    def refused(
        self,
        accounts: Mapping[AccountId, Address],
        reverse_path: Address | None,
        peer: str,
        reply: Reply,
        reason: str,
        *,
        stage: str,
        mid: str = "",
        text: str = "",
        is_encrypted: bool = False,
        verdict: Verdict | None = None,
    ) -> None:
        """The message is refused, or put off, with this reply.

        `text` says more than the reply where there is more; the finding that decided says more than `reason`.
        """
        now = self.clock.now()
        sender = "" if reverse_path is None else str(reverse_path)
        for account, address in accounts.items():
            finding = None if verdict is None else _decisive(verdict, account)
            self.timelines.note(
                NewTimelineEntry(
                    account=account,
                    direction=Direction.INCOMING,
                    mid=mid,
                    step=Step.REFUSED if reply.is_permanent else Step.DEFERRED,
                    at=now,
                    address=str(address),
                    counterpart=sender,
                    stage=stage,
                    host=peer,
                    code=reply.code,
                    status=reply.enhanced_code,
                    text=text or (reply.text if finding is None else finding.text),
                    is_encrypted=is_encrypted,
                    reason=reason if finding is None else reason_of(finding),
                )
            )

    def filed(
        self,
        done: Sequence[Delivered],
        accounts: Mapping[AccountId, Address],
        reverse_path: Address | None,
        peer: str,
        *,
        mid: str,
        is_encrypted: bool,
        passage: Passage,
        verdict: Verdict | None = None,
    ) -> None:
        """The message is taken, and lies with those who have it.

        Who has it not yet gets it by the queue. Accounts that nothing was done for are those whose copy is held.
        """
        now = self.clock.now()
        sender = "" if reverse_path is None else str(reverse_path)
        delivered = {one.account: one for one in done}
        for account, address in accounts.items():
            one = delivered.get(account)
            step, folder, reason, text = _filed(one, None if verdict is None else _decisive(verdict, account))
            self.timelines.note(
                NewTimelineEntry(
                    account=account,
                    direction=Direction.INCOMING,
                    mid=mid,
                    step=step,
                    at=now,
                    address=str(address),
                    counterpart=sender,
                    stage="end of data",
                    host=peer,
                    code=250,
                    status="2.0.0",
                    text=text,
                    is_encrypted=is_encrypted,
                    folder=folder,
                    reason=reason,
                    passage=passage,
                )
            )


def _filed(one: Delivered | None, finding: Finding | None) -> tuple[Step, str, str, str]:
    """Return step, folder, reason and text of a copy; None is one that is held."""
    reason, text = reason_of(finding), "" if finding is None else finding.text
    if one is None:
        return Step.HELD, "", reason, text
    if one.fault is not None:
        return Step.ACCEPTED, "", why_not_stored(one.fault), ""
    return Step.DELIVERED, one.folder, reason, text


def reason_of(finding: Finding | None) -> str:
    """Return the stable word of a finding."""
    return "" if finding is None else f"{finding.check}/{finding.reason}"


def _decisive(verdict: Verdict, account: AccountId) -> Finding | None:
    """Return the finding for which a copy is not simply filed into INBOX."""
    finding = verdict.decisive(account)
    return finding if finding is not None and finding.disposition > Disposition.ACCEPT else None


def why_not_stored(fault: HongyanError | None) -> str:
    """Return the stable word for a message that could not be stored."""
    return "over-quota" if isinstance(fault, OverQuota) else "storage"
