"""Who takes how much at a time: what is known of the servers that mail goes to, in memory and for this process.

A thousand domains may be served by the same hosts: what is counted is the provider, the organisation of a domain's
first mail exchanger. It begins with few deliveries at a time; each that succeeds allows one more, up to the limit that
is set; one that cannot be made, or an answer "too much", halves them, and "too much" lets the provider rest as well,
longer each time that it is said again.

Hosts that nobody reaches are a closed door: until it is knocked at again, whatever goes there shares the outcome of
the last try. Doors are told apart by the names of all hosts, so that one dead customer of a provider closes nobody
else's.

Times are monotonic seconds.
"""

from __future__ import annotations

__all__ = ["Door", "Doors", "Limits", "Provider", "Providers", "organisation_of"]

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from hongyan.queue.classification import BounceClass, classify
from hongyan.queue.outcome import Outcome, Result

_MOST_KNOWN: Final = 20_000
"""Destinations, and doors, that are remembered: those used last."""

_FIRST_REST: Final = 30.0
_LONGEST_REST: Final = 600.0
"""Seconds of rest after the first "too much", and at most; each one more doubles them."""

_BURST: Final = 10.0
"""Seconds of a rate that may be used at once."""

# Second-level words below which two-letter countries give out names: example.com.cn, example.ac.uk.
_SECOND_LEVEL: Final = {
    "ac",
    "co",
    "com",
    "edu",
    "go",
    "gob",
    "gov",
    "gv",
    "mil",
    "ne",
    "net",
    "nom",
    "or",
    "org",
    "sch",
}


def organisation_of(host: str) -> str:
    """Return the domain beneath which an organisation names its hosts, by the shape of the name alone.

    >>> organisation_of("mx3.qq.com"), organisation_of("mx.example.com.cn"), organisation_of("[192.0.2.1]")
    ('qq.com', 'example.com.cn', '[192.0.2.1]')
    """
    labels = host.rstrip(".").split(".")
    if host.startswith("[") or len(labels) < 3:
        return host
    is_below_country = len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if is_below_country else -2 :])


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a provider gets: deliveries at a time, at first and at most, and within a minute (0: any number)."""

    first: int
    most: int
    per_minute: int = 0


@dataclass(slots=True, eq=False)
class Provider:
    """What one provider takes."""

    name: str
    limits: Limits
    members: set[str] = field(default_factory=set)
    """Destinations whose mail it takes."""
    active: int = 0
    allowed: float = 0
    rests_until: float = 0
    strikes: int = 0
    _spare: float = 0
    _counted_at: float = 0

    def __post_init__(self) -> None:
        self.allowed = self.limits.first

    def room(self, now: float) -> int:
        """Return how many deliveries more may begin."""
        if now < self.rests_until:
            return 0
        room = max(int(self.allowed) - self.active, 0)
        return room if not self.limits.per_minute else min(room, int(self._tokens(now)))

    def may_go_on(self, now: float) -> bool:
        """Whether a task that has ended a delivery begins the next, which takes the place of the last."""
        within = now >= self.rests_until and self.active <= max(int(self.allowed), 1)
        return within and (not self.limits.per_minute or self._tokens(now) >= 1)

    def count(self, now: float) -> None:
        """A delivery begins."""
        if self.limits.per_minute:
            self._spare = self._tokens(now) - 1
            self._counted_at = now

    def next_change(self, now: float) -> float | None:
        """Return in how many seconds it takes more by itself; None if time alone changes nothing."""
        if now < self.rests_until:
            return self.rests_until - now
        if self.limits.per_minute and (tokens := self._tokens(now)) < 1:
            return (1 - tokens) * 60 / self.limits.per_minute
        return None

    def learn(self, outcomes: Collection[Outcome], now: float) -> None:
        """Take in how a delivery went."""
        if any(map(_is_too_much, outcomes)):
            self.strikes += 1
            self.allowed = max(self.allowed / 2, 1)
            self.rests_until = now + min(_FIRST_REST * 2 ** min(self.strikes - 1, 10), _LONGEST_REST)
        elif any(outcome.result is Result.DELIVERED for outcome in outcomes):
            self.allowed = min(self.allowed + (1 / self.allowed if self.strikes else 1), self.limits.most)
            self.strikes = max(self.strikes - 1, 0)
        elif outcomes and all(outcome.code is None for outcome in outcomes):
            self.allowed = max(self.allowed / 2, 1)

    def _tokens(self, now: float) -> float:
        rate = self.limits.per_minute / 60
        most = max(rate * _BURST, 1.0)
        if not self._counted_at:
            return most
        return min(self._spare + (now - self._counted_at) * rate, most)


def _is_too_much(outcome: Outcome) -> bool:
    if outcome.result is not Result.DEFERRED or outcome.code is None:
        return False
    return classify(outcome.code, outcome.status, outcome.text, outcome.stage) is BounceClass.RATE_LIMITED


class Providers:
    """All providers, and which destination is whose. A destination that is not known yet is its own provider."""

    def __init__(self, limits: Callable[[str], Limits]) -> None:
        """`limits` returns those of a provider, by its name or that of a destination."""
        self._limits = limits
        self._of: OrderedDict[str, Provider] = OrderedDict()
        self._named: dict[str, Provider] = {}
        self._stirred: dict[str, Provider] = {}  # those that may take nothing just now

    def of(self, destination: str) -> Provider:
        """Return who takes the mail of a destination, as far as it is known."""
        provider = self._of.get(destination)
        if provider is None:
            provider = self.learn_route(destination, destination)
        self._of.move_to_end(destination)
        self._stirred[provider.name] = provider
        return provider

    def learn_route(self, destination: str, name: str) -> Provider:
        """Note that a destination's mail goes to the provider of this name, and return it."""
        provider = self._named.get(name)
        if provider is None:
            provider = self._named[name] = Provider(name, self._limits(name))
        before = self._of.get(destination)
        if before is not provider:
            if before is not None:
                self._leave(before, destination)
            self._of[destination] = provider
            provider.members.add(destination)
            self._forget()
        self._stirred[name] = provider
        return provider

    def full(self, now: float) -> set[str]:
        """Return the destinations to which nothing may begin just now."""
        for name, provider in list(self._stirred.items()):
            if not provider.active and provider.next_change(now) is None:
                del self._stirred[name]
        busy = (provider for provider in self._stirred.values() if provider.room(now) == 0)
        return {member for provider in busy for member in provider.members}

    def next_change(self, now: float) -> float | None:
        """Return in how many seconds a provider takes more by itself."""
        changes = [provider.next_change(now) for provider in self._stirred.values()]
        return min((change for change in changes if change is not None), default=None)

    def _leave(self, provider: Provider, destination: str) -> None:
        provider.members.discard(destination)
        if not provider.members and not provider.active:
            self._named.pop(provider.name, None)

    def _forget(self) -> None:
        if len(self._of) > _MOST_KNOWN:
            destination, provider = self._of.popitem(last=False)
            self._leave(provider, destination)


@dataclass(frozen=True, slots=True)
class Door:
    """Hosts that could not be reached, and until when nobody knocks."""

    outcome: Outcome
    until: float
    failures: int


class Doors:
    """The doors that are closed, by the names of their hosts."""

    def __init__(self, pauses: tuple[float, ...]) -> None:
        """`pauses` are seconds after the first failure, the second …; the last one is repeated."""
        self._pauses = pauses
        self._doors: OrderedDict[str, Door] = OrderedDict()

    def find_closed(self, key: str, now: float) -> Door | None:
        door = self._doors.get(key)
        return door if door is not None and now < door.until else None

    def learn(self, key: str, why_unreachable: Outcome | None, now: float) -> None:
        """Take in how a try went: None is a door that opened."""
        known = self._doors.pop(key, None)
        if why_unreachable is None:
            return
        if known is not None and now < known.until:
            door = known  # One of several that knocked at the same time.
        else:
            failures = known.failures + 1 if known is not None else 1
            pause = self._pauses[min(failures, len(self._pauses)) - 1]
            door = Door(why_unreachable, now + pause, failures)
        self._doors[key] = door
        if len(self._doors) > _MOST_KNOWN:
            self._doors.popitem(last=False)
