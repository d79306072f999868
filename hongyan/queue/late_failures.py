"""What other servers could not deliver after they had taken it, as they tell by notifications (RFC 3464).

Servers that write none (qmail, older Exims) tell it in forms of their own; those are read and held to the same proof.

A consumer of the change log: it looks at what came with the null reverse-path into an account's mailboxes. Anybody can
write a notification, so one is believed only about a message that the account has sent, named by the `mid` in the
Received field that this server wrote (72 bits of chance, which nobody knows but those who had the message), and only
about a recipient whose server has taken it: what was not sent did not bounce. A notification can be quicker than our
own note of the delivery; then it is read again a minute later, while it is new.

A failure becomes a step of the message's timeline, and is told to those who count bounces, as if the server had refused
the recipient at once. A delay becomes a step. Where the report names somebody else - the address was forwarded - the
sender reads it, if he wrote to nobody else, and the address that he wrote to is not blamed for it. Where each recipient
had a reverse-path of his own (VERP), the address that the notification came to says whom it speaks of, and he is.
"""

from __future__ import annotations

__all__ = ["LateFailures", "find_news"]

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hongyan import telemetry
from hongyan.addresses import Address, AddressFault
from hongyan.audit.timelines import Timelines
from hongyan.clock import Clock
from hongyan.errors import Corrupt, NotFound, Unavailable
from hongyan.mailboxes.mail import Mail
from hongyan.message.bounce_reader import read_bounce
from hongyan.message.dsn import Action
from hongyan.message.dsn_reader import MAX_READ, DeliveryReport, ReportedRecipient
from hongyan.message.trace import find_ids, find_recipient, return_path_field
from hongyan.queue.bounces import BounceSink, Ended
from hongyan.queue.classification import classify
from hongyan.queue.outcome import Stage
from hongyan.queue.verp import is_return_path_for
from hongyan.store.changes import Appended, LoggedChange
from hongyan.store.messages import Column
from hongyan.store.timelines import Direction, NewTimelineEntry, Step, TimelineEntry
from hongyan.telemetry import metrics
from hongyan.types import AccountId, BlobRef, MailboxId

_MOST_AT_ONCE: Final = 100
"""Messages of one entry: a delivery brings one, and who moves or imports more brings no news."""

_STEPS: Final = 5000
"""Steps of one message that are read: some for each of its recipients."""

_NEW: Final = timedelta(minutes=5)
"""For how long a notification is read again that came before its message was noted as sent."""

_COLUMNS: Final = (Column.PREFIX, Column.BLOB, Column.SKIPPED, Column.SAVED_AT)
_NOBODY: Final = return_path_field(None)
_REASON: Final = "dsn"
"""The reason of steps that a notification told of."""

log = telemetry.logger("queue")


@dataclass(frozen=True, slots=True)
class _News:
    step: NewTimelineEntry
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class _Notification:
    octets: bytes
    written_to: Address | None
    """The one address that it came to, with its subaddress; None if there were several."""
    saved_at: datetime


class LateFailures:
    """`notify.consumers.Consumer`: reads notifications, and tells of what they say."""

    def __init__(self, mail: Mail, timelines: Timelines, sink: BounceSink, hostname: str, clock: Clock) -> None:
        """`hostname` is the name by which this server calls itself in trace fields."""
        self._mail = mail
        self._timelines = timelines
        self._sink = sink
        self._hostname = hostname
        self._clock = clock

    @property
    def name(self) -> str:
        return "late-failures"

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        for mailbox, first, last in _came(changes):
            async for one in self._notifications(account, mailbox, first, last):
                report = await asyncio.to_thread(read_bounce, one.octets)
                if report is not None:
                    await self._learn(account, report, one)

    async def start_over(self, account: AccountId) -> None:
        """What was missed stays unknown: its reader has the notification itself."""

    async def _notifications(
        self, account: AccountId, mailbox: MailboxId, first: int, last: int
    ) -> AsyncIterator[_Notification]:
        """Yield the beginnings of the messages that came with the null reverse-path."""
        try:
            rows = await self._mail.messages.rows(account, mailbox, _COLUMNS, [(first, last)], limit=_MOST_AT_ONCE)
        except NotFound:
            return
        for prefix, blob, skipped, saved_at in rows:
            if not bytes(prefix).startswith(_NOBODY):
                continue
            try:
                octets = await self._mail.blobs.read(BlobRef(blob), skipped, skipped + MAX_READ)
            except Corrupt as fault:
                log.warning("notification-unreadable", cause=fault.cause)
                continue
            written_to = _parse(find_recipient(bytes(prefix)) or "")
            yield _Notification(bytes(prefix) + octets, written_to, datetime.fromtimestamp(saved_at, UTC))

    async def _learn(self, account: AccountId, report: DeliveryReport, notification: _Notification) -> None:
        """Tell what is news. Raises `Unavailable` when it is too early to say."""
        now = self._clock.now()
        for mid in find_ids(report.returned, self._hostname):
            steps = await self._timelines.read(account, mid=mid, limit=_STEPS)
            news = list(find_news(account, report, steps, now, notification.written_to))
            for one in news:
                self._timelines.note(one.step)
            if news:
                await self._timelines.flush()
                await self._sink.ended([one.ended for one in news if one.ended is not None])
                bounced = sum(one.step.step is Step.BOUNCED for one in news)
                metrics.queue_late_failures_total.inc(bounced)
                log.info("late-failure", mid=mid, account=int(account), recipients=bounced, reporter=report.reporter)
            elif _is_on_its_way(steps) and now - notification.saved_at < _NEW:
                raise Unavailable("a notification of what is not yet known to be sent")


def find_news(
    account: AccountId,
    report: DeliveryReport,
    steps: Sequence[TimelineEntry],
    now: datetime,
    written_to: Address | None = None,
) -> Iterator[_News]:
    """Yield what a report, which came to an address, says that the steps of a message (the newest first) do not yet."""
    sent = _sent(steps)
    meant = None if written_to is None else _find_by_return_path(written_to, sent)
    told: set[str] = set()
    for recipient in report.recipients:
        if recipient.action not in (Action.FAILED, Action.DELAYED):
            continue
        key = _find_key(recipient, sent)
        is_named = key is not None
        is_meant = is_named or meant is not None
        key = key or meant
        if key is None and len(sent) == 1:
            key = next(iter(sent))
        if key is None or key in told:
            continue
        steps_of_it = sent[key]
        new = _make_step(report, recipient, steps_of_it[0].new, now, is_named=is_named)
        if any(_is_same(new, entry.new) for entry in steps_of_it) or not _was_taken(steps_of_it):
            continue
        told.add(key)
        yield _News(new, _end(account, new, recipient) if is_meant and new.step is Step.BOUNCED else None)


def _came(changes: Sequence[LoggedChange]) -> Iterator[tuple[MailboxId, int, int]]:
    """Yield where messages came, with the first and the last UID; what follows one another is taken together."""
    mailbox, first, last = MailboxId(0), 0, -1
    for entry in changes:
        match entry.change:
            case Appended(first_uid=uid, count=count) if count <= _MOST_AT_ONCE:
                goes_on = entry.mailbox == mailbox and uid == last + 1 and uid + count - first <= _MOST_AT_ONCE
                if not goes_on:
                    if last >= first:
                        yield mailbox, first, last
                    mailbox, first = entry.mailbox, uid
                last = uid + count - 1
            case _:
                pass
    if last >= first:
        yield mailbox, first, last


def _sent(steps: Sequence[TimelineEntry]) -> Mapping[str, Sequence[TimelineEntry]]:
    """Return the steps of what was sent, by recipient, each in the order in which they happened."""
    found: dict[str, list[TimelineEntry]] = {}
    for entry in reversed(steps):
        if entry.new.direction is Direction.OUTGOING:
            found.setdefault(_canonical(entry.new.counterpart), []).append(entry)
    return found


def _find_key(recipient: ReportedRecipient, sent: Mapping[str, object]) -> str | None:
    keys = (_canonical(address) for address in (recipient.original, recipient.final) if address)
    return next((key for key in keys if key in sent), None)


def _find_by_return_path(written_to: Address, sent: Mapping[str, Sequence[TimelineEntry]]) -> str | None:
    """Return the recipient whom the address names that a notification was sent to (VERP)."""
    for key, (first, *_) in sent.items():
        sender, recipient = _parse(first.new.address), _parse(first.new.counterpart)
        if sender is not None and recipient is not None and is_return_path_for(written_to, sender, recipient):
            return key
    return None


def _canonical(address: str) -> str:
    parsed = _parse(address)
    return address.casefold() if parsed is None else parsed.canonical


def _parse(address: str) -> Address | None:
    try:
        return Address.parse(address)
    except AddressFault:
        return None


def _was_taken(steps: Sequence[TimelineEntry]) -> bool:
    """Whether the last word of delivery is that another server has the message."""
    last = [entry.new for entry in steps if entry.new.step is not Step.NOTIFIED][-1:]
    return any(new.step is Step.RELAYED or (new.step is Step.DEFERRED and new.reason == _REASON) for new in last)


def _is_on_its_way(steps: Sequence[TimelineEntry]) -> bool:
    """Whether a recipient was not tried yet, as far as is known: its delivery may be just about to be noted."""
    return any([entry.new.step for entry in group] == [Step.ACCEPTED] for group in _sent(steps).values())


def _is_same(new: NewTimelineEntry, known: NewTimelineEntry) -> bool:
    return (new.step, new.reason, new.status, new.host) == (known.step, known.reason, known.status, known.host)


def _make_step(
    report: DeliveryReport, recipient: ReportedRecipient, before: NewTimelineEntry, now: datetime, *, is_named: bool
) -> NewTimelineEntry:
    text = recipient.text if is_named else f"<{recipient.final or recipient.original}>: {recipient.text}"
    return NewTimelineEntry(
        account=before.account,
        direction=Direction.OUTGOING,
        mid=before.mid,
        step=Step.BOUNCED if recipient.action is Action.FAILED else Step.DEFERRED,
        at=now,
        address=before.address,
        counterpart=before.counterpart,
        stage=Stage.END.value,
        host=recipient.remote or report.reporter,
        code=recipient.code,
        status=recipient.status,
        text=text,
        reason=_REASON,
    )


def _end(account: AccountId, new: NewTimelineEntry, recipient: ReportedRecipient) -> Ended:
    bounce = classify(new.code, new.status, new.text, Stage.END)
    return Ended(account, Address.parse(new.counterpart), bounce, new.status, recipient.text, new.at)
