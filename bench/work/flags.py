"""STORE: flags of one message, and of 1,000 in one command, told of and silent."""

from __future__ import annotations

__all__ = ["work"]

from dataclasses import dataclass
from functools import partial
from time import perf_counter

from bench.answers import fetched, search_hits
from bench.checks import check_count
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.piece import SMALL_BOX, SMALL_COUNT, SMALL_USER, Work
from bench.work.single import ensure_small

_SINGLE = 1000
_BULK = 20
_PROMISED = 1.1  # seconds after which flags are durable: the sync within them is a part of the work


def work(terms: Terms) -> list[Work]:
    store, prepare = _Store(terms), partial(ensure_small, terms)
    return [
        Work("store/single", "command", store.single, prepare, settle=_PROMISED),
        Work("store/1000", "command", partial(store.bulk, b"FLAGS", SMALL_COUNT), prepare, settle=_PROMISED),
        Work("store/1000-silent", "command", partial(store.bulk, b"FLAGS.SILENT", None), prepare, settle=_PROMISED),
    ]


@dataclass(frozen=True, slots=True)
class _Store:
    terms: Terms

    async def single(self, server: Server, lap: Lap) -> None:
        count = min(self.terms.count(_SINGLE, 50), SMALL_COUNT)
        client = await server.imap(SMALL_USER, SMALL_BOX)
        await client.ok(b"STORE 1:* FLAGS.SILENT ()")
        answers = []
        async with lap.clock():
            for number in range(1, count + 1):
                begun = perf_counter()
                answers.append(await client.ok(b"STORE %d +FLAGS (\\Seen)" % number))
                lap.took(begun)
        lap.operations = count
        lap.check(_check_told(b"".join(answer.untagged for answer in answers), count))
        found = search_hits((await client.ok(b"SEARCH SEEN")).octets)
        lap.check([] if found == count else [f"{found} messages are \\Seen instead of {count}"])
        await client.logout()

    async def bulk(self, item: bytes, told: int | None, server: Server, lap: Lap) -> None:
        """Set and clear a flag of all messages in turns, so that each command changes each message."""
        count = 2 * self.terms.count(_BULK // 2)
        client = await server.imap(SMALL_USER, SMALL_BOX)
        await client.ok(b"STORE 1:* FLAGS.SILENT ()")
        answers = []
        async with lap.clock():
            for number in range(count):
                begun = perf_counter()
                answers.append(await client.ok(b"STORE 1:* %b%b (\\Flagged)" % (b"-" if number % 2 else b"+", item)))
                lap.took(begun)
        lap.operations = count
        if told is not None:  # the silent one may tell, but need not
            for answer in answers:
                lap.check(check_count(answer.untagged, b" FETCH (", told))
        await client.ok(b"STORE 1:* +FLAGS.SILENT (\\Flagged)")
        found = search_hits((await client.ok(b"SEARCH FLAGGED")).octets)
        lap.check([] if found == SMALL_COUNT else [f"{found} messages are \\Flagged instead of {SMALL_COUNT}"])
        await client.logout()


def _check_told(octets: bytes, count: int) -> list[str]:
    """Messages 1 to `count` are told of, in this order, as \\Seen."""
    told = [(number, items.get(b"FLAGS")) for number, items in fetched(octets)]
    right = [isinstance(flags, list) and b"\\Seen" in flags for _, flags in told]
    if [number for number, _ in told] == [*range(1, count + 1)] and all(right):
        return []
    return [f"{len(told)} messages are told of instead of {count}, {sum(right)} of them as \\Seen"]
