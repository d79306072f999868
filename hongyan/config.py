"""The whole configuration, composed of the sections that their owners declare.

One TOML file, read by `configuration.file`, where a section's name is that of its field here.
"""

from __future__ import annotations

__all__ = ["SERVICES", "Admissions", "Config", "DatabaseOptions", "ListenOptions", "ServerOptions", "Service"]

from dataclasses import dataclass
from datetime import date
from typing import Literal

from hongyan.addresses import Domain
from hongyan.audit.log import AuditOptions
from hongyan.audit.timelines import TimelineOptions
from hongyan.auth.app_passwords import AppPasswordOptions
from hongyan.auth.client_certificates import ClientCertificateOptions
from hongyan.auth.devices import DeviceOptions
from hongyan.auth.login import LoginOptions
from hongyan.auth.passwords import PasswordOptions
from hongyan.auth.services import ServiceOptions
from hongyan.clients.acme_options import AcmeOptions
from hongyan.clients.dns_providers.provider import DnsProviderOptions
from hongyan.clients.dns_query import DnsOptions
from hongyan.clients.dns_update import DnsUpdateOptions
from hongyan.clients.smtp_options import SmtpOptions as SmtpClientOptions
from hongyan.clients.source_pools import PoolOptions
from hongyan.delivery.spool import SpoolOptions
from hongyan.domains.certificates import CertificateFiles
from hongyan.domains.options import DomainOptions
from hongyan.domains.tls_profiles import TlsChoice
from hongyan.engines.local.storage import StorageOptions
from hongyan.engines.upkeep.sweep import SweepOptions
from hongyan.limits.places import GeoipOptions
from hongyan.limits.rates import LimitOptions
from hongyan.limits.sending import SendingOptions
from hongyan.limits.smtp_rates import SmtpRateOptions
from hongyan.mailboxes.annotations import AnnotationOptions
from hongyan.mailboxes.live import MemoryOptions
from hongyan.mailboxes.orderings import OrderingOptions
from hongyan.mailboxes.sharing import SharingOptions
from hongyan.notify.consumers import ConsumerOptions
from hongyan.options import option
from hongyan.provisioning.provision import ProvisioningOptions
from hongyan.queue.destinations import DestinationOptions
from hongyan.queue.forwarding import ForwardingOptions
from hongyan.queue.options import QueueOptions
from hongyan.queue.route import RouteOptions
from hongyan.queue.schedule import Schedule
from hongyan.queue.security import OutgoingTlsOptions
from hongyan.queue.suppression import SuppressionOptions
from hongyan.reports.options import ReportOptions
from hongyan.rules.vacation import VacationOptions
from hongyan.screening.dnsbl_service import DnsblOptions
from hongyan.screening.examined import ScreeningOptions
from hongyan.screening.gate import GateOptions
from hongyan.screening.greylist import GreylistOptions
from hongyan.screening.origin import OriginOptions
from hongyan.screening.reputation import ReputationOptions
from hongyan.screening.spam_filter import SpamOptions
from hongyan.screening.virus import VirusOptions
from hongyan.search.options import SearchOptions
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
from hongyan.web.jmap.options import JmapOptions
from hongyan.web.options import WebOptions

Service = Literal[
    "smtp",
    "submission",
    "submissions",
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "submissions-certificate",
    "imaps-certificate",
    "pop3s-certificate",
    "http",
    "https",
]

SERVICES: dict[Service, int] = {
    "smtp": 25,
    "submission": 587,
    "submissions": 465,
    "imap": 143,
    "imaps": 993,
    "pop3": 110,
    "pop3s": 995,
    "submissions-certificate": 9465,
    "imaps-certificate": 9993,
    "pop3s-certificate": 9995,
    "http": 80,
    "https": 443,
}
"""What can be listened for, with the port that the world expects (RFC 8314 §7).

Those that end in `-certificate` ask mail programs for a certificate of ours; their ports are our choice.
"""


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
    tls: TlsChoice = option(
        "",
        "modern: TLS 1.3; intermediate: 1.2 and newer; legacy: 1.0 and newer, for old devices;"
        " empty: modern for submission, intermediate for the others.",
    )
    deprecated: str = option("", "Day from which clients are told that this listener ends, as 2027-01-01; empty: none.")
    off: str = option("", "Day from which nobody is served here any more, as 2027-03-01; empty: none.")
    proxy: ProxyOptions = option(ProxyOptions(), "Whether a proxy stands before it.")

    def __post_init__(self) -> None:
        days = [date.fromisoformat(day) for day in (self.deprecated, self.off) if day]
        if days != sorted(days):
            raise ValueError("deprecated comes before off")
        if not self.hosts or not 0 <= self.port < 65536:
            raise ValueError("a listener has hosts, and a port below 65536")


@dataclass(frozen=True, slots=True)
class Admissions:
    """The section `[admission]`: how many connections each kind of service takes."""

    smtp: AdmissionOptions = option(AdmissionOptions(new_per_minute=300), "Port 25.")
    submission: AdmissionOptions = option(
        AdmissionOptions(), "Ports 465 and 587, and where a certificate is asked for."
    )
    imap: AdmissionOptions = option(
        AdmissionOptions(new_per_minute=50), "Ports 143 and 993, and where a certificate is asked for."
    )
    pop3: AdmissionOptions = option(AdmissionOptions(), "Ports 110 and 995, and where a certificate is asked for.")
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
    acme: AcmeOptions = option(AcmeOptions(), "Certificates from an authority such as Let's Encrypt, over ACME.")
    log: LogOptions = option(LogOptions(), "What is logged, and in which form.")
    process: AffinityOptions = option(AffinityOptions(), "How the process uses the machine.")
    connections: ConnectionOptions = option(ConnectionOptions(), "Limits of every single connection.")
    admission: Admissions = option(Admissions(), "How many connections each process lets in.")
    tls: TlsOptions = option(TlsOptions(), "How TLS begins and ends.")
    origin: OriginOptions = option(OriginOptions(), "Who sent what comes in: SPF, DKIM, ARC, DMARC.")
    screening: ScreeningOptions = option(ScreeningOptions(), "How what comes in is examined.")
    spool: SpoolOptions = option(SpoolOptions(), "What waits in memory of messages that come in.")
    smtp: SmtpOptions = option(SmtpOptions(), "SMTP from other servers and from mail programs.")
    submission: SubmissionOptions = option(SubmissionOptions(), "What is done to mail that our users send.")
    spam: SpamOptions = option(SpamOptions(), "The statistical filter for unwanted mail.")
    virus: VirusOptions = option(VirusOptions(), "Scanning mail for viruses.")
    imap: ImapOptions = option(ImapOptions(), "IMAP.")
    pop3: Pop3Options = option(Pop3Options(), "POP3.")
    web: WebOptions = option(WebOptions(), "HTTP: health, metrics, well-known resources.")
    jmap: JmapOptions = option(JmapOptions(), "JMAP: mail for programs of the web.")
    sharing: SharingOptions = option(SharingOptions(), "Mailboxes that users share with each other.")
    annotations: AnnotationOptions = option(AnnotationOptions(), "What mail programs note about mailboxes (METADATA).")
    memory: MemoryOptions = option(MemoryOptions(), "What is kept in memory.")
    ordering: OrderingOptions = option(OrderingOptions(), "What is kept in memory to sort and thread messages.")
    login: LoginOptions = option(LoginOptions(), "How users log in.")
    passwords: PasswordOptions = option(PasswordOptions(), "How passwords are checked and kept.")
    app_passwords: AppPasswordOptions = option(AppPasswordOptions(), "Secrets for single mail programs.")
    client_certificates: ClientCertificateOptions = option(
        ClientCertificateOptions(), "Certificates by which mail programs log in."
    )
    services: ServiceOptions = option(ServiceOptions(), "Which accounts may use which services.")
    devices: DeviceOptions = option(DeviceOptions(), "How many mail programs an account may use at once.")
    limits: LimitOptions = option(LimitOptions(), "Failed logins; processes on one PostgreSQL count together.")
    smtp_rates: SmtpRateOptions = option(
        SmtpRateOptions(),
        "How much other servers may bring to each process; offences and bans are common to those on one PostgreSQL.",
    )
    reputation: ReputationOptions = option(ReputationOptions(), "What accounts remember of those who wrote to them.")
    dnsbl: DnsblOptions = option(DnsblOptions(), "DNS block lists; none is asked unless it is named.")
    greylist: GreylistOptions = option(GreylistOptions(), "Whether suspicious strangers are asked to come again.")
    gate: GateOptions = option(GateOptions(), "How strangers are met on port 25.")
    geoip: GeoipOptions = option(GeoipOptions(), "In which country an address is.")
    sending: SendingOptions = option(SendingOptions(), "How much accounts may send, and when one looks stolen.")
    accounts: ProvisioningOptions = option(ProvisioningOptions(), "What a new account is given.")
    audit: AuditOptions = option(AuditOptions(), "How long the trail of acts and logins is kept.")
    timelines: TimelineOptions = option(TimelineOptions(), "What is kept of what became of messages.")
    domains: DomainOptions = option(DomainOptions(), "How the DNS of our domains is watched, and when keys change.")
    consumers: ConsumerOptions = option(ConsumerOptions(), "What is done with mail after it was delivered.")
    search: SearchOptions = option(SearchOptions(), "The index of words that answers searches for text.")
    reports: ReportOptions = option(ReportOptions(), "Reports to other domains on DMARC and TLS, and theirs to us.")
    vacation: VacationOptions = option(VacationOptions(), "Answers while people are away.")
    dns: DnsOptions = option(DnsOptions(), "Which name servers are asked.")
    dns_provider: tuple[DnsProviderOptions, ...] = option((), "Providers at which zones are changed.")
    dns_update: tuple[DnsUpdateOptions, ...] = option((), "Which zones are changed, where, and by which key.")
    queue: QueueOptions = option(QueueOptions(), "Mail on its way out.")
    route: RouteOptions = option(RouteOptions(), "Where mail on its way out is handed over.")
    outgoing_tls: OutgoingTlsOptions = option(OutgoingTlsOptions(), "How connections to other servers are secured.")
    pools: dict[str, PoolOptions] = option({}, "Which of our addresses mail leaves by; the first pool that fits.")
    suppression: SuppressionOptions = option(SuppressionOptions(), "Addresses that bounced: who is not written to.")
    forwarding: ForwardingOptions = option(ForwardingOptions(), "Mail that is sent on to addresses elsewhere.")
    schedule: Schedule = option(Schedule(), "When a delivery that failed is tried again.")
    destinations: dict[str, DestinationOptions] = option(
        {}, 'What holds for single destinations: a domain, or the provider of its mail servers, as in "qq.com".'
    )
    smtp_client: SmtpClientOptions = option(SmtpClientOptions(), "How mail is handed to other servers.")
