"""What was seen is stored a few at a time, and once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hongyan.errors import Unavailable
from hongyan.reports.options import ReportOptions
from hongyan.reports.tallies import Tallies
from hongyan.store.evaluations import ReportKind, Tally
from tests.support.clock import FakeRandom

NOW = datetime(2026, 5, 6, 1, tzinfo=UTC)


@dataclass
class Shelf:
    """Fails at its second call."""

    units: list[int] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    async def add(self, tallies: Sequence[Tally], *, most_domains: int, most_facts: int) -> int:
        self.units.append(len(tallies))
        if len(self.units) == 2:
            raise Unavailable(cause="the database is away")
        for one in tallies:
            self.counted[one.facts] = self.counted.get(one.facts, 0) + one.count
        return 0


async def test_a_flood_of_facts_is_stored_in_small_units_and_none_is_counted_twice() -> None:
    shelf = Shelf()
    tallies = Tallies(shelf, FakeRandom(), ReportOptions())  # type: ignore[arg-type]
    for number in range(1200):
        tallies.note(ReportKind.DMARC, NOW, "a.test", "p", str(number), count=2)
    await tallies.flush()
    await tallies.flush()
    assert max(shelf.units) <= 500
    assert shelf.counted == {str(number): 2 for number in range(1200)}


async def test_storing_waits_for_what_is_being_stored() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    class Slow(Shelf):
        async def add(self, tallies: Sequence[Tally], *, most_domains: int, most_facts: int) -> int:
            begun.set()
            await may_end.wait()
            return await super().add(tallies, most_domains=most_domains, most_facts=most_facts)

    shelf = Slow()
    tallies = Tallies(shelf, FakeRandom(), ReportOptions())  # type: ignore[arg-type]
    tallies.note(ReportKind.DMARC, NOW, "a.test", "p", "x")
    async with asyncio.TaskGroup() as group:
        group.create_task(tallies.flush())  # The one of every few seconds.
        await begun.wait()
        second = group.create_task(tallies.flush())
        await asyncio.sleep(0)
        assert not second.done()
        may_end.set()
    assert shelf.counted == {"x": 1}
