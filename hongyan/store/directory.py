"""The directory's change log: what front ends keep in memory of domains, addresses, accounts and credentials.

Whoever changes one of these adds an entry in the same unit of work. Every process reads the log from its
own position, at a hint or after two seconds, and forgets or ends what the entry names: so a revoked
credential is dead on every node within seconds, even if every hint is lost.

Numbers are given in commit order: a reader that has seen entry n will never meet a new one below n.
"""

from __future__ import annotations

__all__ = ["DirectoryChange", "DirectoryStore", "DirectoryTopic"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.types import AccountId, CredentialId


class DirectoryTopic(StrEnum):
    """What kind of thing changed."""

    DOMAIN = "domain"
    ADDRESS = "address"
    ACCOUNT = "account"
    CREDENTIAL = "credential"


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """One entry: something of this kind is not what it was.

    `credential` is one that was revoked; a credential that was added has none.
    """

    number: int
    topic: DirectoryTopic
    account: AccountId | None = None
    credential: CredentialId | None = None


class DirectoryStore(Protocol):
    """Reads the log. It is written by the stores of what it speaks of."""

    async def directory_position(self) -> int:
        """Return the number of the last entry, 0 if there was none."""
        ...

    async def directory_changes(self, after: int, *, limit: int = 1000) -> Sequence[DirectoryChange] | None:
        """Return entries after that number, oldest first; None when some of them were dropped already."""
        ...

    async def expire_directory_changes(self, before: datetime) -> int:
        """Drop entries older than that; return how many."""
        ...
