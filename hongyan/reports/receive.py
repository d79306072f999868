"""Reads the reports that others send about our domains: a consumer of the change log (design decision 2).

The letters lie where they were delivered: in the mailboxes of those who get postmaster's mail, or mail for an address
that `[reports] addresses` names. What was read there is filed (`filing`), for nobody reads it again. A report counts if
SPF or DKIM vouched for its sender, if it is about a domain of ours, and once; what it says of its time must be
possible. Everything else is a letter like any other.
"""

from __future__ import annotations

__all__ = ["AddressBook", "ReportReader"]

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final, Protocol

from pyroaring import BitMap

from hongyan import telemetry
from hongyan.addresses import Address, AddressFault, Domain
from hongyan.clock import Clock
from hongyan.domains.domains import Domains
from hongyan.errors import Corrupt, NotFound
from hongyan.mailauth.reports.aggregate import AggregateReport
from hongyan.mailauth.reports.aggregate_writer import write_aggregate
from hongyan.mailauth.reports.fault import ReportFault
from hongyan.mailauth.reports.mailed import MAX_LETTER, looks_like_report, read_letter
from hongyan.mailauth.reports.packed import pack
from hongyan.mailauth.reports.tls import TlsReport, write_tls_report
from hongyan.mailboxes.mail import Mail
from hongyan.reports.filing import Filing
from hongyan.reports.options import ReportOptions
from hongyan.screening.hindsight import read_trace
from hongyan.store.changes import FILED_BY_SERVER, Appended, LoggedChange, uid_runs
from hongyan.store.evaluations import ReportKind
from hongyan.store.messages import Column
from hongyan.store.received_reports import ReceivedReport, ReceivedReportStore
from hongyan.telemetry import metrics
from hongyan.types import AccountId, BlobRef, MailboxId

_HEADER: Final = 32_768  # octets that are looked at before the whole letter is
_MOST: Final = 500  # letters of one entry
_WATCHED_FOR: Final = 60.0  # seconds that is remembered whose mail is read
_AHEAD: Final = timedelta(days=2)
_LONGEST: Final = timedelta(days=32)
_LONGEST_ID: Final = 300
_TAKEN: Final = frozenset({"new", "known", "too-many"})  # They say nothing that the summary does not.
_LARGEST_KEPT: Final = 1 << 20  # octets of a document as it is stored; those of the largest providers have a tenth

log = telemetry.logger("reports")


class AddressBook(Protocol):
    """Knows who gets the mail for an address of ours."""

    async def accounts(self, address: Address) -> Sequence[AccountId]:
        """Return the accounts."""
        ...


class ReportReader:
    """`notify.consumers.Consumer`."""

    def __init__(
        self,
        mail: Mail,
        store: ReceivedReportStore,
        domains: Domains,
        addresses: AddressBook,
        clock: Clock,
        options: ReportOptions,
        filing: Filing,
    ) -> None:
        self._mail = mail
        self._store = store
        self._domains = domains
        self._addresses = addresses
        self._clock = clock
        self._options = options
        self.filing = filing
        self._watched: frozenset[AccountId] = frozenset()
        self._watched_until = 0.0

    @property
    def name(self) -> str:
        return "reports"

    async def take(self, account: AccountId, changes: Sequence[LoggedChange]) -> None:
        if account not in await self._find_watched():
            return
        for entry in changes:
            match entry.change:
                case Appended() as came:
                    uids = BitMap(range(came.first_uid, came.first_uid + min(came.count, _MOST)))
                    uids -= came.flags.get(FILED_BY_SERVER, BitMap())  # We have moved them ourselves.
                    await self._read_letters(account, entry.mailbox, uids)
                case _:
                    pass

    async def start_over(self, account: AccountId) -> None:
        """What came meanwhile is not looked for: the next report tells the next day."""

    async def expire(self) -> int:
        """Remove what is too old; return how much."""
        return await self._store.expire(self._clock.now() - timedelta(days=self._options.keep))

    async def _find_watched(self) -> frozenset[AccountId]:
        now = self._clock.monotonic()
        if now >= self._watched_until:
            named = [Address("postmaster", settings.domain) for settings in self._domains.list_domains()]
            named += map(Address.parse, self._options.addresses)
            self._watched = frozenset([one for name in named for one in await self._addresses.accounts(name)])
            self._watched_until = now + _WATCHED_FOR
        return self._watched

    async def _read_letters(self, account: AccountId, mailbox: MailboxId, uids: BitMap) -> None:
        columns = (Column.UID, Column.PREFIX, Column.BLOB)
        taken = BitMap()
        try:
            rows = await self._mail.messages.rows(account, mailbox, columns, uid_runs(uids), limit=_MOST)
        except NotFound:
            return
        for uid, prefix, blob in rows:
            if not prefix:
                continue  # It did not come by delivery: somebody copied or moved it.
            try:
                header = await self._mail.blobs.read(BlobRef(blob), 0, _HEADER)
                if not looks_like_report(header.partition(b"\r\n\r\n")[0]):
                    continue
                octets = await self._mail.blobs.read(BlobRef(blob), 0, MAX_LETTER + 1)
            except Corrupt as fault:
                log.warning("not-readable", cause=fault.cause)
                continue
            result = await self.keep(octets, bytes(prefix))
            metrics.reports_received_total.labels(result).inc()
            if result in _TAKEN:
                taken.add(uid)
        if taken:
            await self.filing.file(account, mailbox, taken)

    async def keep(self, octets: bytes, prefix: bytes) -> str:
        """Take in what a letter brings; return in a word what became of it."""
        if len(octets) > MAX_LETTER:
            return "too-large"
        sender = read_trace(prefix).domain
        if sender is None:
            log.info("report-unauthenticated")
            return "unauthenticated"
        try:
            report = await asyncio.to_thread(read_letter, octets)
        except ReportFault as fault:
            log.info("report-unreadable", sender=sender, cause=fault.cause)
            return "unreadable"
        if report is None:
            return "none"
        if not self._is_possible(report):
            return "impossible"
        # A document of ten megabytes is written and packed anew in seconds: beside the loop.
        kept = await asyncio.to_thread(lambda: list(self._to_keep(report, sender)))
        if any(len(one.content) > _LARGEST_KEPT for one in kept):
            return "too-large"
        return await self._store_all(kept, sender)

    async def _store_all(self, kept: Sequence[ReceivedReport], sender: str) -> str:
        result = "foreign"
        for one in kept:
            result = (await self._store.add(one, most_a_day=self._options.most_a_day)).value
            log.info("report-received", kind=one.kind.value, domain=one.domain, sender=sender, result=result)
        return result

    def _is_possible(self, report: AggregateReport | TlsReport) -> bool:
        is_past = report.end <= self._clock.now() + _AHEAD
        return is_past and report.end - report.begin <= _LONGEST and len(report.report_id) <= _LONGEST_ID

    def _to_keep(self, report: AggregateReport | TlsReport, sender: str) -> Iterator[ReceivedReport]:
        """Yield what a report tells of domains of ours, for each of them."""
        if isinstance(report, AggregateReport):
            domain = self._find_ours(report.policy.domain)
            if domain is not None:
                passed = sum(row.count for row in report.rows if row.is_aligned)
                failed = sum(row.count for row in report.rows if not row.is_aligned)
                yield self._kept(report, ReportKind.DMARC, domain, sender, passed, failed, write_aggregate(report))
            return
        for name in dict.fromkeys(policy.domain for policy in report.policies):
            domain = self._find_ours(name)
            if domain is not None:
                policies = tuple(policy for policy in report.policies if policy.domain == name)
                part = TlsReport(
                    organization=report.organization,
                    contact=report.contact,
                    report_id=report.report_id,
                    begin=report.begin,
                    end=report.end,
                    policies=policies,
                )
                succeeded = sum(policy.succeeded for policy in policies)
                failed = sum(policy.failed for policy in policies)
                yield self._kept(part, ReportKind.TLS, domain, sender, succeeded, failed, write_tls_report(part))

    def _kept(
        self,
        report: AggregateReport | TlsReport,
        kind: ReportKind,
        domain: str,
        sender: str,
        succeeded: int,
        failed: int,
        document: bytes,
    ) -> ReceivedReport:
        return ReceivedReport(
            domain=domain,
            kind=kind,
            sender=sender,
            report_id=report.report_id,
            organization=report.organization or sender,
            begins_at=report.begin,
            ends_at=report.end,
            received_at=self._clock.now(),
            succeeded=succeeded,
            failed=failed,
            content=pack(document),
        )

    def _find_ours(self, name: str) -> str | None:
        """Return the domain of ours that a policy's domain is, or lies below."""
        labels = name.split(".")
        for start in range(len(labels)):
            try:
                domain = Domain.parse(".".join(labels[start:]))
            except AddressFault:
                return None
            if self._domains.is_local(domain):
                return domain.text
        return None
