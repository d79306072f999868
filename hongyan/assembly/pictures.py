"""The proxy of pictures elsewhere: its client reaches no private address, and none of our own."""

from __future__ import annotations

__all__ = ["make_picture_proxy"]

from hongyan.assembly.ground import Ground
from hongyan.clients.https import HttpsClient
from hongyan.clients.own_addresses import find_own_addresses
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.mailauth.resolver import IPAddress, Resolver
from hongyan.queue.route import is_public
from hongyan.web.picture_proxy import PictureProxy


class _Source:
    """`web.picture_proxy.PictureSource`."""

    def __init__(self, client: HttpsClient) -> None:
        self._client = client

    async def fetch(self, host: str, path: str, *, limit: int, deadline: float) -> bytes:
        return (await self._client.get(host, path, limit=limit, deadline=deadline)).octets


def make_picture_proxy(ground: Ground, resolver: Resolver) -> PictureProxy:
    """Make the proxy."""
    config = ground.config
    contexts = TlsContexts.system(config.outgoing_tls.authorities)
    own = frozenset(find_own_addresses())
    allows_all = config.route.private_addresses

    def may_connect(address: IPAddress) -> bool:
        return allows_all or (is_public(address) and address not in own)

    client = HttpsClient(
        resolver, lambda: contexts.find(verified=True), may_connect, port=config.outgoing_tls.policy_port
    )
    return PictureProxy(_Source(client), ground.clock)
