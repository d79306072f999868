"""APPEND messages to mailboxes, one connection for each."""

from __future__ import annotations

__all__ = ["work"]

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

from bench.answers import fetched
from bench.clients import ImapClient, Unexpected
from bench.corpus import Template
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import count_messages, make_fresh, remove
from bench.work.piece import APPEND_USERS, Work, run_name, together

_BOX = b"bench-append"
_CASES = {("4k", 1): 300, ("4k", 20): 800, ("100k", 1): 80, ("100k", 20): 200}
_SIZES = {"4k": 4096, "100k": 102_400}
_TEMPLATES = 16


def work(terms: Terms) -> list[Work]:
    works = []
    for (size, clients), messages in _CASES.items():
        case = _Append(terms, _SIZES[size], clients, terms.count(messages, clients))
        works.append(Work(f"append/{size}/{clients}", "message", case.lap, case.prepare, case.finish, brings_mail=True))
    return works


@dataclass(frozen=True, slots=True)
class _Append:
    terms: Terms
    size: int
    clients: int
    messages: int

    async def prepare(self, server: Server) -> None:
        for user in APPEND_USERS[: self.clients]:
            await make_fresh(server, user, _BOX)

    async def finish(self, server: Server) -> None:
        for user in APPEND_USERS[: self.clients]:
            await remove(server, user, _BOX)

    async def lap(self, server: Server, lap: Lap) -> None:
        writers = [_Writer(await server.imap(user)) for user in APPEND_USERS[: self.clients]]
        templates, name = self.terms.corpus.templates(self.size, _TEMPLATES), run_name()
        before = Counter({writer: await count_messages(writer.client, _BOX) for writer in writers})
        numbers = iter(range(self.messages))
        async with lap.clock():
            await together(writer.write(lap, templates, name, numbers) for writer in writers)
        lap.operations = self.messages
        for writer in writers:
            lap.check(await writer.verify(before[writer]))
            await writer.client.logout()


@dataclass(slots=True, eq=False)
class _Writer:
    client: ImapClient
    count: int = 0
    last: bytes = field(default=b"", repr=False)

    async def write(self, lap: Lap, templates: list[Template], name: bytes, numbers: Iterator[int]) -> None:
        for number in numbers:
            message = templates[number % len(templates)].message(b"%08d.%b" % (number, name))
            begun = perf_counter()
            answer = await self.client.append(_BOX, message, b"(\\Seen) ")
            lap.took(begun)
            if not answer.ok:
                raise Unexpected(f"APPEND was answered {answer.last_line[:120]!r}")
            self.count, self.last = self.count + 1, message
            lap.octets += len(message)

    async def verify(self, before: int) -> list[str]:
        """All that was appended is there, and the last one is what it was."""
        found = await count_messages(self.client, _BOX) - before
        if found != self.count:
            return [f"{self.count} messages were appended, and {found} are there"]
        if not self.count:
            return []
        await self.client.ok(b"SELECT " + _BOX)
        answer = await self.client.ok(b"FETCH * (BODY.PEEK[])")
        bodies = [items.get(b"BODY[]") for _, items in fetched(answer.octets)]
        return [] if bodies == [self.last] else ["the message differs from what was appended"]
