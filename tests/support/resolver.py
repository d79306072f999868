"""A DNS that the test writes: `FakeResolver` holds records in memory and counts what was asked."""

from __future__ import annotations

__all__ = ["FakeResolver"]

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal, TypeVar

from hongyan.mailauth.resolver import (
    Answer,
    DnsNotFound,
    Dnssec,
    DnsTemporary,
    IPAddress,
    MxRecord,
    TlsaRecord,
)

Record = TypeVar("Record")


@dataclass
class FakeResolver:
    """Records by (kind, name). CNAMEs are followed; names in `failing` give `DnsTemporary`.

    `FakeResolver().add_mx("example.org", (10, "mx.example.org")).add_address("mx.example.org", "192.0.2.1")`
    """

    ttl: int = 300
    records: dict[tuple[str, str], list[object]] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    bogus: set[str] = field(default_factory=set)
    secure: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def add_txt(self, name: str, *texts: str | bytes) -> FakeResolver:
        return self._add("TXT", name, (text.encode() if isinstance(text, str) else text for text in texts))

    def add_mx(self, name: str, *exchanges: tuple[int, str]) -> FakeResolver:
        return self._add("MX", name, (MxRecord(preference, exchange.lower()) for preference, exchange in exchanges))

    def add_address(self, name: str, *addresses: str) -> FakeResolver:
        for address in map(ip_address, addresses):
            self._add("A" if address.version == 4 else "AAAA", name, [address])
        return self

    def add_ptr(self, address: str, *names: str) -> FakeResolver:
        return self._add("PTR", ip_address(address).reverse_pointer, names)

    def add_tlsa(self, name: str, *records: TlsaRecord) -> FakeResolver:
        return self._add("TLSA", name, records)

    def add_cname(self, name: str, target: str) -> FakeResolver:
        return self._add("CNAME", name, [target.lower()])

    def _add(self, kind: str, name: str, records: Iterable[object]) -> FakeResolver:
        self.records.setdefault((kind, name.lower().rstrip(".")), []).extend(records)
        return self

    async def txt(self, name: str) -> Answer[bytes]:
        return self._find("TXT", name, bytes)

    async def mx(self, name: str) -> Answer[MxRecord]:
        return self._find("MX", name, MxRecord)

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> Answer[IPAddress]:
        found: list[Answer[IPAddress]] = []
        missing: list[DnsNotFound] = []
        for kind, wanted in (("AAAA", 6), ("A", 4)):
            if version in (None, wanted):
                try:
                    found.append(self._find(kind, name, IPv4Address if wanted == 4 else IPv6Address))
                except DnsNotFound as absent:
                    missing.append(absent)
        if not found:
            raise missing[0]
        records = tuple(record for answer in found for record in answer.records)
        return Answer(records, found[0].name, found[0].dnssec, self.ttl)

    async def ptr(self, address: IPAddress) -> Answer[str]:
        return self._find("PTR", address.reverse_pointer, str)

    async def cname(self, name: str) -> Answer[str]:
        name = name.lower().rstrip(".")
        self.asked.append(("CNAME", name))
        if name in self.failing:
            raise DnsTemporary(f"{name} CNAME", "SERVFAIL")
        dnssec = Dnssec.SECURE if name in self.secure else Dnssec.INSECURE
        target = self.records.get(("CNAME", name))
        if not target:
            raise DnsNotFound(f"{name} CNAME", domain_exists=True, dnssec=dnssec)
        return Answer((str(target[0]),), name, dnssec, self.ttl)

    async def tlsa(self, name: str) -> Answer[TlsaRecord]:
        return self._find("TLSA", name, TlsaRecord)

    def _find(self, kind: str, name: str, type_: type[Record]) -> Answer[Record]:
        name = name.lower().rstrip(".")
        self.asked.append((kind, name))
        question = f"{name} {kind}"
        for _ in range(8):
            dnssec = Dnssec.SECURE if name in self.secure else Dnssec.INSECURE
            if name in self.failing:
                raise DnsTemporary(question, "SERVFAIL")
            if name in self.bogus:
                raise DnsTemporary(question, "bogus", dnssec=Dnssec.BOGUS)
            records = self.records.get((kind, name))
            if records:
                return Answer(tuple(record for record in records if isinstance(record, type_)), name, dnssec, self.ttl)
            target = self.records.get(("CNAME", name))
            if not target:
                exists = any(known == name or known.endswith(f".{name}") for _, known in self.records)
                raise DnsNotFound(question, domain_exists=exists, dnssec=dnssec)
            name = str(target[0])
        raise DnsTemporary(question, "a loop of CNAMEs")
