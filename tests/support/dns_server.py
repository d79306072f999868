"""A DNS server on loopback whose records a test fills in.

async with serve_dns() as zone:
    zone.records["MX example.org"] = ["10 mx.example.org."]
    …  # ask zone.server
"""

from __future__ import annotations

__all__ = ["Zone", "serve_dns"]

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import dns.message

from tests.quickstart.world import answer


class Zone(asyncio.DatagramProtocol):
    """Answers from `records`, values by "TYPE name"; nobody who is `silent` answers."""

    def __init__(self) -> None:
        self.records: dict[str, Sequence[str]] = {}
        self.server = ""
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.server = "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.silent:
            self._transport.sendto(answer(dns.message.from_wire(data), self.records).to_wire(), addr)


@contextlib.asynccontextmanager
async def serve_dns() -> AsyncIterator[Zone]:
    """Serve a zone that has no records yet."""
    transport, zone = await asyncio.get_running_loop().create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
    try:
        yield zone
    finally:
        transport.close()
