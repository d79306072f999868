"""Accounts: found, listed, changed, suspended. They are made and removed by `provisioning`."""

from __future__ import annotations

__all__ = ["Accounts"]

from collections.abc import Awaitable, Callable, Sequence

from hongyan.addresses import Address, Domain
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.errors import NotFound, Refused
from hongyan.store.accounts import Account, AccountChange, AccountState, AccountStore, Role, Service
from hongyan.types import AccountId


class Accounts:
    """The accounts. `changed` is called after each change: it makes this process, and soon all others, know."""

    def __init__(self, store: AccountStore, audit: AuditLog, changed: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._audit = audit
        self._changed = changed

    async def find(self, address: Address) -> Account | None:
        """Return the account whose own address that is."""
        return await self._store.find_account_by_address(address.canonical)

    async def get(self, address: Address) -> Account:
        """Return the account whose own address that is. Raises `NotFound`."""
        account = await self.find(address)
        if account is None:
            raise NotFound("There is no such account.")
        return account

    async def find_by_id(self, account: AccountId) -> Account | None:
        """Return the account."""
        return await self._store.find_account(account)

    async def list_accounts(
        self, *, domain: Domain | None = None, after: AccountId | None = None, limit: int = 100
    ) -> Sequence[Account]:
        """Return accounts by id, those after `after`; of one domain or of all."""
        return await self._store.list_accounts(domain=domain, after=after, limit=limit)

    async def change(self, account: AccountId, change: AccountChange, actor: Actor) -> Account:
        """Change an account. Raises `NotFound`, or `Refused` when no admin would be left."""
        if change.state is AccountState.SUSPENDED or change.role is Role.USER:
            await self.require_another_admin(account)
        entry = self._audit.entry(AuditEvent.ACCOUNT_CHANGED, actor, account=account, **_describe(change))
        changed = await self._store.change_account(account, change, audit=entry)
        await self._changed()
        return changed

    async def suspend(self, account: AccountId, actor: Actor) -> Account:
        """Take the account out of use; its connections end. Raises `NotFound`, or `Refused` for the last admin."""
        return await self.change(account, AccountChange(state=AccountState.SUSPENDED), actor)

    async def activate(self, account: AccountId, actor: Actor) -> Account:
        """Put the account into use again. Raises `NotFound`."""
        return await self.change(account, AccountChange(state=AccountState.ACTIVE), actor)

    async def switch_service(self, account: AccountId, service: Service, *, on: bool, actor: Actor) -> Account:
        """Switch a service of the account on or off; off ends its connections. Raises `NotFound`."""
        known = await self._store.find_account(account)
        if known is None:
            raise NotFound("There is no such account.")
        services = known.services | {service} if on else known.services - {service}
        return await self.change(account, AccountChange(services=services), actor)

    async def require_another_admin(self, account: AccountId) -> None:
        """Refuse when the account is the only active admin: somebody has to read what postmaster gets."""
        admins = await self._store.list_admins()
        if [admin.account_id for admin in admins] == [account]:
            raise Refused("The last admin stays one: make another account an admin first.")


def _describe(change: AccountChange) -> dict[str, str]:
    said = {
        "name": change.name,
        "role": change.role,
        "class": change.account_class,
        "state": change.state,
        "locale": change.locale,
        "services": None if change.services is None else " ".join(sorted(change.services)),
    }
    return {key: str(value) for key, value in said.items() if value is not None}
