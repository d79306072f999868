"""Bodies of the big mailbox: many in one command, and single ones here and there."""

from __future__ import annotations

__all__ = ["work"]

import random
from dataclasses import dataclass
from time import perf_counter

from bench.checks import check_bodies
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.piece import BIG_BOX, BIG_USER, Work

_BULK = 4000
_SINGLE = 800


def work(terms: Terms) -> list[Work]:
    bodies = _Bodies(terms)
    return [
        Work("body/bulk", "message", bodies.bulk, needs_big=True),
        Work("body/random", "message", bodies.single, needs_big=True),
    ]


@dataclass(frozen=True, slots=True)
class _Bodies:
    terms: Terms

    async def bulk(self, server: Server, lap: Lap) -> None:
        count = min(self.terms.count(_BULK, 100), self.terms.big)
        first = (self.terms.big - count) // 2 + 1
        client = await server.imap(BIG_USER, BIG_BOX)
        async with lap.clock():
            begun = perf_counter()
            answer = await client.ok(b"FETCH %d:%d (BODY.PEEK[])" % (first, first + count - 1))
            lap.took(begun)
        lap.operations, lap.octets = count, answer.size
        await client.logout()
        lap.check(check_bodies(answer.octets, self.terms.mailbox, count))

    async def single(self, server: Server, lap: Lap) -> None:
        chance = random.Random(self.terms.corpus.seed)
        picked = [chance.randint(1, self.terms.big) for _ in range(self.terms.count(_SINGLE, 50))]
        client = await server.imap(BIG_USER, BIG_BOX)
        answers = []
        async with lap.clock():
            for number in picked:
                begun = perf_counter()
                answers.append(await client.ok(b"FETCH %d (BODY.PEEK[])" % number))
                lap.took(begun)
        lap.operations, lap.octets = len(picked), sum(answer.size for answer in answers)
        await client.logout()
        octets = b"".join(answer.untagged for answer in answers)
        lap.check(check_bodies(octets, self.terms.mailbox, len(picked)))
