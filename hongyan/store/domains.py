"""The domains we serve, and what each says about its addresses."""

from __future__ import annotations

__all__ = ["DomainSettings", "DomainStore"]

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hongyan.addresses import Address, Domain
from hongyan.store.audit import AuditEntry

_SEPARATORS = frozenset("+-_=#")


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """A domain that is ours.

    `catch_all` takes mail for addresses that nobody has. `separators` are the characters that begin a
    subaddress (RFC 5233 §1): `ann+news` is `ann`; none means that there are no subaddresses. `needs_second_factor`:
    whoever has none sets one up before anything else.
    """

    domain: Domain
    created_at: datetime
    catch_all: Address | None = None
    separators: str = "+"
    needs_second_factor: bool = False

    def __post_init__(self) -> None:
        if self.domain.is_literal:
            raise ValueError("an address literal is no domain to serve")
        if not _SEPARATORS.issuperset(self.separators):
            raise ValueError("a subaddress begins with one of + - _ = #")


class DomainStore(Protocol):
    """Keeps domains. What changes one writes to the directory's log in the same unit, and the audit entry."""

    async def list_domains(self) -> Sequence[DomainSettings]:
        """Return all domains, sorted by name."""
        ...

    async def add_domain(self, settings: DomainSettings, *, audit: AuditEntry) -> None:
        """Serve a domain. Raises `AlreadyExists`."""
        ...

    async def change_domain(self, settings: DomainSettings, *, audit: AuditEntry) -> None:
        """Replace the settings of a domain. Raises `NotFound`."""
        ...

    async def remove_domain(self, domain: Domain, *, audit: AuditEntry) -> None:
        """Serve a domain no longer. Raises `NotFound`, or `Refused` while it has accounts or aliases."""
        ...
