"""The whole way out: a queue on disk, the worker, SMTP to scripted servers, and notifications back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hongyan.addresses import Address
from hongyan.clients.smtp import SmtpOptions, SmtpTransport
from hongyan.clock import SystemClock, SystemRandom
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.storage import SqlStorage
from hongyan.queue.items import Queue, new_message
from hongyan.queue.lookup import Router
from hongyan.queue.notices import NoticeWriter
from hongyan.queue.options import QueueOptions
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import LocalRoute, RouteOptions, SmartHost
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.queue.security import TlsPolicy
from hongyan.queue.transport import Delivery
from hongyan.queue.worker import QueueWorker
from hongyan.store.queue import NewRecipient
from hongyan.types import QueueId
from tests.support.resolver import FakeResolver
from tests.support.smtp_peer import STALL, SmtpPeer
from tests.support.storage import open_sqlite

ANN = Address.parse("ann@ours.example")
MESSAGE = b"Subject: geese\r\n\r\nbody\r\n"
RANDOM = SystemRandom()


class OurDomains:
    async def is_local(self, domain: str) -> bool:
        return domain == "ours.example"


class Mailboxes:
    """Our own mailboxes: what came in."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()

    async def deliver(self, delivery: Delivery, route: LocalRoute) -> Mapping[int, Outcome]:
        self.arrived.put_nowait(b"".join([chunk async for chunk in delivery.content.chunks()]))
        filed = Outcome(result=Result.DELIVERED, stage=Stage.LOCAL, status="2.1.5", text="Delivered")
        return dict.fromkeys((recipient.number for recipient in delivery.recipients), filed)


class Server:
    """The outgoing half of a server on a storage."""

    def __init__(self, storage: SqlStorage, relay: SmtpPeer) -> None:
        clock = SystemClock()
        steady = SteadyClock(clock)
        self.store = SqlQueue(storage.database)
        self.queue = Queue(self.store, steady, Schedule(), lambda destinations: self.worker.wake(destinations))
        self.mailboxes = Mailboxes()
        self.remote = SmtpTransport(SmtpOptions(), "mail.ours.example", clock)
        smart_host = SmartHost("127.0.0.1", relay.port, TlsPolicy.OPPORTUNISTIC)
        self.worker = QueueWorker(
            self.store,
            storage.blobs,
            Router(FakeResolver(), OurDomains(), RANDOM, RouteOptions(), smart_host=smart_host),
            local=self.mailboxes,
            remote=self.remote,
            notices=NoticeWriter("mail.ours.example", self.queue, clock, RANDOM),
            clock=steady,
            random=RANDOM,
            schedule=Schedule(),
            options=QueueOptions(),
            owner="mail.ours.example",
        )

    async def send(
        self, *recipients: str, octets: bytes = b"Subject: geese\r\n\r\nbody\r\n", **fields: object
    ) -> QueueId:
        now = self.queue.clock.now()
        message = new_message(
            ANN,
            [NewRecipient(Address.parse(recipient)) for recipient in recipients],
            now=now,
            expires=self.queue.schedule.expires(now),
            size=len(octets),
            octets=octets,
            **fields,  # type: ignore[arg-type]
        )
        return (await self.queue.enqueue(message)).id

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.worker.run())
            try:
                yield
            finally:
                self.worker.stop()
        await self.remote.close()

    async def until_empty(self) -> None:
        while (await self.store.counts()).messages:
            await asyncio.sleep(0.005)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqlStorage]:
    async with open_sqlite(tmp_path) as opened:
        yield opened


async def test_a_message_leaves_with_its_prefix_and_without_its_bcc(storage: SqlStorage) -> None:
    octets = b"Subject: geese\r\nBcc: eve@example.net\r\n\r\nbody\r\n" + b"line\r\n" * 30_000
    async with SmtpPeer(extensions=("PIPELINING", "CHUNKING")) as relay:
        server = Server(storage, relay)
        async with server.running():
            await server.send(
                "bob@example.net", "eve@example.net", octets=octets, prefix=b"Received: us\r\n", omitted=((16, 38),)
            )
            await server.until_empty()
    (message,) = relay.messages
    assert message.octets == b"Received: us\r\n" + octets.replace(b"Bcc: eve@example.net\r\n", b"")
    assert len(message.recipients) == 2


async def test_a_refusal_comes_back_as_a_notification(storage: SqlStorage) -> None:
    async with SmtpPeer() as relay:
        relay.script("RCPT", "550 5.1.1 No such user")
        server = Server(storage, relay)
        async with server.running():
            await server.send("nobody@example.net")
            notice = await server.mailboxes.arrived.get()
            await server.until_empty()
    assert b"Status: 5.1.1" in notice
    assert b"nobody@example.net" in notice
    assert server.mailboxes.arrived.empty()


async def test_what_a_killed_worker_was_at_is_done_by_the_next(storage: SqlStorage) -> None:
    async with SmtpPeer() as relay:
        relay.script("DATA", STALL)
        killed = Server(storage, relay)
        running = asyncio.create_task(killed.worker.run())
        await killed.send("bob@example.net")
        while "DATA" not in relay.verbs:
            await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.wait([running])
        relay.script("DATA", "354 Go ahead")
        server = Server(storage, relay)
        async with server.running():
            await server.until_empty()
    assert len(relay.messages) == 1


async def test_many_messages_share_a_few_connections(storage: SqlStorage) -> None:
    async with SmtpPeer() as relay:
        server = Server(storage, relay)
        async with server.running():
            for number in range(60):
                await server.send(f"r{number}@example.net")
            await server.until_empty()
    assert len(relay.messages) == 60
    assert len({message.recipients[0] for message in relay.messages}) == 60
    assert relay.connections <= 5
