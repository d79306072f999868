"""The queue's port in dictionaries, held to the same contract suite as the engines (tests/contract/test_queue.py)."""

from __future__ import annotations

__all__ = ["MemoryBlobs", "MemoryQueue"]

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hongyan.errors import Corrupt
from hongyan.store.blobs import StoredBlob
from hongyan.store.queue import (
    Claim,
    Enqueued,
    Lease,
    LeaseLost,
    NewMessage,
    QueueCounts,
    QueuedMessage,
    QueuedRecipient,
    QueueEntry,
    RecipientState,
    Selection,
    Settlement,
)
from hongyan.types import AccountId, BlobRef, QueueId

READY, HELD = RecipientState.READY, RecipientState.HELD


@dataclass
class MemoryBlobs:
    """Blobs by reference. What is set to None cannot be read."""

    octets: dict[BlobRef, bytes | None] = field(default_factory=dict)

    def put(self, octets: bytes) -> BlobRef:
        ref = BlobRef(b"%d" % len(self.octets))
        self.octets[ref] = octets
        return ref

    def read_now(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes | None:
        return None

    async def read(self, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        octets = self.octets.get(ref)
        if octets is None:
            raise Corrupt(cause=f"blob {ref!r}")
        return octets[start:stop]

    def scan(self) -> Iterator[StoredBlob]:
        for ref, octets in self.octets.items():
            yield StoredBlob(ref, len(octets or b""), octets is not None)


@dataclass
class _Row:
    """A recipient with its lease."""

    value: QueuedRecipient
    lease: Lease | None = None

    def shown(self) -> QueuedRecipient:
        return replace(self.value, leased_until=self.lease.until if self.lease else None)

    def set(self, **fields: object) -> None:
        self.value = replace(self.value, **fields)  # type: ignore[arg-type]


@dataclass
class MemoryQueue:
    """`hongyan.store.queue.QueueStore` without a disk. `fault`, when set, is raised by each call."""

    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    fault: Exception | None = None
    _messages: dict[QueueId, QueuedMessage] = field(default_factory=dict)
    _rows: dict[QueueId, list[_Row]] = field(default_factory=dict)
    _receipts: dict[bytes, tuple[QueueId, datetime]] = field(default_factory=dict)
    _last: int = 0

    async def recover(self, owner: str, now: datetime, latest: datetime) -> int:
        ended = 0
        for message_id, row in self._all():
            if row.lease and (row.lease.owner == owner or row.lease.until < now):
                row.lease = None
                ended += 1
            message = self._messages[message_id]
            until = max(latest, message.not_before) if message.not_before > message.queued_at else latest
            if row.value.state is READY and row.value.next_attempt > until:
                row.set(next_attempt=latest)
        return ended

    async def enqueue(self, message: NewMessage) -> Enqueued:
        self._check()
        return self._enqueue(message)

    def _enqueue(self, new: NewMessage) -> Enqueued:
        known = self._receipts.get(new.receipt) if new.receipt else None
        if known and known[1] >= new.queued_at:
            return Enqueued(known[0], is_new=False)
        self._last += 1
        message_id = QueueId(self._last)
        blob = new.blob if new.blob is not None else self.blobs.put(bytes(new.octets or b""))
        self._messages[message_id] = QueuedMessage(
            id=message_id,
            reverse_path=new.reverse_path,
            blob=blob,
            size=new.size,
            prefix=new.prefix,
            omitted=new.omitted,
            account=new.account,
            trace_id=new.trace_id,
            body=new.body,
            smtputf8=new.smtputf8,
            require_tls=new.require_tls,
            ret=new.ret,
            envelope_id=new.envelope_id,
            queued_at=new.queued_at,
            not_before=new.not_before,
            expires=new.expires,
            verp=new.verp,
        )
        self._rows[message_id] = [
            _Row(
                QueuedRecipient(
                    number=number,
                    address=recipient.address,
                    destination=recipient.destination,
                    state=READY if new.held is None else HELD,
                    notify=recipient.notify,
                    original=recipient.original,
                    attempts=0,
                    next_attempt=new.not_before,
                    delay_told=False,
                    last=None,
                    held_for=new.held or "",
                )
            )
            for number, recipient in enumerate(new.recipients)
        ]
        if new.receipt and new.receipt_until:
            self._receipts[new.receipt] = (message_id, new.receipt_until)
        return Enqueued(message_id, is_new=True)

    async def due_destinations(self, now: datetime, *, limit: int, excluding: Collection[str] = ()) -> Sequence[str]:
        self._check()
        due = sorted(
            (row.value.next_attempt, row.value.destination)
            for _, row in self._all()
            if _is_due(row, now) and row.value.destination not in excluding
        )
        return list(dict.fromkeys(destination for _, destination in due))[:limit]

    async def claim(self, destinations: Mapping[str, int], lease: Lease, now: datetime) -> Sequence[Claim]:
        self._check()
        left = dict(destinations)
        found: dict[tuple[QueueId, str], list[_Row]] = {}
        by_age = sorted(self._all(), key=lambda item: (item[1].value.next_attempt, item[0], item[1].value.number))
        for message_id, row in by_age:
            destination = row.value.destination
            if _is_due(row, now) and left.get(destination, 0) > 0:
                left[destination] -= 1
                row.lease = lease
                found.setdefault((message_id, destination), []).append(row)
        return [
            Claim(
                self._messages[message_id],
                destination,
                tuple(sorted((row.shown() for row in rows), key=lambda recipient: recipient.number)),
            )
            for (message_id, destination), rows in found.items()
        ]

    async def renew(self, messages: Collection[QueueId], lease: Lease, now: datetime) -> None:
        self._check()
        for message_id, row in self._all():
            if message_id in messages and row.lease and row.lease.owner == lease.owner:
                row.lease = lease

    async def give_back(self, message: QueueId, numbers: Collection[int], owner: str) -> None:
        for row in self._rows.get(message, []):
            if row.value.number in numbers and row.lease and row.lease.owner == owner:
                row.lease = None

    async def settle(self, settlement: Settlement) -> None:
        self._check()
        rows = {row.value.number: row for row in self._rows.get(settlement.message, [])}
        for settled in settlement.recipients:
            row = rows.get(settled.number)
            if settlement.lease is not None and not _is_leased_to(row, settlement.lease.owner):
                raise LeaseLost(cause=f"{settlement.message}/{settled.number}")
        for settled in settlement.recipients:
            row = rows.get(settled.number)
            if row is None or row.value.state.is_finished:
                continue
            row.lease = None
            row.set(attempts=row.value.attempts + 1, last=settled.report, delay_told=settled.delay_told)
            if settled.state is READY:
                row.set(next_attempt=settled.next_attempt)
            else:
                row.set(state=settled.state)
        for notice in settlement.notices:
            self._enqueue(notice)
        self._remove_if_finished(settlement.message)

    async def next_due(self, now: datetime, *, excluding: Collection[str] = ()) -> datetime | None:
        self._check()
        return min(
            (
                max(row.value.next_attempt, row.lease.until if row.lease else row.value.next_attempt)
                for _, row in self._all()
                if row.value.state is READY and row.value.destination not in excluding
            ),
            default=None,
        )

    async def hold(self, selection: Selection, reason: str = "") -> int:
        return self._change(selection, READY, state=HELD, held_for=reason)

    async def release(self, selection: Selection) -> int:
        return self._change(selection, HELD, state=READY, held_for="")

    async def retry(self, selection: Selection, now: datetime) -> int:
        return self._change(selection, READY, next_attempt=now)

    async def drop(self, selection: Selection) -> int:
        dropped = 0
        for message_id, row in list(self._all()):
            if not row.value.state.is_finished and self._fits(message_id, row, selection):
                row.set(state=RecipientState.DROPPED)
                row.lease = None
                dropped += 1
                self._receipts = {kept: it for kept, it in self._receipts.items() if it[0] != message_id}
                self._remove_if_finished(message_id)
        return dropped

    async def cancel(self, message: QueueId, now: datetime, account: AccountId | None = None) -> int:
        entry = await self.find_message(message)
        if entry is None or entry.message.not_before <= now or account not in (None, entry.message.account):
            return 0
        if any(one.attempts or one.leased_until for one in entry.recipients):
            return 0
        return await self.drop(Selection(messages=frozenset([message])))

    async def find_message(self, message: QueueId) -> QueueEntry | None:
        if message not in self._messages:
            return None
        return QueueEntry(self._messages[message], tuple(row.shown() for row in self._rows[message]))

    async def list_messages(
        self, selection: Selection, *, after: QueueId | None = None, limit: int = 100
    ) -> Sequence[QueueEntry]:
        entries = []
        for message_id in sorted(self._messages):
            rows = self._rows[message_id]
            fits = any(not row.value.state.is_finished and self._fits(message_id, row, selection) for row in rows)
            if message_id > (after or 0) and fits:
                entries.append(QueueEntry(self._messages[message_id], tuple(row.shown() for row in rows)))
        return entries[:limit]

    async def counts(self) -> QueueCounts:
        self._check()
        states: dict[RecipientState, int] = {}
        for _, row in self._all():
            if not row.value.state.is_finished:
                states[row.value.state] = states.get(row.value.state, 0) + 1
        return QueueCounts(len(self._messages), states, sum(message.size for message in self._messages.values()))

    async def forget_receipts(self, now: datetime) -> int:
        self._check()
        ended = [receipt for receipt, (_, until) in self._receipts.items() if until < now]
        for receipt in ended:
            del self._receipts[receipt]
        return len(ended)

    def _check(self) -> None:
        if self.fault is not None:
            raise self.fault

    def _all(self) -> Iterator[tuple[QueueId, _Row]]:
        for message_id, rows in list(self._rows.items()):
            for row in rows:
                yield message_id, row

    def _change(self, selection: Selection, wanted: RecipientState, **fields: object) -> int:
        changed = [
            row
            for message_id, row in self._all()
            if row.value.state is wanted and self._fits(message_id, row, selection)
        ]
        for row in changed:
            row.set(**fields)
        return len(changed)

    def _fits(self, message_id: QueueId, row: _Row, selection: Selection) -> bool:
        message = self._messages[message_id]
        return (
            (selection.messages is None or message_id in selection.messages)
            and selection.destination in (None, row.value.destination)
            and selection.reverse_path in (None, message.reverse_path)
            and selection.account in (None, message.account)
            and selection.state in (None, row.value.state)
        )

    def _remove_if_finished(self, message: QueueId) -> None:
        rows = self._rows.get(message)
        if rows and all(row.value.state.is_finished for row in rows):
            del self._rows[message], self._messages[message]


def _is_due(row: _Row, now: datetime) -> bool:
    leased = row.lease is not None and row.lease.until > now
    return row.value.state is READY and row.value.next_attempt <= now and not leased


def _is_leased_to(row: _Row | None, owner: str) -> bool:
    return row is not None and not row.value.state.is_finished and row.lease is not None and row.lease.owner == owner
