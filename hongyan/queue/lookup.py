"""The facts that a route is decided from: asks the DNS, decides nothing but the order of hosts.

A domain's exchanges come in the order in which they will be tried, so that only the addresses of
hosts that may be needed are asked for, all at the same time.
"""

from __future__ import annotations

__all__ = ["LocalDomains", "Policies", "RememberedLevels", "Router"]

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_address
from typing import Final, Protocol

from hongyan.addresses import Domain
from hongyan.clock import Random
from hongyan.mailauth.mta_sts import StsPolicy
from hongyan.mailauth.resolver import DnsNotFound, Dnssec, DnsTemporary, IPAddress, MxRecord
from hongyan.queue.causes import Cause
from hongyan.queue.route import (
    ExchangeFacts,
    LocalRoute,
    LookupResult,
    MailFacts,
    Route,
    RouteOptions,
    SmartHost,
    Unroutable,
    order_exchanges,
    route_by_mx,
    route_to_smart_host,
)
from hongyan.queue.security import NO_TLSA, TlsLevel
from hongyan.queue.tlsa import AliasResolver, find_tlsa

_MAX_LOOKUPS: Final = 10
"""Exchanges of a domain whose addresses are asked for."""


class LocalDomains(Protocol):
    """Which domains are ours."""

    async def is_local(self, domain: str) -> bool:
        """Whether mail for the domain goes into our own mailboxes."""
        ...


class Policies(Protocol):
    """Knows the MTA-STS policies of domains."""

    async def find(self, domain: str) -> StsPolicy | None:
        """Return the policy that a domain has, by what can be known now. Raises `ServerFault` only."""
        ...


class RememberedLevels(Protocol):
    """Knows how well connections to domains were secured."""

    async def level(self, domain: str) -> TlsLevel:
        """Return what is remembered of a domain, PLAIN where nothing is. Raises `ServerFault` only."""
        ...


class Router:
    """Finds the route for a destination: ours, the smart host, or by MX."""

    def __init__(
        self,
        resolver: AliasResolver,
        local_domains: LocalDomains,
        random: Random,
        options: RouteOptions,
        *,
        smart_host: SmartHost | None = None,
        own_names: Iterable[str] = (),
        own_addresses: Iterable[IPAddress] = (),
        policies: Policies | None = None,
        levels: RememberedLevels | None = None,
        obeys_dane: bool = True,
    ) -> None:
        """Mail is not sent on to `own_names` (host names in lower case) and `own_addresses`: it would come back.

        The addresses that the DNS knows for our names are ours too: behind a NAT no other way tells them.
        """
        self._resolver = resolver
        self._local_domains = local_domains
        self._random = random
        self._options = options
        self._smart_host = smart_host
        self._own_names = frozenset(own_names)
        self._own_addresses = frozenset(own_addresses)
        self._policies = policies
        self._levels = levels
        self._obeys_dane = obeys_dane

    async def is_local(self, destination: str) -> bool:
        return await self._local_domains.is_local(destination)

    async def route(self, destination: str) -> Route:
        """Return the route for a destination (`Domain.text`)."""
        if await self.is_local(destination):
            return LocalRoute()
        if self._options.hold:
            return Unroutable(Cause.HELD_HERE)
        if self._smart_host is not None:
            addresses = await self._relay_addresses(self._smart_host.host)
            return route_to_smart_host(self._smart_host, addresses, self._options, self._random)
        domain = Domain(destination)
        facts, own_addresses, sts, remembered = await asyncio.gather(
            self.mail_facts(domain), self._find_own_addresses(), self._find_policy(domain), self._find_level(domain)
        )
        facts = replace(facts, sts=sts, remembered=remembered)
        return route_by_mx(facts, self._options, self._random, own_addresses)

    async def mail_facts(self, domain: Domain) -> MailFacts:
        """Return what DNS says about a domain's mail (RFC 5321 §5.1)."""
        if domain.address is not None:
            literal = ExchangeFacts(domain.text, 0, LookupResult.FOUND, (domain.address,))
            return MailFacts(domain.text, LookupResult.NO_DATA, (literal,))
        try:
            answer = await self._resolver.mx(domain.text)
        except DnsNotFound as absent:
            if not absent.domain_exists:
                return MailFacts(domain.text, LookupResult.NO_DOMAIN)
            if domain.text in self._own_names:
                return MailFacts(domain.text, LookupResult.NO_DATA, is_cut=True)
            is_secure = absent.dnssec is Dnssec.SECURE
            implicit = await self._host_facts(domain.text, preference=0, is_secure=is_secure)
            return MailFacts(domain.text, LookupResult.NO_DATA, (implicit,), is_secure=is_secure)
        except DnsTemporary:
            return MailFacts(domain.text, LookupResult.TEMPORARY)
        named = [record for record in answer.records if record.exchange]
        if not named:
            return MailFacts(domain.text, LookupResult.FOUND, is_null_mx=True)
        ordered, is_cut = order_exchanges(named, self._own_names, self._random)
        is_secure = answer.dnssec is Dnssec.SECURE
        exchanges = await self._all_host_facts(ordered[:_MAX_LOOKUPS], is_secure=is_secure)
        return MailFacts(domain.text, LookupResult.FOUND, exchanges, is_cut=is_cut, is_secure=is_secure)

    async def _find_policy(self, domain: Domain) -> StsPolicy | None:
        if self._policies is None or domain.is_literal:
            return None
        return await self._policies.find(domain.text)

    async def _find_level(self, domain: Domain) -> TlsLevel:
        return TlsLevel.PLAIN if self._levels is None else await self._levels.level(domain.text)

    async def _find_own_addresses(self) -> frozenset[IPAddress]:
        lookups = await asyncio.gather(*(self._host_facts(name, preference=0) for name in self._own_names))
        return self._own_addresses.union(*(facts.addresses for facts in lookups))

    async def _all_host_facts(self, records: tuple[MxRecord, ...], *, is_secure: bool) -> tuple[ExchangeFacts, ...]:
        async with asyncio.TaskGroup() as tasks:
            lookups = [
                tasks.create_task(self._host_facts(record.exchange, record.preference, is_secure=is_secure))
                for record in records
            ]
        return tuple(lookup.result() for lookup in lookups)

    async def _host_facts(self, host: str, preference: int, *, is_secure: bool = False) -> ExchangeFacts:
        """Return what is known of a host; `is_secure`: DNSSEC vouches for its name (RFC 7672 §2.2.1)."""
        try:
            answer = await self._resolver.addresses(host)
        except DnsNotFound as absent:
            result = LookupResult.NO_DATA if absent.domain_exists else LookupResult.NO_DOMAIN
            return ExchangeFacts(host, preference, result)
        except DnsTemporary:
            return ExchangeFacts(host, preference, LookupResult.TEMPORARY)
        tlsa = await find_tlsa(self._resolver, host, answer) if is_secure and self._obeys_dane else NO_TLSA
        return ExchangeFacts(host, preference, LookupResult.FOUND, answer.records, tlsa)

    async def _relay_addresses(self, host: str) -> tuple[IPAddress, ...]:
        try:
            return (ip_address(host),)
        except ValueError:
            return (await self._host_facts(host, preference=0)).addresses
