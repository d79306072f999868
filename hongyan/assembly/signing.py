"""The DKIM keys that sign for our domains: read when first needed, and anew when a domain has changed.

What the server itself writes comes from its host name and is signed by the domain of ours that the name stands in, so
that the signature is aligned with From as far as DMARC is relaxed, which is the rule.
"""

from __future__ import annotations

__all__ = ["HostSigner", "SigningKeys"]

from collections.abc import Sequence

from hongyan import telemetry
from hongyan.addresses import Address, Domain
from hongyan.clock import Clock
from hongyan.domains.dkim_keeper import DkimKeeper
from hongyan.domains.domains import Domains
from hongyan.errors import ConfigurationError
from hongyan.mailauth.dkim import SigningKey, sign_message
from hongyan.store.directory import DirectoryChange, DirectoryTopic

log = telemetry.logger("queue")


class SigningKeys:
    """Keeps the keys that sign for our domains in memory."""

    def __init__(self, keeper: DkimKeeper, domains: Domains) -> None:
        self._keeper = keeper
        self._domains = domains
        self._known: dict[Domain, Sequence[SigningKey]] = {}

    def find(self, domain: Domain) -> Sequence[SigningKey]:
        """Return the keys that sign for a domain; none, unless it is ours and has some."""
        known = self._known.get(domain)
        if known is None:
            if not self._domains.is_local(domain):
                return ()
            known = self._known[domain] = self._keeper.signing_keys(domain)
        return known

    async def refresh(self, changes: Sequence[DirectoryChange] | None) -> None:
        """Take note of the directory's log."""
        if changes is None or any(change.topic is DirectoryTopic.DOMAIN for change in changes):
            self._known.clear()

    def find_above(self, host: Domain) -> Sequence[SigningKey]:
        """Return the keys of the nearest domain of ours that a host's name stands in; none where there is none."""
        labels = host.text.split(".")
        for start in range(len(labels)):
            keys = self.find(Domain(".".join(labels[start:])))
            if keys:
                return keys
        return ()


class HostSigner:
    """Signs what the host writes to other servers; what stays here needs no signature."""

    def __init__(self, host: Domain, keys: SigningKeys, domains: Domains, clock: Clock) -> None:
        self._host = host
        self._keys = keys
        self._domains = domains
        self._clock = clock

    def sign(self, octets: bytes, recipient: Address) -> bytes:
        """Return the fields that sign a message; it leaves without them when the keys cannot be read."""
        if self._domains.is_local(recipient.domain):
            return b""
        try:
            keys = self._keys.find_above(self._host)
        except ConfigurationError as fault:
            log.error("notice-unsigned", error=fault)
            return b""
        return sign_message(octets, keys, self._clock.now())
