"""Accounts: made, listed, suspended, removed, given another password."""

from __future__ import annotations

__all__ = ["account_operations"]

from collections.abc import AsyncIterator, Mapping

from hongyan.accounts.accounts import Accounts
from hongyan.addresses import Address, Domain
from hongyan.assembly.services import Services
from hongyan.auth.app_passwords import make_app_password
from hongyan.auth.services import DEFAULT_SERVICES
from hongyan.clock import Random
from hongyan.errors import AlreadyExists, NotFound, Refused
from hongyan.operations.calling import Caller, Document, Operation, find_member
from hongyan.provisioning.provision import AccountRequest
from hongyan.secret import Secret
from hongyan.store.accounts import Account, AccountClass, Locale, Role, Service

_PAGE = 1000
_MOST_OCTETS = 1 << 50


def account_operations(services: Services, random: Random) -> Mapping[str, Operation]:
    """Return the operations on accounts, by name."""
    group = _Accounts(services, random)
    return {
        "account.add": group.add,
        "account.list": group.list_accounts,
        "account.disable": group.disable,
        "account.quota": group.set_quota,
        "account.enable": group.enable,
        "account.remove": group.remove,
        "account.password": group.change_password,
    }


class _Accounts:
    def __init__(self, services: Services, random: Random) -> None:
        self._directory = services.directory
        self._accounts = services.directory.accounts
        self._passwords = services.entrance.passwords
        self._random = random

    async def add(
        self,
        caller: Caller,
        *,
        address: str,
        name: str = "",
        admin: bool = False,
        enterprise: bool = False,
        locale: str = "en",
        services: list[str] | None = None,
        quota_octets: int | None = None,
        password: str | None = None,
        generate: bool = False,
        dry_run: bool = False,
    ) -> Document:
        """Make an account with its mailboxes and a first app password; with `generate` a password is made up."""
        secret = self._secret(password, generate=generate)
        request = AccountRequest(
            address=Address.parse(address),
            name=name,
            role=Role.ADMIN if admin else Role.USER,
            account_class=AccountClass.ENTERPRISE if enterprise else AccountClass.CONSUMER,
            locale=find_member(Locale, locale),
            services=DEFAULT_SERVICES
            if services is None
            else frozenset(find_member(Service, text) for text in services),
            password=secret,
            quota_octets=quota_octets,
        )
        if dry_run:
            await self._require_possible(request)
            return {"address": str(request.address), "dry_run": True}
        made = await self._directory.provisioner.create(request, caller.actor)
        document = {**_shown(made.account), "app_password": made.app_password.reveal_text()}
        return {**document, "password": secret.reveal_text()} if secret and generate else document

    async def list_accounts(self, caller: Caller, *, domain: str | None = None, usage: bool = False) -> Document:
        """Return accounts by id; with `usage` what each stores and may store."""
        only = None if domain is None else Domain.parse(domain)
        listed = []
        async for account in _all_accounts(self._accounts, only):
            document = _shown(account)
            if usage:
                quota = await self._directory.quotas.quota(account.account_id)
                document = {
                    **document,
                    "used_octets": quota.used_octets,
                    "used_messages": quota.used_messages,
                    "limit_octets": quota.limit_octets,
                    "limit_messages": quota.limit_messages,
                }
            listed.append(document)
            caller.tell(len(listed), 0)
        return {"accounts": listed}

    async def set_quota(self, caller: Caller, *, address: str, octets: int, messages: int = 0) -> Document:
        """Set what an account may store; 0: as much as there is room for."""
        if not (0 <= octets <= _MOST_OCTETS and 0 <= messages <= _MOST_OCTETS):
            raise Refused("A limit is not negative, and no larger than disks are.")
        account = await self._accounts.get(Address.parse(address))
        await self._directory.quotas.set_limits(
            account.account_id, limit_octets=octets, limit_messages=messages, actor=caller.actor
        )
        return {"address": str(account.address), "limit_octets": octets, "limit_messages": messages}

    async def disable(
        self, caller: Caller, *, address: str, services: list[str] | None = None, dry_run: bool = False
    ) -> Document:
        """Take an account out of use: no logins, no deliveries; the mail stays. Or switch these services off."""
        account = await self._accounts.get(Address.parse(address))
        if services:
            return await self._switch(caller, account, services, on=False, dry_run=dry_run)
        if dry_run:
            await self._accounts.require_another_admin(account.account_id)
            return {**_shown(account), "dry_run": True}
        return _shown(await self._accounts.suspend(account.account_id, caller.actor))

    async def enable(
        self, caller: Caller, *, address: str, services: list[str] | None = None, dry_run: bool = False
    ) -> Document:
        """Put an account into use again. Or switch these services on."""
        account = await self._accounts.get(Address.parse(address))
        if services:
            return await self._switch(caller, account, services, on=True, dry_run=dry_run)
        if dry_run:
            return {**_shown(account), "dry_run": True}
        return _shown(await self._accounts.activate(account.account_id, caller.actor))

    async def remove(self, caller: Caller, *, address: str, dry_run: bool = False) -> Document:
        """Remove an account with all its mail."""
        account = await self._accounts.get(Address.parse(address))
        if dry_run:
            await self._accounts.require_another_admin(account.account_id)
            return {**_shown(account), "dry_run": True}
        await self._directory.provisioner.remove(account.account_id, caller.actor)
        return _shown(account)

    async def change_password(
        self,
        caller: Caller,
        *,
        address: str,
        password: str | None = None,
        generate: bool = False,
        dry_run: bool = False,
    ) -> Document:
        """Give an account another password; its app passwords are revoked."""
        account = await self._accounts.get(Address.parse(address))
        secret = self._secret(password, generate=generate)
        if secret is None:
            raise Refused("A new password is needed: give one, or have one made up.")
        if dry_run:
            await self._passwords.hash(secret)
            return {"address": str(account.address), "dry_run": True}
        await self._directory.passwords.change(account.account_id, secret, caller.actor)
        document = {"address": str(account.address)}
        return {**document, "password": secret.reveal_text()} if generate else document

    async def _switch(
        self, caller: Caller, account: Account, services: list[str], *, on: bool, dry_run: bool
    ) -> Document:
        wanted = _find_services(services)
        if dry_run:
            return {**_shown(account), "dry_run": True}
        for service in wanted:
            account = await self._accounts.switch_service(account.account_id, service, on=on, actor=caller.actor)
        return _shown(account)

    def _secret(self, password: str | None, *, generate: bool) -> Secret | None:
        if generate:
            return Secret(make_app_password(self._random))
        return None if password is None else Secret(password)

    async def _require_possible(self, request: AccountRequest) -> None:
        """Refuse what `create` would refuse."""
        if not self._directory.domains.is_local(request.address.domain):
            raise NotFound("That domain is not served here.")
        if await self._accounts.find(request.address) is not None:
            raise AlreadyExists("That address is taken.")
        if request.password is not None:
            await self._passwords.hash(request.password)


async def _all_accounts(accounts: Accounts, domain: Domain | None) -> AsyncIterator[Account]:
    last = None
    while page := await accounts.list_accounts(domain=domain, after=last, limit=_PAGE):
        for account in page:
            yield account
        last = page[-1].account_id


def _find_services(names: list[str] | None) -> frozenset[Service]:
    return frozenset(find_member(Service, name) for name in names or ())


def _shown(account: Account) -> Document:
    return {
        "address": str(account.address),
        "name": account.name,
        "role": account.role.value,
        "class": account.account_class.value,
        "state": account.state.value,
        "locale": account.locale.value,
        "services": sorted(service.value for service in account.services),
        "created_at": account.created_at.isoformat(),
    }
