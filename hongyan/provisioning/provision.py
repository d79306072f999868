"""Makes accounts that are usable at once, and removes them with all they held.

All that a new account needs is stored in one unit of work: the account, its address, its mailboxes with their
special uses (RFC 6154 §2), its password and its first app password. A removed account is gone at once for everybody;
its mail is dropped afterwards, step by step, and a crash in between is finished after the next start.
"""

from __future__ import annotations

__all__ = ["AccountRequest", "ProvisionedAccount", "Provisioner", "ProvisioningOptions"]

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from hongyan import telemetry
from hongyan.accounts.accounts import Accounts
from hongyan.addresses import Address
from hongyan.audit.events import Actor, AuditEvent
from hongyan.audit.log import AuditLog
from hongyan.auth.app_passwords import (
    APP_PASSWORD_SCOPES,
    SecretHasher,
    check_label,
    group_letters,
    make_app_password,
    require_scopes,
)
from hongyan.auth.passwords import Passwords
from hongyan.auth.services import DEFAULT_SERVICES
from hongyan.clock import Clock, Random
from hongyan.mailboxes.special_use import DEFAULT_MAILBOXES
from hongyan.options import option
from hongyan.secret import Secret
from hongyan.store.accounts import Account, AccountClass, Locale, Role, Service
from hongyan.store.credentials import NewAppPassword
from hongyan.store.provisioning import NewAccount, NewMailbox, ProvisioningStore
from hongyan.types import AccountId
from hongyan.wire.sasl import SCRAM_ITERATIONS

log = telemetry.logger("provisioning")

_SALT_OCTETS = 16
_CHANCE = 1 << 30
_TOGETHER = 100  # accounts stored in one group


@dataclass(frozen=True, slots=True)
class ProvisioningOptions:
    """The section `[accounts]`: what a new account is given."""

    quota_octets: int = option(10 << 30, "What a new account may store; 0: no limit.", unit="octets")
    quota_messages: int = option(0, "Messages that a new account may store; 0: no limit.")

    def __post_init__(self) -> None:
        if self.quota_octets < 0 or self.quota_messages < 0:
            raise ValueError("a quota is not negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest:
    """What is asked for. Without a password the account has none; a given app password is for demonstrations.

    `label` and `scopes` are those of the app password. `quota_octets` None means what new accounts are given.
    """

    address: Address
    name: str = ""
    role: Role = Role.USER
    account_class: AccountClass = AccountClass.CONSUMER
    locale: Locale = Locale.EN
    services: frozenset[Service] = DEFAULT_SERVICES
    password: Secret | None = None
    app_password: Secret | None = None
    label: str = "first"
    scopes: frozenset[Service] = APP_PASSWORD_SCOPES
    quota_octets: int | None = None

    def __post_init__(self) -> None:
        check_label(self.label)
        require_scopes(self.scopes)


@dataclass(frozen=True, slots=True)
class ProvisionedAccount:
    """A new account and its first app password, as it is shown this once."""

    account: Account
    app_password: Secret


@dataclass(frozen=True, slots=True)
class _Hashed:
    """Secrets as they are stored; accounts of a demonstration that share a secret share the work."""

    password_hash: str = field(repr=False)
    salt: bytes = field(repr=False)
    shown: Secret
    app_password: NewAppPassword


class Provisioner:
    """Makes and removes accounts. `changed` is called after each change.

    `leave` takes back what others have granted to an account that goes.
    """

    def __init__(
        self,
        store: ProvisioningStore,
        accounts: Accounts,
        *,
        passwords: Passwords,
        hasher: SecretHasher,
        audit: AuditLog,
        clock: Clock,
        random: Random,
        changed: Callable[[], Awaitable[None]],
        options: ProvisioningOptions,
        leave: Callable[[AccountId], Awaitable[None]],
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._passwords = passwords
        self._hasher = hasher
        self._audit = audit
        self._clock = clock
        self._random = random
        self._changed = changed
        self._options = options
        self._leave = leave

    async def create(self, request: AccountRequest, actor: Actor) -> ProvisionedAccount:
        """Make an account.

        Raises `AlreadyExists` when the address is taken, `NotFound` when its domain is not served, and
        `PasswordFault` for a password that cannot be one.
        """
        hashed = await self._hash(request)
        account = await self._store_account(request, hashed, actor)
        await self._changed()
        return ProvisionedAccount(account, hashed.shown)

    async def create_alike(
        self, request: AccountRequest, addresses: Sequence[Address], actor: Actor
    ) -> Sequence[Account]:
        """Make many accounts with the secrets of one request: for demonstrations and load tests only.

        The secrets are hashed once: real accounts share neither a salt nor a secret.
        """
        hashed = await self._hash(request)
        made: list[Account] = []
        for at in range(0, len(addresses), _TOGETHER):
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._store_account(request, hashed, actor, address))
                    for address in addresses[at : at + _TOGETHER]
                ]
            made += [task.result() for task in tasks]
        await self._changed()
        return made

    async def remove(self, account: AccountId, actor: Actor) -> None:
        """Remove an account, its credentials and its mail. Raises `NotFound`, or `Refused` for the last admin."""
        await self._accounts.require_another_admin(account)
        entry = self._audit.entry(AuditEvent.ACCOUNT_REMOVED, actor, account=account)
        await self._store.remove_account(account, audit=entry)
        await self._changed()
        await self._drop_mail(account)

    async def finish_removals(self) -> int:
        """Drop the mail of accounts whose removal was interrupted; return how many there were."""
        removed = await self._store.list_removed()
        for account in removed:
            await self._drop_mail(account)
        return len(removed)

    async def _hash(self, request: AccountRequest) -> _Hashed:
        password_hash = "" if request.password is None else await self._passwords.hash(request.password)
        shown = request.app_password
        if shown is None:
            shown = Secret(group_letters(make_app_password(self._random)))
        salt = self._random.token(_SALT_OCTETS)
        app_password = await self._hasher.prepare(
            shown,
            salt,
            label=request.label,
            scopes=request.scopes,
            created_at=self._clock.now().replace(microsecond=0),
        )
        return _Hashed(password_hash, salt, shown, app_password)

    async def _store_account(
        self, request: AccountRequest, hashed: _Hashed, actor: Actor, address: Address | None = None
    ) -> Account:
        options = self._options
        new = NewAccount(
            address=address or request.address,
            name=request.name,
            role=request.role,
            account_class=request.account_class,
            locale=request.locale,
            services=request.services,
            created_at=hashed.app_password.created_at,
            mailboxes=[NewMailbox(name, use) for name, use in DEFAULT_MAILBOXES],
            uidvalidity_chance=self._random.below(_CHANCE),
            limit_octets=options.quota_octets if request.quota_octets is None else request.quota_octets,
            limit_messages=options.quota_messages,
            password_hash=hashed.password_hash,
            scram_salt=hashed.salt,
            scram_iterations=SCRAM_ITERATIONS,
            app_passwords=(hashed.app_password,),
        )
        entry = self._audit.entry(AuditEvent.ACCOUNT_CREATED, actor, address=str(new.address), role=new.role.value)
        return await self._store.create_account(new, audit=entry)

    async def _drop_mail(self, account: AccountId) -> None:
        await self._leave(account)
        steps = 1
        while await self._store.drop_mail(account):
            steps += 1
        log.info("account-mail-dropped", account=account, steps=steps)
