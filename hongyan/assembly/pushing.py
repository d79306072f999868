"""What pushes changes to clients of JMAP."""

from __future__ import annotations

__all__ = ["Pushing", "make_pushing"]

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from hongyan.assembly.ground import Ground
from hongyan.auth.revocations import Revocations
from hongyan.engines.sql.placements import SqlPlacements
from hongyan.notify.feeds import Feeds
from hongyan.notify.hub import Hub
from hongyan.web.jmap.pushed import PushedStates
from hongyan.web.jmap.streams import Streams

_TICK = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Pushing:
    """The feeds, and who follows them over a connection."""

    feeds: Feeds
    streams: Streams

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        yield "feeds", self.feeds.run


def make_pushing(ground: Ground, hub: Hub, revocations: Revocations) -> Pushing:
    """Make it."""
    options = ground.config.jmap
    states = PushedStates(SqlPlacements(ground.database))
    feeds = Feeds(hub, states.read, ground.clock, options.push_pause)
    ground.wheel.every(_TICK, feeds.tick)
    return Pushing(feeds, Streams(feeds, revocations, ground.wheel, ground.clock, options))
