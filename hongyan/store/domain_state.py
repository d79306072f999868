"""What is known of our domains' DNS: how ready each is, what was waived, which records are ours, where keys stand."""

from __future__ import annotations

__all__ = ["DkimKey", "DomainStateStore", "KeyState", "OwnRecord", "ReadinessEntry", "Waiver"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from hongyan.addresses import Domain
from hongyan.store.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class ReadinessEntry:
    """What the last look at a domain's DNS said: `states` by aspect.

    `unchanged` counts the looks since that said the same, `told` is what the postmaster was last told of.
    """

    domain: Domain
    states: Mapping[str, str]
    checked_at: datetime
    unchanged: int = 0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An aspect that an operator does without, and why."""

    domain: Domain
    aspect: str
    reason: str
    actor: str
    waived_at: datetime


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A record that we wrote into a zone ourselves."""

    domain: Domain
    name: str
    kind: str
    value: str


class KeyState(StrEnum):
    """The life of a DKIM key."""

    PENDING = "pending"
    """Made; signs once every name server of the zone shows it."""
    ACTIVE = "active"
    RETIRING = "retiring"
    """Signs no more; its record stays for the mail that it signed."""
    RETIRED = "retired"
    """Its record may go, and its file is gone."""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """Where a key stands; `kind` as in `domains.dkim_keys.KeyKind`."""

    domain: Domain
    selector: str
    kind: str
    state: KeyState
    made_at: datetime
    since: datetime


class DomainStateStore(Protocol):
    """Keeps it. What front ends have in memory goes to the directory's log when it changes; removing a domain
    forgets all of it."""

    async def list_readiness(self) -> Sequence[ReadinessEntry]:
        """Return what is known of all domains."""
        ...

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> Sequence[Domain]:
        """Return domains that are to be looked at, and keep them from others until then. A new one is due at once."""
        ...

    async def put_readiness(self, entry: ReadinessEntry, due_at: datetime, *, changed: bool) -> None:
        """Note a look, and when the next one is; `changed`: front ends are to know."""
        ...

    async def set_due(self, domain: Domain, due_at: datetime) -> None:
        """Have a domain looked at no later than then."""
        ...

    async def list_waivers(self) -> Sequence[Waiver]:
        """Return all waivers."""
        ...

    async def put_waiver(self, waiver: Waiver, *, audit: AuditEntry) -> None:
        """Waive an aspect, or give another reason. Raises `NotFound` for a domain that is not ours."""
        ...

    async def remove_waiver(self, domain: Domain, aspect: str, *, audit: AuditEntry) -> None:
        """Take a waiver back. Raises `NotFound`."""
        ...

    async def list_records(self, domain: Domain) -> Sequence[OwnRecord]:
        """Return the records of a domain that we wrote."""
        ...

    async def add_record(self, record: OwnRecord, now: datetime) -> None:
        """Note a record before it is written."""
        ...

    async def remove_record(self, record: OwnRecord) -> None:
        """Forget a record that is gone."""
        ...

    async def list_keys(self) -> Sequence[DkimKey]:
        """Return the DKIM keys of all domains, by domain and selector."""
        ...

    async def put_keys(self, keys: Sequence[DkimKey], *, audit: Sequence[AuditEntry]) -> None:
        """Note where keys stand, all at once."""
        ...
