"""The queue's transport for our own recipients: from a queued message to INBOX."""

from __future__ import annotations

__all__ = ["LocalTransport"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from hongyan.accounts.aliases import Aliases, Refusal, Resolution
from hongyan.addresses import Address
from hongyan.audit.timelines import Timelines
from hongyan.delivery.deliver import Arrived, Delivered, Deliverer
from hongyan.errors import HongyanError, OverQuota, ServerFault, StorageFull
from hongyan.message.trace import delivered_to_field, find_deliveries, return_path_field
from hongyan.queue.causes import Cause
from hongyan.queue.forwarding import Forwarding
from hongyan.queue.items import Queue, new_message
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import LocalRoute
from hongyan.queue.transport import Delivery
from hongyan.queue.verp import return_path
from hongyan.store.queue import NewRecipient, QueuedMessage, QueuedRecipient
from hongyan.store.timelines import Direction, NewTimelineEntry, Step
from hongyan.types import AccountId
from hongyan.wire.smtp.parameters import Notify

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

    def __init__(
        self, aliases: Aliases, deliverer: Deliverer, queue: Queue, timelines: Timelines, forwarding: Forwarding
    ) -> None:
        self._aliases = aliases
        self._deliverer = deliverer
        self._queue = queue
        self._timelines = timelines
        self._forwarding = forwarding

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
            if resolution.external and recipient.address.canonical.lower() in find_deliveries(octets):
                if not resolution.recipients:
                    return _outcome(*_REFUSALS[Refusal.LOOP])
                resolution = replace(resolution, external=())
            await self._forward(message, recipient, resolution)
            accounts = [found.account for found in resolution.recipients]
            outcome = await self._file(message, recipient, accounts, octets)
            others = bool(resolution.external)
            is_single = _is_single(resolution)
            return replace(outcome, is_handed_on=others and is_single, is_expanded=others and not is_single)
        except HongyanError as error:
            return _judge(error)

    async def _file(
        self, message: QueuedMessage, recipient: QueuedRecipient, accounts: list[AccountId], octets: bytes
    ) -> Outcome:
        # What was added on its way in belongs to the trace, and so to the prefix of the copy.
        served = octets[len(message.prefix) :]
        path = return_path(message, recipient.address)
        prefix = return_path_field(None if path is None else str(path)) + message.prefix
        receipt = sha256(b"queue %d %d" % (message.id, recipient.number)).digest()
        # Who submitted it may write from its reverse-path; nobody vouches for that of a message that passes through.
        sender = message.reverse_path if message.account is not None else None
        arrived = Arrived(prefix, served)
        done = await self._deliverer.deliver(accounts, arrived, receipt, mid=message.trace_id, sender=sender)
        for one in done:
            self._note(message, recipient, one)
        faults = [one.fault for one in done if one.fault is not None]
        return _judge(faults[0]) if faults else _delivered(done)

    def _note(self, message: QueuedMessage, recipient: QueuedRecipient, one: Delivered) -> None:
        """Tell the account that it has the message, or that it does not have it yet."""
        outcome = None if one.fault is None else _judge(one.fault)
        self._timelines.note(
            NewTimelineEntry(
                account=one.account,
                direction=Direction.INCOMING,
                mid=message.trace_id,
                step=Step.DELIVERED if outcome is None else Step.DEFERRED,
                at=self._queue.clock.now(),
                address=str(recipient.address),
                counterpart="" if message.reverse_path is None else str(message.reverse_path),
                stage=Stage.LOCAL.value,
                status="2.1.5" if outcome is None else outcome.status,
                text="" if outcome is None else outcome.text,
                folder=one.folder if outcome is None else "",
            )
        )

    async def _forward(self, message: QueuedMessage, recipient: QueuedRecipient, resolution: Resolution) -> None:
        """Queue the message for addresses elsewhere that the recipient's alias stands for."""
        if not resolution.external:
            return
        now = self._queue.clock.now()
        await self._queue.enqueue(
            new_message(
                self._forwarding.rewrite(return_path(message, recipient.address)),
                [_sent_on(recipient, address, is_single=_is_single(resolution)) for address in resolution.external],
                now=now,
                expires=self._queue.schedule.expires(now),
                size=message.size,
                blob=message.blob,
                content_digest=sha256(b"forward %d %d" % (message.id, recipient.number)).digest(),
                prefix=delivered_to_field(recipient.address.canonical) + message.prefix,
                omitted=message.omitted,
                trace_id=message.trace_id,
                body=message.body,
                smtputf8=message.smtputf8,
                require_tls=message.require_tls,
                ret=message.ret,
                envelope_id=message.envelope_id,
            )
        )


def _is_single(resolution: Resolution) -> bool:
    """Whether an alias has one address behind it: then the message is handed on, and nothing more (RFC 3461 §5.2.7)."""
    return len(resolution.external) + len(resolution.recipients) == 1


def _sent_on(recipient: QueuedRecipient, address: Address, *, is_single: bool) -> NewRecipient:
    """Return whom it goes to, with the sender's wishes.

    Of the success of one of several he is not told: he is told that there are several (RFC 3461 §5.2.7.3).
    """
    notify = recipient.notify
    if notify is not None and not is_single:
        notify &= ~Notify.SUCCESS
    return NewRecipient(address, notify, recipient.original)


def _outcome(result: Result, status: str, text: str) -> Outcome:
    return Outcome(result=result, stage=Stage.LOCAL, status=status, text=text)


def _delivered(done: Sequence[Delivered]) -> Outcome:
    """Return success; of an address that stands for several, the folder in which the first has it."""
    folder = done[0].folder if done else ""
    return replace(_outcome(Result.DELIVERED, "2.1.5", "Delivered"), folder=folder)


def _judge(error: HongyanError) -> Outcome:
    """Return what an error of the store means: all of them pass, or the message stays until it is too old."""
    match error:
        case OverQuota():
            return _outcome(Result.DEFERRED, "4.2.2", "The recipient's mailbox is full")
        case StorageFull():
            return _outcome(Result.DEFERRED, "4.3.1", "There is no room for the message just now")
        case _:
            return Outcome.from_cause(Cause.FAILED_HERE, Stage.LOCAL)
