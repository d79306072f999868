"""Port: with whom an account exchanges mail.

Submission notes whom the account writes to; delivery notes, in the unit that files the message, who wrote to the
account. Screening asks whether a sender is known, submission whether a recipient is new.

Spellings of one address are one correspondent: case, U-labels and A-labels, and what follows a "+" do not tell two
apart (`correspondent_key`). Days with mail are counted, not messages: a flood of a day makes nobody familiar, and a
lively exchange costs one row a day. The numbers of those that were written to and of those that only wrote are bounded
separately, the longest silent are forgotten first: strangers cannot push out friends.
"""

from __future__ import annotations

__all__ = ["Correspondent", "CorrespondentStore", "Correspondents", "correspondent_key"]

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hongyan.addresses import Address
from hongyan.types import AccountId


def correspondent_key(address: Address) -> str:
    """Return what all spellings of a correspondent's address have in common: canonical, without a "+" detail.

    >>> correspondent_key(Address.parse("Ann+News@Example.COM"))
    'ann@example.com'
    """
    if "+" not in address.local_part:
        return address.canonical
    return address.subaddress_split("+")[0].canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """Somebody with whom an account has exchanged mail."""

    address: str
    """Its `correspondent_key`."""
    written: int = 0
    """Days on which the account wrote to it."""
    written_at: datetime | None = None
    """About when it last did: within a day."""
    heard: int = 0
    """Days on which it wrote to the account."""
    heard_at: datetime | None = None
    """About when it last did: within a day."""


class Correspondents(Protocol):
    """Knows the correspondents of accounts."""

    async def find_correspondents(
        self, account: AccountId, addresses: Collection[Address]
    ) -> Mapping[str, Correspondent]:
        """Return those of the addresses that are known to the account, by their `correspondent_key`."""
        ...

    async def count_senders(self, account: AccountId, domain: str, most: int) -> int:
        """Return how many addresses of a domain have written to the account; beyond `most` nobody counts."""
        ...


class CorrespondentStore(Correspondents, Protocol):
    """Keeps them. They are noted in the units of others: by `MessageStore.append`, and when a message is queued."""

    async def forget_oldest(self, keep: int) -> int:
        """Keep, for each account, so many that were written to and so many that were not; return how many went."""
        ...
