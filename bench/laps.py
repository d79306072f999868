"""A lap: one piece of work, done once by one server, with the clock and the meters read around it."""

from __future__ import annotations

__all__ = ["Lap", "come_to_rest"]

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from time import perf_counter

from bench.machine import busy_seconds, core_speed
from bench.server import Server

_REST_SECONDS = 0.1  # a server is at rest that uses less than 1 % of a core for so long
_REST_LIMIT = 5.0


async def come_to_rest(
    server: Server, *, after: float = 0.0, window: float = _REST_SECONDS, limit: float = _REST_LIMIT
) -> None:
    """Wait `after` seconds, and then until a server has nothing left to do, at most `limit` seconds."""
    give_up = perf_counter() + after + limit
    await asyncio.sleep(after)
    used = server.meter.cpu()
    while perf_counter() < give_up:
        await asyncio.sleep(window)
        before, used = used, server.meter.cpu()
        if used - before < window / 100:
            return


class Lap:
    """What came of it. The work counts operations and says what was wrong; the clock does the rest."""

    __slots__ = (
        "client_cpu",
        "ended",
        "latencies",
        "neighbours",
        "notes",
        "octets",
        "operations",
        "pss_mib",
        "server",
        "server_cpu",
        "settle",
        "speed",
        "wall",
        "wrong",
    )

    def __init__(self, server: Server, settle: float = 0.0) -> None:
        self.server = server
        self.settle = settle  # seconds after the work that belong to it: what was promised to happen within them
        self.operations = 0
        self.octets = 0
        self.latencies: list[float] = []
        self.notes: dict[str, float] = {}
        self.wrong: list[str] = []
        self.ended: float | None = None  # when the work was done, if that was before the clock stopped
        self.wall = self.server_cpu = self.client_cpu = 0.0
        self.neighbours = 0.0  # cores that others used meanwhile
        self.pss_mib = 0.0  # memory of the server when the work was done, its connections still open
        self.speed = 0.0  # million steps a second of the core, just before

    @asynccontextmanager
    async def clock(self) -> AsyncIterator[None]:
        """Measure what is done inside: time until it is done, the server's CPU until the server is at rest.

        What a server does later for what it answered early (tidying a queue, writing an index) is its work, too.
        """
        gc.collect()
        gc.disable()
        try:
            self.speed = core_speed()
            server, machine = self.server.meter.cpu(), busy_seconds()
            client, begun = time.process_time(), perf_counter()
            yield
            stopped = perf_counter()
            self.wall = (self.ended or stopped) - begun
            self.client_cpu = time.process_time() - client
            others = busy_seconds() - machine - self.client_cpu - (self.server.meter.cpu() - server)
            self.neighbours = max(others, 0.0) / (stopped - begun)
            await come_to_rest(self.server, after=self.settle)
            self.server_cpu = self.server.meter.cpu() - server
            self.pss_mib = self.server.memory().pss_kib / 1024
        finally:
            gc.enable()

    def took(self, begun: float) -> None:
        """One operation that began then is done."""
        self.latencies.append(perf_counter() - begun)

    def check(self, wrong: Iterable[str]) -> None:
        self.wrong += wrong

    @property
    def cpu_ms(self) -> float:
        """The server's CPU for an operation, in milliseconds."""
        return 1000 * self.server_cpu / max(self.operations, 1)

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.wall if self.wall else 0.0
