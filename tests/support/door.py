"""All of accounts and logins, put together on one database, as the server puts it together.

A suite has the fixtures by `from tests.support.door import door, doors, geese` in its conftest.
"""

from __future__ import annotations

__all__ = ["Door", "DoorOptions", "OpenDoor", "door", "doors", "geese", "open_door"]

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.accounts.identities import Identities
from hongyan.accounts.quotas import Quotas
from hongyan.accounts.settings import Pop3Policy, Settings
from hongyan.accounts.watch import DirectoryWatch
from hongyan.addresses import Address, Domain
from hongyan.audit.events import CLI
from hongyan.audit.log import AuditLog, AuditOptions
from hongyan.audit.logins import LoginLog
from hongyan.audit.timelines import TimelineOptions, Timelines
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
from hongyan.engines.sql.settings import SqlSettings
from hongyan.engines.sql.timelines import SqlTimelines
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

_SERVER_KEY = Secret(b"k" * 32)


async def _leave_nothing(account: AccountId) -> None:
    """Nobody shares anything here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorOptions:
    """What a test wants to be otherwise."""

    login: LoginOptions = field(default_factory=LoginOptions)
    limits: LimitOptions = field(default_factory=LimitOptions)
    services: ServiceOptions = field(default_factory=ServiceOptions)
    devices: DeviceOptions = field(default_factory=DeviceOptions)
    passwords: PasswordOptions = _CHEAP
    app_passwords: AppPasswordOptions = field(default_factory=AppPasswordOptions)
    bus: MemoryBus = field(default_factory=MemoryBus)


class Door:
    """The services, and short ways to use them."""

    def __init__(self, database: SqlDatabase, clock: Clock, random: Random, options: DoorOptions) -> None:
        self.slept: list[float] = []
        self.watch = DirectoryWatch(SqlDirectory(database), options.bus)
        self.audit_store = SqlAudit(database)
        self.timelines = Timelines(SqlTimelines(database), clock, TimelineOptions())
        self.audit = AuditLog(self.audit_store, clock, random, AuditOptions())
        self.settings_store = SqlSettings(database)
        self.settings = Settings(self.settings_store, Pop3Policy(), self.audit, self.watch.changed)
        self.mailboxes = SqlMailboxes(database)
        self.messages = SqlMessages(database)
        self._make_directory(database, clock)
        self._make_entrance(database, clock, random, options)
        self._make_keepers(database, clock, random, options)

    def _make_directory(self, database: SqlDatabase, clock: Clock) -> None:
        changed = self.watch.changed
        store, aliases = SqlAccounts(database), SqlAliases(database)
        self.domains = Domains(SqlDomains(database), self.audit, clock, changed)
        self.quotas = Quotas(self.mailboxes, self.audit, clock)
        self.aliases = Aliases(aliases, store, self.domains, self.quotas, self.audit, changed)
        self.identities = Identities(aliases, store, self.domains, self.audit, changed)
        self.accounts = Accounts(store, self.audit, changed)

    def _make_entrance(self, database: SqlDatabase, clock: Clock, random: Random, options: DoorOptions) -> None:
        credentials = SqlCredentials(database)
        self.hasher = SecretHasher(_SERVER_KEY)
        self.passwords = Passwords(options.passwords, random)
        self.counters = MemoryCounters(clock)
        self.bans = Bans(self.counters, clock, self.audit)
        self.logins = LoginLog(self.audit_store)
        self.revocations = Revocations(credentials, clock, options.services)
        self.login = LoginDoor(
            options.login,
            options.services,
            options.devices,
            store=credentials,
            limits=LoginLimits(options.limits, self.counters, self.bans),
            passwords=self.passwords,
            hasher=self.hasher,
            server_key=_SERVER_KEY,
            logins=self.logins,
            clock=clock,
            sleep=self._sleep,
        )

    def _make_keepers(self, database: SqlDatabase, clock: Clock, random: Random, options: DoorOptions) -> None:
        credentials, changed = SqlCredentials(database), self.watch.changed
        self.app_passwords = AppPasswords(
            credentials, self.hasher, self.audit, clock, random, changed, options.app_passwords
        )
        self.account_password = AccountPassword(credentials, self.passwords, self.settings, self.audit, changed)
        self.provisioner = Provisioner(
            SqlProvisioning(database),
            self.accounts,
            passwords=self.passwords,
            hasher=self.hasher,
            audit=self.audit,
            clock=clock,
            random=random,
            changed=changed,
            options=ProvisioningOptions(),
            leave=_leave_nothing,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def open(self, domain: str) -> None:
        """Begin to listen; serve a domain if it is not served yet."""
        self.watch.listen(self.domains, self.quotas, self.aliases, self.identities, self.login, self.revocations)
        await self.watch.start()
        await self.domains.load()
        if not self.domains.is_local(Domain.parse(domain)):
            await self.domains.add(Domain.parse(domain), CLI)

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
    database: SqlDatabase, clock: Clock, random: Random, *, domain: str = "geese.test", **options: Any
) -> Door:
    """Put it together, with fields of `DoorOptions`; `domain` is served if it is not yet."""
    door = Door(database, clock, random, DoorOptions(**options))
    await door.open(domain)
    return door


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
