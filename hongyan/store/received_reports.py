"""What other servers have told of our domains: their DMARC and TLS reports."""

from __future__ import annotations

__all__ = ["Added", "ReceivedReport", "ReceivedReportStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from hongyan.store.evaluations import ReportKind


class Added(Enum):
    """What became of a report."""

    NEW = "new"
    KNOWN = "known"
    """It is there already: the same sender, domain and id."""
    TOO_MANY = "too-many"
    """Its sender has sent as many as one may within a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReport:
    """A report on a domain of ours."""

    domain: str
    """The policy domain."""
    kind: ReportKind
    sender: str
    """The domain that SPF or DKIM vouched for when it came."""
    report_id: str
    organization: str
    """Who reports, in its own words."""
    begins_at: datetime
    ends_at: datetime
    received_at: datetime
    succeeded: int
    """Messages for which DMARC passed; sessions with TLS as it should be."""
    failed: int
    content: bytes = b""
    """The document, compressed; empty where only the rest was asked for."""


class ReceivedReportStore(Protocol):
    """Keeps reports, each once."""

    async def add(self, report: ReceivedReport, *, most_a_day: int) -> Added:
        """Keep a report, unless it is known or its sender has sent so many on the domain within a day."""
        ...

    async def list_reports(
        self, domain: str | None = None, *, since: datetime, limit: int = 1000
    ) -> Sequence[ReceivedReport]:
        """Return reports on one domain or all, whose period ends after `since`, the newest first, without content."""
        ...

    async def read_reports(
        self, domain: str, kind: ReportKind, *, since: datetime, limit: int = 1000
    ) -> Sequence[ReceivedReport]:
        """Return reports on a domain, whose period ends after `since`, the newest first, with their content."""
        ...

    async def expire(self, before: datetime) -> int:
        """Remove what came before; return how much."""
        ...
