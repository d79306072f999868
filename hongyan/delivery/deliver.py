"""Deliver a message into accounts: each account in one unit of work, the same message to the same account once.

The receipt makes it so: it names the envelope and the octets, and is stored with the message. A client that did not
hear our 250 and sends again within ten minutes gets a second 250 and no second copy (RFC 5321 §6.1 leaves it the
choice, we take the duplicate away).
"""

from __future__ import annotations

__all__ = ["Delivered", "Deliverer"]

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from hongyan import telemetry
from hongyan.errors import HongyanError
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.mail import Mail
from hongyan.message.analyze import Analysis, analyze
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId

_IN_A_THREAD = 1 << 20

log = telemetry.logger("delivery")


@dataclass(frozen=True, slots=True)
class Delivered:
    """How it went for one account: `fault` None is success, also when the message was there already."""

    account: AccountId
    fault: HongyanError | None
    duplicate: bool = False


class Deliverer:
    """Puts messages into INBOX."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail

    async def deliver(
        self, accounts: Sequence[AccountId], prefix: bytes, octets: bytes, digest: bytes, *, mid: str
    ) -> Sequence[Delivered]:
        """Deliver to every account, and return how it went for each, in order."""
        if len(octets) < _IN_A_THREAD:
            analysis = analyze(prefix, octets)
        else:
            analysis = await asyncio.to_thread(analyze, prefix, octets)
        incoming = Incoming(octets, prefix, analysis=analysis)
        if len(accounts) == 1:
            return [await self._deliver(accounts[0], incoming, analysis, digest, mid)]
        return await asyncio.gather(*(self._deliver(account, incoming, analysis, digest, mid) for account in accounts))

    async def _deliver(
        self, account: AccountId, incoming: Incoming, analysis: Analysis, digest: bytes, mid: str
    ) -> Delivered:
        receipt = Receipt.given(digest, int(self._mail.clock.timestamp()))
        try:
            done = await append(self._mail, account, INBOX_ID, [incoming], receipt=receipt)
        except HongyanError as fault:
            log.info("not-delivered", mid=mid, account=int(account), error=type(fault).__name__)
            return Delivered(account, fault)
        log.info(
            "delivered",
            mid=mid,
            account=int(account),
            uid=done.first_uid,
            size=analysis.size,
            duplicate=done.duplicate,
        )
        return Delivered(account, None, done.duplicate)
