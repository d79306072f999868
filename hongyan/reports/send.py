"""Sends reports: once a day to each domain that asks, at a time of its own after midnight (UTC).

Of several processes one claims a report, for an hour; what it cannot finish is claimed again, a few times. The report
has the same id and file name each time, so that whoever gets it twice can tell, and the queue takes it once.
"""

from __future__ import annotations

__all__ = ["OptOuts", "Poster", "ReportPost", "ReportSender"]

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b, sha256
from typing import Final, NoReturn, Protocol

from hongyan import telemetry
from hongyan.addresses import Address
from hongyan.clock import Clock, Random
from hongyan.errors import PeerFault, ServerFault
from hongyan.mailauth.reports.aggregate import AggregateReport
from hongyan.mailauth.reports.aggregate_writer import write_aggregate
from hongyan.mailauth.reports.destinations import (
    Destination,
    find_consenting,
    find_tls_destinations,
    parse_destination,
)
from hongyan.mailauth.reports.letter import Letter, aggregate_letter, tls_letter
from hongyan.mailauth.reports.packed import pack
from hongyan.mailauth.reports.tls import TlsReport, write_tls_report
from hongyan.mailauth.resolver import DnsTemporary, Resolver
from hongyan.queue.items import Queue, new_message
from hongyan.reports.facts import read_about_dmarc, read_dmarc_rows, read_tls_results
from hongyan.reports.options import ReportOptions
from hongyan.store.evaluations import DueReport, EvaluationStore, ReportKind
from hongyan.store.queue import NewRecipient
from hongyan.telemetry import metrics
from hongyan.wire.smtp.parameters import Body, Notify

_PAUSE: Final = 60.0  # seconds between looks at what is due
_CLAIM: Final = timedelta(hours=1)
_MOST_ATTEMPTS: Final = 5
_POST_DEADLINE: Final = 60.0
_GENERATOR: Final = "Hongyan"
_SENDERS: Final = {ReportKind.DMARC: "noreply-dmarc", ReportKind.TLS: "noreply-tls"}

log = telemetry.logger("reports")


class Poster(Protocol):
    """Hands documents over by HTTPS."""

    async def post(self, host: str, path: str, media_type: str, octets: bytes, *, deadline: float) -> None:
        """Post octets. Raises `PeerFault` unless they were taken."""
        ...


class OptOuts:
    """To whom no reports are sent: by the configuration, or by an operator's word."""

    def __init__(self, store: EvaluationStore, options: ReportOptions) -> None:
        self._store = store
        self._options = options

    async def includes(self, domain: str) -> bool:
        """Whether a domain, or one above it, wants nothing."""
        known = {*self._options.opt_out, *(one.domain for one in await self._store.list_optouts())}
        labels = domain.split(".")
        return any(".".join(labels[start:]) in known for start in range(len(labels)))


class ReportPost:
    """Puts letters into the queue: without a sender that could be told of failures, and signed."""

    def __init__(
        self,
        host: str,
        queue: Queue,
        random: Random,
        sign: Callable[[bytes, Address], bytes],
        is_local: Callable[[Address], bool],
    ) -> None:
        """`sign` returns the fields that sign a message to an address elsewhere (DKIM); none, if it cannot."""
        self._host = host
        self._queue = queue
        self._random = random
        self._sign = sign
        self._is_local = is_local

    async def send(self, octets: bytes, recipient: Address, report_id: str) -> bool:
        """Queue a letter, once for each report and recipient; False: it cannot be signed, and nobody would believe it.

        RFC 9990 §3.5.2 and RFC 8460 §5.3 want it signed.
        """
        signature = self._sign(octets, recipient)
        if not signature and not self._is_local(recipient):
            return False
        now = self._queue.clock.now()
        await self._queue.enqueue(
            new_message(
                None,
                [NewRecipient(recipient, Notify.NEVER)],
                now=now,
                expires=self._queue.schedule.expires(now),
                size=len(octets),
                octets=octets,
                content_digest=sha256(report_id.encode()).digest(),
                prefix=signature,
                trace_id=self._random.token(9).hex(),
                body=Body.SEVEN_BIT,
            )
        )
        return True


class ReportSender:
    """Makes the reports that are due, and sends them."""

    def __init__(
        self,
        host: str,
        store: EvaluationStore,
        resolver: Resolver,
        post: ReportPost,
        poster: Poster,
        clock: Clock,
        random: Random,
        options: ReportOptions,
    ) -> None:
        self._host = host
        self._store = store
        self._resolver = resolver
        self._post = post
        self._poster = poster
        self._clock = clock
        self._random = random
        self._options = options
        self._optouts = OptOuts(store, options)

    async def run(self) -> NoReturn:
        """Send what is due, again and again, until cancelled."""
        while True:
            await asyncio.sleep(_PAUSE)
            await self.send_due()

    async def send_due(self) -> int:
        """Send all that is due; return how many reports were dealt with."""
        done = 0
        try:
            while (due := await self._store.claim_due(now := self._clock.now(), now + _CLAIM)) is not None:
                await self._deal_with(due)
                done += 1
        except ServerFault as fault:
            log.warning("not-sent", cause=fault.cause or fault.sentence)
        except Exception as error:  # noqa: BLE001 - the top of a job: mail goes on without it
            metrics.panic_total.labels("reports").inc()
            log.error("panic", error=error)
        return done

    async def _deal_with(self, due: DueReport) -> None:
        try:
            result = await self._send(due)
        except DnsTemporary as fault:
            if due.attempts < _MOST_ATTEMPTS:
                log.info("report-waits", kind=due.kind.value, domain=due.domain, cause=fault.cause)
                return  # It is claimed again when the claim has ended.
            result = "dns"
        except ServerFault:
            raise
        except Exception as error:  # noqa: BLE001 - one report that cannot be made keeps no other from leaving
            metrics.panic_total.labels("reports").inc()
            log.error("panic", error=error, kind=due.kind.value, domain=due.domain)
            if due.attempts < _MOST_ATTEMPTS:
                return
            result = "failed"
        await self._store.settle(due.kind, due.day, due.domain)
        metrics.reports_sent_total.labels(due.kind.value, result).inc()
        log.info("report", kind=due.kind.value, domain=due.domain, day=due.day.isoformat(), result=result)

    async def _send(self, due: DueReport) -> str:
        """Return what became of a report, in a word."""
        is_wanted = self._options.dmarc if due.kind is ReportKind.DMARC else self._options.tls
        if not is_wanted or not due.facts:
            return "off"
        if await self._optouts.includes(due.domain):
            return "opted-out"
        if due.kind is ReportKind.DMARC:
            return await self._send_dmarc(due)
        return await self._send_tls(due)

    async def _send_dmarc(self, due: DueReport) -> str:
        policy, addresses = read_about_dmarc(due.about)
        named = (parse_destination(uri, limit) for uri, limit in addresses)
        wanted = [one for one in named if one is not None and one.address is not None]
        destinations = await find_consenting(due.domain, wanted, self._resolver)
        if not destinations:
            return "nowhere"
        begin, end = _period(due.day)
        report = AggregateReport(
            organization=self._organization,
            contact=self._contact,
            report_id=self._report_id(due),
            begin=begin,
            end=end,
            policy=policy,
            rows=read_dmarc_rows(due.facts),
            generator=_GENERATOR,
        )
        packed = await asyncio.to_thread(lambda: pack(write_aggregate(report)))
        return await self._write_to(due, destinations, lambda letter: aggregate_letter(letter, packed, self._random))

    async def _send_tls(self, due: DueReport) -> str:
        destinations = await find_tls_destinations(due.domain, self._resolver)
        if not destinations:
            return "nowhere"
        begin, end = _period(due.day)
        report = TlsReport(
            organization=self._organization,
            contact=self._contact,
            report_id=self._report_id(due),
            begin=begin,
            end=end,
            policies=read_tls_results(due.domain, due.facts),
        )
        packed = await asyncio.to_thread(lambda: pack(write_tls_report(report)))
        posted = [await self._post_to(one, packed) for one in destinations if one.address is None]
        written = [one for one in destinations if one.address is not None]
        if not written:
            return "sent" if any(posted) else "not-taken"
        return await self._write_to(due, written, lambda letter: tls_letter(letter, packed, self._random))

    async def _post_to(self, destination: Destination, packed: bytes) -> bool:
        """Post a document (RFC 8460 §5.4)."""
        path, kind = destination.path, "application/tlsrpt+gzip"
        try:
            await self._poster.post(destination.host, path, kind, packed, deadline=_POST_DEADLINE)
        except PeerFault as fault:
            log.info("report-not-taken", host=destination.host, cause=fault.cause)
            return False
        return True

    async def _write_to(
        self, due: DueReport, destinations: Sequence[Destination], write: Callable[[Letter], bytes]
    ) -> str:
        result = "too-large"
        for destination in destinations:
            address = destination.address
            if address is None:
                continue
            octets = write(self._letter(due, address))
            if destination.limit and len(octets) > destination.limit:  # RFC 9990 §3.5
                continue
            result = "sent" if await self._post.send(octets, address, self._report_id(due)) else "unsigned"
        return result

    def _letter(self, due: DueReport, recipient: Address) -> Letter:
        begin, end = _period(due.day)
        return Letter(
            submitter=self._host,
            organization=self._organization,
            contact=self._contact,
            sender=f"{_SENDERS[due.kind]}@{self._host}",
            recipient=str(recipient),
            domain=due.domain,
            report_id=self._report_id(due),
            begin=begin,
            end=end,
            at=self._clock.now(),
        )

    def _report_id(self, due: DueReport) -> str:
        """Return an id that is the same each time the same report is made (RFC 9990 §3.5.1)."""
        digest = blake2b(f"{due.kind} {due.domain} {due.day}".encode(), digest_size=10).hexdigest()
        return f"{due.day:%Y%m%d}.{digest}@{self._host}"

    @property
    def _organization(self) -> str:
        return self._options.organization or self._host

    @property
    def _contact(self) -> str:
        return self._options.contact or f"postmaster@{self._host}"


def _period(day: date) -> tuple[datetime, datetime]:
    """Return the first and the last second of a day."""
    begin = datetime.combine(day, time(), UTC)
    return begin, begin + timedelta(days=1, seconds=-1)
