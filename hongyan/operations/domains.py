"""Domains: served or not, the DNS records that each wants, how ready it is to send, and its DKIM keys."""

from __future__ import annotations

__all__ = ["domain_operations"]

import asyncio
from collections.abc import Mapping, Sequence

from hongyan.addresses import Domain
from hongyan.assembly.services import Services
from hongyan.clock import Clock
from hongyan.config import Config
from hongyan.configuration.fingerprint import fingerprint
from hongyan.domains.dkim_keys import make_missing_keys
from hongyan.domains.dkim_rotation import Make
from hongyan.domains.dns_check import Checked, check_record
from hongyan.domains.dns_records import Kind, Record, wanted_records
from hongyan.domains.findings import Aspect, Finding, Severity
from hongyan.domains.judgement import Readiness
from hongyan.domains.publisher import Published
from hongyan.domains.readiness import Looked
from hongyan.domains.survey import DnsView
from hongyan.errors import AlreadyExists, NotFound, Refused, Unavailable
from hongyan.operations.calling import Caller, Document, Operation, find_member
from hongyan.store.domain_state import DkimKey, Waiver
from hongyan.store.domains import DomainSettings


def domain_operations(services: Services, config: Config, clock: Clock) -> Mapping[str, Operation]:
    """Return the operations on domains, by name."""
    group = _Domains(services, config, clock)
    return {
        "domain.add": group.add,
        "domain.list": group.list_domains,
        "domain.remove": group.remove,
        "domain.dns": group.dns,
        "domain.check": group.check,
        "domain.waive": group.waive,
        "domain.require": group.require,
        "domain.keys": group.keys,
        "domain.rotate": group.rotate,
        "domain.publish": group.publish,
        "domain.second-factor": group.require_second_factor,
    }


class _Domains:
    def __init__(self, services: Services, config: Config, clock: Clock) -> None:
        self._directory = services.directory
        self._care = services.domain_care
        self._config = config
        self._clock = clock

    async def add(self, caller: Caller, *, domain: str, dry_run: bool = False) -> Document:
        """Serve a domain; its DKIM keys are made, and its DNS records returned."""
        name = Domain.parse(domain)
        if name.is_literal:
            raise Refused("An address is no domain to serve.")
        if self._directory.domains.is_local(name):
            raise AlreadyExists("That domain is served already.")
        if dry_run:
            return {"domain": name.text, "dry_run": True}
        await asyncio.to_thread(make_missing_keys, self._care.dkim.folder, name, self._clock.now())
        await self._directory.domains.add(name, caller.actor)
        await self._care.dkim.step(name, None, caller.actor)
        return {"domain": name.text, "records": await self._records(name)}

    async def list_domains(self, caller: Caller) -> Document:  # noqa: ARG002 - anybody who may call may read
        """Return all domains, and whether each is ready to send."""
        return {"domains": [self._shown(settings) for settings in self._directory.domains.list_domains()]}

    async def remove(self, caller: Caller, *, domain: str, dry_run: bool = False) -> Document:
        """Serve a domain no longer. Its DKIM keys stay where they are: what they signed is still on its way."""
        name = self._require(domain)
        if dry_run:
            await self._require_empty(name)
            return {"domain": name.text, "dry_run": True}
        await self._directory.domains.remove(name, caller.actor)
        return {"domain": name.text}

    async def dns(self, caller: Caller, *, domain: str) -> Document:  # noqa: ARG002
        """Return the DNS records that a domain should have, and from which configuration they were made when."""
        name = self._require(domain)
        made = {"at": self._clock.now().isoformat(timespec="seconds"), "configuration": fingerprint(self._config)}
        return {"domain": name.text, "made": made, "records": await self._records(name)}

    async def check(self, caller: Caller, *, domain: str) -> Document:
        """Compare the records that a domain should have with those that it has, and judge what mail makes of them."""
        name = self._require(domain)
        caller.tell(0, 1)
        looked = await self._care.care(name)
        caller.tell(1, 1)
        wanted = wanted_records(looked.facts)
        checked = [_check(record, looked) for record in wanted]
        return {
            "domain": name.text,
            "trouble": any(finding.severity is Severity.ERROR for finding in looked.findings)
            or any(result.is_trouble for result in checked),
            **_readiness(looked.readiness),
            "waivers": [_waiver(waiver) for waiver in self._care.readiness.list_waivers(name)],
            "findings": [_finding(finding) for finding in looked.findings],
            "addresses": _addresses(looked.facts.hostname, looked.survey.view),
            "records": [_checked(result) for result in checked],
        }

    async def require_second_factor(self, caller: Caller, *, domain: str, required: bool) -> Document:
        """Say whether accounts of a domain have to set up a second factor before they can do anything on the web."""
        name = self._require(domain)
        await self._directory.domains.require_second_factor(name, caller.actor, required=required)
        return {"domain": name.text, "second_factor": required}

    async def waive(self, caller: Caller, *, domain: str, aspect: str, reason: str) -> Document:
        """Let a domain count as ready without one of spf, dkim, dmarc, mx and ptr, and remember why."""
        name = self._require(domain)
        await self._care.readiness.waive(name, find_member(Aspect, aspect), reason, caller.actor)
        return {"domain": name.text, **_readiness(self._care.readiness.find(name))}

    async def require(self, caller: Caller, *, domain: str, aspect: str) -> Document:
        """Take a waiver back."""
        name = self._require(domain)
        await self._care.readiness.require(name, find_member(Aspect, aspect), caller.actor)
        return {"domain": name.text, **_readiness(self._care.readiness.find(name))}

    async def keys(self, caller: Caller, *, domain: str) -> Document:  # noqa: ARG002
        """Return where the DKIM keys of a domain stand."""
        name = self._require(domain)
        return {"domain": name.text, "keys": [_key(key) for key in self._care.dkim.list_keys(name)]}

    async def rotate(self, caller: Caller, *, domain: str) -> Document:
        """Make new DKIM keys now. They sign once every name server of the zone shows them."""
        name = self._require(domain)
        await self._care.dkim.step(name, None, caller.actor)  # what nobody took note of comes first
        steps = await self._care.dkim.step(name, None, caller.actor, is_asked=True)
        await self._care.readiness.hasten(name)
        made = any(isinstance(step, Make) for step in steps)
        records = wanted_records(await self._care.facts.facts(name))
        return {
            "domain": name.text,
            "made": made,
            "keys": [_key(key) for key in self._care.dkim.list_keys(name)],
            "records": [_record(record) for record in records if "._domainkey." in record.name],
        }

    async def publish(self, caller: Caller, *, domain: str, dry_run: bool = False) -> Document:  # noqa: ARG002
        """Write the records that a domain wants into its zone; foreign records stay as they are."""
        name = self._require(domain)
        publisher = self._care.publisher
        if not publisher.may_write(name):
            raise Refused("Nobody allows us to change that zone. Name it in [[dns_update]] or [[dns_provider]].")
        facts = await self._care.facts.facts(name)
        published = Published(await publisher.plan(facts)) if dry_run else await publisher.publish(facts)
        if published.fault:
            raise Unavailable(published.fault)
        plan = published.plan
        answer: dict[str, object] = {
            "domain": name.text,
            "added": [_record(record) for record in plan.add],
            "removed": [{"name": mine.name, "type": mine.kind, "value": mine.value} for mine in plan.remove],
            "conflicts": [{**_record(conflict.record), "found": list(conflict.found)} for conflict in plan.conflicts],
        }
        return {**answer, "dry_run": True} if dry_run else answer

    def _require(self, domain: str) -> Domain:
        name = Domain.parse(domain)
        if not self._directory.domains.is_local(name):
            raise NotFound("That domain is not served here.")
        return name

    async def _require_empty(self, name: Domain) -> None:
        if await self._directory.accounts.list_accounts(
            domain=name, limit=1
        ) or await self._directory.aliases.list_aliases(domain=name, limit=1):
            raise Refused("The domain has accounts or aliases: remove them first.")

    async def _records(self, name: Domain) -> Sequence[Document]:
        return [_record(record) for record in wanted_records(await self._care.facts.facts(name))]

    def _shown(self, settings: DomainSettings) -> Document:
        readiness = self._care.readiness
        looked_at = readiness.was_looked_at(settings.domain)
        return {
            "domain": settings.domain.text,
            "unicode": settings.domain.unicode,
            "created_at": settings.created_at.isoformat(),
            "catch_all": None if settings.catch_all is None else str(settings.catch_all),
            "separators": settings.separators,
            "second_factor": settings.needs_second_factor,
            "ready": readiness.find(settings.domain).is_ready if looked_at else None,
            "missing": [aspect.value for aspect in readiness.find(settings.domain).missing] if looked_at else [],
        }


def _check(record: Record, looked: Looked) -> Checked:
    """Compare a record with what counts: what the zone's own name servers show."""
    if record.kind is Kind.PTR:
        names = {reverse.address.reverse_pointer: reverse.names for reverse in looked.survey.reverse}
        return check_record(record, names.get(record.name))
    return check_record(record, looked.survey.view.best(record.name, record.kind).values)


def _addresses(hostname: str, view: DnsView) -> Sequence[Document]:
    """Return where each source says that the host is, and how long it may be remembered."""
    return [
        {
            "source": seen.source,
            "type": kind.value,
            "addresses": None if seen.values is None else list(seen.values),
            "ttl": seen.ttl,
            "dnssec": seen.dnssec.value,
        }
        for kind in (Kind.A, Kind.AAAA)
        for seen in view.all(hostname, kind)
    ]


def _readiness(readiness: Readiness) -> Document:
    return {
        "ready": readiness.is_ready,
        "missing": [aspect.value for aspect in readiness.missing],
        "waived": sorted(aspect.value for aspect in readiness.waived),
    }


def _finding(finding: Finding) -> Document:
    return {
        "aspect": finding.aspect.value,
        "severity": finding.severity.value,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
    }


def _waiver(waiver: Waiver) -> Document:
    return {
        "aspect": waiver.aspect,
        "reason": waiver.reason,
        "actor": waiver.actor,
        "waived_at": waiver.waived_at.isoformat(),
    }


def _key(key: DkimKey) -> Document:
    return {
        "selector": key.selector,
        "kind": key.kind,
        "state": key.state.value,
        "made_at": key.made_at.isoformat(),
        "since": key.since.isoformat(),
    }


def _record(record: Record) -> Document:
    return {
        "name": record.name,
        "type": record.kind.value,
        "value": record.value,
        "data": record.data,
        "need": record.need.value,
        "purpose": record.purpose,
        "zone": record.zone_line,
    }


def _checked(result: Checked) -> Document:
    return {
        **_record(result.record),
        "status": result.status.value,
        "found": list(result.found),
        "remedy": result.remedy,
    }
