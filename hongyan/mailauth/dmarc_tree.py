"""The DNS tree walk: which DMARC records stand above a domain, and whose domain it is (RFC 9989 §4.10).

No list of public suffixes is needed. A walk asks at the domain and at each of its parents up to the top, for a domain
of many labels at the last seven only: eight questions at most. Walks of one message share what they have asked.
"""

from __future__ import annotations

__all__ = ["DmarcTree", "Node", "organizational_domain"]

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from hongyan.mailauth.dmarc_record import DmarcRecord, Psd, parse_dmarc_record
from hongyan.mailauth.resolver import DnsNotFound, DnsTemporary, Resolver

MAX_QUESTIONS: Final = 8
"""Names that one walk asks for (RFC 9989 §4.10, step 4)."""


class Node(NamedTuple):
    """A domain that has a record."""

    domain: str
    record: DmarcRecord


class DmarcTree:
    """What the DNS says above the domains of one message."""

    __slots__ = ("_known", "_resolver")

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[str, DmarcRecord | DnsTemporary | None] = {}

    async def record(self, domain: str) -> DmarcRecord | None:
        """Return the record published for a domain itself. Raises `DnsTemporary`."""
        if domain not in self._known:
            self._known[domain] = await self._ask(domain)
        known = self._known[domain]
        if isinstance(known, DnsTemporary):
            raise known
        return known

    async def walk(self, domain: str) -> list[Node]:
        """Return the records from the domain upwards, to the first that says whose domain it is. Raises `DnsTemporary`.

        That is one with psd=y or psd=n (RFC 9989 §4.10, steps 2 and 6).
        """
        nodes = []
        for name in _names(domain):
            record = await self.record(name)
            if record is not None:
                nodes.append(Node(name, record))
                if record.psd is not Psd.UNKNOWN:
                    break
        return nodes

    async def organizational_domain(self, domain: str) -> str:
        """Return the domain at the top of what one organization holds (RFC 9989 §3.2.14). Raises `DnsTemporary`."""
        return organizational_domain(domain, await self.walk(domain))

    async def exists(self, domain: str) -> bool:
        """Say whether the DNS knows the name, with whatever records (RFC 9989 §3.2.13). Raises `DnsTemporary`."""
        try:
            await self._resolver.txt(domain)
        except DnsNotFound as absent:
            return absent.domain_exists
        return True

    async def _ask(self, domain: str) -> DmarcRecord | DnsTemporary | None:
        try:
            answer = await self._resolver.txt(f"_dmarc.{domain}")
        except DnsNotFound:
            return None
        except DnsTemporary as fault:
            return fault  # Kept as well: a dead name server is waited for once.
        records = [record for record in map(parse_dmarc_record, answer.records) if record is not None]
        # RFC 9989 §4.10, step 2: several are as good as none.
        return records[0] if len(records) == 1 else None


def organizational_domain(domain: str, nodes: Sequence[Node]) -> str:
    """Choose the organizational domain among what the walk from `domain` has found (RFC 9989 §4.10.2)."""
    for node in nodes:
        if node.record.psd is Psd.NO:
            return node.domain
        if node.record.psd is Psd.YES and node.domain != domain:
            labels = domain.split(".")
            return ".".join(labels[-node.domain.count(".") - 2 :])
    return nodes[-1].domain if nodes else domain


def _names(domain: str) -> Iterator[str]:
    """Yield the domain and its parents of at most seven labels, the longest first."""
    labels = domain.split(".")
    yield domain
    for first in range(max(1, len(labels) - MAX_QUESTIONS + 1), len(labels)):
        yield ".".join(labels[first:])
