"""Port: what carries a message to a route, with an outcome for each recipient.

A transport never raises for what a peer or the network did: that is an outcome. It holds no
transaction, and it says "delivered" only after the other side took responsibility.
"""

from __future__ import annotations

__all__ = ["BlobContent", "Content", "Delivery", "Transport"]

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from hongyan.queue.outcome import Outcome
from hongyan.store.blobs import BlobStore
from hongyan.store.queue import QueuedMessage, QueuedRecipient

CHUNK: Final = 65_536
"""Octets that are read and sent at a time."""

RouteT = TypeVar("RouteT", contravariant=True)


class Content(Protocol):
    """The octets of a message as they leave."""

    @property
    def header(self) -> bytes:
        """The header section, with its prefix and without the empty line."""
        ...

    @property
    def size(self) -> int:
        """All octets."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield all octets, in pieces. May be called again. Raises `ServerFault` if they cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for recipients of one destination."""

    message: QueuedMessage
    recipients: tuple[QueuedRecipient, ...]
    content: Content


class Transport(Protocol[RouteT]):
    """Carries messages along one kind of route."""

    async def deliver(self, delivery: Delivery, route: RouteT) -> Mapping[int, Outcome]:
        """Return the outcome for each recipient, by its number."""
        ...


class BlobContent:
    """A queued message's octets: its prefix, then its blob without what is omitted."""

    def __init__(self, blobs: BlobStore, message: QueuedMessage, first: bytes) -> None:
        self._blobs = blobs
        self._message = message
        self._first = first
        end = first.find(b"\r\n\r\n")
        self.header = message.prefix + _kept(first if end < 0 else first[: end + 2], 0, message.omitted)
        self.size = message.octets_out

    @staticmethod
    async def open(blobs: BlobStore, message: QueuedMessage) -> BlobContent:
        """Read the start of a message. Raises `ServerFault` if it cannot be read."""
        return BlobContent(blobs, message, await _read(blobs, message, 0))

    async def chunks(self) -> AsyncIterator[bytes]:
        message = self._message
        yield message.prefix + _kept(self._first, 0, message.omitted)
        for start in range(len(self._first), message.size, CHUNK):
            yield _kept(await _read(self._blobs, message, start), start, message.omitted)


async def _read(blobs: BlobStore, message: QueuedMessage, start: int) -> bytes:
    stop = min(start + CHUNK, message.size)
    octets = blobs.read_now(message.blob, start, stop)
    return await blobs.read(message.blob, start, stop) if octets is None else octets


def _kept(octets: bytes, start: int, omitted: tuple[tuple[int, int], ...]) -> bytes:
    """Return the octets, which begin at `start` of the blob, without the omitted ranges."""
    if not omitted:
        return octets
    kept: list[bytes] = []
    position = 0
    for first, last in omitted:
        kept.append(octets[position : max(first - start, position)])
        position = max(last - start, position)
    kept.append(octets[position:])
    return b"".join(kept)
