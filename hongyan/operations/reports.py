"""Reports between domains: what others told of ours, what waits to be told to them, and who wants to hear nothing."""

from __future__ import annotations

__all__ = ["report_operations"]

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from hongyan.addresses import Domain
from hongyan.assembly.services import Services
from hongyan.audit.events import AuditEvent
from hongyan.clock import Clock
from hongyan.errors import NotFound, Refused
from hongyan.mailauth.reports.aggregate_reader import MAX_OCTETS, read_aggregate
from hongyan.mailauth.reports.packed import unpack
from hongyan.mailauth.reports.tls import read_tls_report
from hongyan.mailauth.resolver import DnsFault
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.reports.summary import DmarcSummary, Source, TlsSummary, summarize_dmarc, summarize_tls
from hongyan.store.evaluations import OptOut, ReportKind
from hongyan.store.received_reports import ReceivedReport

_DEFAULT_SPAN = timedelta(days=30)
_MOST_READ = 500  # reports of each kind that are added up
_MOST_SOURCES = 200
_MOST_NAMED = 20  # addresses whose name is asked for
_NAME_SECONDS = 5.0


def report_operations(services: Services, clock: Clock) -> Mapping[str, Operation]:
    """Return the operations on reports, by name."""
    group = _Reports(services, clock)
    return {
        "report.list": group.list_received,
        "report.show": group.show,
        "report.pending": group.pending,
        "report.optouts": group.list_optouts,
        "report.optout": group.opt_out,
    }


class _Reports:
    def __init__(self, services: Services, clock: Clock) -> None:
        self._reports = services.reports
        self._domains = services.directory.domains
        self._audit = services.directory.audit
        self._resolver = services.outgoing.resolver
        self._clock = clock

    async def list_received(
        self,
        caller: Caller,  # noqa: ARG002
        *,
        domain: str | None = None,
        since: str | None = None,
        limit: int = 100,
    ) -> Document:
        """Return the reports that others sent on one domain or all, the newest first."""
        name = None if domain is None else Domain.parse(domain).text
        received = self._reports.received
        found = await received.list_reports(name, since=self._moment(since), limit=limit)
        return {"reports": [_shown(one) for one in found]}

    async def show(self, caller: Caller, *, domain: str, since: str | None = None) -> Document:  # noqa: ARG002
        """Add up what others say of a domain: counts, sources, failures with what helps."""
        name, start = Domain.parse(domain), self._moment(since)
        if not self._domains.is_local(name):
            raise NotFound("That domain is not served here.")
        store = self._reports.received
        aggregate = await store.read_reports(name.text, ReportKind.DMARC, since=start, limit=_MOST_READ)
        tls = await store.read_reports(name.text, ReportKind.TLS, since=start, limit=_MOST_READ)
        dmarc_summary = await asyncio.to_thread(_add_up_dmarc, aggregate)
        tls_summary = await asyncio.to_thread(_add_up_tls, tls)
        names = await self._names(dmarc_summary.sources[:_MOST_NAMED])
        return {
            "domain": name.text,
            "since": start.isoformat(),
            "is_whole": max(len(aggregate), len(tls)) < _MOST_READ,
            "reporters": _reporters([*aggregate, *tls]),
            "dmarc": {
                "reports": len(aggregate),
                "messages": dmarc_summary.messages,
                "passed": dmarc_summary.passed,
                "failed": dmarc_summary.messages - dmarc_summary.passed,
                "sources": [_source(one, names) for one in dmarc_summary.sources[:_MOST_SOURCES]],
            },
            "tls": _tls(tls_summary, len(tls)),
        }

    async def pending(self, caller: Caller, *, limit: int = 100) -> Document:  # noqa: ARG002
        """Return the reports to others that grow, or wait for their time."""
        await self._reports.tallies.flush()
        waiting = await self._reports.evaluations.list_waiting(limit=limit)
        return {
            "reports": [
                {
                    "domain": one.domain,
                    "kind": one.kind.value,
                    "day": one.day.isoformat(),
                    "facts": one.facts,
                    "due_at": one.due_at.isoformat(),
                }
                for one in waiting
            ]
        }

    async def list_optouts(self, caller: Caller) -> Document:  # noqa: ARG002
        """Return the domains to which nothing is reported."""
        by_hand = await self._reports.evaluations.list_optouts()
        told = [{"domain": one.domain, "since": one.since.isoformat()} for one in by_hand]
        return {"domains": [*({"domain": one, "since": None} for one in self._reports.options.opt_out), *told]}

    async def opt_out(self, caller: Caller, *, domain: str, undo: bool = False, dry_run: bool = False) -> Document:
        """Report nothing to a domain and those below it any more, or again."""
        name = Domain.parse(domain).text
        known = {one.domain for one in await self._reports.evaluations.list_optouts()}
        if undo and name not in known:
            raise NotFound("That domain is sent reports.")
        if undo and name in self._reports.options.opt_out:
            raise Refused("The configuration says so too: [reports] opt_out.")
        if not dry_run:
            event = AuditEvent.REPORTS_RESUMED if undo else AuditEvent.REPORTS_DECLINED
            audit = self._audit.entry(event, caller.actor, domain=name)
            if undo:
                await self._reports.evaluations.remove_optout(name, audit=audit)
            else:
                await self._reports.evaluations.put_optout(OptOut(name, self._clock.now()), audit=audit)
        return {"domain": name, "reports": undo, "dry_run": dry_run}

    def _moment(self, since: str | None) -> datetime:
        if since is None:
            return self._clock.now() - _DEFAULT_SPAN
        try:
            moment = datetime.fromisoformat(since)
        except ValueError:
            raise Refused("A moment is written as 2026-11-23 or 2026-11-23T08:00.") from None
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    async def _names(self, sources: Iterable[Source]) -> Mapping[str, str]:
        """Return the names of addresses, of those that the DNS knows within a few seconds."""
        tasks = {one.address: asyncio.create_task(self._name(one.address)) for one in sources}
        if not tasks:
            return {}
        _, late = await asyncio.wait(tasks.values(), timeout=_NAME_SECONDS)
        for task in late:
            task.cancel()
        return {address: task.result() for address, task in tasks.items() if task not in late}

    async def _name(self, address: str) -> str:
        try:
            return (await self._resolver.ptr(ip_address(address))).records[0].rstrip(".")
        except DnsFault:
            return ""


def _add_up_dmarc(reports: Sequence[ReceivedReport]) -> DmarcSummary:
    return summarize_dmarc(read_aggregate(unpack(one.content, MAX_OCTETS)) for one in reports)


def _add_up_tls(reports: Sequence[ReceivedReport]) -> TlsSummary:
    return summarize_tls(read_tls_report(unpack(one.content, MAX_OCTETS)) for one in reports)


def _reporters(reports: Iterable[ReceivedReport]) -> list[Document]:
    counts: dict[tuple[str, str], int] = {}
    for one in reports:
        counts[one.organization, one.sender] = counts.get((one.organization, one.sender), 0) + 1
    return [
        {"organization": organization, "sender": sender, "reports": count}
        for (organization, sender), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _source(source: Source, names: Mapping[str, str]) -> Document:
    advice = None if source.trouble is None else source.trouble.advice
    return {
        "address": source.address,
        "name": names.get(source.address, ""),
        "messages": source.messages,
        "passed": source.passed,
        "failed": source.failed,
        "by_spf": source.by_spf,
        "by_dkim": source.by_dkim,
        "quarantined": source.quarantined,
        "rejected": source.rejected,
        "trouble": None if source.trouble is None else source.trouble.value,
        "sentence": "" if advice is None else advice.sentence,
        "remedy": "" if advice is None else advice.remedy,
    }


def _tls(summary: TlsSummary, reports: int) -> Document:
    failures = []
    for one in summary.failures[:_MOST_SOURCES]:
        advice = one.advice
        failures.append(
            {
                "policy": one.policy,
                "result": one.result,
                "host": one.host,
                "sessions": one.sessions,
                "sentence": advice.sentence,
                "remedy": advice.remedy,
            }
        )
    return {"reports": reports, "sessions": summary.sessions, "failed": summary.failed, "failures": failures}


def _shown(one: ReceivedReport) -> Document:
    return {
        "domain": one.domain,
        "kind": one.kind.value,
        "organization": one.organization,
        "sender": one.sender,
        "report_id": one.report_id,
        "begin": one.begins_at.isoformat(),
        "end": one.ends_at.isoformat(),
        "received_at": one.received_at.isoformat(),
        "succeeded": one.succeeded,
        "failed": one.failed,
    }
