"""What all connections of a server share: limits, the wheel, handshakes, one buffer to read into."""

from __future__ import annotations

__all__ = ["ConnectionOptions", "Driver"]

import asyncio
from dataclasses import dataclass

from hongyan import telemetry
from hongyan.options import option
from hongyan.servers.tls import Handshakes
from hongyan.servers.wheel import Wheel

_READ_SIZE = 64 * 1024  # octets taken from the kernel at once


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """The section `[connections]`: what one connection may cost."""

    read_ahead: int = option(64 * 1024, "What is read from a peer while a command is at work.", unit="octets")
    write_ahead: int = option(64 * 1024, "What waits for a peer to read before it is served on.", unit="octets")
    write_timeout: float = option(120.0, "How long a peer may leave a full buffer unread.", unit="s")
    close_timeout: float = option(5.0, "How long the last reply may take to reach the peer.", unit="s")
    abandon_timeout: float = option(30.0, "How long a command may go on after its peer is gone.", unit="s")

    def __post_init__(self) -> None:
        if min(self.read_ahead, self.write_ahead) < 1024:
            raise ValueError("read_ahead and write_ahead are at least 1024 octets")
        if min(self.write_timeout, self.close_timeout, self.abandon_timeout) < 1:
            raise ValueError("the time-outs of connections are at least one second")


class Driver:
    """What all connections of a server share."""

    __slots__ = ("buffer", "handshakes", "log", "loop", "options", "wheel")

    def __init__(self, wheel: Wheel, handshakes: Handshakes, options: ConnectionOptions) -> None:
        self.loop = asyncio.get_running_loop()
        self.wheel = wheel
        self.handshakes = handshakes
        self.options = options
        self.log = telemetry.logger("servers")
        # One for all: between `get_buffer` and `buffer_updated` no other connection has its turn. Without it
        # uvloop's TLS makes and shrinks a quarter of a megabyte for each read.
        self.buffer = memoryview(bytearray(_READ_SIZE))
