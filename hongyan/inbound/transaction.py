"""Mail from other servers, as policy sees it: one transaction after the other on a connection.

Only for our own recipients; who is unknown, disabled or full is told so in the session and never by a bounce. What
becomes of a message that has come in completely is decided in `reception`.
"""

from __future__ import annotations

__all__ = ["InboundTransaction"]

from collections.abc import Coroutine, Sequence
from typing import Any

from hongyan.accounts.aliases import LocalRecipient, Refusal, Resolution
from hongyan.addresses import Address
from hongyan.delivery.spool import Spool
from hongyan.errors import StorageFailed, StorageFull
from hongyan.inbound.origin import Origin
from hongyan.inbound.passage import Watch
from hongyan.inbound.reception import Arrival, InboundServices, Reception
from hongyan.inbound.timeline import reason_of
from hongyan.message.trace import TlsFacts
from hongyan.screening.verdict import Finding
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import POSTMASTER, Hello, MailFrom, RcptTo
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


class InboundTransaction:
    """One connection's transactions."""

    __slots__ = (
        "_accounts",
        "_cid",
        "_external",
        "_forward_paths",
        "_hello",
        "_mail",
        "_origin",
        "_peer",
        "_sent_on",
        "_services",
        "_spool",
        "_tls",
        "_watch",
    )

    def __init__(self, services: InboundServices, peer: str, cid: str) -> None:
        self._services = services
        self._peer = peer
        self._cid = cid
        self._hello: Hello | None = None
        self._tls: TlsFacts | None = None
        self._mail: MailFrom | None = None
        self._origin: Origin | None = None
        self._watch = Watch(services.clock)
        self._accounts: dict[AccountId, Address] = {}
        self._external: dict[str, Address] = {}
        self._sent_on: dict[str, str] = {}
        self._forward_paths: dict[str, None] = {}
        self._spool = Spool(services.spool)

    def hello(self, hello: Hello, *, tls: TlsFacts | None) -> None:
        self._hello, self._tls = hello, tls
        self.reset()

    def mail(self, command: MailFrom) -> Answer:
        self.reset()
        self._mail, self._watch = command, Watch(self._services.clock)
        helo = "unknown" if self._hello is None else self._hello.name
        self._origin = self._services.checks.begin(self._peer, helo, command.reverse_path)
        return replies.SENDER_OK

    def recipient(self, command: RcptTo) -> Answer:
        path = command.forward_path
        address = None if path is POSTMASTER else path
        if address is not None and self._services.forwarding.is_rewritten(address):
            return self._take_bounce(address)
        known = self._services.aliases.find(address)
        return self._look_up(address) if known is None else self._take(address, known)

    async def _look_up(self, address: Address | None) -> Reply:
        return self._take(address, await self._services.aliases.resolve(address))

    def _take_bounce(self, address: Address) -> Reply:
        """Take a bounce of what we forwarded: it goes back to whoever sent it first."""
        sender = self._services.forwarding.find_sender(address)
        if sender is None or self._mail is None or self._mail.reverse_path is not None:
            metrics.smtpserver_errors_total.labels("inbound", Refusal.UNKNOWN.value).inc()
            return replies.UNKNOWN_RECIPIENT
        self._external[sender.canonical] = sender
        self._forward_paths[address.canonical] = None
        return replies.RECIPIENT_OK

    def _take(self, address: Address | None, resolution: Resolution) -> Reply:
        if resolution.refusal is not None:
            metrics.smtpserver_errors_total.labels("inbound", resolution.refusal.value).inc()
            reply = _REFUSALS[resolution.refusal]
            if resolution.refused:
                self._note_refused(resolution.refused, reply, resolution.refusal.value)
            return reply
        for recipient in resolution.recipients:
            self._accounts[recipient.account] = recipient.address
        path = "postmaster" if address is None else address.canonical
        for external in resolution.external:
            self._external[external.canonical] = external
            self._sent_on.setdefault(external.canonical, path)
        self._forward_paths[path] = None
        return replies.RECIPIENT_OK

    async def turned_away(self, address: Address, finding: Finding) -> None:
        """The gate refused a recipient: whoever has the address may read of it."""
        aliases = self._services.aliases
        found = aliases.find(address) or await aliases.resolve(address)
        if found.recipients and finding.reply is not None:
            self._note_refused(found.recipients, finding.reply, reason_of(finding), finding.text)

    def _note_refused(self, recipients: Sequence[LocalRecipient], reply: Reply, reason: str, text: str = "") -> None:
        self._services.timeline.refused(
            {recipient.account: recipient.address for recipient in recipients},
            None if self._mail is None else self._mail.reverse_path,
            self._peer,
            reply,
            reason,
            stage="recipient",
            text=text,
            is_encrypted=self._tls is not None,
        )

    def start(self) -> Reply | None:
        return None

    def chunk(self, octets: bytes) -> Reply | None:
        if self._origin is not None:
            self._origin.add(octets)
        try:
            self._spool.add(octets)
        except StorageFull:
            return replies.STORAGE_FULL
        except StorageFailed:
            return replies.STORAGE_FAILED
        return None

    def end(self) -> Answer:
        self._watch.transferred()
        return self._receive()

    def reset(self) -> None:
        self._mail = None
        if self._origin is not None:
            self._origin.drop()
            self._origin = None
        self._spool.drop()
        if self._forward_paths:
            self._accounts, self._external, self._sent_on, self._forward_paths = {}, {}, {}, {}

    def logged_in(self, principal: object) -> None:
        """Nobody logs in on port 25."""

    async def _receive(self) -> Reply:
        """Let what has come in be received; the transaction is over."""
        mail, origin, octets = self._mail, self._origin, self._spool.take()
        if mail is None:
            return replies.SERVER_ERROR
        arrival = Arrival(
            peer=self._peer,
            cid=self._cid,
            hello=self._hello,
            tls=self._tls,
            mail=mail,
            accounts=self._accounts,
            external=list(self._external.values()),
            sent_on=self._sent_on,
            forward_paths=list(self._forward_paths),
            octets=octets,
            watch=self._watch,
        )
        self._origin = None  # Who receives the message asks it.
        self.reset()
        return await Reception(self._services).take(arrival, origin)
