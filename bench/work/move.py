"""EXPUNGE, COPY and MOVE of 1,000 messages in one command."""

from __future__ import annotations

__all__ = ["work"]

from dataclasses import dataclass
from functools import partial
from time import perf_counter

from bench.answers import number_before
from bench.checks import check_count
from bench.clients import ImapClient
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import corpus_message, count_messages, ensure_filled, make_fresh
from bench.work.piece import MOVE_USER, Work

_COUNT = 1000
_ORIGIN, _SOURCE, _TARGET = b"bench-origin", b"bench-source", b"bench-target"
_WIPE = b"STORE 1:* +FLAGS.SILENT (\\Deleted)"


def work(terms: Terms) -> list[Work]:
    cases = {
        "expunge": _Case(b"EXPUNGE", marks=True, expunged=_COUNT, left=0, arrived=0),
        "copy": _Case(b"COPY 1:* " + _TARGET, marks=False, expunged=0, left=_COUNT, arrived=_COUNT),
        "move": _Case(b"MOVE 1:* " + _TARGET, marks=False, expunged=_COUNT, left=0, arrived=_COUNT),
    }
    return [Work(f"{name}/1000", "command", case.lap, partial(_prepare, terms)) for name, case in cases.items()]


async def _prepare(terms: Terms, server: Server) -> None:
    await ensure_filled(server, MOVE_USER, _ORIGIN, _COUNT, partial(corpus_message, terms))
    for mailbox in (_SOURCE, _TARGET):
        await make_fresh(server, MOVE_USER, mailbox)


@dataclass(frozen=True, slots=True)
class _Case:
    command: bytes
    marks: bool  # the messages are \Deleted before
    expunged: int
    left: int
    arrived: int

    async def lap(self, server: Server, lap: Lap) -> None:
        client = await server.imap(MOVE_USER)
        await _refill(client)
        if self.marks:
            await client.ok(_WIPE)
        async with lap.clock():
            begun = perf_counter()
            answer = await client.ok(self.command)
            lap.took(begun)
        lap.operations = 1
        lap.check(check_count(answer.octets, b" EXPUNGE\r\n", self.expunged))
        await client.ok(b"SELECT " + _ORIGIN)
        for mailbox, wanted in ((_SOURCE, self.left), (_TARGET, self.arrived)):
            found = await count_messages(client, mailbox)
            lap.check([] if found == wanted else [f"{found} messages in {mailbox.decode()} instead of {wanted}"])
        await client.logout()


async def _refill(client: ImapClient) -> None:
    """The source holds the 1,000 messages and is selected; the target is empty."""
    for mailbox in (_SOURCE, _TARGET):
        answer = await client.ok(b"SELECT " + mailbox)
        if number_before(answer.octets, b"EXISTS"):
            await client.ok(_WIPE)
            await client.ok(b"EXPUNGE")
    await client.ok(b"SELECT " + _ORIGIN)
    await client.ok(b"COPY 1:* " + _SOURCE)
    await client.ok(b"SELECT " + _SOURCE)
