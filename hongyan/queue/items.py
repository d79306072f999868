"""What goes into the queue, and the one way in.

`new_message` makes the value that `store.queue` keeps: times filled in, recipients named once,
a receipt that lets a client's resend be known for what it is. `Queue.enqueue` stores it and wakes
the worker.
"""

from __future__ import annotations

__all__ = ["Queue", "new_message"]

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from hongyan.addresses import Address
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.queue.timeline import accepted_steps
from hongyan.store.blobs import BlobSource
from hongyan.store.bookings import Booking
from hongyan.store.queue import Enqueued, NewMessage, NewRecipient, QueueStore
from hongyan.store.receipts import RECEIPT_LIFETIME, envelope_digest
from hongyan.types import AccountId, BlobRef
from hongyan.wire.smtp.parameters import Body, Ret


def new_message(
    reverse_path: Address | None,
    recipients: Iterable[NewRecipient],
    *,
    now: datetime,
    expires: datetime,
    size: int,
    blob: BlobRef | None = None,
    octets: BlobSource | None = None,
    content_digest: bytes | None = None,
    delay: timedelta = timedelta(0),
    prefix: bytes = b"",
    omitted: tuple[tuple[int, int], ...] = (),
    account: AccountId | None = None,
    trace_id: str = "",
    body: Body = Body.SEVEN_BIT,
    smtputf8: bool = False,
    require_tls: bool = False,
    ret: Ret | None = None,
    envelope_id: str | None = None,
    held: str | None = None,
    verp: str | None = None,
    booking: Booking | None = None,
) -> NewMessage:
    """Return a message to be queued.

    `content_digest` is the digest of the octets as received; with it a resend is stored once.
    `delay` keeps the message back, so that its sender may still take it back. `held` says why it waits for an operator.
    """
    named: dict[Address, NewRecipient] = {}
    for recipient in recipients:
        named.setdefault(recipient.address, recipient)
    once = tuple(named.values())
    receipt = None if content_digest is None else _receipt(account, reverse_path, once, content_digest)
    later = now + delay if delay else None
    return NewMessage(
        reverse_path=reverse_path,
        recipients=once,
        size=size,
        blob=blob,
        octets=octets,
        prefix=prefix,
        omitted=omitted,
        account=account,
        trace_id=trace_id,
        body=body,
        smtputf8=smtputf8,
        require_tls=require_tls,
        ret=ret,
        envelope_id=envelope_id,
        queued_at=now,
        not_before=now + delay,
        expires=expires + delay,
        held=held,
        verp=verp,
        booking=booking,
        receipt=receipt,
        receipt_until=None if receipt is None else now + RECEIPT_LIFETIME,
        timeline=accepted_steps(account, trace_id, reverse_path, once, now, not_before=later, held=held),
    )


def _receipt(
    account: AccountId | None, reverse_path: Address | None, recipients: Iterable[NewRecipient], content_digest: bytes
) -> bytes:
    return envelope_digest(account, reverse_path, [str(one.address) for one in recipients], content_digest)


class Queue:
    """The way into the queue for submission, forwarding and notifications."""

    def __init__(
        self, store: QueueStore, clock: SteadyClock, schedule: Schedule, wake: Callable[[Iterable[str]], None]
    ) -> None:
        self._store = store
        self._wake = wake
        self.clock = clock
        self.schedule = schedule

    async def enqueue(self, message: NewMessage) -> Enqueued:
        """Store a message for good, then wake the worker. Afterwards it may be acknowledged."""
        enqueued = await self._store.enqueue(message)
        if enqueued.is_new:
            self._wake({recipient.destination for recipient in message.recipients})
        return enqueued
