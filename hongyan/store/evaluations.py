"""What reports to other domains will tell: counts of what was seen, by kind of report, day (UTC) and domain.

Facts are text that whoever counts can read again; here they are only alike or not. A day's facts of a domain are
removed when its report has left.
"""

from __future__ import annotations

__all__ = ["DueReport", "EvaluationStore", "OptOut", "ReportKind", "Tally", "WaitingReport"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from hongyan.store.audit import AuditEntry


class ReportKind(StrEnum):
    """What is reported on."""

    DMARC = "dmarc"
    """How mail in the domain's name was found (RFC 9990)."""
    TLS = "tls"
    """How TLS with the domain's hosts went (RFC 8460)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The same thing, seen `count` times."""

    kind: ReportKind
    day: date
    domain: str
    about: str
    """What holds for the whole report, such as the policy; the last word counts."""
    facts: str
    count: int
    due_at: datetime
    """When the report is to leave, if this is the first that there is to tell."""


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report that is to be made now, with all that it tells: facts, and how often each was seen."""

    kind: ReportKind
    day: date
    domain: str
    about: str
    attempts: int
    """How often it was claimed, this time included."""
    facts: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report that grows, or waits for its time."""

    kind: ReportKind
    day: date
    domain: str
    due_at: datetime
    facts: int
    """How many facts that differ it will tell."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """A domain to which no reports are sent."""

    domain: str
    since: datetime


class EvaluationStore(Protocol):
    """Keeps tallies until their report has left, and to whom none is sent."""

    async def add(self, tallies: Sequence[Tally], *, most_domains: int, most_facts: int) -> int:
        """Count these; return how many tallies found no room.

        A day has room for so many domains of each kind, and each of them for so many facts that differ.
        """
        ...

    async def claim_due(self, now: datetime, until: datetime) -> DueReport | None:
        """Return a report whose time has come. Nobody else is given it before `until`."""
        ...

    async def settle(self, kind: ReportKind, day: date, domain: str) -> None:
        """The report has left, or never will: remove it."""
        ...

    async def list_waiting(self, *, limit: int = 1000) -> Sequence[WaitingReport]:
        """Return the reports that were not sent yet, those that are due first before others."""
        ...

    async def list_optouts(self) -> Sequence[OptOut]:
        """Return the domains to which no reports are sent, by name."""
        ...

    async def put_optout(self, optout: OptOut, *, audit: AuditEntry) -> None:
        """Send a domain no reports any more."""
        ...

    async def remove_optout(self, domain: str, *, audit: AuditEntry) -> None:
        """Send a domain reports again. Raises `NotFound`."""
        ...
