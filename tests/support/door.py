"""All of accounts and logins, put together on one database, as the server puts it together.

A suite has the fixtures by `from tests.support.door import door, doors, geese` in its conftest.
"""

from __future__ import annotations

__all__ = ["Door", "OpenDoor", "door", "doors", "geese", "open_door"]

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.accounts.identities import Identities
from hongyan.accounts.quotas import Quotas
from hongyan.accounts.watch import DirectoryWatch
from hongyan.addresses import Address, Domain
from hongyan.audit.events import CLI
from hongyan.audit.log import AuditLog, AuditOptions
from hongyan.audit.logins import LoginLog
from hongyan.auth.account_password import AccountPassword
from hongyan.auth.app_passwords import AppPasswordOptions, AppPasswords, SecretHasher
from hongyan.auth.devices import DeviceOptions
from hongyan.auth.login import LoginDoor, LoginOptions
from hongyan.auth.passwords import PasswordOptions, Passwords
from hongyan.auth.principal import LoginAttempt, Principal
from hongyan.auth.revocations import Revocations
from hongyan.auth.services import ServiceOptions
from hongyan.clock import Clock, Random
from hongyan.domains.domains import Domains
from hongyan.engines.memory import MemoryBus, MemoryCounters
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.accounts import SqlAccounts
from hongyan.engines.sql.aliases import SqlAliases
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.messages import SqlMessages
from hongyan.engines.sql.migrations import SQLITE, migrate
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.units import SqlDatabase
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.limits.bans import Bans
from hongyan.limits.rates import LimitOptions, LoginLimits
from hongyan.provisioning.provision import AccountRequest, ProvisionedAccount, Provisioner, ProvisioningOptions
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.store.mailboxes import INBOX
from hongyan.types import AccountId
from tests.support.clock import FakeClock, FakeRandom
from tests.support.mail import new_message

_CHEAP = PasswordOptions(passes=1, memory=8, min_length=4)
"""Passwords that cost a tester nothing."""


@dataclass(slots=True, kw_only=True)
class Door:
    """The services, and short ways to use them."""

    watch: DirectoryWatch
    domains: Domains
    quotas: Quotas
    aliases: Aliases
    identities: Identities
    accounts: Accounts
    provisioner: Provisioner
    app_passwords: AppPasswords
    account_password: AccountPassword
    passwords: Passwords
    revocations: Revocations
    login: LoginDoor
    logins: LoginLog
    audit: AuditLog
    audit_store: SqlAudit
    counters: MemoryCounters
    bans: Bans
    mailboxes: SqlMailboxes
    messages: SqlMessages
    slept: list[float] = field(default_factory=list)

    async def add(self, address: str, **request: Any) -> ProvisionedAccount:
        return await self.provisioner.create(AccountRequest(address=Address.parse(address), **request), CLI)

    async def fill(self, account: AccountId, messages: int = 1) -> None:
        """File messages into the account's INBOX."""
        inbox = await self.mailboxes.find_mailbox(account, INBOX)
        assert inbox is not None
        filed = [new_message(f"n{number}") for number in range(messages)]
        await self.messages.append(account, inbox.mailbox_id, filed)

    def attempt(self, name: str, secret: str | Secret | None, **fields: Any) -> LoginAttempt:
        defaults: Mapping[str, Any] = {
            "service": Service.IMAP,
            "peer": "192.0.2.1",
            "tls": "TLSv1.3",
            "mechanism": "PLAIN",
            "client": "goose",
        }
        shown = Secret(secret) if isinstance(secret, str) else secret
        return LoginAttempt(name=name, secret=shown, **{**defaults, **fields})

    async def enter(self, name: str, secret: str | Secret | None, **fields: Any) -> Principal:
        return await self.login.authenticate(self.attempt(name, secret, **fields))


async def open_door(
    database: SqlDatabase,
    clock: Clock,
    random: Random,
    *,
    login: LoginOptions | None = None,
    limits: LimitOptions | None = None,
    services: ServiceOptions | None = None,
    devices: DeviceOptions | None = None,
    passwords: PasswordOptions = _CHEAP,
    app_passwords: AppPasswordOptions | None = None,
    domain: str = "geese.test",
    bus: MemoryBus | None = None,
) -> Door:
    """Put it together; `domain` is served if it is not yet."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    services = services or ServiceOptions()
    credentials, sql_accounts, sql_audit = SqlCredentials(database), SqlAccounts(database), SqlAudit(database)
    watch = DirectoryWatch(SqlDirectory(database), bus or MemoryBus())
    changed = watch.changed
    audit = AuditLog(sql_audit, clock, random, AuditOptions())
    domains = Domains(SqlDomains(database), audit, clock, changed)
    mailboxes = SqlMailboxes(database)
    quotas = Quotas(mailboxes, audit, clock)
    aliases = Aliases(SqlAliases(database), sql_accounts, domains, quotas, audit, changed)
    identities = Identities(SqlAliases(database), sql_accounts, domains, audit, changed)
    accounts = Accounts(sql_accounts, audit, changed)
    server_key = Secret(b"k" * 32)
    hasher = SecretHasher(server_key)
    argon = Passwords(passwords, random)
    counters = MemoryCounters(clock)
    bans = Bans(counters, clock, audit)
    logins = LoginLog(sql_audit)
    revocations = Revocations(credentials, clock, services)
    door = LoginDoor(
        login or LoginOptions(),
        services,
        devices or DeviceOptions(),
        store=credentials,
        limits=LoginLimits(limits or LimitOptions(), counters, bans),
        passwords=argon,
        hasher=hasher,
        server_key=server_key,
        logins=logins,
        clock=clock,
        sleep=sleep,
    )
    watch.listen(domains, quotas, aliases, identities, door, revocations)
    await watch.start()
    await domains.load()
    if not domains.is_local(Domain.parse(domain)):
        await domains.add(Domain.parse(domain), CLI)
    return Door(
        watch=watch,
        domains=domains,
        quotas=quotas,
        aliases=aliases,
        identities=identities,
        accounts=accounts,
        provisioner=Provisioner(
            SqlProvisioning(database),
            accounts,
            passwords=argon,
            hasher=hasher,
            audit=audit,
            clock=clock,
            random=random,
            changed=changed,
            options=ProvisioningOptions(),
        ),
        app_passwords=AppPasswords(
            credentials, hasher, audit, clock, random, changed, app_passwords or AppPasswordOptions()
        ),
        account_password=AccountPassword(credentials, argon, audit, changed),
        passwords=argon,
        revocations=revocations,
        login=door,
        logins=logins,
        audit=audit,
        audit_store=sql_audit,
        counters=counters,
        bans=bans,
        mailboxes=mailboxes,
        messages=SqlMessages(database),
        slept=slept,
    )


OpenDoor = Callable[..., Awaitable[Door]]
"""Opens a door with options of its own, on the test's database: a second one is a second process."""


@pytest.fixture
async def geese(tmp_path: Path) -> AsyncIterator[SqlDatabase]:
    """An empty database."""
    blobs = SegmentStore(tmp_path / "blobs")
    database = SqliteDatabase(tmp_path / "mail.db", blobs)
    database.open()
    await migrate(database, SQLITE)
    yield database
    database.close()
    blobs.close()


@pytest.fixture
async def doors(geese: SqlDatabase, clock: FakeClock, chance: FakeRandom) -> AsyncIterator[OpenDoor]:
    opened: list[Door] = []

    async def open_one(**options: Any) -> Door:
        opened.append(await open_door(geese, clock, chance, **options))
        return opened[-1]

    yield open_one
    for door in opened:
        door.passwords.close()


@pytest.fixture
async def door(doors: OpenDoor) -> Door:
    return await doors()
