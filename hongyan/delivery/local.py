"""The queue's transport for our own recipients: from a queued message to INBOX."""

from __future__ import annotations

__all__ = ["LocalTransport"]

from collections.abc import Mapping
from hashlib import sha256

from hongyan.accounts.aliases import Aliases, Refusal, Resolution
from hongyan.delivery.deliver import Deliverer
from hongyan.errors import HongyanError, OverQuota, ServerFault, StorageFull
from hongyan.message.trace import return_path_field
from hongyan.queue.causes import Cause
from hongyan.queue.items import Queue, new_message
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import LocalRoute
from hongyan.queue.transport import Delivery
from hongyan.store.queue import NewRecipient, QueuedMessage, QueuedRecipient
from hongyan.types import AccountId

_REFUSALS = {
    Refusal.NOT_LOCAL: (Result.FAILED, "5.1.2", "The domain is not served here any more"),
    Refusal.UNKNOWN: (Result.FAILED, "5.1.1", "There is no such recipient here"),
    Refusal.DISABLED: (Result.FAILED, "5.2.1", "This mailbox does not take mail"),
    Refusal.OVER_QUOTA: (Result.DEFERRED, "4.2.2", "The recipient's mailbox is full"),
    Refusal.LOOP: (Result.FAILED, "5.4.6", "The address leads round in circles"),
    Refusal.TOO_MANY: (Result.FAILED, "5.1.1", "The address stands for too many others"),
}


class LocalTransport:
    """Delivers claims of local destinations. The same message comes to the same account once, however often tried."""

    def __init__(self, aliases: Aliases, deliverer: Deliverer, queue: Queue) -> None:
        self._aliases = aliases
        self._deliverer = deliverer
        self._queue = queue

    async def deliver(self, delivery: Delivery, route: LocalRoute) -> Mapping[int, Outcome]:  # noqa: ARG002 - no choice
        """Return the outcome for each recipient, by its number."""
        try:
            octets = b"".join([chunk async for chunk in delivery.content.chunks()])
        except ServerFault:
            failed = Outcome.from_cause(Cause.CONTENT_UNREADABLE, Stage.LOCAL)
            return {recipient.number: failed for recipient in delivery.recipients}
        return {
            recipient.number: await self._deliver(delivery.message, recipient, octets)
            for recipient in delivery.recipients
        }

    async def _deliver(self, message: QueuedMessage, recipient: QueuedRecipient, octets: bytes) -> Outcome:
        try:
            resolution = await self._aliases.resolve(recipient.address)
            if resolution.refusal is not None:
                return _outcome(*_REFUSALS[resolution.refusal])
            await self._forward(message, recipient, resolution)
            accounts = [found.account for found in resolution.recipients]
            return await self._file(message, recipient, accounts, octets)
        except HongyanError as error:
            return _judge(error)

    async def _file(
        self, message: QueuedMessage, recipient: QueuedRecipient, accounts: list[AccountId], octets: bytes
    ) -> Outcome:
        # What was added on its way in belongs to the trace, and so to the prefix of the copy.
        served = octets[len(message.prefix) :]
        reverse_path = None if message.reverse_path is None else str(message.reverse_path)
        prefix = return_path_field(reverse_path) + message.prefix
        receipt = sha256(b"queue %d %d" % (message.id, recipient.number)).digest()
        done = await self._deliverer.deliver(accounts, prefix, served, receipt, mid=message.trace_id)
        faults = [one.fault for one in done if one.fault is not None]
        return _judge(faults[0]) if faults else _outcome(Result.DELIVERED, "2.1.5", "Delivered")

    async def _forward(self, message: QueuedMessage, recipient: QueuedRecipient, resolution: Resolution) -> None:
        """Queue the message for addresses elsewhere that the recipient's alias stands for."""
        if not resolution.external:
            return
        now = self._queue.clock.now()
        await self._queue.enqueue(
            new_message(
                message.reverse_path,
                [NewRecipient(address) for address in resolution.external],
                now=now,
                expires=self._queue.schedule.expires(now),
                size=message.size,
                blob=message.blob,
                content_digest=sha256(b"forward %d %d" % (message.id, recipient.number)).digest(),
                prefix=message.prefix,
                omitted=message.omitted,
                trace_id=message.trace_id,
                body=message.body,
                smtputf8=message.smtputf8,
            )
        )


def _outcome(result: Result, status: str, text: str) -> Outcome:
    return Outcome(result=result, stage=Stage.LOCAL, status=status, text=text)


def _judge(error: HongyanError) -> Outcome:
    """Return what an error of the store means: all of them pass, or the message stays until it is too old."""
    match error:
        case OverQuota():
            return _outcome(Result.DEFERRED, "4.2.2", "The recipient's mailbox is full")
        case StorageFull():
            return _outcome(Result.DEFERRED, "4.3.1", "There is no room for the message just now")
        case _:
            return Outcome.from_cause(Cause.FAILED_HERE, Stage.LOCAL)
