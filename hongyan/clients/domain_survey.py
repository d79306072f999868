"""Gathers what is known about a domain: asks our resolver, the zone's own name servers, and public resolvers.

The name servers of a zone say what is true now; the others say what the world still believes. Questions go out side by
side; a source that does not answer costs its time-out once, and the survey says so.
"""

from __future__ import annotations

__all__ = ["Blocklists", "DomainSurveyor", "PolicySource"]

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hongyan.addresses import Address
from hongyan.clients.dns_query import DnsOptions, NameServer
from hongyan.clients.resolver import DnsResolver, RecordResolver
from hongyan.clock import Clock
from hongyan.domains.dns_records import DomainFacts, Kind
from hongyan.domains.survey import DnsView, Exchanger, PolicyFetch, Question, Reverse, Seen, Survey, questions_for
from hongyan.mailauth.resolver import DnsFault, DnsNotFound, DnsTemporary, IPAddress
from hongyan.mailauth.spf import Inquiry, SpfResult, check_mail_from

_MAX_SERVERS = 6
"""Name servers of a zone that are asked."""
_MAX_EXCHANGERS = 20
_MAX_NAMES = 10
"""Names of an address that are followed."""
_AT_ONCE = 32
"""Questions of a kind that are under way at a time: a pool may have thousands of addresses."""
_SPF_TIME = 20.0  # seconds (RFC 7208 §4.6.4)
_ANY_TTL = 2**31 - 1  # as the zone has it, to be judged
_TIMEOUT = 3.0  # seconds for a name server that is not ours


class PolicySource(Protocol):
    """Fetches policies of MTA-STS as other servers do."""

    async def fetch(self, domain: str) -> PolicyFetch:
        """Return the policy of a domain, or why there is none to be had."""
        ...


class Blocklists(Protocol):
    """Asks the lists of addresses that send spam."""

    async def listings(self, address: IPAddress) -> Sequence[str]:
        """Return the lists that name an address."""
        ...


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    resolver: RecordResolver
    is_authoritative: bool = False


class DomainSurveyor:
    """Surveys domains. `port` and `private` are for the name servers of a zone: 53, and none on private addresses."""

    def __init__(
        self,
        own: RecordResolver,
        clock: Clock,
        *,
        public: Sequence[str] = (),
        policies: PolicySource | None = None,
        blocklists: Blocklists | None = None,
        port: int = 53,
        private: bool = False,
    ) -> None:
        self._own = own
        self._clock = clock
        self._public = [_Source(text, self._make(NameServer.parse(text))) for text in public]
        self._policies = policies
        self._blocklists = blocklists
        self._port = port
        self._private = private
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def survey(self, facts: DomainFacts) -> Survey:
        """Return all facts about a domain. Raises nothing: what nobody could say is in it as such."""
        view, reverse, exchangers, spf, policy, listings = await asyncio.gather(
            self.look(questions_for(facts)),
            asyncio.gather(*(self._look_back(address) for address in facts.sending_addresses)),
            self._find_exchangers(facts.domain.text),
            self._check_spf(facts),
            self._fetch_policy(facts),
            self._find_listings(facts.sending_addresses),
        )
        return Survey(view=view, reverse=reverse, exchangers=exchangers, spf=spf, policy=policy, listings=listings)

    async def look(self, questions: Sequence[Question]) -> DnsView:
        """Return what each source answers to each question."""
        zones = _Zones(self._own, self._make, port=self._port, private=self._private)
        seen = await asyncio.gather(*(self._look_at(question, zones) for question in questions))
        return DnsView(dict(zip(questions, seen, strict=True)))

    async def _look_at(self, question: Question, zones: _Zones) -> Sequence[Seen]:
        async with self._turns:
            servers = await zones.servers_of(question[0])
            sources = (_Source("own", self._own), *servers, *self._public)
            return await asyncio.gather(*(_ask(source, *question) for source in sources))

    def _make(self, server: NameServer) -> RecordResolver:
        options = DnsOptions(timeout=_TIMEOUT, rounds=1, cache_entries=0)
        return DnsResolver(options, self._clock, [server], max_ttl=_ANY_TTL)

    async def _look_back(self, address: IPAddress) -> Reverse:
        try:
            async with self._turns:
                names = (await self._own.ptr(address)).records
        except DnsNotFound:
            return Reverse(address, ())
        except DnsTemporary:
            return Reverse(address, None)
        forward = await asyncio.gather(*(self._addresses(name) for name in names[:_MAX_NAMES]))
        return Reverse(address, names, dict(zip(names[:_MAX_NAMES], forward, strict=True)))

    async def _addresses(self, name: str) -> tuple[IPAddress, ...] | None:
        try:
            return (await self._own.addresses(name)).records
        except DnsNotFound:
            return ()
        except DnsTemporary:
            return None

    async def _find_exchangers(self, domain: str) -> Sequence[Exchanger] | None:
        try:
            records = (await self._own.mx(domain)).records
        except DnsNotFound:
            return ()
        except DnsTemporary:
            return None
        ordered = sorted(records, key=lambda record: record.preference)[:_MAX_EXCHANGERS]
        return await asyncio.gather(*(self._find_exchanger(record.exchange, record.preference) for record in ordered))

    async def _find_exchanger(self, name: str, preference: int) -> Exchanger:
        if not name:
            return Exchanger("", preference)
        addresses, alias = await asyncio.gather(self._addresses(name), _ask(_Source("", self._own), name, Kind.CNAME))
        return Exchanger(name, preference, addresses, is_alias=bool(alias.values))

    async def _check_spf(self, facts: DomainFacts) -> Mapping[IPAddress, SpfResult]:
        sender = Address("postmaster", facts.domain)
        inquiry = Inquiry(
            resolver=self._own, clock=self._clock, deadline=self._clock.monotonic() + _SPF_TIME, explains=False
        )
        addresses = facts.sending_addresses
        results = await asyncio.gather(
            *(check_mail_from(address, sender, facts.hostname, inquiry) for address in addresses)
        )
        return dict(zip(addresses, results, strict=True))

    async def _fetch_policy(self, facts: DomainFacts) -> PolicyFetch | None:
        if facts.mta_sts is None or self._policies is None:
            return None
        return await self._policies.fetch(facts.domain.text)

    async def _find_listings(self, addresses: Sequence[IPAddress]) -> Mapping[IPAddress, Sequence[str]]:
        if self._blocklists is None:
            return {}
        found = await asyncio.gather(*(self._look_up(self._blocklists, address) for address in addresses))
        return {address: lists for address, lists in zip(addresses, found, strict=True) if lists}

    async def _look_up(self, blocklists: Blocklists, address: IPAddress) -> Sequence[str]:
        async with self._turns:
            return await blocklists.listings(address)


class _Zones:
    """The name servers of the zones that names lie in, each zone asked for once."""

    def __init__(self, own: RecordResolver, make: _Make, *, port: int, private: bool) -> None:
        self._own = own
        self._make = make
        self._port = port
        self._private = private
        self._found: dict[str, asyncio.Task[Sequence[_Source]]] = {}

    async def servers_of(self, name: str) -> Sequence[_Source]:
        """Return the name servers of the nearest zone above a name; none where nobody knows them."""
        labels = name.split(".")
        for start in range(len(labels) - 1):
            zone = ".".join(labels[start:])
            if zone not in self._found:
                self._found[zone] = asyncio.create_task(self._find(zone))
            servers = await self._found[zone]
            if servers:
                return servers
        return ()

    async def _find(self, zone: str) -> Sequence[_Source]:
        seen = await _ask(_Source("", self._own), zone, Kind.NS)
        names = sorted(value.lower().rstrip(".") for value in seen.values or ())[:_MAX_SERVERS]
        sources = await asyncio.gather(*map(self._find_source, names))
        return [source for source in sources if source is not None]

    async def _find_source(self, name: str) -> _Source | None:
        """Return a name server at its first address that we may ask: the zone's owner chooses it, and not its peers."""
        try:
            addresses = (await self._own.addresses(name)).records
        except DnsFault:
            return None
        allowed = [address for address in addresses if self._private or address.is_global]
        if not allowed:
            return None
        first = min(allowed, key=lambda address: address.version)
        return _Source(name, self._make(NameServer(str(first), self._port, trusted=False)), is_authoritative=True)


class _Make(Protocol):
    def __call__(self, server: NameServer) -> RecordResolver: ...


async def _ask(source: _Source, name: str, kind: Kind) -> Seen:
    try:
        answer = await source.resolver.records(name, kind)
    except DnsNotFound as absent:
        return Seen(source.name, (), dnssec=absent.dnssec, is_authoritative=source.is_authoritative)
    except DnsTemporary:
        return Seen(source.name, None, is_authoritative=source.is_authoritative)
    return Seen(source.name, answer.records, answer.ttl, answer.dnssec, source.is_authoritative)
