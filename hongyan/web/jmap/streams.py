"""Who is pushed to just now: counted for each account and for all, and ended with what they logged in with."""

from __future__ import annotations

__all__ = ["Streams", "Timed", "Timers"]

from collections import Counter
from collections.abc import Callable
from typing import Protocol

from hongyan.auth.principal import Principal
from hongyan.auth.revocations import LiveSession, Revocations
from hongyan.clock import Clock
from hongyan.notify.feeds import Feeds
from hongyan.store.accounts import Service
from hongyan.telemetry import metrics
from hongyan.types import AccountId
from hongyan.web.identity import Unidentified
from hongyan.web.jmap.options import JmapOptions
from hongyan.wire.jmap.faults import RequestProblem


class Timed(Protocol):
    """Something that time passes for."""

    slot: int

    def due(self, now: float) -> float:
        """Do what is due, and return the seconds until the next look, or 0 for never again."""
        ...


class Timers(Protocol):
    """One timer for all: the server's wheel."""

    def add(self, item: Timed, seconds: float) -> None:
        """Look at the item after so many seconds, or sooner."""
        ...

    def remove(self, item: Timed) -> None:
        """Forget the item, if it is known."""
        ...


class Streams:
    """The connections to which changes are pushed."""

    def __init__(
        self, feeds: Feeds, revocations: Revocations, timers: Timers, clock: Clock, options: JmapOptions
    ) -> None:
        self.feeds = feeds
        self.timers = timers
        self.clock = clock
        self.options = options
        self._revocations = revocations
        self._counts: Counter[AccountId] = Counter()
        self._total = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self._total

    def enter(self, principal: Principal, end: Callable[[], None]) -> LiveSession:
        """Take one more in; `end` is called when the login is void. Each is to `leave`, once.

        Raises `RequestProblem` beyond the limits, and `Unidentified` if the login is void already.
        """
        account = principal.account
        if self._counts[account] >= self.options.push_streams:
            raise _limit("Too many connections of this account wait for changes.")
        if self._total >= self.options.push_streams_total:
            raise _limit("Too many connections wait for changes.", status=503)
        service = Service.WEB if Service.WEB in principal.scopes else Service.IMAP
        live = self._revocations.enter(principal, service, end)
        if live is None:
            raise Unidentified("Log in again.")
        self._counts[account] += 1
        self._count(1)
        return live

    def leave(self, live: LiveSession) -> None:
        """One is over."""
        live.leave()
        account = live.principal.account
        self._counts[account] -= 1
        if not self._counts[account]:
            del self._counts[account]
        self._count(-1)

    def _count(self, more: int) -> None:
        self._total += more
        metrics.push_streams.set(self._total)


def _limit(sentence: str, *, status: int = 429) -> RequestProblem:
    return RequestProblem("limit", sentence, status=status, limit="maxConcurrentPush")
