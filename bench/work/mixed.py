"""Fifty clients at once, each in its own mailbox, with the mix of commands that mail programs make.

The mix is drawn from the seed: each server gets the same commands in the same order from each client.
"""

from __future__ import annotations

__all__ = ["work"]

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from bench.answers import number_before
from bench.clients import Answer, ImapClient, Unexpected
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import corpus_message, ensure_filled, make_fresh, remove
from bench.work.piece import MIXED_USERS, Work, run_name, together

_BOX = b"bench-mixed"
_FILLED = 150
_COMMANDS = 100
_FEW = 5  # with fewer messages than so many, more are appended

_MIX = {
    "select": 10,
    "list": 18,
    "headers": 10,
    "body": 22,
    "store": 12,
    "search": 4,
    "append": 10,
    "delete": 5,
    "expunge": 3,
    "status": 8,
    "noop": 8,
    "login": 3,
}


def work(terms: Terms) -> list[Work]:
    mix = _Mixed(terms)
    return [Work(f"mix/{len(MIXED_USERS)}", "command", mix.lap, mix.prepare, mix.finish)]


@dataclass(frozen=True, slots=True)
class _Mixed:
    terms: Terms

    async def prepare(self, server: Server) -> None:
        count = self.terms.count(_FILLED, 20)
        for user in MIXED_USERS:
            await make_fresh(server, user, _BOX)
            await ensure_filled(server, user, _BOX, count, partial(corpus_message, self.terms))

    async def finish(self, server: Server) -> None:
        for user in MIXED_USERS:
            await remove(server, user, _BOX)

    async def lap(self, server: Server, lap: Lap) -> None:
        people = [_Person(self.terms, server, lap, user) for user in MIXED_USERS]
        for person in people:
            await person.come()
        async with lap.clock():
            await together(person.work(self.terms.count(_COMMANDS, 10)) for person in people)
        lap.operations = len(lap.latencies)
        await together(person.client.logout() for person in people)


class _Person:
    """Somebody with a mail program."""

    client: ImapClient

    def __init__(self, terms: Terms, server: Server, lap: Lap, user: int) -> None:
        self._server, self._lap, self._user = server, lap, user
        self._chance = random.Random(f"mix-{terms.corpus.seed}-{user}")
        self._templates = terms.corpus.templates(4096, 16)
        self._name = run_name()
        self._appended = 0

    async def come(self) -> None:
        self.client = await self._server.imap(self._user)
        await self._select()

    async def work(self, commands: int) -> None:
        doings: dict[str, Callable[[int], Awaitable[None]]] = {
            "select": lambda _: self._select(),
            "list": self._list,
            "headers": self._headers,
            "body": self._body,
            "store": self._store,
            "search": self._search,
            "append": lambda _: self._append(),
            "delete": lambda number: self._follow(b"STORE %d +FLAGS.SILENT (\\Deleted)" % number),
            "expunge": lambda _: self._follow(b"EXPUNGE"),
            "status": lambda _: self._status(),
            "noop": lambda _: self._follow(b"NOOP"),
            "login": lambda _: self._login(),
        }
        for _ in range(commands):
            (doing,) = self._chance.choices(list(_MIX), list(_MIX.values()))
            number = self._chance.randint(1, max(self.client.exists, 1))
            if self.client.exists < _FEW and doing not in {"select", "append", "login"}:
                doing = "append"
            begun = perf_counter()
            await doings[doing](number)
            self._lap.took(begun)

    async def _select(self) -> None:
        answer = await self.client.ok(b"SELECT " + _BOX)
        exists = number_before(answer.octets, b"EXISTS")
        if exists is None:
            raise Unexpected(f"SELECT was answered {answer.octets[:120]!r}")
        self.client.exists = exists

    async def _list(self, last: int) -> None:
        first = max(1, last - 50)
        items = b"UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"
        self._expect(await self.client.ok(b"FETCH %d:%d (%b)" % (first, last, items)), last - first + 1)

    async def _headers(self, last: int) -> None:
        first = max(1, last - 20)
        items = b"BODY.PEEK[HEADER.FIELDS (From To Subject Date)]"
        self._expect(await self.client.ok(b"FETCH %d:%d (%b)" % (first, last, items)), last - first + 1)

    async def _body(self, number: int) -> None:
        answer = await self.client.ok(b"FETCH %d (BODY.PEEK[])" % number)
        self._lap.octets += answer.size
        if b"\r\nMessage-ID: <" not in answer.octets:
            self._lap.check([f"a body was answered {answer.octets[:80]!r}"])

    async def _store(self, number: int) -> None:
        sign = b"+" if self._chance.random() < 0.5 else b"-"
        await self._follow(b"STORE %d %bFLAGS (\\Seen)" % (number, sign))

    async def _search(self, _number: int) -> None:
        answer = await self.client.ok(b"SEARCH UNSEEN")
        if b"SEARCH" not in answer.untagged:
            self._lap.check(["SEARCH told nothing"])

    async def _append(self) -> None:
        self._appended += 1
        template = self._templates[self._appended % len(self._templates)]
        name = b"%08d.%b" % (self._appended, self._name)
        answer = await self.client.append(_BOX, template.message(name))
        if not answer.ok:
            raise Unexpected(f"APPEND was answered {answer.last_line[:120]!r}")
        self._track(answer)

    async def _status(self) -> None:
        answer = await self.client.ok(b"STATUS %b (MESSAGES UNSEEN UIDNEXT)" % _BOX)
        if b"* STATUS" not in answer.octets:
            self._lap.check(["STATUS told nothing"])

    async def _login(self) -> None:
        await self.client.logout()
        await self.come()

    async def _follow(self, line: bytes) -> None:
        self._track(await self.client.ok(line))

    def _expect(self, answer: Answer, wanted: int) -> None:
        self._lap.octets += answer.size
        found = answer.octets.count(b" FETCH (")
        if found < wanted:
            self._lap.check([f"{found} messages answered instead of {wanted}"])

    def _track(self, answer: Answer) -> None:
        """Follow the mailbox through EXISTS and EXPUNGE of an answer, in their order."""
        for line in answer.untagged.split(b"\r\n"):
            if line.endswith(b" EXISTS"):
                self.client.exists = int(line.split()[1])
            elif line.endswith(b" EXPUNGE"):
                self.client.exists -= 1
