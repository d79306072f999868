"""Certificates from an authority: what is wanted, what proves it, and where new ones go into service."""

from __future__ import annotations

__all__ = ["Issuing", "make_issuing"]

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from cryptography import x509

from hongyan.assembly.ground import Ground
from hongyan.clients.dns_challenges import DnsChallenges
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.resolver import RecordResolver
from hongyan.clock import Clock
from hongyan.config import Config
from hongyan.domains.authority import Solver
from hongyan.domains.certificate_store import CertificateStore
from hongyan.domains.certificates import CertificateFiles, Certificates
from hongyan.domains.challenges import HttpChallenges
from hongyan.domains.domains import Domains
from hongyan.domains.issuance import Issuance, IssuancePolicy
from hongyan.domains.local_authority import make_self_signed
from hongyan.domains.tls_profiles import profile_of
from hongyan.mailauth.resolver import DnsFault, DnsNotFound, IPAddress

_OF_A_DOMAIN = ("mta-sts", "autoconfig", "autodiscover", "ua-auto-config")
"""Names of each local domain that our HTTPS answers for (RFC 8461 §3.3; what mail programs look for)."""

_STAND_IN = "stand-in"
_RENEW_STAND_IN = timedelta(days=30)


class Issuing:
    """Certificates in service, and what orders them; `issuance` is None where the configuration names files alone."""

    def __init__(self, config: Config, store: CertificateStore, clock: Clock, challenges: HttpChallenges) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self.challenges = challenges
        self.certificates: Certificates | None = None
        self.issuance: Issuance | None = None

    def open(self) -> Certificates:
        """Take into service what is there; until an authority has issued one, a certificate of our own making."""
        config = self._config
        profiles = {profile_of(service, to.tls) for service, to in config.listen.items()} or {"intermediate"}
        self.certificates = Certificates(config.certificates, profiles, self._find_files)
        return self.certificates

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        if self.issuance is not None:
            yield "issuance", self.issuance.run

    async def reload(self) -> None:
        """Take new files into service."""
        if self.certificates is not None:
            await self.certificates.reload()

    def _find_files(self) -> Sequence[CertificateFiles]:
        """Return what was issued, and in the end what stands in for it."""
        issued = list(self._store.list_files())
        host = self._store.live_path(self._config.server.hostname)
        issued.sort(key=lambda files: files.chain != host)  # it is shown to whoever asks for no name
        return issued if self._config.certificates or issued else [self._stand_in()]

    def _stand_in(self) -> CertificateFiles:
        folder = self._store.folder / _STAND_IN
        files = CertificateFiles(str(folder / "certificate.pem"), str(folder / "key.pem"))
        try:
            certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
            good = certificate.not_valid_after_utc > self._clock.now() + _RENEW_STAND_IN
        except (OSError, ValueError):
            good = False
        return files if good else make_self_signed(folder, [self._config.server.hostname], self._clock)


def make_issuing(ground: Ground, domains: Domains, resolver: RecordResolver) -> Issuing:
    """Return certificates as the configuration wants them; nothing is read before `open`."""
    config, clock = ground.config, ground.clock
    store, challenges = CertificateStore(ground.data), HttpChallenges()
    issuing = Issuing(config, store, clock, challenges)
    if config.acme.enabled:
        from hongyan.clients.acme import AcmeAuthority  # here: who has no authority does not wait for the library

        solver: Solver = challenges
        if config.acme.challenge == "dns-01":
            solver = DnsChallenges(config.dns_update, resolver, clock)
        wanted = _Wanted(config, domains, resolver)
        policy = IssuancePolicy(wanted.find, wanted.find_announced, issuing.reload, config.acme.keep_key)
        authority = AcmeAuthority(config.acme, store.account(), clock)
        issuing.issuance = Issuance(store, authority, solver, policy, clock, ground.random)
    return issuing


class _Wanted:
    """Which names have a certificate, as DNS has them."""

    def __init__(self, config: Config, domains: Domains, resolver: RecordResolver) -> None:
        self._hostname = config.server.hostname.lower()
        self._names = [name.lower() for name in config.acme.names]
        self._domains = domains
        self._resolver = resolver

    async def find(self) -> Mapping[str, Sequence[str]]:
        """Return names by what the certificate is called: the host's, and of each domain those that point here."""
        wanted = {self._hostname: list(dict.fromkeys([self._hostname, *self._names]))}
        ours = {*find_own_addresses(), *await self._addresses(self._hostname)}
        for settings in self._domains.list_domains():
            domain = settings.domain.text
            names = [f"{label}.{domain}" for label in _OF_A_DOMAIN]
            found = await asyncio.gather(*map(self._addresses, names))
            here = [name for name, addresses in zip(names, found, strict=True) if addresses and addresses <= ours]
            for name in here:
                if name not in wanted[self._hostname]:
                    wanted.setdefault(domain, []).append(name)
        return wanted

    async def find_announced(self, name: str) -> Collection[str] | None:
        """Return the digests of keys that TLSA records for our port 25 announce (RFC 7672 §3.1); None: unknown."""
        try:
            answer = await self._resolver.tlsa(f"_25._tcp.{name}")
        except DnsNotFound:
            return ()
        except DnsFault:
            return None
        return [record.data.hex() for record in answer.records if record.selector == 1] or ("",)

    async def _addresses(self, name: str) -> frozenset[IPAddress]:
        try:
            return frozenset((await self._resolver.addresses(name)).records)
        except DnsFault:
            return frozenset()
