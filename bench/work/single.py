"""Single commands, one after the other, in a mailbox of 1,000 messages of 4 KB: what a command costs by itself."""

from __future__ import annotations

__all__ = ["ensure_small", "small_message", "small_name", "work"]

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from bench.answers import fetched
from bench.checks import check_count, check_envelopes
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import Appendable, ensure_filled
from bench.work.piece import SMALL_BOX, SMALL_COUNT, SMALL_USER, Work

_COMMANDS = 2000
_SIZE = 4096

Check = Callable[[bytes, list[int]], list[str]]


def work(terms: Terms) -> list[Work]:
    prepare = partial(ensure_small, terms)
    commands: dict[str, tuple[Callable[[int], bytes], Check]] = {
        "noop": (lambda _: b"NOOP", lambda _octets, _numbers: []),
        "flags": (lambda number: b"FETCH %d (FLAGS)" % number, _check_flags),
        "envelope": (lambda number: b"FETCH %d (ENVELOPE)" % number, partial(_check_envelopes, terms)),
        "body-4k": (lambda number: b"FETCH %d (BODY.PEEK[])" % number, partial(_check_bodies, terms)),
    }
    return [
        Work(f"single/{name}", "command", _Single(terms.count(_COMMANDS, 50), command, check).lap, prepare)
        for name, (command, check) in commands.items()
    ]


@dataclass(frozen=True, slots=True)
class _Single:
    count: int
    command: Callable[[int], bytes]
    check: Check

    async def lap(self, server: Server, lap: Lap) -> None:
        chance = random.Random(self.count)
        numbers = [chance.randint(1, SMALL_COUNT) for _ in range(self.count)]
        lines = [self.command(number) for number in numbers]
        client = await server.imap(SMALL_USER, SMALL_BOX)
        answers = []
        async with lap.clock():
            for line in lines:
                begun = perf_counter()
                answers.append(await client.ok(line))
                lap.took(begun)
        lap.operations = self.count
        await client.logout()
        lap.check(self.check(b"".join(answer.untagged for answer in answers), numbers))


async def ensure_small(terms: Terms, server: Server) -> None:
    """The mailbox of 1,000 messages is there."""
    await ensure_filled(server, SMALL_USER, SMALL_BOX, SMALL_COUNT, partial(small_message, terms))


def small_message(terms: Terms, number: int) -> Appendable:
    templates = terms.corpus.templates(_SIZE)
    return b"", templates[number % len(templates)].message(small_name(number))


def small_name(number: int) -> bytes:
    return b"%08d.small-fixed-name" % number


def _check_flags(octets: bytes, numbers: list[int]) -> list[str]:
    told = [number for number, items in fetched(octets) if isinstance(items.get(b"FLAGS"), list)]
    return [] if told == numbers else ["flags of other messages than those asked for"]


def _check_envelopes(terms: Terms, octets: bytes, numbers: list[int]) -> list[str]:
    messages = (small_message(terms, number - 1)[1] for number in numbers)
    return check_envelopes(octets, (_message_id(message) for message in messages))


def _message_id(message: bytes) -> bytes:
    begin = message.index(b"Message-ID: ") + len(b"Message-ID: ")
    return message[begin : message.index(b"\r\n", begin)]


def _check_bodies(terms: Terms, octets: bytes, numbers: list[int]) -> list[str]:
    wanted = [small_message(terms, number - 1)[1] for number in numbers]
    told = [items.get(b"BODY[]") for _, items in fetched(octets)]
    return (
        []
        if told == wanted
        else ["bodies differ from what was appended", *check_count(octets, b"BODY[]", len(numbers))]
    )
