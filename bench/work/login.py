"""Connect, log in, log out: plain and with TLS, one at a time and twenty at once."""

from __future__ import annotations

__all__ = ["work"]

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from bench.laps import Lap
from bench.server import ACCOUNTS, Server
from bench.terms import Terms
from bench.work.piece import Work, together

_LOGINS = {("plain", 1): 200, ("plain", 20): 600, ("tls", 1): 100, ("tls", 20): 300}


def work(terms: Terms) -> list[Work]:
    """Each account has logged in before, so that servers that remember secrets do."""
    return [
        Work(
            f"login/{kind}/{clients}", "login", _Login(kind == "tls", clients, terms.count(logins, clients)).lap, _warm
        )
        for (kind, clients), logins in _LOGINS.items()
    ]


@dataclass(frozen=True, slots=True)
class _Login:
    tls: bool
    clients: int
    logins: int

    async def lap(self, server: Server, lap: Lap) -> None:
        numbers = iter(range(self.logins))
        async with lap.clock():
            await together(self._come_and_go(server, lap, numbers) for _ in range(self.clients))
        lap.operations = self.logins

    async def _come_and_go(self, server: Server, lap: Lap, numbers: Iterator[int]) -> None:
        for number in numbers:
            begun = perf_counter()
            client = await server.imap(number, tls=self.tls)
            await client.logout()
            lap.took(begun)


async def _warm(server: Server) -> None:
    for number in range(ACCOUNTS):
        client = await server.imap(number)
        await client.logout()
