"""Port: the bans that several processes know of."""

from __future__ import annotations

__all__ = ["Ban", "BanStore"]

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ban:
    """A network that is refused: for every login, or for logins with one name.

    `rule` names the limit, `why` says it in words, `refused` counts the tries that met the ban.
    """

    network: str
    name: str
    rule: str
    why: str
    since: datetime
    until: datetime
    refused: int


class BanStore(Protocol):
    """Keeps bans, one for each network and name."""

    async def put_bans(self, bans: Sequence[Ban]) -> None:
        """Keep these; of two for one network and name the one that lasts longer stays."""
        ...

    async def remove_bans(self, networks: Collection[str]) -> None:
        """Remove all bans of these networks."""
        ...

    async def bans_in_force(self, now: datetime, *, limit: int) -> Sequence[Ban]:
        """Return the bans that are not over, those that end last first."""
        ...

    async def expire_bans(self, now: datetime) -> int:
        """Remove those that are over; return how many."""
        ...
