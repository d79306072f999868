"""Domains: served or not, the DNS records that each wants, and those that it has."""

from __future__ import annotations

__all__ = ["domain_operations"]

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509

from hongyan.addresses import Domain
from hongyan.assembly.services import Services
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.resolver import DnsResolver
from hongyan.clock import Clock
from hongyan.config import SERVICES, Config
from hongyan.configuration.fingerprint import fingerprint
from hongyan.domains.dkim_keys import DkimRecord, list_selectors, load_key, make_missing_keys, public_record
from hongyan.domains.dns_check import Checked, Found, check_record
from hongyan.domains.dns_records import DomainFacts, Record, wanted_records
from hongyan.domains.mta_sts_policy import make_policy
from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.mailauth.resolver import DnsNotFound, DnsTemporary, IPAddress
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.store.domains import DomainSettings


def domain_operations(services: Services, config: Config, clock: Clock) -> Mapping[str, Operation]:
    """Return the operations on domains, by name."""
    group = _Domains(services, config, clock)
    return {
        "domain.add": group.add,
        "domain.list": group.list_domains,
        "domain.remove": group.remove,
        "domain.dns": group.dns,
        "domain.check": group.check,
    }


class _Domains:
    def __init__(self, services: Services, config: Config, clock: Clock) -> None:
        self._directory = services.directory
        self._resolver = services.outgoing.resolver
        self._config = config
        self._clock = clock

    async def add(self, caller: Caller, *, domain: str, dry_run: bool = False) -> Document:
        """Serve a domain; its DKIM keys are made, and its DNS records returned."""
        name = Domain.parse(domain)
        if name.is_literal:
            raise Refused("An address is no domain to serve.")
        if self._directory.domains.is_local(name):
            raise AlreadyExists("That domain is served already.")
        if dry_run:
            return {"domain": name.text, "dry_run": True}
        folder = self._directory.signing_keys.folder
        await asyncio.to_thread(make_missing_keys, folder, name, self._clock.now())
        await self._directory.domains.add(name, caller.actor)
        return {"domain": name.text, "records": await self._records(name)}

    async def list_domains(self, caller: Caller) -> Document:  # noqa: ARG002 - anybody who may call may read
        """Return all domains."""
        return {"domains": [_shown(settings) for settings in self._directory.domains.list_domains()]}

    async def remove(self, caller: Caller, *, domain: str, dry_run: bool = False) -> Document:
        """Serve a domain no longer. Its DKIM keys stay where they are: what they signed is still on its way."""
        name = self._require(domain)
        if dry_run:
            await self._require_empty(name)
            return {"domain": name.text, "dry_run": True}
        await self._directory.domains.remove(name, caller.actor)
        return {"domain": name.text}

    async def dns(self, caller: Caller, *, domain: str) -> Document:  # noqa: ARG002
        """Return the DNS records that a domain should have, and from which configuration they were made when."""
        name = self._require(domain)
        made = {"at": self._clock.now().isoformat(timespec="seconds"), "configuration": fingerprint(self._config)}
        return {"domain": name.text, "made": made, "records": await self._records(name)}

    async def check(self, caller: Caller, *, domain: str) -> Document:
        """Compare the records that a domain should have with those that it has."""
        name = self._require(domain)
        wanted = wanted_records(await self._facts(name))
        checked: list[Checked] = []
        for done, record in enumerate(wanted, 1):
            checked.append(check_record(record, await _look_up(self._resolver, record)))
            caller.tell(done, len(wanted))
        return {
            "domain": name.text,
            "trouble": any(result.is_trouble for result in checked),
            "records": [_checked(result) for result in checked],
        }

    def _require(self, domain: str) -> Domain:
        name = Domain.parse(domain)
        if not self._directory.domains.is_local(name):
            raise NotFound("That domain is not served here.")
        return name

    async def _require_empty(self, name: Domain) -> None:
        if await self._directory.accounts.list_accounts(
            domain=name, limit=1
        ) or await self._directory.aliases.list_aliases(domain=name, limit=1):
            raise Refused("The domain has accounts or aliases: remove them first.")

    async def _records(self, name: Domain) -> Sequence[Document]:
        return [_record(record) for record in wanted_records(await self._facts(name))]

    async def _facts(self, name: Domain) -> DomainFacts:
        hostname = self._config.server.hostname
        return DomainFacts(
            domain=name,
            hostname=hostname,
            addresses=await _host_addresses(self._resolver, hostname),
            dkim=await asyncio.to_thread(self._public_keys, name),
            services={service: options.port or SERVICES[service] for service, options in self._config.listen.items()},
            mta_sts=make_policy(self._config.web.mta_sts, hostname),
            certificates=await asyncio.to_thread(_read_certificates, self._config),
        )

    def _public_keys(self, name: Domain) -> Sequence[DkimRecord]:
        folder = self._directory.signing_keys.folder
        return [public_record(load_key(folder, name, selector)) for selector in list_selectors(folder, name)]


async def _host_addresses(resolver: DnsResolver, hostname: str) -> Sequence[IPAddress]:
    """Return the host's addresses as the world sees them: those in the DNS, else those of this machine."""
    try:
        answer = await resolver.addresses(hostname)
    except (DnsNotFound, DnsTemporary):
        return [address for address in find_own_addresses() if address.is_global]
    return [address for address in answer.records if not address.is_loopback]


async def _look_up(resolver: DnsResolver, record: Record) -> Found:
    try:
        answer = await resolver.records(record.name, record.kind)
    except DnsNotFound:
        return ()
    except DnsTemporary:
        return None
    return answer.records


def _read_certificates(config: Config) -> Sequence[x509.Certificate]:
    """Return the certificate that other servers are shown: blocks. One that cannot be read is announced nowhere."""
    try:
        return [x509.load_pem_x509_certificates(Path(files.chain).read_bytes())[0] for files in config.certificates[:1]]
    except (OSError, ValueError):
        return []


def _shown(settings: DomainSettings) -> Document:
    return {
        "domain": settings.domain.text,
        "unicode": settings.domain.unicode,
        "created_at": settings.created_at.isoformat(),
        "catch_all": None if settings.catch_all is None else str(settings.catch_all),
        "separators": settings.separators,
    }


def _record(record: Record) -> Document:
    return {
        "name": record.name,
        "type": record.kind.value,
        "value": record.value,
        "need": record.need.value,
        "purpose": record.purpose,
        "zone": record.zone_line,
    }


def _checked(result: Checked) -> Document:
    return {
        **_record(result.record),
        "status": result.status.value,
        "found": list(result.found),
        "remedy": result.remedy,
    }
