"""A POP3 server on the loopback over real stores, with accounts and mail in them."""

from __future__ import annotations

__all__ = ["ANN", "PATIENCE", "Pop3Client", "Pop3Server", "serve_pop3"]

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from hongyan.accounts.settings import Settings
from hongyan.auth.login import LoginOptions
from hongyan.clock import SystemRandom
from hongyan.domains.certificates import Certificates
from hongyan.engines.segments import SegmentStore
from hongyan.engines.sql.migrations import SQLITE, migrate
from hongyan.engines.sqlite.database import SqliteDatabase
from hongyan.mailboxes.append import Incoming, append
from hongyan.mailboxes.live import LiveMailboxes
from hongyan.mailboxes.mail import Mail
from hongyan.servers.admission import Admission, AdmissionOptions
from hongyan.servers.arrival import Arrival, ConnectionIds
from hongyan.servers.connection import Connection
from hongyan.servers.driver import ConnectionOptions, Driver
from hongyan.servers.listener import Listener
from hongyan.servers.login_delays import LoginDelays
from hongyan.servers.pop3 import Pop3Options, Pop3Services, Pop3Session
from hongyan.servers.sasl import Door as SaslDoor
from hongyan.servers.sockets import bind
from hongyan.servers.tls import Handshakes, TlsOptions
from hongyan.servers.wheel import Wheel
from hongyan.store.accounts import Service
from hongyan.store.mailboxes import INBOX_ID
from hongyan.types import AccountId
from tests.support.clock import FakeClock, FakeRandom
from tests.support.door import Door, open_door
from tests.support.mail import NoHints

PATIENCE = 20.0  # seconds after which a test that waits for something has failed

ANN = "ann@geese.test"


@dataclass
class Pop3Server:
    """What a test knows of the server; `ann` has an account and POP3."""

    clock: FakeClock
    wheel: Wheel
    door: Door
    mail: Mail
    account: AccountId
    secret: str
    listener: Listener = field(init=False)
    connections: list[Connection] = field(default_factory=list)
    clients: list[Pop3Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.endpoints[0].port

    async def add(self, *messages: bytes, prefix: bytes = b"") -> None:
        """Put messages into INBOX."""
        await append(self.mail, self.account, INBOX_ID, [Incoming(octets, prefix) for octets in messages])

    async def uids(self) -> list[int]:
        """Return what is in INBOX."""
        return list((await self.mail.live.open(self.account, INBOX_ID)).uids)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds that the server's doings bring about."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0)

    async def gone(self) -> None:
        """Wait until every connection has ended."""
        await self.until(lambda: self.listener.connections == 0)

    def pass_time(self, seconds: int) -> None:
        """Let the clock and the wheel go on, second by second."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.wheel.turn()

    async def call(self, tls: ssl.SSLContext | None = None) -> Pop3Client:
        """Return a client that has read the greeting."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=tls, server_hostname="hongyan.test" if tls else None
        )
        client = Pop3Client(self, reader, writer)
        self.clients.append(client)
        assert (await client.line()).startswith(b"+OK")
        return client

    async def enter(self) -> Pop3Client:
        """Return a client that has logged in as ann."""
        client = await self.call()
        await client.log_in()
        return client


class Pop3Client:
    """The other end."""

    def __init__(self, server: Pop3Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer

    async def line(self) -> bytes:
        """Return the next line, or what came before the end."""
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readline()).removesuffix(b"\r\n")

    async def body(self) -> bytes:
        """Return a multi-line response after its first line, as it came, with its end."""
        async with asyncio.timeout(PATIENCE):
            lines = [await self.reader.readuntil(b"\r\n")]
            while lines[-1] != b".\r\n":
                lines.append(await self.reader.readuntil(b"\r\n"))
            return b"".join(lines)

    async def rest(self) -> bytes:
        """Return everything until the server closes."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def ask(self, command: str) -> bytes:
        self.send(command.encode() + b"\r\n")
        return await self.line()

    async def retrieve(self, command: str) -> bytes:
        """Return what a multi-line command answers, as it came."""
        assert (await self.ask(command)).startswith(b"+OK")
        return await self.body()

    async def log_in(self) -> None:
        assert (await self.ask(f"USER {ANN}")).startswith(b"+OK")
        answer = await self.ask(f"PASS {self.server.secret}")
        assert answer.startswith(b"+OK"), answer

    async def start_tls(self, tls: ssl.SSLContext) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.writer.start_tls(tls, server_hostname="hongyan.test")

    def reset(self) -> None:
        """Go without a word: RST instead of FIN."""
        if self.writer.is_closing():
            return
        connected = self.writer.get_extra_info("socket")
        if connected.fileno() >= 0:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def serve_pop3(
    folder: Path,
    clock: FakeClock,
    *,
    certificates: Certificates | None = None,
    implicit_tls: bool = False,
    plaintext: bool = True,
    options: Pop3Options | None = None,
    connection: ConnectionOptions | None = None,
    wrap: Callable[[Mail], Mail] = lambda mail: mail,
) -> AsyncIterator[Pop3Server]:
    """A server on a free port of the loopback, with its data in the folder. `wrap` may stand before its mail."""
    async with contextlib.AsyncExitStack() as stack:
        blobs = SegmentStore(folder / "blobs", reserve_octets=0)
        stack.callback(blobs.close)
        database = SqliteDatabase(folder / "mail.db", blobs)
        database.open()
        stack.callback(database.close)
        await migrate(database, SQLITE)
        door = await open_door(database, clock, FakeRandom(), login=LoginOptions(plaintext_on_loopback=plaintext))
        stack.callback(door.passwords.close)
        live = LiveMailboxes(door.mailboxes, door.mailboxes, NoHints())
        stack.push_async_callback(live.close)
        mail = Mail(door.mailboxes, door.messages, blobs, live, clock)
        ann = await door.add(ANN, services=frozenset(Service), scopes=frozenset({Service.POP3}))
        sasl = SaslDoor(door.login, SystemRandom(), plaintext_on_loopback=plaintext)
        options = options or Pop3Options()
        door.settings = Settings(door.settings_store, options.policy, door.audit, door.watch.changed)
        door.watch.listen(door.settings)
        delays = LoginDelays(options.login_delay, clock)
        services = Pop3Services(wrap(mail), sasl, door.settings, door.revocations, options, delays, door.audit)
        handshakes = Handshakes(TlsOptions())
        wheel = Wheel(clock)
        driver = Driver(wheel, handshakes, connection or ConnectionOptions())
        server = Pop3Server(clock, wheel, door, mail, ann.account.account_id, ann.app_password.reveal_text())

        def serve(arrival: Arrival) -> Connection:
            made = Connection(driver, arrival, lambda connection: Pop3Session(services, connection))
            server.connections.append(made)
            return made

        server.listener = Listener(
            "pop3",
            bind(["127.0.0.1"], 0),
            serve,
            admission=Admission(AdmissionOptions(), clock, None),
            handshakes=handshakes,
            ids=ConnectionIds(SystemRandom()),
            find_context=certificates.context_finder("intermediate") if certificates else None,
            implicit_tls=implicit_tls,
        )
        await stack.enter_async_context(server.listener)
        yield server
        for client in server.clients:
            client.reset()
