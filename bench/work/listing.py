"""The big mailbox: SELECT it, cold and warm; list it whole, as a mail program does that has not seen it before."""

from __future__ import annotations

__all__ = ["work"]

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from bench.answers import number_before
from bench.checks import Seen, check_flags, check_headers, check_listing
from bench.corpus import BigMailbox
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.piece import BIG_BOX, BIG_USER, Work

_WARM = 20

_LISTINGS: dict[str, tuple[bytes, Callable[[bytes, BigMailbox], list[str]], int]] = {
    "all": (b"UID FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)", check_listing, 1),
    "flags": (b"FETCH 1:* (FLAGS)", check_flags, 4),
    "headers": (b"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (From To Subject Date)])", check_headers, 1),
}


def work(terms: Terms) -> list[Work]:
    select = _Select(terms)
    works = [
        Work("select/cold", "SELECT", select.cold, needs_big=True),
        Work("select/warm", "SELECT", select.warm, needs_big=True),
    ]
    for name, (command, check, times) in _LISTINGS.items():
        listing = _Listing(terms, name, command, check, times)
        works.append(Work(f"list/{name}", "listed message", listing.lap, needs_big=True))
    return works


@dataclass(frozen=True, slots=True)
class _Select:
    terms: Terms

    async def cold(self, server: Server, lap: Lap) -> None:
        """The first after a restart."""
        server.make_cold()
        await self._select(server, lap, 1)

    async def warm(self, server: Server, lap: Lap) -> None:
        """Again and again, each on a connection of its own: the client brings nothing along."""
        await self._select(server, lap, _WARM)

    async def _select(self, server: Server, lap: Lap, times: int) -> None:
        clients = [await server.imap(BIG_USER) for _ in range(times)]
        answers = []
        async with lap.clock():
            for client in clients:
                begun = perf_counter()
                answers.append(await client.ok(b"SELECT " + BIG_BOX))
                lap.took(begun)
        lap.operations = times
        for answer in answers:
            exists = number_before(answer.octets, b"EXISTS")
            if exists != self.terms.big:
                lap.check([f"SELECT tells of {exists} messages instead of {self.terms.big}"])
            if b"[UIDVALIDITY " not in answer.octets or b"[UIDNEXT " not in answer.octets:
                lap.check(["SELECT tells no UIDVALIDITY or no UIDNEXT"])
        for client in clients:
            await client.logout()


@dataclass(frozen=True, slots=True)
class _Listing:
    terms: Terms
    name: str
    command: bytes
    check: Callable[[bytes, BigMailbox], list[str]]
    times: int
    seen: Seen = field(default_factory=Seen)

    async def lap(self, server: Server, lap: Lap) -> None:
        client = await server.imap(BIG_USER, BIG_BOX)
        answers = []
        async with lap.clock():
            for _ in range(self.times):
                begun = perf_counter()
                answer = await client.ok(self.command)
                lap.took(begun)
                lap.octets += answer.size
                lap.notes["first_octet_ms"] = 1000 * (answer.first - begun)
                answers.append(answer)
        lap.operations = self.terms.big * self.times
        await client.logout()
        for answer in answers:
            lap.check(self.seen.check(server.name, answer.untagged, self._check))

    def _check(self, octets: bytes) -> list[str]:
        return self.check(octets, self.terms.mailbox)
