"""What every `store.queue.QueueStore` keeps, on each engine in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.queue import SqlQueue
from hongyan.queue.items import new_message
from hongyan.store.queue import (
    AttemptReport,
    Claim,
    Lease,
    LeaseLost,
    NewMessage,
    NewRecipient,
    QueueStore,
    RecipientState,
    Selection,
    Settled,
    Settlement,
)
from hongyan.types import AccountId, QueueId
from hongyan.wire.smtp.parameters import Body, Notify, OriginalRecipient, Ret
from tests.support.queue import MemoryQueue
from tests.support.storage import open_postgres, open_sqlite

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ANN = Address.parse("ann@example.org")
OURS, THEIRS = "node-1", "node-2"
READY, HELD = RecipientState.READY, RecipientState.HELD
DELIVERED, FAILED = RecipientState.DELIVERED, RecipientState.FAILED
REPORT = AttemptReport(NOW, "4.4.1", "mx.example.net", "No connection to the mail server")


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def queue_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[QueueStore]:
    if request.param == "memory":
        yield MemoryQueue()
    elif request.param == "sqlite":
        async with open_sqlite(tmp_path) as storage:
            yield SqlQueue(storage.database)
    else:
        async with open_postgres(request.getfixturevalue("postgres_dsn"), tmp_path) as storage:
            yield SqlQueue(storage.database)


def minutes(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def lease(owner: str = OURS, at: float = 0) -> Lease:
    return Lease(owner, minutes(at + 10))


def new(*recipients: str, at: float = 0, **fields: object) -> NewMessage:
    values: dict[str, object] = {
        "now": minutes(at),
        "expires": minutes(at) + timedelta(days=5),
        "size": 7,
        "octets": b"A: b\r\n\r",
    }
    named = [NewRecipient(Address.parse(recipient)) for recipient in recipients or ("bob@example.net",)]
    return new_message(fields.pop("reverse_path", ANN), fields.pop("to", named), **(values | fields))  # type: ignore[arg-type]


async def claim(
    store: QueueStore, *destinations: str, at: float = 0, owner: str = OURS, limit: int = 10
) -> list[Claim]:
    wanted = dict.fromkeys(destinations or ("example.net",), limit)
    return list(await store.claim(wanted, lease(owner, at), minutes(at)))


async def claim_one(store: QueueStore, *, at: float = 0, owner: str = OURS) -> Claim:
    (one,) = await claim(store, at=at, owner=owner)
    return one


def settled(number: int, state: RecipientState, *, until: float | None = None, told: bool = False) -> Settled:
    next_attempt = None if until is None else minutes(until)
    return Settled(number=number, state=state, report=REPORT, next_attempt=next_attempt, delay_told=told)


async def settle(store: QueueStore, one: Claim, *outcomes: Settled, owner: str = OURS, **fields: object) -> None:
    values: dict[str, object] = {"lease": lease(owner)} | fields
    await store.settle(Settlement(message=one.message.id, recipients=outcomes, **values))  # type: ignore[arg-type]


async def states(store: QueueStore, message: QueueId) -> list[RecipientState]:
    entry = await store.find_message(message)
    return [] if entry is None else [recipient.state for recipient in entry.recipients]


# -- In ----------------------------------------------------------------------------------------------------------------


async def test_a_message_is_kept_as_it_was_given(queue_store: QueueStore) -> None:
    recipients = (
        NewRecipient(
            Address.parse('"b o"@example.net'),
            Notify.SUCCESS | Notify.DELAY,
            OriginalRecipient("rfc822", "o@x"),
        ),
        NewRecipient(Address.parse("鸿雁@例子.中国"), Notify.NEVER),
        NewRecipient(Address.parse("c@[192.0.2.1]")),
    )
    given = new(
        to=recipients,
        prefix=b"Received: \xff\r\n",
        omitted=((0, 3), (5, 6)),
        account=AccountId(7),
        trace_id="mid-1",
        body=Body.EIGHT_BIT,
        smtputf8=True,
        require_tls=True,
        ret=Ret.HDRS,
        envelope_id="envid+1",
        verp="+=",
        delay=timedelta(seconds=30),
    )
    enqueued = await queue_store.enqueue(given)
    assert enqueued.is_new
    entry = await queue_store.find_message(enqueued.id)
    assert entry is not None
    message = entry.message
    for name in ("reverse_path", "size", "prefix", "omitted", "account", "trace_id", "body", "smtputf8"):
        assert getattr(message, name) == getattr(given, name), name
    for name in ("require_tls", "ret", "envelope_id", "queued_at", "expires", "verp"):
        assert getattr(message, name) == getattr(given, name), name
    assert message.octets_out == 7 + len(given.prefix) - 4
    for number, (kept, wanted) in enumerate(zip(entry.recipients, recipients, strict=True)):
        assert (kept.number, kept.address, kept.notify, kept.original) == (
            number,
            wanted.address,
            wanted.notify,
            wanted.original,
        )
        assert kept.destination == wanted.address.domain.text
        assert (kept.state, kept.attempts, kept.next_attempt) == (READY, 0, given.not_before)
        assert (kept.delay_told, kept.last, kept.leased_until) == (False, None, None)


async def test_the_null_reverse_path_is_kept_as_none(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new(reverse_path=None))
    entry = await queue_store.find_message(enqueued.id)
    assert entry is not None
    assert entry.message.reverse_path is None


async def test_ids_grow(queue_store: QueueStore) -> None:
    ids = [(await queue_store.enqueue(new())).id for _ in range(3)]
    assert ids == sorted(set(ids))


async def test_a_resend_within_its_time_is_stored_once(queue_store: QueueStore) -> None:
    first = await queue_store.enqueue(new(content_digest=b"digest"))
    again = await queue_store.enqueue(new(at=10, content_digest=b"digest"))
    assert (first.is_new, again.is_new, again.id) == (True, False, first.id)
    other = await queue_store.enqueue(new(at=1, content_digest=b"other"))
    late = await queue_store.enqueue(new(at=10.1, content_digest=b"digest"))
    assert other.is_new
    assert late.is_new
    assert len({first.id, other.id, late.id}) == 3
    assert not (await queue_store.enqueue(new(at=15, content_digest=b"digest"))).is_new, "the receipt began anew"


async def test_a_resend_is_known_after_the_message_went_out(queue_store: QueueStore) -> None:
    first = await queue_store.enqueue(new(content_digest=b"digest"))
    await settle(queue_store, await claim_one(queue_store), settled(0, DELIVERED))
    assert await queue_store.find_message(first.id) is None
    again = await queue_store.enqueue(new(at=1, content_digest=b"digest"))
    assert (again.is_new, again.id) == (False, first.id)
    assert (await queue_store.counts()).messages == 0


async def test_messages_without_a_receipt_are_all_stored(queue_store: QueueStore) -> None:
    assert (await queue_store.enqueue(new())).id != (await queue_store.enqueue(new())).id


async def test_receipts_that_ended_are_forgotten(queue_store: QueueStore) -> None:
    await queue_store.enqueue(new(content_digest=b"1"))
    await queue_store.enqueue(new(at=5, content_digest=b"2"))
    assert await queue_store.forget_receipts(minutes(12)) == 1
    assert not (await queue_store.enqueue(new(at=12, content_digest=b"2"))).is_new
    assert (await queue_store.enqueue(new(at=12, content_digest=b"1"))).is_new


# -- Due and claim -----------------------------------------------------------------------------------------------------


async def test_destinations_come_by_how_long_they_wait(queue_store: QueueStore) -> None:
    await queue_store.enqueue(new("a@late.example", at=3))
    await queue_store.enqueue(new("a@early.example", "b@late.example", at=1))
    await queue_store.enqueue(new("a@future.example", at=60))
    await queue_store.enqueue(new("a@middle.example", at=2))
    due = await queue_store.due_destinations(minutes(5), limit=10)
    assert sorted(due[:2]) == ["early.example", "late.example"]
    assert list(due[2:]) == ["middle.example"]
    assert len(await queue_store.due_destinations(minutes(5), limit=2)) == 2
    excluded = await queue_store.due_destinations(minutes(5), limit=10, excluding={"early.example", "late.example"})
    assert list(excluded) == ["middle.example"]
    assert list(await queue_store.due_destinations(minutes(0.5), limit=10)) == []


async def test_a_claim_has_one_message_and_one_destination(queue_store: QueueStore) -> None:
    one = await queue_store.enqueue(new("a@x.example", "b@y.example", "c@x.example"))
    two = await queue_store.enqueue(new("d@x.example", at=1))
    claims = await claim(queue_store, "x.example", at=1)
    assert [(found.message.id, found.destination) for found in claims] == [
        (one.id, "x.example"),
        (two.id, "x.example"),
    ]
    assert [[recipient.number for recipient in found.recipients] for found in claims] == [[0, 2], [0]]
    assert [recipient.leased_until for recipient in claims[0].recipients] == [minutes(11)] * 2
    (other,) = await claim(queue_store, "y.example", at=1)
    assert [recipient.number for recipient in other.recipients] == [1]


async def test_a_claim_is_bounded_for_each_destination(queue_store: QueueStore) -> None:
    for number in range(5):
        await queue_store.enqueue(new("a@x.example", "b@x.example", "c@y.example", at=number / 10))
    claims = await queue_store.claim({"x.example": 3, "y.example": 1}, lease(at=1), minutes(1))
    counts = {"x.example": 0, "y.example": 0}
    for found in claims:
        counts[found.destination] += len(found.recipients)
    assert counts == {"x.example": 3, "y.example": 1}
    assert len(await claim(queue_store, "x.example", at=1, limit=100)) == 4


async def test_what_is_claimed_is_not_claimed_again_until_the_lease_ends(queue_store: QueueStore) -> None:
    await queue_store.enqueue(new())
    await claim_one(queue_store)
    assert await claim(queue_store, at=9, owner=THEIRS) == []
    assert await claim(queue_store, at=9) == [], "not by its own holder either"
    assert list(await queue_store.due_destinations(minutes(9), limit=10)) == []
    assert list(await queue_store.due_destinations(minutes(10), limit=10)) == ["example.net"]
    assert len(await claim(queue_store, at=10, owner=THEIRS)) == 1


async def test_what_is_not_due_or_held_is_not_claimed(queue_store: QueueStore) -> None:
    await queue_store.enqueue(new(delay=timedelta(minutes=2)))
    assert await claim(queue_store, at=1.9) == []
    await queue_store.hold(Selection())
    assert await claim(queue_store, at=5) == []


async def test_a_renewed_lease_lasts_longer_and_a_lost_one_is_not_renewed(queue_store: QueueStore) -> None:
    kept = await queue_store.enqueue(new())
    lost = await queue_store.enqueue(new("a@lost.example"))
    await claim_one(queue_store)
    await claim(queue_store, "lost.example")
    assert len(await claim(queue_store, "lost.example", at=10, owner=THEIRS)) == 1
    await queue_store.renew([kept.id, lost.id], lease(at=11), minutes(11))
    assert await claim(queue_store, at=20, owner=THEIRS) == []
    assert await claim(queue_store, "lost.example", at=19, owner=THEIRS) == []
    entry = await queue_store.find_message(lost.id)
    assert entry is not None
    assert entry.recipients[0].leased_until == minutes(20)


async def test_what_is_given_back_is_due_as_before(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net"))
    await claim_one(queue_store)
    await queue_store.give_back(enqueued.id, [0, 1], THEIRS)
    assert await claim(queue_store, at=1) == [], "others cannot give it back"
    await queue_store.give_back(enqueued.id, [1], OURS)
    again = await claim_one(queue_store, at=1, owner=THEIRS)
    assert [(recipient.number, recipient.attempts) for recipient in again.recipients] == [(1, 0)]


async def test_a_start_ends_leases_of_this_node_and_those_that_ran_out(queue_store: QueueStore) -> None:
    for destination in ("ours.example", "theirs.example", "old.example"):
        await queue_store.enqueue(new(f"a@{destination}", at=-20))
    await claim(queue_store, "ours.example", at=5)
    await claim(queue_store, "theirs.example", at=5, owner=THEIRS)
    await claim(queue_store, "old.example", at=-5, owner=THEIRS)
    assert await queue_store.recover(OURS, minutes(6), minutes(300)) == 2
    due = await queue_store.due_destinations(minutes(6), limit=10)
    assert sorted(due) == ["old.example", "ours.example"]
    assert await queue_store.recover(OURS, minutes(16), minutes(300)) == 1


async def test_a_start_lets_nobody_wait_for_a_clock_that_ran_ahead(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new(at=60 * 24 * 300))
    await queue_store.recover(OURS, NOW, minutes(264))
    entry = await queue_store.find_message(enqueued.id)
    assert entry is not None
    assert entry.recipients[0].next_attempt == minutes(264)


async def test_the_next_due_time_regards_leases_and_exclusions(queue_store: QueueStore) -> None:
    assert await queue_store.next_due(NOW) is None
    await queue_store.enqueue(new("a@late.example", at=30))
    assert await queue_store.next_due(NOW) == minutes(30)
    await queue_store.enqueue(new("a@early.example", at=0))
    assert await queue_store.next_due(minutes(20)) == NOW, "it may lie in the past"
    assert await queue_store.next_due(minutes(20), excluding={"early.example"}) == minutes(30)
    await claim(queue_store, "early.example", at=1)
    assert await queue_store.next_due(minutes(1)) == minutes(11)
    await queue_store.hold(Selection())
    assert await queue_store.next_due(minutes(1)) is None


# -- Settle ------------------------------------------------------------------------------------------------------------


async def test_the_last_delivery_removes_the_message(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@x.example", "b@y.example"))
    (first,) = await claim(queue_store, "x.example")
    (second,) = await claim(queue_store, "y.example")
    await settle(queue_store, first, settled(0, DELIVERED))
    assert await states(queue_store, enqueued.id) == [DELIVERED, READY]
    await settle(queue_store, second, settled(1, FAILED))
    assert await queue_store.find_message(enqueued.id) is None
    assert (await queue_store.counts()).messages == 0


async def test_a_deferred_recipient_waits_with_what_was_learnt(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new())
    await settle(queue_store, await claim_one(queue_store), settled(0, READY, until=5, told=True))
    entry = await queue_store.find_message(enqueued.id)
    assert entry is not None
    (recipient,) = entry.recipients
    assert (recipient.state, recipient.attempts, recipient.delay_told) == (READY, 1, True)
    assert (recipient.last, recipient.next_attempt, recipient.leased_until) == (REPORT, minutes(5), None)
    assert await claim(queue_store, at=4.9) == []
    again = await claim_one(queue_store, at=5)
    assert (again.recipients[0].attempts, again.recipients[0].delay_told) == (1, True)


async def test_a_part_of_a_claim_may_be_settled(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net", "c@example.net"))
    one = await claim_one(queue_store)
    await settle(queue_store, one, settled(0, DELIVERED), settled(2, READY, until=5))
    assert await states(queue_store, enqueued.id) == [DELIVERED, READY, READY]
    await settle(queue_store, one, settled(1, FAILED))
    assert await states(queue_store, enqueued.id) == [DELIVERED, FAILED, READY]


async def test_notices_are_stored_with_the_outcomes(queue_store: QueueStore) -> None:
    await queue_store.enqueue(new())
    notice = new("ann@example.org", reverse_path=None, at=1)
    await settle(queue_store, await claim_one(queue_store), settled(0, FAILED), notices=(notice,))
    (found,) = await claim(queue_store, "example.org", at=1)
    assert (found.message.reverse_path, str(found.recipients[0].address)) == (None, "ann@example.org")


async def test_a_lost_lease_stores_nothing(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net"))
    one = await claim_one(queue_store)
    await claim_one(queue_store, at=10, owner=THEIRS)
    notice = new("ann@example.org", reverse_path=None)
    with pytest.raises(LeaseLost):
        await settle(queue_store, one, settled(0, DELIVERED), settled(1, FAILED), notices=(notice,))
    assert await states(queue_store, enqueued.id) == [READY, READY]
    assert list(await queue_store.due_destinations(minutes(10), limit=10)) == []


async def test_a_lease_that_ran_out_and_nobody_took_is_still_good(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new())
    one = await claim_one(queue_store)
    assert list(await queue_store.due_destinations(minutes(30), limit=10)) == ["example.net"]
    await settle(queue_store, one, settled(0, DELIVERED))
    assert await queue_store.find_message(enqueued.id) is None


async def test_what_is_finished_or_given_back_or_gone_is_no_longer_leased(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net"))
    one = await claim_one(queue_store)
    await settle(queue_store, one, settled(0, DELIVERED))
    with pytest.raises(LeaseLost):
        await settle(queue_store, one, settled(0, FAILED))
    await queue_store.give_back(enqueued.id, [1], OURS)
    with pytest.raises(LeaseLost):
        await settle(queue_store, one, settled(1, FAILED))
    await queue_store.drop(Selection())
    with pytest.raises(LeaseLost):
        await settle(queue_store, one, settled(1, FAILED))


async def test_a_delivery_that_happened_is_recorded_without_a_lease(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net"))
    one = await claim_one(queue_store)
    theirs = await claim_one(queue_store, at=10, owner=THEIRS)
    await settle(queue_store, one, settled(0, DELIVERED), settled(7, DELIVERED), lease=None)
    assert await states(queue_store, enqueued.id) == [DELIVERED, READY]
    with pytest.raises(LeaseLost):
        await settle(queue_store, theirs, settled(0, FAILED), owner=THEIRS)
    await settle(queue_store, one, settled(0, DELIVERED), settled(1, DELIVERED), lease=None)
    assert await queue_store.find_message(enqueued.id) is None
    await settle(queue_store, one, settled(0, DELIVERED), lease=None)


# -- The operator ------------------------------------------------------------------------------------------------------


async def test_hold_and_release(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new(delay=timedelta(minutes=5)))
    assert await queue_store.hold(Selection()) == 1
    assert await queue_store.hold(Selection()) == 0
    assert await states(queue_store, enqueued.id) == [HELD]
    assert await queue_store.retry(Selection(), NOW) == 0
    assert await queue_store.release(Selection()) == 1
    assert await claim(queue_store, at=4) == [], "due when it was"
    assert len(await claim(queue_store, at=5)) == 1


async def test_hold_does_not_stop_an_attempt_and_outlasts_it(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net"))
    one = await claim_one(queue_store)
    assert await queue_store.hold(Selection()) == 2
    await settle(queue_store, one, settled(0, DELIVERED), settled(1, READY, until=5))
    assert await states(queue_store, enqueued.id) == [DELIVERED, HELD]
    assert await claim(queue_store, at=60) == []


async def test_what_an_attempt_holds_waits_for_the_operator(queue_store: QueueStore) -> None:
    enqueued = await queue_store.enqueue(new("a@example.net", "b@example.net"))
    one = await claim_one(queue_store)
    await settle(queue_store, one, settled(0, HELD), settled(1, DELIVERED))
    assert await states(queue_store, enqueued.id) == [HELD, DELIVERED]
    assert await claim(queue_store, at=600) == []
    assert await queue_store.release(Selection()) == 1
    assert len(await claim(queue_store)) == 1


async def test_retry_makes_due_what_waits(queue_store: QueueStore) -> None:
    await queue_store.enqueue(new(delay=timedelta(hours=3)))
    assert await queue_store.retry(Selection(), NOW) == 1
    assert len(await claim(queue_store)) == 1


async def test_drop_is_final_and_silent(queue_store: QueueStore) -> None:
    whole = await queue_store.enqueue(new("a@x.example"))
    part = await queue_store.enqueue(new("a@x.example", "b@y.example"))
    assert await queue_store.drop(Selection(destination="x.example")) == 2
    assert await queue_store.find_message(whole.id) is None
    assert await states(queue_store, part.id) == [RecipientState.DROPPED, READY]
    assert await queue_store.drop(Selection(destination="x.example")) == 0


async def test_a_selection_fits_every_criterion(queue_store: QueueStore) -> None:
    eve = Address.parse("eve@example.com")
    first = await queue_store.enqueue(new("a@x.example", account=AccountId(1)))
    second = await queue_store.enqueue(new("a@x.example", "a@y.example", reverse_path=eve, account=AccountId(2)))
    third = await queue_store.enqueue(new("a@y.example", reverse_path=None))
    await queue_store.hold(Selection(messages=frozenset({third.id})))
    expected = [
        (Selection(), [first.id, second.id, third.id]),
        (Selection(messages=frozenset({first.id, third.id})), [first.id, third.id]),
        (Selection(messages=frozenset()), []),
        (Selection(destination="x.example"), [first.id, second.id]),
        (Selection(reverse_path=eve), [second.id]),
        (Selection(account=AccountId(1)), [first.id]),
        (Selection(state=HELD), [third.id]),
        (Selection(destination="y.example", state=READY), [second.id]),
        (Selection(destination="x.example", reverse_path=ANN, account=AccountId(2)), []),
    ]
    for selection, ids in expected:
        entries = await queue_store.list_messages(selection)
        assert [entry.message.id for entry in entries] == ids, selection
    (entry,) = await queue_store.list_messages(Selection(destination="y.example", state=READY))
    assert len(entry.recipients) == 2, "an entry has all recipients"


async def test_a_list_comes_in_pages(queue_store: QueueStore) -> None:
    ids = [(await queue_store.enqueue(new())).id for _ in range(5)]
    first = await queue_store.list_messages(Selection(), limit=2)
    assert [entry.message.id for entry in first] == ids[:2]
    rest = await queue_store.list_messages(Selection(), after=ids[1], limit=10)
    assert [entry.message.id for entry in rest] == ids[2:]


async def test_what_is_unfinished_is_counted(queue_store: QueueStore) -> None:
    assert (await queue_store.counts()).messages == 0
    await queue_store.enqueue(new("a@x.example", "b@y.example"))
    await queue_store.enqueue(new("c@x.example"))
    await queue_store.hold(Selection(destination="y.example"))
    (first, _) = await claim(queue_store, "x.example")
    await settle(queue_store, first, settled(0, DELIVERED))
    counts = await queue_store.counts()
    assert (counts.messages, counts.octets) == (2, 14)
    assert counts.recipients.get(READY, 0) == 1
    assert counts.recipients.get(HELD, 0) == 1
    assert all(not state.is_finished for state in counts.recipients)


# -- Release and hold --------------------------------------------------------------------------------------------------


async def test_a_message_that_is_held_from_the_start_waits_for_its_release(queue_store: QueueStore) -> None:
    done = await queue_store.enqueue(new(held="for its content"))
    assert await queue_store.due_destinations(minutes(1), limit=9) == []
    entry = await queue_store.find_message(done.id)
    assert entry is not None
    assert [(one.state, one.held_for) for one in entry.recipients] == [(HELD, "for its content")]
    assert await queue_store.release(Selection(messages=frozenset([done.id]))) == 1
    (one,) = await claim(queue_store, at=1)
    assert one.recipients[0].held_for == ""


async def test_a_hold_keeps_its_reason(queue_store: QueueStore) -> None:
    done = await queue_store.enqueue(new())
    assert await queue_store.hold(Selection(), "too many bounces") == 1
    entry = await queue_store.find_message(done.id)
    assert entry is not None
    assert entry.recipients[0].held_for == "too many bounces"


async def test_what_is_to_be_released_later_is_so_after_a_start_too(queue_store: QueueStore) -> None:
    done = await queue_store.enqueue(new(delay=timedelta(days=3)))
    await queue_store.recover(OURS, minutes(1), minutes(60))
    assert await queue_store.next_due(minutes(1)) == NOW + timedelta(days=3)
    entry = await queue_store.find_message(done.id)
    assert entry is not None
    assert entry.message.not_before == NOW + timedelta(days=3)
    assert entry.message.expires == NOW + timedelta(days=8)


async def test_a_message_is_cancelled_by_its_account_before_its_release(queue_store: QueueStore) -> None:
    ann, bob = AccountId(1), AccountId(2)
    done = await queue_store.enqueue(new("a@example.net", "b@example.net", delay=timedelta(hours=1), account=ann))
    assert await queue_store.cancel(done.id, minutes(1), bob) == 0
    assert await queue_store.cancel(done.id, minutes(61), ann) == 0
    assert await queue_store.cancel(done.id, minutes(59), ann) == 2
    assert await queue_store.find_message(done.id) is None
    assert await queue_store.cancel(done.id, minutes(59), ann) == 0


async def test_a_message_that_somebody_began_is_not_cancelled(queue_store: QueueStore) -> None:
    done = await queue_store.enqueue(new(delay=timedelta(hours=1)))
    await queue_store.retry(Selection(), minutes(1))
    one = await claim_one(queue_store, at=1)
    assert await queue_store.cancel(done.id, minutes(2)) == 0
    await settle(queue_store, one, settled(0, READY, until=30))
    assert await queue_store.cancel(done.id, minutes(3)) == 0
    assert (await states(queue_store, done.id)) == [READY]


async def test_what_was_cancelled_may_be_sent_anew_within_the_time_of_its_receipt(queue_store: QueueStore) -> None:
    ann = AccountId(1)
    first = await queue_store.enqueue(new(content_digest=b"digest", delay=timedelta(hours=1), account=ann))
    assert await queue_store.cancel(first.id, minutes(1), ann) == 1
    again = await queue_store.enqueue(new(at=2, content_digest=b"digest", delay=timedelta(hours=1), account=ann))
    assert again.is_new
    assert await queue_store.find_message(again.id) is not None
