"""Port: addresses elsewhere that bounce, by account, and those that are suppressed for it."""

from __future__ import annotations

__all__ = ["HardBounce", "Suppression", "SuppressionRule", "SuppressionStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hongyan.addresses import Address
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True)
class SuppressionRule:
    """So many hard bounces, each within so long after the last, suppress an address for so long."""

    bounces: int
    within: timedelta
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class HardBounce:
    """An address bounced for good. `account` None: counted for the whole server."""

    account: AccountId | None
    address: Address
    at: datetime
    status: str
    text: str
    rule: SuppressionRule


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that is suppressed, for an account or, with None, for all."""

    account: AccountId | None
    address: Address
    bounces: int
    since: datetime
    until: datetime
    status: str
    text: str
    """What the last bounce said."""


class SuppressionStore(Protocol):
    """What bounces, kept."""

    async def note(self, bounces: Sequence[HardBounce]) -> int:
        """Count bounces; return how many addresses are newly suppressed."""
        ...

    async def list_suppressed(self, now: datetime, *, limit: int) -> Sequence[Suppression]:
        """Return what is suppressed at `now`, the newest first."""
        ...

    async def remove(self, address: Address, account: AccountId | None, *, everywhere: bool) -> int:
        """Forget an address: of one account or of the server, or of all; return how many entries."""
        ...

    async def forget(self, now: datetime) -> int:
        """Remove what ended before `now`; return how many entries."""
        ...
