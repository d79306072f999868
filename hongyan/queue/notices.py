"""What the sender is told: one notification (DSN) for all that an attempt brought (RFC 3464, RFC 3461 §5, §6).

A notification has the null reverse-path and causes none itself. A sender is told so many times an
hour and no more: a list of ten thousand bad addresses is no way to fill a mailbox, and a forged
sender is spared.
"""

from __future__ import annotations

__all__ = ["NoticeLimit", "NoticeWriter"]

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.clock import Clock, Random
from hongyan.message.compose import make_boundary, make_message_id
from hongyan.message.dsn import MAX_RETURNED, Action, RecipientReport, Report, build_report
from hongyan.queue.catalogue import plain_cause
from hongyan.queue.causes import Cause
from hongyan.queue.forwarding import Forwarding
from hongyan.queue.items import Queue, new_message
from hongyan.queue.outcome import Notice
from hongyan.queue.plain_causes import PlainCause
from hongyan.queue.status_causes import cause_of_status
from hongyan.queue.transport import Content
from hongyan.queue.verp import return_path
from hongyan.store.queue import NewMessage, NewRecipient, QueuedMessage
from hongyan.wire.smtp.parameters import Body, Notify, Ret

_PER_HOUR: Final = 100
_PER_HOUR_BY_RECIPIENT: Final = 1000
_MOST_SENDERS: Final = 10_000

_log = telemetry.logger("queue")


class NoticeLimit:
    """How often a sender may be told within an hour."""

    def __init__(self, per_hour: int = _PER_HOUR, per_hour_by_recipient: int = _PER_HOUR_BY_RECIPIENT) -> None:
        """The second number is for those who have asked for one notification for each recipient (VERP)."""
        self._per_hour = per_hour
        self._per_hour_by_recipient = per_hour_by_recipient
        self._hours: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def allows(self, sender: Address, now: datetime, *, by_recipient: bool = False) -> bool:
        """Count one notification, and say whether it may be sent."""
        began, count = self._hours.pop(sender.canonical, (now, 0))
        if now - began >= timedelta(hours=1):
            began, count = now, 0
        self._hours[sender.canonical] = (began, count + 1)
        if len(self._hours) > _MOST_SENDERS:
            self._hours.popitem(last=False)
        if by_recipient:
            return count < self._per_hour_by_recipient
        return count < self._per_hour


class NoticeWriter:
    """Makes notifications: `queue.worker.NoticeMaker`."""

    def __init__(
        self,
        host: str,
        queue: Queue,
        clock: Clock,
        random: Random,
        *,
        sign: Callable[[bytes, Address], bytes] | None = None,
        limit: NoticeLimit | None = None,
        forwarding: Forwarding | None = None,
    ) -> None:
        """From is postmaster at `host`; `sign` returns the fields that sign a message of ours to an address (DKIM)."""
        self._host = host
        self._queue = queue
        self._clock = clock
        self._random = random
        self._sign = sign
        self._limit = limit or NoticeLimit()
        self._forwarding = forwarding

    async def make(
        self, message: QueuedMessage, notices: Sequence[Notice], content: Content | None
    ) -> NewMessage | None:
        """Return one notification for all notices, or None if the sender is told too often or there is none."""
        sender = self._sender(message)
        now = self._queue.clock.now()
        if sender is None or not self._limit.allows(sender, now, by_recipient=message.verp is not None):
            _log.info("notice-suppressed", recipients=len(notices))
            return None
        if message.verp is not None:
            sender = return_path(message, notices[0].recipient.address) or sender  # There is one (`verp.split_claim`).
        report = self._report(message, sender, notices, await _original(message, notices, content), now)
        octets = build_report(report)
        return new_message(
            None,
            [NewRecipient(sender, Notify.NEVER)],
            now=now,
            expires=self._queue.schedule.expires(now),
            size=len(octets),
            octets=octets,
            prefix=self._sign(octets, sender) if self._sign else b"",
            trace_id=message.trace_id,
            body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT,
            smtputf8=report.is_global,
            # It tells who wrote to whom of what. A null reverse-path makes a wish of it (RFC 8689 §5).
            require_tls=message.require_tls,
        )

    def _sender(self, message: QueuedMessage) -> Address | None:
        """Return who is told: of what was sent on, whoever sent it first."""
        sender = message.reverse_path
        if sender is None or self._forwarding is None:
            return sender
        return self._forwarding.find_sender(sender) or sender

    def _report(
        self, message: QueuedMessage, sender: Address, notices: Sequence[Notice], original: bytes, now: datetime
    ) -> Report:
        # To our own people the way back takes everything. Where a stranger has an ASCII address nobody knows whether
        # his server takes SMTPUTF8, though the one that sent did: RFC 6533 §3 spells all in ASCII.
        smtputf8 = message.account is not None or not sender.is_ascii
        return Report(
            host=self._host,
            author=f"postmaster@{self._host}",
            sender=str(sender),
            message_id=make_message_id(self._host, self._clock, self._random),
            boundary=make_boundary(self._random),
            at=self._clock.now(),
            arrived_at=message.queued_at,
            envelope_id=message.envelope_id,
            log_id=message.trace_id,
            recipients=tuple(_report_recipient(message, notice, now) for notice in notices),
            original=original,
            returns_message=message.ret is not Ret.HDRS and not message.require_tls,
            smtputf8=smtputf8,
            eight_bit=smtputf8 or message.body is Body.EIGHT_BIT,
        )


async def _original(message: QueuedMessage, notices: Sequence[Notice], content: Content | None) -> bytes:
    """Return the message, or its header where no more of it is returned (RFC 3461 §4.3).

    What may go nowhere without TLS does not go back in whole either: nobody vouches for the way back (RFC 8689 §5).
    """
    if content is None:
        return b""
    is_failure = any(notice.action is Action.FAILED for notice in notices)
    if not is_failure or message.ret is Ret.HDRS or message.require_tls or content.size > MAX_RETURNED:
        return content.header
    return b"".join([octets async for octets in content.chunks()])


def _report_recipient(message: QueuedMessage, notice: Notice, now: datetime) -> RecipientReport:
    recipient, outcome = notice.recipient, notice.outcome
    status = Cause.EXPIRED.status if notice.is_expired else outcome.status
    is_trouble = notice.action in (Action.FAILED, Action.DELAYED)
    cause = _cause(notice, status) if is_trouble else None
    original = recipient.original
    return RecipientReport(
        address=str(recipient.address),
        action=notice.action,
        status=status,
        original=None if original is None else (original.address_type, original.address),
        text=outcome.text if is_trouble else "",
        is_reply=outcome.code is not None,
        remote=outcome.remote.rpartition("[")[0],
        attempted_at=now,
        retried_until=message.expires if notice.action is Action.DELAYED else None,
        chinese=f"{cause.chinese}{cause.advice_chinese}" if cause else "",
        english=f"{cause.english} {cause.advice}" if cause else "",
    )


def _cause(notice: Notice, status: str) -> PlainCause:
    outcome = notice.outcome
    if notice.is_expired:
        return cause_of_status(status)
    return plain_cause(outcome.code, status, outcome.text, outcome.remote, outcome.stage)
