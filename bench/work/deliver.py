"""Deliver messages by SMTP until each is visible by IMAP: accept, store, and tell."""

from __future__ import annotations

__all__ = ["work"]

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

from bench.clients import ImapClient, SmtpClient
from bench.corpus import Template
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import count_messages, empty
from bench.work.piece import DELIVERY_USERS, Work, run_name, together

_SIZES = {"4k": 4096, "100k": 102_400}
_MESSAGES = {
    ("4k", "kept"): {1: 200, 20: 600, 100: 800},
    ("4k", "each"): {1: 150, 20: 300, 100: 400},
    ("100k", "kept"): {1: 100, 20: 200, 100: 300},
    ("100k", "each"): {1: 80, 20: 150, 100: 200},
}
_TEMPLATES = 16
_VISIBLE_SECONDS = 90.0
_LOOK_AGAIN = 0.01


def work(terms: Terms) -> list[Work]:
    """`kept` sends all messages on the connections it has, `each` opens one for each message."""
    works = []
    for (size, way), counts in _MESSAGES.items():
        for connections, messages in counts.items():
            delivery = _Delivery(terms, _SIZES[size], connections, terms.count(messages, connections), way == "kept")
            works.append(
                Work(f"deliver/{size}/{way}/{connections}", "message", delivery.lap, delivery.prepare, brings_mail=True)
            )
    return works


@dataclass(frozen=True, slots=True)
class _Delivery:
    terms: Terms
    size: int
    connections: int
    messages: int
    kept: bool

    async def prepare(self, server: Server) -> None:
        """Begin with mailboxes that are not fuller than those of the work before were."""
        for user in DELIVERY_USERS:
            await empty(server, user)

    async def lap(self, server: Server, lap: Lap) -> None:
        run = _Run(server, lap, self.terms.corpus.templates(self.size, _TEMPLATES))
        numbers = iter(range(self.messages))
        watch = await _Watch.open(server)
        clients = [await server.smtp() for _ in range(self.connections)] if self.kept else []
        async with lap.clock():
            if self.kept:
                await together(run.send_on(client, numbers) for client in clients)
            else:
                await together(run.send_anew(numbers) for _ in range(self.connections))
            accepted = perf_counter()
            missing = await watch.wait(run.accepted)
            lap.ended = perf_counter()
        lap.operations = run.accepted.total()
        lap.notes["visible_after_ms"] = 1000 * (lap.ended - accepted)
        if missing:
            lap.check([f"{missing} accepted messages never became visible"])
        elif surplus := await watch.surplus(run.accepted):
            lap.check([f"{surplus} messages more than were accepted"])
        await watch.close()
        await together(client.quit() for client in clients)


class _Run:
    """The messages of one lap; each differs from all others."""

    def __init__(self, server: Server, lap: Lap, templates: list[Template]) -> None:
        self.server, self.lap = server, lap
        self.accepted: Counter[int] = Counter()
        self._templates = templates
        self._name = run_name()

    async def send_on(self, client: SmtpClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            begun = perf_counter()
            await self._send(client, number)
            self.lap.took(begun)

    async def send_anew(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            begun = perf_counter()
            client = await self.server.smtp()
            await self._send(client, number)
            await client.quit()
            self.lap.took(begun)

    async def _send(self, client: SmtpClient, number: int) -> None:
        user = DELIVERY_USERS[number % len(DELIVERY_USERS)]
        message = self._templates[number % len(self._templates)].message(b"%08d.%b" % (number, self._name))
        await client.send(b"s%d@bench.example.org" % (number % 97), self.server.user(user).encode(), message)
        self.accepted[user] += 1
        self.lap.octets += len(message)


@dataclass(slots=True)
class _Watch:
    """Looks into the recipients' mailboxes, one at a time, so that looking costs the server little."""

    clients: dict[int, ImapClient] = field(default_factory=dict)
    before: dict[int, int] = field(default_factory=dict)

    @classmethod
    async def open(cls, server: Server) -> _Watch:
        watch = cls()
        for user in DELIVERY_USERS:
            watch.clients[user] = await server.imap(user)
            watch.before[user] = await count_messages(watch.clients[user], b"INBOX")
        return watch

    async def wait(self, accepted: Counter[int]) -> int:
        """Wait until all that was accepted is there; return how many messages are missing when patience ends."""
        give_up = perf_counter() + _VISIBLE_SECONDS
        missing = 0
        for user, count in accepted.items():
            while (lacking := count - await self._arrived(user)) > 0 and perf_counter() < give_up:
                await asyncio.sleep(_LOOK_AGAIN)
            missing += max(lacking, 0)
        return missing

    async def surplus(self, accepted: Counter[int]) -> int:
        return sum([await self._arrived(user) - accepted[user] for user in self.clients])

    async def close(self) -> None:
        await together(client.logout() for client in self.clients.values())

    async def _arrived(self, user: int) -> int:
        return await count_messages(self.clients[user], b"INBOX") - self.before[user]
