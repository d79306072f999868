"""`python -m bench.queue`: do dead destinations hold up living ones, and what does a long queue cost?

First: the queue's own worker, storage and SMTP transport send to five living servers on loopback, alone and beside
fifty dead ones, whose mail was queued before: a quarter black-holed (the connection is never made), a quarter refusing,
a quarter silent after the greeting, a quarter saying one octet a second. The figure is the throughput of the living.

Then: `hongyan demo` is started upon a queue of 100,000 messages, once when all wait for their time and once when all
are due and their relay is a black hole: how long until it serves, and how much memory it has after some seconds.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from bench.meters import memory_of
from hongyan.addresses import Address
from hongyan.clients.smtp import SmtpTransport
from hongyan.clients.smtp_options import SmtpOptions
from hongyan.clock import SystemClock, SystemRandom
from hongyan.engines.sql.queue import SqlQueue
from hongyan.engines.storage import SqlStorage
from hongyan.queue.items import Queue, new_message
from hongyan.queue.lookup import Router
from hongyan.queue.notices import NoticeWriter
from hongyan.queue.options import QueueOptions
from hongyan.queue.route import Hop, RemoteRoute, Route, RouteOptions
from hongyan.queue.schedule import Schedule, SteadyClock
from hongyan.queue.worker import QueueWorker
from hongyan.store.queue import NewMessage, NewRecipient, Selection
from tests.support.resolver import FakeResolver
from tests.support.storage import open_sqlite

_LIVING = 5
_KINDS = 4
_PER_DEAD = 20
_ROUNDS = 3
_GOAL_RATIO = 0.8
_GOAL_OCTETS = 200 << 20
_GOAL_SECONDS = 2.0
_SETTLE = 8.0  # seconds after the start at which memory is read
_MESSAGE = b"From: ann@ours.example\r\nSubject: Hello\r\n\r\n" + b"The geese are back.\r\n" * 100


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages a second to the living; seconds until the server serves; resident memory in KiB."""

    alone: float
    beside: float
    queued: int
    seconds_waiting: float
    memory_waiting: int
    seconds_due: float
    memory_due: int

    @property
    def ratio(self) -> float:
        return self.beside / self.alone

    @property
    def within_goals(self) -> bool:
        memory, seconds = max(self.memory_waiting, self.memory_due), max(self.seconds_waiting, self.seconds_due)
        return self.ratio >= _GOAL_RATIO and memory * 1024 < _GOAL_OCTETS and seconds < _GOAL_SECONDS


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 0 if the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m bench.queue", description="Dead destinations, and a long queue.")
    parser.add_argument("--messages", type=int, default=2000, help="messages to the living servers")
    parser.add_argument("--dead", type=int, default=50, help="dead destinations")
    parser.add_argument("--queued", type=int, default=100_000, help="messages of the long queue")
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    options = parser.parse_args(arguments)
    asyncio.run(_send(options.messages // 10, 0))  # What the first messages cost belongs to neither.
    rounds = [[asyncio.run(_send(options.messages, dead)) for dead in (0, options.dead)] for _ in range(_ROUNDS)]
    alone, beside = (max(column) for column in zip(*rounds, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        _start(data)
        asyncio.run(_fill(data, options.queued))
        waiting = _start(data)
        asyncio.run(_make_due(data))
        with _black_hole() as port:
            due = _start(data, "--relay", f"127.0.0.1:{port}")
    figures = Figures(alone, beside, options.queued, *waiting, *due)
    print(json.dumps(asdict(figures)) if options.json else _told(figures))
    return 0 if figures.within_goals else 1


def _told(figures: Figures) -> str:
    return (
        f"living servers: {figures.alone:.0f} messages/s alone, {figures.beside:.0f} beside the dead:"
        f" {figures.ratio:.2f}\n"
        f"{figures.queued} waiting messages: serves after {figures.seconds_waiting:.2f} s,"
        f" {figures.memory_waiting / 1024:.0f} MiB\n"
        f"{figures.queued} due messages:     serves after {figures.seconds_due:.2f} s,"
        f" {figures.memory_due / 1024:.0f} MiB\n"
        f"goals (ratio > {_GOAL_RATIO}, < {_GOAL_SECONDS:.0f} s, < {_GOAL_OCTETS >> 20} MiB):"
        f" {'met' if figures.within_goals else 'NOT MET'}"
    )


# -- the living beside the dead


class _Ports(Router):
    """Leads to servers on ports of loopback."""

    def __init__(self, ports: dict[str, int]) -> None:
        super().__init__(FakeResolver(), self, SystemRandom(), RouteOptions())
        self._ports = ports

    async def is_local(self, domain: str) -> bool:
        return False

    async def route(self, destination: str) -> Route:
        hop = Hop(f"mx.{destination}", (ip_address("127.0.0.1"),), self._ports[destination])
        return RemoteRoute(destination, (hop,))


async def _send(messages: int, dead: int) -> float:
    """Send to the living, with mail for so many dead before theirs; return messages a second."""
    async with AsyncExitStack() as open_ones:
        folder = open_ones.enter_context(tempfile.TemporaryDirectory())
        storage = await open_ones.enter_async_context(open_sqlite(Path(folder)))
        arrived = _Arrivals(messages)
        ports = {f"living{each}.example": await _serve(open_ones, arrived.serve) for each in range(_LIVING)}
        for each in range(dead):
            ports[f"dead{each}.example"] = await _die(open_ones, each % _KINDS)
        clock = SteadyClock(SystemClock())
        store = SqlQueue(storage.database)
        worker, transport = _worker(storage, store, ports, clock)
        for each in range(dead * _PER_DEAD):
            await store.enqueue(_message(f"a{each}@dead{each % dead}.example", clock))
        for each in range(messages):
            await store.enqueue(_message(f"a{each}@living{each % _LIVING}.example", clock))
        began = time.perf_counter()
        running = asyncio.create_task(worker.run())
        await arrived.all_here.wait()
        seconds = time.perf_counter() - began
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await transport.close()
    return messages / seconds


def _worker(
    storage: SqlStorage, store: SqlQueue, ports: dict[str, int], clock: SteadyClock
) -> tuple[QueueWorker, SmtpTransport]:
    schedule, random = Schedule(), SystemRandom()
    transport = SmtpTransport(SmtpOptions(), "ours.example", SystemClock())
    queue = Queue(store, clock, schedule, lambda destinations: None)
    worker = QueueWorker(
        store,
        storage.blobs,
        _Ports(ports),
        local=transport,  # type: ignore[arg-type]  # nobody is local
        remote=transport,
        notices=NoticeWriter("ours.example", queue, SystemClock(), random),
        clock=clock,
        random=random,
        schedule=schedule,
        options=QueueOptions(),
        owner="bench",
    )
    return worker, transport


def _message(recipient: str, clock: SteadyClock, delay: timedelta = timedelta(0)) -> NewMessage:
    now = clock.now()
    return new_message(
        Address.parse("ann@ours.example"),
        [NewRecipient(Address.parse(recipient))],
        now=now,
        expires=now + timedelta(days=5),
        size=len(_MESSAGE),
        octets=_MESSAGE,
        delay=delay,
    )


_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _serve(open_ones: AsyncExitStack, serve: _Serve) -> int:
    """Serve until the stack is left; then connections are cut."""
    transports: set[asyncio.WriteTransport] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transports.add(writer.transport)
        try:
            await serve(reader, writer)
        finally:
            transports.discard(writer.transport)
            writer.transport.abort()

    async def close() -> None:
        server.close()
        for transport in list(transports):
            transport.abort()
        await asyncio.sleep(0)  # in which the loop lets go of them

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    open_ones.push_async_callback(close)
    port: int = server.sockets[0].getsockname()[1]
    return port


class _Arrivals:
    """Counts the messages that living servers have taken."""

    def __init__(self, expected: int) -> None:
        self._left = expected
        self.all_here = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take messages as a server does that thinks for five milliseconds about each."""
        writer.write(b"220 living.example ESMTP\r\n")
        while verb := (await reader.readline())[:4].upper():
            if verb == b"DATA":
                writer.write(b"354 Go ahead\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                await asyncio.sleep(0.005)
                self._left -= 1
                if not self._left:
                    self.all_here.set()
            writer.write(b"250-living.example\r\n250 PIPELINING\r\n" if verb == b"EHLO" else b"250 2.0.0 OK\r\n")
            await writer.drain()
            if verb == b"QUIT":
                writer.close()


async def _die(open_ones: AsyncExitStack, kind: int) -> int:
    """Return a port at which nobody takes mail, each kind in its own way."""
    match kind:
        case 0:
            return open_ones.enter_context(_black_hole())
        case 1:
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                port: int = closed.getsockname()[1]
            return port
        case 2:
            return await _serve(open_ones, _fall_silent)
        case _:
            return await _serve(open_ones, _drip)


@contextmanager
def _black_hole() -> Iterator[int]:
    """Give a port at which connections are never made: its queue of connections is full."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def _fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 silent.example ESMTP\r\n")
    await reader.read()


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        writer.write(b"2")
        await asyncio.sleep(1)


# -- a long queue


def _start(data: Path, *options: str) -> tuple[float, int]:
    """Start the server; return the seconds until it serves, and its memory a while later."""
    command = [os.fspath(Path(sys.executable).with_name("hongyan")), "demo", "--json", "--data", str(data), *options]
    began = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdout.readline()
        seconds = time.perf_counter() - began
        time.sleep(_SETTLE)
        memory = memory_of([server.pid]).rss_kib
        server.stdin.close()
        server.wait(60)
    return seconds, memory


async def _fill(data: Path, messages: int) -> None:
    clock = SteadyClock(SystemClock())
    async with open_sqlite(data) as storage:
        store = SqlQueue(storage.database)
        for first in range(0, messages, 1000):
            batch = range(first, min(first + 1000, messages))
            await asyncio.gather(
                *(
                    store.enqueue(_message(f"a{each}@d{each % 1000}.example", clock, timedelta(hours=6)))
                    for each in batch
                )
            )


async def _make_due(data: Path) -> None:
    async with open_sqlite(data) as storage:
        await SqlQueue(storage.database).retry(Selection(), SystemClock().now())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
