"""Deliver a message into accounts: each account in one unit of work, the same message to the same account once.

The receipt makes it so: it names the envelope and the octets, and is stored with the message. A client that did not
hear our 250 and sends again within ten minutes gets a second 250 and no second copy (RFC 5321 §6.1 leaves it the
choice, we take the duplicate away).
"""

from __future__ import annotations

__all__ = ["Arrived", "Delivered", "Deliverer"]

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from hongyan import telemetry
from hongyan.accounts.cache import Cache
from hongyan.addresses import Address
from hongyan.errors import HongyanError
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.special_use import find_special
from hongyan.message.analyze import Analysis
from hongyan.message.anatomy import Anatomy
from hongyan.message.headers import find_body
from hongyan.store.mailboxes import INBOX_ID
from hongyan.store.receipts import Receipt
from hongyan.types import AccountId, MailboxId

_JUNK_KEYWORD = b"$Junk"
_IN_A_THREAD = 1 << 20
_LOOKED_AT = 16 << 10  # octets of a message that is read within milliseconds, whatever stands in it
_MANY_PARTS = 100
_KEPT = 50_000  # pairs of an account and who wrote to it today
_DAY = 86_400

log = telemetry.logger("delivery")


@dataclass(frozen=True, slots=True)
class Delivered:
    """How it went for one account: `fault` None is success, also when the message was there already."""

    account: AccountId
    fault: HongyanError | None
    duplicate: bool = False
    folder: str = "inbox"
    """Where it lies: "inbox", "junk", or the name of another mailbox."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message to be delivered: our trace fields, the octets as they came, and how many of them are not served."""

    prefix: bytes
    octets: bytes
    skipped: int = 0
    anatomy: Anatomy | None = None
    """That of the octets, if somebody has read it already."""


class Deliverer:
    """Puts messages into INBOX, or into Junk."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._heard: Cache[tuple[AccountId, Address], int] = Cache(_KEPT)

    async def deliver(
        self,
        accounts: Sequence[AccountId],
        message: Arrived,
        digest: bytes,
        *,
        mid: str,
        sender: Address | None = None,
        junk: Collection[AccountId] = (),
    ) -> Sequence[Delivered]:
        """Deliver to every account, to those of `junk` into Junk, and return how it went for each, in order.

        `sender` becomes a correspondent of the accounts: give none where nobody vouches for it. That of junk does not.
        """
        incoming = Incoming(
            message.octets, message.prefix, heard=sender, skipped=message.skipped, anatomy=message.anatomy
        )
        if _is_laborious(message.octets):
            analysis = await asyncio.to_thread(incoming.analyze)
        else:
            analysis = incoming.analyze()
        incoming = replace(incoming, analysis=analysis)
        if len(accounts) == 1:
            return [await self._deliver(accounts[0], incoming, analysis, digest, mid, accounts[0] in junk)]
        return await asyncio.gather(
            *(self._deliver(account, incoming, analysis, digest, mid, account in junk) for account in accounts)
        )

    async def _deliver(
        self, account: AccountId, incoming: Incoming, analysis: Analysis, digest: bytes, mid: str, is_junk: bool
    ) -> Delivered:
        day = int(self._mail.clock.timestamp()) // _DAY
        sender = incoming.heard
        if is_junk:
            # An agent that delivers may say so (the registry of IMAP keywords). What users say is told from it by that.
            incoming = replace(incoming, heard=None, flags=(*incoming.flags, _JUNK_KEYWORD))
        elif sender is not None and self._heard.find((account, sender)) == day:
            incoming = replace(incoming, heard=None)  # It is noted for today; correspondents are counted by days.
        receipt = Receipt.given(digest, int(self._mail.clock.timestamp()))
        try:
            mailbox = await self._find_junk(account) if is_junk else INBOX_ID
            done = await append(self._mail, account, mailbox, [incoming], receipt=receipt)
        except HongyanError as fault:
            log.info("not-delivered", mid=mid, account=int(account), error=type(fault).__name__)
            return Delivered(account, fault)
        if incoming.heard is not None and not done.duplicate:
            self._heard.keep((account, incoming.heard), day, self._heard.generation)
        log.info(
            "delivered",
            mid=mid,
            account=int(account),
            mailbox=int(mailbox),
            uid=done.first_uid,
            size=analysis.size,
            duplicate=done.duplicate,
        )
        return Delivered(account, None, done.duplicate, "inbox" if mailbox == INBOX_ID else "junk")

    async def _find_junk(self, account: AccountId) -> MailboxId:
        """Return the account's Junk; whoever has removed it gets all mail in INBOX."""
        junk = await find_special(self._mail, account, "\\Junk")
        return INBOX_ID if junk is None else junk.mailbox_id


def _is_laborious(octets: bytes) -> bool:
    """Whether a message takes long to read: it is large, or what strangers make of many parts or of a huge header."""
    size = len(octets)
    if size < _LOOKED_AT or size >= _IN_A_THREAD:
        return size >= _IN_A_THREAD
    return find_body(octets, 0, size) > _LOOKED_AT or octets.count(b"\n--") > _MANY_PARTS
