"""The keys that messages are sorted and threaded by, for those that came before there were any."""

from __future__ import annotations

__all__ = ["OrderingStore"]

from collections.abc import Sequence
from typing import Protocol

from hongyan.types import AccountId


class OrderingStore(Protocol):
    """Gives their keys to emails that wait for them. Each method is one unit of work of one account at most."""

    async def accounts_that_wait(self) -> Sequence[AccountId]:
        """Return the accounts that have an email without keys."""
        ...

    async def fill(self, account: AccountId, limit: int) -> int:
        """Give their keys to up to `limit` emails of the account, the oldest first; return to how many."""
        ...
