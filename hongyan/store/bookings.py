"""What a message that leaves counts for: `store.queue` stores it with the message, `store.sending` adds it up."""

from __future__ import annotations

__all__ = ["Booking"]

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from hongyan.addresses import Address
from hongyan.types import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What a message that is let through counts for."""

    account: AccountId
    recipients: Collection[Address]
    messages: int
    first_time: int
    body: bytes
    at: datetime
