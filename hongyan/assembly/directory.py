"""Domains, accounts and addresses, and who gets in: services from engines, with their ports filled in."""

from __future__ import annotations

__all__ = ["Directory", "Entrance", "find_client_authority", "make_directory", "make_entrance"]

from dataclasses import dataclass
from functools import partial

from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.accounts.identities import Identities
from hongyan.accounts.quotas import Quotas
from hongyan.accounts.settings import Deleted, Settings
from hongyan.accounts.watch import DirectoryWatch
from hongyan.assembly.ground import Ground
from hongyan.assembly.signing import SigningKeys
from hongyan.audit.log import AuditLog
from hongyan.audit.logins import LoginLog
from hongyan.audit.timelines import Timelines
from hongyan.auth.account_password import AccountPassword
from hongyan.auth.app_passwords import AppPasswords, SecretHasher
from hongyan.auth.client_authority import CLIENT_AUTHORITY, ClientAuthority, load_client_authority
from hongyan.auth.client_certificates import ClientCertificates
from hongyan.auth.login import LoginDoor
from hongyan.auth.passkeys import Passkeys
from hongyan.auth.passwords import Passwords
from hongyan.auth.requirements import Requirements
from hongyan.auth.revocations import Revocations
from hongyan.auth.second_factor import SecondFactors
from hongyan.auth.server_key import load_server_key
from hongyan.auth.sessions import WebSessions
from hongyan.domains.dkim_keeper import DkimKeeper
from hongyan.domains.domains import Domains
from hongyan.engines.sql.accounts import SqlAccounts
from hongyan.engines.sql.aliases import SqlAliases
from hongyan.engines.sql.annotations import SqlAnnotations
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.bans import SqlBans
from hongyan.engines.sql.client_certificates import SqlClientCertificates
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.crossings import SqlCrossings
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domain_state import SqlDomainState
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.passkeys import SqlPasskeys
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.engines.sql.second_factors import SqlSecondFactors
from hongyan.engines.sql.settings import SqlSettings
from hongyan.engines.sql.shares import SqlShares
from hongyan.engines.sql.timelines import SqlTimelines
from hongyan.engines.sql.web_sessions import SqlWebSessions
from hongyan.limits.bans import Bans
from hongyan.limits.places import Locator, open_locator
from hongyan.limits.rates import LoginLimits
from hongyan.mailboxes.annotations import Annotations
from hongyan.mailboxes.mail import Mail
from hongyan.mailboxes.reach import Reach
from hongyan.mailboxes.shared_mail import SharedMail
from hongyan.mailboxes.sharing import Sharing
from hongyan.mailboxes.viewed import ViewedMailboxes
from hongyan.provisioning.provision import Provisioner
from hongyan.secret import Secret
from hongyan.servers.sasl import Door
from hongyan.store.accounts import AccountStore

_SERVER_KEY = "server.key"
_DKIM = "dkim"
_EXPIRY = 30.0  # seconds between looks for certificates that have ended


@dataclass(frozen=True, slots=True)
class Directory:
    """Domains, accounts and addresses."""

    domains: Domains
    accounts: Accounts
    aliases: Aliases
    identities: Identities
    quotas: Quotas
    settings: Settings
    passwords: AccountPassword
    app_passwords: AppPasswords
    client_certificates: ClientCertificates
    provisioner: Provisioner
    dkim: DkimKeeper
    signing_keys: SigningKeys
    watch: DirectoryWatch
    audit: AuditLog
    timelines: Timelines
    shared: SharedMail
    annotations: Annotations


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who gets in."""

    login: LoginDoor
    door: Door
    revocations: Revocations
    bans: Bans
    logins: LoginLog
    passwords: Passwords
    locator: Locator
    web_sessions: WebSessions
    second_factors: SecondFactors
    passkeys: Passkeys

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
    dkim = DkimKeeper(ground.data / _DKIM, SqlDomainState(database), audit, clock, config.domains)
    accounts = Accounts(account_store, audit, watch.changed)
    shared = _make_shared(ground, mail, account_store, audit)
    settings = Settings(
        SqlSettings(database), config.pop3.policy, audit, watch.changed, deleted=Deleted(config.imap.deleted)
    )
    return Directory(
        domains=domains,
        accounts=accounts,
        aliases=Aliases(alias_store, account_store, domains, quotas, audit, watch.changed),
        identities=Identities(alias_store, account_store, domains, audit, watch.changed),
        quotas=quotas,
        settings=settings,
        passwords=AccountPassword(credentials, passwords, settings, audit, watch.changed),
        app_passwords=AppPasswords(credentials, hasher, audit, clock, random, watch.changed, config.app_passwords),
        client_certificates=ClientCertificates(
            credentials,
            SqlClientCertificates(database),
            partial(find_client_authority, ground),
            audit,
            clock,
            random,
            watch.changed,
            config.client_certificates,
        ),
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
            leave=shared.sharing.leave_all,
        ),
        dkim=dkim,
        signing_keys=SigningKeys(dkim, domains),
        watch=watch,
        audit=audit,
        timelines=Timelines(SqlTimelines(database), clock, config.timelines),
        shared=shared,
        annotations=Annotations(SqlAnnotations(database), config.annotations),
    )


def _make_shared(ground: Ground, mail: Mail, accounts: AccountStore, audit: AuditLog) -> SharedMail:
    shares = SqlShares(ground.database)
    return SharedMail(
        reach=Reach(mail.mailboxes, shares, accounts),
        sharing=Sharing(mail, shares, accounts, audit, ground.config.sharing),
        views=ViewedMailboxes(mail, shares, accounts),
        shares=shares,
        crossings=SqlCrossings(ground.database),
    )


def make_entrance(ground: Ground, directory: Directory, passwords: Passwords) -> Entrance:
    """Make what lets in or refuses."""
    config, clock = ground.config, ground.clock
    credentials = SqlCredentials(ground.database)
    engines = ground.engines
    known_bans = SqlBans(ground.database) if engines.is_shared else None
    bans = Bans(engines.counters, clock, directory.audit, offences=engines.offences, shared=known_bans)
    logins = LoginLog(SqlAudit(ground.database))
    key = _server_key(ground)
    login = LoginDoor(
        config.login,
        config.services,
        config.devices,
        store=credentials,
        limits=LoginLimits(config.limits, engines.offences, bans),
        passwords=passwords,
        hasher=SecretHasher(key),
        server_key=key,
        logins=logins,
        clock=clock,
    )
    revocations = Revocations(credentials, clock, config.services)
    locator = open_locator(config.geoip)
    second_factors = _make_second_factors(ground, directory, key)
    ground.wheel.every(_EXPIRY, revocations.end_expired)
    return Entrance(
        login=login,
        door=Door(login, ground.random, plaintext_on_loopback=config.login.plaintext_on_loopback),
        revocations=revocations,
        bans=bans,
        logins=logins,
        passwords=passwords,
        locator=locator,
        web_sessions=_make_web_sessions(ground, directory, locator),
        second_factors=second_factors,
        passkeys=Passkeys(
            SqlPasskeys(ground.database),
            second_factors,
            key,
            engines.counters,
            directory.audit,
            clock,
            ground.random,
            directory.watch.changed,
            config.web.passkeys,
            config.server.hostname,
        ),
    )


def _make_web_sessions(ground: Ground, directory: Directory, locator: Locator) -> WebSessions:
    requirements = Requirements(directory.settings, directory.domains, SqlSecondFactors(ground.database))
    return WebSessions(
        SqlWebSessions(ground.database),
        locator.locate,
        directory.audit,
        ground.clock,
        ground.random,
        directory.watch.changed,
        requirements.find,
        ground.config.web.sessions,
    )


def _make_second_factors(ground: Ground, directory: Directory, key: Secret) -> SecondFactors:
    return SecondFactors(
        SqlSecondFactors(ground.database),
        key,
        ground.engines.counters,
        directory.audit,
        ground.clock,
        ground.random,
        directory.watch.changed,
        ground.config.server.hostname,
    )


def find_client_authority(ground: Ground) -> ClientAuthority:
    """Return who signs the certificates of mail programs; made when there is none yet. Blocks."""
    config, path = ground.config, ground.data / CLIENT_AUTHORITY
    return load_client_authority(path, config.server.hostname, ground.clock, ground.random)


def _server_key(ground: Ground) -> Secret:
    return load_server_key(ground.data / _SERVER_KEY, ground.random)
