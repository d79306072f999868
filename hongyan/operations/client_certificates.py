"""Certificates of mail programs: issued, listed, revoked. One is named by its number within the account."""

from __future__ import annotations

__all__ = ["client_certificate_operations"]

from base64 import b64encode
from collections.abc import Mapping, Sequence

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES
from hongyan.operations.calling import Caller, Document, Operation, find_member
from hongyan.operations.credentials import pick_credentials, show_credential
from hongyan.store.accounts import Service
from hongyan.store.client_certificates import ClientCertificate
from hongyan.types import AccountId


def client_certificate_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on certificates of mail programs, by name."""
    group = _ClientCertificates(services)
    return {
        "client-certificate.issue": group.issue,
        "client-certificate.list": group.list_certificates,
        "client-certificate.revoke": group.revoke,
    }


class _ClientCertificates:
    def __init__(self, services: Services) -> None:
        self._accounts = services.directory.accounts
        self._certificates = services.directory.client_certificates

    async def issue(
        self,
        caller: Caller,
        *,
        address: str,
        label: str,
        services: list[str] | None = None,
        days: int | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Make a key and its certificate; both are returned this once, as PEM and as PKCS#12 (in base64)."""
        account = await self._accounts.get(Address.parse(address))
        scopes = frozenset(find_member(Service, text) for text in services or ()) or APP_PASSWORD_SCOPES
        self._certificates.check(label, scopes, days)
        if dry_run:
            return {"address": str(account.address), "label": label, "dry_run": True}
        issued = await self._certificates.issue(account.account_id, label, scopes, caller.actor, days=days)
        return {
            "address": str(account.address),
            **_shown(issued.certificate),
            "pem": issued.keys.pem.reveal_text(),
            "pkcs12": b64encode(issued.keys.pkcs12.reveal()).decode(),
            "pkcs12_password": issued.password.reveal_text(),
        }

    async def list_certificates(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002
        """Return the certificates of an account, the oldest first."""
        account = await self._accounts.get(Address.parse(address))
        listed = await self._certificates.list_certificates(account.account_id)
        return {"address": str(account.address), "certificates": [_shown(known) for known in listed]}

    async def revoke(
        self,
        caller: Caller,
        *,
        address: str,
        numbers: list[int] | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Revoke these certificates, or all; their connections end."""
        account = await self._accounts.get(Address.parse(address))
        meant = await self._find(account.account_id, numbers)
        if not dry_run:
            credentials = [known.credential for known in meant]
            await self._certificates.revoke(account.account_id, credentials, caller.actor)
        document = {"address": str(account.address), "certificates": [_shown(known) for known in meant]}
        return {**document, "dry_run": True} if dry_run else document

    async def _find(self, account: AccountId, numbers: Sequence[int] | None) -> Sequence[ClientCertificate]:
        present = await self._certificates.list_certificates(account)
        return pick_credentials(
            present, account, numbers, missing="The account has no client certificate of that number."
        )


def _shown(known: ClientCertificate) -> Document:
    return {
        **show_credential(known),
        "fingerprint": known.fingerprint.hex(),
        "expires_at": known.expires_at.isoformat(),
    }
