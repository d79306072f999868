"""The DNS records that a domain should have: computed from what the server is, printed for a zone file.

Only what is served is announced. A record is REQUIRED when mail does not flow without it or is taken for spam,
RECOMMENDED when it makes mail safer, and SIGNED when it means something only in a zone that DNSSEC signs.
"""

from __future__ import annotations

__all__ = ["DomainFacts", "Kind", "Need", "Record", "wanted_records"]

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hongyan.addresses import Domain
from hongyan.domains.dkim_keys import DkimRecord
from hongyan.domains.mta_sts_policy import policy_id
from hongyan.mailauth.resolver import IPAddress

_MAX_STRING = 255
_PREFERENCE = 10

_SRV_SERVICES = ("imaps", "imap", "pop3s", "pop3", "submissions", "submission")
_STARTTLS_ONLY = frozenset({"imap", "pop3"})
"""RFC 8314 §5.1: programs are shown the ports that begin with TLS."""


class Kind(StrEnum):
    """The kinds of record."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    PTR = "PTR"
    MX = "MX"
    TXT = "TXT"
    SRV = "SRV"
    CAA = "CAA"
    TLSA = "TLSA"


class Need(StrEnum):
    """How much a record is missed when it is not there."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Record:
    """A record that should be there. `value` is written as in a zone file; of a TXT record it is the bare text."""

    name: str
    kind: Kind
    value: str
    need: Need
    purpose: str

    @property
    def zone_line(self) -> str:
        """The record as a zone file has it."""
        return f"{self.name}. IN {self.kind} {self._data}"

    @property
    def _data(self) -> str:
        if self.kind is not Kind.TXT:
            return self.value
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        pieces = [escaped[at : at + _MAX_STRING] for at in range(0, len(escaped), _MAX_STRING)]
        strings = " ".join(f'"{piece}"' for piece in pieces)
        return f"( {strings} )" if len(pieces) > 1 else strings


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """What the records follow from.

    `addresses` are the host's as the world sees them, `services` the ports of what is listened for, `mta_sts` the
    policy that is served, `certificates` what port 25 may show.
    """

    domain: Domain
    hostname: str
    addresses: Sequence[IPAddress] = ()
    dkim: Sequence[DkimRecord] = ()
    services: Mapping[str, int]
    mta_sts: str | None = None
    certificates: Sequence[x509.Certificate] = ()


def wanted_records(facts: DomainFacts) -> Sequence[Record]:
    """Return the records, those of the host first."""
    return (
        *_host(facts),
        *_mail(facts),
        *_transport(facts),
        *_reports(facts),
        *_programs(facts),
        *_certificates(facts),
    )


def _host(facts: DomainFacts) -> Iterator[Record]:
    purpose = "Where the host is."
    for address in facts.addresses:
        kind = Kind.AAAA if isinstance(address, IPv6Address) else Kind.A
        yield Record(facts.hostname, kind, str(address), Need.REQUIRED, purpose)
    for address in facts.addresses:
        yield Record(
            address.reverse_pointer,
            Kind.PTR,
            f"{facts.hostname}.",
            Need.REQUIRED,
            "What the host is called: set by whoever gave you the address.",
        )


def _mail(facts: DomainFacts) -> Iterator[Record]:
    domain, hostname = facts.domain.text, facts.hostname
    yield Record(domain, Kind.MX, f"{_PREFERENCE} {hostname}.", Need.REQUIRED, "Which host takes mail for the domain.")
    yield Record(
        domain, Kind.TXT, "v=spf1 mx -all", Need.REQUIRED, "SPF: mail of the domain comes from its mail host alone."
    )
    if hostname != domain:
        yield Record(
            hostname,
            Kind.TXT,
            "v=spf1 a -all",
            Need.RECOMMENDED,
            "SPF for the host's own name, which notifications are checked by.",
        )
    for key in facts.dkim:
        yield Record(key.name, Kind.TXT, key.text, Need.REQUIRED, "DKIM: the key that signatures are checked with.")
    yield Record(
        f"_dmarc.{domain}",
        Kind.TXT,
        f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}",
        Need.REQUIRED,
        "DMARC: what becomes of mail that only pretends to be the domain's. Make it p=reject when all goes well.",
    )


def _transport(facts: DomainFacts) -> Iterator[Record]:
    """MTA-STS: where the policy is, and which one (RFC 8461 §3.1)."""
    if facts.mta_sts is None:
        return
    domain = facts.domain.text
    yield Record(
        f"mta-sts.{domain}",
        Kind.CNAME,
        f"{facts.hostname}.",
        Need.RECOMMENDED,
        "MTA-STS: where the policy is fetched from. The certificate has to be for this name too.",
    )
    yield Record(
        f"_mta-sts.{domain}",
        Kind.TXT,
        f"v=STSv1; id={policy_id(facts.mta_sts)}",
        Need.RECOMMENDED,
        "MTA-STS: the domain has a policy, and which one.",
    )


def _reports(facts: DomainFacts) -> Iterator[Record]:
    for name in dict.fromkeys((facts.domain.text, facts.hostname)):
        yield Record(
            f"_smtp._tls.{name}",
            Kind.TXT,
            f"v=TLSRPTv1; rua=mailto:postmaster@{facts.domain.text}",
            Need.RECOMMENDED,
            "TLS reports: others tell you when they could not deliver by TLS (RFC 8460).",
        )


def _programs(facts: DomainFacts) -> Iterator[Record]:
    """How mail programs find the services (RFC 6186 §3.4, RFC 8314 §5.1)."""
    for service in _SRV_SERVICES:
        port = facts.services.get(service)
        is_shown = port is not None and service not in _STARTTLS_ONLY
        yield Record(
            f"_{service}._tcp.{facts.domain.text}",
            Kind.SRV,
            f"0 1 {port} {facts.hostname}." if is_shown else "0 0 0 .",
            Need.RECOMMENDED,
            "Mail programs find the service." if is_shown else "Mail programs look no further for this service.",
        )


def _certificates(facts: DomainFacts) -> Iterator[Record]:
    yield Record(
        facts.hostname,
        Kind.CAA,
        '0 issue "letsencrypt.org"',
        Need.RECOMMENDED,
        "Which authority may issue certificates for the host. Name the one that you use.",
    )
    for certificate in facts.certificates:
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield Record(
            f"_25._tcp.{facts.hostname}",
            Kind.TLSA,
            f"3 1 1 {hashlib.sha256(key).hexdigest()}",  # RFC 7672 §3.1: DANE-EE, the key, SHA-256
            Need.SIGNED,
            "DANE: other servers know the certificate's key. For a zone that DNSSEC signs.",
        )
