"""What the queue keeps beyond its words, on each engine in turn: blobs, many at once, a long queue."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.storage import SqlStorage
from hongyan.queue.items import new_message
from hongyan.store.queue import (
    AttemptReport,
    Claim,
    Lease,
    NewMessage,
    NewRecipient,
    RecipientState,
    Selection,
    Settled,
    Settlement,
)

NOW = datetime(2026, 11, 23, 8, 0, 0, 123456, tzinfo=UTC)
REPORT = AttemptReport(NOW, "2.0.0", "mx.example.net", "Taken")
READY, DELIVERED = RecipientState.READY, RecipientState.DELIVERED


@pytest.fixture
def queue(storage: SqlStorage) -> SqlQueue:
    return SqlQueue(storage.database)


def new(
    *recipients: str, octets: bytes = b"A: b\r\n\r\n", seconds: float = 0, digest: bytes | None = None
) -> NewMessage:
    return new_message(
        Address.parse("ann@example.org"),
        [NewRecipient(Address.parse(recipient)) for recipient in recipients],
        now=NOW + timedelta(seconds=seconds),
        expires=NOW + timedelta(days=5),
        size=len(octets),
        octets=octets,
        content_digest=digest,
    )


def lease(owner: str) -> Lease:
    return Lease(owner, NOW + timedelta(minutes=10))


def delivery(number: int) -> Settled:
    return Settled(number=number, state=DELIVERED, report=REPORT)


async def settle(
    queue: SqlQueue, claim: Claim, owner: str, *outcomes: Settled, notices: tuple[NewMessage, ...] = ()
) -> None:
    await queue.settle(Settlement(message=claim.message.id, lease=lease(owner), recipients=outcomes, notices=notices))


async def test_octets_become_a_blob_together_with_the_rows(queue: SqlQueue, storage: SqlStorage) -> None:
    await queue.enqueue(new("bob@x.example", octets=b"first\r\n"))
    (claim,) = await queue.claim({"x.example": 1}, lease("one"), NOW)
    assert await storage.blobs.read(claim.message.blob) == b"first\r\n"
    notices = (new("ann@a.example", octets=b"of a\r\n"), new("ann@b.example", octets=b"of b\r\n"))
    await settle(queue, claim, "one", delivery(0), notices=notices)
    for destination, octets in (("a.example", b"of a\r\n"), ("b.example", b"of b\r\n")):
        (found,) = await queue.claim({destination: 1}, lease("one"), NOW)
        assert await storage.blobs.read(found.message.blob) == octets


async def test_a_blob_that_is_there_is_used(queue: SqlQueue, storage: SqlStorage) -> None:
    first = await queue.enqueue(new("bob@x.example", octets=memoryview(b"octets\r\n")))  # type: ignore[arg-type]  # mapped
    entry = await queue.find_message(first.id)
    assert entry is not None
    forwarded = new_message(
        None,
        [NewRecipient(Address.parse("eve@y.example"))],
        now=NOW,
        expires=NOW,
        size=8,
        blob=entry.message.blob,
    )
    (notice,) = (new("ann@a.example", octets=b"told\r\n"),)
    (claim,) = await queue.claim({"x.example": 1}, lease("one"), NOW)
    await settle(queue, claim, "one", delivery(0), notices=(forwarded, notice))
    for destination, octets in (("y.example", b"octets\r\n"), ("a.example", b"told\r\n")):
        (found,) = await queue.claim({destination: 1}, lease("one"), NOW)
        assert await storage.blobs.read(found.message.blob) == octets


async def test_times_are_kept_to_the_microsecond(queue: SqlQueue) -> None:
    enqueued = await queue.enqueue(new("bob@x.example", seconds=0.000001))
    entry = await queue.find_message(enqueued.id)
    assert entry is not None
    assert entry.message.queued_at == entry.recipients[0].next_attempt == NOW + timedelta(microseconds=1)
    assert await queue.claim({"x.example": 1}, lease("one"), NOW) == ()
    assert len(await queue.claim({"x.example": 1}, lease("one"), entry.message.queued_at)) == 1


async def test_words_that_no_database_holds_do_not_keep_an_outcome_out(queue: SqlQueue) -> None:
    enqueued = await queue.enqueue(new("bob@x.example", "eve@x.example"))
    (claim,) = await queue.claim({"x.example": 9}, lease("one"), NOW)
    strange = AttemptReport(NOW, "4.0.0", "mx\0", "no\0 \ud83d way")
    later = NOW + timedelta(minutes=5)
    await settle(queue, claim, "one", Settled(number=0, state=READY, report=strange, next_attempt=later))
    entry = await queue.find_message(enqueued.id)
    assert entry is not None
    assert entry.recipients[0].last == AttemptReport(NOW, "4.0.0", "mx", "no ? way")


async def test_an_id_is_never_given_again(queue: SqlQueue) -> None:
    first = await queue.enqueue(new("bob@x.example"))
    await queue.drop(Selection())
    second = await queue.enqueue(new("bob@x.example"))
    assert second.id > first.id


async def test_of_many_that_claim_at_once_each_gets_something_else(queue: SqlQueue) -> None:
    for _ in range(10):
        await queue.enqueue(new("a@x.example", "b@x.example", "c@x.example", "d@y.example"))
    wanted = {"x.example": 5, "y.example": 3}
    found = await asyncio.gather(*(queue.claim(wanted, lease(f"node-{node}"), NOW) for node in range(12)))
    claimed = [(claim.message.id, one.number) for claims in found for claim in claims for one in claim.recipients]
    assert len(claimed) == len(set(claimed))
    rest = await queue.claim({"x.example": 100, "y.example": 100}, lease("last"), NOW)
    assert len(claimed) + sum(len(claim.recipients) for claim in rest) == 40


async def test_of_many_that_settle_at_once_the_last_removes_the_message(queue: SqlQueue) -> None:
    destinations = [f"d{number}.example" for number in range(8)]
    enqueued = await queue.enqueue(new(*(f"a@{destination}" for destination in destinations)))
    claims = [(await queue.claim({one: 1}, lease(one), NOW))[0] for one in destinations]
    await asyncio.gather(
        *(settle(queue, claim, claim.destination, delivery(claim.recipients[0].number)) for claim in claims)
    )
    assert await queue.find_message(enqueued.id) is None
    assert (await queue.counts()).messages == 0


async def test_of_many_that_send_the_same_at_once_one_is_stored(queue: SqlQueue) -> None:
    done = await asyncio.gather(*(queue.enqueue(new("bob@x.example", digest=b"same")) for _ in range(8)))
    assert len({one.id for one in done}) == 1
    assert [one.is_new for one in done].count(True) == 1
    assert (await queue.counts()).messages == 1


async def test_a_long_queue_for_one_destination_hides_no_other(queue: SqlQueue) -> None:
    crowd = [f"u{number}@crowd.example" for number in range(100)]
    for second in range(4):
        await queue.enqueue(new(*crowd, seconds=second))
    await queue.enqueue(new("a@late.example", seconds=20))
    await queue.enqueue(new("a@later.example", seconds=30))
    await queue.enqueue(new("a@held.example", seconds=5))
    await queue.hold(Selection(destination="held.example"))
    now = NOW + timedelta(seconds=25)
    assert await queue.due_destinations(now, limit=10) == ["crowd.example", "late.example"]
    assert await queue.due_destinations(now, limit=10, excluding=["crowd.example"]) == ["late.example"]
    assert await queue.due_destinations(now, limit=1) == ["crowd.example"]
    assert await queue.next_due(now) == NOW
    assert await queue.next_due(now, excluding={"crowd.example"}) == NOW + timedelta(seconds=20)
    assert await queue.next_due(now, excluding={"crowd.example", "late.example", "later.example"}) is None


async def test_many_named_messages_are_selected(queue: SqlQueue) -> None:
    ids = [(await queue.enqueue(new("a@x.example"))).id for _ in range(300)]
    wanted = frozenset(ids[::2]) | frozenset(ids[200:])
    assert await queue.hold(Selection(messages=wanted)) == len(wanted)
    entries = await queue.list_messages(Selection(messages=wanted), limit=1000)
    assert [entry.message.id for entry in entries] == sorted(wanted)
    assert len(await queue.list_messages(Selection(messages=wanted), after=ids[100], limit=7)) == 7
    assert await queue.drop(Selection(messages=wanted)) == len(wanted)
    assert (await queue.counts()).messages == 300 - len(wanted)
