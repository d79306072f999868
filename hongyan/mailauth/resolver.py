"""Port: the DNS, as mail needs it. Every answer says how long it holds and whether DNSSEC vouches for it.

Names are A-labels without the final dot, in any case; an answer's names are in lower case. A name
that cannot be asked (an empty or overlong label, more than 253 octets) does not exist.

An answer has at least one record. That there is none is `DnsNotFound`; that nobody knows at the
moment (time-out, SERVFAIL, a signature that does not hold) is `DnsTemporary`. Both are expected.
"""

from __future__ import annotations

__all__ = [
    "LOCALHOST",
    "Answer",
    "DnsFault",
    "DnsNotFound",
    "DnsTemporary",
    "Dnssec",
    "IPAddress",
    "MxRecord",
    "Resolver",
    "TlsaRecord",
    "is_localhost",
]

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Generic, Literal, Protocol, TypeVar

from hongyan.errors import PeerFault

IPAddress = IPv4Address | IPv6Address

LOCALHOST: Final[tuple[IPAddress, ...]] = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
"""What `localhost` and the names below it stand for (RFC 6761 §6.3): never a question for the DNS."""

Record = TypeVar("Record", covariant=True)


class Dnssec(Enum):
    """Does DNSSEC vouch for it (RFC 4033 §5)? INSECURE stands for "indeterminate" as well."""

    SECURE = "secure"
    INSECURE = "insecure"
    BOGUS = "bogus"
    """Signed wrongly. No answer carries it, only `DnsTemporary`: bogus data is never handed on."""


class DnsFault(PeerFault):
    """A question without an answer."""

    def __init__(self, question: str, dnssec: Dnssec, cause: str) -> None:
        super().__init__(cause=f"{question}: {cause}")
        self.question = question
        self.dnssec = dnssec


class DnsNotFound(DnsFault):
    """There is no such record. `domain_exists` parts "no data" from NXDOMAIN (RFC 2308 §2).

    With SECURE the absence itself is proven, as DANE asks for (RFC 7672 §2.1.1).
    """

    def __init__(self, question: str, *, domain_exists: bool, dnssec: Dnssec = Dnssec.INSECURE) -> None:
        super().__init__(question, dnssec, "no such record" if domain_exists else "no such domain")
        self.domain_exists = domain_exists


class DnsTemporary(DnsFault):
    """Nobody could say. Ask again later."""

    def __init__(self, question: str, cause: str, *, dnssec: Dnssec = Dnssec.INSECURE) -> None:
        super().__init__(question, dnssec, cause)


@dataclass(frozen=True, slots=True)
class Answer(Generic[Record]):
    """One or more records, in the order in which the server gave them."""

    records: tuple[Record, ...]
    name: str
    """The owner of the records: the name asked for, or where its CNAMEs led."""
    dnssec: Dnssec
    ttl: int
    """Seconds that it may still be kept."""


@dataclass(frozen=True, slots=True)
class MxRecord:
    """An MX record. The exchange "" is the null MX (RFC 7505 §3)."""

    preference: int
    exchange: str


@dataclass(frozen=True, slots=True)
class TlsaRecord:
    """A TLSA record (RFC 6698 §2.1)."""

    usage: int
    selector: int
    matching_type: int
    data: bytes


class Resolver(Protocol):
    """Asks the DNS. Every method raises `DnsNotFound` or `DnsTemporary` where there is no answer."""

    async def txt(self, name: str) -> Answer[bytes]:
        """Return TXT records, the strings of each joined without anything between (RFC 7208 §3.3)."""
        ...

    async def mx(self, name: str) -> Answer[MxRecord]:
        """Return MX records, not sorted."""
        ...

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> Answer[IPAddress]:
        """Return A and AAAA records, or those of one IP version. SECURE only if both answers are."""
        ...

    async def ptr(self, address: IPAddress) -> Answer[str]:
        """Return the host names that the reverse zone gives for an address."""
        ...

    async def tlsa(self, name: str) -> Answer[TlsaRecord]:
        """Return TLSA records; `name` is complete, as in "_25._tcp.mx.example.org"."""
        ...


def is_localhost(name: str) -> bool:
    """Whether a name is `localhost` or below it."""
    lowered = name.lower().removesuffix(".")
    return lowered == "localhost" or lowered.endswith(".localhost")
