"""The trail of acts: entries are made here, stored with the acts themselves, read and dropped here."""

from __future__ import annotations

__all__ = ["AuditLog", "AuditOptions"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hongyan.audit.events import Actor, AuditEvent
from hongyan.clock import Clock, Random
from hongyan.options import option
from hongyan.store.audit import AuditEntry, AuditStore
from hongyan.types import AccountId

_CHANCE = 1 << 20
_MAX_DETAIL = 2000  # characters of one value


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How long the trail is kept."""

    keep_acts: int = option(400, "How long acts of admins and owners are kept.", unit="days")
    keep_logins: int = option(90, "How long login attempts and known networks are kept.", unit="days")
    logins_per_account: int = option(1000, "Kinds of login attempt that are kept for one account, the newest.")

    def __post_init__(self) -> None:
        if min(self.keep_acts, self.keep_logins, self.logins_per_account) < 1:
            raise ValueError("the trail is kept for a day at least, with one kind of login at least")


class AuditLog:
    """Makes entries whose ids grow with time, and reads the trail."""

    def __init__(self, store: AuditStore, clock: Clock, random: Random, options: AuditOptions) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._options = options
        self._last_id = 0

    def entry(self, event: AuditEvent, actor: Actor, *, account: AccountId | None = None, **detail: str) -> AuditEntry:
        """Return an entry for the unit of work that carries the act out. No secret belongs into the detail."""
        now = self._clock.now()
        # Milliseconds, then chance, so that two processes do not meet; never less than the one before.
        fresh = int(now.timestamp() * 1000) * _CHANCE + self._random.below(_CHANCE)
        self._last_id = max(fresh, self._last_id + 1)
        shown: Mapping[str, str] = {key: value[:_MAX_DETAIL] for key, value in detail.items()}
        return AuditEntry(self._last_id, now, event.value, account, actor.name, actor.peer, shown)

    async def append(self, *entries: AuditEntry) -> None:
        """Store acts that have no unit of work of their own."""
        await self._store.append_audit(entries)

    async def query(
        self,
        *,
        account: AccountId | None = None,
        event_prefix: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        """Return acts, the newest first; see `AuditStore.list_audit`."""
        return await self._store.list_audit(account=account, event_prefix=event_prefix, before=before, limit=limit)

    async def expire(self) -> int:
        """Drop what is older than it is kept; return how many entries."""
        now = self._clock.now()
        dropped = await self._store.expire_audit(now - timedelta(days=self._options.keep_acts))
        dropped += await self._store.expire_logins(
            now - timedelta(days=self._options.keep_logins), keep=self._options.logins_per_account
        )
        return dropped
