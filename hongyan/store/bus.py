"""Hints between processes: "account 7 is at 4812". Never data.

Whoever hears a hint goes to the log, from its own cursor. So a hint may be lost, doubled, late or out of order, and
several about one thing may come as one, the highest: that costs time and never truth. Every reader also looks by
itself now and then.
"""

from __future__ import annotations

__all__ = ["Bus", "Subscription", "Take", "Topic"]

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol


class Topic(StrEnum):
    """What a hint is about, with its subject and its position."""

    ACCOUNT = "account"
    """An account's change log: AccountId, ModSeq."""

    DIRECTORY = "directory"
    """The log of domains, addresses, accounts and credentials: 0, number of the entry."""

    QUEUE = "queue"
    """Something in the queue is due at once: 0, 0."""


Take = Callable[[int, int], None]
"""Hears a hint: subject and position. It does not wait; what it raises is logged and stops nobody."""


class Subscription(Protocol):
    """Somebody who listens."""

    def cancel(self) -> None:
        """Listen no longer. A second time does nothing."""
        ...


class Bus(Protocol):
    """Carries hints to all processes, this one included. Used from the loop's thread."""

    def publish(self, topic: Topic, subject: int, position: int) -> None:
        """Say that a subject is at a position. Never waits and never fails; who listens hears it soon."""
        ...

    def subscribe(self, topic: Topic, take: Take) -> Subscription:
        """Have `take` called with each hint of a topic, from the loop."""
        ...
