"""The proxy of pictures elsewhere: its client reaches no private address, and none of our own."""

from __future__ import annotations

__all__ = ["make_picture_proxy"]

from hongyan.assembly.ground import Ground
from hongyan.assembly.strangers_https import make_https_client
from hongyan.clients.https import HttpsClient
from hongyan.mailauth.resolver import Resolver
from hongyan.web.picture_proxy import PictureProxy


class _Source:
    """`web.picture_proxy.PictureSource`."""

    def __init__(self, client: HttpsClient) -> None:
        self._client = client

    async def fetch(self, host: str, path: str, *, limit: int, deadline: float) -> bytes:
        return (await self._client.get(host, path, limit=limit, deadline=deadline)).octets


def make_picture_proxy(ground: Ground, resolver: Resolver) -> PictureProxy:
    """Make the proxy."""
    return PictureProxy(_Source(make_https_client(ground, resolver)), ground.clock)
