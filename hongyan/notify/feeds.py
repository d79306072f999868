"""Tells those who are pushed to how the data of an account stands, whenever it stands otherwise (RFC 8620 §7).

The hints that wake IMAP sessions wake a feed. It reads the states of the account once for all who follow, at once after
a quiet time and then at most once in a pause, so that a burst of changes is one push. What nobody has heard yet is
never more than the states as they are now: who reads slowly holds no memory.
"""

from __future__ import annotations

__all__ = ["Feeds", "Follower", "States"]

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NoReturn, Protocol

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.errors import HongyanError
from hongyan.notify.hub import Hub
from hongyan.telemetry import metrics
from hongyan.types import AccountId, ModSeq

States = Mapping[str, str]
"""The state of each type of data, by the name of the type."""

_READERS = 4  # accounts that are read at once

log = telemetry.logger("notify")


class Follower(Protocol):
    """Somebody who wants to know how an account stands."""

    def states_changed(self, states: States) -> None:
        """The account stands so now. Never waits."""
        ...


class Feeds:
    """One feed for each account that somebody follows."""

    def __init__(self, hub: Hub, read: Callable[[AccountId], Awaitable[States]], clock: Clock, pause: float) -> None:
        """`read` tells how an account stands; `pause` how many seconds lie between two readings at least."""
        self._hub = hub
        self._read = read
        self._clock = clock
        self._pause = pause
        self._feeds: dict[AccountId, _Feed] = {}
        self._ready: dict[_Feed, None] = {}
        self._later: dict[_Feed, None] = {}
        self._stirred = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many accounts somebody follows."""
        return len(self._feeds)

    async def follow(self, account: AccountId, follower: Follower) -> States:
        """Tell the follower from now on, and return how the account stands. Raises `NotFound`.

        It is followed when this begins to wait, and is to `leave` whatever this raises.
        """
        feed = self._feeds.get(account)
        if feed is None:
            feed = self._feeds[account] = _Feed(account, self._stir)
            self._hub.join(account, feed)
        feed.followers[follower] = None
        return feed.states if feed.states is not None else feed.begin(await self._read(account))

    def leave(self, account: AccountId, follower: Follower) -> None:
        """Tell the follower no longer. A second time does nothing."""
        feed = self._feeds.get(account)
        if feed is None or follower not in feed.followers:
            return
        del feed.followers[follower]
        if not feed.followers:
            del self._feeds[account]
            self._ready.pop(feed, None)
            self._later.pop(feed, None)
            self._hub.leave(account, feed)

    def tick(self) -> None:
        """To be called each second: read the accounts whose pause is over."""
        now = self._clock.monotonic()
        for feed in [feed for feed in self._later if feed.is_rested(now, self._pause)]:
            del self._later[feed]
            self._wake(feed)

    async def run(self) -> None:
        """Read where something has changed, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_READERS):
                group.create_task(self._follow_all())

    def _stir(self, feed: _Feed) -> None:
        if feed not in self._ready and feed not in self._later:
            if feed.is_rested(self._clock.monotonic(), self._pause):
                self._wake(feed)
            else:
                self._later[feed] = None

    def _wake(self, feed: _Feed) -> None:
        self._ready[feed] = None
        self._stirred.set()

    async def _follow_all(self) -> NoReturn:
        while True:
            while not self._ready:
                self._stirred.clear()
                await self._stirred.wait()
            feed = next(iter(self._ready))
            del self._ready[feed]
            feed.read_at = self._clock.monotonic()
            await self._look(feed)

    async def _look(self, feed: _Feed) -> None:
        try:
            feed.tell(await self._read(feed.account))
        except HongyanError as error:
            log.warning("states-unreadable", account=feed.account, error=error)
        except Exception as error:  # noqa: BLE001 - the top of a job
            metrics.panic_total.labels("notify").inc()
            log.error("panic", error=error, account=feed.account)


class _Feed:
    """An account that is followed; it waits at the hub."""

    __slots__ = ("_stir", "account", "followers", "read_at", "states")

    def __init__(self, account: AccountId, stir: Callable[[_Feed], None]) -> None:
        self._stir = stir
        self.account = account
        self.followers: dict[Follower, None] = {}
        self.states: States | None = None
        self.read_at: float | None = None

    def account_changed(self, modseq: ModSeq) -> None:  # noqa: ARG002 - a hint; the states are read
        """Look, when it is time."""
        self._stir(self)

    def is_rested(self, now: float, pause: float) -> bool:
        """Whether the last reading is long enough ago."""
        return self.read_at is None or now - self.read_at >= pause

    def begin(self, states: States) -> States:
        """Take what was read first, unless something later has been read meanwhile; return what holds."""
        if self.states is None:
            self.states = states
        return self.states

    def tell(self, states: States) -> None:
        """Pass on what is other than it was."""
        if states != self.states:
            self.states = states
            for follower in tuple(self.followers):
                follower.states_changed(states)
