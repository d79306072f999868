"""Port: first contacts that were put off, and those that came back."""

from __future__ import annotations

__all__ = ["Contact", "GreylistStore", "Triplet"]

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


class Triplet(NamedTuple):
    """Where mail comes from (a network, or a domain that SPF vouches for), the sender's domain, and the recipient."""

    source: str
    sender: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Contact:
    """When a triplet was first seen, and since when it passes."""

    first_at: datetime
    passed_at: datetime | None


class GreylistStore(Protocol):
    """Keeps triplets."""

    async def meet(self, triplet: Triplet, now: datetime) -> Contact:
        """Return what is known of a triplet, which is seen now; a new one is first seen now."""
        ...

    async def pass_on(self, triplet: Triplet, now: datetime) -> None:
        """Note that a triplet passes from now on."""
        ...

    async def begin_anew(self, triplet: Triplet, now: datetime) -> None:
        """Note that a triplet that came back too late is first seen now."""
        ...

    async def expire_greylist(self, waiting: datetime, passed: datetime) -> int:
        """Forget triplets that wait and were not seen since `waiting`, and passed ones not seen since `passed`."""
        ...
