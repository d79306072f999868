"""How deliveries to other servers ended, for those who count: suppression, and who looks for stolen accounts."""

from __future__ import annotations

__all__ = ["BounceSink", "Ended", "Sinks", "ends_of"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.errors import ServerFault
from hongyan.queue.classification import BounceClass, classify
from hongyan.queue.outcome import Outcome, Result
from hongyan.store.queue import Claim, RecipientState, Settled
from hongyan.types import AccountId

_log = telemetry.logger("queue")


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of one recipient elsewhere: taken by another server, or given up."""

    account: AccountId | None
    """Whose submission it was; None for what was sent on, and for what this server writes itself."""
    address: Address
    bounce: BounceClass | None
    """None: it was taken."""
    status: str
    text: str
    at: datetime


class BounceSink(Protocol):
    """Is told of each end, after it is stored. Best effort: a process that is killed tells nobody."""

    async def ended(self, ends: Sequence[Ended]) -> None:
        """Take note. Raises `ServerFault`, which is logged and stops no mail."""
        ...


class Sinks:
    """All who are told, as one `BounceSink`: what one of them cannot note, the others still are told."""

    def __init__(self, *sinks: BounceSink) -> None:
        self._sinks = list(sinks)

    def add(self, sink: BounceSink) -> None:
        """Tell one more from now on."""
        self._sinks.append(sink)

    async def ended(self, ends: Sequence[Ended]) -> None:
        """Tell all of them. Raises nothing that they raise."""
        for sink in self._sinks if ends else ():
            try:
                await sink.ended(ends)
            except ServerFault as fault:
                _log.error("end-not-counted", error=fault)


def ends_of(claim: Claim, outcomes: Mapping[int, Outcome], settled: Sequence[Settled], now: datetime) -> list[Ended]:
    """Return the recipients of a claim that came to their end, with the class of their refusal."""
    states = {one.number: one.state for one in settled}
    ends = []
    for recipient in claim.recipients:
        state, outcome = states.get(recipient.number), outcomes[recipient.number]
        if state not in (RecipientState.DELIVERED, RecipientState.FAILED):
            continue
        kind = None
        if outcome.result is not Result.DELIVERED:
            kind = classify(outcome.code, outcome.status, outcome.text, outcome.stage)
        ends.append(Ended(claim.message.account, recipient.address, kind, outcome.status, outcome.text, now))
    return ends
