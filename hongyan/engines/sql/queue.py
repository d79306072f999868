"""The outgoing queue in SQL.

Whoever works on a message's recipients counts them out of `queue_messages.unfinished`, which locks the message's row;
no other lock is needed. A claim looks again, where it writes, at what made the recipient due: of two nodes that find
the same one, the second passes it over.

Claims, and what else only moves leases, are not durable: a power loss ends the process that holds them as well.
"""

from __future__ import annotations

__all__ = ["SqlQueue", "enqueue", "octets_of"]

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from hongyan.engines.sql import queue_selection
from hongyan.engines.sql.queue_rows import (
    RECIPIENT_COLUMNS,
    entries,
    from_stamp,
    insert_message,
    insert_recipients,
    read_recipient,
    report_columns,
    select_messages,
    to_stamp,
)
from hongyan.engines.sql.sender_rows import insert_booking, lock_hold
from hongyan.engines.sql.timelines import insert_timeline
from hongyan.engines.sql.units import Row, SqlDatabase, Statement, Unit, Value, conditions
from hongyan.store.queue import (
    Claim,
    Enqueued,
    Lease,
    LeaseLost,
    NewMessage,
    QueueCounts,
    QueuedRecipient,
    QueueEntry,
    RecipientState,
    Selection,
    Settled,
    Settlement,
)
from hongyan.store.sending import Hold
from hongyan.store.timelines import Step
from hongyan.types import AccountId, BlobRef, QueueId

_HEAD: Final = 256
"""Recipients at the head of the queue that are looked at before all destinations are."""


class SqlQueue:
    """`store.queue.QueueStore`."""

    def __init__(self, database: SqlDatabase) -> None:
        self._database = database

    async def recover(self, owner: str, now: datetime, latest: datetime) -> int:
        return await self._database.write(lambda _refs: _recover(owner, to_stamp(now), to_stamp(latest)))

    async def enqueue(self, message: NewMessage) -> Enqueued:
        return await self._database.write(lambda refs: enqueue(message, iter(refs)), blobs=octets_of((message,)))

    async def due_destinations(self, now: datetime, *, limit: int, excluding: Collection[str] = ()) -> Sequence[str]:
        found = await self._earliest(excluding, limit, until=to_stamp(now))
        return [destination for destination, _ in found]

    async def next_due(self, now: datetime, *, excluding: Collection[str] = ()) -> datetime | None:  # noqa: ARG002
        found = await self._earliest(excluding, 1)
        return from_stamp(found[0][1]) if found else None

    async def _earliest(
        self, excluding: Collection[str], limit: int, until: int | None = None
    ) -> Sequence[tuple[str, int]]:
        """Return destinations with the time at which their first recipient is due, the earliest first."""
        head = await self._database.read_small(_head_of_queue)
        found = _first_of_each(head, excluding, limit, until)
        if len(found) == limit or len(head) < _HEAD or (until is not None and head[-1][1] > until):
            return found
        every = await self._database.read(_all_destinations())
        return _first_of_each(sorted(every, key=_due), excluding, limit, until)

    async def claim(self, destinations: Mapping[str, int], lease: Lease, now: datetime) -> Sequence[Claim]:
        return await self._database.write(lambda _refs: _claim(destinations, lease, to_stamp(now)), durable=False)

    async def renew(self, messages: Collection[QueueId], lease: Lease, now: datetime) -> None:  # noqa: ARG002
        if messages:
            await self._database.write(lambda _refs: _renew(messages, lease), durable=False)

    async def give_back(self, message: QueueId, numbers: Collection[int], owner: str) -> None:
        await self._database.write(lambda _refs: _give_back(message, numbers, owner), durable=False)

    async def settle(self, settlement: Settlement) -> None:
        await self._database.write(lambda refs: _settle(settlement, iter(refs)), blobs=octets_of(settlement.notices))

    async def hold(self, selection: Selection, reason: str = "") -> int:
        return await self._database.write(lambda _refs: queue_selection.hold(selection, reason))

    async def release(self, selection: Selection) -> int:
        return await self._database.write(lambda _refs: queue_selection.release(selection))

    async def retry(self, selection: Selection, now: datetime) -> int:
        return await self._database.write(lambda _refs: queue_selection.make_due(selection, now))

    async def drop(self, selection: Selection) -> int:
        return await self._database.write(lambda _refs: queue_selection.drop(selection))

    async def cancel(self, message: QueueId, now: datetime, account: AccountId | None = None) -> int:
        return await self._database.write(lambda _refs: queue_selection.cancel(message, to_stamp(now), account))

    async def find_message(self, message: QueueId) -> QueueEntry | None:
        found = await self._database.read(entries([message]))
        return found[0] if found else None

    async def list_messages(
        self, selection: Selection, *, after: QueueId | None = None, limit: int = 100
    ) -> Sequence[QueueEntry]:
        return await self._database.read(queue_selection.list_messages(selection, after or QueueId(0), limit))

    async def counts(self) -> QueueCounts:
        return await self._database.read(queue_selection.count())

    async def forget_receipts(self, now: datetime) -> int:
        return await self._database.write(lambda _refs: _forget_receipts(to_stamp(now)), durable=False)


# -- in


def octets_of(messages: Iterable[NewMessage]) -> list[bytes]:
    """Return the octets that messages bring, in order: they become blobs before the unit begins."""
    return [
        octets if isinstance(octets, bytes) else bytes(octets)
        for octets in (message.octets for message in messages)
        if octets is not None
    ]


def enqueue(message: NewMessage, refs: Iterator[BlobRef]) -> Unit[Enqueued]:
    """Store a message with its recipients. `refs` has the blobs of those messages that brought octets."""
    blob = next(refs) if message.blob is None else message.blob
    earlier = yield from _take_receipt(message)
    if earlier is not None:
        return Enqueued(earlier, is_new=False)
    hold = yield from _count(message)
    if hold is not None:
        message = _kept_back(message, hold)
    queue_id = yield from insert_message(message, blob)
    yield from insert_timeline(message.timeline)
    yield from insert_recipients(queue_id, message)
    if message.receipt is not None:
        yield Statement("UPDATE queue_receipts SET queue_id = $1 WHERE receipt = $2", (queue_id, message.receipt))
    return Enqueued(queue_id, is_new=True)


def _count(message: NewMessage) -> Unit[Hold | None]:
    """Count what the message counts for; return the hold that its account is under, which nobody changes meanwhile."""
    if message.booking is not None:
        return (yield from insert_booking(message.booking))
    if message.account is None:
        return None
    return (yield from lock_hold(message.account))


def _kept_back(message: NewMessage, hold: Hold) -> NewMessage:
    timeline = tuple(replace(step, step=Step.HELD, text=hold.why) for step in message.timeline)
    return replace(message, held=message.held or hold.why, timeline=timeline)


def _take_receipt(message: NewMessage) -> Unit[QueueId | None]:
    """Return the message that had this receipt and is still remembered.

    The row is taken before there is a message to name in it: who comes with the same receipt waits for us.
    """
    if message.receipt is None or message.receipt_until is None:
        return None
    taken = yield Statement(
        "INSERT INTO queue_receipts (receipt, queue_id, ends_at) VALUES ($1, 0, $2)"
        " ON CONFLICT (receipt) DO UPDATE SET ends_at = excluded.ends_at WHERE queue_receipts.ends_at < $3"
        " RETURNING receipt",
        (message.receipt, to_stamp(message.receipt_until), to_stamp(message.queued_at)),
    )
    if taken:
        return None
    rows = yield Statement("SELECT queue_id FROM queue_receipts WHERE receipt = $1", (message.receipt,))
    return QueueId(rows[0][0])


def _forget_receipts(now: int) -> Unit[int]:
    rows = yield Statement("DELETE FROM queue_receipts WHERE ends_at < $1 RETURNING queue_id", (now,))
    return len(rows)


# -- due


def _head_of_queue() -> Unit[list[Row]]:
    return (
        yield Statement(
            "SELECT destination, due_at FROM queue_recipients WHERE due_at IS NOT NULL ORDER BY due_at LIMIT $1",
            (_HEAD,),
        )
    )


def _all_destinations() -> Unit[list[Row]]:
    """Return each destination with the time of its first recipient, NULL if none waits.

    The recursion steps from one destination to the next: ten thousand recipients of one cost as much as one.
    """
    return (
        yield Statement(
            "WITH RECURSIVE known (destination) AS ("
            "SELECT MIN(destination) FROM queue_recipients UNION ALL"
            " SELECT (SELECT MIN(r.destination) FROM queue_recipients r WHERE r.destination > known.destination)"
            " FROM known WHERE known.destination IS NOT NULL)"
            " SELECT destination, (SELECT MIN(r.due_at) FROM queue_recipients r"
            " WHERE r.destination = known.destination) FROM known WHERE destination IS NOT NULL"
        )
    )


def _due(row: Row) -> int:
    """Return when a destination is due, for sorting; never comes first."""
    due: int | None = row[1]
    return _NEVER if due is None else due


_NEVER = 1 << 63


def _first_of_each(
    rows: Iterable[Row], excluding: Collection[str], limit: int, until: int | None
) -> list[tuple[str, int]]:
    """Return the first row of each destination, from rows in the order of time."""
    found: dict[str, int] = {}
    for destination, due_at in rows:
        if due_at is None or (until is not None and due_at > until) or len(found) == limit:
            break
        if destination not in excluding:
            found.setdefault(destination, due_at)
    return list(found.items())


# -- claims


def _claim(destinations: Mapping[str, int], lease: Lease, now: int) -> Unit[Sequence[Claim]]:
    until = to_stamp(lease.until)
    rows: list[Row] = []
    for destination, limit in destinations.items():
        rows += yield Statement(_CLAIM, (lease.owner, until, destination, now, limit))
    if not rows:
        return ()
    rows.sort(key=_waiting_since)
    found: dict[tuple[QueueId, str], list[QueuedRecipient]] = {}
    for row in rows:
        recipient = read_recipient(row)
        found.setdefault((QueueId(row[0]), recipient.destination), []).append(recipient)
    messages = yield from select_messages({queue_id for queue_id, _ in found})
    return [
        Claim(messages[queue_id], destination, tuple(sorted(recipients, key=_number)))
        for (queue_id, destination), recipients in found.items()
    ]


_CLAIM = (
    "UPDATE queue_recipients SET lease_owner = $1, leased_until = $2 WHERE (queue_id, number) IN"
    " (SELECT queue_id, number FROM queue_recipients WHERE destination = $3 AND due_at <= $4"
    f" ORDER BY due_at, queue_id, number LIMIT $5) AND due_at <= $4 RETURNING {RECIPIENT_COLUMNS}"
)


def _waiting_since(row: Row) -> tuple[int, int, int]:
    queue_id, number, next_attempt = row[0], row[1], row[9]
    return (next_attempt, queue_id, number)


def _number(recipient: QueuedRecipient) -> int:
    return recipient.number


def _recover(owner: str, now: int, latest: int) -> Unit[int]:
    rows = yield Statement(
        "UPDATE queue_recipients SET lease_owner = NULL, leased_until = NULL"
        " WHERE lease_owner = $1 OR leased_until < $2 RETURNING number",
        (owner, now),
    )
    yield Statement(
        "UPDATE queue_recipients SET next_attempt = $1 WHERE state = 'ready' AND next_attempt > $1 AND NOT EXISTS ("
        "SELECT 1 FROM queue_messages m WHERE m.queue_id = queue_recipients.queue_id AND m.not_before > $1)",
        (latest,),
    )
    return len(rows)


def _renew(messages: Collection[QueueId], lease: Lease) -> Unit[None]:
    for chosen, numbers in conditions("queue_id", ((one, one) for one in sorted(messages)), 3):
        yield Statement(
            f"UPDATE queue_recipients SET leased_until = $1 WHERE lease_owner = $2 AND {chosen}",
            (to_stamp(lease.until), lease.owner, *numbers),
        )


def _give_back(message: QueueId, numbers: Collection[int], owner: str) -> Unit[None]:
    for chosen, values in conditions("number", ((one, one) for one in sorted(numbers)), 3):
        yield Statement(
            "UPDATE queue_recipients SET lease_owner = NULL, leased_until = NULL"
            f" WHERE queue_id = $1 AND lease_owner = $2 AND {chosen}",
            (message, owner, *values),
        )


# -- outcomes


def _settle(settlement: Settlement, refs: Iterator[BlobRef]) -> Unit[None]:
    if settlement.lease is None:
        yield from _record_deliveries(settlement.message, settlement.recipients)
    else:
        yield from _settle_leased(settlement.message, settlement.recipients, settlement.lease.owner)
    yield from insert_timeline(settlement.timeline)
    for notice in settlement.notices:
        yield from enqueue(notice, refs)


def _settle_leased(message: QueueId, outcomes: Sequence[Settled], owner: str) -> Unit[None]:
    finishing = sum(settled.state.is_finished for settled in outcomes)
    if finishing and not (yield from _count_out(message, finishing)):
        yield from _remove_message(message, {settled.number for settled in outcomes}, owner)
        return
    for settled in outcomes:
        if not (yield from _settle_one(message, settled, owner)):
            raise _lease_lost(message, settled.number)


def _record_deliveries(message: QueueId, outcomes: Sequence[Settled]) -> Unit[None]:
    finished = 0
    for settled in outcomes:
        finished += yield from _settle_one(message, settled, None)
    if finished and not (yield from _count_out(message, finished)):
        yield Statement("DELETE FROM queue_recipients WHERE queue_id = $1", (message,))
        yield Statement("DELETE FROM queue_messages WHERE queue_id = $1", (message,))


def _count_out(message: QueueId, finished: int) -> Unit[int]:
    """Note that so many recipients are finished; return how many are not. Raises `LeaseLost`."""
    rows = yield Statement(
        "UPDATE queue_messages SET unfinished = unfinished - $1 WHERE queue_id = $2 RETURNING unfinished",
        (finished, message),
    )
    if not rows or rows[0][0] < 0:
        raise _lease_lost(message, None)
    unfinished: int = rows[0][0]
    return unfinished


def _remove_message(message: QueueId, finished: set[int], owner: str) -> Unit[None]:
    """Remove a message whose last recipients are just finished. Raises `LeaseLost` unless all are the owner's."""
    rows = yield Statement(
        "DELETE FROM queue_recipients WHERE queue_id = $1 RETURNING number, state, lease_owner", (message,)
    )
    owned = {number for number, state, of in rows if of == owner and not RecipientState(state).is_finished}
    if owned != finished:
        raise _lease_lost(message, min(finished ^ owned))
    yield Statement("DELETE FROM queue_messages WHERE queue_id = $1", (message,))


def _settle_one(message: QueueId, settled: Settled, owner: str | None) -> Unit[bool]:
    """Store the outcome of one recipient; return false if it is finished, gone, or not the owner's."""
    values: tuple[Value, ...] = (
        *report_columns(settled.report),
        int(settled.delay_told),
        message,
        settled.number,
    )
    if settled.next_attempt is None:
        sql, values = _FINISH, (settled.state.value, *values)
    else:
        # A recipient that was held meanwhile stays held.
        sql, values = _DEFER, (to_stamp(settled.next_attempt), *values)
    if owner is not None:
        sql, values = f"{sql} AND lease_owner = $9", (*values, owner)
    rows = yield Statement(f"{sql} RETURNING number", values)
    return bool(rows)


_OUTCOME = (
    " attempts = attempts + 1, last_at = $2, last_status = $3, last_remote = $4, last_text = $5, delay_told = $6,"
    " lease_owner = NULL, leased_until = NULL"
    " WHERE queue_id = $7 AND number = $8 AND state IN ('ready', 'held')"
)
_FINISH = f"UPDATE queue_recipients SET state = $1,{_OUTCOME}"
_DEFER = f"UPDATE queue_recipients SET next_attempt = $1,{_OUTCOME}"


def _lease_lost(message: QueueId, number: int | None) -> LeaseLost:
    return LeaseLost(cause=f"{message}/{'?' if number is None else number}")
