"""What was found about a domain: its records as several resolvers show them, and what follows from them.

A survey is facts only. `domains.findings` judges them; `clients.domain_survey` gathers them.
"""

from __future__ import annotations

__all__ = ["DnsView", "Exchanger", "PolicyFetch", "Question", "Reverse", "Seen", "Survey", "questions_for"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hongyan.domains.dns_records import DomainFacts, Kind, wanted_records
from hongyan.mailauth.resolver import Dnssec, IPAddress
from hongyan.mailauth.spf import SpfResult

Question = tuple[str, Kind]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one source answers. `values` are as in a zone file, TXT as bare text; None: no answer."""

    source: str
    values: tuple[str, ...] | None
    ttl: int = 0
    dnssec: Dnssec = Dnssec.INSECURE
    is_authoritative: bool = False


class DnsView:
    """The answers of all sources."""

    def __init__(self, seen: Mapping[Question, Sequence[Seen]]) -> None:
        self._seen = seen

    def all(self, name: str, kind: Kind) -> Sequence[Seen]:
        """Return what each source answers."""
        return self._seen.get((name, kind), ())

    def best(self, name: str, kind: Kind) -> Seen:
        """Return the answer that counts: of a name server of the zone, else of whoever answers."""
        answers = [seen for seen in self.all(name, kind) if seen.values is not None]
        return next((seen for seen in answers if seen.is_authoritative), answers[0] if answers else Seen("", None))

    def own(self, name: str, kind: Kind) -> Seen:
        """Return the answer of our own resolver, which alone may vouch for DNSSEC."""
        return next((seen for seen in self.all(name, kind) if not seen.is_authoritative), Seen("", None))

    def disagreeing(self, name: str, kind: Kind) -> Sequence[Seen]:
        """Return the answers that differ from the best one."""
        wanted = frozenset(self.best(name, kind).values or ())
        return [seen for seen in self.all(name, kind) if seen.values is not None and frozenset(seen.values) != wanted]

    def is_shown_by_all(self, name: str, kind: Kind) -> Sequence[tuple[str, ...]]:
        """Return what each name server of the zone answers; nothing, unless each did."""
        answers = [seen.values for seen in self.all(name, kind) if seen.is_authoritative]
        known = [values for values in answers if values is not None]
        return known if len(known) == len(answers) else ()


@dataclass(frozen=True, slots=True)
class Reverse:
    """The names of an address, and the addresses of these names. None: no answer."""

    address: IPAddress
    names: tuple[str, ...] | None
    forward: Mapping[str, tuple[IPAddress, ...] | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchanger:
    """A mail exchanger; the name "" is the null MX (RFC 7505 §3). `addresses` None: no answer."""

    name: str
    preference: int
    addresses: tuple[IPAddress, ...] | None = ()
    is_alias: bool = False


@dataclass(frozen=True, slots=True)
class PolicyFetch:
    """The policy of MTA-STS as others fetch it, or why they cannot."""

    text: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All that was found. `exchangers` None: no answer; `listings` are the blocklists that name an own address."""

    view: DnsView
    reverse: Sequence[Reverse] = ()
    exchangers: Sequence[Exchanger] | None = ()
    spf: Mapping[IPAddress, SpfResult] = field(default_factory=dict)
    policy: PolicyFetch | None = None
    listings: Mapping[IPAddress, Sequence[str]] = field(default_factory=dict)


def questions_for(facts: DomainFacts) -> Sequence[Question]:
    """Return what is to be asked of the DNS: each wanted record, and what is judged besides."""
    asked = [(record.name, record.kind) for record in wanted_records(facts) if record.kind is not Kind.PTR]
    labels = facts.hostname.split(".")
    # RFC 8659 §3: the records of the nearest name above count.
    asked += [(".".join(labels[start:]), Kind.CAA) for start in range(len(labels) - 1)]
    asked += [(facts.hostname, Kind.A), (facts.hostname, Kind.AAAA), (f"_25._tcp.{facts.hostname}", Kind.TLSA)]
    return tuple(dict.fromkeys(asked))
