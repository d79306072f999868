"""Services from engines: what logs in, files, sends and looks after, with its ports filled in."""

from __future__ import annotations

__all__ = ["Services", "make_services"]

from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hongyan.accounts.accounts import Accounts
from hongyan.accounts.aliases import Aliases
from hongyan.accounts.identities import Identities
from hongyan.accounts.quotas import Quotas
from hongyan.accounts.watch import DirectoryWatch
from hongyan.addresses import Domain
from hongyan.assembly.engines import Engines
from hongyan.assembly.outgoing import Outgoing, make_outgoing
from hongyan.audit.log import AuditLog
from hongyan.audit.logins import LoginLog
from hongyan.auth.app_passwords import AppPasswords, SecretHasher
from hongyan.auth.login import LoginDoor
from hongyan.auth.passwords import Passwords
from hongyan.auth.revocations import Revocations
from hongyan.auth.server_key import load_server_key
from hongyan.clock import Clock, Random
from hongyan.config import Config
from hongyan.delivery.deliver import Deliverer
from hongyan.delivery.spool import spool_directory
from hongyan.domains.certificates import Certificates
from hongyan.domains.dkim_keys import load_signing_keys
from hongyan.domains.domains import Domains
from hongyan.engines.sql.accounts import SqlAccounts
from hongyan.engines.sql.aliases import SqlAliases
from hongyan.engines.sql.audit import SqlAudit
from hongyan.engines.sql.credentials import SqlCredentials
from hongyan.engines.sql.directory import SqlDirectory
from hongyan.engines.sql.domains import SqlDomains
from hongyan.engines.sql.mailboxes import SqlMailboxes
from hongyan.engines.sql.messages import SqlMessages
from hongyan.engines.sql.provisioning import SqlProvisioning
from hongyan.inbound.transaction import InboundServices
from hongyan.limits.bans import Bans
from hongyan.limits.rates import LoginLimits
from hongyan.mailauth.dkim import SigningKey
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.mail import Mail
from hongyan.notify.hub import Hub
from hongyan.provisioning.provision import Provisioner
from hongyan.servers.imap.heart import Heart
from hongyan.servers.imap.services import ImapServices
from hongyan.servers.sasl import Door
from hongyan.servers.wheel import Wheel
from hongyan.submission.submit import Submitter
from hongyan.submission.transaction import SubmissionServices
from hongyan.types import AccountId

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
    app_passwords: AppPasswords
    provisioner: Provisioner
    watch: DirectoryWatch
    audit: AuditLog
    dkim: Path


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who gets in."""

    login: LoginDoor
    door: Door
    revocations: Revocations
    bans: Bans
    logins: LoginLog
    passwords: Passwords
    hasher: SecretHasher


@dataclass(frozen=True, slots=True)
class Services:
    """Everything between the engines and the listeners."""

    mail: Mail
    hub: Hub
    directory: Directory
    entrance: Entrance
    outgoing: Outgoing
    imap: ImapServices
    inbound: InboundServices
    submission: SubmissionServices
    certificates: Certificates | None

    def background(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Yield what runs for as long as the server does."""
        yield "hub", self.hub.run()
        yield "directory", self.directory.watch.run()
        yield "logins", self.entrance.logins.run()
        yield "queue", self.outgoing.worker.run()
        if self.certificates is not None:
            yield "certificates", self.certificates.watch()

    async def close(self) -> None:
        """End what holds threads or has not written yet."""
        await self.entrance.logins.close()
        await self.mail.live.close()
        await self.outgoing.close()
        self.entrance.passwords.close()


async def make_services(
    config: Config, engines: Engines, data: Path, clock: Clock, random: Random, wheel: Wheel
) -> Services:
    """Make all services, and read what they keep in memory."""
    mail, hub = _make_mail(config, engines, clock)
    entrance_hasher = SecretHasher(load_server_key(data / _SERVER_KEY, random))
    passwords = Passwords(config.passwords, random)
    directory = _make_directory(config, engines, data, clock, random, passwords, entrance_hasher, mail)
    entrance = _make_entrance(config, engines, data, clock, random, passwords, entrance_hasher, directory.audit)
    # Who answers others from what it keeps comes before them.
    directory.watch.listen(
        directory.domains,
        directory.quotas,
        directory.aliases,
        directory.identities,
        entrance.login,
        entrance.revocations,
    )
    await directory.watch.start()
    await directory.domains.load()
    deliverer = Deliverer(mail)
    outgoing = make_outgoing(config, engines, clock, random, directory.domains, directory.aliases, deliverer)
    certificates = Certificates(config.certificates) if config.certificates else None
    wheel.every(1.0, hub.tick)
    return Services(
        mail=mail,
        hub=hub,
        directory=directory,
        entrance=entrance,
        outgoing=outgoing,
        imap=_make_imap(config, mail, hub, engines, entrance, clock, random, wheel, spool_directory(data)),
        inbound=_make_inbound(config, directory, deliverer, outgoing, clock, random, data),
        submission=_make_submission(config, mail, directory, outgoing, clock, random, data),
        certificates=certificates,
    )


def _make_mail(config: Config, engines: Engines, clock: Clock) -> tuple[Mail, Hub]:
    """Make the mailboxes in memory and the hub, which know each other."""
    database = engines.storage.database
    mailboxes = SqlMailboxes(database)

    async def catch_up(account: AccountId) -> None:
        await live.catch_up(account)

    hub = Hub(engines.bus, catch_up if engines.is_shared else None)
    live = LiveMailboxes(mailboxes, mailboxes, hub, config.memory)
    return Mail(mailboxes, SqlMessages(database), engines.storage.blobs, live, clock), hub


def _make_directory(
    config: Config,
    engines: Engines,
    data: Path,
    clock: Clock,
    random: Random,
    passwords: Passwords,
    hasher: SecretHasher,
    mail: Mail,
) -> Directory:
    database = engines.storage.database
    watch = DirectoryWatch(SqlDirectory(database), engines.bus)
    audit = AuditLog(SqlAudit(database), clock, random, config.audit)
    store, alias_store = SqlAccounts(database), SqlAliases(database)
    domains = Domains(SqlDomains(database), audit, clock, watch.changed)
    quotas = Quotas(mail.mailboxes, audit, clock)
    accounts = Accounts(store, audit, watch.changed)
    return Directory(
        domains=domains,
        accounts=accounts,
        aliases=Aliases(alias_store, store, domains, quotas, audit, watch.changed),
        identities=Identities(alias_store, store, domains, audit, watch.changed),
        quotas=quotas,
        app_passwords=AppPasswords(
            SqlCredentials(database), hasher, audit, clock, random, watch.changed, config.app_passwords
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
        ),
        watch=watch,
        audit=audit,
        dkim=data / _DKIM,
    )


def _make_entrance(
    config: Config,
    engines: Engines,
    data: Path,
    clock: Clock,
    random: Random,
    passwords: Passwords,
    hasher: SecretHasher,
    audit: AuditLog,
) -> Entrance:
    credentials = SqlCredentials(engines.storage.database)
    bans = Bans(engines.counters, clock, audit)
    logins = LoginLog(SqlAudit(engines.storage.database))
    login = LoginDoor(
        config.login,
        config.services,
        config.devices,
        store=credentials,
        limits=LoginLimits(config.limits, engines.counters, bans),
        passwords=passwords,
        hasher=hasher,
        server_key=load_server_key(data / _SERVER_KEY, random),
        logins=logins,
        clock=clock,
    )
    return Entrance(
        login=login,
        door=Door(login, random, plaintext_on_loopback=config.login.plaintext_on_loopback),
        revocations=Revocations(credentials, clock, config.services),
        bans=bans,
        logins=logins,
        passwords=passwords,
        hasher=hasher,
    )


def _make_imap(
    config: Config,
    mail: Mail,
    hub: Hub,
    engines: Engines,
    entrance: Entrance,
    clock: Clock,
    random: Random,
    wheel: Wheel,
    spool: Path,
) -> ImapServices:
    return ImapServices(
        mail=mail,
        changes=SqlMailboxes(engines.storage.database),
        door=entrance.door,
        revocations=entrance.revocations,
        hub=hub,
        heart=Heart(wheel, config.imap.heartbeat),
        clock=clock,
        random=random,
        spool=spool,
        options=config.imap,
    )


def _make_inbound(
    config: Config,
    directory: Directory,
    deliverer: Deliverer,
    outgoing: Outgoing,
    clock: Clock,
    random: Random,
    data: Path,
) -> InboundServices:
    return InboundServices(
        hostname=config.server.hostname,
        aliases=directory.aliases,
        deliverer=deliverer,
        queue=outgoing.queue,
        clock=clock,
        random=random,
        spool=spool_directory(data),
    )


def _make_submission(
    config: Config, mail: Mail, directory: Directory, outgoing: Outgoing, clock: Clock, random: Random, data: Path
) -> SubmissionServices:
    @lru_cache(maxsize=1024)
    def signing_keys(domain: Domain) -> Sequence[SigningKey]:
        return load_signing_keys(directory.dkim, domain) if directory.domains.is_local(domain) else ()

    submitter = Submitter(
        mail,
        outgoing.queue,
        directory.identities,
        random,
        config.server.hostname,
        config.submission,
        signing_keys,
        directory.domains.is_local,
    )
    return SubmissionServices(
        hostname=config.server.hostname,
        aliases=directory.aliases,
        identities=directory.identities,
        submitter=submitter,
        clock=clock,
        random=random,
        spool=spool_directory(data),
        hide_client=config.submission.hide_client,
    )
