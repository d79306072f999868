"""Mail from our users by port 465 and 587, as policy sees it (RFC 6409).

The reverse-path must be an address of whoever is logged in. A recipient of ours who cannot get mail is refused in
the session; everything else goes through the queue.
"""

from __future__ import annotations

__all__ = ["SubmissionServices", "SubmissionTransaction"]

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hongyan.accounts.aliases import Aliases, Refusal, Resolution
from hongyan.accounts.identities import Identities
from hongyan.addresses import Address
from hongyan.auth.principal import Principal
from hongyan.clock import Clock, Random
from hongyan.delivery.spool import Spool
from hongyan.errors import StorageFailed, StorageFull
from hongyan.message.trace import ReceivedBy, TlsFacts, received_field
from hongyan.store.queue import NewRecipient
from hongyan.submission.submit import Submission, SubmissionRefused, Submitter
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
    clock: Clock
    random: Random
    spool: Path
    hide_client: bool


class SubmissionTransaction:
    """One connection's transactions."""

    __slots__ = (
        "_cid",
        "_hello",
        "_leaves",
        "_mail",
        "_peer",
        "_principal",
        "_recipients",
        "_services",
        "_spool",
        "_tls",
    )

    def __init__(self, services: SubmissionServices, peer: str, cid: str) -> None:
        self._services = services
        self._peer = peer
        self._cid = cid
        self._hello: Hello | None = None
        self._tls: TlsFacts | None = None
        self._principal: Principal | None = None
        self._mail: MailFrom | None = None
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
        self._mail = command
        return replies.SENDER_OK

    def recipient(self, command: RcptTo) -> Answer:
        path = command.forward_path
        address = None if path is POSTMASTER else path
        known = self._services.aliases.find(address)
        return self._look_up(command, address) if known is None else self._take(command, address, known)

    async def _look_up(self, command: RcptTo, address: Address | None) -> Reply:
        return self._take(command, address, await self._services.aliases.resolve(address))

    def _take(self, command: RcptTo, address: Address | None, resolution: Resolution) -> Reply:
        if resolution.refusal is not None and resolution.refusal is not Refusal.NOT_LOCAL:
            return _REFUSALS[resolution.refusal]
        self._leaves |= resolution.refusal is Refusal.NOT_LOCAL or bool(resolution.external)
        if address is not None:
            self._recipients.append(NewRecipient(address, command.notify, command.orcpt))
        else:
            # <postmaster> without a domain is ours (RFC 5321 §4.5.1): the admins read it.
            self._recipients += [NewRecipient(found.address, command.notify) for found in resolution.recipients]
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
        return self._submit()

    def reset(self) -> None:
        self._mail = None
        self._spool.drop()
        self._recipients = []
        self._leaves = False

    async def _submit(self) -> Reply:
        principal, mail, recipients, octets = self._principal, self._mail, self._recipients, self._spool.take()
        leaves = self._leaves
        self.reset()
        if principal is None or mail is None:
            return replies.SERVER_ERROR
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
            ret=mail.parameters.ret,
            envelope_id=mail.parameters.envid,
        )
        try:
            await self._services.submitter.submit(submission)
        except SubmissionRefused as refused:
            return refused.reply
        return Reply(250, "2.0.0", (f"Message accepted as {mid}",))

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
        )
