"""The terms of a run: how much work, and on what mail. The same for every server."""

from __future__ import annotations

__all__ = ["Terms"]

from functools import cached_property

from bench.corpus import BigMailbox, Corpus


class Terms:
    """How much of everything."""

    def __init__(self, *, scale: float, big: int, idle: int, seed: int) -> None:
        self.scale = scale
        self.big = big  # messages in the big mailbox
        self.idle = idle  # connections that idle
        self.corpus = Corpus(seed)

    def count(self, whole: int, least: int = 1) -> int:
        """Return so many operations, scaled, but not fewer than `least`."""
        return max(least, round(whole * self.scale))

    @cached_property
    def mailbox(self) -> BigMailbox:
        """What a right server tells of the big mailbox."""
        return BigMailbox(self.corpus, self.big)
