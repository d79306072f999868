"""Domains, accounts and addresses, and who gets in: services from engines, with their ports filled in."""

from __future__ import annotations

__all__ = ["Directory", "Entrance", "make_directory", "make_entrance"]

from dataclasses import dataclass

from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.accounts.identities import Identities
from hongyan.accounts.quotas import Quotas
from hongyan.accounts.watch import DirectoryWatch
from hongyan.assembly.ground import Ground
from hongyan.assembly.signing import SigningKeys
from hongyan.audit.log import AuditLog
from hongyan.audit.logins import LoginLog
from hongyan.auth.account_password import AccountPassword
from hongyan.auth.app_passwords import AppPasswords, SecretHasher
from hongyan.auth.login import LoginDoor
from hongyan.auth.passwords import Passwords
from hongyan.auth.revocations import Revocations
from hongyan.auth.server_key import load_server_key
from hongyan.domains.domains import Domains
from hongyan.engines.sql.accounts import SqlAccounts
from hongyan.engines.sql.aliases import SqlAliases
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.limits.bans import Bans
from hongyan.limits.rates import LoginLimits
from hongyan.mailboxes.mail import Mail
from hongyan.provisioning.provision import Provisioner
from hongyan.secret import Secret
from hongyan.servers.sasl import Door

_SERVER_KEY = "server.key"
_DKIM = "dkim"


@dataclass(frozen=True, slots=True)
class Directory:
    """Domains, accounts and addresses."""

    domains: Domains
    accounts: Accounts
    aliases: Aliases
    identities: Identities
    quotas: Quotas
    passwords: AccountPassword
    app_passwords: AppPasswords
    provisioner: Provisioner
    signing_keys: SigningKeys
    watch: DirectoryWatch
    audit: AuditLog


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who gets in."""

    login: LoginDoor
    door: Door
    revocations: Revocations
    bans: Bans
    logins: LoginLog
    passwords: Passwords

    async def close(self) -> None:
        """Write down the last logins, and end the threads."""
        await self.logins.close()
        self.passwords.close()


def make_directory(ground: Ground, mail: Mail, passwords: Passwords) -> Directory:
    """Make what knows domains, accounts and addresses. `watch` is to be started before it is used."""
    database, clock, random, config = ground.database, ground.clock, ground.random, ground.config
    watch = DirectoryWatch(SqlDirectory(database), ground.engines.bus)
    audit = AuditLog(SqlAudit(database), clock, random, config.audit)
    account_store, alias_store, credentials = SqlAccounts(database), SqlAliases(database), SqlCredentials(database)
    hasher = SecretHasher(_server_key(ground))
    domains = Domains(SqlDomains(database), audit, clock, watch.changed)
    quotas = Quotas(mail.mailboxes, audit, clock)
    accounts = Accounts(account_store, audit, watch.changed)
    return Directory(
        domains=domains,
        accounts=accounts,
        aliases=Aliases(alias_store, account_store, domains, quotas, audit, watch.changed),
        identities=Identities(alias_store, account_store, domains, audit, watch.changed),
        quotas=quotas,
        passwords=AccountPassword(credentials, passwords, audit, watch.changed),
        app_passwords=AppPasswords(credentials, hasher, audit, clock, random, watch.changed, config.app_passwords),
        provisioner=Provisioner(
            SqlProvisioning(database),
            accounts,
            passwords=passwords,
            hasher=hasher,
            audit=audit,
            clock=clock,
            random=random,
            changed=watch.changed,
            options=config.accounts,
        ),
        signing_keys=SigningKeys(ground.data / _DKIM, domains),
        watch=watch,
        audit=audit,
    )


def make_entrance(ground: Ground, directory: Directory, passwords: Passwords) -> Entrance:
    """Make what lets in or refuses."""
    config, clock = ground.config, ground.clock
    credentials = SqlCredentials(ground.database)
    bans = Bans(ground.engines.counters, clock, directory.audit)
    logins = LoginLog(SqlAudit(ground.database))
    key = _server_key(ground)
    login = LoginDoor(
        config.login,
        config.services,
        config.devices,
        store=credentials,
        limits=LoginLimits(config.limits, ground.engines.counters, bans),
        passwords=passwords,
        hasher=SecretHasher(key),
        server_key=key,
        logins=logins,
        clock=clock,
    )
    return Entrance(
        login=login,
        door=Door(login, ground.random, plaintext_on_loopback=config.login.plaintext_on_loopback),
        revocations=Revocations(credentials, clock, config.services),
        bans=bans,
        logins=logins,
        passwords=passwords,
    )


def _server_key(ground: Ground) -> Secret:
    return load_server_key(ground.data / _SERVER_KEY, ground.random)
