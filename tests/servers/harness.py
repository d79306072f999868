"""A server with the smallest protocol there is, for tests of what stands below all protocols.

The client sends lines. `ECHO x` is answered at once, `WAIT` when the test lets it, `BIG n` with n KiB in pieces,
`BOOM` and `WAITBOOM` fail as only our own faults do. `LOGIN`, `STARTTLS` and `QUIT` do what they say; `PUSH` lets the
test send by `push`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field

from hongyan.clock import SystemRandom
from hongyan.domains.certificates import Certificates
from hongyan.domains.local_authority import LocalCertificate
from hongyan.domains.tls_profiles import TlsProfile
from hongyan.servers.admission import Admission, AdmissionOptions
from hongyan.servers.arrival import Arrival, ConnectionIds
from hongyan.servers.connection import Connection
from hongyan.servers.driver import ConnectionOptions, Driver
from hongyan.servers.listener import Listener
from hongyan.servers.proxy import ProxyPolicy
from hongyan.servers.sockets import bind
from hongyan.servers.tls import Handshakes, TlsInfo, TlsOptions
from hongyan.servers.wheel import Wheel
from tests.support.clock import FakeClock

PATIENCE = 10.0  # seconds after which a test that waits for something has failed
PIECE = b"x" * 1024


class LineSession:
    """The protocol's session. It writes down what the driver tells it."""

    def __init__(self, server: LineServer, connection: Connection) -> None:
        self.server = server
        self.connection = connection
        self.closing = False
        self.starttls = False
        self.story: list[str] = []
        self.gate = asyncio.Event()
        self.pushed: list[bytes] = []
        self._input = b""
        self._output = [b"hello\r\n"]
        self._stopping = False
        server.sessions.append(self)

    @property
    def buffered(self) -> int:
        return len(self._input)

    def receive_data(self, octets: bytes) -> None:
        if b"\x00" in octets:
            raise RuntimeError("boom in receive_data")
        self._input += octets

    def receive_eof(self) -> None:
        self.story.append("eof")

    def advance(self) -> Coroutine[object, object, None] | None:
        self._output += self.pushed
        self.pushed.clear()
        while not (self.closing or self.starttls):
            if self._stopping:
                self._say(b"bye, stopping")
                self.closing = True
                break
            line, found, rest = self._input.partition(b"\r\n")
            if not found:
                break
            self._input = rest
            work = self._take(line)
            if work is not None:
                return work
        return None

    def _take(self, line: bytes) -> Coroutine[object, object, None] | None:
        command, _, argument = line.partition(b" ")
        match command:
            case b"WAIT":
                return self._wait()
            case b"BIG":
                return self._big(int(argument))
            case b"WAITBOOM":
                return self._waitboom()
            case b"BOOM":
                raise RuntimeError("boom")
            case b"STARTTLS":
                self._input = b"" if not self.server.keeps_input else self._input
                self._say(b"go")
                self.starttls = True
            case b"LOGIN":
                self.connection.authenticated("ann@geese.test", "")
                self._say(b"in")
            case b"QUIT":
                self._say(b"bye")
                self.closing = True
            case _:
                self._say(argument)
        return None

    def _say(self, line: bytes) -> None:
        self._output.append(line + b"\r\n")

    async def _wait(self) -> None:
        self.story.append("waiting")
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.story.append("cancelled")
            raise
        self.story.append("waited")
        self._say(b"waited")

    async def _big(self, kilobytes: int) -> None:
        for _ in range(kilobytes):
            self._output.append(PIECE)
            await self.connection.drain()
            self.server.pieces += 1
        self._say(b"")

    async def _waitboom(self) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("boom after waiting")

    def data_to_send(self) -> bytes:
        octets = b"".join(self._output)
        self._output.clear()
        return octets

    def tls_started(self, tls: TlsInfo) -> None:
        self.starttls = False
        self.story.append(f"tls {tls.version} {tls.server_name}")

    def timeout(self) -> float:
        return self.server.timeout

    def timed_out(self) -> None:
        self._say(b"bye, silent")
        self.closing = True

    def failed(self) -> None:
        if self.server.fails_to_fail:
            raise RuntimeError("boom in failed")
        self._say(b"bye, our fault")
        self.closing = True

    def shutdown(self) -> None:
        self._stopping = True

    def connection_lost(self) -> None:
        self.story.append("lost")


@dataclass
class LineServer:
    """The server of one test; built by `line_server`."""

    clock: FakeClock
    wheel: Wheel
    sessions: list[LineSession] = field(default_factory=list)
    timeout: float = 60.0
    keeps_input: bool = False
    fails_to_fail: bool = False
    pieces: int = 0
    listener: Listener = field(init=False)
    admission: Admission = field(init=False)
    certificates: Certificates | None = None
    clients: list[Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.endpoints[0].port

    def pass_time(self, seconds: int) -> None:
        """Let the clock and the wheel go on, second by second."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.wheel.turn()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds that the server's doings bring about."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0)

    async def connect(self, tls: ssl.SSLContext | None = None, name: str = "localhost") -> Client:
        """Return a client that has read the greeting."""
        client = await self.call(tls, name)
        assert await client.line() == b"hello"
        return client

    async def call(self, tls: ssl.SSLContext | None = None, name: str = "localhost") -> Client:
        """Return a client that has read nothing."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=tls, server_hostname=name if tls else None
        )
        client = Client(reader, writer)
        self.clients.append(client)
        return client


class Client:
    """The other end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def line(self) -> bytes:
        """Return the next line, or what came before the end."""
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readline()).rstrip(b"\r\n")

    async def rest(self) -> bytes:
        """Return everything until the server closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def ask(self, octets: bytes) -> bytes:
        self.send(octets + b"\r\n")
        return await self.line()

    async def start_tls(self, tls: ssl.SSLContext, name: str = "localhost") -> None:
        async with asyncio.timeout(PATIENCE):
            await self.writer.start_tls(tls, server_hostname=name)

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Go without a word: RST instead of FIN."""
        if self.writer.is_closing():
            return
        connected = self.writer.get_extra_info("socket")
        if connected.fileno() >= 0:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def line_server(
    clock: FakeClock,
    *,
    certificates: Certificates | None = None,
    implicit_tls: bool = False,
    profile: TlsProfile = "intermediate",
    proxy: ProxyPolicy | None = None,
    admission: AdmissionOptions | None = None,
    is_banned: Callable[[str], bool] | None = None,
    connection: ConnectionOptions | None = None,
    tls: TlsOptions | None = None,
    sockets: list[socket.socket] | None = None,
    farewell: bool = True,
) -> AsyncIterator[LineServer]:
    """A server on a free port of the loopback."""
    wheel = Wheel(clock)
    handshakes = Handshakes(tls or TlsOptions())
    driver = Driver(wheel, handshakes, connection or ConnectionOptions())
    server = LineServer(clock, wheel, certificates=certificates)

    def serve(arrival: Arrival) -> Connection:
        return Connection(driver, arrival, lambda connection: LineSession(server, connection))

    server.admission = Admission(admission or AdmissionOptions(), clock, is_banned)
    server.listener = Listener(
        "test",
        sockets or bind(["127.0.0.1"], 0),
        serve,
        admission=server.admission,
        handshakes=handshakes,
        ids=ConnectionIds(SystemRandom()),
        find_context=certificates.context_finder(profile) if certificates else None,
        implicit_tls=implicit_tls,
        proxy=proxy,
        farewell=(lambda sentence: b"no: " + sentence.encode() + b"\r\n") if farewell else None,
    )
    async with server.listener:
        yield server
        for client in server.clients:
            client.reset()
    await asyncio.sleep(0)  # the clients' transports close


def client_context(certificate: LocalCertificate, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """What a client that trusts the local authority begins TLS with."""
    context = ssl.create_default_context(cafile=str(certificate.authority))
    if newest is not None:
        context.maximum_version = newest
    return context
