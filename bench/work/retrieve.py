"""POP3: a session that asks what there is and retrieves all of it."""

from __future__ import annotations

__all__ = ["work"]

from dataclasses import dataclass
from functools import partial
from time import perf_counter

from bench.clients import Pop3Client
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import corpus_message, ensure_filled
from bench.work.piece import RETRIEVE_USER, Work

_MESSAGES = 1000
_PIPELINED = 50


def work(terms: Terms) -> list[Work]:
    """`pop3/retr` waits for each message, `pop3/pipelined` asks for fifty at once."""
    count = terms.count(_MESSAGES, _PIPELINED)
    prepare = partial(_prepare, terms, count)
    return [
        Work("pop3/retr", "message", _Retrieve(terms, count, 1).lap, prepare),
        Work("pop3/pipelined", "message", _Retrieve(terms, count, _PIPELINED).lap, prepare),
    ]


async def _prepare(terms: Terms, count: int, server: Server) -> None:
    await ensure_filled(server, RETRIEVE_USER, b"INBOX", count, partial(corpus_message, terms))


@dataclass(frozen=True, slots=True)
class _Retrieve:
    terms: Terms
    count: int
    at_once: int

    async def lap(self, server: Server, lap: Lap) -> None:
        async with lap.clock():
            client = await server.pop3(RETRIEVE_USER)
            told = [await client.command(b"STAT"), await client.listing(b"LIST"), await client.listing(b"UIDL")]
            answers = [await self._retrieve(client, first, lap) for first in range(1, self.count + 1, self.at_once)]
            await client.quit()
        lap.operations, lap.octets = self.count, sum(map(len, answers))
        messages = [self.terms.corpus.message(number) for number in range(self.count)]
        lap.check(_check_told(told, [len(message) for message in messages]))
        lap.check([] if _are(b"".join(answers), messages) else ["messages differ from what was appended"])

    async def _retrieve(self, client: Pop3Client, first: int, lap: Lap) -> bytes:
        last = min(first + self.at_once, self.count + 1)
        begun = perf_counter()
        answer = await client.pipeline([b"RETR %d" % number for number in range(first, last)])
        lap.took(begun)
        return answer


def _check_told(told: list[bytes], sizes: list[int]) -> list[str]:
    """STAT, LIST and UIDL agree with what is there."""
    stat, listed, unique = told
    wrong = []
    if [int(word) for word in stat.split()[1:3]] != [len(sizes), sum(sizes)]:
        wrong.append(f"STAT says {stat.decode().strip()} of {len(sizes)} messages with {sum(sizes)} octets")
    if [int(line.split()[1]) for line in _lines(listed)] != sizes:
        wrong.append("LIST tells wrong sizes")
    if len({line.split()[1] for line in _lines(unique)}) != len(sizes):
        wrong.append("UIDL does not tell messages apart")
    return wrong


def _lines(listing: bytes) -> list[bytes]:
    return listing.split(b"\r\n")[1:-2]


def _are(octets: bytes, messages: list[bytes]) -> bool:
    """Are these the answers that carry these messages? No line of the corpus begins with a dot."""
    at = 0
    for message in messages:
        at = octets.find(b"\r\n", at) + 2
        ended = message if message.endswith(b"\r\n") else message + b"\r\n"
        if not octets.startswith(ended + b".\r\n", at):
            return False
        at += len(ended) + 3
    return at == len(octets)
