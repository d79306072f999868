"""Rows of the queue and the values that they stand for."""

from __future__ import annotations

__all__ = [
    "MESSAGE_COLUMNS",
    "RECIPIENT_COLUMNS",
    "entries",
    "from_stamp",
    "insert_message",
    "insert_recipients",
    "read_message",
    "read_recipient",
    "recipients_of",
    "report_columns",
    "select_messages",
    "to_stamp",
]

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from hongyan.addresses import Address
from hongyan.engines.sql.units import Many, Row, Rows, Statement, Unit, Value, conditions
from hongyan.store.queue import (
    AttemptReport,
    NewMessage,
    NewRecipient,
    QueuedMessage,
    QueuedRecipient,
    QueueEntry,
    RecipientState,
)
from hongyan.types import AccountId, BlobRef, QueueId
from hongyan.wire.smtp.parameters import Body, Notify, OriginalRecipient, Ret

MESSAGE_COLUMNS: Final = (
    "queue_id, reverse_path, blob_ref, size, prefix, omitted, account_id, trace_id, body, smtputf8, require_tls, ret,"
    " envelope_id, queued_at, expires, not_before, verp"
)
"""What `read_message` reads, of `queue_messages`."""

RECIPIENT_COLUMNS: Final = (
    "queue_id, number, address, destination, state, notify, original_type, original_address, attempts, next_attempt,"
    " delay_told, last_at, last_status, last_remote, last_text, leased_until, held_for"
)
"""What `read_recipient` reads, of `queue_recipients`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_stamp(at: datetime) -> int:
    """Return a time as a column holds it: exactly."""
    since = at - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def from_stamp(stamp: int) -> datetime:
    """Return the time that a column holds."""
    return _EPOCH + timedelta(microseconds=stamp)


# -- messages


def insert_message(new: NewMessage, blob: BlobRef) -> Unit[QueueId]:
    """Insert the row of a message and return the id that it was given."""
    rows = yield Statement(
        "INSERT INTO queue_messages (reverse_path, blob_ref, size, prefix, omitted, account_id, trace_id, body,"
        " smtputf8, require_tls, ret, envelope_id, queued_at, expires, unfinished, not_before,"
        " verp)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING queue_id",
        (
            None if new.reverse_path is None else str(new.reverse_path),
            blob,
            new.size,
            new.prefix,
            " ".join(f"{start}-{end}" for start, end in new.omitted),
            new.account,
            new.trace_id,
            new.body.value,
            int(new.smtputf8),
            int(new.require_tls),
            None if new.ret is None else new.ret.value,
            new.envelope_id,
            to_stamp(new.queued_at),
            to_stamp(new.expires),
            len(new.recipients),
            to_stamp(new.not_before) if new.not_before > new.queued_at else None,
            new.verp,
        ),
    )
    return QueueId(rows[0][0])


def select_messages(ids: Collection[QueueId]) -> Unit[dict[QueueId, QueuedMessage]]:
    """Return the messages with these ids that are there."""
    found: Rows = []
    for chosen, numbers in conditions("queue_id", _singly(ids), 1):
        found += yield Statement(f"SELECT {MESSAGE_COLUMNS} FROM queue_messages WHERE {chosen}", numbers)
    return {QueueId(row[0]): read_message(row) for row in found}


def read_message(row: Row) -> QueuedMessage:
    """Return the message of a row of `MESSAGE_COLUMNS`."""
    (queue_id, reverse_path, blob_ref, size, prefix, omitted, account_id, trace_id, *rest) = row
    body, smtputf8, require_tls, ret, envelope_id, queued_at, expires, not_before, verp = rest
    return QueuedMessage(
        id=QueueId(queue_id),
        reverse_path=None if reverse_path is None else Address.parse(reverse_path),
        blob=BlobRef(blob_ref),
        size=size,
        prefix=prefix,
        omitted=tuple(_read_range(text) for text in omitted.split()),
        account=None if account_id is None else AccountId(account_id),
        trace_id=trace_id,
        body=Body(body),
        smtputf8=bool(smtputf8),
        require_tls=bool(require_tls),
        ret=None if ret is None else Ret(ret),
        envelope_id=envelope_id,
        queued_at=from_stamp(queued_at),
        not_before=from_stamp(queued_at if not_before is None else not_before),
        expires=from_stamp(expires),
        verp=verp,
    )


def _read_range(text: str) -> tuple[int, int]:
    start, _, end = text.partition("-")
    return int(start), int(end)


# -- recipients


def insert_recipients(queue_id: QueueId, message: NewMessage) -> Unit[None]:
    """Insert the rows of a message's recipients, all READY or all HELD."""
    rows = [_recipient_row(queue_id, number, recipient, message) for number, recipient in enumerate(message.recipients)]
    yield Statement(_INSERT_RECIPIENT, rows[0]) if len(rows) == 1 else Many(_INSERT_RECIPIENT, rows)


_INSERT_RECIPIENT = (
    "INSERT INTO queue_recipients (queue_id, number, address, destination, state, notify, original_type,"
    " original_address, attempts, next_attempt, delay_told, held_for)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0, $10)"
)


def _recipient_row(queue_id: QueueId, number: int, new: NewRecipient, message: NewMessage) -> tuple[Value, ...]:
    return (
        queue_id,
        number,
        str(new.address),
        new.destination,
        (RecipientState.READY if message.held is None else RecipientState.HELD).value,
        None if new.notify is None else new.notify.value,
        None if new.original is None else new.original.address_type,
        None if new.original is None else new.original.address,
        to_stamp(message.not_before),
        message.held,
    )


def recipients_of(ids: Collection[QueueId]) -> Unit[dict[QueueId, list[QueuedRecipient]]]:
    """Return the recipients of messages by number."""
    found: dict[QueueId, list[QueuedRecipient]] = {queue_id: [] for queue_id in ids}
    for chosen, numbers in conditions("queue_id", _singly(ids), 1):
        rows = yield Statement(
            f"SELECT {RECIPIENT_COLUMNS} FROM queue_recipients WHERE {chosen} ORDER BY queue_id, number", numbers
        )
        for row in rows:
            found[QueueId(row[0])].append(read_recipient(row))
    return found


def read_recipient(row: Row) -> QueuedRecipient:
    """Return the recipient of a row of `RECIPIENT_COLUMNS`."""
    (_, number, address, destination, state, notify, original_type, original_address, attempts, next_attempt) = row[:10]
    delay_told, last_at, last_status, last_remote, last_text, leased_until, held_for = row[10:17]
    return QueuedRecipient(
        number=number,
        address=Address.parse(address),
        destination=destination,
        state=RecipientState(state),
        notify=None if notify is None else Notify(notify),
        original=None if original_type is None else OriginalRecipient(original_type, original_address),
        attempts=attempts,
        next_attempt=from_stamp(next_attempt),
        delay_told=bool(delay_told),
        last=None if last_at is None else AttemptReport(from_stamp(last_at), last_status, last_remote, last_text),
        leased_until=None if leased_until is None else from_stamp(leased_until),
        held_for=held_for or "",
    )


def report_columns(report: AttemptReport) -> tuple[int, str, str, str]:
    """Return `last_at`, `last_status`, `last_remote` and `last_text` for a report.

    They hold words of strangers: what no database holds is taken out, lest an outcome could never be stored.
    """
    return (to_stamp(report.at), _storable(report.status), _storable(report.remote), _storable(report.text))


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


# -- both


def entries(ids: Sequence[QueueId]) -> Unit[list[QueueEntry]]:
    """Return the messages with these ids that are there, each with its recipients, in this order."""
    messages = yield from select_messages(ids)
    recipients = yield from recipients_of(messages)
    # A message may have been finished between the two.
    return [QueueEntry(messages[one], tuple(recipients[one])) for one in ids if recipients.get(one)]


def _singly(ids: Collection[QueueId]) -> Iterator[tuple[int, int]]:
    return ((queue_id, queue_id) for queue_id in sorted(ids))
