"""How a message came to us: the hops that its Received fields claim, and how long each stage took here."""

from __future__ import annotations

__all__ = ["Passage"]

from dataclasses import dataclass
from datetime import UTC, datetime

from hongyan.message.hops import Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The way and the stages of one message that came in. Durations are seconds, on a clock that never jumps."""

    hops: tuple[Hop, ...]
    """As claimed, in the order of the way: the last one names who handed the message to us, and when that got it."""
    begun: int
    """When the client said MAIL, in seconds since 1970."""
    transfer: float
    """From MAIL to the end of data: what the client and the network took."""
    checks: float
    """From the end of data to the verdict."""
    storing: float
    """From the verdict until it lay on stable storage for everybody."""

    @property
    def begun_at(self) -> datetime:
        """When the client said MAIL."""
        return datetime.fromtimestamp(self.begun, UTC)

    @property
    def wait(self) -> int | None:
        """Seconds that it lay with the last server before us, by two clocks: below 0 if theirs is ahead of ours."""
        last = self.hops[-1].at if self.hops else None
        return None if last is None else self.begun - last
