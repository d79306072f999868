"""Port: what an account answers while its owner is away, and whom it has answered."""

from __future__ import annotations

__all__ = ["Claim", "Vacation", "VacationStore"]

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.types import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacation:
    """What an account answers, and when (RFC 8621 §8). What is None is left to the server."""

    enabled: bool = False
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    enabled_at: datetime | None = None
    """When it was switched on last: what came before gets no answer, and who was answered before gets another."""
    version: int = 0
    """Counts changes; 0: nothing was ever set."""


class Claim(StrEnum):
    """Whether a sender may be answered now."""

    GRANTED = "granted"
    """Yes, and it is noted as done."""
    ANSWERED = "answered"
    """He has had an answer."""
    TOO_MANY = "too-many"
    """The account has answered as many as it may within a day."""


class VacationStore(Protocol):
    """Keeps vacations, each with its account."""

    async def find_vacation(self, account: AccountId) -> Vacation:
        """Return what an account answers; the empty one, which is off, where nothing was ever set."""
        ...

    async def put_vacation(self, account: AccountId, vacation: Vacation) -> Vacation | None:
        """Set it, if its version is the one that is stored; return it with its new one, None if it is not."""
        ...

    async def claim_answer(
        self, account: AccountId, sender: str, *, now: datetime, again_after: datetime, most_a_day: int
    ) -> Claim:
        """Note that a sender (in canonical form) is answered, unless he was after `again_after`. Granted once."""
        ...

    async def give_back(self, account: AccountId, sender: str) -> None:
        """Forget an answer that could not be sent."""
        ...

    async def expire_answers(self, before: datetime) -> int:
        """Forget answers that were given before; return how many."""
        ...
