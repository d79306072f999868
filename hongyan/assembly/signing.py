"""The DKIM keys that sign for our domains: read when first needed, and anew when a domain has changed."""

from __future__ import annotations

__all__ = ["SigningKeys"]

from collections.abc import Sequence
from pathlib import Path

from hongyan.addresses import Domain
from hongyan.domains.dkim_keys import load_signing_keys
from hongyan.domains.domains import Domains
from hongyan.mailauth.dkim import SigningKey
from hongyan.store.directory import DirectoryChange, DirectoryTopic


class SigningKeys:
    """Keeps the keys of our domains in memory; `folder` is where their files lie."""

    def __init__(self, folder: Path, domains: Domains) -> None:
        self.folder = folder
        self._domains = domains
        self._known: dict[Domain, Sequence[SigningKey]] = {}

    def find(self, domain: Domain) -> Sequence[SigningKey]:
        """Return the keys that sign for a domain; none, unless it is ours and has some."""
        known = self._known.get(domain)
        if known is None:
            if not self._domains.is_local(domain):
                return ()
            known = self._known[domain] = load_signing_keys(self.folder, domain)
        return known

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None or any(change.topic is DirectoryTopic.DOMAIN for change in changes):
            self._known.clear()
