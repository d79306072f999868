"""The DNS as a `mailauth.resolver.Resolver`: asks the recursive resolvers, remembers, and asks each thing once.

What is remembered has an end: an answer for its TTL within bounds, an absence for that of its SOA
(RFC 2308 §5), a failure for seconds (RFC 9520 §3.2). Those who ask the same at the same time share
one question.
"""

from __future__ import annotations

__all__ = ["DnsResolver", "read_address", "read_as_written", "read_mx", "read_ptr", "read_tlsa", "read_txt"]

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal, TypeVar

import dns.name
import dns.rdata
import dns.rdatatype
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from hongyan.clients.dns_query import DnsOptions, DnsReply, NameServer, ask, system_servers
from hongyan.clock import Clock
from hongyan.mailauth.resolver import (
    Answer,
    DnsFault,
    DnsNotFound,
    Dnssec,
    DnsTemporary,
    IPAddress,
    MxRecord,
    TlsaRecord,
)

_MIN_TTL: Final = 5
_MAX_TTL: Final = 86_400
_MAX_ABSENT_TTL: Final = 900
_FAILED_TTL: Final = 5

_LOOPBACK: Final[dict[int, IPAddress]] = {4: IPv4Address("127.0.0.1"), 6: IPv6Address("::1")}

_Question = tuple[dns.name.Name, dns.rdatatype.RdataType]
_Outcome = DnsReply | DnsTemporary
_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True)
class _Remembered:
    outcome: _Outcome
    until: float


class DnsResolver:
    """Asks the DNS. To be used within one event loop."""

    def __init__(self, options: DnsOptions, clock: Clock, servers: Sequence[NameServer] | None = None) -> None:
        if servers is None:
            named = [NameServer.parse(server, trusted=options.trusted) for server in options.servers]
            servers = named or system_servers(trusted=options.trusted)
        self._servers = list(servers)
        self._options = options
        self._clock = clock
        self._cache: OrderedDict[_Question, _Remembered] = OrderedDict()
        self._under_way: dict[_Question, asyncio.Future[_Outcome | None]] = {}
        self._slots = asyncio.Semaphore(options.concurrency)

    async def txt(self, name: str) -> Answer[bytes]:
        return await self._find(name, dns.rdatatype.TXT, read_txt)

    async def mx(self, name: str) -> Answer[MxRecord]:
        return await self._find(name, dns.rdatatype.MX, read_mx)

    async def tlsa(self, name: str) -> Answer[TlsaRecord]:
        return await self._find(name, dns.rdatatype.TLSA, read_tlsa)

    async def ptr(self, address: IPAddress) -> Answer[str]:
        return await self._find(address.reverse_pointer, dns.rdatatype.PTR, read_ptr)

    async def records(self, name: str, kind: str) -> Answer[str]:
        """Return records of any kind as a zone file writes them, of TXT the bare text: for people and for checks."""
        return await self._find(name, dns.rdatatype.from_text(kind), read_as_written)

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> Answer[IPAddress]:
        lowered = name.lower()
        if lowered == "localhost" or lowered.endswith(".localhost"):  # RFC 6761 §6.3: never a question for the DNS
            found = tuple(address for number, address in _LOOPBACK.items() if version in (None, number))
            return Answer(found, lowered, Dnssec.INSECURE, _MIN_TTL)
        if version == 4:
            return await self._find(name, dns.rdatatype.A, read_address)
        if version == 6:
            return await self._find(name, dns.rdatatype.AAAA, read_address)
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._try_find(name, kind)) for kind in (dns.rdatatype.AAAA, dns.rdatatype.A)]
        return _join_addresses([task.result() for task in asked])

    async def _try_find(self, name: str, kind: dns.rdatatype.RdataType) -> Answer[IPAddress] | DnsFault:
        try:
            return await self._find(name, kind, read_address)
        except DnsFault as fault:
            return fault

    async def _find(
        self, name: str, kind: dns.rdatatype.RdataType, convert: Callable[[dns.rdata.Rdata], _Record | None]
    ) -> Answer[_Record]:
        question = f"{name} {dns.rdatatype.to_text(kind)}"
        asked = _parse_name(name)
        if asked is None:
            raise DnsNotFound(question, domain_exists=False)
        reply = await self._ask((asked, kind))
        if isinstance(reply, DnsTemporary):
            raise DnsTemporary(question, reply.cause, dnssec=reply.dnssec)
        records = tuple(record for record in map(convert, reply.records) if record is not None)
        if not records:
            raise DnsNotFound(question, domain_exists=reply.domain_exists, dnssec=reply.dnssec)
        return Answer(records, reply.name, reply.dnssec, reply.ttl)

    async def _ask(self, question: _Question) -> _Outcome:
        while True:
            remembered = self._recall(question)
            if remembered is not None:
                return remembered
            under_way = self._under_way.get(question)
            if under_way is None:
                return await self._lead(question)
            # A shield: who leaves does not take the answer from the others.
            outcome = await asyncio.shield(under_way)
            if outcome is not None:
                return outcome
            # Who asked for all of us was cancelled: one of us asks again.

    async def _lead(self, question: _Question) -> _Outcome:
        shared: asyncio.Future[_Outcome | None] = asyncio.get_running_loop().create_future()
        self._under_way[question] = shared
        outcome: _Outcome | None = None
        try:
            async with self._slots:
                outcome = await self._ask_servers(question)
            self._remember(question, outcome)
            return outcome
        finally:
            del self._under_way[question]
            shared.set_result(outcome)

    async def _ask_servers(self, question: _Question) -> _Outcome:
        try:
            reply, failed = await ask(*question, self._servers * self._options.rounds, self._options.timeout)
        except DnsTemporary as fault:
            return fault
        for server in failed:
            if server in self._servers[:-1]:
                # The others are asked first from now on.
                self._servers.remove(server)
                self._servers.append(server)
        longest = _MAX_TTL if reply.records else _MAX_ABSENT_TTL
        return replace(reply, ttl=min(max(reply.ttl, _MIN_TTL), longest))

    def _recall(self, question: _Question) -> _Outcome | None:
        remembered = self._cache.get(question)
        if remembered is None:
            return None
        left = remembered.until - self._clock.monotonic()
        if left <= 0:
            del self._cache[question]
            return None
        self._cache.move_to_end(question)
        if isinstance(remembered.outcome, DnsTemporary):
            return remembered.outcome
        return replace(remembered.outcome, ttl=int(left))

    def _remember(self, question: _Question, outcome: _Outcome) -> None:
        ttl = _FAILED_TTL if isinstance(outcome, DnsTemporary) else outcome.ttl
        self._cache[question] = _Remembered(outcome, self._clock.monotonic() + ttl)
        self._cache.move_to_end(question)
        while len(self._cache) > self._options.cache_entries:
            self._cache.popitem(last=False)


def _parse_name(name: str) -> dns.name.Name | None:
    """Return the name as labels; what is between the dots may be anything printable (macros of SPF make such names)."""
    if not name.isascii() or not name.isprintable() or " " in name:
        return None
    try:
        return dns.name.Name([label.encode().lower() for label in name.removesuffix(".").split(".")] + [b""])
    except (dns.name.EmptyLabel, dns.name.LabelTooLong, dns.name.NameTooLong):
        return None


def _join_addresses(found: Sequence[Answer[IPAddress] | DnsFault]) -> Answer[IPAddress]:
    answers = [answer for answer in found if isinstance(answer, Answer)]
    faults = [fault for fault in found if isinstance(fault, DnsFault)]
    if not answers:
        raise next((fault for fault in faults if isinstance(fault, DnsTemporary)), faults[0])
    secure = all(answer.dnssec is Dnssec.SECURE for answer in found)
    return Answer(
        tuple(record for answer in answers for record in answer.records),
        answers[0].name,
        Dnssec.SECURE if secure else Dnssec.INSECURE,
        min(answer.ttl for answer in answers),
    )


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if len(name) > 1 else ""


def read_txt(rdata: dns.rdata.Rdata) -> bytes | None:
    """Return the text of a TXT record, its strings joined, or None for any other record."""
    return b"".join(rdata.strings) if isinstance(rdata, TXT) else None


def read_as_written(rdata: dns.rdata.Rdata) -> str:
    """Return any record as a zone file writes it, of TXT the bare text."""
    text = read_txt(rdata)
    return rdata.to_text() if text is None else text.decode("utf-8", "replace")


def read_mx(rdata: dns.rdata.Rdata) -> MxRecord | None:
    """Return an MX record, or None for any other record."""
    return MxRecord(rdata.preference, _text(rdata.exchange)) if isinstance(rdata, MX) else None


def read_ptr(rdata: dns.rdata.Rdata) -> str | None:
    """Return the name in a PTR record, or None for any other record."""
    return _text(rdata.target) if isinstance(rdata, PTR) else None


def read_tlsa(rdata: dns.rdata.Rdata) -> TlsaRecord | None:
    """Return a TLSA record, or None for any other record."""
    return TlsaRecord(rdata.usage, rdata.selector, rdata.mtype, rdata.cert) if isinstance(rdata, TLSA) else None


def read_address(rdata: dns.rdata.Rdata) -> IPAddress | None:
    """Return the address in an A or AAAA record, or None for any other record."""
    return ip_address(rdata.address) if isinstance(rdata, A | AAAA) else None
