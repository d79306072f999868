"""`python -m bench.slow`: many slow clients are held open; is a normal one still served, and what do they cost?

A real server process (`hongyan demo`, its limits as published) on loopback. A quarter of the slow clients say nothing
after the greeting, a quarter send a command without an end, an octet a second, a quarter a message, an octet a second,
and a quarter leave what they asked for unread. Each has an address of its own (127.x.y.z), as a botnet has. Meanwhile a
normal client brings one message after the other, each over a connection of its own, and each is timed from connect
to the 250 after its data.
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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.meters import memory_of

_GOAL_SECONDS = 0.1
_GOAL_OCTETS = 20 << 20
_PAUSE = 0.25  # seconds between two messages of the normal client: it stays below the limit of new connections
_GREEDY = b"EHLO slow.example\r\n" * 90  # more would be cut off as commands without mail


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: times in milliseconds, memory in KiB."""

    slow_clients: int
    still_open: int
    messages: int
    alone_median: float
    alone_worst: float
    beside_median: float
    beside_p99: float
    beside_worst: float
    memory_before: int
    memory_after: int

    @property
    def grown(self) -> int:
        return self.memory_after - self.memory_before

    @property
    def within_goals(self) -> bool:
        return (
            self.still_open == self.slow_clients
            and self.beside_p99 < _GOAL_SECONDS * 1000
            and self.grown * 1024 < _GOAL_OCTETS
        )


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and return 0 if the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow", description="Slow clients beside a normal one.")
    parser.add_argument("--clients", type=int, default=500, help="slow clients held open")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long they are held while we measure")
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        command = [os.fspath(Path(sys.executable).with_name("hongyan")), "demo", "--json", "--data", f"{folder}/data"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            told = json.loads(server.stdout.readline())
            host, _, port = str(told["smtp"]).rpartition(":")
            figures = asyncio.run(_measure((host, int(port)), server.pid, options.clients, options.seconds))
            server.stdin.close()
            server.wait(30)
    print(json.dumps(asdict(figures)) if options.json else _told(figures))
    return 0 if figures.within_goals else 1


def _told(figures: Figures) -> str:
    return (
        f"{figures.slow_clients} slow clients, {figures.still_open} still open at the end\n"
        f"a normal message alone:   median {figures.alone_median:.1f} ms, worst {figures.alone_worst:.1f} ms\n"
        f"a normal message besides: median {figures.beside_median:.1f} ms, p99 {figures.beside_p99:.1f} ms,"
        f" worst {figures.beside_worst:.1f} ms, of {figures.messages}\n"
        f"memory: {figures.memory_before / 1024:.1f} MiB before, {figures.memory_after / 1024:.1f} MiB after,"
        f" {figures.grown / 1024:+.1f} MiB\n"
        f"goals (p99 < {_GOAL_SECONDS * 1000:.0f} ms, < {_GOAL_OCTETS >> 20} MiB, nobody lost):"
        f" {'met' if figures.within_goals else 'NOT MET'}"
    )


async def _measure(at: tuple[str, int], pid: int, clients: int, seconds: float) -> Figures:
    await _bring_for(at, seconds / 10)  # What the first messages cost belongs to none of them.
    alone = await _bring_for(at, seconds / 4)
    before = memory_of([pid]).rss_kib
    async with asyncio.TaskGroup() as group:
        slow = [_Slow(at, number) for number in range(clients)]
        for each in slow:
            await each.connect()
        held = [group.create_task(each.go_on()) for each in slow]
        beside = await _bring_for(at, seconds)
        after = memory_of([pid]).rss_kib
        still_open = sum(each.is_open for each in slow)
        for task in held:
            task.cancel()
    return Figures(
        slow_clients=clients,
        still_open=still_open,
        messages=len(beside),
        alone_median=_share(alone, 0.5),
        alone_worst=alone[-1] * 1000,
        beside_median=_share(beside, 0.5),
        beside_p99=_share(beside, 0.99),
        beside_worst=beside[-1] * 1000,
        memory_before=before,
        memory_after=after,
    )


def _share(times: Sequence[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)] * 1000


async def _bring_for(at: tuple[str, int], seconds: float) -> list[float]:
    """Bring messages for so long; return how long each took, the quickest first."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        await _bring(at)
        times.append(time.perf_counter() - started)
        await asyncio.sleep(_PAUSE)
    return sorted(times)


async def _bring(at: tuple[str, int]) -> None:
    reader, writer = await asyncio.open_connection(*at)
    try:
        await _reply(reader)
        for command in (
            b"EHLO normal.example",
            b"MAIL FROM:<a@normal.example>",
            b"RCPT TO:<user@hongyan.test>",
            b"DATA",
        ):
            writer.write(command + b"\r\n")
            await _reply(reader)
        writer.write(b"From: a@normal.example\r\nSubject: normal\r\n\r\n" + b"text\r\n" * 600 + b".\r\n")
        await _reply(reader)
        writer.write(b"QUIT\r\n")
        await _reply(reader)
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> None:
    while (line := await reader.readline())[3:4] == b"-":
        pass
    if line[:1] not in (b"2", b"3"):
        raise RuntimeError(f"the server said {line!r}")


class _Slow:
    """A slow client; its number says in which way."""

    def __init__(self, at: tuple[str, int], number: int) -> None:
        self._at = at
        self._number = number
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.is_open = False

    async def connect(self) -> None:
        """Come, and go as far as this client's way wants it to."""
        loop = asyncio.get_running_loop()
        number = self._number
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self._socket.bind((f"127.{1 + number // 65025}.{number // 255 % 255}.{1 + number % 255}", 0))
        await loop.sock_connect(self._socket, self._at)
        await self._hear(b"220 ")
        self.is_open = True
        if number % 4 == 2:
            for line in (b"EHLO s.example", b"MAIL FROM:<a@s.example>", b"RCPT TO:<user@hongyan.test>", b"DATA"):
                await loop.sock_sendall(self._socket, line + b"\r\n")
                await self._hear(b"354 " if line == b"DATA" else b"250 ")
        elif number % 4 == 3:
            self._send(_GREEDY)

    async def go_on(self) -> None:
        """Be slow until cancelled, or until the server has enough of it."""
        try:
            while self.is_open:
                await asyncio.sleep(1)
                match self._number % 4:
                    case 1:
                        self._send(b"N")
                    case 2:
                        self._send(b"x")
                    case _:
                        pass
                if self._number % 4 != 3:
                    self._look()
        finally:
            self._socket.close()

    async def _hear(self, beginning: bytes) -> None:
        """Wait until a line that begins so has come."""
        heard = b""
        while not heard.startswith(beginning) and b"\n" + beginning not in heard:
            octets = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
            if not octets:
                raise RuntimeError(f"the server said {heard!r}")
            heard += octets

    def _send(self, octets: bytes) -> None:
        try:
            self._socket.send(octets)
        except BlockingIOError:
            pass
        except OSError:
            self.is_open = False

    def _look(self) -> None:
        """See whether the server has closed."""
        try:
            self.is_open = bool(self._socket.recv(4096))
        except BlockingIOError:
            pass
        except OSError:
            self.is_open = False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
