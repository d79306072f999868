"""Certificates by which mail programs log in (SASL EXTERNAL): issued, listed, revoked.

The server makes the key, hands it out once and forgets it. What it keeps is the certificate's fingerprint: a
certificate that is not on the list opens nothing, however well it was signed.
"""

from __future__ import annotations

__all__ = ["ClientCertificateOptions", "ClientCertificates", "IssuedCertificate"]

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.app_passwords import check_label, make_app_password, require_scopes
from hongyan.auth.client_authority import ClientAuthority, IssuedKeys
from hongyan.clock import Clock, Random
from hongyan.errors import Refused
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.store.client_certificates import ClientCertificate, ClientCertificateStore, NewClientCertificate
from hongyan.store.credentials import CredentialStore
from hongyan.types import AccountId, CredentialId


@dataclass(frozen=True, slots=True)
class ClientCertificateOptions:
    """The section `[client_certificates]`."""

    days: int = option(365, "How long a certificate lasts where nothing is said.", unit="days")
    longest: int = option(1100, "How long one may last at most.", unit="days")
    per_account: int = option(20, "Certificates that an account may have at once.")

    def __post_init__(self) -> None:
        if not 1 <= self.days <= self.longest <= 3650:
            raise ValueError("days is at least 1 and not above longest, which is not above 3650")
        if not 1 <= self.per_account <= 500:
            raise ValueError("per_account is between 1 and 500: each login tries all of them")


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A new certificate: what is kept of it, and what its owner is given, this once."""

    certificate: ClientCertificate
    keys: IssuedKeys
    password: Secret
    """That of the PKCS#12 file."""


class ClientCertificates:
    """Keeps the certificates of accounts."""

    def __init__(
        self,
        credentials: CredentialStore,
        store: ClientCertificateStore,
        load_authority: Callable[[], ClientAuthority],
        audit: AuditLog,
        clock: Clock,
        random: Random,
        changed: Callable[[], Awaitable[None]],
        options: ClientCertificateOptions,
    ) -> None:
        """`load_authority` may block; it is called in a thread. `changed` tells that the directory has a new entry."""
        self._credentials = credentials
        self._store = store
        self._load_authority = load_authority
        self._audit = audit
        self._clock = clock
        self._random = random
        self._changed = changed
        self._options = options

    def check(self, label: str, scopes: frozenset[Service], days: int | None) -> tuple[str, timedelta]:
        """Return the label and the life that a certificate would have. Raises `Refused`."""
        require_scopes(scopes)
        if days is not None and not 1 <= days <= self._options.longest:
            raise Refused(f"A certificate lasts between 1 and {self._options.longest} days.")
        return check_label(label), timedelta(days=days or self._options.days)

    async def issue(
        self, account: AccountId, label: str, scopes: frozenset[Service], actor: Actor, *, days: int | None = None
    ) -> IssuedCertificate:
        """Make a key and its certificate. Raises `NotFound`, `OverLimit`, or `Refused` for what cannot be."""
        label, life = self.check(label, scopes, days)
        address = (await self._credentials.get_login(account)).account.address
        password = Secret(make_app_password(self._random))
        now = self._clock.now().replace(microsecond=0)

        def make() -> IssuedKeys:
            return self._load_authority().issue(account, address, label, password, now, life, self._random)

        keys = await asyncio.to_thread(make)
        entry = self._audit.entry(
            AuditEvent.CLIENT_CERTIFICATE_ISSUED,
            actor,
            account=account,
            label=label,
            scopes=" ".join(sorted(scopes)),
            fingerprint=keys.fingerprint.hex(),
            expires=keys.expires_at.isoformat(),
        )
        new = NewClientCertificate(label, scopes, keys.fingerprint, now, keys.expires_at)
        stored = await self._store.add_certificate(account, new, limit=self._options.per_account, audit=entry)
        await self._changed()
        return IssuedCertificate(stored, keys, password)

    async def list_certificates(self, account: AccountId) -> Sequence[ClientCertificate]:
        """Return the certificates of an account, the oldest first. Raises `NotFound`."""
        return (await self._credentials.get_login(account)).certificates

    async def revoke(
        self, account: AccountId, credentials: Sequence[CredentialId] | None, actor: Actor
    ) -> Sequence[CredentialId]:
        """Revoke these certificates of the account, or all (None); live connections of theirs end.

        Returns those that were there.
        """
        which = "all" if credentials is None else " ".join(map(str, credentials))
        entry = self._audit.entry(AuditEvent.CLIENT_CERTIFICATES_REVOKED, actor, account=account, credentials=which)
        revoked = await self._store.revoke_certificates(account, credentials, audit=entry)
        await self._changed()
        return revoked
