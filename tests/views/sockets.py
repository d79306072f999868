"""Two dozen clients of one mailbox over real connections, all at once: `python -m tests.views.sockets --seconds 60`.

Each believes what it is told and raises when that cannot be (`client`). Nobody knows the truth while all write; at the
end of each round all rest, and then each has to know what a client knows that comes anew.
"""

from __future__ import annotations

__all__ = ["Stress", "main"]

import argparse
import asyncio
import contextlib
import random
import ssl
import sys
import time
from collections.abc import Mapping
from typing import Any

from tests.support.lines import Lines
from tests.support.server import SECRET, start_demo
from tests.views.client import Broken, ClientView

CLIENTS = 24
_ROUND = 4.0  # seconds until all rest
_FULL = 120  # messages from which on nobody appends
_FLAGS = ("\\Seen", "\\Deleted", "\\Deleted", "\\Flagged", "$a", "$b")


class SocketClient:
    """One client, which does what chance wants."""

    def __init__(self, lines: Lines, kind: str, chance: random.Random) -> None:
        self.lines = lines
        self.kind = kind
        self.view = ClientView()
        self._chance = chance
        self._tag = 0

    async def say(self, command: str, text: str, *, end: str = "") -> bytes:
        """Carry out a command; `end` is said once the server waits for it."""
        self._tag += 1
        tag = b"t%d " % self._tag
        self.view.begin(command, text)
        self.lines.say(f"t{self._tag} {text}")
        while True:
            line = await self.lines.line()
            if line == b"" or line.startswith(b"* BYE"):
                self.view.fail(f"the server closes: {line!r}")
            self.view.hear(line)
            if line.startswith(b"+") and end:
                await asyncio.sleep(self._chance.random() * 0.2)
                self.lines.say(end)
            if line.startswith(tag):
                self.view.end()
                if line.startswith(tag + b"BAD"):
                    self.view.fail("BAD")
                return line.removeprefix(tag)

    async def start(self) -> None:
        """Enable what this client enables, and open the mailbox."""
        if self.kind:
            await self.say("ENABLE", f"ENABLE {self.kind}")
            self.view.qresync, self.view.condstore = self.kind == "QRESYNC", True
        await self.say("SELECT", "SELECT INBOX")

    async def play(self, until: float) -> None:
        """Do one thing after the other."""
        while time.monotonic() < until:
            await self._do_something()

    async def _do_something(self) -> None:
        chance, count = self._chance, len(self.view.messages)
        if not count or (count < _FULL and chance.random() < 0.2):
            await self.say("APPEND", "APPEND INBOX (\\Seen) {14+}\r\nSubject: x\r\n\r\n")
            return
        first = chance.randint(1, count)
        last = min(count, first + chance.randint(0, 5))
        flag, sign = chance.choice(_FLAGS), chance.choice(("+", "-", ""))
        uid = "UID " * chance.randint(0, 1)
        named = f"{first}:{last}"
        if uid:
            known = self.view.messages[first - 1].uid
            if known is None:
                await self.say("FETCH", f"FETCH {first}:* (UID FLAGS)")
                return
            named = f"{known}:{known + 5}"
        match chance.randint(0, 8):
            case 0 | 1:
                await self.say(f"{uid}STORE", f"{uid}STORE {named} {sign}FLAGS ({flag})")
            case 2 | 3:
                await self.say(f"{uid}FETCH", f"{uid}FETCH {named} (UID FLAGS RFC822.SIZE)")
            case 4:
                await self.say("EXPUNGE", "EXPUNGE")
            case 5:
                await self.say(f"{uid}SEARCH", f"{uid}SEARCH UNSEEN")
            case 6:
                await self.say(f"{uid}COPY", f"{uid}COPY {named} INBOX")
            case 7:
                await self.say("IDLE", "IDLE", end="DONE")
            case _:
                await self.say("NOOP", "NOOP")

    async def know_all(self) -> dict[int, frozenset[bytes]]:
        """Return UIDs and flags, as the client knows them after NOOP; what it was never told, it asks for."""
        await self.say("NOOP", "NOOP")
        if any(known.uid is None or known.flags is None for known in self.view.messages):
            told = {seq: known.flags for seq, known in enumerate(self.view.messages, 1) if known.flags is not None}
            await self.say("FETCH", "FETCH 1:* (UID FLAGS)")
            for seq, flags in told.items():
                if self.view.messages[seq - 1].flags != flags:
                    self.view.fail(f"message {seq} had other flags than the client was told")
        return {known.uid or 0: known.flags or frozenset() for known in self.view.messages}


class Stress:
    """Rounds of clients of one account."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, address: str, seed: int, clients: int) -> None:
        self._place = (host, port, tls)
        self._address = address
        self._chance = random.Random(seed)
        self._clients = clients
        self.commands = 0

    async def _client(self, kind: str) -> SocketClient:
        lines = await Lines.connect(*self._place)
        await lines.line()
        await lines.command("a", f'LOGIN {self._address} "{SECRET}"')
        client = SocketClient(lines, kind, random.Random(self._chance.random()))
        await client.start()
        return client

    async def run(self, seconds: float) -> None:
        """Play for so long. Raises `Broken`."""
        until = time.monotonic() + seconds
        clients = [await self._client(("", "CONDSTORE", "QRESYNC")[n % 3]) for n in range(self._clients)]
        while time.monotonic() < until:
            end = min(until, time.monotonic() + _ROUND)
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(client.play(end))
            await self._compare(clients)
        self.commands = sum(client._tag for client in clients)
        for client in clients:
            await client.lines.close()

    async def _compare(self, clients: list[SocketClient]) -> None:
        fresh = await self._client("")
        truth = await fresh.know_all()
        await fresh.lines.close()
        for client in clients:
            if await client.know_all() != truth:
                client.view.fail(f"the client knows otherwise than {truth}")


def main() -> int:
    """Play with a service of our own; 1 when a client was told what cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tests.views.sockets", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    said = parser.parse_args()
    with start_demo("--accounts", "1", "--secret", SECRET, "--limits", "off") as demo:
        return play(demo.told, demo.endpoint("imaps"), said.seconds, said.seed, said.clients)


def play(told: Mapping[str, Any], place: tuple[str, int], seconds: float, seed: int, clients: int) -> int:
    """Play with a running demonstration."""
    tls = ssl.create_default_context(cafile=str(told["ca"]))
    stress = Stress(*place, tls, "u000@hongyan.test", seed, clients)
    try:
        asyncio.run(stress.run(seconds))
    except ExceptionGroup as group:
        print(*group.exceptions, sep="\n")
        print(f"BROKEN VIEWS, {seed=}")
        return 1
    except Broken as broken:
        print(broken)
        print(f"BROKEN VIEWS, {seed=}")
        return 1
    print(f"views: {clients} clients, {stress.commands} commands, each view was right, {seed=}")
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
