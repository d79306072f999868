"""Counts what reports will tell, in memory, and stores it every few seconds in one unit of work.

Counting never waits. A crash loses what was counted since the last time: reports tell a little less then, and nothing
wrong. What strangers can choose is bounded: kinds of fact between two times, and in the store domains and facts a day.
"""

from __future__ import annotations

__all__ = ["DmarcTallies", "Tallies", "TlsTallies"]

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NoReturn

from hongyan import telemetry
from hongyan.clock import Clock, Random
from hongyan.errors import ServerFault
from hongyan.mailauth.reports.evaluation import Evaluation
from hongyan.queue.tls_results import TlsResult
from hongyan.reports.facts import about_dmarc, dmarc_facts, tls_facts
from hongyan.reports.options import ReportOptions
from hongyan.store.evaluations import EvaluationStore, ReportKind, Tally
from hongyan.telemetry import metrics

MAX_WAITING: Final = 20_000
"""Facts that differ, between two times that they are stored."""

_TOGETHER: Final = 500
"""Facts that are stored in one unit of work, so that mail does not wait behind them."""

_Subject = tuple[ReportKind, date, str]

log = telemetry.logger("reports")


class Tallies:
    """What was seen and is not stored yet."""

    def __init__(self, store: EvaluationStore, random: Random, options: ReportOptions) -> None:
        self._store = store
        self._random = random
        self._options = options
        self._counts: dict[tuple[_Subject, str], int] = {}
        self._about: dict[_Subject, str] = {}
        self._storing = asyncio.Lock()

    def note(self, kind: ReportKind, at: datetime, domain: str, about: str, facts: str, *, count: int = 1) -> None:
        """Count one thing more."""
        subject = (kind, at.astimezone(UTC).date(), domain)
        counted = self._counts.get((subject, facts))
        if counted is None and len(self._counts) >= MAX_WAITING:
            metrics.report_facts_dropped_total.labels(kind.value).inc()
            return
        self._counts[subject, facts] = (counted or 0) + count
        self._about[subject] = about

    async def run(self) -> NoReturn:
        """Store what was counted, again and again, until cancelled."""
        while True:
            await asyncio.sleep(self._options.flush_every)
            await self.flush()

    async def flush(self) -> None:
        """Store what was counted, and return when all of it is stored, also what another call has begun to store.

        What the store does not take now is kept for the next time.
        """
        async with self._storing:
            await self._store_counts()

    async def _store_counts(self) -> None:
        if not self._counts:
            return
        counts, about = list(self._counts.items()), self._about
        self._counts, self._about = {}, {}
        options, dropped = self._options, 0
        for start in range(0, len(counts), _TOGETHER):
            some = counts[start : start + _TOGETHER]
            tallies = [self._tally(subject, about[subject], facts, count) for (subject, facts), count in some]
            try:
                dropped += await self._store.add(
                    tallies, most_domains=options.most_domains, most_facts=options.most_facts
                )
            except ServerFault as fault:
                log.warning("not-stored", cause=fault.cause or fault.sentence)
                self._take_back(dict(counts[start:]), about)
                break
        if dropped:
            metrics.report_facts_dropped_total.labels("").inc(dropped)
            log.info("no-room", facts=dropped)

    def _take_back(self, counts: dict[tuple[_Subject, str], int], about: dict[_Subject, str]) -> None:
        for key, count in counts.items():
            if key in self._counts or len(self._counts) < MAX_WAITING:
                self._counts[key] = self._counts.get(key, 0) + count
                self._about.setdefault(key[0], about[key[0]])

    def _tally(self, subject: _Subject, about: str, facts: str, count: int) -> Tally:
        kind, day, domain = subject
        midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
        wait = self._options.first + self._random.below(int(self._options.spread) + 1)
        due_at = midnight + timedelta(seconds=wait)
        return Tally(kind=kind, day=day, domain=domain, about=about, facts=facts, count=count, due_at=due_at)


class DmarcTallies:
    """`inbound.evaluations.DmarcEvaluations`."""

    def __init__(self, tallies: Tallies, clock: Clock) -> None:
        self._tallies = tallies
        self._clock = clock

    def note(self, evaluation: Evaluation) -> None:
        """Count one message."""
        about, facts = about_dmarc(evaluation), dmarc_facts(evaluation.row)
        self._tallies.note(ReportKind.DMARC, self._clock.now(), evaluation.policy.domain, about, facts)


class TlsTallies:
    """`queue.tls_results.TlsResults`."""

    def __init__(self, tallies: Tallies) -> None:
        self._tallies = tallies

    def note(self, result: TlsResult) -> None:
        """Count one session."""
        self._tallies.note(ReportKind.TLS, result.at, result.domain, "", tls_facts(result))
