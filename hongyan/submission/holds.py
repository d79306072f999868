"""Accounts on hold: what happens when one looks stolen, and when an operator releases it.

Held, an account sends no more: what of its mail waits in the queue is held there, what is submitted is refused with a
sentence. Its owner still reads mail and logs in. Owner and postmaster are told once, by a message into their inboxes,
which is queued in the unit of work that holds the account.
Released, what was held leaves, and for a time no evidence holds the account again.
"""

from __future__ import annotations

__all__ = ["Holds"]

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from hongyan import telemetry
from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.addresses import Address
from hongyan.audit.events import SERVER, Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock, Random
from hongyan.errors import NotFound
from hongyan.limits.sending import SendingOptions, Suspicion
from hongyan.queue.acts import QueueActs
from hongyan.queue.items import Queue, new_message
from hongyan.store.queue import NewMessage, NewRecipient, Selection
from hongyan.store.sending import Hold, SendingStore, Trigger
from hongyan.submission.hold_notices import HoldNotices
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.wire.smtp.parameters import Body, Notify

log = telemetry.logger("submission")


class Holds:
    """Holds accounts and releases them: the one place where it is done."""

    def __init__(
        self,
        store: SendingStore,
        queue: QueueActs,
        accounts: Accounts,
        aliases: Aliases,
        outgoing: Queue,
        audit: AuditLog,
        clock: Clock,
        random: Random,
        options: SendingOptions,
        *,
        hostname: str,
        wake: Callable[[Iterable[str]], None],
    ) -> None:
        """`wake` lets the queue look for what has become due, first for the destinations that are named."""
        self._store = store
        self._queue = queue
        self._accounts = accounts
        self._aliases = aliases
        self._outgoing = outgoing
        self._audit = audit
        self._clock = clock
        self._notices_of = HoldNotices(hostname, clock, random)
        self._options = options
        self._wake = wake

    async def suspect(self, account: AccountId, suspicion: Suspicion) -> None:
        """Hold an account that looks stolen."""
        await self.hold(account, suspicion.trigger, suspicion.seen, SERVER, in_chinese=suspicion.seen_in_chinese)

    async def hold(
        self, account: AccountId, trigger: Trigger, reason: str, actor: Actor, *, in_chinese: str = ""
    ) -> int | None:
        """Put an account on hold; return how many recipients in the queue are held now, None if it was on hold.

        `in_chinese` is the reason for letters in Chinese; an operator's own words are told as they are.
        """
        hold = Hold(trigger, reason, actor.name, self._clock.now())
        entry = self._audit.entry(AuditEvent.SENDING_HELD, actor, account=account, trigger=trigger.value, reason=reason)
        notices = await self._notices(account, hold, in_chinese or reason)
        # One unit: an account that is held has been told of it, and what it sends from here on is held as it is queued.
        if not await self._store.hold(account, hold, audit=entry, notices=notices):
            return None
        self._wake({recipient.destination for notice in notices for recipient in notice.recipients})
        kept = await self._queue.hold(Selection(account=account), hold.why)
        metrics.sending_holds_total.labels(trigger.value).inc()
        log.warning("account-held", account=int(account), trigger=trigger.value, reason=reason, recipients=kept)
        return kept

    async def release(self, account: AccountId, reason: str, actor: Actor) -> int:
        """Release an account; return how many recipients in the queue go on. Raises `NotFound` if it is not held."""
        if (await self._store.find_sender(account)).hold is None:
            raise _not_held()
        # The queue first: whoever is interrupted in between finds the account on hold, and releases it again.
        released = await self._queue.release(Selection(account=account))
        grace_until = self._clock.now() + timedelta(hours=self._options.grace)
        entry = self._audit.entry(AuditEvent.SENDING_RELEASED, actor, account=account, reason=reason)
        if not await self._store.release(account, grace_until, audit=entry):
            raise _not_held()
        self._wake(())
        log.info("account-released", account=int(account), by=actor.name, recipients=released)
        return released

    async def recover(self) -> None:
        """Hold what waits of accounts on hold: who was killed while holding one may have left its mail in the queue.

        To be called before the queue begins to send.
        """
        for account, hold in await self._store.list_held():
            kept = await self._queue.hold(Selection(account=account), hold.why)
            if kept:
                log.warning("account-held-on", account=int(account), recipients=kept)

    async def _notices(self, account: AccountId, hold: Hold, in_chinese: str) -> list[NewMessage]:
        """Return what is written to the owner and to postmaster."""
        owner = await self._accounts.find_by_id(account)
        if owner is None:
            return []
        made = [self._message([owner.address], self._notices_of.for_owner(owner, hold, in_chinese))]
        readers = [found.address for found in (await self._aliases.resolve(None)).recipients]
        if readers:
            made.append(self._message(readers, self._notices_of.for_postmaster(owner, hold, in_chinese)))
        return made

    def _message(self, readers: Sequence[Address], octets: bytes) -> NewMessage:
        now = self._outgoing.clock.now()
        return new_message(
            None,
            [NewRecipient(reader, Notify.NEVER) for reader in readers],
            now=now,
            expires=self._outgoing.schedule.expires(now),
            size=len(octets),
            octets=octets,
            trace_id="hold",
            body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT,
        )


def _not_held() -> NotFound:
    return NotFound("That account is not on hold.")
