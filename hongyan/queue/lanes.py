"""Whose turn it is: claims wait in a lane for each destination, and so many of a lane run at a time.

A lane lives as long as it has claims. When its destination turns one of several deliveries away, one
less runs at a time (a host that counts connections is content then). When it turns the only one
away, the lane is down: the claims behind are settled with the same outcome instead of knocking
again at a closed door.
"""

from __future__ import annotations

__all__ = ["Lane", "Lanes"]

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from hongyan.queue.outcome import Outcome
from hongyan.store.queue import Claim
from hongyan.types import QueueId


class Lane:
    """The claims of one destination."""

    __slots__ = ("active", "destination", "down", "is_local", "limit", "running", "waiting")

    def __init__(self, destination: str, *, is_local: bool, limit: int) -> None:
        self.destination = destination
        self.is_local = is_local
        self.limit = limit
        self.waiting: deque[Claim] = deque()
        self.running: list[Claim] = []
        self.active = 0
        self.down: Outcome | None = None

    @property
    def is_full(self) -> bool:
        """Whether more claims would only wait."""
        return bool(self.waiting) or self.active >= self.limit

    @property
    def may_start(self) -> bool:
        return bool(self.waiting) and self.active < self.limit

    @property
    def may_continue(self) -> bool:
        """Whether a task that has ended a delivery begins the next."""
        return bool(self.waiting) and self.active <= self.limit

    def learn(self, why_unreachable: Outcome | None) -> None:
        """Take in how a delivery went."""
        if why_unreachable is not None and self.active > 1:
            self.limit = self.active - 1
        else:
            self.down = why_unreachable


class Lanes:
    """All lanes, and how many claims may run in all. Local lanes are not counted: remote hosts never delay them."""

    def __init__(self, concurrency: int) -> None:
        self._lanes: dict[str, Lane] = {}
        self._free = concurrency

    def __contains__(self, destination: str) -> bool:
        return destination in self._lanes

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    @property
    def room(self) -> int:
        """How many destinations more could be served."""
        waiting = sum(lane.may_start and not lane.is_local for lane in self._lanes.values())
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
        for lane in self:
            while lane.may_start and (lane.is_local or self._free > 0):
                lane.active += 1
                self._free -= not lane.is_local
                yield lane

    def end(self, lane: Lane) -> None:
        """A task that `start` asked for has ended."""
        lane.active -= 1
        self._free += not lane.is_local
        if lane.active == 0 and not lane.waiting:
            del self._lanes[lane.destination]

    def take_waiting(self) -> Iterable[Claim]:
        """Empty all lanes of what was not begun."""
        taken: list[Claim] = []
        for lane in self:
            taken.extend(lane.waiting)
            lane.waiting.clear()
            if lane.active == 0:
                del self._lanes[lane.destination]
        return taken
