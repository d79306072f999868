"""Pictures elsewhere, fetched by this server for a reader: their host learns nothing of who reads.

Only over HTTPS (what says http is asked for by https), from public addresses alone, without cookies, a referrer or
redirects, within a size and a time. What came is a picture if its first octets say so, whatever its host says; SVG is
none. A few are kept for some minutes, so that a message that is opened again asks nobody.
"""

from __future__ import annotations

__all__ = ["MAX_PICTURE", "PictureProxy", "PictureSource", "ProxiedPicture", "picture_type"]

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from hongyan.clock import Clock
from hongyan.errors import NotFound, PeerFault
from hongyan.message.links import web_host

MAX_PICTURE: Final = 8 * 1024 * 1024
"""Octets of one picture."""

_DEADLINE: Final = 15.0
_AT_ONCE: Final = 12
_KEPT_OCTETS: Final = 32 * 1024 * 1024
_KEPT_SECONDS: Final = 600.0
_MAX_PATH: Final = 4096
_SAFE: Final = "/:@!$&'()*+,;=~-._%?"

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)


@dataclass(frozen=True, slots=True)
class ProxiedPicture:
    """A picture, and what it is by its octets."""

    media_type: str
    octets: bytes


class PictureSource(Protocol):
    """Fetches from hosts that strangers chose. Raises `PeerFault`."""

    async def fetch(self, host: str, path: str, *, limit: int, deadline: float) -> bytes:
        """Return what a host serves under a path."""
        ...


class PictureProxy:
    """Fetches pictures, a dozen at a time."""

    def __init__(self, source: PictureSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._kept: OrderedDict[str, tuple[float, ProxiedPicture]] = OrderedDict()
        self._octets = 0

    async def fetch(self, url: str) -> ProxiedPicture:
        """Return the picture of a URL. Raises `NotFound` when there is none to be had, whatever the reason."""
        host, path = _target(url)
        key = f"{host}{path}"
        kept = self._kept.get(key)
        if kept is not None and kept[0] > self._clock.monotonic():
            return kept[1]
        try:
            async with self._places:
                octets = await self._source.fetch(host, path, limit=MAX_PICTURE, deadline=_DEADLINE)
        except PeerFault:
            raise NotFound("This picture cannot be had.") from None
        media_type = picture_type(octets)
        if media_type is None:
            raise NotFound("This is no picture that can be shown.")
        picture = ProxiedPicture(media_type, octets)
        self._keep(key, picture)
        return picture

    def _keep(self, key: str, picture: ProxiedPicture) -> None:
        former = self._kept.pop(key, None)
        if former is not None:
            self._octets -= len(former[1].octets)
        self._kept[key] = (self._clock.monotonic() + _KEPT_SECONDS, picture)
        self._octets += len(picture.octets)
        while self._octets > _KEPT_OCTETS:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._octets -= len(oldest.octets)


def picture_type(octets: bytes) -> str | None:
    """Return the media type that the first octets tell; None if it is no picture of a kind that is shown."""
    for magic, media_type in _MAGIC:
        if octets.startswith(magic):
            return media_type
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return "image/webp"
    if octets[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return None


def _target(url: str) -> tuple[str, str]:
    """Return host and path of a URL. Raises `NotFound` for one that names a port, or that is none."""
    host = web_host(url)
    try:
        parts = urlsplit(url.replace("\\", "/"))
        odd = (
            host is None
            or not parts.netloc
            or parts.port not in (None, 80, 443)
            or (parts.port == 80 and parts.scheme == "https")
        )
    except ValueError:
        odd = True
    if odd or host is None or host.startswith("["):
        raise NotFound("This picture cannot be had.")
    path = quote(parts.path or "/", safe=_SAFE.replace("?", ""))
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    if len(path) + len(query) > _MAX_PATH or not path.startswith("/"):
        raise NotFound("This picture cannot be had.")
    return host, path + query
