"""What every `store.timelines.TimelineStore` keeps, on each engine in turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.sql.timelines import SqlTimelines
from hongyan.engines.sql.units import SqlDatabase
from hongyan.message.hops import Hop
from hongyan.queue.items import new_message
from hongyan.store.passages import Passage
from hongyan.store.queue import AttemptReport, Lease, LeaseLost, NewRecipient, RecipientState, Settled, Settlement
from hongyan.store.timelines import MAX_NAME, MAX_TEXT, Direction, NewTimelineEntry, Step
from hongyan.types import AccountId

NOW = datetime(2026, 11, 23, 8, 0, 0, 250_000, tzinfo=UTC)
ANN, BOB = AccountId(1), AccountId(2)


def entry(account: AccountId = ANN, minutes: float = 0, **fields: object) -> NewTimelineEntry:
    known: dict[str, object] = {"direction": Direction.INCOMING, "mid": "m1", "step": Step.DELIVERED, **fields}
    return NewTimelineEntry(account=account, at=NOW + timedelta(minutes=minutes), **known)  # type: ignore[arg-type]


@pytest.fixture
def timelines(sql_database: SqlDatabase) -> SqlTimelines:
    return SqlTimelines(sql_database)


async def test_an_entry_comes_back_as_it_was_stored(timelines: SqlTimelines) -> None:
    full = entry(
        direction=Direction.OUTGOING,
        step=Step.DEFERRED,
        address="ann@雁.test",
        counterpart="bob@example.net",
        stage="end of data",
        host="mx.example.net [192.0.2.1]",
        code=451,
        status="4.7.1",
        text="451 4.7.1 稍后再试",
        is_encrypted=True,
        next_attempt=NOW + timedelta(minutes=5),
        folder="junk",
        reason="dmarc/policy-reject",
        passage=Passage(
            hops=(Hop("a.test", "", None), Hop("", "b.test", 1_700_000_000)),
            begun=1_700_000_005,
            transfer=1.25,
            checks=0.5,
            storing=0.0,
        ),
    )
    await timelines.append_timeline([full, entry(BOB, is_encrypted=False)])
    (found,) = await timelines.list_timeline(ANN)
    assert found.new == full
    assert (found.times, found.first_at) == (1, NOW)
    (other,) = await timelines.list_timeline(BOB)
    assert (other.new.is_encrypted, other.new.code, other.new.next_attempt) == (False, None, None)


async def test_an_account_finds_its_own_entries_only_and_the_newest_first(timelines: SqlTimelines) -> None:
    await timelines.append_timeline([entry(ANN, 1), entry(BOB, 2), entry(ANN, 3, mid="m2")])
    assert [found.new.mid for found in await timelines.list_timeline(ANN)] == ["m2", "m1"]
    assert [found.new.account for found in await timelines.list_timeline(None)] == [ANN, BOB, ANN]
    assert await timelines.list_timeline(BOB, mid="m2") == []


async def test_criteria_are_met_together(timelines: SqlTimelines) -> None:
    await timelines.append_timeline(
        [entry(ANN, minutes, mid=f"m{minutes}", counterpart=f"C{minutes % 2}@Example.net") for minutes in range(6)]
    )
    found = await timelines.list_timeline(ANN, counterpart="c1@eXample.NET", since=NOW + timedelta(minutes=2))
    assert [one.new.mid for one in found] == ["m5", "m3"]
    newest = await timelines.list_timeline(ANN, limit=2)
    older = await timelines.list_timeline(ANN, before=newest[-1].entry_id, limit=2)
    assert [one.new.mid for one in (*newest, *older)] == ["m5", "m4", "m3", "m2"]


async def test_entries_of_one_fold_are_one_that_counts(timelines: SqlTimelines) -> None:
    fold = b"k" * 12
    await timelines.append_timeline([entry(ANN, 0, fold=fold, mid=""), entry(ANN, 1, fold=fold, text="first")])
    await timelines.append_timeline([entry(ANN, 9, fold=fold, mid="m9", text="last"), entry(BOB, 9, fold=fold)])
    (found,) = await timelines.list_timeline(ANN)
    assert (found.times, found.first_at, found.new.at) == (3, NOW, NOW + timedelta(minutes=9))
    assert (found.new.mid, found.new.text) == ("m9", "last")
    (other,) = await timelines.list_timeline(BOB)
    assert other.times == 1


async def test_what_strangers_wrote_is_cleaned_and_cut(timelines: SqlTimelines) -> None:
    nasty = "550 \x1b[31mno\r\nX: \0\ud800" + "x" * 5000
    await timelines.append_timeline([entry(text=nasty, counterpart="a" * 1000 + "@b", host="\x9bhost\u202e")])
    (found,) = await timelines.list_timeline(ANN)
    assert found.new.text.startswith("550  [31mno  X: ")
    assert len(found.new.text) == MAX_TEXT
    assert len(found.new.counterpart) == MAX_NAME
    assert found.new.host == " host "


async def test_what_is_old_is_dropped_and_of_the_rest_the_newest_are_kept(timelines: SqlTimelines) -> None:
    await timelines.append_timeline([entry(ANN, minute) for minute in range(2500)])
    await timelines.append_timeline([entry(BOB, minute) for minute in range(2400, 2410)])
    assert await timelines.expire_timeline(NOW + timedelta(minutes=2200), keep=100) == 2200 + 200
    left = await timelines.list_timeline(ANN, limit=5000)
    assert [one.new.at for one in (left[0], left[-1])] == [NOW + timedelta(minutes=minute) for minute in (2499, 2400)]
    assert len(await timelines.list_timeline(BOB)) == 10


async def test_the_steps_of_a_queued_message_are_stored_with_it_once(
    timelines: SqlTimelines, sql_database: SqlDatabase
) -> None:
    queue = SqlQueue(sql_database)
    message = new_message(
        Address.parse("ann@geese.test"),
        [NewRecipient(Address.parse(f"{name}@example.net")) for name in ("bob", "eve")],
        now=NOW,
        expires=NOW + timedelta(days=5),
        size=2,
        octets=b"hi",
        content_digest=b"d" * 32,
        account=ANN,
        trace_id="m1",
    )
    for _ in range(2):
        await queue.enqueue(message)
    steps = [(one.new.step, one.new.counterpart) for one in await timelines.list_timeline(ANN, mid="m1")]
    assert steps == [(Step.ACCEPTED, "eve@example.net"), (Step.ACCEPTED, "bob@example.net")]


async def test_a_settlement_that_is_refused_leaves_no_step(timelines: SqlTimelines, sql_database: SqlDatabase) -> None:
    queue = SqlQueue(sql_database)
    lease = Lease("us", NOW + timedelta(minutes=10))
    message = new_message(
        None,
        [NewRecipient(Address.parse("bob@example.net"))],
        now=NOW,
        expires=NOW + timedelta(days=5),
        size=2,
        octets=b"hi",
    )
    queue_id = (await queue.enqueue(message)).id
    settlement = Settlement(
        message=queue_id,
        lease=lease,
        recipients=(
            Settled(number=0, state=RecipientState.DELIVERED, report=AttemptReport(NOW, "2.0.0", "mx", "250 OK")),
        ),
        timeline=(entry(step=Step.RELAYED),),
    )
    with pytest.raises(LeaseLost):
        await queue.settle(settlement)
    assert await timelines.list_timeline(None) == []
    await queue.claim({"example.net": 5}, lease, NOW)
    await queue.settle(settlement)
    assert [one.new.step for one in await timelines.list_timeline(None)] == [Step.RELAYED]
