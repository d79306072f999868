"""Thousands of connections that idle (RFC 2177): what each holds, and how soon a delivery is told of."""

from __future__ import annotations

__all__ = ["work"]

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

from bench.clients import ImapClient
from bench.laps import Lap
from bench.server import ACCOUNTS, Server
from bench.terms import Terms
from bench.work.piece import Work, run_name, together

_DELIVERIES = 40
_OPENING = 20  # at once
_REST_SECONDS = 3.0
_NOTICE_SECONDS = 5.0


def work(terms: Terms) -> list[Work]:
    """One round each: the two thousand connections are samples enough."""
    return [Work(f"idle/{kind}", "delivery", _Idle(terms, kind == "tls").lap, rounds=1) for kind in ("plain", "tls")]


@dataclass(frozen=True, slots=True)
class _Idle:
    terms: Terms
    tls: bool

    async def lap(self, server: Server, lap: Lap) -> None:
        server.restart()  # processes and memory of earlier work must not count as free
        at_rest, used, begun = server.memory(), server.meter.cpu(), perf_counter()
        crowd = _Crowd()
        gate = asyncio.Semaphore(_OPENING)
        await together(self._open(server, crowd, gate, number) for number in range(self.terms.idle))
        lap.notes["open_cpu_ms"] = 1000 * (server.meter.cpu() - used) / self.terms.idle
        lap.notes["opened_per_s"] = self.terms.idle / (perf_counter() - begun)
        used = server.meter.cpu()
        await asyncio.sleep(_REST_SECONDS)
        lap.notes["idle_cpu_ms_per_s"] = 1000 * (server.meter.cpu() - used) / _REST_SECONDS
        held = server.memory()
        lap.notes["kib_per_connection"] = (held.pss_kib - at_rest.pss_kib) / self.terms.idle
        try:
            await self._deliver(server, lap, crowd)
        finally:
            for clients in crowd.by_user.values():
                for client in clients:
                    client.close()

    async def _open(self, server: Server, crowd: _Crowd, gate: asyncio.Semaphore, number: int) -> None:
        async with gate:
            client = await server.imap(number, b"INBOX", tls=self.tls)
            await client.idle()
        crowd.add(number % ACCOUNTS, client)

    async def _deliver(self, server: Server, lap: Lap, crowd: _Crowd) -> None:
        """One delivery at a time; the notice is timed from when the message is sent to when it is told."""
        users = random.Random(self.terms.corpus.seed).choices(sorted(crowd.by_user), k=self.terms.count(_DELIVERIES, 5))
        templates, name = self.terms.corpus.templates(4096, 16), run_name()
        sender = await server.smtp()
        untold = 0
        async with lap.clock():
            for number, user in enumerate(users):
                message = templates[number % len(templates)].message(b"%08d.%b" % (number, name))
                crowd.expect(user)
                await sender.send(b"s@bench.example.org", server.user(user).encode(), message)
                untold += await crowd.wait()
        lap.operations = len(users)
        lap.latencies = crowd.latencies
        await sender.quit()
        lap.check([f"{untold} connections were not told within {_NOTICE_SECONDS:.0f} s"] if untold else [])


@dataclass(slots=True)
class _Crowd:
    """The idling connections, and those among them that wait for the notice of a delivery."""

    by_user: dict[int, list[ImapClient]] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    _waiting: set[ImapClient] = field(default_factory=set)
    _begun: float = 0.0
    _done: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, user: int, client: ImapClient) -> None:
        client.overhear = partial(self._hear, client)
        self.by_user.setdefault(user, []).append(client)

    def expect(self, user: int) -> None:
        self._waiting = set(self.by_user[user])
        self._done.clear()
        self._begun = perf_counter()

    async def wait(self) -> int:
        """Wait until all are told; return how many were not."""
        try:
            async with asyncio.timeout(_NOTICE_SECONDS):
                await self._done.wait()
        except TimeoutError:
            pass
        return len(self._waiting)

    def _hear(self, client: ImapClient, octets: bytes) -> None:
        if b" EXISTS\r\n" in octets and client in self._waiting:
            self.latencies.append(perf_counter() - self._begun)
            self._waiting.discard(client)
            if not self._waiting:
                self._done.set()
