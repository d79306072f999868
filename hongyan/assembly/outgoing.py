"""The outgoing way: queue, worker, transports, notifications."""

from __future__ import annotations

__all__ = ["Outgoing", "make_outgoing"]

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hongyan.addresses import AddressFault, Domain
from hongyan.assembly.directory import Directory
from hongyan.assembly.ground import Ground
from hongyan.clients.resolver import DnsResolver
from hongyan.clients.smtp import SmtpTransport
from hongyan.delivery.deliver import Deliverer
from hongyan.delivery.local import LocalTransport
from hongyan.domains.domains import Domains
from hongyan.engines.sql.queue import SqlQueue
from hongyan.errors import ConfigurationError
from hongyan.queue.items import Queue
from hongyan.queue.lookup import Router
from hongyan.queue.notices import NoticeWriter
from hongyan.queue.route import Credentials, SmartHost
from hongyan.queue.schedule import SteadyClock
from hongyan.queue.worker import QueueWorker
from hongyan.secret import Secret
from hongyan.store.queue import QueueStore

_RELAY_SECRET = "relay.secret"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What sends."""

    store: QueueStore
    queue: Queue
    worker: QueueWorker
    remote: SmtpTransport
    resolver: DnsResolver

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
    resolver = DnsResolver(config.dns, ground.clock)
    remote = SmtpTransport(config.smtp_client, hostname, ground.clock)
    worker = QueueWorker(
        store,
        ground.engines.storage.blobs,
        _make_router(ground, directory.domains, resolver),
        local=LocalTransport(directory.aliases, deliverer, queue),
        remote=remote,
        notices=NoticeWriter(hostname, queue, ground.clock, random),
        clock=steady,
        random=random,
        schedule=config.schedule,
        options=config.queue,
        owner=hostname,
    )
    workers.append(worker)
    return Outgoing(store, queue, worker, remote, resolver)


def _make_router(ground: Ground, domains: Domains, resolver: DnsResolver) -> Router:
    config = ground.config
    return Router(
        resolver,
        _LocalDomains(domains),
        ground.random,
        config.route,
        smart_host=_find_smart_host(ground),
        own_names=[config.server.hostname.lower()],
    )


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
