"""App passwords: made, listed, revoked. One is named by its number within the account."""

from __future__ import annotations

__all__ = ["app_password_operations"]

from collections.abc import Mapping, Sequence

from hongyan.addresses import Address
from hongyan.assembly.services import Services
from hongyan.auth.app_passwords import APP_PASSWORD_SCOPES, check_label, require_scopes
from hongyan.operations.calling import Caller, Document, Operation, find_member
from hongyan.operations.credentials import pick_credentials, show_credential
from hongyan.store.accounts import Service
from hongyan.store.credentials import AppPassword
from hongyan.types import AccountId


def app_password_operations(services: Services) -> Mapping[str, Operation]:
    """Return the operations on app passwords, by name."""
    group = _AppPasswords(services)
    return {
        "app-password.create": group.create,
        "app-password.list": group.list_app_passwords,
        "app-password.revoke": group.revoke,
    }


class _AppPasswords:
    def __init__(self, services: Services) -> None:
        self._accounts = services.directory.accounts
        self._app_passwords = services.directory.app_passwords

    async def create(
        self,
        caller: Caller,
        *,
        address: str,
        label: str,
        services: list[str] | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Make an app password; its secret is returned this once."""
        account = await self._accounts.get(Address.parse(address))
        scopes = frozenset(find_member(Service, text) for text in services or ()) or APP_PASSWORD_SCOPES
        check_label(label)
        require_scopes(scopes)
        if dry_run:
            return {"address": str(account.address), "label": label, "dry_run": True}
        issued = await self._app_passwords.create(account.account_id, label, scopes, caller.actor)
        return {
            "address": str(account.address),
            **show_credential(issued.app_password),
            "app_password": issued.shown.reveal_text(),
        }

    async def list_app_passwords(self, caller: Caller, *, address: str) -> Document:  # noqa: ARG002
        """Return the app passwords of an account, the oldest first; not their secrets, which nobody knows."""
        account = await self._accounts.get(Address.parse(address))
        listed = await self._app_passwords.list_app_passwords(account.account_id)
        return {"address": str(account.address), "app_passwords": [show_credential(known) for known in listed]}

    async def revoke(
        self,
        caller: Caller,
        *,
        address: str,
        numbers: list[int] | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Revoke these app passwords, or all; their connections end."""
        account = await self._accounts.get(Address.parse(address))
        meant = await self._find(account.account_id, numbers)
        if not dry_run:
            credentials = [known.credential for known in meant]
            await self._app_passwords.revoke(account.account_id, credentials, caller.actor)
        document = {"address": str(account.address), "app_passwords": [show_credential(known) for known in meant]}
        return {**document, "dry_run": True} if dry_run else document

    async def _find(self, account: AccountId, numbers: Sequence[int] | None) -> Sequence[AppPassword]:
        present = await self._app_passwords.list_app_passwords(account)
        return pick_credentials(present, account, numbers, missing="The account has no app password of that number.")
