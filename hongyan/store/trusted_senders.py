"""Port: senders whose remote pictures an account wants to see, by canonical address."""

from __future__ import annotations

__all__ = ["MAX_TRUSTED", "TrustedSender", "TrustedSenderStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from hongyan.addresses import Address
from hongyan.types import AccountId

MAX_TRUSTED: Final = 1000
"""Senders that one account trusts."""


@dataclass(frozen=True, slots=True)
class TrustedSender:
    """An address, and since when it is trusted."""

    address: Address
    since: datetime


class TrustedSenderStore(Protocol):
    """Keeps whom accounts trust."""

    async def trust(self, account: AccountId, address: Address, at: datetime) -> None:
        """Trust a sender; one that is trusted already stays so. Raises `OverLimit` beyond `MAX_TRUSTED`."""
        ...

    async def untrust(self, account: AccountId, address: Address) -> bool:
        """Trust a sender no longer; return whether it was trusted."""
        ...

    async def list_trusted(self, account: AccountId) -> Sequence[TrustedSender]:
        """Return whom an account trusts, by address."""
        ...

    async def is_trusted(self, account: AccountId, address: Address) -> bool:
        """Whether an account trusts a sender."""
        ...
