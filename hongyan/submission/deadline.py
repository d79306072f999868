"""One time for all that is asked about a message before it is taken: who may write so, what checks find, how much.

The client waits meanwhile, and what it waits for may be away: a scanner, a database, somebody else's message of the
same account. When the time is over nothing was queued and nothing counted; the message comes again. Only questions end
so: what is begun with their answers, such as putting an account on hold, is done to its end.
"""

from __future__ import annotations

__all__ = ["Asked", "Deadline", "OutOfTime"]

from collections.abc import Coroutine
from enum import Enum
from typing import Any, TypeVar

from hongyan.clock import Clock
from hongyan.eager import begin_until
from hongyan.errors import ServerFault

T = TypeVar("T")


class Asked(Enum):
    """What is waited for, as the metric names it. Checks are given `Deadline.left`: each says what being late means."""

    SENDER = "sender"
    ALLOWANCE = "allowance"


class OutOfTime(ServerFault):
    """There was no answer in time."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(cause=f"no answer in time: {asked.value}")
        self.asked = asked


class Deadline:
    """Runs from when it is made."""

    __slots__ = ("_clock", "_ends")

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._ends = clock.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, 0 at least."""
        return max(self._ends - self._clock.monotonic(), 0.0)

    async def ask(self, asked: Asked, question: Coroutine[Any, Any, T]) -> T:
        """Return the answer to a question, which is cancelled when the time is over. Raises `OutOfTime`."""
        try:
            return await begin_until(question, self.left)
        except TimeoutError:
            raise OutOfTime(asked) from None
