"""What a server does behind new mail, when all of it was answered: ours fills the text index, Dovecot has none."""

from __future__ import annotations

__all__ = ["work"]

from dataclasses import dataclass

from bench.laps import Lap
from bench.server import Server
from bench.terms import Terms
from bench.work.mailboxes import corpus_message, make_fresh, remove
from bench.work.piece import INDEX_USER, Work

_BOX = b"bench-index"
_MESSAGES = 500
_AT_ONCE = 50
_SETTLE = 8.0  # seconds, in which indexing has begun


def work(terms: Terms) -> list[Work]:
    case = _Index(terms, terms.count(_MESSAGES, _AT_ONCE))
    return [Work("index/corpus", "message", case.lap, case.prepare, case.finish, settle=_SETTLE)]


@dataclass(frozen=True, slots=True)
class _Index:
    terms: Terms
    count: int

    async def prepare(self, server: Server) -> None:
        await make_fresh(server, INDEX_USER, _BOX)

    async def finish(self, server: Server) -> None:
        await remove(server, INDEX_USER, _BOX)

    async def lap(self, server: Server, lap: Lap) -> None:
        """Bring mail, and begin to count when the last of it is answered."""
        client = await server.imap(INDEX_USER)
        for first in range(0, self.count, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, self.count))
            await client.append_all(_BOX, [corpus_message(self.terms, number) for number in numbers])
        async with lap.clock():
            pass
        lap.operations = self.count
        await client.logout()
