"""Alternating rounds: each piece of work goes round the servers, in turned order each time, before the next begins.

A B, B A, A B, …: what the machine does to one it does to the other, and neither is always the first.
"""

from __future__ import annotations

__all__ = ["Measurement", "Rounds"]

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.figures import Spread, percentile
from bench.laps import Lap, come_to_rest
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import seed_big
from bench.work.piece import FAULTS, Work

_LAP_SECONDS = 240.0
_PREPARE_SECONDS = 3600.0  # a server may have an index to make
_INDEX_WINDOW = 2.0  # seconds: an index that is being filled rests for less
_INDEX_LIMIT = 1200.0


@dataclass(slots=True)
class Measurement:
    """A piece of work and its laps, by server; a lap that failed is None, so that rounds stay pairs."""

    name: str
    unit: str
    laps: dict[str, list[Lap | None]]
    failures: dict[str, str] = field(default_factory=dict)

    def done(self, server: str) -> list[Lap]:
        return [lap for lap in self.laps[server] if lap is not None]

    def cpu(self, server: str) -> Spread | None:
        """Milliseconds of the server's CPU for an operation."""
        return Spread.of([lap.cpu_ms for lap in self.done(server)])

    def rate(self, server: str) -> Spread | None:
        return Spread.of([lap.rate for lap in self.done(server)])

    def latency_ms(self, server: str, share: float) -> float | None:
        found = percentile([latency for lap in self.done(server) for latency in lap.latencies], share)
        return None if found is None else 1000 * found

    def note(self, server: str, key: str) -> float | None:
        spread = Spread.of([lap.notes[key] for lap in self.done(server) if key in lap.notes])
        return None if spread is None else spread.median

    def wrong(self, server: str) -> list[str]:
        """What was wrong with answers, each sentence once."""
        return list(dict.fromkeys(sentence for lap in self.done(server) for sentence in lap.wrong))

    def paired(self, first: str, second: str) -> list[tuple[Lap, Lap]]:
        """The rounds that both have done."""
        pairs = zip(self.laps[first], self.laps[second], strict=True)
        return [(one, other) for one, other in pairs if one is not None and other is not None]

    @property
    def is_right(self) -> bool:
        return not self.failures and not any(map(self.wrong, self.laps))


class Rounds:
    """Does work on servers."""

    def __init__(self, terms: Terms, servers: Sequence[Server], repeat: int, tell: Callable[[str], None]) -> None:
        self._terms = terms
        self._servers = servers
        self._repeat = repeat
        self._tell = tell
        self._big_faults: dict[str, str] | None = None  # by server, once the big mailbox was asked for

    async def measure(self, work: Work) -> Measurement:
        """Do one piece of work. A server that fails at it is left out of its further rounds."""
        measurement = Measurement(work.name, work.unit, {server.name: [] for server in self._servers})
        if work.needs_big:
            measurement.failures |= await self._ensure_big()
        for server in self._servers:
            await self._guard(measurement, server, _PREPARE_SECONDS, partial(work.prepare, server))
            if not work.brings_mail:
                await self._guard(measurement, server, _PREPARE_SECONDS, partial(_wait_until_indexed, server))
        for number in range(min(self._repeat, work.rounds or self._repeat)):
            for server in self._servers if number % 2 == 0 else reversed(self._servers):
                await self._lap(measurement, work, server)
        for server in self._servers:
            await self._guard(measurement, server, _PREPARE_SECONDS, partial(work.finish, server))
        return measurement

    async def _ensure_big(self) -> dict[str, str]:
        """Make the big mailbox once; return why it cannot be had, by server."""
        if self._big_faults is None:
            self._tell(f"# the big mailbox, with {self._terms.big:,} messages, is made ready")
            faults = await seed_big(self._terms, self._servers)
            self._big_faults = {name: f"no big mailbox: {_sentence(fault)}" for name, fault in faults.items()}
        return self._big_faults

    async def _lap(self, measurement: Measurement, work: Work, server: Server) -> None:
        lap = Lap(server, work.settle)
        done = await self._guard(measurement, server, _LAP_SECONDS, partial(work.lap, server, lap))
        measurement.laps[server.name].append(lap if done else None)
        server.is_fed |= work.brings_mail

    async def _guard(
        self, measurement: Measurement, server: Server, seconds: float, doing: Callable[[], Awaitable[None]]
    ) -> bool:
        """Do something with a server unless it has failed already; take down why it fails."""
        if server.name in measurement.failures:
            return False
        try:
            async with asyncio.timeout(seconds):
                await doing()
        except FAULTS as fault:
            measurement.failures[server.name] = _sentence(fault)
            self._revive(measurement, server)
            return False
        return True

    def _revive(self, measurement: Measurement, server: Server) -> None:
        server.hang_up()
        try:
            server.revive()
        except FAULTS as fault:
            measurement.failures[server.name] += f"; {_sentence(fault)}"


async def _wait_until_indexed(server: Server) -> None:
    """Let a server do what it does behind new mail, so that none of it falls into work that brings no mail."""
    if server.is_fed and server.product.index_seconds:
        await come_to_rest(server, after=server.product.index_seconds, window=_INDEX_WINDOW, limit=_INDEX_LIMIT)
    server.is_fed = False


def _sentence(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}".removesuffix(": ")
