"""What one SPF check asks the DNS, and how much it may: the limits of RFC 7208 §4.6.4 are kept here.

A record is written by a stranger and can name anybody's domains: without limits each message would make us
ask where and as often as the sender likes (RFC 7208 §11.1). A check that asks for more has ended.
"""

from __future__ import annotations

__all__ = ["Inquiry", "Questions", "SpfEnded", "SpfLimits"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hongyan.clock import Clock
from hongyan.mailauth.resolver import DnsFault, DnsNotFound, DnsTemporary, IPAddress, Resolver
from hongyan.mailauth.spf_macros import is_askable
from hongyan.mailauth.spf_record import (
    SpfRecord,
    SpfRecordFault,
    SpfStatus,
    is_spf_record,
    parse_record,
    printable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfLimits:
    """How much of the DNS one check may use (RFC 7208 §4.6.4)."""

    terms: int = 10
    """Mechanisms and modifiers that ask."""
    voids: int = 2
    """Of these, how many may ask in vain."""
    names: int = 10
    """Names of an MX answer, and of a PTR answer, whose addresses are asked for."""
    questions: int = 123
    """Questions in all. The others allow no more than 123: the record, ten terms with an MX answer of ten names each,
    a PTR answer of ten names for macros, and the explanation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """The DNS, and until when it may be asked."""

    resolver: Resolver
    clock: Clock
    deadline: float
    """On the clock's monotonic time; RFC 7208 §4.6.4 wants at least 20 seconds. Beyond it the result is temperror."""
    receiver: str = "unknown"
    """Our host name, for explanations."""
    explains: bool = True
    """Whether to ask for the explanation of a fail."""
    limits: SpfLimits = SpfLimits()


class SpfEnded(Exception):
    """The check ends here, with an error."""

    def __init__(self, status: SpfStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Questions:
    """The questions of one check for one client. Each raises `SpfEnded` where the check must end with it."""

    __slots__ = ("_address", "_confirmed", "_inquiry", "_limits", "_pointers", "_version", "asked", "terms", "voids")

    def __init__(self, address: IPAddress, inquiry: Inquiry) -> None:
        self._address = address
        self._version: Literal[4, 6] = address.version
        self._inquiry = inquiry
        self._limits = inquiry.limits
        self._pointers: tuple[str, ...] | None = None
        self._confirmed: dict[str, bool] = {}
        self.asked = 0
        self.terms = 0
        self.voids = 0

    def count_term(self, domain: str) -> None:
        """Count a term of the domain's record that asks."""
        if self.terms == self._limits.terms:
            raise SpfEnded(
                SpfStatus.PERMERROR,
                f"more than {self._limits.terms} terms ask the DNS, the last one of {printable(domain)}",
            )
        self.terms += 1

    async def record(self, domain: str) -> SpfRecord | None:
        """Return the SPF record of a domain, or None if there is none (RFC 7208 §4.4, §4.5)."""
        records = [octets for octets in await self.texts(domain) if is_spf_record(octets)]
        if len(records) > 1:
            raise SpfEnded(SpfStatus.PERMERROR, f"{printable(domain)} has more than one SPF record")
        try:
            return parse_record(records[0]) if records else None
        except SpfRecordFault as fault:
            raise SpfEnded(SpfStatus.PERMERROR, f"{printable(domain)}: {fault.cause}") from None

    async def texts(self, name: str) -> tuple[bytes, ...]:
        """Return TXT records. That there are none is no void look-up: a missing record is an error by itself."""
        self._spend(name)
        try:
            return (await self._inquiry.resolver.txt(name)).records
        except DnsNotFound:
            return ()
        except DnsTemporary as fault:
            raise _unanswered(fault) from None

    async def addresses(self, name: str, *, version: Literal[4, 6] | None = None) -> tuple[IPAddress, ...]:
        """Return the addresses of a name, of the client's version if none is given."""
        found = await self._addresses(name, version or self._version)
        if not found:
            self._count_void(name)
        return found

    async def has_exchanger(self, name: str, is_wanted: Callable[[tuple[IPAddress, ...]], bool]) -> bool:
        """Whether a mail exchanger has wanted addresses. More than ten exchangers are an error (RFC 7208 §4.6.4).

        Void are *terms*: hosts without an address of the client's version count once, whatever their number.
        """
        self._spend(name)
        try:
            exchangers = (await self._inquiry.resolver.mx(name)).records
        except DnsNotFound:
            self._count_void(name)
            return False
        except DnsTemporary as fault:
            raise _unanswered(fault) from None
        if len(exchangers) > self._limits.names:
            reason = f"{printable(name)} has more than {self._limits.names} mail exchangers"
            raise SpfEnded(SpfStatus.PERMERROR, reason)
        hosts = dict.fromkeys(record.exchange for record in exchangers if record.exchange)
        found_any = not hosts  # The null MX names none (RFC 7505 §3).
        for host in hosts:
            addresses = await self._addresses(host, self._version)
            if is_wanted(addresses):
                return True
            found_any = found_any or bool(addresses)
        if not found_any:
            self._count_void(name)
        return False

    async def has_pointer_within(self, name: str) -> bool:
        """Whether the client's own name is `name` or below it, and leads back to the client (RFC 7208 §5.5)."""
        inner = f".{name.lower()}"
        for pointer in await self._find_pointers():
            if f".{pointer}".endswith(inner) and await self._is_confirmed(pointer):
                return True
        return False

    async def client_name(self, domain: str) -> str:
        """Return the value of %{p}: the domain itself, a name below it, or any, if confirmed (RFC 7208 §7.3)."""
        inner = f".{domain.lower()}"
        pointers = await self._find_pointers()
        for name in sorted(pointers, key=lambda name: (f".{name}" != inner, not name.endswith(inner))):
            if await self._is_confirmed(name):
                return name
        return "unknown"

    @property
    def knows_pointers(self) -> bool:
        """Whether the reverse zone was asked before. It is asked once in a check."""
        return self._pointers is not None

    async def _find_pointers(self) -> tuple[str, ...]:
        """Return the names that the reverse zone gives, of many the first ten (RFC 7208 §4.6.4).

        A zone that says nothing is no void look-up: it is the client's, who must not make an error of a domain's fail.
        """
        if self._pointers is None:
            self._spend("the client's name")
            try:
                records = (await self._inquiry.resolver.ptr(self._address)).records
            except DnsFault:
                records = ()  # RFC 7208 §5.5: then nothing matches.
            names = [name.lower().removesuffix(".") for name in records[: self._limits.names]]
            self._pointers = tuple(name for name in dict.fromkeys(names) if is_askable(name))
        return self._pointers

    async def _is_confirmed(self, name: str) -> bool:
        if name not in self._confirmed:
            try:
                self._confirmed[name] = self._address in await self._addresses(name, self._version)
            except _Unanswered:
                self._confirmed[name] = False  # RFC 7208 §5.5: the next name is tried.
        return self._confirmed[name]

    async def _addresses(self, name: str, version: Literal[4, 6]) -> tuple[IPAddress, ...]:
        self._spend(name)
        try:
            return (await self._inquiry.resolver.addresses(name, version=version)).records
        except DnsNotFound:
            return ()
        except DnsTemporary as fault:
            raise _unanswered(fault) from None

    def _spend(self, name: str) -> None:
        """Ask leave for one question."""
        if self.asked == self._limits.questions:
            raise SpfEnded(SpfStatus.PERMERROR, f"more than {self._limits.questions} questions to the DNS")
        if self._inquiry.clock.monotonic() >= self._inquiry.deadline:
            raise SpfEnded(SpfStatus.TEMPERROR, f"the time was over before {printable(name)} was asked for")
        self.asked += 1

    def _count_void(self, name: str) -> None:
        self.voids += 1
        if self.voids > self._limits.voids:
            limit = self._limits.voids
            reason = f"more than {limit} terms ask for what is not there, the last one for {printable(name)}"
            raise SpfEnded(SpfStatus.PERMERROR, reason)


class _Unanswered(SpfEnded):
    """Nobody could answer."""


def _unanswered(fault: DnsTemporary) -> _Unanswered:
    return _Unanswered(SpfStatus.TEMPERROR, f"the DNS did not answer: {printable(fault.question.replace(' ', '/'))}")
