"""Port: to which URLs changes are pushed (RFC 8620 §7.2).

A subscription belongs to the login that made it: other logins of the account do not see it.
"""

from __future__ import annotations

__all__ = ["PushKeys", "PushSubscription", "PushSubscriptionStore"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hongyan.store.accounts import Service
from hongyan.types import AccountId, CredentialId


@dataclass(frozen=True, slots=True)
class PushKeys:
    """What a push is encrypted with: p256dh, 65 octets, and auth, 16 octets."""

    public_key: bytes = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSubscription:
    """A subscription as stored. `types` None: all types."""

    account: AccountId
    subscription_id: str
    credential: CredentialId
    service: Service
    """What the login was for; it ends with that."""
    device: str
    url: str = field(repr=False)
    keys: PushKeys | None
    code: str = field(repr=False)
    is_verified: bool = False
    expires_at: datetime | None
    """In whole seconds; None: with its login."""
    types: frozenset[str] | None
    told: str = ""
    """The states that were pushed last."""
    key_number: int
    """By which of our keys its push service knows us (RFC 8292 §4)."""

    def has_expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


class PushSubscriptionStore(Protocol):
    """Keeps subscriptions. Each method is one unit of work."""

    async def add_subscription(self, new: PushSubscription, now: datetime, *, most: int) -> None:
        """Store one; those of the account that have expired are removed.

        Raises `OverLimit` where there would be more than `most`, `NotFound` without the account.
        """
        ...

    async def find_subscription(self, account: AccountId, subscription_id: str) -> PushSubscription | None:
        """Return one."""
        ...

    async def list_subscriptions(self, account: AccountId, credential: CredentialId) -> Sequence[PushSubscription]:
        """Return those that a login made, by id."""
        ...

    async def list_all(self, *, verified: bool = False) -> Sequence[tuple[AccountId, str]]:
        """Return those of all accounts, or those that are verified."""
        ...

    async def change_subscription(self, changed: PushSubscription) -> bool:
        """Store expiry and types, verification for good, what was told if it was not verified; False: it is gone."""
        ...

    async def claim_push(self, account: AccountId, subscription_id: str, before: str, after: str) -> bool:
        """Note what is told now, if what was told last is still `before`: of several that would push, one does."""
        ...

    async def remove_subscription(self, account: AccountId, subscription_id: str) -> bool:
        """Remove one; return whether it was there."""
        ...

    async def expire_subscriptions(self, now: datetime) -> int:
        """Remove what has expired; return how many."""
        ...
