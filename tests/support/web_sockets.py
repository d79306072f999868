"""A client of WebSockets for tests: the octets of the handshake are the test's own, the frames wsproto's."""

from __future__ import annotations

__all__ = ["WebSocket", "open_socket"]

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage

from tests.support.server import Server

_PATIENCE = 20.0
HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "jmap",
}
"""The key is the example of RFC 6455 §1.3."""


class WebSocket:
    """One socket; `status` 101 if it was opened."""

    def __init__(
        self, status: int, headers: Mapping[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.status = status
        self.headers = headers
        self.closed: int | None = None
        self._reader = reader
        self._writer = writer
        self._frames = Connection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        self._pieces: list[str] = []

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._writer.write(octets)

    def send(self, event: Event) -> None:
        """Send a frame."""
        self._writer.write(self._frames.send(event))

    def say(self, message: Any) -> None:
        """Send a message: an object, or text as it is."""
        self.send(TextMessage(message if isinstance(message, str) else json.dumps(message)))

    async def hear(self) -> Any:
        """Return the next message, None when the server has closed; `closed` says with what code."""
        while True:
            event = await self._event()
            match event:
                case TextMessage():
                    self._pieces.append(event.data)
                    if event.message_finished:
                        text, self._pieces = "".join(self._pieces), []
                        return json.loads(text)
                case Ping():
                    self.send(event.response())
                case Pong():
                    return bytes(event.payload)
                case CloseConnection():
                    self.closed = event.code
                    return None
                case None:
                    return None

    async def ask(self, *calls: list[Any], using: list[str] | None = None, **more: Any) -> Any:
        """Make a request and return its response."""
        self.say({"@type": "Request", "using": using or ["urn:ietf:params:jmap:core"], "methodCalls": calls, **more})
        return await self.hear()

    async def _event(self) -> Event | None:
        async with asyncio.timeout(_PATIENCE):
            while not self._events:
                try:
                    octets = await self._reader.read(65536)
                except ConnectionError:
                    return None
                if not octets:
                    return None
                self._frames.receive_data(octets)
                self._events += list(self._frames.events())
        return self._events.pop(0)


@contextlib.asynccontextmanager
async def open_socket(
    server: Server, headers: Mapping[str, str], early: bytes = b"", changed: Mapping[str, str | None] | None = None
) -> AsyncIterator[WebSocket]:
    """Open a socket; it is broken off with the block. Fields of the handshake may be changed, or left out."""
    endpoint = server.app.endpoints["https"]
    reader, writer = await asyncio.open_connection(
        endpoint.host, endpoint.port, ssl=server.tls, server_hostname="localhost"
    )
    fields = {"Host": f"localhost:{endpoint.port}", **HANDSHAKE, **headers, **(changed or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    try:
        writer.write(f"GET /jmap/ws HTTP/1.1\r\n{head}\r\n".encode() + early)
        async with asyncio.timeout(_PATIENCE):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        found = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        yield WebSocket(int(first.split()[1]), found, reader, writer)
    finally:
        writer.transport.abort()
