"""Listeners: how far their lives have come, who still uses those that end, and putting the end off."""

from __future__ import annotations

__all__ = ["listener_operations"]

from collections.abc import Mapping
from datetime import date

from hongyan.assembly.services import Services
from hongyan.audit.events import AuditEvent
from hongyan.clock import Clock
from hongyan.errors import NotFound, Refused
from hongyan.operations.calling import Caller, Document, Operation
from hongyan.servers.lifecycle import Lifecycle


def listener_operations(services: Services, clock: Clock) -> Mapping[str, Operation]:
    """Return the operations on listeners, by name."""
    group = _Listeners(services, clock)
    return {"listener.report": group.report, "listener.prolong": group.prolong}


class _Listeners:
    def __init__(self, services: Services, clock: Clock) -> None:
        self._lifecycles = services.lifecycles
        self._audit = services.directory.audit
        self._clock = clock

    async def report(self, caller: Caller) -> Document:  # noqa: ARG002 - anybody who may call may read
        """Return each listener's stage and days, and of those that end, who still comes with which program."""
        return {"listeners": [_shown(life) for life in self._lifecycles.each.values()]}

    async def prolong(self, caller: Caller, *, service: str, until: str, dry_run: bool = False) -> Document:
        """Put the last day of a listener off."""
        life = self._lifecycles.each.get(service)
        if life is None:
            raise NotFound("There is no such listener.")
        try:
            off = date.fromisoformat(until)
        except ValueError:
            raise Refused("A day is written as 2027-03-01.") from None
        if off <= self._clock.now().date():
            raise Refused("That day is over.")
        if not dry_run:
            former = "" if life.off is None else life.off.isoformat()
            entry = self._audit.entry(
                AuditEvent.LISTENER_PROLONGED, caller.actor, service=service, off=off.isoformat(), former=former
            )
            await self._audit.append(entry)
            life.prolong(off)
            await self._lifecycles.flush()
        return {**_shown(life), **({"dry_run": True} if dry_run else {})}


def _shown(life: Lifecycle) -> Document:
    return {
        "service": life.service,
        "stage": life.stage.value,
        "deprecated": None if life.deprecated is None else life.deprecated.isoformat(),
        "off": None if life.off is None else life.off.isoformat(),
        "uses": [
            {"account": use.account, "client": use.client, "count": use.count, "last": use.last.isoformat()}
            for use in life.list_uses()
        ],
    }
