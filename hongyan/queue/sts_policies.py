"""The MTA-STS policies of other domains: found, fetched, kept and renewed (RFC 8461 §3.3, §5.1, §10.2).

A policy that is kept and has not run out counts, whatever the DNS or the policy's host say now: whoever is in the way
of both must not turn it off. It is fetched when the record's id is another than that of the policy kept, and when it
is about to run out; a failure is not repeated for five minutes, then ten, then longer. Those who ask about one domain
at the same time share one fetch, which waits for a minute at most.
"""

from __future__ import annotations

__all__ = ["FetchFault", "PolicyFetcher", "StsPolicies"]

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NoReturn, Protocol

from hongyan import telemetry
from hongyan.clock import Clock
from hongyan.errors import ServerFault
from hongyan.mailauth.mta_sts import StsFault, StsMode, StsPolicy, find_record, parse_policy, record_name
from hongyan.mailauth.resolver import DnsNotFound, DnsTemporary, Resolver
from hongyan.queue.tls_results import PolicyType, ResultType, TlsResult, TlsResults
from hongyan.store.transport import KeptPolicy, TransportStore

_LOOK: Final = 600.0
"""Seconds between looks at what is about to run out."""

_RENEW_BEFORE: Final = timedelta(days=1)
"""A policy is renewed so long before it runs out, or at half its life (RFC 8461 §10.2 has it done each day)."""

_IN_USE: Final = timedelta(days=30)
"""What mail has not asked for so long is not renewed."""

_BACK_OFF: Final = 300.0
_LONGEST_BACK_OFF: Final = 21_600.0
_MOST: Final = 10_000

_log = telemetry.logger("mta-sts")


class PolicyFetcher(Protocol):
    """Fetches policies."""

    async def fetch(self, domain: str) -> bytes:
        """Return the policy that a domain serves. Raises `FetchFault`."""
        ...


class FetchFault(StsFault):
    """The policy could not be had."""

    def __init__(self, failure: ResultType, cause: str) -> None:
        super().__init__(cause=cause)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a domain without asking again."""

    kept: KeptPolicy | None = None
    policy: StsPolicy | None = None
    failures: int = 0
    not_before: float = 0.0
    """When it may be fetched again, on the monotonic clock."""
    read_at: float = 0.0


class StsPolicies:
    """The policies, with a copy in memory. `queue.lookup.Policies`; `run` renews them."""

    def __init__(
        self, resolver: Resolver, fetcher: PolicyFetcher, store: TransportStore, clock: Clock, results: TlsResults
    ) -> None:
        self._resolver = resolver
        self._fetcher = fetcher
        self._store = store
        self._clock = clock
        self._results = results
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[_Known]] = {}

    async def find(self, domain: str) -> StsPolicy | None:
        """Return the policy that counts for a domain now, None if there is none. Raises `ServerFault`."""
        identity = await self._identity(domain)
        known = await self._read(domain)
        if identity is not None and self._is_due(known, identity):
            known = await self._share(domain, identity)
        return await self._use(domain, known)

    def drop(self, domain: str) -> None:
        """Read a domain again when it is asked for: somebody has changed what is kept."""
        self._known.pop(domain, None)

    async def run(self) -> NoReturn:
        """Renew what is about to run out, again and again, until cancelled."""
        while True:
            try:
                await self.renew()
            except ServerFault as fault:
                _log.warning("renewal-failed", error=fault)
            await asyncio.sleep(_LOOK)

    async def renew(self) -> int:
        """Renew the policies that are in use and about to run out; return how many were."""
        now = self._clock.now()
        renewed = 0
        for kept in await self._store.list_policies(expiring_before=now + _RENEW_BEFORE):
            life = kept.expires_at - kept.fetched_at
            is_due = kept.expires_at - now <= min(_RENEW_BEFORE, life / 2)
            if not is_due or kept.expires_at <= now or now - kept.used_at > _IN_USE:
                continue
            identity = await self._identity(kept.domain)
            known = await self._read(kept.domain)
            if identity is not None and self._clock.monotonic() >= known.not_before:
                renewed += (await self._share(kept.domain, identity)).failures == 0
        return renewed

    async def _identity(self, domain: str) -> str | None:
        """Return the id in the record of a domain; None if there is no good one, or if nobody can say."""
        try:
            answer = await self._resolver.txt(record_name(domain))
        except (DnsNotFound, DnsTemporary):
            return None
        return find_record(answer.records)

    def _is_due(self, known: _Known, identity: str) -> bool:
        if self._clock.monotonic() < known.not_before:
            return False
        kept = known.kept
        return kept is None or kept.identity != identity or kept.expires_at <= self._clock.now()

    async def _read(self, domain: str) -> _Known:
        """Return what is known; what was read a while ago is read again, for another process may have fetched."""
        known = self._known.get(domain)
        if known is not None and self._clock.monotonic() - known.read_at < _LOOK:
            return known
        kept = await self._store.find_policy(domain)
        now = self._clock.monotonic()
        fresh = replace(known or _Known(), kept=kept, policy=None if kept is None else _parse(kept), read_at=now)
        self._remember(domain, fresh)
        return fresh

    async def _share(self, domain: str, identity: str) -> _Known:
        """Fetch, or wait for who does."""
        task = self._under_way.get(domain)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(domain, identity), name=f"mta-sts {domain}")
            self._under_way[domain] = task
            task.add_done_callback(lambda _done: self._under_way.pop(domain, None))
        # A shield: who leaves does not take the policy from the others.
        return await asyncio.shield(task)

    async def _fetch(self, domain: str, identity: str) -> _Known:
        before = await self._read(domain)
        try:
            octets = await self._fetcher.fetch(domain)
            policy = _read_policy(octets)
        except FetchFault as fault:
            return self._failed(domain, before, fault)
        now = self._clock.now().replace(microsecond=0)
        kept = KeptPolicy(domain, identity, octets, now, now + timedelta(seconds=policy.max_age), now)
        await self._store.put_policy(kept)
        _log.info("policy-fetched", domain=domain, mode=policy.mode.value, hosts=len(policy.hosts), id=identity)
        known = _Known(kept, policy, read_at=self._clock.monotonic())
        self._remember(domain, known)
        return known

    def _failed(self, domain: str, before: _Known, fault: FetchFault) -> _Known:
        failures = before.failures + 1
        pause = min(_BACK_OFF * 2 ** (failures - 1), _LONGEST_BACK_OFF)
        _log.info("policy-not-fetched", domain=domain, cause=fault.cause, again_in=pause)
        result = TlsResult(
            at=self._clock.now(),
            domain=domain,
            policy_type=PolicyType.STS,
            failure=fault.failure,
            reason=fault.cause,
        )
        self._results.note(result)
        known = replace(before, failures=failures, not_before=self._clock.monotonic() + pause)
        self._remember(domain, known)
        return known

    async def _use(self, domain: str, known: _Known) -> StsPolicy | None:
        """Return the policy if it counts, and note that it is in use."""
        now = self._clock.now()
        kept = known.kept
        if kept is None or known.policy is None or kept.expires_at <= now:
            return None
        if now - kept.used_at >= timedelta(days=1):
            kept = replace(kept, used_at=_day(now))
            await self._store.put_policy(kept)
            self._remember(domain, replace(known, kept=kept))
        return None if known.policy.mode is StsMode.NONE else known.policy

    def _remember(self, domain: str, known: _Known) -> None:
        self._known[domain] = known
        self._known.move_to_end(domain)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _read_policy(octets: bytes) -> StsPolicy:
    try:
        return parse_policy(octets)
    except StsFault as fault:
        raise FetchFault(ResultType.STS_POLICY_INVALID, fault.cause) from None


def _parse(kept: KeptPolicy) -> StsPolicy | None:
    """Return the policy that was kept; none if an older version took for one what this one does not."""
    try:
        return parse_policy(kept.text)
    except StsFault:
        return None


def _day(at: datetime) -> datetime:
    return at.replace(microsecond=0)
