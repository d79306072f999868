"""Every login attempt, counted by kind: who, from where, how, with what result; how often, first and last.

Counting happens in memory, so that no login waits for it; what was counted is written about once a second, and
all of it before the server ends. Memory is bounded: when there are too many kinds at once, an attack from many
places, the details of further ones are left out, but none goes uncounted.
"""

from __future__ import annotations

__all__ = ["LoginLog"]

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from hongyan import telemetry
from hongyan.errors import ServerFault
from hongyan.store.audit import AuditStore, CredentialUse, KnownNetwork, LoginBatch, LoginFold, LoginKind
from hongyan.types import AccountId, CredentialId

log = telemetry.logger("audit")

_MAX_KINDS = 5000
_MAX_CLIENT = 64
_TOGETHER = 64  # accounts written at once


class _Pending:
    """What was counted for one account and is not yet written."""

    __slots__ = ("folds", "networks", "uses")

    def __init__(self) -> None:
        self.folds: dict[LoginKind, LoginFold] = {}
        self.uses: dict[CredentialId, CredentialUse] = {}
        self.networks: dict[str, KnownNetwork] = {}

    def add(self, fold: LoginFold) -> bool:
        """Count a fold in; return whether its kind is new here."""
        known = self.folds.get(fold.kind)
        if known is None:
            self.folds[fold.kind] = fold
            return True
        first, last = min(known.first_at, fold.first_at), max(known.last_at, fold.last_at)
        self.folds[fold.kind] = LoginFold(fold.kind, known.count + fold.count, first, last)
        return False


class LoginLog:
    """Counts attempts; `run` writes them, `close` writes the rest."""

    def __init__(self, store: AuditStore, *, interval: float = 1.0, max_kinds: int = _MAX_KINDS) -> None:
        self._store = store
        self._interval = interval
        self._max_kinds = max_kinds
        self._pending: dict[AccountId | None, _Pending] = {}
        self._kinds = 0
        self._takers: list[Callable[[AccountId, str], None]] = []
        self._crowded = asyncio.Event()

    @property
    def kinds(self) -> int:
        """How many kinds wait to be written."""
        return self._kinds

    def record(
        self, kind: LoginKind, at: datetime, *, credential: CredentialId | None = None, network: str = ""
    ) -> None:
        """Count one attempt; of a successful one, note the credential's use and the network."""
        if len(kind.client) > _MAX_CLIENT or not kind.client.isprintable():
            kind = replace(kind, client="".join(filter(str.isprintable, kind.client))[:_MAX_CLIENT])
        self._count(LoginFold(kind, 1, at, at))
        account = kind.account
        pending = self._pending.get(account)
        if account is None or pending is None:
            return
        if credential is not None:
            pending.uses[credential] = CredentialUse(credential, at, kind.address)
        if network:
            pending.networks[network] = KnownNetwork(account, network, at)
            for take in self._takers:
                take(account, kind.address)

    def listen(self, take: Callable[[AccountId, str], None]) -> None:
        """Tell of each successful login: the account, and the peer's address."""
        self._takers.append(take)

    async def run(self) -> None:
        """Write what was counted, again and again, until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._crowded.wait()
            if not await self.flush():
                await asyncio.sleep(self._interval)  # The disk is full or the database away: do not press it.

    async def flush(self) -> bool:
        """Write what was counted; what cannot be written is kept. Returns whether all could be."""
        pending, self._pending = self._pending, {}
        self._kinds = 0
        self._crowded.clear()
        try:
            for accounts in _batched(list(pending)):
                await asyncio.gather(*(self._write(account, pending) for account in accounts))
        finally:
            # What is left could not be written, or the writer was cancelled: that write may have been done all the
            # same, but twice counted is better than lost.
            self._take_back(pending)
        return not pending

    async def close(self) -> None:
        """Write what is left. Call it when nobody can log in any more."""
        if not await self.flush():
            attempts = sum(fold.count for pending in self._pending.values() for fold in pending.folds.values())
            log.error("logins-lost", attempts=attempts)

    async def _write(self, account: AccountId | None, pending: dict[AccountId | None, _Pending]) -> None:
        """Write what was counted for one account and take it out of what is pending."""
        counted = pending[account]
        batch = LoginBatch(
            account, list(counted.folds.values()), list(counted.uses.values()), list(counted.networks.values())
        )
        try:
            await self._store.record_logins(batch)
        except ServerFault as fault:
            log.warning("logins-unwritten", kinds=len(batch.folds), cause=fault.cause)
        else:
            del pending[account]

    def _take_back(self, pending: Mapping[AccountId | None, _Pending]) -> None:
        for account, counted in pending.items():
            for fold in counted.folds.values():
                self._count(fold)
            kept = self._pending.get(account)
            if kept is not None:
                kept.uses = {**counted.uses, **kept.uses}
                kept.networks = {**counted.networks, **kept.networks}

    def _count(self, fold: LoginFold) -> None:
        pending = self._pending.get(fold.kind.account)
        if pending is None or fold.kind not in pending.folds:
            fold = self._coarsen(fold)
            pending = self._pending.setdefault(fold.kind.account, _Pending())
        self._kinds += pending.add(fold)
        if self._kinds >= self._max_kinds // 2:
            self._crowded.set()

    def _coarsen(self, fold: LoginFold) -> LoginFold:
        """Leave out the details of a new kind when there are many kinds, and in the end its account too."""
        if self._kinds < self._max_kinds:
            return fold
        kind = fold.kind
        account = kind.account if self._kinds < 2 * self._max_kinds else None
        coarse = LoginKind(account, "", kind.service, "", kind.tls, kind.result, "", "")
        return replace(fold, kind=coarse)


def _batched(accounts: Sequence[AccountId | None]) -> Iterator[Sequence[AccountId | None]]:
    for at in range(0, len(accounts), _TOGETHER):
        yield accounts[at : at + _TOGETHER]
