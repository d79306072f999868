"""When a certificate is ordered, and for which names: decided from facts, without I/O.

A certificate is renewed at a moment within the window that its authority suggests (RFC 9773 §4.2), or, where it
suggests none, when two thirds of its life are over; the moment is drawn once for each certificate, so that a crowd of
servers does not come at once. A name that fails waits by itself, twice as long each time, and the others go on
without it.

No state of the clock makes an order follow another at once: a certificate that was issued a moment ago is left alone
even if it seems to be over, and a wait that ends further away than any can last is not believed.
"""

from __future__ import annotations

__all__ = ["Failure", "Held", "Plan", "moment_of_renewal", "note_failure", "plan_order"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hongyan.domains.authority import RenewalWindow

_SHARE_OF_LIFE: Final = 2 / 3
_SPREAD: Final = 1 / 30
"""The share of its life over which the moments of renewal are spread."""

_FIRST_WAIT: Final = timedelta(minutes=15)
_LONGEST_WAIT: Final = timedelta(days=1)
_LONGEST_ASKED: Final = timedelta(days=8)
"""The longest wait that an authority's Retry-After is granted: its longest limits last a week."""

_REST: Final = timedelta(hours=12)
"""After an order that succeeded, unless the names have changed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How often in a row something failed, when last and why, and when it may be tried again."""

    count: int
    at: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate that we have. `share` in [0, 1) draws its moment of renewal."""

    names: frozenset[str]
    begins: datetime
    ends: datetime
    issued: datetime
    share: float
    window: RenewalWindow | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done now: order a certificate for `names`, or for none, nothing. `why` is for the log."""

    names: tuple[str, ...] = ()
    why: str = ""
    waiting: Mapping[str, Failure] = field(default_factory=dict)


def plan_order(
    wanted: Sequence[str],
    held: Held | None,
    failures: Mapping[str, Failure],
    now: datetime,
    *,
    force: bool = False,
) -> Plan:
    """Decide. `failures` are by name; that under the empty name is of the authority as a whole. With
    `force` a certificate is ordered that is not due."""
    waiting = {name: failure for name, failure in failures.items() if _holds(failure, now)}
    names = tuple(name for name in wanted if name not in waiting)
    if not names or "" in waiting:
        return Plan(waiting=waiting)
    if held is None:
        return Plan(names, "first", waiting)
    missing = [name for name in names if name not in held.names]
    if force:
        return Plan(names, "asked", waiting)
    if missing:
        return Plan(names, f"new: {' '.join(missing)}", waiting)
    rested = not timedelta() <= now - held.issued < _REST
    if rested and now >= moment_of_renewal(held):
        return Plan(names, "due", waiting)
    return Plan(waiting=waiting)


def moment_of_renewal(held: Held) -> datetime:
    """Return when a certificate is renewed."""
    if held.window is not None and held.window.start < held.window.end:
        return held.window.start + (held.window.end - held.window.start) * held.share
    life = held.ends - held.begins
    return held.begins + life * (_SHARE_OF_LIFE - _SPREAD * held.share)


def note_failure(
    former: Failure | None, now: datetime, reason: str, jitter: float, after: timedelta | None = None
) -> Failure:
    """Return what is remembered of one more failure; `after` is how long the authority asks to be left alone."""
    count = former.count + 1 if former is not None else 1
    wait = min(_FIRST_WAIT * 2 ** min(count - 1, 16), _LONGEST_WAIT) * jitter
    if after is not None:
        wait = max(wait, min(after, _LONGEST_ASKED))
    return Failure(count, now, now + wait, reason)


def _holds(failure: Failure, now: datetime) -> bool:
    """Whether a failure is to be waited for. Whoever noted it may have had another clock."""
    return now < failure.until <= now + _LONGEST_ASKED + _LONGEST_WAIT and failure.at <= now + _LONGEST_WAIT
