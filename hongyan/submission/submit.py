"""One way out: what a user sends is checked, counted, completed, signed and queued (RFC 6409).

The header From must be an address that the sender may write from, and there must be exactly one. A missing Date or
Message-ID is added before the octets, which stay as they came; Bcc does not leave.
"""

from __future__ import annotations

__all__ = ["Submission", "SubmissionOptions", "SubmissionRefused", "Submitter"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from hongyan import telemetry
from hongyan.accounts.identities import Identities
from hongyan.addresses import Address, Domain
from hongyan.auth.principal import Principal
from hongyan.clock import Random
from hongyan.errors import UserFault
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.canonical import BodyHasher
from hongyan.mailauth.dkim import SigningKey, sign
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.special_use import find_special
from hongyan.message.authres_claims import find_claims
from hongyan.message.compose import make_message_id
from hongyan.message.trace import MAX_HOPS, count_hops, folds_into_trace, format_date
from hongyan.options import option
from hongyan.queue.items import Queue, new_message
from hongyan.screening.asking import ask_all
from hongyan.screening.examined import Examined, MessageCheck
from hongyan.screening.verdict import Disposition, Verdict
from hongyan.store.bookings import Booking
from hongyan.store.queue import NewRecipient
from hongyan.store.receipts import Receipt
from hongyan.submission.allowance import Allowance, Permit, SendingRefused
from hongyan.submission.deadline import Asked, Deadline, OutOfTime
from hongyan.submission.fingerprint import fingerprint
from hongyan.submission.header import BadHeader, BadSender, SubmittedHeader, read_header
from hongyan.submission.readiness import SenderReadiness
from hongyan.submission.timeline import SubmissionTimeline
from hongyan.telemetry import metrics
from hongyan.types import QueueId
from hongyan.wire.smtp import replies
from hongyan.wire.smtp.parameters import Body, Ret
from hongyan.wire.smtp.replies import Reply

log = telemetry.logger("submission")
_submitted = metrics.smtpserver_submission_total.labels("accepted")
_CHECKS_PART: Final = 0.8
"""Of the time that is left: a scanner that does not answer, and may be done without, leaves time for the rest."""


@dataclass(frozen=True, slots=True)
class SubmissionOptions:
    """The section `[submission]`."""

    save_to_sent: bool = option(False, "Keep a copy of what is sent in the Sent mailbox; most mail programs do so.")
    hide_client: bool = option(True, "Leave the sender's address out of the Received field.")
    sign: bool = option(True, "Sign mail that leaves with the DKIM keys of the sender's domain.")
    verp: bool = option(True, "Offer a return path for each recipient to programs that ask for it (XVERP).")
    seconds: float = option(
        30.0,
        "How long all may take that is asked about a message before it is taken; then it is to come again (451).",
        unit="s",
    )
    future_release: int = option(
        30,
        "For how long users may have a message kept back before it leaves (FUTURERELEASE); 0: not offered.",
        unit="days",
    )

    def __post_init__(self) -> None:
        if not 0 <= self.future_release <= 366:
            raise ValueError("future_release is at most 366 days")
        if not 1 <= self.seconds <= 300:
            raise ValueError("seconds is between 1 and 300: a client waits ten minutes at most (RFC 5321 §4.5.3.2.6)")


class SubmissionRefused(UserFault):
    """The message may not be sent as it is."""

    def __init__(self, reply: Reply, reason: str) -> None:
        """`reason` is a word of `submission.reasons`, or `check/reason` of a finding."""
        super().__init__(reply.text)
        self.reply = reply
        self.reason = reason


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
    require_tls: bool = False
    """No server may have it without TLS that is verified (RFC 8689)."""
    ret: Ret | None = None
    envelope_id: str | None = None
    peer: str = ""
    """The IP address that it came from."""
    delay: timedelta = timedelta(0)
    """For how long it is kept back (RFC 4865)."""
    verp: str | None = None
    """The delimiters of its reverse-paths, if each recipient has one of his own (`queue.verp`)."""


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
        allowance: Allowance,
        timeline: SubmissionTimeline,
        checks: Sequence[MessageCheck] = (),
        readiness: SenderReadiness | None = None,
    ) -> None:
        self._mail = mail
        self._queue = queue
        self._identities = identities
        self._random = random
        self._hostname = hostname
        self._options = options
        self._signing_keys = signing_keys
        self._checks = checks
        self._readiness = readiness
        self._allowance = allowance
        self._timeline = timeline

    async def submit(self, submission: Submission) -> QueueId:
        """Queue the message; return its number once it is on stable storage. Notes and raises `SubmissionRefused`."""
        try:
            return await self._submit(submission)
        except SubmissionRefused as refused:
            account, recipients = submission.principal.account, [one.address for one in submission.recipients]
            self._timeline.blocked(
                account, submission.mid, submission.reverse_path, recipients, refused.reply, refused.reason
            )
            raise

    async def _submit(self, submission: Submission) -> QueueId:
        octets = submission.octets
        header = self._without_claims(_read(octets))
        with await self._ask_all(submission, header) as booking:
            queue_id = await self._send(submission, header, booking)
        _submitted.inc()
        return queue_id

    async def _ask_all(self, submission: Submission, header: SubmittedHeader) -> Permit:
        """Ask everybody who has a say in whether the message may leave, within one time for all."""
        deadline = Deadline(self._mail.clock, self._options.seconds)
        try:
            await self._require_own(submission.principal, header.senders, deadline)
            await self._require_harmless(submission, header, deadline)
            if submission.leaves:
                self._require_ready(header.senders[0].domain)
            return await self._require_allowed(submission, header, deadline)
        except OutOfTime as late:
            metrics.submission_late_total.labels(late.asked.value).inc()
            log.warning("unjudged", mid=submission.mid, account=int(submission.principal.account), cause=late.cause)
            raise SubmissionRefused(replies.SUBMISSION_UNJUDGED, "late") from None

    async def _send(self, submission: Submission, header: SubmittedHeader, booking: Booking | None) -> QueueId:
        octets = submission.octets
        now = self._mail.clock.now()
        prefix = self._complete(submission, header, now)
        if self._options.sign and submission.leaves:
            prefix = self._sign(header, prefix, octets, now) + prefix
        if self._options.save_to_sent:
            await self._save(submission, prefix, now)
        return await self._enqueue(submission, header, prefix, booking)

    def _without_claims(self, header: SubmittedHeader) -> SubmittedHeader:
        """Leave out results that pretend to be ours: a colleague's mail program would believe them (RFC 8601 §5)."""
        claims = find_claims(header.block, (self._hostname,))
        return replace(header, bcc=tuple(sorted((*header.bcc, *claims)))) if claims else header

    async def _require_own(self, principal: Principal, senders: Sequence[Address], deadline: Deadline) -> None:
        for sender in senders:
            known = self._identities.find(principal.account, sender)
            if known is None:
                known = await deadline.ask(Asked.SENDER, self._identities.may_use(principal.account, sender))
            if not known:
                raise SubmissionRefused(replies.FROM_NOT_YOURS, "sender")

    async def _require_harmless(self, submission: Submission, header: SubmittedHeader, deadline: Deadline) -> None:
        """Ask the checks. What would be refused or quarantined as it comes in is not let out either."""
        if not self._checks:
            return
        examined = Examined(
            mid=submission.mid,
            peer=submission.peer,
            helo="",
            reverse_path=submission.reverse_path,
            accounts={},
            octets=submission.octets,
            body=header.body,
            authentication=Authentication(),
            encrypted=True,
        )
        verdict = Verdict(tuple(await ask_all(self._checks, examined, deadline.left * _CHECKS_PART)))
        finding = verdict.decisive()
        if finding is None or finding.disposition <= Disposition.JUNK or finding.reply is None:
            return
        log.info("refused", mid=submission.mid, account=int(submission.principal.account), reason=finding.text)
        permanent = finding.reply.is_permanent
        reply = Reply(554, "5.7.1", finding.reply.lines) if permanent else finding.reply
        raise SubmissionRefused(reply, f"{finding.check}/{finding.reason}")

    def _require_ready(self, domain: Domain) -> None:
        waits = None if self._readiness is None else self._readiness.check(domain)
        if waits is not None:
            raise SubmissionRefused(waits, "not-ready")

    async def _require_allowed(self, submission: Submission, header: SubmittedHeader, deadline: Deadline) -> Permit:
        recipients = [recipient.address for recipient in submission.recipients]
        body = fingerprint(submission.octets, header.body)
        try:
            account = submission.principal.account
            return await self._allowance.require(account, recipients, header.references, body, deadline)
        except SendingRefused as refused:
            raise SubmissionRefused(refused.reply, refused.reason) from None

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

    async def _enqueue(
        self, submission: Submission, header: SubmittedHeader, prefix: bytes, booking: Booking | None
    ) -> QueueId:
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
                require_tls=submission.require_tls,
                ret=submission.ret,
                envelope_id=submission.envelope_id,
                delay=submission.delay,
                verp=submission.verp,
                booking=booking,
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
        return done.id


def _read(octets: bytes) -> SubmittedHeader:
    """Read the header of a message that may be sent. Raises `SubmissionRefused`."""
    if folds_into_trace(octets):
        raise SubmissionRefused(replies.MESSAGE_MALFORMED, "form")
    if count_hops(octets) > MAX_HOPS:
        raise SubmissionRefused(replies.MESSAGE_LOOPS, "form")
    try:
        return read_header(octets)
    except BadHeader:
        raise SubmissionRefused(replies.MESSAGE_MALFORMED, "form") from None
    except BadSender:
        raise SubmissionRefused(replies.FROM_NOT_SINGLE, "sender") from None
