"""The worker, with a queue in memory, a DNS that the test writes, and transports that it commands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.errors import StorageFailed
from hongyan.queue import settling
from hongyan.queue import worker as worker_module
from hongyan.queue.causes import Cause
from hongyan.queue.destinations import DestinationOptions
from hongyan.queue.items import Queue, new_message
from hongyan.queue.lookup import Router
from hongyan.queue.options import QueueOptions
from hongyan.queue.outcome import Notice, Outcome, Result, Stage
from hongyan.queue.route import RemoteRoute, RouteOptions
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.queue.transport import Content, Delivery
from hongyan.queue.worker import QueueWorker
from hongyan.store.queue import (
    Lease,
    NewMessage,
    NewRecipient,
    QueuedMessage,
    QueuedRecipient,
    RecipientState,
    Selection,
    Settlement,
)
from hongyan.types import QueueId
from hongyan.wire.smtp.replies import Reply
from tests.support.clock import FakeClock, FakeRandom
from tests.support.queue import MemoryQueue
from tests.support.resolver import FakeResolver

ANN = Address.parse("ann@ours.example")
SCHEDULE = Schedule()


def reply(code: int, text: str = "text", stage: Stage = Stage.END) -> Outcome:
    return Outcome.from_reply(Reply(code, "", (text,)), stage, "mx.example")


class WatchedQueue(MemoryQueue):
    """Tells of each settlement; `faults` are raised by the next ones."""

    def __init__(self) -> None:
        super().__init__()
        self.settlements: asyncio.Queue[Settlement] = asyncio.Queue()
        self.faults: list[Exception] = []

    async def settle(self, settlement: Settlement) -> None:
        if self.faults:
            raise self.faults.pop(0)
        await super().settle(settlement)
        self.settlements.put_nowait(settlement)


@dataclass
class ScriptedTransport:
    """Gives each recipient the outcome that the script says; may be held at a gate."""

    script: Callable[[QueuedRecipient], Outcome] = lambda recipient: reply(250)
    gate: asyncio.Event | None = None
    begun: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)
    contents: list[bytes] = field(default_factory=list)
    routes: list[object] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def deliver(self, delivery: Delivery, route: object) -> Mapping[int, Outcome]:
        self.running += 1
        self.most = max(self.most, self.running)
        self.routes.append(route)
        self.begun.put_nowait(delivery)
        try:
            if self.gate is not None:
                await self.gate.wait()
            self.contents.append(b"".join([chunk async for chunk in delivery.content.chunks()]))
            return {recipient.number: self.script(recipient) for recipient in delivery.recipients}
        finally:
            self.running -= 1


@dataclass
class PlainNotices:
    """A notice is a message to the sender that says which recipients it speaks of."""

    clock: SteadyClock
    made: list[tuple[Sequence[Notice], Content | None]] = field(default_factory=list)

    async def make(
        self, message: QueuedMessage, notices: Sequence[Notice], content: Content | None
    ) -> NewMessage | None:
        self.made.append((notices, content))
        assert message.reverse_path is not None
        text = " ".join(f"{notice.action}:{notice.recipient.address}" for notice in notices).encode()
        now = self.clock.now()
        return new_message(
            None,
            [NewRecipient(message.reverse_path)],
            now=now,
            expires=SCHEDULE.expires(now),
            size=len(text),
            octets=text,
        )


class OurDomains:
    async def is_local(self, domain: str) -> bool:
        return domain == "ours.example"


class Bench:
    """A worker and everything around it."""

    def __init__(
        self, rules: Mapping[str, DestinationOptions] | None = None, *, may_waive: bool = True, **options: int
    ) -> None:
        self.clock = FakeClock()
        self.steady = SteadyClock(self.clock)
        self.store = WatchedQueue()
        self.dns = FakeResolver()
        self.local = ScriptedTransport(
            lambda recipient: Outcome(result=Result.DELIVERED, stage=Stage.LOCAL, status="2.0.0", text="")
        )
        self.remote = ScriptedTransport()
        self.notices = PlainNotices(self.steady)
        self.worker = QueueWorker(
            self.store,
            self.store.blobs,
            Router(self.dns, OurDomains(), FakeRandom(), RouteOptions()),
            local=self.local,
            remote=self.remote,
            notices=self.notices,
            clock=self.steady,
            random=FakeRandom(),
            schedule=SCHEDULE,
            options=QueueOptions(**options),
            owner="node-1",
            rules=rules,
            senders_may_waive=may_waive,
        )
        self.queue = Queue(self.store, self.steady, SCHEDULE, self.worker.wake)

    def add_domain(self, *domains: str) -> None:
        for domain in domains:
            self.dns.add_address(domain, "8.8.8.8")

    async def enqueue(self, *recipients: str, octets: bytes = b"A: b\r\n\r\nhello", **fields: object) -> QueueId:
        now = self.steady.now()
        named = [NewRecipient(Address.parse(recipient)) for recipient in recipients]
        message = new_message(
            ANN,
            named,
            now=now,
            expires=SCHEDULE.expires(now),
            size=len(octets),
            octets=octets,
            **fields,  # type: ignore[arg-type]
        )
        return (await self.queue.enqueue(message)).id

    async def settled(self, times: int = 1) -> list[Settlement]:
        async with asyncio.timeout(10):
            return [await self.store.settlements.get() for _ in range(times)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.worker.run())
            try:
                yield
            finally:
                self.worker.stop()

    async def later(self, **duration: float) -> None:
        self.clock.advance(timedelta(**duration))
        self.worker.wake()


async def test_a_message_reaches_its_next_host_and_is_gone() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    async with bench.running():
        await bench.enqueue("bob@example.net", "eve@example.net", prefix=b"Received: here\r\n")
        (settlement,) = await bench.settled()
    assert [one.state for one in settlement.recipients] == [RecipientState.DELIVERED] * 2
    assert bench.remote.contents == [b"Received: here\r\nA: b\r\n\r\nhello"]
    assert isinstance(bench.remote.routes[0], RemoteRoute)
    assert (await bench.store.counts()).messages == 0


async def test_local_recipients_go_by_the_local_transport() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    async with bench.running():
        await bench.enqueue("ann@ours.example", "bob@example.net")
        await bench.settled(2)
    assert len(bench.local.contents) == len(bench.remote.contents) == 1


async def test_what_was_queued_before_the_start_is_delivered() -> None:
    bench = Bench()
    await bench.enqueue("ann@ours.example")
    await bench.store.claim(
        {"ours.example": 1}, Lease("node-1", bench.steady.now() + timedelta(minutes=10)), bench.steady.now()
    )
    async with bench.running():
        await bench.settled()
    assert (await bench.store.counts()).messages == 0


async def test_a_deferred_recipient_is_tried_again_when_it_is_due() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    answers = [reply(451), reply(250)]
    bench.remote.script = lambda recipient: answers.pop(0)
    async with bench.running():
        message = await bench.enqueue("bob@example.net")
        await bench.settled()
        entry = await bench.store.find_message(message)
        assert entry is not None
        assert entry.recipients[0].attempts == 1
        await bench.later(minutes=4)
        assert bench.store.settlements.empty()
        await bench.later(minutes=2)
        await bench.settled()
    assert await bench.store.find_message(message) is None


async def test_a_failure_makes_one_notice_that_is_delivered_too() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    bench.remote.script = lambda recipient: reply(550) if recipient.number < 2 else reply(250)
    async with bench.running():
        await bench.enqueue("a@example.net", "b@example.net", "c@example.net")
        first, second = await bench.settled(2)
    assert len(first.notices) == 1
    assert bench.local.contents == [b"failed:a@example.net failed:b@example.net"]
    assert second.notices == ()


async def test_a_notice_that_cannot_be_made_doubles_no_delivery_and_loses_no_failure() -> None:
    bench = Bench()
    bench.add_domain("one.example")

    def script(recipient: QueuedRecipient) -> Outcome:
        return reply(250) if recipient.address.local_part == "bob" else reply(550)

    async def crash(*_: object) -> None:
        raise KeyError("nobody thought of it")

    bench.remote.script = script
    bench.notices.make = crash  # type: ignore[method-assign]
    await bench.enqueue("bob@one.example", "eve@one.example")
    async with bench.running():
        await bench.settled()
    (entry,) = await bench.store.list_messages(Selection())
    states = {recipient.address.local_part: recipient.state for recipient in entry.recipients}
    assert states == {"bob": RecipientState.DELIVERED, "eve": RecipientState.HELD}


async def test_a_notice_that_fails_causes_no_other() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    bench.remote.script = lambda recipient: reply(550)
    bench.local.script = lambda recipient: reply(550, stage=Stage.LOCAL)
    async with bench.running():
        await bench.enqueue("a@example.net")
        await bench.settled(2)
    assert len(bench.notices.made) == 1
    assert (await bench.store.counts()).messages == 0


async def test_a_domain_that_does_not_exist_fails_without_a_connection() -> None:
    bench = Bench()
    async with bench.running():
        await bench.enqueue("a@nowhere.example")
        first, _ = await bench.settled(2)
    assert first.recipients[0].report.status == "5.1.2"
    assert bench.remote.routes == []


async def test_a_message_that_goes_in_circles_fails() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    async with bench.running():
        await bench.enqueue("a@example.net", octets=b"Received: x\r\n" * 99 + b"RECEIVED : y\r\n\r\nReceived: z\r\n")
        (settlement,) = await bench.settled()
        assert settlement.recipients[0].state is RecipientState.DELIVERED
        await bench.enqueue("a@example.net", octets=b"Received: x\r\n" * 100 + b"\r\n", prefix=b"Received: us\r\n")
        (settlement, _) = await bench.settled(2)
    assert (settlement.recipients[0].state, settlement.recipients[0].report.status) == (RecipientState.FAILED, "5.4.6")


async def test_deliveries_to_one_destination_are_limited_and_others_go_on() -> None:
    bench = Bench(per_destination=2, local_concurrency=1)
    bench.add_domain("slow.example", "quick.example")
    bench.remote.gate = asyncio.Event()
    async with bench.running():
        for _ in range(6):
            await bench.enqueue("a@slow.example")
        for _ in range(2):
            await bench.remote.begun.get()
        await bench.enqueue("a@quick.example", "ann@ours.example")
        assert [one.recipients[0].state for one in await bench.settled()] == [RecipientState.DELIVERED]
        assert (await bench.remote.begun.get()).recipients[0].destination == "quick.example"
        assert bench.remote.running == 3
        bench.remote.gate.set()
        await bench.settled(7)
    assert bench.remote.most <= 3


async def test_deliveries_are_limited_in_all_but_local_ones_go_at_once() -> None:
    bench = Bench(concurrency=2)
    domains = [f"d{number}.example" for number in range(5)]
    bench.add_domain(*domains)
    bench.remote.gate = asyncio.Event()
    async with bench.running():
        for domain in domains:
            await bench.enqueue(f"a@{domain}")
        for _ in range(2):
            await bench.remote.begun.get()
        await bench.enqueue("ann@ours.example")
        await bench.settled()
        assert len(bench.local.contents) == 1
        assert bench.remote.running == 2
        bench.remote.gate.set()
        await bench.settled(5)
    assert bench.remote.most == 2


async def test_behind_a_closed_door_nobody_knocks_again() -> None:
    bench = Bench(per_destination=1)
    bench.add_domain("down.example")
    bench.remote.script = lambda recipient: reply(421, stage=Stage.CONNECT)
    for _ in range(5):
        await bench.enqueue("a@down.example")
    async with bench.running():
        settlements = await bench.settled(5)
    assert len(bench.remote.routes) == 1
    assert {one.recipients[0].report.text for one in settlements} == {"421 text"}
    assert all(one.recipients[0].state is RecipientState.READY for one in settlements)


WAIVING = b"TLS-Required: No\r\n\r\nhello"


def no_tls(recipient: QueuedRecipient) -> Outcome:
    return Outcome.from_cause(Cause.STS_FAILED, Stage.TLS, remote="mx.example")


async def test_tls_that_failed_for_others_does_not_delay_what_does_without() -> None:
    bench = Bench(per_destination=1)
    bench.add_domain("down.example")
    script = [no_tls, lambda recipient: reply(250)]
    bench.remote.script = lambda recipient: script.pop(0)(recipient)
    await bench.enqueue("a@down.example")
    await bench.enqueue("b@down.example", octets=WAIVING)
    await bench.enqueue("c@down.example", octets=WAIVING, require_tls=True)
    await bench.enqueue("d@down.example")
    async with bench.running():
        first, waived, *others = await bench.settled(4)
    assert first.recipients[0].state is RecipientState.READY
    assert waived.recipients[0].state is RecipientState.DELIVERED
    assert {one.recipients[0].report.text for one in others} == {Cause.STS_FAILED.line}
    assert script == []


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.TLS])
async def test_who_may_not_waive_or_finds_no_host_at_all_waits_like_the_others(stage: Stage) -> None:
    bench = Bench(may_waive=stage is Stage.CONNECT, per_destination=1)
    bench.add_domain("down.example")
    bench.remote.script = lambda recipient: reply(421, stage=stage)
    for octets in (b"A: b\r\n\r\n", WAIVING):
        await bench.enqueue("a@down.example", octets=octets)
    async with bench.running():
        await bench.settled(2)
    assert len(bench.remote.routes) == 1


async def test_tls_that_one_domain_demands_closes_no_door_to_others_on_the_same_hosts() -> None:
    bench = Bench()
    for domain in ("strict.example", "other.example"):
        bench.dns.add_mx(domain, (10, "mx.example"))
    bench.dns.add_address("mx.example", "8.8.8.8")
    bench.remote.script = lambda to: no_tls(to) if to.destination == "strict.example" else reply(250)
    async with bench.running():
        await bench.enqueue("a@strict.example")
        await bench.settled()
        await bench.enqueue("a@other.example")
        (settlement,) = await bench.settled()
    assert settlement.recipients[0].state is RecipientState.DELIVERED


async def test_a_host_that_counts_connections_gets_fewer() -> None:
    bench = Bench(per_destination=3, first_deliveries=3)
    bench.add_domain("busy.example")
    bench.remote.script = lambda recipient: reply(421, stage=Stage.GREETING) if bench.remote.running > 2 else reply(250)
    bench.remote.gate = asyncio.Event()
    for _ in range(9):
        await bench.enqueue("a@busy.example")
    async with bench.running():
        for _ in range(3):
            await bench.remote.begun.get()
        bench.remote.gate.set()
        settlements = await bench.settled(9)
    states = [one.recipients[0].state for one in settlements]
    assert states.count(RecipientState.READY) == 1
    assert states.count(RecipientState.DELIVERED) == 8


async def test_domains_of_one_provider_share_what_it_takes() -> None:
    bench = Bench(first_deliveries=2)
    domains = [f"d{number}.example" for number in range(6)]
    for domain in domains:
        bench.dns.add_mx(domain, (10, f"mx.{domain[:-8]}.big.example"))
        bench.dns.add_address(f"mx.{domain[:-8]}.big.example", "8.8.8.8")
        await bench.enqueue(f"a@{domain}")
    bench.remote.gate = asyncio.Event()
    async with bench.running():
        for _ in range(2):
            await bench.remote.begun.get()
        for _ in range(50):
            await asyncio.sleep(0)
        assert bench.remote.running == 2
        bench.remote.gate.set()
        await bench.settled(6)
    assert bench.remote.most <= 4


async def test_hosts_that_cannot_be_reached_are_left_alone_by_later_messages_too() -> None:
    bench = Bench()
    bench.add_domain("dead.example")
    bench.remote.script = lambda recipient: Outcome.from_cause(Cause.NO_CONNECTION, Stage.CONNECT)
    async with bench.running():
        await bench.enqueue("a@dead.example")
        await bench.settled()
        await bench.enqueue("b@dead.example")
        (shared,) = await bench.settled()
        assert len(bench.remote.routes) == 1
        assert shared.recipients[0].report.status == "4.4.1"
        assert shared.recipients[0].state is RecipientState.READY
        await bench.later(minutes=2)
        bench.remote.script = lambda recipient: reply(250)
        await bench.enqueue("c@dead.example")
        (taken,) = await bench.settled()
    assert taken.recipients[0].state is RecipientState.DELIVERED


async def test_a_provider_that_says_too_much_is_left_in_peace_for_a_while() -> None:
    bench = Bench(first_deliveries=1)
    bench.add_domain("busy.example")
    bench.remote.script = lambda recipient: reply(450, "Too many messages from your address", Stage.MAIL)
    for _ in range(5):
        await bench.enqueue("a@busy.example")
    async with bench.running():
        await bench.settled()
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(bench.remote.routes) == 1
        entries = await bench.store.list_messages(Selection())
        assert [one.recipients[0].attempts for one in entries] == [1, 0, 0, 0, 0]
        assert [one.recipients[0].leased_until for one in entries] == [None] * 5
        bench.remote.script = lambda recipient: reply(250)
        await bench.later(seconds=31)
        await bench.settled(4)


async def test_a_delivery_that_takes_long_leaves_its_place_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_LONG", 0.01)
    bench = Bench(concurrency=1)
    bench.add_domain("slow.example", "quick.example")
    bench.remote.gate = asyncio.Event()
    async with bench.running():
        await bench.enqueue("a@slow.example")
        await bench.remote.begun.get()
        await bench.enqueue("b@quick.example")
        async with asyncio.timeout(5):
            await bench.remote.begun.get()
        bench.remote.gate.set()
        await bench.settled(2)


async def test_a_destination_has_pauses_and_a_lifetime_of_its_own() -> None:
    bench = Bench(rules={"qq.com": DestinationOptions(pauses=(7,), lifetime=1)})
    bench.add_domain("qq.com", "other.example")
    bench.remote.script = lambda recipient: reply(451)
    async with bench.running():
        now = bench.steady.now()
        await bench.enqueue("a@qq.com", "a@other.example")
        await bench.settled(2)
        (entry,) = await bench.store.list_messages(Selection())
        pauses = {one.destination: (one.next_attempt - now).total_seconds() / 60 for one in entry.recipients}
        assert 6.3 <= pauses["qq.com"] <= 7.7
        assert pauses["other.example"] <= 5.5
        for _ in range(9):
            await bench.later(minutes=8)
            await bench.settled()
        (entry,) = await bench.store.list_messages(Selection())
    states = {one.destination: one.state for one in entry.recipients}
    assert states == {"qq.com": RecipientState.FAILED, "other.example": RecipientState.READY}


async def test_a_settlement_is_tried_until_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_PAUSES", (0.0,))
    bench = Bench()
    bench.add_domain("example.net")
    bench.store.faults = [StorageFailed(cause="disk")] * 30
    async with bench.running():
        await bench.enqueue("a@example.net")
        await bench.settled()
    assert len(bench.remote.routes) == 1, "delivered once"
    assert (await bench.store.counts()).messages == 0


async def test_what_cannot_be_settled_holds_up_no_other_message_and_keeps_its_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "_PAUSES", (0.0, 0.0, 0.0, 3600.0))
    bench = Bench(per_destination=1, concurrency=1)
    bench.add_domain("example.net")
    bench.store.faults = [StorageFailed(cause="disk")] * 4
    async with bench.running():
        waiting = await bench.enqueue("a@example.net")
        await bench.enqueue("b@example.net")
        (settlement,) = await bench.settled()
        assert settlement.message != waiting
        assert bench.worker._settler.messages == {waiting}
        entry = await bench.store.find_message(waiting)
        assert entry is not None
        until = entry.recipients[0].leased_until
        bench.clock.advance(timedelta(minutes=9))
        await bench.store.renew(bench.worker._settler.messages, bench.worker._lease(), bench.steady.now())
        entry = await bench.store.find_message(waiting)
        assert entry is not None
        assert until is not None
        assert entry.recipients[0].leased_until == until + timedelta(minutes=9)
        for task in asyncio.all_tasks():
            if "_end_later" in repr(task):
                task.cancel()
    assert len(bench.remote.routes) == 2, "each was delivered once"


async def test_after_a_restart_what_was_not_settled_and_nothing_else_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settling, "_PAUSES", (3600.0,))
    bench = Bench()
    bench.add_domain("example.net")
    bench.store.faults = [StorageFailed(cause="disk")]
    run = asyncio.create_task(bench.worker.run())
    await bench.enqueue("lost@example.net")
    async with asyncio.timeout(10):
        while bench.store.faults:
            await asyncio.sleep(0)
        await bench.enqueue("kept@example.net")
        await bench.settled()
    run.cancel()  # The process ends.
    await asyncio.wait([run])
    async with bench.running():
        (settlement,) = await bench.settled()
    assert [one.state for one in settlement.recipients] == [RecipientState.DELIVERED]
    written = [delivery.recipients[0].address.local_part for delivery in drain(bench.remote.begun)]
    assert written == ["lost", "kept", "lost"]


def drain(deliveries: asyncio.Queue[Delivery]) -> Iterator[Delivery]:
    while not deliveries.empty():
        yield deliveries.get_nowait()


async def test_after_a_lost_lease_only_the_deliveries_are_recorded() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    bench.remote.script = lambda recipient: reply(250) if recipient.number == 0 else reply(550)
    bench.remote.gate = asyncio.Event()
    async with bench.running():
        message = await bench.enqueue("a@example.net", "b@example.net")
        await bench.remote.begun.get()
        now = bench.steady.now() + timedelta(minutes=11)
        assert await bench.store.claim({"example.net": 9}, Lease("node-2", now + timedelta(minutes=10)), now)
        bench.remote.gate.set()
        (settlement,) = await bench.settled()
    assert settlement.lease is None
    assert settlement.notices == ()
    entry = await bench.store.find_message(message)
    assert entry is not None
    assert [one.state for one in entry.recipients] == [RecipientState.DELIVERED, RecipientState.READY]


async def test_a_store_that_fails_stops_nothing_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_PAUSES", (0.0,))
    bench = Bench()
    message = await bench.enqueue("ann@ours.example")
    bench.store.fault = StorageFailed(cause="disk")
    with telemetry.capture() as events:
        async with bench.running():
            while not any(event.msg == "claim-failed" for event in events):
                await asyncio.sleep(0)
            bench.store.fault = None
            await bench.settled()
    assert await bench.store.find_message(message) is None


async def test_a_message_that_cannot_be_read_waits_and_is_told_as_our_fault() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    message = await bench.enqueue("a@example.net")
    for ref in bench.store.blobs.octets:
        bench.store.blobs.octets[ref] = None
    async with bench.running():
        (settlement,) = await bench.settled()
    assert settlement.recipients[0].report.status == "4.3.0"
    assert settlement.message == message


async def test_a_transport_that_crashes_defers_its_message_only() -> None:
    bench = Bench()
    bench.add_domain("example.net", "example.com")

    def script(recipient: QueuedRecipient) -> Outcome:
        if recipient.destination == "example.net":
            raise RuntimeError("a bug")
        return reply(250)

    bench.remote.script = script
    async with bench.running():
        await bench.enqueue("a@example.net")
        await bench.enqueue("a@example.com")
        states = {one.recipients[0].state for one in await bench.settled(2)}
    assert states == {RecipientState.READY, RecipientState.DELIVERED}


async def test_stopping_ends_what_is_under_way_and_gives_the_rest_back() -> None:
    bench = Bench(per_destination=1)
    bench.add_domain("example.net")
    bench.remote.gate = asyncio.Event()
    for _ in range(3):
        await bench.enqueue("a@example.net")
    async with bench.running():
        await bench.remote.begun.get()
        bench.worker.stop()
        bench.remote.gate.set()
    assert bench.store.settlements.qsize() == 1
    entries = await bench.store.list_messages(Selection())
    assert [entry.recipients[0].leased_until for entry in entries] == [None, None]


async def test_a_cancelled_worker_leaves_its_leases_to_the_next_start() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    bench.remote.gate = asyncio.Event()
    message = await bench.enqueue("a@example.net")
    running = asyncio.create_task(bench.worker.run())
    await bench.remote.begun.get()
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    entry = await bench.store.find_message(message)
    assert entry is not None
    assert entry.recipients[0].leased_until is not None
    again = Bench()
    again.store = bench.store
    assert await bench.store.recover("node-1", bench.steady.now(), bench.steady.now() + timedelta(hours=5)) == 1


async def test_a_message_held_back_is_tried_when_its_time_comes() -> None:
    bench = Bench()
    async with bench.running():
        await bench.enqueue("ann@ours.example", delay=timedelta(seconds=30))
        await bench.later(seconds=29)
        assert bench.local.contents == []
        await bench.later(seconds=1)
        await bench.settled()
    assert len(bench.local.contents) == 1


async def test_a_hint_that_is_lost_costs_no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_LOOK", 0.001)
    bench = Bench()
    async with bench.running():
        bench.queue._wake = lambda destinations: None
        await bench.enqueue("ann@ours.example")
        await bench.settled()


async def test_a_delay_is_told_once_after_four_hours() -> None:
    bench = Bench()
    bench.add_domain("example.net")
    bench.remote.script = lambda recipient: reply(451)
    async with bench.running():
        await bench.enqueue("a@example.net")
        await bench.settled()
        await bench.later(hours=5)
        first, second = await bench.settled(2)
        await bench.later(hours=5)
        await bench.settled()
    assert bench.local.contents == [b"delayed:a@example.net"]
    assert {len(first.notices), len(second.notices)} == {0, 1}


@pytest.mark.parametrize("option", ["concurrency", "per_destination", "local_concurrency", "batch", "lease"])
def test_impossible_limits_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        QueueOptions(**{option: 0})
