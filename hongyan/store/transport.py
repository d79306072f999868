"""What is kept about the transport security of other domains: their MTA-STS policies, and how well TLS went before.

A domain is the text of `addresses.Domain`. Losing what is kept here opens a window for those who could not strike
before: it is durable like mail, but what is written is an observation that can be made again.
"""

from __future__ import annotations

__all__ = ["KeptLevel", "KeptPolicy", "TransportStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """An MTA-STS policy as it was fetched (RFC 8461 §3.3)."""

    domain: str
    identity: str
    """The id of the record that led to it."""
    text: bytes
    fetched_at: datetime
    expires_at: datetime
    used_at: datetime
    """When mail last asked for it, to the day: what nobody asks for is not fetched again."""


@dataclass(frozen=True, slots=True)
class KeptLevel:
    """How well connections for a domain were secured (`queue.tls_memory`). Levels are words of `TlsLevel`."""

    domain: str
    level: str
    """What is demanded from now on."""
    candidate: str
    """What was seen without a break since `candidate_since`, if it is more."""
    candidate_since: datetime
    seen_at: datetime
    """When `level` or more was last seen."""


class TransportStore(Protocol):
    """Keeps policies and levels."""

    async def find_policy(self, domain: str) -> KeptPolicy | None:
        """Return the policy of a domain, expired or not."""
        ...

    async def put_policy(self, policy: KeptPolicy) -> None:
        """Keep a policy in the place of any before it."""
        ...

    async def list_policies(
        self, *, expiring_before: datetime | None = None, limit: int = 1000
    ) -> Sequence[KeptPolicy]:
        """Return policies, those that expire first before others."""
        ...

    async def find_level(self, domain: str) -> KeptLevel | None:
        """Return what is remembered of a domain."""
        ...

    async def put_level(self, level: KeptLevel) -> None:
        """Remember it in the place of what was remembered."""
        ...

    async def list_levels(self, *, limit: int = 1000) -> Sequence[KeptLevel]:
        """Return what is remembered, by domain."""
        ...

    async def forget(self, domain: str) -> bool:
        """Remove level and policy of a domain; return whether there was any."""
        ...

    async def expire(self, *, policies_before: datetime, levels_before: datetime) -> int:
        """Remove policies that expired before one time and levels last seen before the other; return how many."""
        ...
