"""What secures connections to other servers: policies, memory, results."""

from __future__ import annotations

__all__ = ["TransportSecurity", "make_transport_security"]

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from hongyan.assembly.ground import Ground
from hongyan.clients.https import HttpsClient
from hongyan.clients.sts_fetcher import StsFetcher
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.clock import Clock
from hongyan.engines.sql.transport import SqlTransport
from hongyan.mailauth.resolver import IPAddress, Resolver
from hongyan.queue.route import is_public
from hongyan.queue.security import OutgoingTlsOptions
from hongyan.queue.sts_policies import StsPolicies
from hongyan.queue.tls_memory import TlsMemory
from hongyan.queue.tls_results import CountedTlsResults
from hongyan.store.transport import TransportStore

_KEEP_EXPIRED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TransportSecurity:
    """What the way out asks about TLS. None where it is switched off."""

    options: OutgoingTlsOptions
    store: TransportStore
    contexts: TlsContexts
    results: CountedTlsResults
    https: HttpsClient
    policies: StsPolicies | None
    memory: TlsMemory | None
    clock: Clock

    def background(self) -> Iterator[tuple[str, Callable[[], Awaitable[object]]]]:
        """Yield what runs for as long as the server does."""
        if self.policies is not None:
            yield "mta-sts", self.policies.run

    async def expire(self) -> int:
        """Remove what has run out; return how much."""
        now = self.clock.now()
        oldest = now - timedelta(days=self.options.remember_for)
        return await self.store.expire(policies_before=now - _KEEP_EXPIRED, levels_before=oldest)


def make_transport_security(ground: Ground, resolver: Resolver) -> TransportSecurity:
    """Make it as the configuration says."""
    options, store = ground.config.outgoing_tls, SqlTransport(ground.database)
    contexts = TlsContexts.system(options.authorities)
    results = CountedTlsResults()
    allows_all = ground.config.route.private_addresses

    def may_connect(address: IPAddress) -> bool:
        return allows_all or is_public(address)

    client = HttpsClient(resolver, lambda: contexts.find(verified=True), may_connect, port=options.policy_port)
    policies = StsPolicies(resolver, StsFetcher(client), store, ground.clock, results) if options.mta_sts else None
    memory = TlsMemory(store, ground.clock, options) if options.remember else None
    return TransportSecurity(options, store, contexts, results, client, policies, memory, ground.clock)
