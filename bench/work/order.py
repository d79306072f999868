"""Put the big mailbox in order, by date and by subject, as threads, and from one day on.

A server may keep what it needs for that: the first of the commands is among those that are measured.
"""

from __future__ import annotations

__all__ = ["work"]

import re
from dataclasses import dataclass
from time import perf_counter

from bench.corpus import BigMailbox
from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.piece import BIG_BOX, BIG_USER, Work

_NUMBER = re.compile(rb"\d+")
_TIMES = 10


@dataclass(frozen=True, slots=True)
class _Case:
    command: bytes
    answer: bytes


_CASES = {
    "sort/arrival": _Case(b"SORT (ARRIVAL) UTF-8 ALL", b"* SORT "),
    "sort/date": _Case(b"SORT (DATE) UTF-8 ALL", b"* SORT "),
    "sort/subject": _Case(b"SORT (SUBJECT) UTF-8 ALL", b"* SORT "),
    "thread/references": _Case(b"THREAD REFERENCES UTF-8 ALL", b"* THREAD "),
    "thread/refs": _Case(b"THREAD REFS UTF-8 ALL", b"* THREAD "),
    "thread/ordered-subject": _Case(b"THREAD ORDEREDSUBJECT UTF-8 ALL", b"* THREAD "),
}


def work(terms: Terms) -> list[Work]:
    return [
        Work(name, case.command.split()[0].decode(), _Order(terms, case).lap, needs_big=True)
        for name, case in _CASES.items()
    ]


@dataclass(frozen=True, slots=True)
class _Order:
    terms: Terms
    case: _Case

    async def lap(self, server: Server, lap: Lap) -> None:
        client = await server.imap(BIG_USER, BIG_BOX)
        answers = []
        async with lap.clock():
            for _ in range(_TIMES):
                begun = perf_counter()
                answers.append(await client.ok(self.case.command))
                lap.took(begun)
        lap.operations = _TIMES
        await client.logout()
        for answer in answers:
            lap.check(self._faults(answer.octets, self.terms.mailbox))

    def _faults(self, octets: bytes, mailbox: BigMailbox) -> list[str]:
        line = next((line for line in octets.split(b"\r\n") if line.startswith(self.case.answer)), b"")
        numbers = [int(number) for number in _NUMBER.findall(line)]
        if sorted(numbers) != list(range(1, mailbox.count + 1)):
            return [f"{len(numbers)} messages in order instead of {mailbox.count}"]
        return []
