"""Port: how addresses that warm up were used."""

from __future__ import annotations

__all__ = ["AddressUse", "SendingAddressStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AddressUse:
    """An IP address: the day it began, the last day it sent (both since 1970), and how much on that one."""

    address: str
    began: int
    day: int
    sent: int


class SendingAddressStore(Protocol):
    """The use of addresses, kept."""

    async def read(self) -> Sequence[AddressUse]:
        """Return all addresses that ever sent."""
        ...

    async def put(self, uses: Sequence[AddressUse]) -> None:
        """Store how addresses were used, in the place of what was known."""
        ...
