"""Mail from our users by port 465 and 587, as policy sees it (RFC 6409).

The reverse-path must be an address of whoever is logged in. A recipient of ours who cannot get mail is refused in
the session; everything else goes through the queue.
"""

from __future__ import annotations

__all__ = ["HandedOver", "SubmissionServices", "SubmissionTransaction"]

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hongyan.accounts.aliases import Aliases, Refusal, Resolution
from hongyan.accounts.identities import Identities
from hongyan.addresses import Address, AddressFault
from hongyan.auth.principal import Principal
from hongyan.clock import Clock, Random
from hongyan.delivery.spool import Spool, SpoolRoom
from hongyan.errors import StorageFailed, StorageFull
from hongyan.message.trace import ReceivedBy, TlsFacts, received_field
from hongyan.queue.suppression import Suppressions
from hongyan.queue.verp import default_delimiters, verp_address
from hongyan.store.queue import NewRecipient
from hongyan.submission.submit import Submission, SubmissionRefused, Submitter
from hongyan.submission.timeline import SubmissionTimeline
from hongyan.types import QueueId
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.commands import POSTMASTER, Hello, MailFrom, RcptTo
from hongyan.wire.smtp.parameters import Body
from hongyan.wire.smtp.replies import Reply

Answer = Reply | Coroutine[Any, Any, Reply]

_REFUSALS = {
    Refusal.UNKNOWN: replies.UNKNOWN_RECIPIENT,
    Refusal.DISABLED: replies.RECIPIENT_DISABLED,
    Refusal.OVER_QUOTA: replies.RECIPIENT_OVER_QUOTA,
    Refusal.LOOP: replies.UNKNOWN_RECIPIENT,
    Refusal.TOO_MANY: replies.UNKNOWN_RECIPIENT,
}


@dataclass(frozen=True, slots=True)
class SubmissionServices:
    """What transactions work with."""

    hostname: str
    aliases: Aliases
    identities: Identities
    submitter: Submitter
    timeline: SubmissionTimeline
    clock: Clock
    random: Random
    spool: SpoolRoom
    hide_client: bool
    future_release: timedelta = timedelta(0)
    """For how long a message may be kept back (RFC 4865)."""
    offers_verp: bool = False
    suppressions: Suppressions | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What became of a message. `mid` is empty, and `queue_id` None, where it was refused."""

    reply: Reply
    mid: str = ""
    queue_id: QueueId | None = None


class SubmissionTransaction:
    """One connection's transactions."""

    __slots__ = (
        "_cid",
        "_hello",
        "_leaves",
        "_mail",
        "_peer",
        "_principal",
        "_protocol",
        "_recipients",
        "_services",
        "_spool",
        "_tls",
        "_verp",
    )

    def __init__(self, services: SubmissionServices, peer: str, cid: str, protocol: str = "") -> None:
        """`protocol` names what messages come by, if that is not SMTP."""
        self._services = services
        self._peer = peer
        self._cid = cid
        self._protocol = protocol
        self._hello: Hello | None = None
        self._tls: TlsFacts | None = None
        self._principal: Principal | None = None
        self._mail: MailFrom | None = None
        self._verp: str | None = None
        self._recipients: list[NewRecipient] = []
        self._leaves = False
        self._spool = Spool(services.spool)

    def hello(self, hello: Hello, *, tls: TlsFacts | None) -> None:
        self._hello, self._tls = hello, tls
        self.reset()

    def logged_in(self, principal: Principal) -> None:
        self._principal = principal

    def mail(self, command: MailFrom) -> Answer:
        self.reset()
        principal, path = self._principal, command.reverse_path
        if principal is None:
            return replies.AUTHENTICATION_REQUIRED
        allowed = path is None or self._services.identities.find(principal.account, path)
        if allowed is None and path is not None:
            return self._look_up_sender(command, principal, path)
        return self._take_sender(command, allowed=bool(allowed))

    async def _look_up_sender(self, command: MailFrom, principal: Principal, path: Address) -> Reply:
        allowed = await self._services.identities.may_use(principal.account, path)
        return self._take_sender(command, allowed=allowed)

    def _take_sender(self, command: MailFrom, *, allowed: bool) -> Reply:
        if not allowed:
            return replies.SENDER_NOT_YOURS
        if self._delay(command) > self._services.future_release:
            return replies.HELD_TOO_LONG
        refusal = self._take_delimiters(command)
        if refusal is not None:
            return refusal
        self._mail = command
        return replies.SENDER_OK

    def _take_delimiters(self, command: MailFrom) -> Reply | None:
        """Note how return paths by recipient are made, if they are; return why they cannot be."""
        wanted, path = command.parameters.verp, command.reverse_path
        if wanted is None:
            return None
        separators = "" if path is None else self._services.aliases.separators(path.domain)
        delimiters = wanted or default_delimiters(separators)
        # What comes back must be a subaddress of the sender's, and of nobody else's.
        if path is None or delimiters[0] not in separators or any(one in path.local_part[1:] for one in separators):
            return replies.VERP_LEADS_NOWHERE
        self._verp = delimiters
        return None

    def recipient(self, command: RcptTo) -> Answer:
        path = command.forward_path
        address = None if path is POSTMASTER else path
        known = self._services.aliases.find(address)
        return self._look_up(command, address) if known is None else self._take(command, address, known)

    async def _look_up(self, command: RcptTo, address: Address | None) -> Reply:
        return self._take(command, address, await self._services.aliases.resolve(address))

    def _take(self, command: RcptTo, address: Address | None, resolution: Resolution) -> Reply:
        if resolution.refusal is not None and resolution.refusal is not Refusal.NOT_LOCAL:
            return self._refuse(address, _REFUSALS[resolution.refusal])
        if address is not None and resolution.refusal is Refusal.NOT_LOCAL and (refusal := self._suppressed(address)):
            return self._refuse(address, refusal, "suppressed")
        if address is not None and self._is_too_long(address):
            return self._refuse(address, replies.VERP_TOO_LONG)
        self._leaves |= resolution.refusal is Refusal.NOT_LOCAL or bool(resolution.external)
        if address is not None:
            self._recipients.append(NewRecipient(address, command.notify, command.orcpt))
        else:
            # <postmaster> without a domain is ours (RFC 5321 §4.5.1): the admins read it.
            self._recipients += [NewRecipient(found.address, command.notify) for found in resolution.recipients]
        return replies.RECIPIENT_OK

    def _refuse(self, address: Address | None, reply: Reply, reason: str = "") -> Reply:
        """Let the sender read of a recipient that is not taken, and return the reply."""
        if address is not None and self._principal is not None:
            sender = None if self._mail is None else self._mail.reverse_path
            self._services.timeline.refused_recipient(self._principal.account, sender, address, reply, reason)
        return reply

    def _is_too_long(self, recipient: Address) -> bool:
        """Whether no return path can name the recipient."""
        sender = None if self._mail is None else self._mail.reverse_path
        if self._verp is None or sender is None:
            return False
        try:
            verp_address(sender, recipient, self._verp)
        except AddressFault:
            return True
        return False

    def _suppressed(self, address: Address) -> Reply | None:
        """Return why nobody may be written to whose address bounced again and again; None if that is not so."""
        suppressions, principal = self._services.suppressions, self._principal
        known = None if suppressions is None or principal is None else suppressions.find(principal.account, address)
        if known is None:
            return None
        since, until = known.since.strftime("%Y-%m-%d"), known.until.strftime("%Y-%m-%d")
        text = f"The address bounced, and is suppressed since {since}; wait until {until} or ask your administrator"
        return Reply(550, "5.1.1", (text,))

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
        return self._end()

    async def _end(self) -> Reply:
        return (await self.hand_over()).reply

    def reset(self) -> None:
        self._mail = None
        self._verp = None
        self._spool.drop()
        self._recipients = []
        self._leaves = False

    async def hand_over(self) -> HandedOver:
        """Queue the message as `end` does, and tell what it is known by."""
        principal, mail, recipients, octets = self._principal, self._mail, self._recipients, self._spool.take()
        leaves, verp = self._leaves, self._verp
        self.reset()
        if principal is None or mail is None:
            return HandedOver(replies.SERVER_ERROR)
        mid = self._services.random.token(9).hex()
        submission = Submission(
            principal=principal,
            reverse_path=mail.reverse_path,
            recipients=recipients,
            octets=octets,
            received=received_field(self._how(mail, mid)),
            mid=mid,
            leaves=leaves,
            body=mail.parameters.body or Body.SEVEN_BIT,
            smtputf8=mail.parameters.smtputf8,
            require_tls=mail.parameters.requiretls,
            ret=mail.parameters.ret,
            envelope_id=mail.parameters.envid,
            peer=self._peer,
            delay=self._delay(mail),
            verp=verp,
        )
        try:
            queue_id = await self._services.submitter.submit(submission)
        except SubmissionRefused as refused:
            return HandedOver(refused.reply)
        return HandedOver(Reply(250, "2.0.0", (f"Message accepted as {mid}",)), mid, queue_id)

    def _delay(self, mail: MailFrom) -> timedelta:
        """Return for how long the message is to be kept back; a moment that is over is now (RFC 4865 §4)."""
        parameters = mail.parameters
        if parameters.hold_until is not None:
            return max(parameters.hold_until - self._services.clock.now(), timedelta(0))
        return parameters.hold_for or timedelta(0)

    def _how(self, mail: MailFrom, mid: str) -> ReceivedBy:
        return ReceivedBy(
            helo=self._hello.name if self._hello is not None else "unknown",
            peer=self._peer,
            host=self._services.hostname,
            mid=mid,
            at=self._services.clock.now(),
            tls=self._tls,
            login=True,
            smtputf8=mail.parameters.smtputf8,
            hides_peer=self._services.hide_client,
            protocol=self._protocol,
        )
