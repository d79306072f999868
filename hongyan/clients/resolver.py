"""The DNS as a `mailauth.resolver.Resolver`: asks the recursive resolvers, remembers, and asks each thing once.

What is remembered has an end: an answer for its TTL within bounds, an absence for that of its SOA
(RFC 2308 §5), a failure for seconds (RFC 9520 §3.2). Where `dns.stale` says so, an answer outlives its
TTL while nobody answers. Those who ask the same at the same time share
one question.
"""

from __future__ import annotations

__all__ = [
    "DnsResolver",
    "RecordResolver",
    "make_resolver",
    "read_address",
    "read_as_written",
    "read_cname",
    "read_mx",
    "read_ptr",
    "read_tlsa",
    "read_txt",
]

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final, Literal, Protocol, TypeVar, cast

import dns.name
import dns.rdata
import dns.rdatatype
from dns.rdtypes.ANY.CNAME import CNAME
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.PTR import PTR
from dns.rdtypes.ANY.TLSA import TLSA
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from hongyan.clients.dns_health import ServerHealth
from hongyan.clients.dns_query import DnsOptions, DnsReply, NameServer, ask, system_servers
from hongyan.clients.no_resolver import NoResolver
from hongyan.clock import Clock
from hongyan.mailauth.resolver import (
    LOCALHOST,
    Answer,
    DnsFault,
    DnsNotFound,
    Dnssec,
    DnsTemporary,
    IPAddress,
    MxRecord,
    Resolver,
    TlsaRecord,
    is_localhost,
)
from hongyan.telemetry import metrics

_MIN_TTL: Final = 5
_MAX_TTL: Final = 86_400
_MAX_ABSENT_TTL: Final = 900
_FAILED_TTL: Final = 5
_STALE_TTL: Final = 30
"""How long an answer that is past its time is used before somebody is asked again (RFC 8767 §5)."""

_Question = tuple[str, dns.rdatatype.RdataType]
"""A name in lower case, without the final dot, and what is asked of it."""
_Outcome = DnsReply | DnsTemporary
_Record = TypeVar("_Record")
_Reader = Callable[[dns.rdata.Rdata], object]


@dataclass(slots=True)
class _Remembered:
    outcome: _Outcome
    until: float
    ended: float
    """When its time was over, however long it is used after that."""
    read: tuple[_Reader, tuple[object, ...]] | None = None
    """What its records say, once somebody has read them: most are read for every message, and always alike."""


class RecordResolver(Resolver, Protocol):
    """A resolver that answers people and checks too."""

    async def cname(self, name: str) -> Answer[str]:
        """Return what a name is an alias of: its own CNAME record, not followed."""
        ...

    async def records(self, name: str, kind: str) -> Answer[str]:
        """Return records of any kind as a zone file writes them, of TXT the bare text."""
        ...


def make_resolver(options: DnsOptions, clock: Clock) -> RecordResolver:
    """Return what asks the DNS, or what does not where the configuration says so."""
    return DnsResolver(options, clock) if options.enabled else NoResolver()


class DnsResolver:
    """Asks the DNS. To be used within one event loop."""

    def __init__(
        self, options: DnsOptions, clock: Clock, servers: Sequence[NameServer] | None = None, *, max_ttl: int = _MAX_TTL
    ) -> None:
        if servers is None:
            named = [NameServer.parse(server, trusted=options.trusted) for server in options.servers]
            servers = named or system_servers(trusted=options.trusted)
        self._health = ServerHealth(servers)
        self._options = options
        self._max_ttl = max_ttl
        self._clock = clock
        self._cache: OrderedDict[_Question, _Remembered] = OrderedDict()
        self._under_way: dict[_Question, asyncio.Future[_Remembered | None]] = {}
        self._slots = asyncio.Semaphore(options.concurrency)

    async def txt(self, name: str) -> Answer[bytes]:
        return await self._find(name, dns.rdatatype.TXT, read_txt)

    async def mx(self, name: str) -> Answer[MxRecord]:
        return await self._find(name, dns.rdatatype.MX, read_mx)

    async def tlsa(self, name: str) -> Answer[TlsaRecord]:
        return await self._find(name, dns.rdatatype.TLSA, read_tlsa)

    async def cname(self, name: str) -> Answer[str]:
        return await self._find(name, dns.rdatatype.CNAME, read_cname)

    async def ptr(self, address: IPAddress) -> Answer[str]:
        return await self._find(address.reverse_pointer, dns.rdatatype.PTR, read_ptr)

    async def records(self, name: str, kind: str) -> Answer[str]:
        """Return records of any kind as a zone file writes them, of TXT the bare text: for people and for checks."""
        return await self._find(name, dns.rdatatype.from_text(kind), read_as_written)

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> Answer[IPAddress]:
        if is_localhost(name):
            found = tuple(address for address in LOCALHOST if version in (None, address.version))
            return Answer(found, name.lower(), Dnssec.INSECURE, _MIN_TTL)
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
        remembered = None
        if name.isascii():  # Lower case makes ASCII letters of some others.
            question = (name.lower().removesuffix("."), kind)
            remembered = self._recall(question)
            if remembered is None and (parsed := _parse_name(name)) is not None:
                remembered = await self._ask(question, parsed)
        asked = f"{name} {dns.rdatatype.to_text(kind)}"
        if remembered is None:
            raise DnsNotFound(asked, domain_exists=False)
        reply = remembered.outcome
        if isinstance(reply, DnsTemporary):
            raise DnsTemporary(asked, reply.cause, dnssec=reply.dnssec)
        records = _read(remembered, reply, convert)
        if not records:
            raise DnsNotFound(asked, domain_exists=reply.domain_exists, dnssec=reply.dnssec)
        return Answer(records, reply.name, reply.dnssec, max(round(remembered.until - self._clock.monotonic()), 0))

    async def _ask(self, question: _Question, name: dns.name.Name) -> _Remembered:
        while True:
            remembered = self._recall(question)
            if remembered is not None:
                return remembered
            under_way = self._under_way.get(question)
            if under_way is None:
                return await self._lead(question, name)
            # A shield: who leaves does not take the answer from the others.
            remembered = await asyncio.shield(under_way)
            if remembered is not None:
                return remembered
            # Who asked for all of us was cancelled: one of us asks again.

    async def _lead(self, question: _Question, name: dns.name.Name) -> _Remembered:
        shared: asyncio.Future[_Remembered | None] = asyncio.get_running_loop().create_future()
        self._under_way[question] = shared
        remembered: _Remembered | None = None
        try:
            async with self._slots:
                outcome = await self._ask_servers(name, question[1])
            remembered = self._recall_stale(question, outcome) or self._remember(question, outcome)
            return remembered
        finally:
            del self._under_way[question]
            shared.set_result(remembered)

    async def _ask_servers(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> _Outcome:
        ordered = self._health.order(self._clock.monotonic())
        try:
            reply = await ask(name, kind, [*ordered] * self._options.rounds, self._options.timeout, self._note)
        except DnsTemporary as fault:
            return fault
        longest = self._max_ttl if reply.records else _MAX_ABSENT_TTL
        return replace(reply, ttl=min(max(reply.ttl, _MIN_TTL), longest))

    def _note(self, server: NameServer, cause: str) -> None:
        if cause:
            self._health.failed(server, self._clock.monotonic(), cause)
        else:
            self._health.answered(server)

    def _recall_stale(self, question: _Question, outcome: _Outcome) -> _Remembered | None:
        """Return what was remembered, if it is not too old and nobody answers.

        Bogus answers have no such grace; nor have those that DNSSEC vouched for. It does so no more once their time is
        over, and as unsigned ones they would free a host from its TLSA records: whoever silences the DNS gains by it.
        """
        remembered = self._cache.get(question)
        if not isinstance(outcome, DnsTemporary) or outcome.dnssec is Dnssec.BOGUS:
            return None
        if remembered is None or isinstance(remembered.outcome, DnsTemporary):
            return None
        if remembered.outcome.dnssec is Dnssec.SECURE:
            return None
        now = self._clock.monotonic()
        if now - remembered.ended > self._options.stale:
            return None
        metrics.dns_stale_total.inc()
        stale = _Remembered(remembered.outcome, now + _STALE_TTL, remembered.ended, remembered.read)
        self._cache[question] = stale
        return stale

    def _recall(self, question: _Question) -> _Remembered | None:
        remembered = self._cache.get(question)
        if remembered is None:
            return None
        now = self._clock.monotonic()
        if remembered.until <= now:
            is_reply = isinstance(remembered.outcome, DnsReply)
            if not is_reply or now - remembered.ended > self._options.stale:
                del self._cache[question]
            return None
        self._cache.move_to_end(question)
        return remembered

    def _remember(self, question: _Question, outcome: _Outcome) -> _Remembered:
        ttl = _FAILED_TTL if isinstance(outcome, DnsTemporary) else outcome.ttl
        until = self._clock.monotonic() + ttl
        remembered = self._cache[question] = _Remembered(outcome, until, until)
        self._cache.move_to_end(question)
        while len(self._cache) > self._options.cache_entries:
            self._cache.popitem(last=False)
        return remembered


def _read(
    remembered: _Remembered, reply: DnsReply, convert: Callable[[dns.rdata.Rdata], _Record | None]
) -> tuple[_Record, ...]:
    if remembered.read is not None and remembered.read[0] is convert:
        return cast(tuple[_Record, ...], remembered.read[1])
    records = tuple(record for record in map(convert, reply.records) if record is not None)
    remembered.read = convert, records
    return records


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
    # Who keeps one of the two questions from being answered must not make a signed host one that DANE spares.
    told = [one for one in found if not isinstance(one, DnsTemporary)]
    secure = all(one.dnssec is Dnssec.SECURE for one in told)
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


def read_cname(rdata: dns.rdata.Rdata) -> str | None:
    """Return the name in a CNAME record, or None for any other record."""
    return _text(rdata.target) if isinstance(rdata, CNAME) else None


def read_ptr(rdata: dns.rdata.Rdata) -> str | None:
    """Return the name in a PTR record, or None for any other record."""
    return _text(rdata.target) if isinstance(rdata, PTR) else None


def read_tlsa(rdata: dns.rdata.Rdata) -> TlsaRecord | None:
    """Return a TLSA record, or None for any other record."""
    return TlsaRecord(rdata.usage, rdata.selector, rdata.mtype, rdata.cert) if isinstance(rdata, TLSA) else None


def read_address(rdata: dns.rdata.Rdata) -> IPAddress | None:
    """Return the address in an A or AAAA record, or None for any other record."""
    return ip_address(rdata.address) if isinstance(rdata, A | AAAA) else None
