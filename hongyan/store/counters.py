"""Sliding windows: at most so many within such a time, to the second.

A window remembers when each of its slots was taken. A slot frees when it is as old as the window is long, not at a
full hour: nobody gets twice the limit around a border. A refused act takes no slot. A slot may be given back, so
that it is taken before the act that it stands for is known to count, and a crowd of acts at once does not slip
through.

Windows are forgotten when they are empty, and when there are too many of them, the longest untouched first. When
they cannot be reached, `Unavailable` is raised, and whoever asked decides whether that lets pass or refuses.
"""

from __future__ import annotations

__all__ = ["Counters"]

from typing import Protocol


class Counters(Protocol):
    """Keeps windows by key: the rule's name and its subject, as in "submissions 7"."""

    async def take(self, key: str, limit: int, period: float, amount: int = 1) -> float:
        """Take slots and return 0; when they do not fit into `limit` within `period` seconds take none, and
        return how long until they do (the whole period if they never will)."""
        ...

    async def give_back(self, key: str, amount: int = 1) -> None:
        """Free the slots that were taken last."""
        ...

    async def count(self, key: str, period: float) -> int:
        """Return how many slots were taken within `period` seconds."""
        ...

    async def forget(self, prefix: str) -> None:
        """Free all slots of the windows whose key begins so."""
        ...
