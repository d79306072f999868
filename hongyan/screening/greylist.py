"""Greylisting: a suspicious stranger's first mail is put off, as programs that never come back do not come back.

Off unless switched on; and then only a first contact that is suspicious is asked to come again (an odd name in EHLO, a
listing): honest strangers lose no time. The triplet is the network, the sender's domain and the recipient. Where SPF
passes for the sender's domain the domain stands for the network, since large senders try again from another address.
Who comes back after `wait` and within `window` passes, and goes on passing for `keep`. The store being away opens.
"""

from __future__ import annotations

__all__ = ["Greylist", "GreylistOptions", "Step", "decide"]

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.limits.networks import wide_network_of
from hongyan.options import option
from hongyan.screening.gate import Visit
from hongyan.screening.verdict import Disposition, Finding
from hongyan.store.correspondents import correspondent_key
from hongyan.store.greylist import Contact, GreylistStore, Triplet
from hongyan.wire.smtp.replies import Reply

log = telemetry.logger("greylist")

_SPF_SECONDS = 5.0

PassesSpf = Callable[[str, Address], Awaitable[bool]]
"""Whether SPF lets a host send for the domain of an address."""


@dataclass(frozen=True, slots=True)
class GreylistOptions:
    """The section `[greylist]`."""

    enabled: bool = option(False, "Whether suspicious first contacts are asked to come again.")
    wait: float = option(300.0, "How long a first contact is put off.", unit="s")
    window: float = option(48.0, "How long it may take to come again.", unit="hours")
    keep: float = option(36.0, "How long who came again passes, from the last mail on.", unit="days")

    def __post_init__(self) -> None:
        if not 1 <= self.wait <= 3600 or self.window * 3600 <= self.wait or self.keep < 1:
            raise ValueError("greylisting waits an hour at most, less than its window, and keeps for a day at least")


class Step(Enum):
    """What becomes of a contact."""

    PASS = "pass"  # noqa: S105 - no secret
    """It passes already."""
    PASS_NOW = "pass-now"  # noqa: S105 - the same
    """It came again in time."""
    WAIT = "wait"
    BEGIN_ANEW = "begin-anew"
    """It came again too late: it waits once more."""


def decide(contact: Contact, now: datetime, options: GreylistOptions) -> Step:
    """Return what becomes of a contact. Pure."""
    if contact.passed_at is not None:
        return Step.PASS
    waited = now - contact.first_at
    if waited < timedelta(seconds=options.wait):
        return Step.WAIT
    return Step.PASS_NOW if waited <= timedelta(hours=options.window) else Step.BEGIN_ANEW


class Greylist:
    """`screening.gate.RecipientJudge`."""

    def __init__(self, options: GreylistOptions, store: GreylistStore, clock: Clock, passes_spf: PassesSpf) -> None:
        self._options = options
        self._store = store
        self._clock = clock
        self._passes_spf = passes_spf

    def begin(self, host: str) -> None:
        """Nothing takes time before a recipient is named."""

    async def judge(self, visit: Visit, reverse_path: Address | None, recipient: Address) -> Finding | None:
        if not self._options.enabled or visit.is_known or not visit.suspicion:
            return None
        now = self._clock.now()
        triplet = await self._triplet(visit.host, reverse_path, recipient)
        try:
            contact = await self._store.meet(triplet, now)
            match decide(contact, now, self._options):
                case Step.PASS:
                    return None
                case Step.PASS_NOW:
                    await self._store.pass_on(triplet, now)
                    return None
                case Step.BEGIN_ANEW:
                    await self._store.begin_anew(triplet, now)
                    return _later(self._options.wait)
                case Step.WAIT:
                    return _later(self._options.wait - (now - contact.first_at).total_seconds())
        except ServerFault as fault:
            log.warning("store-unreachable", cause=fault.cause)
        return None

    async def expire(self) -> int:
        """Forget who did not come again, and who passed and was not seen for long."""
        now = self._clock.now()
        return await self._store.expire_greylist(
            now - timedelta(hours=self._options.window), now - timedelta(days=self._options.keep)
        )

    async def _triplet(self, host: str, reverse_path: Address | None, recipient: Address) -> Triplet:
        source, sender = wide_network_of(host), ""
        if reverse_path is not None:
            sender = reverse_path.domain.text
            task = asyncio.ensure_future(self._passes_spf(host, reverse_path))
            done, _ = await asyncio.wait([task], timeout=_SPF_SECONDS)
            task.cancel()
            if done and task.exception() is None and task.result():
                source = "spf"
        return Triplet(source, sender, correspondent_key(recipient))


def _later(seconds: float) -> Finding:
    minutes = max(-(-int(seconds) // 60), 1)
    unit = "minute" if minutes == 1 else "minutes"
    text = f"You are not known here yet; try again in {minutes} {unit}"
    reply = Reply(450, "4.7.1", (text,))
    return Finding(check="greylist", reason="first-contact", disposition=Disposition.DEFER, text=text, reply=reply)
