"""The whole configuration, composed of the sections that their owners declare.

One TOML file, read by `configuration.file`, where a section's name is that of its field here.
"""

from __future__ import annotations

__all__ = ["SERVICES", "Admissions", "Config", "DatabaseOptions", "ListenOptions", "ServerOptions", "Service"]

from dataclasses import dataclass
from typing import Literal

from hongyan.addresses import Domain
from hongyan.audit.log import AuditOptions
from hongyan.auth.app_passwords import AppPasswordOptions
from hongyan.auth.devices import DeviceOptions
from hongyan.auth.login import LoginOptions
from hongyan.auth.passwords import PasswordOptions
from hongyan.auth.services import ServiceOptions
from hongyan.clients.dns_query import DnsOptions
from hongyan.clients.smtp import SmtpOptions as SmtpClientOptions
from hongyan.domains.certificates import CertificateFiles, TlsFloor
from hongyan.engines.local.storage import StorageOptions
from hongyan.engines.upkeep.sweep import SweepOptions
from hongyan.limits.rates import LimitOptions
from hongyan.mailboxes.live import MemoryOptions
from hongyan.options import option
from hongyan.provisioning.provision import ProvisioningOptions
from hongyan.queue.route import RouteOptions
from hongyan.queue.schedule import Schedule
from hongyan.queue.worker import QueueOptions
from hongyan.servers.admission import AdmissionOptions
from hongyan.servers.affinity import AffinityOptions
from hongyan.servers.driver import ConnectionOptions
from hongyan.servers.imap.services import ImapOptions
from hongyan.servers.pop3 import Pop3Options
from hongyan.servers.proxy import ProxyOptions
from hongyan.servers.smtp import SmtpOptions
from hongyan.servers.tls import TlsOptions
from hongyan.submission.submit import SubmissionOptions
from hongyan.telemetry import LogOptions
from hongyan.web.options import WebOptions

Service = Literal["smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s", "http", "https"]

SERVICES: dict[Service, int] = {
    "smtp": 25,
    "submission": 587,
    "submissions": 465,
    "imap": 143,
    "imaps": 993,
    "pop3": 110,
    "pop3s": 995,
    "http": 80,
    "https": 443,
}
"""What can be listened for, with the port that the world expects (RFC 8314 §7)."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The section `[server]`."""

    hostname: str = option("localhost", "The name of this host, as other servers see it in DNS.")
    data: str = option("var/data", "Directory of everything that is kept.", unit="path")
    user: str = option("", "User to become once the ports are bound; empty: stay who we are.")
    drain: float = option(20.0, "How long connections may take to end when the server stops.", unit="s")

    def __post_init__(self) -> None:
        Domain.parse(self.hostname)
        if not self.data or self.drain < 0:
            raise ValueError("data names a directory, and drain is not negative")


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """The section `[database]`."""

    engine: Literal["sqlite", "postgres"] = option(
        "sqlite", "`sqlite` for one machine, or `postgres` for any database that speaks its protocol."
    )
    dsn: str = option("", "Where PostgreSQL is: postgresql://user@host/database.")
    connections: int = option(10, "Connections to PostgreSQL.")

    def __post_init__(self) -> None:
        if (self.engine == "postgres") != bool(self.dsn):
            raise ValueError("dsn is for the engine postgres, and postgres needs it")
        if self.connections < 1:
            raise ValueError("connections is at least 1")


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """One entry of `[listen]`: where a service listens."""

    hosts: tuple[str, ...] = option(("0.0.0.0", "::"), "Addresses to listen on.")
    port: int = option(0, "Port; 0: the one that the world expects of the service.")
    tls_floor: TlsFloor = option("1.2", "Oldest version of TLS that is accepted: 1.2 or 1.3.")
    proxy: ProxyOptions = option(ProxyOptions(), "Whether a proxy stands before it.")

    def __post_init__(self) -> None:
        if not self.hosts or not 0 <= self.port < 65536:
            raise ValueError("a listener has hosts, and a port below 65536")


@dataclass(frozen=True, slots=True)
class Admissions:
    """The section `[admission]`: how many connections each kind of service takes."""

    smtp: AdmissionOptions = option(AdmissionOptions(), "Port 25.")
    submission: AdmissionOptions = option(AdmissionOptions(), "Ports 465 and 587.")
    imap: AdmissionOptions = option(AdmissionOptions(new_per_minute=50), "Ports 143 and 993.")
    pop3: AdmissionOptions = option(AdmissionOptions(), "Ports 110 and 995.")
    http: AdmissionOptions = option(AdmissionOptions(), "Ports 80 and 443.")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Each part goes to its owner, and nobody else sees it."""

    server: ServerOptions = option(ServerOptions(), "This host, and where its data lie.")
    database: DatabaseOptions = option(DatabaseOptions(), "What accounts, messages and the queue are kept in.")
    storage: StorageOptions = option(StorageOptions(), "How one machine keeps messages on its disk.")
    sweep: SweepOptions = option(SweepOptions(), "What is removed when nothing refers to it any more.")
    listen: dict[Service, ListenOptions] = option({}, "The services that are offered; one that is not named is off.")
    certificates: tuple[CertificateFiles, ...] = option(
        (), "Certificates for TLS; the first is shown to those who ask for no name or for one that is not known."
    )
    log: LogOptions = option(LogOptions(), "What is logged, and in which form.")
    process: AffinityOptions = option(AffinityOptions(), "How the process uses the machine.")
    connections: ConnectionOptions = option(ConnectionOptions(), "Limits of every single connection.")
    admission: Admissions = option(Admissions(), "How many connections are let in.")
    tls: TlsOptions = option(TlsOptions(), "How TLS begins and ends.")
    smtp: SmtpOptions = option(SmtpOptions(), "SMTP from other servers and from mail programs.")
    submission: SubmissionOptions = option(SubmissionOptions(), "What is done to mail that our users send.")
    imap: ImapOptions = option(ImapOptions(), "IMAP.")
    pop3: Pop3Options = option(Pop3Options(), "POP3.")
    web: WebOptions = option(WebOptions(), "HTTP: health, metrics, well-known resources.")
    memory: MemoryOptions = option(MemoryOptions(), "What is kept in memory.")
    login: LoginOptions = option(LoginOptions(), "How users log in.")
    passwords: PasswordOptions = option(PasswordOptions(), "How passwords are checked and kept.")
    app_passwords: AppPasswordOptions = option(AppPasswordOptions(), "Secrets for single mail programs.")
    services: ServiceOptions = option(ServiceOptions(), "Which accounts may use which services.")
    devices: DeviceOptions = option(DeviceOptions(), "How many mail programs an account may use at once.")
    limits: LimitOptions = option(LimitOptions(), "Failed logins.")
    accounts: ProvisioningOptions = option(ProvisioningOptions(), "What a new account is given.")
    audit: AuditOptions = option(AuditOptions(), "How long the trail of acts and logins is kept.")
    dns: DnsOptions = option(DnsOptions(), "Which name servers are asked.")
    queue: QueueOptions = option(QueueOptions(), "Mail on its way out.")
    route: RouteOptions = option(RouteOptions(), "Where mail on its way out is handed over.")
    schedule: Schedule = option(Schedule(), "When a delivery that failed is tried again.")
    smtp_client: SmtpClientOptions = option(SmtpClientOptions(), "How mail is handed to other servers.")
