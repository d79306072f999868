"""The DNS records that a domain should have: computed from what the server is, printed for a zone file.

Only what is served is announced. A record is REQUIRED when mail does not flow without it or is taken for spam,
RECOMMENDED when it makes mail safer, and SIGNED when it means something only in a zone that DNSSEC signs.
"""

from __future__ import annotations

__all__ = ["DomainFacts", "Kind", "Need", "Record", "key_digest", "quote_text", "wanted_records"]

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hongyan.addresses import Domain
from hongyan.domains.client_documents import pacc_record
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
    NS = "NS"


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
    def data(self) -> str:
        """The value as a zone file has it."""
        if self.kind is not Kind.TXT:
            return self.value
        strings = quote_text(self.value)
        return f"( {strings} )" if len(self.value.encode()) > _MAX_STRING else strings

    @property
    def zone_line(self) -> str:
        """The record as a zone file has it."""
        return f"{self.name}. IN {self.kind} {self.data}"


def quote_text(text: str) -> str:
    """Return a text as a zone file has it: strings of at most 255 octets (RFC 1035 §3.3, §5.1), safely quoted."""
    octets = text.encode()
    pieces = [octets[at : at + _MAX_STRING] for at in range(0, len(octets), _MAX_STRING)] or [b""]
    return " ".join(f'"{"".join(map(_quote_octet, piece))}"' for piece in pieces)


def _quote_octet(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{chr(octet)}"
    return chr(octet) if 0x20 <= octet < 0x7F else f"\\{octet:03d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """What the records follow from.

    `addresses` are the host's as the world sees them, `sending` those that mail leaves from besides, `networks`
    those that are ours as a whole among them, `names` what they say in EHLO where it is not the host's name,
    `services` the ports of what mail programs are to find, `mta_sts` the policy and `pacc` the settings that are
    served, `certificates` what port 25 may show. `dkim` are the keys in use, `dkim_next` those that wait for their
    records, `dkim_former` those whose records stay for a while. `next_keys` are digests of keys that certificates
    will have.
    """

    domain: Domain
    hostname: str
    addresses: Sequence[IPAddress] = ()
    sending: Sequence[IPAddress] = ()
    networks: Sequence[IPv4Network | IPv6Network] = ()
    names: Mapping[IPAddress, str] = field(default_factory=dict)
    dkim: Sequence[DkimRecord] = ()
    dkim_next: Sequence[DkimRecord] = ()
    dkim_former: Sequence[DkimRecord] = ()
    services: Mapping[str, int]
    mta_sts: str | None = None
    pacc: bytes | None = None
    certificates: Sequence[x509.Certificate] = ()
    next_keys: Sequence[str] = ()
    authorities: Sequence[str] = ("letsencrypt.org",)

    @property
    def sending_addresses(self) -> Sequence[IPAddress]:
        """All addresses that mail leaves from."""
        return tuple(dict.fromkeys((*self.addresses, *self.sending)))

    def name_of(self, address: IPAddress) -> str:
        """Return what EHLO says from an address."""
        return self.names.get(address, self.hostname)


def key_digest(certificate: x509.Certificate) -> str:
    """Return what TLSA says of a certificate's key: the SHA-256 of its SubjectPublicKeyInfo (RFC 6698 §2.1)."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()


def wanted_records(facts: DomainFacts) -> Sequence[Record]:
    """Return the records, those of the host first."""
    return (
        *_host(facts),
        *_mail(facts),
        *_keys(facts),
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
    for address, name in facts.names.items():
        kind = Kind.AAAA if isinstance(address, IPv6Address) else Kind.A
        yield Record(name, kind, str(address), Need.REQUIRED, "What the host is called where mail leaves from there.")
    for address in facts.sending_addresses:
        yield Record(
            address.reverse_pointer,
            Kind.PTR,
            f"{facts.name_of(address)}.",
            Need.REQUIRED,
            "What the host is called: set by whoever gave you the address.",
        )


def _mail(facts: DomainFacts) -> Iterator[Record]:
    domain, hostname = facts.domain.text, facts.hostname
    apart = [
        address
        for address in facts.sending_addresses
        if address not in facts.addresses and not any(address in network for network in facts.networks)
    ]
    others = "".join(f" ip{one.version}:{one}" for one in (*facts.networks, *apart))
    yield Record(domain, Kind.MX, f"{_PREFERENCE} {hostname}.", Need.REQUIRED, "Which host takes mail for the domain.")
    yield Record(
        domain,
        Kind.TXT,
        f"v=spf1 mx{others} -all",
        Need.REQUIRED,
        "SPF: mail of the domain comes from its mail host alone.",
    )
    if hostname != domain:
        yield Record(
            hostname,
            Kind.TXT,
            f"v=spf1 a{others} -all",
            Need.RECOMMENDED,
            "SPF for the host's own name, which notifications are checked by.",
        )
    yield Record(
        f"_dmarc.{domain}",
        Kind.TXT,
        f"v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}",
        Need.REQUIRED,
        "DMARC: what becomes of mail that only pretends to be the domain's. Make it p=reject when all goes well.",
    )


def _keys(facts: DomainFacts) -> Iterator[Record]:
    for keys, need, purpose in (
        (facts.dkim, Need.REQUIRED, "DKIM: the key that signatures are checked with."),
        (facts.dkim_next, Need.RECOMMENDED, "DKIM: the next key. It signs once all name servers show it."),
        (facts.dkim_former, Need.RECOMMENDED, "DKIM: the former key. Mail that is on its way is still checked by it."),
    ):
        for key in keys:
            yield Record(key.name, Kind.TXT, key.text, need, purpose)


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
    """How mail programs find the services (RFC 6186 §3.4, RFC 8314 §5.1), and where they look for their settings."""
    domain, hostname = facts.domain.text, facts.hostname
    for service in _SRV_SERVICES:
        port = facts.services.get(service)
        is_shown = port is not None and service not in _STARTTLS_ONLY
        yield Record(
            f"_{service}._tcp.{domain}",
            Kind.SRV,
            f"0 1 {port} {hostname}." if is_shown else "0 0 0 .",
            Need.RECOMMENDED,
            "Mail programs find the service." if is_shown else "Mail programs look no further for this service.",
        )
    port = facts.services.get("https")
    if port is None:
        return
    purpose = "Mail programs look here for their settings."
    for name in ("autoconfig", "autodiscover"):
        yield Record(f"{name}.{domain}", Kind.CNAME, f"{hostname}.", Need.RECOMMENDED, purpose)
    yield Record(f"_autodiscover._tcp.{domain}", Kind.SRV, f"0 1 {port} {hostname}.", Need.RECOMMENDED, purpose)
    if facts.pacc is not None:
        yield Record(f"ua-auto-config.{domain}", Kind.CNAME, f"{hostname}.", Need.RECOMMENDED, purpose)
        yield Record(
            f"_ua-auto-config.{domain}",
            Kind.TXT,
            pacc_record(facts.pacc),
            Need.RECOMMENDED,
            "What vouches for the settings that mail programs are told (PACC): it changes when they do.",
        )


def _certificates(facts: DomainFacts) -> Iterator[Record]:
    for authority in facts.authorities:
        yield Record(
            facts.hostname,
            Kind.CAA,
            f'0 issue "{authority}"',
            Need.RECOMMENDED,
            "Which authority may issue certificates for the host. Name the one that you use.",
        )
    current = dict.fromkeys(key_digest(certificate) for certificate in facts.certificates)
    for digests, purpose in (
        (current, "DANE: other servers know the certificate's key. For a zone that DNSSEC signs."),
        (
            [digest for digest in facts.next_keys if digest not in current],
            "DANE: the key of the next certificate, so that nobody is turned away when it comes.",
        ),
    ):
        for digest in digests:
            # RFC 7672 §3.1: DANE-EE, the key, SHA-256
            yield Record(f"_25._tcp.{facts.hostname}", Kind.TLSA, f"3 1 1 {digest}", Need.SIGNED, purpose)
