"""Port: how the protocols serve a single account, where that is not as for all others; pairs of a name and a value."""

from __future__ import annotations

__all__ = ["SettingsStore"]

from collections.abc import Mapping
from typing import Protocol

from hongyan.store.audit import AuditEntry
from hongyan.types import AccountId


class SettingsStore(Protocol):
    """Keeps settings. What changes them writes to the directory's log in the same unit, and the audit entry."""

    async def read_settings(self, account: AccountId) -> Mapping[str, str]:
        """Return what was set for an account."""
        ...

    async def change_settings(
        self, account: AccountId, changes: Mapping[str, str | None], *, audit: AuditEntry
    ) -> Mapping[str, str]:
        """Set values, or with None let them be as for all others; return what is set then. Raises `NotFound`."""
        ...
