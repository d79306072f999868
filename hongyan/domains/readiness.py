"""Which domains are ready to send: kept in memory, looked at again in the background, waived by operators.

A domain that is right is looked at every few hours. One that is not is looked at after five minutes, then ever more
rarely while nothing changes, so that who mends a record need not wait, and who never does costs little.
"""

from __future__ import annotations

__all__ = ["FactsSource", "Looked", "ReadinessKeeper", "Surveyor", "Teller", "next_look"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hongyan import telemetry
from hongyan.addresses import Domain
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.clock import Clock
from hongyan.domains.dns_records import DomainFacts
from hongyan.domains.domains import Domains
from hongyan.domains.findings import Aspect, Finding
from hongyan.domains.judgement import REQUIRED, AspectState, Readiness, judge, judge_readiness
from hongyan.domains.survey import Survey
from hongyan.errors import Refused
from hongyan.store.directory import DirectoryChange, DirectoryTopic
from hongyan.store.domain_state import DomainStateStore, ReadinessEntry, Waiver
from hongyan.telemetry import metrics

_SOON = timedelta(minutes=5)
_LEASE = timedelta(minutes=10)
_AT_ONCE = 4
"""Domains that are looked at one after the other before the list is read anew."""
_LONGEST_REASON = 500  # characters

log = telemetry.logger("domains")


class Surveyor(Protocol):
    """Asks the DNS about a domain."""

    async def survey(self, facts: DomainFacts) -> Survey:
        """Return all facts. Raises nothing."""
        ...


class FactsSource(Protocol):
    """Knows what the records of a domain follow from."""

    async def facts(self, domain: Domain) -> DomainFacts:
        """Return them as they are now."""
        ...


class Teller(Protocol):
    """Tells a domain's postmaster."""

    async def tell(self, domain: Domain, readiness: Readiness, findings: Sequence[Finding]) -> None:
        """Say what has changed."""
        ...


@dataclass(frozen=True, slots=True)
class Looked:
    """One look at a domain."""

    facts: DomainFacts
    survey: Survey
    findings: Sequence[Finding]
    readiness: Readiness

    @property
    def domain(self) -> Domain:
        return self.facts.domain


class ReadinessKeeper:
    """What is known of all domains. `load` comes before all else."""

    def __init__(
        self,
        store: DomainStateStore,
        domains: Domains,
        *,
        facts: FactsSource,
        surveyor: Surveyor,
        teller: Teller,
        audit: AuditLog,
        clock: Clock,
        longest: timedelta,
    ) -> None:
        """`longest` is how long a domain goes without a look."""
        self._store = store
        self._domains = domains
        self._facts = facts
        self._surveyor = surveyor
        self._teller = teller
        self._audit = audit
        self._clock = clock
        self._longest = longest
        self._entries: Mapping[Domain, ReadinessEntry] = {}
        self._waivers: Mapping[tuple[Domain, Aspect], Waiver] = {}

    async def load(self) -> None:
        """Read what is known."""
        self._entries = {entry.domain: entry for entry in await self._store.list_readiness()}
        waivers = await self._store.list_waivers()
        self._waivers = {(waiver.domain, Aspect(waiver.aspect)): waiver for waiver in waivers}
        unready = sum(not self.find(settings.domain).is_ready for settings in self._domains.list_domains())
        metrics.domains_unready.set(unready)

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None or any(change.topic is DirectoryTopic.DOMAIN for change in changes):
            await self.load()

    def find(self, domain: Domain) -> Readiness:
        """Return how a domain stands, as far as anybody has looked."""
        return Readiness(self._states(domain), self._waived(domain))

    def was_looked_at(self, domain: Domain) -> bool:
        """Whether anybody has looked."""
        return domain in self._entries

    def list_waivers(self, domain: Domain) -> Sequence[Waiver]:
        """Return what an operator does without."""
        return [waiver for (of, _), waiver in self._waivers.items() if of == domain]

    async def waive(self, domain: Domain, aspect: Aspect, reason: str, actor: Actor) -> None:
        """Do without an aspect. Raises `Refused` where there is no reason, or nothing to waive."""
        if aspect not in REQUIRED:
            raise Refused("Only these can be waived: " + ", ".join(REQUIRED) + ".")
        reason = " ".join(reason.split())[:_LONGEST_REASON]
        if not reason:
            raise Refused("Say why: the reason is kept and shown.")
        waiver = Waiver(domain, aspect, reason, actor.name, self._clock.now().replace(microsecond=0))
        entry = self._audit.entry(
            AuditEvent.READINESS_WAIVED, actor, domain=domain.text, aspect=aspect.value, reason=reason
        )
        await self._store.put_waiver(waiver, audit=entry)
        await self.load()

    async def require(self, domain: Domain, aspect: Aspect, actor: Actor) -> None:
        """Take a waiver back. Raises `NotFound`."""
        entry = self._audit.entry(AuditEvent.READINESS_REQUIRED, actor, domain=domain.text, aspect=aspect.value)
        await self._store.remove_waiver(domain, aspect, audit=entry)
        await self.load()

    async def look(self, domain: Domain) -> Looked:
        """Ask the DNS about a domain, and judge what it says. Nothing is kept."""
        facts = await self._facts.facts(domain)
        survey = await self._surveyor.survey(facts)
        findings = judge(facts, survey)
        return Looked(facts, survey, findings, judge_readiness(findings, self._states(domain), self._waived(domain)))

    async def note(self, looked: Looked, *, again_by: timedelta | None = None) -> None:
        """Keep what a look said, and tell the postmaster once of each change; look again within `again_by`."""
        domain, readiness, now = looked.domain, looked.readiness, self._clock.now()
        former = self._entries.get(domain)
        states = {aspect.value: state.value for aspect, state in readiness.states.items()}
        is_changed = former is None or dict(former.states) != states
        unchanged = 0 if is_changed or former is None else former.unchanged + 1
        before = "" if former is None else former.told
        # What nobody could say is no news.
        told = " ".join(readiness.wrong) or ("" if readiness.is_ready else before)
        entry = ReadinessEntry(domain, states, now.replace(microsecond=0), unchanged, told)
        due_at = next_look(readiness, unchanged, now, self._longest)
        if again_by is not None:
            due_at = min(due_at, now + again_by)
        await self._store.put_readiness(entry, due_at, changed=is_changed)
        await self.load()
        if told != before:
            await self._tell(looked)

    async def hasten(self, domain: Domain) -> None:
        """Have a domain looked at soon."""
        await self._store.set_due(domain, self._clock.now())

    async def claim(self) -> Sequence[Domain]:
        """Return domains that are due; nobody else looks at them for a while."""
        now = self._clock.now()
        return [
            domain
            for domain in await self._store.claim_due(now, now + _LEASE, _AT_ONCE)
            if self._domains.is_local(domain)
        ]

    async def _tell(self, looked: Looked) -> None:
        domain, readiness = looked.domain, looked.readiness
        if readiness.is_ready:
            log.info("domain-ready", domain=domain.text)
        else:
            # Mail would leave and fail: said before it is sent, and not after.
            log.warning("domain-not-ready", domain=domain.text, missing=" ".join(readiness.missing))
        await self._teller.tell(domain, readiness, looked.findings)

    def _states(self, domain: Domain) -> Mapping[Aspect, AspectState]:
        entry = self._entries.get(domain)
        return {} if entry is None else {Aspect(key): AspectState(value) for key, value in entry.states.items()}

    def _waived(self, domain: Domain) -> frozenset[Aspect]:
        return frozenset(aspect for of, aspect in self._waivers if of == domain)


def next_look(readiness: Readiness, unchanged: int, now: datetime, longest: timedelta) -> datetime:
    """Return when to look again after so many looks that said the same."""
    if readiness.is_ready and AspectState.UNKNOWN not in readiness.states.values():
        return now + longest
    return now + min(_SOON * (1 << min(unchanged, 16)), longest)
