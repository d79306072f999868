"""HTTPS to hosts that strangers chose: neither a private address nor one of our own is reached."""

from __future__ import annotations

__all__ = ["make_https_client"]

from hongyan.assembly.ground import Ground
from hongyan.clients.https import HttpsClient
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.mailauth.resolver import IPAddress, Resolver
from hongyan.queue.route import is_public


def make_https_client(ground: Ground, resolver: Resolver) -> HttpsClient:
    """Make a client that may be sent anywhere."""
    config = ground.config
    contexts = TlsContexts.system(config.outgoing_tls.authorities)
    own = frozenset(find_own_addresses())
    allows_all = config.route.private_addresses

    def may_connect(address: IPAddress) -> bool:
        return allows_all or (is_public(address) and address not in own)

    return HttpsClient(
        resolver, lambda: contexts.find(verified=True), may_connect, port=config.outgoing_tls.policy_port
    )
