"""Messages of one account at the same time do not all find the same room, and none slips past a hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.audit.events import CLI, AuditEvent
from hongyan.queue.items import new_message
from hongyan.store.bookings import Booking
from hongyan.store.queue import NewRecipient, RecipientState
from hongyan.store.sending import SendingLimits, Trigger
from hongyan.store.timelines import Step
from hongyan.submission.allowance import Permit, SendingRefused
from hongyan.submission.deadline import Deadline
from hongyan.types import AccountId, QueueId
from tests.support.server import Server, start_server

_BOB = Address.parse("bob@elsewhere.test")


async def test_of_messages_at_the_same_time_as_many_pass_as_may(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        sending, account = server.app.services.sending, (await server.account("ann")).account_id
        audit = server.app.services.directory.audit
        limits = SendingLimits(messages_per_day=3)
        await sending.store.set_limits(account, limits, audit=audit.entry(AuditEvent.SENDING_LIMITS_CHANGED, CLI))
        done = await asyncio.gather(
            *(require(server, account, bytes([number])) for number in range(10)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, Permit) for one in done) == 3
        assert sum(isinstance(one, SendingRefused) for one in done) == 7


async def test_what_is_let_out_and_not_queued_gives_its_place_back(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        account = (await server.account("ann")).account_id
        await limit(server, SendingLimits(messages_per_day=1))
        with await require(server, account), pytest.raises(SendingRefused):
            await require(server, account)
        with await require(server, account) as booking:
            assert booking is not None
            assert booking.first_time == 1, "the first one was never written to"


async def test_a_message_counts_when_it_is_queued_and_its_resend_does_not(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        sending, account = server.app.services.sending, (await server.account("ann")).account_id
        for _ in range(2):
            with await require(server, account) as booking:
                assert booking is not None
                await enqueue(server, booking)
        (slot,) = await sending.store.slots(account, server.app.services.mail.clock.now() - timedelta(hours=1))
        assert (slot.messages, slot.recipients, slot.first_time) == (1, 1, 1)
        known = await sending.correspondents.find_correspondents(account, [_BOB])
        assert known["bob@elsewhere.test"].written == 1


async def test_as_many_leave_as_may_though_all_are_on_their_way_at_once(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        account = (await server.account("ann")).account_id
        await limit(server, SendingLimits(messages_per_day=7))

        async def send(number: int) -> bool:
            try:
                permit = await require(server, account, b"%d" % number)
            except SendingRefused:
                return False
            with permit as booking:
                await enqueue(server, booking, number)
            return True

        assert sum(await asyncio.gather(*(send(number) for number in range(30)))) == 7
        assert not await send(31), "and afterwards none does"


async def test_a_message_that_was_accepted_while_its_account_was_held_is_kept_back(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        services, account = server.app.services, (await server.account("ann")).account_id
        permit = await require(server, account)
        await services.sending.holds.hold(account, Trigger.OPERATOR, "asked to", CLI)
        with permit as booking:
            to_a_stranger = await enqueue(server, booking, account=account)
        to_a_colleague = await enqueue(server, number=1, account=account)
        of_nobody = await enqueue(server, number=2)
        for queued, state in ((to_a_stranger, "held"), (to_a_colleague, "held"), (of_nobody, "ready")):
            entry = await services.outgoing.store.find_message(queued)
            assert entry is not None
            assert [one.state for one in entry.recipients] == [RecipientState(state)]
            assert ("asked to" in entry.recipients[0].held_for) == (state == "held")
        await services.directory.timelines.flush()
        steps = await services.directory.timelines.read(account, mid="mid", limit=10)
        assert {(one.new.step, one.new.text) for one in steps} == {(Step.HELD, "The account is on hold: asked to")}


async def test_the_hold_outlives_a_restart(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        account = (await server.account("ann")).account_id
        await server.app.services.sending.holds.hold(account, Trigger.OPERATOR, "asked to", CLI)
    async with start_server(tmp_path) as server:
        with pytest.raises(SendingRefused, match="on hold"):
            await require(server, account)


async def require(server: Server, account: AccountId, body: bytes = b"body") -> Permit:
    services = server.app.services
    return await services.sending.allowance.require(account, [_BOB], (), body, Deadline(services.mail.clock, 30))


async def limit(server: Server, limits: SendingLimits) -> None:
    services, account = server.app.services, (await server.account("ann")).account_id
    entry = services.directory.audit.entry(AuditEvent.SENDING_LIMITS_CHANGED, CLI)
    await services.sending.store.set_limits(account, limits, audit=entry)


async def enqueue(
    server: Server, booking: Booking | None = None, number: int = 0, account: AccountId | None = None
) -> QueueId:
    queue = server.app.services.outgoing.queue
    now = queue.clock.now()
    message = new_message(
        None,
        [NewRecipient(_BOB)],
        now=now,
        expires=queue.schedule.expires(now),
        size=1,
        octets=b"x",
        content_digest=b"%d" % number,
        delay=timedelta(hours=1),  # before then the worker leaves it alone
        booking=booking,
        account=account,
        trace_id="mid",
    )
    return (await queue.enqueue(message)).id
