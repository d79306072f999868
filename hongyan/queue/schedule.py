"""When to try again, when to say that it takes longer, when to give up. Pure.

The wall clock may jump: it is set, a machine wakes up, a battery was empty. Neither a jump forward
nor one back expires mail or stops deliveries:

* All times of the queue come from a `SteadyClock`. Within a run it goes with the monotonic clock and
  approaches a wall clock that jumped by a tenth of the time that passes, so that leases of several
  nodes stay comparable.
* A message is given up only after an attempt that failed past its expiry, and not before half of
  the attempts were made that its lifetime has room for. A clock that was wrong at the start, or a
  server that was off for a week, costs no message.
* `QueueStore.recover` lets no recipient wait longer than the longest pause (`Schedule.latest`).
"""

from __future__ import annotations

__all__ = ["Schedule", "SteadyClock"]

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hongyan.clock import Clock, Random
from hongyan.options import option
from hongyan.store.queue import QueuedMessage, QueuedRecipient
from hongyan.wire.smtp.parameters import Notify

_SLEW: Final = 0.1
_JITTER: Final = 0.1


class SteadyClock:
    """The wall clock without its jumps."""

    __slots__ = ("_clock", "_monotonic", "_timestamp")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._monotonic = clock.monotonic()
        self._timestamp = clock.timestamp()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        monotonic = self._clock.monotonic()
        elapsed = monotonic - self._monotonic
        steady = self._timestamp + elapsed
        most = elapsed * _SLEW
        self._monotonic = monotonic
        self._timestamp = steady + min(most, max(-most, self._clock.timestamp() - steady))
        return self._timestamp

    def monotonic(self) -> float:
        return self._clock.monotonic()


@dataclass(frozen=True, slots=True)
class Schedule:
    """The section `[schedule]`."""

    pauses: tuple[int, ...] = option(
        (5, 10, 20, 40, 60, 120, 240),
        "Pauses before the next attempts at a recipient that was deferred; the last one is repeated.",
        unit="minutes",
    )
    lifetime: int = option(120, "How long a message is tried before it goes back to its sender.", unit="hours")
    delay_notice: int = option(
        4, "After how long a sender is told, once, that a message is still waiting; 0: never.", unit="hours"
    )

    def __post_init__(self) -> None:
        if not self.pauses or any(pause < 1 for pause in self.pauses):
            raise ValueError("pauses are one minute or longer, and there is at least one")
        if self.lifetime < 1:
            raise ValueError("a message is tried for an hour at least")
        if self.delay_notice < 0:
            raise ValueError("a delay is not negative")

    def expires(self, queued_at: datetime) -> datetime:
        """Return when a message queued then has had its time (RFC 5321 §4.5.4.1: 4 to 5 days)."""
        return queued_at + timedelta(hours=self.lifetime)

    def next_attempt(self, attempts: int, now: datetime, random: Random) -> datetime:
        """Return when to try again after so many attempts, spread by a tenth."""
        return now + self._pause(attempts) * random.jitter(_JITTER)

    def latest(self, now: datetime) -> datetime:
        """Return the latest moment that `next_attempt` could give."""
        return now + timedelta(minutes=max(self.pauses)) * (1 + _JITTER)

    def is_exhausted(self, message: QueuedMessage, attempts: int, now: datetime) -> bool:
        """Whether a message that failed again, for the `attempts`th time, is given up."""
        return now >= message.expires and attempts >= self._attempts_within(message.expires - message.not_before) // 2

    def is_delay_notice_due(self, message: QueuedMessage, recipient: QueuedRecipient, now: datetime) -> bool:
        """Whether the sender is to be told that this recipient's message waits (RFC 3461 §4.1, §6.5)."""
        if self.delay_notice == 0 or recipient.delay_told or message.reverse_path is None:
            return False
        if recipient.notify is not None and Notify.DELAY not in recipient.notify:
            return False
        return now - message.not_before >= timedelta(hours=self.delay_notice)

    def _pause(self, attempts: int) -> timedelta:
        return timedelta(minutes=self.pauses[min(attempts, len(self.pauses)) - 1])

    def _attempts_within(self, lifetime: timedelta) -> int:
        attempts = 1
        for pause in self.pauses[:-1]:
            lifetime -= timedelta(minutes=pause)
            if lifetime < timedelta(0):
                return attempts
            attempts += 1
        return attempts + lifetime // timedelta(minutes=self.pauses[-1])
