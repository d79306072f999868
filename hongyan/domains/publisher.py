"""Writes what a domain wants into its zone, where we may, and remembers what it wrote.

What is ours is noted before it is written: a crash between the two leaves a note too many, which the next look removes,
and never a record of ours that we would take for a foreign one.
"""

from __future__ import annotations

__all__ = ["Look", "Published", "Publisher", "ZoneWriter"]

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hongyan import telemetry
from hongyan.addresses import Domain
from hongyan.clock import Clock
from hongyan.domains.dns_records import DomainFacts, Kind, Record, wanted_records
from hongyan.domains.publication import Publication, plan_publication
from hongyan.domains.survey import DnsView, Question
from hongyan.errors import Unavailable
from hongyan.store.domain_state import DomainStateStore, OwnRecord

Look = Callable[[Sequence[Question]], Awaitable[DnsView]]

log = telemetry.logger("domains")


class ZoneWriter(Protocol):
    """Changes zones."""

    def covers(self, name: str) -> bool:
        """Whether a name lies in a zone that we may change."""
        ...

    async def write(self, add: Sequence[Record], remove: Sequence[OwnRecord]) -> None:
        """Remove records, then add others; as one where that is possible. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """What was to be done, and why it was not, if it was not."""

    plan: Publication
    fault: str = ""


class Publisher:
    """Publishes the records of domains. `look` asks the zone's own name servers: what others remember may be old."""

    def __init__(self, store: DomainStateStore, look: Look, writer: ZoneWriter, clock: Clock) -> None:
        self._store = store
        self._look = look
        self._writer = writer
        self._clock = clock

    def may_write(self, domain: Domain) -> bool:
        """Whether the zone of a domain is one that we may change."""
        return self._writer.covers(domain.text)

    async def plan(self, facts: DomainFacts) -> Publication:
        """Return what is to be done."""
        wanted = [record for record in wanted_records(facts) if self._writer.covers(record.name)]
        own = await self._store.list_records(facts.domain)
        questions = [(record.name, record.kind) for record in wanted]
        questions += [(mine.name, Kind(mine.kind)) for mine in own]
        view = await self._look(tuple(dict.fromkeys(questions)))

        def find(name: str, kind: Kind) -> Sequence[str] | None:
            seen = view.best(name, kind)
            return seen.values if seen.is_authoritative else None

        return plan_publication(facts.domain, wanted, find, own)

    async def publish(self, facts: DomainFacts) -> Published:
        """Do it. Raises nothing: what could not be written is told."""
        plan, domain = await self.plan(facts), facts.domain
        for gone in plan.gone:
            await self._store.remove_record(gone)
        for conflict in plan.conflicts:
            log.warning("record-in-the-way", domain=domain.text, name=conflict.record.name, kind=conflict.record.kind)
        if not plan.add and not plan.remove:
            return Published(plan)
        for record in plan.add:
            await self._store.add_record(_own(domain, record), self._clock.now())
        try:
            await self._writer.write(plan.add, plan.remove)
        except Unavailable as fault:
            log.warning("records-not-written", domain=domain.text, cause=fault.cause or fault.sentence)
            return Published(plan, fault.sentence)
        for mine in plan.remove:
            await self._store.remove_record(mine)
        log.info("records-written", domain=domain.text, added=len(plan.add), removed=len(plan.remove))
        return Published(plan)


def _own(domain: Domain, record: Record) -> OwnRecord:
    return OwnRecord(domain, record.name, record.kind.value, record.value)
