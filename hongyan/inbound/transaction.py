"""Mail from other servers, as policy sees it: one transaction after the other on a connection.

Only for our own recipients; who is unknown, disabled or full is told so in the session and never by a bounce. The
250 is said when the message is on stable storage for every recipient. Should one account fail after another has its
copy, its recipient goes to the queue and the answer is still 250 (RFC 5321 §6.1).
"""

from __future__ import annotations

__all__ = ["InboundServices", "InboundTransaction"]

from collections.abc import Coroutine
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from hongyan import telemetry
from hongyan.accounts.aliases import Aliases, Refusal, Resolution
from hongyan.addresses import Address
from hongyan.clock import Clock, Random
from hongyan.delivery.deliver import Delivered, Deliverer
from hongyan.delivery.spool import Spool
from hongyan.errors import OverQuota, StorageFailed, StorageFull
from hongyan.message.trace import (
    MAX_HOPS,
    ReceivedBy,
    TlsFacts,
    count_hops,
    end_of_trace,
    folds_into_trace,
    received_field,
    return_path_field,
)
from hongyan.queue.items import Queue, new_message
from hongyan.store.queue import NewRecipient
from hongyan.store.receipts import envelope_digest
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import POSTMASTER, Hello, MailFrom, RcptTo
from hongyan.wire.smtp.parameters import Body
from hongyan.wire.smtp.replies import Reply

Answer = Reply | Coroutine[Any, Any, Reply]

_REFUSALS = {
    Refusal.NOT_LOCAL: replies.RELAY_DENIED,
    Refusal.UNKNOWN: replies.UNKNOWN_RECIPIENT,
    Refusal.DISABLED: replies.RECIPIENT_DISABLED,
    Refusal.OVER_QUOTA: replies.RECIPIENT_OVER_QUOTA,
    Refusal.LOOP: replies.UNKNOWN_RECIPIENT,
    Refusal.TOO_MANY: replies.UNKNOWN_RECIPIENT,
}

log = telemetry.logger("inbound")
_accepted = metrics.smtpserver_delivery_total.labels("accepted", "")


@dataclass(frozen=True, slots=True)
class InboundServices:
    """What transactions work with."""

    hostname: str
    aliases: Aliases
    deliverer: Deliverer
    queue: Queue
    clock: Clock
    random: Random
    spool: Path


class InboundTransaction:
    """One connection's transactions."""

    __slots__ = (
        "_accounts",
        "_cid",
        "_external",
        "_forward_paths",
        "_hello",
        "_mail",
        "_peer",
        "_services",
        "_spool",
        "_tls",
    )

    def __init__(self, services: InboundServices, peer: str, cid: str) -> None:
        self._services = services
        self._peer = peer
        self._cid = cid
        self._hello: Hello | None = None
        self._tls: TlsFacts | None = None
        self._mail: MailFrom | None = None
        self._accounts: dict[AccountId, Address] = {}
        self._external: dict[str, Address] = {}
        self._forward_paths: dict[str, None] = {}
        self._spool = Spool(services.spool)

    def hello(self, hello: Hello, *, tls: TlsFacts | None) -> None:
        self._hello, self._tls = hello, tls
        self.reset()

    def mail(self, command: MailFrom) -> Answer:
        self.reset()
        self._mail = command
        return replies.SENDER_OK

    def recipient(self, command: RcptTo) -> Answer:
        path = command.forward_path
        address = None if path is POSTMASTER else path
        known = self._services.aliases.find(address)
        return self._look_up(address) if known is None else self._take(address, known)

    async def _look_up(self, address: Address | None) -> Reply:
        return self._take(address, await self._services.aliases.resolve(address))

    def _take(self, address: Address | None, resolution: Resolution) -> Reply:
        if resolution.refusal is not None:
            metrics.smtpserver_errors_total.labels("inbound", resolution.refusal.value).inc()
            return _REFUSALS[resolution.refusal]
        for recipient in resolution.recipients:
            self._accounts[recipient.account] = recipient.address
        for external in resolution.external:
            self._external[external.canonical] = external
        self._forward_paths["postmaster" if address is None else address.canonical] = None
        return replies.RECIPIENT_OK

    def start(self) -> Reply | None:
        return None

    def chunk(self, octets: bytes) -> Reply | None:
        try:
            self._spool.add(octets)
        except StorageFull:
            return replies.STORAGE_FULL
        except StorageFailed:
            return replies.STORAGE_FAILED
        return None

    def end(self) -> Answer:
        return self._deliver()

    def reset(self) -> None:
        self._mail = None
        self._spool.drop()
        if self._forward_paths:
            self._accounts, self._external, self._forward_paths = {}, {}, {}

    def logged_in(self, principal: object) -> None:
        """Nobody logs in on port 25."""

    # -- the message

    async def _deliver(self) -> Reply:
        mail, octets = self._mail, self._spool.take()
        accounts, external, paths = self._accounts, list(self._external.values()), list(self._forward_paths)
        self.reset()
        if mail is None:
            return replies.SERVER_ERROR
        if folds_into_trace(octets):
            return replies.MESSAGE_MALFORMED
        if count_hops(octets) > MAX_HOPS:
            return replies.MESSAGE_LOOPS
        mid = self._services.random.token(9).hex()
        reverse_path = mail.reverse_path
        received = received_field(self._how(mail, mid, paths)) + end_of_trace(octets)
        prefix = return_path_field(None if reverse_path is None else str(reverse_path)) + received
        digest = envelope_digest(None, reverse_path, paths, sha256(octets).digest())
        log.info("received", cid=self._cid, mid=mid, size=len(octets), recipients=len(paths))
        done = await self._services.deliverer.deliver(list(accounts), prefix, octets, digest, mid=mid)
        failed = [one for one in done if one.fault is not None]
        if failed and len(failed) == len(done) and not external:
            return _worst(failed)
        later = [accounts[one.account] for one in failed]
        if later or external:
            await self._hand_on(mail, [*later, *external], received, octets, digest, mid)
        _accepted.inc()
        return Reply(250, "2.0.0", (f"Message accepted as {mid}",))

    def _how(self, mail: MailFrom, mid: str, paths: list[str]) -> ReceivedBy:
        hello = self._hello
        return ReceivedBy(
            helo=hello.name if hello is not None else "unknown",
            peer=self._peer,
            host=self._services.hostname,
            mid=mid,
            at=self._services.clock.now(),
            extended=hello is None or hello.extended,
            tls=self._tls,
            smtputf8=mail.parameters.smtputf8,
            recipient=paths[0] if len(paths) == 1 else None,
        )

    async def _hand_on(
        self, mail: MailFrom, recipients: list[Address], received: bytes, octets: bytes, digest: bytes, mid: str
    ) -> None:
        """Queue the message for addresses elsewhere, and for accounts that could not take it just now."""
        queue = self._services.queue
        now = queue.clock.now()
        await queue.enqueue(
            new_message(
                mail.reverse_path,
                [NewRecipient(address) for address in recipients],
                now=now,
                expires=queue.schedule.expires(now),
                size=len(octets),
                octets=octets,
                content_digest=digest,
                prefix=received,
                trace_id=mid,
                body=mail.parameters.body or Body.SEVEN_BIT,
                smtputf8=mail.parameters.smtputf8,
            )
        )


def _worst(failed: list[Delivered]) -> Reply:
    """Nobody has the message: say why, so that the sender tries again or gives up."""
    faults = [one.fault for one in failed]
    if all(isinstance(fault, OverQuota) for fault in faults):
        return replies.RECIPIENT_OVER_QUOTA
    if any(isinstance(fault, StorageFull) for fault in faults):
        return replies.STORAGE_FULL
    if any(isinstance(fault, StorageFailed) for fault in faults):
        return replies.STORAGE_FAILED
    return replies.SERVER_ERROR
