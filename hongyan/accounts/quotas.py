"""What accounts may store: is there room, before a message is taken?

The database has the last word when a message is filed. Here the answer is kept in memory, so that a
recipient costs no query: for a short time when an account is nearly full, longer while there is plenty of room.
"""

from __future__ import annotations

__all__ = ["Quotas"]

from collections.abc import Sequence

from hongyan.accounts.cache import Cache
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock
from hongyan.errors import NotFound
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.store.mailboxes import MailboxStore, Quota
from hongyan.types import AccountId

_NEAR_LIMIT = 0.9
_FRESH_NEAR_LIMIT = 2.0  # seconds
_FRESH = 30.0  # seconds
_KEPT = 20_000  # accounts


class Quotas:
    """Knows which accounts are full."""

    def __init__(self, store: MailboxStore, audit: AuditLog, clock: Clock) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._full: Cache[AccountId, tuple[bool, float]] = Cache(_KEPT)

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None:
            self._full.clear()
            return
        for change in changes:
            if change.topic is DirectoryTopic.ACCOUNT and change.account is not None:
                self._full.drop(change.account)

    def find_full(self, account: AccountId) -> bool | None:
        """Whether the account is full; None when that has to be looked up."""
        known = self._full.find(account)
        if known is None or known[1] < self._clock.monotonic():
            return None
        return known[0]

    async def is_full(self, account: AccountId) -> bool:
        """Whether the account is full. One that is gone is."""
        known = self.find_full(account)
        if known is not None:
            return known
        generation = self._full.generation
        try:
            quota = await self._store.quota(account)
        except NotFound:
            return True
        share = _share(quota)
        full = share >= 1
        fresh = _FRESH if share < _NEAR_LIMIT else _FRESH_NEAR_LIMIT
        self._full.keep(account, (full, self._clock.monotonic() + fresh), generation)
        return full

    async def quota(self, account: AccountId) -> Quota:
        """Return what an account uses and may use. Raises `NotFound`."""
        return await self._store.quota(account)

    async def set_limits(self, account: AccountId, *, limit_octets: int, limit_messages: int, actor: Actor) -> None:
        """Set what an account may store; 0: as much as there is room for. Raises `NotFound`."""
        if limit_octets < 0 or limit_messages < 0:
            raise ValueError("a limit is not negative")
        await self._store.set_quota(account, limit_octets=limit_octets, limit_messages=limit_messages)
        self._full.drop(account)
        await self._audit.append(
            self._audit.entry(
                AuditEvent.QUOTA_CHANGED,
                actor,
                account=account,
                octets=str(limit_octets),
                messages=str(limit_messages),
            )
        )


def _share(quota: Quota) -> float:
    """Return how much of what is allowed is used: 1 is all of it."""
    shares = [
        used / limit
        for used, limit in (
            (quota.used_octets, quota.limit_octets),
            (quota.used_messages, quota.limit_messages),
        )
        if limit
    ]
    return max(shares, default=0.0)
