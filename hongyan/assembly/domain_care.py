"""The care of our domains: looks at their DNS now and then, keeps their readiness, and moves their keys on."""

from __future__ import annotations

__all__ = ["DomainCare", "make_domain_care"]

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from hongyan import telemetry
from hongyan.addresses import Domain
from hongyan.assembly.directory import Directory
from hongyan.assembly.ground import Ground
from hongyan.assembly.outgoing import Outgoing
from hongyan.clients.domain_survey import DomainSurveyor
from hongyan.clients.https import HttpsClient
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.resolver import RecordResolver
from hongyan.clients.source_pools import SourcePools
from hongyan.clients.sts_fetcher import StsFetcher
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.clients.zone_writer import ZoneWriter
from hongyan.config import SERVICES, Config
from hongyan.domains.certificate_store import CertificateStore, key_digest
from hongyan.domains.client_documents import pacc_octets
from hongyan.domains.client_settings import pacc_of_ports
from hongyan.domains.dkim_keeper import DkimKeeper
from hongyan.domains.dns_records import DomainFacts
from hongyan.domains.findings import Finding
from hongyan.domains.judgement import Readiness
from hongyan.domains.mta_sts_policy import make_policy
from hongyan.domains.publisher import Publisher
from hongyan.domains.readiness import Looked, ReadinessKeeper
from hongyan.domains.readiness_notice import write_notice
from hongyan.domains.survey import PolicyFetch
from hongyan.engines.sql.domain_state import SqlDomainState
from hongyan.errors import ServerFault
from hongyan.mailauth.resolver import DnsFault, IPAddress
from hongyan.queue.postmaster import PostmasterMail
from hongyan.queue.sts_policies import FetchFault
from hongyan.screening.dnsbl_service import Listings
from hongyan.servers.lifecycle import Lifecycles
from hongyan.store.domain_state import KeyState
from hongyan.telemetry import metrics

_PAUSE = 60.0  # seconds between looks at the list of what is due
_FIRST = 10.0
_DAY = 24  # hours
_WHILE_PENDING = timedelta(minutes=15)

log = telemetry.logger("domains")


@dataclass(frozen=True, slots=True)
class DomainCare:
    """What looks after our domains."""

    readiness: ReadinessKeeper
    dkim: DkimKeeper
    facts: FactsMaker
    publisher: Publisher
    publishes: bool
    """Whether records are written without being asked."""
    is_on: bool
    """Whether domains are looked at without being asked."""

    async def run(self) -> None:
        """Look at what is due, again and again, until cancelled."""
        pause = _FIRST
        while self.is_on:
            await asyncio.sleep(pause)
            await self.run_once()
            pause = _PAUSE
        await asyncio.Event().wait()  # There is nothing to do, and a task that ends would end the server.

    async def run_once(self) -> None:
        """Look at all that is due."""
        while claimed := await self._claim():
            for domain in claimed:
                try:
                    await self.care(domain)
                except ServerFault as fault:
                    log.warning("domain-care-failed", domain=domain.text, cause=fault.cause or fault.sentence)
                except Exception as error:  # noqa: BLE001 - the top of a job: mail goes on without it
                    metrics.panic_total.labels("domains").inc()
                    log.error("panic", error=error, domain=domain.text)

    async def _claim(self) -> Sequence[Domain]:
        try:
            return await self.readiness.claim()
        except ServerFault as fault:
            log.warning("domain-care-failed", cause=fault.cause or fault.sentence)
            return []

    async def care(self, domain: Domain) -> Looked:
        """Look at one domain, note how it stands, and let its keys go on."""
        looked = await self.readiness.look(domain)
        await self.dkim.step(domain, looked.survey.view)
        if self.publishes and self.publisher.may_write(domain):
            await self.publisher.publish(await self.facts.facts(domain))
        is_waiting = any(key.state is KeyState.PENDING for key in self.dkim.list_keys(domain))
        await self.readiness.note(looked, again_by=_WHILE_PENDING if is_waiting else None)
        return looked


class FactsMaker:
    """What the records of a domain follow from: `domains.readiness.FactsSource`."""

    def __init__(
        self,
        config: Config,
        data: Path,
        resolver: RecordResolver,
        dkim: DkimKeeper,
        is_announced: Callable[[str], bool],
        pools: SourcePools,
    ) -> None:
        """`is_announced` says of a service whether mail programs are to find it."""
        self._config = config
        self._data = data
        self._resolver = resolver
        self._dkim = dkim
        self._is_announced = is_announced
        self._pools = pools

    async def facts(self, domain: Domain) -> DomainFacts:
        config, hostname = self._config, self._config.server.hostname
        keys = await self._dkim.records(domain)
        certificates, next_keys = await asyncio.to_thread(_read_keys, config, self._data)
        # Those of a private network the world sees by other numbers: these are named by hand.
        private = _sees_private(config)
        pools = {at: name for at, name in self._pools.addresses_of(domain).items() if at.is_global or private}
        services: dict[str, int] = {
            service: options.port or SERVICES[service]
            for service, options in config.listen.items()
            if self._is_announced(service)
        }
        pacc = pacc_of_ports(domain.text, hostname, services, jmap=config.jmap.enabled)
        return DomainFacts(
            domain=domain,
            hostname=hostname,
            addresses=await self.host_addresses(),
            sending=[*map(ip_address, config.domains.sending_addresses), *pools],
            networks=[one for one in self._pools.networks_of(domain) if one.is_global or private],
            names={address: name for address, name in pools.items() if name != hostname.lower()},
            dkim=keys[KeyState.ACTIVE],
            dkim_next=keys[KeyState.PENDING],
            dkim_former=keys[KeyState.RETIRING],
            services=services,
            pacc=None if pacc is None else pacc_octets(pacc),
            mta_sts=make_policy(config.web.mta_sts, hostname),
            certificates=certificates,
            next_keys=next_keys,
            authorities=config.domains.authorities,
        )

    async def host_addresses(self) -> Sequence[IPAddress]:
        """Return the host's addresses as the world sees them: those in the DNS, else those of this machine."""
        try:
            answer = await self._resolver.addresses(self._config.server.hostname)
        except DnsFault:
            return [address for address in find_own_addresses() if address.is_global]
        return [address for address in answer.records if not address.is_loopback]


def _sees_private(config: Config) -> bool:
    return config.route.private_addresses


def _make_fetcher(config: Config, resolver: RecordResolver) -> StsFetcher:
    """Return what fetches our own policies; unlike those of strangers they may lie on a private address."""
    contexts = TlsContexts.system(config.outgoing_tls.authorities)
    client = HttpsClient(
        resolver, lambda: contexts.find(verified=True), lambda _: True, port=config.outgoing_tls.policy_port
    )
    return StsFetcher(client)


class _Policies:
    """Fetches our own policies of MTA-STS as others do: `clients.domain_survey.PolicySource`."""

    def __init__(self, fetcher: StsFetcher) -> None:
        self._fetcher = fetcher

    async def fetch(self, domain: str) -> PolicyFetch:
        try:
            return PolicyFetch(text=(await self._fetcher.fetch(domain)).decode("utf-8", "replace"))
        except FetchFault as fault:
            return PolicyFetch(fault=fault.cause)


class _Blocklists:
    """Asks about our own addresses what is asked about those of strangers: `clients.domain_survey.Blocklists`."""

    def __init__(self, listings: Listings) -> None:
        self._listings = listings

    async def listings(self, address: IPAddress) -> Sequence[str]:
        self._listings.begin(str(address))
        return (await self._listings.find(str(address))).zones


class _Postmasters:
    """Tells postmasters how their domains stand: `domains.readiness.Teller`."""

    def __init__(self, mail: PostmasterMail) -> None:
        self._mail = mail

    async def tell(self, domain: Domain, readiness: Readiness, findings: Sequence[Finding]) -> None:
        await self._mail.send(domain, *write_notice(domain, readiness, findings))


def make_domain_care(
    ground: Ground, directory: Directory, outgoing: Outgoing, lifecycles: Lifecycles, listings: Listings
) -> DomainCare:
    """Make what looks after our domains. `readiness` and `dkim` are to be loaded before they are used."""
    config, clock = ground.config, ground.clock
    pools = outgoing.remote.pools
    facts = FactsMaker(config, ground.data, outgoing.resolver, directory.dkim, lifecycles.is_announced, pools)
    surveyor = DomainSurveyor(
        outgoing.resolver,
        clock,
        public=config.domains.resolvers,
        policies=_Policies(_make_fetcher(config, outgoing.resolver)),
        blocklists=_Blocklists(listings) if config.dnsbl.lists else None,
        private=_sees_private(config) or bool(config.dns_update),
    )
    readiness = ReadinessKeeper(
        SqlDomainState(ground.database),
        directory.domains,
        facts=facts,
        surveyor=surveyor,
        teller=_Postmasters(PostmasterMail(config.server.hostname, outgoing.queue, clock, ground.random)),
        audit=directory.audit,
        clock=clock,
        longest=timedelta(hours=config.domains.check_every or _DAY),
    )
    writer = ZoneWriter(config.dns_update, config.dns_provider, outgoing.resolver, clock, ground.random)
    return DomainCare(
        readiness,
        directory.dkim,
        facts,
        Publisher(SqlDomainState(ground.database), surveyor.look, writer, clock),
        publishes=config.domains.publish,
        is_on=config.dns.enabled and config.domains.check_every > 0,
    )


def _read_keys(config: Config, data: Path) -> tuple[Sequence[x509.Certificate], Sequence[str]]:
    """Return the certificate that other servers are shown, and the digest of the key that the next one will have.

    Blocks. One that cannot be read is announced nowhere.
    """
    hostname = config.server.hostname
    try:
        if config.certificates:
            return x509.load_pem_x509_certificates(Path(config.certificates[0].chain).read_bytes())[:1], []
        if not config.acme.enabled:
            return [], []
        folder = CertificateStore(data).open(hostname)
        live = folder.load_live()
        certificates = [] if live is None else x509.load_pem_x509_certificates(live)[:1]
        return certificates, [key_digest(folder.load_next_key())]
    except (OSError, ValueError):
        return [], []
