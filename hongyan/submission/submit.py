"""One way out: what a user sends is checked, completed, signed and queued (RFC 6409).

The header From must be an address that the sender may write from, and there must be exactly one. A missing Date or
Message-ID is added before the octets, which stay as they came; Bcc does not leave.
"""

from __future__ import annotations

__all__ = ["Submission", "SubmissionOptions", "SubmissionRefused", "Submitter"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from hongyan import telemetry
from hongyan.accounts.identities import Identities
from hongyan.addresses import Address, Domain
from hongyan.auth.principal import Principal
from hongyan.clock import Random
from hongyan.errors import UserFault
from hongyan.mailauth.canonical import BodyHasher
from hongyan.mailauth.dkim import SigningKey, sign
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.special_use import find_special
from hongyan.message.compose import make_message_id
from hongyan.message.trace import MAX_HOPS, count_hops, folds_into_trace, format_date
from hongyan.options import option
from hongyan.queue.items import Queue, new_message
from hongyan.store.queue import NewRecipient
from hongyan.store.receipts import Receipt
from hongyan.submission.header import BadHeader, BadSender, SubmittedHeader, read_header
from hongyan.telemetry import metrics
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.parameters import Body, Ret
from hongyan.wire.smtp.replies import Reply

log = telemetry.logger("submission")
_submitted = metrics.smtpserver_submission_total.labels("accepted")


@dataclass(frozen=True, slots=True)
class SubmissionOptions:
    """The section `[submission]`."""

    save_to_sent: bool = option(False, "Keep a copy of what is sent in the Sent mailbox; most mail programs do so.")
    hide_client: bool = option(True, "Leave the sender's address out of the Received field.")
    sign: bool = option(True, "Sign mail that leaves with the DKIM keys of the sender's domain.")


class SubmissionRefused(UserFault):
    """The message may not be sent as it is."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A message with its envelope, as a user hands it over."""

    principal: Principal
    reverse_path: Address | None
    recipients: Sequence[NewRecipient]
    octets: bytes
    received: bytes
    mid: str
    leaves: bool
    """Whether a copy of it goes to another server, be it by an alias."""
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    ret: Ret | None = None
    envelope_id: str | None = None


class Submitter:
    """Takes messages from users."""

    def __init__(
        self,
        mail: Mail,
        queue: Queue,
        identities: Identities,
        random: Random,
        hostname: str,
        options: SubmissionOptions,
        signing_keys: Callable[[Domain], Sequence[SigningKey]],
    ) -> None:
        self._mail = mail
        self._queue = queue
        self._identities = identities
        self._random = random
        self._hostname = hostname
        self._options = options
        self._signing_keys = signing_keys

    async def submit(self, submission: Submission) -> None:
        """Queue the message and return when it is on stable storage. Raises `SubmissionRefused`."""
        octets = submission.octets
        header = _read(octets)
        await self._require_own(submission.principal, header.senders)
        now = self._mail.clock.now()
        prefix = self._complete(submission, header, now)
        if self._options.sign and submission.leaves:
            prefix = self._sign(header, prefix, octets, now) + prefix
        if self._options.save_to_sent:
            await self._save(submission, prefix, now)
        await self._enqueue(submission, header, prefix)
        _submitted.inc()

    async def _require_own(self, principal: Principal, senders: Sequence[Address]) -> None:
        for sender in senders:
            known = self._identities.find(principal.account, sender)
            if known is None:
                known = await self._identities.may_use(principal.account, sender)
            if not known:
                raise SubmissionRefused(replies.FROM_NOT_YOURS)

    def _complete(self, submission: Submission, header: SubmittedHeader, now: datetime) -> bytes:
        """Return what stands before the octets: the trace, and what the message lacks (RFC 6409 §8)."""
        added = [submission.received]
        if not header.has_date:
            added.append(f"Date: {format_date(now)}\r\n".encode())
        if not header.has_message_id:
            message_id = make_message_id(submission.principal.address.domain.text, self._mail.clock, self._random)
            added.append(f"Message-ID: {message_id}\r\n".encode())
        return b"".join(added)

    def _sign(self, header: SubmittedHeader, prefix: bytes, octets: bytes, now: datetime) -> bytes:
        """Return the signatures of the first sender's domain; none where it has no keys."""
        keys = self._signing_keys(header.senders[0].domain)
        if not keys:
            return b""
        hasher = BodyHasher()
        hasher.update(octets[header.body :])
        return sign(prefix + header.without_bcc(), hasher.digest(), keys, now)

    async def _save(self, submission: Submission, prefix: bytes, now: datetime) -> None:
        account = submission.principal.account
        sent = await find_special(self._mail, account, "\\Sent")
        if sent is None:
            return
        digest = sha256(b"sent " + sha256(submission.octets).digest()).digest()
        copy = Incoming(submission.octets, prefix, flags=(b"\\Seen",))
        receipt = Receipt.given(digest, int(now.timestamp()))
        await append(self._mail, account, sent.mailbox_id, [copy], receipt=receipt)

    async def _enqueue(self, submission: Submission, header: SubmittedHeader, prefix: bytes) -> None:
        queue = self._queue
        now = queue.clock.now()
        done = await queue.enqueue(
            new_message(
                submission.reverse_path,
                submission.recipients,
                now=now,
                expires=queue.schedule.expires(now),
                size=len(submission.octets),
                octets=submission.octets,
                content_digest=sha256(submission.octets).digest(),
                prefix=prefix,
                omitted=header.bcc,
                account=submission.principal.account,
                trace_id=submission.mid,
                body=submission.body,
                smtputf8=submission.smtputf8,
                ret=submission.ret,
                envelope_id=submission.envelope_id,
            )
        )
        log.info(
            "submitted",
            mid=submission.mid,
            account=int(submission.principal.account),
            size=len(submission.octets),
            recipients=len(submission.recipients),
            duplicate=not done.is_new,
        )


def _read(octets: bytes) -> SubmittedHeader:
    """Read the header of a message that may be sent. Raises `SubmissionRefused`."""
    if folds_into_trace(octets):
        raise SubmissionRefused(replies.MESSAGE_MALFORMED)
    if count_hops(octets) > MAX_HOPS:
        raise SubmissionRefused(replies.MESSAGE_LOOPS)
    try:
        return read_header(octets)
    except BadHeader:
        raise SubmissionRefused(replies.MESSAGE_MALFORMED) from None
    except BadSender:
        raise SubmissionRefused(replies.FROM_NOT_SINGLE) from None
