"""The text index, and what fills it."""

from __future__ import annotations

__all__ = ["Searching", "make_searching"]

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from hongyan.assembly.ground import Ground
from hongyan.engines.sql.cursors import SqlCursors
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sqlite.index import SqliteIndex
from hongyan.mailboxes.mail import Mail
from hongyan.notify.consumers import ConsumerOptions, Consumers
from hongyan.search.indexer import Indexer

_DIRECTORY = "search"


@dataclass(frozen=True, slots=True)
class Searching:
    """The index of words; none of it where it is switched off."""

    index: SqliteIndex | None = None
    indexer: Indexer | None = None
    consumers: Consumers | None = None

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        if self.consumers is not None and self.indexer is not None:
            yield "search", self.consumers.run
            yield "search-behind", self.indexer.run

    async def tidy(self) -> int:
        """Forget what is no more."""
        return 0 if self.indexer is None else await self.indexer.tidy()

    async def close(self) -> None:
        """End the threads."""
        if self.index is not None:
            await asyncio.to_thread(self.index.close)


def make_searching(ground: Ground, mail: Mail) -> Searching:
    """Make them. The index lies in the data directory, whatever database keeps the mail."""
    options, database = ground.config.search, ground.database
    if not options.index:
        return Searching()
    reserve = max(options.reserve, ground.config.storage.reserve) << 20
    index = SqliteIndex(ground.data / _DIRECTORY, reserve_octets=reserve)
    indexer = Indexer(mail, index, options)
    # It keeps to its share by itself, and waits for nobody else who follows the logs.
    consumers = Consumers(
        ground.engines.bus,
        SqlMailboxes(database),
        SqlCursors(database),
        ConsumerOptions(share=1, look_every=ground.config.consumers.look_every),
        settle=options.settle,
    )
    consumers.add(indexer)
    return Searching(index, indexer, consumers)
