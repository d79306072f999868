"""A TCP stream, with TLS or without, on which one answer at a time is awaited."""

from __future__ import annotations

__all__ = ["Endpoint", "Stream", "Unexpected", "open_stream"]

import asyncio
import functools
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

_CONNECT_SECONDS = 30.0

_S = TypeVar("_S", bound="Stream")


class Unexpected(Exception):
    """A server answered what the benchmark cannot go on with."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens, and whether TLS begins at once there."""

    host: str
    port: int
    tls: bool = False

    @classmethod
    def parse(cls, text: str, *, tls: bool = False) -> Endpoint:
        host, _, port = text.rpartition(":")
        return cls(host.strip("[]"), int(port), tls)


class Stream(asyncio.Protocol):
    """What the clients of all protocols share: a transport, and the wait for an answer."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._lost: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are of no common class

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = f"connection lost: {exc or 'closed by the server'}"
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(Unexpected(self._lost))

    def arm(self) -> asyncio.Future[None]:
        """Begin to wait. What comes from now on belongs to the next answer."""
        self._waiter = self._loop.create_future()
        if self._lost is not None:
            self._waiter.set_exception(Unexpected(self._lost))
        return self._waiter

    def answered(self) -> None:
        """The awaited answer is complete."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    @property
    def waits(self) -> bool:
        return self._waiter is not None

    def close(self) -> None:
        self.transport.close()


async def open_stream(factory: Callable[[], _S], at: Endpoint) -> _S:
    """Connect; certificates are not examined, as a benchmark asks for speed, not for proof."""
    context = _trusting() if at.tls else None
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_CONNECT_SECONDS):
        _, client = await loop.create_connection(factory, at.host, at.port, ssl=context)
    return client


@functools.cache
def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
