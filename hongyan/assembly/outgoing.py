"""The outgoing way: queue, worker, transports, notifications."""

from __future__ import annotations

__all__ = ["Outgoing", "make_outgoing"]

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from hongyan.addresses import AddressFault, Domain
from hongyan.assembly.directory import Directory
from hongyan.assembly.ground import Ground
from hongyan.assembly.signing import HostSigner
from hongyan.assembly.transport import TransportSecurity, make_transport_security
from hongyan.auth.server_key import derive_key, load_server_key
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.resolver import RecordResolver, make_resolver
from hongyan.clients.smtp import SmtpTransport
from hongyan.clients.source_pools import SourcePools
from hongyan.config import SERVICES, Config
from hongyan.delivery.deliver import Deliverer
from hongyan.delivery.local import LocalTransport
from hongyan.domains.domains import Domains
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.sql.sending_addresses import SqlSendingAddresses
from hongyan.engines.sql.suppressions import SqlSuppressions
from hongyan.errors import ConfigurationError
from hongyan.mailauth.resolver import IPAddress
from hongyan.queue.acts import QueueActs
from hongyan.queue.bounces import Sinks
from hongyan.queue.forwarding import Forwarding
from hongyan.queue.items import Queue
from hongyan.queue.lookup import Router
from hongyan.queue.notices import NoticeLimit, NoticeWriter
from hongyan.queue.route import Credentials, SmartHost
from hongyan.queue.schedule import SteadyClock
from hongyan.queue.srs import Srs
from hongyan.queue.suppression import Suppressions
from hongyan.queue.worker import QueueWorker
from hongyan.secret import Secret
from hongyan.store.queue import QueueStore

_SERVER_KEY = "server.key"
_RELAY_SECRET = "relay.secret"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What sends."""

    store: QueueStore
    queue: Queue
    acts: QueueActs
    worker: QueueWorker
    remote: SmtpTransport
    resolver: RecordResolver
    security: TransportSecurity
    forwarding: Forwarding
    suppressions: Suppressions
    ends: Sinks
    """Who is told how deliveries elsewhere ended."""

    async def close(self) -> None:
        """Close what is connected."""
        await self.remote.close()


def make_outgoing(ground: Ground, directory: Directory, deliverer: Deliverer) -> Outgoing:
    """Make the queue and all that it sends by."""
    config, random = ground.config, ground.random
    hostname = config.server.hostname
    store = SqlQueue(ground.database)
    steady = SteadyClock(ground.clock)
    workers: list[QueueWorker] = []

    def wake(destinations: Iterable[str]) -> None:
        for worker in workers:
            worker.wake(destinations)

    queue = Queue(store, steady, config.schedule, wake)
    resolver = make_resolver(config.dns, ground.clock)
    security = make_transport_security(ground, resolver)
    remote = SmtpTransport(
        config.smtp_client,
        hostname,
        ground.clock,
        tls=security.contexts,
        memory=security.memory,
        pools=SourcePools(config.pools, hostname, ground.clock, SqlSendingAddresses(ground.database)),
        results=security.results,
        senders_may_waive=config.outgoing_tls.senders_may_waive,
    )
    forwarding = _make_forwarding(ground, directory.domains)
    suppressions = Suppressions(
        SqlSuppressions(ground.database), config.suppression, directory.domains.is_local, ground.clock
    )
    ends = Sinks(suppressions)
    worker = QueueWorker(
        store,
        ground.engines.storage.blobs,
        _make_router(ground, directory.domains, resolver, security),
        local=LocalTransport(directory.aliases, deliverer, queue, directory.timelines, forwarding),
        remote=remote,
        notices=_make_notice_writer(ground, directory, queue, forwarding),
        clock=steady,
        random=random,
        schedule=config.schedule,
        options=config.queue,
        owner=hostname,
        rules=config.destinations,
        sink=ends,
        senders_may_waive=config.outgoing_tls.senders_may_waive,
    )
    workers.append(worker)
    acts = QueueActs(store, directory.timelines, steady)
    return Outgoing(store, queue, acts, worker, remote, resolver, security, forwarding, suppressions, ends)


def _make_forwarding(ground: Ground, domains: Domains) -> Forwarding:
    options = ground.config.forwarding
    srs = None
    if options.rewrite:
        key = derive_key(load_server_key(ground.data / _SERVER_KEY, ground.random), "srs")
        srs = Srs(Domain.parse(options.domain or ground.config.server.hostname), [key])
    return Forwarding(srs, domains.is_local, ground.clock)


def _make_notice_writer(ground: Ground, directory: Directory, queue: Queue, forwarding: Forwarding) -> NoticeWriter:
    config, clock = ground.config, ground.clock
    signer = HostSigner(Domain.parse(config.server.hostname), directory.signing_keys, directory.domains, clock)
    return NoticeWriter(
        config.server.hostname,
        queue,
        clock,
        ground.random,
        sign=signer.sign if config.submission.sign else None,
        limit=NoticeLimit(config.queue.notices_per_hour, config.queue.verp_notices_per_hour),
        forwarding=forwarding,
    )


def _make_router(ground: Ground, domains: Domains, resolver: RecordResolver, security: TransportSecurity) -> Router:
    config = ground.config
    return Router(
        resolver,
        _LocalDomains(domains),
        ground.random,
        config.route,
        smart_host=_find_smart_host(ground),
        own_names=[config.server.hostname.lower()],
        own_addresses=_list_own_addresses(config),
        policies=security.policies,
        levels=security.memory,
        obeys_dane=config.outgoing_tls.dane,
    )


def _list_own_addresses(config: Config) -> Iterable[IPAddress]:
    """Yield the addresses at which other servers find this one, as far as this machine knows them."""
    options = config.listen.get("smtp")
    if options is None or options.port not in (0, SERVICES["smtp"]):
        return  # Mail goes to port 25: who answers there is another server.
    for host in options.hosts:
        try:
            address = ip_address(host)
        except ValueError:
            continue  # a name, which the DNS or the hosts file knows
        if address.is_unspecified:
            yield from find_own_addresses()
        else:
            yield address


def _find_smart_host(ground: Ground) -> SmartHost | None:
    options = ground.config.route
    if not options.smart_host:
        return None
    credentials = None
    if options.smart_host_user:
        credentials = Credentials(options.smart_host_user, _read_secret(ground.data / _RELAY_SECRET))
    return SmartHost.parse(options.smart_host, options.smart_host_tls, credentials)


def _read_secret(path: Path) -> Secret:
    try:
        return Secret(path.read_text().strip())
    except OSError as error:
        raise ConfigurationError(f"The relay's secret is to stand in {path}: {error.strerror}.") from error


class _LocalDomains:
    """Tells the router which domains are ours."""

    def __init__(self, domains: Domains) -> None:
        self._domains = domains

    async def is_local(self, domain: str) -> bool:
        try:
            return self._domains.is_local(Domain(domain))
        except AddressFault:
            return False
