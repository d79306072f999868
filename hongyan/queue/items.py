"""What goes into the queue, and the one way in.

`new_message` makes the value that `store.queue` keeps: times filled in, recipients named once,
a receipt that lets a client's resend be known for what it is. `Queue.enqueue` stores it and wakes
the worker.
"""

from __future__ import annotations

__all__ = ["RECEIPT_LIFETIME", "Queue", "make_receipt", "new_message"]

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from hongyan.addresses import Address
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.store.blobs import BlobSource
from hongyan.store.queue import Enqueued, NewMessage, NewRecipient, QueueStore
from hongyan.types import AccountId, BlobRef
from hongyan.wire.smtp.parameters import Body, Ret

RECEIPT_LIFETIME: Final = timedelta(minutes=10)
"""A client that never saw our 250 sends again within this time; the message is stored once."""


def make_receipt(
    account: AccountId | None, reverse_path: Address | None, recipients: Iterable[NewRecipient], content_digest: bytes
) -> bytes:
    """Return the digest of an envelope and of the octets as they were received.

    The order of recipients does not count. What we add ourselves (Received, Message-ID) is not in
    the octets: it differs each time.
    """
    digest = sha256()
    for part in (
        str(account or ""),
        str(reverse_path or ""),
        *sorted({str(recipient.address) for recipient in recipients}),
    ):
        octets = part.encode()
        digest.update(len(octets).to_bytes(4, "big"))
        digest.update(octets)
    digest.update(content_digest)
    return digest.digest()


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
) -> NewMessage:
    """Return a message to be queued.

    `content_digest` is the digest of the octets as received; with it a resend is stored once.
    `delay` keeps the message back, so that its sender may still take it back.
    """
    named: dict[Address, NewRecipient] = {}
    for recipient in recipients:
        named.setdefault(recipient.address, recipient)
    once = tuple(named.values())
    receipt = None if content_digest is None else make_receipt(account, reverse_path, once, content_digest)
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
        receipt=receipt,
        receipt_until=None if receipt is None else now + RECEIPT_LIFETIME,
    )


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
