"""What accounts send: what every SQL engine owes."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hongyan.addresses import Address
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.sql.sending import SqlSending
from hongyan.engines.sql.units import SqlDatabase
from hongyan.queue.items import new_message as queued_message
from hongyan.store.audit import AuditEntry
from hongyan.store.bookings import Booking
from hongyan.store.correspondents import correspondent_key
from hongyan.store.queue import NewRecipient, RecipientState, Selection
from hongyan.store.sending import (
    BodyCount,
    Hold,
    Origin,
    SenderState,
    SendingFacts,
    SendingLimits,
    SendingQuestion,
    Trigger,
)
from hongyan.types import AccountId
from tests.support.mail import ACCOUNT, MailShop, new_message

_NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
_ANN = Address.parse("ann@elsewhere.test")
_BOB = Address.parse("bob@elsewhere.test")
_HOLD = Hold(Trigger.VOLUME, "far too much", "server", _NOW)
_numbers = itertools.count(1)
HELD = RecipientState.HELD


@pytest.fixture
def store(sql_database: SqlDatabase) -> SqlSending:
    return SqlSending(sql_database)


def act(event: str = "limits:sending:held") -> AuditEntry:
    return AuditEntry(next(_numbers), _NOW, event, ACCOUNT, "server")


def booking(*recipients: Address, at: datetime = _NOW, first_time: int = 0, body: bytes = b"body") -> Booking:
    return Booking(account=ACCOUNT, recipients=recipients, messages=1, first_time=first_time, body=body, at=at)


async def look_up(
    store: SqlSending,
    *recipients: Address,
    at: datetime = _NOW,
    references: tuple[str, ...] = (),
    body: bytes = b"body",
) -> SendingFacts:
    return await store.look_up(
        SendingQuestion(account=ACCOUNT, recipients=recipients, references=references, body=body, at=at)
    )


async def test_nothing_is_known_of_who_never_sent(store: SqlSending) -> None:
    facts = await look_up(store, _ANN)
    assert facts == SendingFacts(
        state=SenderState(), slots=[], written=frozenset(), heard=frozenset(), answers=False, body=BodyCount()
    )


async def test_what_is_booked_is_counted_in_its_slot_and_its_recipients_are_known(store: SqlSending) -> None:
    await store.book(booking(_ANN, _BOB, first_time=2))
    await store.book(booking(_ANN, at=_NOW + timedelta(minutes=4)))
    await store.book(booking(_ANN, at=_NOW + timedelta(minutes=6)))
    facts = await look_up(store, _ANN, Address.parse("cy@elsewhere.test"), at=_NOW + timedelta(minutes=7))
    assert [(slot.messages, slot.recipients, slot.first_time) for slot in facts.slots] == [(2, 3, 2), (1, 1, 0)]
    assert facts.written == {"ann@elsewhere.test"}
    assert await store.slots(AccountId(8), _NOW - _DAY) == []


async def test_slots_older_than_a_day_are_not_told_and_dropped(store: SqlSending) -> None:
    await store.book(booking(_ANN, first_time=1))
    tomorrow = _NOW + _DAY
    assert len((await look_up(store, at=tomorrow)).slots) == 1  # a part of it is within the day
    later = tomorrow + timedelta(minutes=6)
    facts = await look_up(store, at=later)
    assert (facts.slots, facts.body) == ([], BodyCount())
    assert await store.expire(later + timedelta(minutes=10)) == 2
    assert await store.expire(later + timedelta(minutes=10)) == 0


async def test_bodies_are_counted_by_what_they_say_for_strangers_alone(store: SqlSending) -> None:
    await store.book(booking(_ANN, first_time=1))
    await store.book(booking(_BOB, first_time=1))
    await store.book(booking(_BOB))
    await store.book(booking(_BOB, first_time=1, body=b"other"))
    assert (await look_up(store)).body == BodyCount(2, 2)


async def test_the_usual_day_is_the_mean_of_those_before_and_idle_days_count(store: SqlSending) -> None:
    for day, count in ((0, 4), (1, 2)):
        for _ in range(count):
            await store.book(booking(_ANN, at=_NOW + day * _DAY))
    state = (await look_up(store, at=_NOW + 2 * _DAY)).state
    assert (state.days, state.average) == (2, 3.0)
    state = (await look_up(store, at=_NOW + 4 * _DAY)).state
    assert (state.days, state.average) == (4, 1.5)
    assert (await look_up(store, at=_NOW + 400 * _DAY)).state.average < 0.1
    await store.book(booking(_ANN, at=_NOW + 4 * _DAY))
    assert (await store.find_sender(ACCOUNT)).average == 1.5


async def test_an_answer_is_to_what_was_delivered(store: SqlSending, shop: MailShop) -> None:
    delivered = replace(new_message("one"), prefix=b"Return-Path: <>\r\n", heard=_ANN, saved_at=int(_NOW.timestamp()))
    await shop.add(delivered, new_message("other", "appended"))
    to_delivered, to_appended = delivered.analysis.message_id, new_message("other", "appended").analysis.message_id
    assert (await look_up(store, _ANN, references=("<none@x>", to_delivered))).answers
    assert not (await look_up(store, references=(to_appended,))).answers
    assert (await look_up(store, _ANN, _BOB)).heard == {"ann@elsewhere.test"}


async def test_limits_are_set_and_taken_back(store: SqlSending, sql_database: SqlDatabase) -> None:
    limits = SendingLimits(messages_per_day=0, first_per_hour=9, exempt=True)
    await store.set_limits(ACCOUNT, limits, audit=act("limits:sending:changed"))
    assert (await store.find_sender(ACCOUNT)).limits == limits
    await store.set_limits(ACCOUNT, SendingLimits(), audit=act("limits:sending:changed"))
    assert (await look_up(store)).state == SenderState()
    assert len(await SqlAudit(sql_database).list_audit(account=ACCOUNT)) == 2


async def test_an_account_is_held_once_and_released_once(store: SqlSending, sql_database: SqlDatabase) -> None:
    await store.book(booking(_ANN, first_time=1))
    await store.note_outcomes(ACCOUNT, "hhd", keep=50)
    assert await store.hold(ACCOUNT, _HOLD, audit=act())
    assert not await store.hold(ACCOUNT, replace(_HOLD, reason="again"), audit=act())
    assert (await look_up(store)).state.hold == _HOLD
    assert await store.list_held() == [(ACCOUNT, _HOLD)]
    assert await store.release(ACCOUNT, _NOW + _DAY, audit=act("limits:sending:released"))
    assert not await store.release(ACCOUNT, _NOW + _DAY, audit=act("limits:sending:released"))
    facts = await look_up(store)
    assert (facts.state.hold, facts.state.grace_until, facts.state.outcomes) == (None, _NOW + _DAY, "")
    assert facts.body == BodyCount()
    assert len(facts.slots) == 1
    assert await store.list_held() == []
    assert len(await SqlAudit(sql_database).list_audit(account=ACCOUNT)) == 2


async def test_what_is_queued_of_an_account_on_hold_is_held_and_the_hold_brings_its_notices(
    store: SqlSending, sql_database: SqlDatabase
) -> None:
    queue = SqlQueue(sql_database)

    async def queued(recipient: Address, **wishes: Any) -> str:
        times = {"now": _NOW, "expires": _NOW + _DAY}
        message = queued_message(_ANN, [NewRecipient(recipient)], size=1, octets=b"x", **times, **wishes)
        entry = await queue.find_message((await queue.enqueue(message)).id)
        assert entry is not None
        return f"{entry.recipients[0].state} {entry.recipients[0].held_for}"

    assert await queued(_BOB, account=ACCOUNT) == "ready "
    notice = queued_message(None, [NewRecipient(_ANN)], now=_NOW, expires=_NOW + _DAY, size=1, octets=b"n")
    assert await store.hold(ACCOUNT, _HOLD, audit=act(), notices=[notice])
    assert not await store.hold(ACCOUNT, _HOLD, audit=act(), notices=[notice])
    assert len([one for one in await queue.list_messages(Selection()) if one.message.account is None]) == 1
    held = "held The account is on hold: far too much"
    assert await queued(_BOB, account=ACCOUNT) == held
    assert await queued(_BOB, account=ACCOUNT, booking=booking(_BOB)) == held
    assert await queued(_BOB, account=ACCOUNT, booking=booking(_BOB, at=_NOW + _DAY)) == held
    assert await queued(_BOB) == "ready "
    await store.release(ACCOUNT, _NOW, audit=act())
    assert await queued(_BOB, account=ACCOUNT, booking=booking(_BOB)) == "ready "


async def test_of_many_that_are_queued_while_their_account_is_held_none_slips_past(
    store: SqlSending, sql_database: SqlDatabase
) -> None:
    queue = SqlQueue(sql_database)

    async def send(number: int) -> None:
        message = queued_message(
            _ANN,
            [NewRecipient(_BOB)],
            now=_NOW,
            expires=_NOW + _DAY,
            size=1,
            octets=b"x",
            account=ACCOUNT,
            booking=booking(_BOB) if number % 2 else None,
        )
        await queue.enqueue(message)

    async def hold() -> None:
        assert await store.hold(ACCOUNT, _HOLD, audit=act())
        await queue.hold(Selection(account=ACCOUNT), _HOLD.why)  # As `submission.holds` does.

    for _ in range(5):
        await asyncio.gather(*map(send, range(10)), hold(), *map(send, range(10, 20)))
        assert {one.state for entry in await queue.list_messages(Selection()) for one in entry.recipients} == {HELD}
        await store.release(ACCOUNT, _NOW, audit=act())


async def test_of_many_recipients_those_are_known_that_were_written_to(store: SqlSending) -> None:
    everybody = [Address.parse(f"{name}@{place}.test") for name in range(20) for place in ("here", "there")]
    known = everybody[3:37]
    await store.book(booking(*known))
    facts = await look_up(store, *everybody)
    assert facts.written == set(map(correspondent_key, known))
    assert facts.heard == frozenset()


async def test_the_newest_outcomes_are_kept(store: SqlSending) -> None:
    await store.note_outcomes(ACCOUNT, "ddd", keep=4)
    assert (await store.note_outcomes(ACCOUNT, "hh", keep=4)).outcomes == "ddhh"


async def test_places_are_noted_with_when_they_were_first_seen(store: SqlSending) -> None:
    await store.note_place(ACCOUNT, "NO", _NOW, keep=2)
    await store.note_place(ACCOUNT, "NO", _NOW + _DAY, keep=2)
    both = await store.note_place(ACCOUNT, "SE", _NOW + _DAY, keep=2)
    assert both == [Origin("SE", _NOW + _DAY), Origin("NO", _NOW)]
    assert [one.place for one in await store.note_place(ACCOUNT, "DK", _NOW + 2 * _DAY, keep=2)] == ["DK", "SE"]
