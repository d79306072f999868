"""Whose turn it is: claims wait in a lane for each destination, and so many of a lane run at a time.

A lane lives as long as it has claims. When its destination turns one of several deliveries away, one
less runs at a time (a host that counts connections is content then). When it turns the only one
away, the lane is down: the claims behind are settled with the same outcome instead of knocking
again at a closed door. Lanes of one provider share what it takes (`queue.providers`).

A delivery that takes long steps aside: its place is free for another one, until as many stand aside
as may run. Hosts that stall hold up nobody else's mail.
"""

from __future__ import annotations

__all__ = ["Lane", "Lanes", "Place"]

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from hongyan.queue.outcome import Outcome
from hongyan.queue.providers import Provider
from hongyan.store.queue import Claim
from hongyan.types import QueueId


class Lane:
    """The claims of one destination. `provider` None: nobody else's limits apply, as to our own mailboxes."""

    __slots__ = ("active", "destination", "down", "is_local", "limit", "provider", "running", "waiting")

    def __init__(self, destination: str, *, is_local: bool, limit: int, provider: Provider | None = None) -> None:
        self.destination = destination
        self.is_local = is_local
        self.limit = limit
        self.provider = provider
        self.waiting: deque[Claim] = deque()
        self.running: list[Claim] = []
        self.active = 0
        self.down: Outcome | None = None

    @property
    def is_full(self) -> bool:
        """Whether more claims would only wait."""
        return bool(self.waiting) or self.active >= self.limit

    def may_start(self, now: float) -> bool:
        within = bool(self.waiting) and self.active < self.limit
        return within and (self.provider is None or self.provider.room(now) > 0)

    def may_continue(self, now: float) -> bool:
        """Whether a task that has ended a delivery begins the next."""
        within = bool(self.waiting) and self.active <= self.limit
        return within and (self.provider is None or self.provider.may_go_on(now))

    def belongs_to(self, provider: Provider | None) -> None:
        """The destination's provider became known: what runs is counted there."""
        if self.provider is not None:
            self.provider.active -= self.active
        if provider is not None:
            provider.active += self.active
        self.provider = provider

    def learn(self, why_unreachable: Outcome | None) -> None:
        """Take in how a delivery went."""
        if why_unreachable is not None and self.active > 1:
            self.limit = self.active - 1
        else:
            self.down = why_unreachable


class Place:
    """One of the places in which a delivery runs. It counts until its holder steps aside."""

    __slots__ = ("_is_aside", "_lanes")

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._is_aside = False

    def step_aside(self) -> None:
        """Let another delivery run beside this one, if there is room for one more that takes long."""
        self._is_aside = self._lanes.let_aside()

    def come_back(self) -> None:
        """The delivery has ended."""
        if self._is_aside:
            self._lanes.take_back()
            self._is_aside = False


class Lanes:
    """All lanes, and how many claims may run in all. Local lanes are not counted: remote hosts never delay them."""

    def __init__(self, concurrency: int, now: Callable[[], float]) -> None:
        self._lanes: dict[str, Lane] = {}
        self._concurrency = concurrency
        self._free = concurrency
        self._aside = 0
        self._now = now

    def __contains__(self, destination: str) -> bool:
        return destination in self._lanes

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    @property
    def room(self) -> int:
        """How many destinations more could be served."""
        now = self._now()
        waiting = sum(lane.may_start(now) and not lane.is_local for lane in self._lanes.values())
        return max(self._free - waiting, 0)

    @property
    def full(self) -> frozenset[str]:
        """Destinations for which nothing need be claimed."""
        return frozenset(lane.destination for lane in self._lanes.values() if lane.is_full)

    @property
    def messages(self) -> frozenset[QueueId]:
        """Messages under lease."""
        return frozenset(claim.message.id for lane in self._lanes.values() for claim in (*lane.waiting, *lane.running))

    def find(self, destination: str) -> Lane | None:
        return self._lanes.get(destination)

    def add(self, lane: Lane, claims: Sequence[Claim]) -> None:
        """Let claims wait in a lane, which is opened if it is new."""
        self._lanes.setdefault(lane.destination, lane).waiting.extend(claims)

    def start(self) -> Iterator[Lane]:
        """Yield a lane for each place that is free, once for each task to be started in it."""
        now = self._now()
        for lane in self:
            while lane.may_start(now) and (lane.is_local or self._free > 0):
                lane.active += 1
                if lane.provider is not None:
                    lane.provider.active += 1
                self._free -= not lane.is_local
                yield lane

    def end(self, lane: Lane) -> None:
        """A task that `start` asked for has ended."""
        lane.active -= 1
        if lane.provider is not None:
            lane.provider.active -= 1
        self._free += not lane.is_local
        if lane.active == 0 and not lane.waiting:
            del self._lanes[lane.destination]

    def take_waiting(self, lane: Lane | None = None) -> Iterable[Claim]:
        """Empty a lane, or all, of what was not begun."""
        taken: list[Claim] = []
        for one in self if lane is None else [lane]:
            taken.extend(one.waiting)
            one.waiting.clear()
            if one.active == 0:
                del self._lanes[one.destination]
        return taken

    def let_aside(self) -> bool:
        """Free the place of a delivery that takes long; false if too many did so already."""
        if self._aside >= self._concurrency:
            return False
        self._aside += 1
        self._free += 1
        return True

    def take_back(self) -> None:
        """A delivery that stood aside has ended: for a moment there may be fewer places than none."""
        self._aside -= 1
        self._free -= 1
