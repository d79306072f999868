"""Who sent this message? SPF begins with MAIL, DKIM and ARC while the message streams by, DMARC is asked at the end.

Nothing here judges: what comes out is `Authentication`, and it always comes. All checks share one deadline; what DNS
did not answer by then is a temporary error of its check and never makes mail fail (RFC 9989 §5.3.6).
"""

from __future__ import annotations

__all__ = ["Origin", "OriginServices"]

import asyncio
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from hongyan.addresses import Address, Domain
from hongyan.clock import Clock
from hongyan.mailauth.arc import ArcVerifier
from hongyan.mailauth.authentication import Authentication
from hongyan.mailauth.author import UnfitAuthor, read_author
from hongyan.mailauth.canonical import BodyDigests
from hongyan.mailauth.deadline import UntilDeadline
from hongyan.mailauth.dkim import DkimResult, Verifier
from hongyan.mailauth.dmarc import Identifiers, check_dmarc
from hongyan.mailauth.resolver import Resolver
from hongyan.mailauth.spf import Inquiry, SpfResult, check_helo, check_mail_from
from hongyan.mailauth.spf_record import SpfStatus
from hongyan.message.headers import MAX_HEADER, find_body

_END_OF_HEADER: Final = b"\r\n\r\n"

_HEADER_AT_ONCE: Final = 32 << 10
"""Octets of a header that are kept while it comes. Of a longer one nothing is: it is read once it is there."""

_IN_A_THREAD: Final = 8 << 10
"""Octets of a header from which its authors are read beside the loop: thousands of From fields take their time."""

_Authors = tuple[tuple[Domain, ...] | UnfitAuthor, Address | None]
_Spf = tuple[SpfResult, SpfResult | None]


@dataclass(frozen=True, slots=True)
class OriginServices:
    """What the checks are made with."""

    resolver: Resolver
    clock: Clock
    hostname: str
    seconds: float
    """How long DNS may be asked about one message; what was asked in time is waited for."""


class Origin:
    """The origin of one message: made at MAIL, fed by DATA, asked once at the end, or dropped."""

    __slots__ = ("_reader", "_sender", "_services", "_spf")

    def __init__(
        self, services: OriginServices, peer: str, helo: str, sender: Address | None, *, asks_spf: bool
    ) -> None:
        """`asks_spf` is false for relays of ours: their address says nothing about the sender."""
        self._services = services
        self._sender = sender
        self._reader = _Reader(services.clock.now())
        self._spf: asyncio.Task[_Spf] | None = None
        if asks_spf:
            self._spf = asyncio.create_task(self._ask_spf(peer, helo))

    def add(self, octets: bytes) -> None:
        """Take the next octets of the message."""
        self._reader.add(octets)

    def drop(self) -> None:
        """Nobody needs the answer any more."""
        if self._spf is not None:
            self._spf.cancel()

    async def find(self, octets: bytes) -> Authentication:
        """Return what is known of the whole message, which is handed in again. To be called once."""
        # A task of its own: the end of data may be answered outside one, where nothing can be timed.
        return await asyncio.create_task(self._find(octets))

    async def _find(self, octets: bytes) -> Authentication:
        reader, services = self._reader, self._services
        resolver = UntilDeadline(services.resolver, services.clock, self._deadline())
        if reader.is_late:
            await asyncio.to_thread(reader.read, octets)
        verifier, arc = reader.finish()
        signatures = await verifier.results(resolver)
        chain = await arc.finish(resolver)
        spf, helo = (None, None) if self._spf is None else await self._spf
        authors, author = await _read_authors(reader.header)
        dmarc = None
        if not isinstance(authors, UnfitAuthor):
            dmarc = await check_dmarc(authors, self._identifiers(spf, signatures), resolver)
        return Authentication(
            spf=spf,
            helo=helo,
            signatures=signatures,
            arc=chain,
            authors=authors,
            author=author,
            dmarc=dmarc,
        )

    async def _ask_spf(self, peer: str, helo: str) -> _Spf:
        services, address = self._services, ip_address(peer)
        inquiry = Inquiry(
            resolver=services.resolver,
            clock=services.clock,
            deadline=self._deadline(),
            receiver=services.hostname,
        )
        sender = self._sender
        result = await check_mail_from(address, sender, helo, inquiry)
        return result, await check_helo(address, helo, inquiry) if sender is not None else None

    def _deadline(self) -> float:
        return self._services.clock.monotonic() + self._services.seconds

    def _identifiers(self, spf: SpfResult | None, signatures: tuple[DkimResult, ...]) -> Identifiers:
        """Return the domains that vouch; that of HELO alone, behind a null reverse-path, does not (RFC 9989 §4.4.2)."""
        passed = unsure = None
        if spf is not None and self._sender is not None:
            passed = spf.domain if spf.status is SpfStatus.PASS else None
            unsure = spf.domain if spf.status is SpfStatus.TEMPERROR else None
        return Identifiers.of(passed, signatures, spf_unsure_domain=unsure)


async def _read_authors(header: bytes) -> _Authors:
    return read_author(header) if len(header) < _IN_A_THREAD else await asyncio.to_thread(read_author, header)


class _Reader:
    """Divides the stream into header and body, and lets DKIM and ARC see both."""

    __slots__ = ("_arc", "_digests", "_in_body", "_now", "_start", "_verifier", "header", "is_late")

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._start = bytearray()
        self._in_body = False
        self.header = b""
        self.is_late = False
        """The header was too long to be kept: the message is to be read as a whole."""

    def add(self, octets: bytes) -> None:
        if self._in_body:
            self._digests.update(octets)
            return
        if self.is_late:
            return
        start = self._start
        seen = max(len(start) - len(_END_OF_HEADER), 0)  # The end may lie across chunks.
        start += octets
        if _END_OF_HEADER in start[seen:] or start.startswith(b"\r\n"):
            self._begin_body()
        elif len(start) > _HEADER_AT_ONCE:
            self.is_late = True
            self._start = bytearray()

    def read(self, octets: bytes) -> None:
        """Take the whole message."""
        self._start += octets
        self._begin_body()

    def finish(self) -> tuple[Verifier, ArcVerifier]:
        if not self._in_body:
            self._begin_body()
        return self._verifier, self._arc

    def _begin_body(self) -> None:
        octets = bytes(self._start)
        body = min(find_body(octets, 0, len(octets)), MAX_HEADER)
        self._in_body = True
        self._start = bytearray()
        self.header = octets[:body]
        self._digests = BodyDigests()
        # Most mail is not sealed, and much is not signed: such a header is not read for what it does not hold.
        named = self.header.lower()
        self._verifier = Verifier(self.header if b"dkim-signature" in named else b"", self._now, self._digests)
        self._arc = ArcVerifier(self.header if b"arc-" in named else b"", self._now, self._digests)
        self._digests.update(octets[body:])
