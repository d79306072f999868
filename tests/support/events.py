"""A client of JMAP's event source for tests: one stream over a socket of the test's own."""

from __future__ import annotations

__all__ = ["Event", "EventStream", "open_events"]

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.server import Server

_PATIENCE = 20.0


@dataclass(frozen=True)
class Event:
    """One event; a comment has no name."""

    name: str
    id: str
    data: Any


@dataclass
class EventStream:
    """An answer that goes on."""

    status: int
    headers: Mapping[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def event(self) -> Event | None:
        """Return the next event, None at the end of the stream."""
        async with asyncio.timeout(_PATIENCE):
            try:
                size = int(await self.reader.readline() or b"0", 16)
                octets = (await self.reader.readexactly(size + 2))[:-2]
            except (ConnectionError, asyncio.IncompleteReadError):
                return None
        if not octets:
            return None
        lines = octets.decode().removesuffix("\n\n").split("\n")
        fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
        return Event(fields.get("event", ""), fields.get("id", ""), json.loads(fields.get("data", "null")))

    async def changed(self) -> Mapping[str, str]:
        """Return what the next event tells of the account's states."""
        event = await self.event()
        assert event is not None
        assert (event.name, event.data["@type"]) == ("state", "StateChange")
        (states,) = event.data["changed"].values()
        return dict(states)


@contextlib.asynccontextmanager
async def open_events(
    server: Server, headers: Mapping[str, str], query: str = "types=*&closeafter=no&ping=0"
) -> AsyncIterator[EventStream]:
    """Open a stream; it is broken off with the block."""
    endpoint = server.app.endpoints["https"]
    reader, writer = await asyncio.open_connection(
        endpoint.host, endpoint.port, ssl=server.tls, server_hostname="localhost"
    )
    fields = {"Host": f"localhost:{endpoint.port}", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    try:
        writer.write(f"GET /jmap/eventsource?{query} HTTP/1.1\r\n{head}\r\n".encode())
        async with asyncio.timeout(_PATIENCE):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        found = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        yield EventStream(int(first.split()[1]), found, reader, writer)
    finally:
        writer.transport.abort()
