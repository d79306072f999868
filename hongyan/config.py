"""The whole configuration, composed of the sections that their owners declare.

One TOML file; `load_config` reads it and refuses what it does not know. A section's name is that of its field here.
"""

from __future__ import annotations

__all__ = ["SERVICES", "Config", "DatabaseOptions", "ListenOptions", "ServerOptions"]

from dataclasses import dataclass, field
from typing import Literal

from hongyan.addresses import Domain
from hongyan.audit.log import AuditOptions
from hongyan.auth.app_passwords import AppPasswordOptions
from hongyan.auth.devices import DeviceOptions
from hongyan.auth.login import LoginOptions
from hongyan.auth.passwords import PasswordOptions
from hongyan.auth.services import ServiceOptions
from hongyan.clients.dns_query import DnsOptions
from hongyan.domains.certificates import CertificateFiles, TlsFloor
from hongyan.limits.rates import LimitOptions
from hongyan.mailboxes.live import MemoryOptions
from hongyan.options import option
from hongyan.provisioning.provision import ProvisioningOptions
from hongyan.queue.route import RouteOptions
from hongyan.queue.schedule import Schedule
from hongyan.queue.worker import QueueOptions
from hongyan.servers.admission import AdmissionOptions
from hongyan.servers.affinity import AffinityOptions
from hongyan.servers.connection import ConnectionOptions
from hongyan.servers.imap.services import ImapOptions
from hongyan.servers.pop3 import Pop3Options
from hongyan.servers.proxy import ProxyOptions
from hongyan.servers.smtp import SmtpOptions
from hongyan.servers.tls import TlsOptions
from hongyan.submission.submit import SubmissionOptions
from hongyan.telemetry import LogOptions

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
    data: str = option("var/data", "Directory of everything that is kept; a relative path starts at the file's own.")
    user: str = option("", "User to become once the ports are bound; empty: stay who we are.")
    drain: float = option(20.0, "How long connections may take to end when the server stops.", unit="s")

    def __post_init__(self) -> None:
        Domain.parse(self.hostname)


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """The section `[database]`."""

    engine: Literal["sqlite", "postgres"] = option(
        "sqlite", "`sqlite` for one machine, or `postgres` for any database that speaks its protocol."
    )
    dsn: str = option("", "Where PostgreSQL is: postgresql://user@host/database.")
    connections: int = option(10, "Connections to PostgreSQL.")
    segment_octets: int = option(256 << 20, "How large a file of messages grows before the next begins.", unit="octets")
    reserve_octets: int = option(64 << 20, "Free space below which no mail is taken.", unit="octets")

    def __post_init__(self) -> None:
        if self.engine not in ("sqlite", "postgres"):
            raise ValueError(f"{self.engine!r} is no engine: sqlite or postgres")
        if (self.engine == "postgres") != bool(self.dsn):
            raise ValueError("dsn is for postgres, and postgres needs it")
        if self.connections < 1 or self.segment_octets < 1 << 20 or self.reserve_octets < 0:
            raise ValueError("connections is at least 1, segment_octets at least 1 MiB, reserve_octets not negative")


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """One entry of `[listen]`: where a service listens."""

    hosts: tuple[str, ...] = option(("0.0.0.0", "::"), "Addresses to listen on.")
    port: int = option(0, "Port; 0: the service's own, or in a demonstration any free one.")
    tls_floor: TlsFloor = option("1.2", "Oldest version of TLS that is accepted: 1.2 or 1.3.")
    proxy: ProxyOptions = option(ProxyOptions(), "Whether a proxy stands before it.")

    def __post_init__(self) -> None:
        if not self.hosts or not 0 <= self.port < 65536:
            raise ValueError("a listener has hosts, and a port below 65536")


@dataclass(frozen=True, slots=True)
class Admissions:
    """The section `[connections.…]`: how many connections each kind of service takes."""

    smtp: AdmissionOptions = option(AdmissionOptions(), "Port 25.")
    submission: AdmissionOptions = option(AdmissionOptions(), "Ports 465 and 587.")
    imap: AdmissionOptions = option(AdmissionOptions(new_per_minute=50), "Ports 143 and 993.")
    pop3: AdmissionOptions = option(AdmissionOptions(), "Ports 110 and 995.")
    http: AdmissionOptions = option(AdmissionOptions(), "Ports 80 and 443.")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set. Each part goes to its owner, and nobody else sees it."""

    server: ServerOptions = field(default_factory=ServerOptions)
    database: DatabaseOptions = field(default_factory=DatabaseOptions)
    listen: dict[Service, ListenOptions] = field(default_factory=dict)
    certificates: tuple[CertificateFiles, ...] = ()
    log: LogOptions = field(default_factory=LogOptions)
    process: AffinityOptions = field(default_factory=AffinityOptions)
    connections: ConnectionOptions = field(default_factory=ConnectionOptions)
    admission: Admissions = field(default_factory=Admissions)
    tls: TlsOptions = field(default_factory=TlsOptions)
    smtp: SmtpOptions = field(default_factory=SmtpOptions)
    submission: SubmissionOptions = field(default_factory=SubmissionOptions)
    imap: ImapOptions = field(default_factory=ImapOptions)
    pop3: Pop3Options = field(default_factory=Pop3Options)
    memory: MemoryOptions = field(default_factory=MemoryOptions)
    login: LoginOptions = field(default_factory=LoginOptions)
    passwords: PasswordOptions = field(default_factory=PasswordOptions)
    app_passwords: AppPasswordOptions = field(default_factory=AppPasswordOptions)
    services: ServiceOptions = field(default_factory=ServiceOptions)
    devices: DeviceOptions = field(default_factory=DeviceOptions)
    limits: LimitOptions = field(default_factory=LimitOptions)
    accounts: ProvisioningOptions = field(default_factory=ProvisioningOptions)
    audit: AuditOptions = field(default_factory=AuditOptions)
    dns: DnsOptions = field(default_factory=DnsOptions)
    queue: QueueOptions = field(default_factory=QueueOptions)
    route: RouteOptions = field(default_factory=RouteOptions)
    schedule: Schedule = field(default_factory=Schedule)
