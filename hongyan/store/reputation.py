"""Port: what accounts remember of those who wrote to them, and what all accounts together remember of networks.

A subject is an address, a domain or a network. Addresses and domains are remembered only where SPF or DKIM vouched for
them: what anybody may claim says nothing. Numbers are capped, so that an old friend who turns bad is noticed in time.
"""

from __future__ import annotations

__all__ = ["MAX_NOTED", "History", "Kind", "ReputationStore", "Subject"]

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple, Protocol

from hongyan.types import AccountId

MAX_NOTED = 100
"""Good or bad messages that a subject is remembered by; one more of a kind takes one of the other away."""


class Kind(Enum):
    """What a subject is."""

    ADDRESS = "address"
    DOMAIN = "domain"
    NETWORK = "network"


class Subject(NamedTuple):
    """Of whom or what something is remembered: "ann@example.org", "example.org", "192.0.2.1"."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class History:
    """Good and bad messages: kept, read, answered; or moved to Junk."""

    good: int = 0
    bad: int = 0


class ReputationStore(Protocol):
    """Keeps histories."""

    async def find(self, account: AccountId, subjects: Collection[Subject]) -> Mapping[Subject, History]:
        """Return what an account remembers of those subjects of which it remembers anything."""
        ...

    async def note(self, account: AccountId, subjects: Collection[Subject], at: datetime, *, good: bool) -> None:
        """Note a message that was good or bad, of all these subjects.

        The first time that an account thinks so of a network counts for the network's name with all.
        """
        ...

    async def find_network(self, network: str) -> History:
        """Return how many accounts think well of a network, and how many ill."""
        ...

    async def expire(self, before: datetime) -> int:
        """Forget what nobody noted since then; return how much that was."""
        ...
