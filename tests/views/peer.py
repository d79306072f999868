"""A client and its session in one process, without a socket: it may stop to read in the middle of an answer."""

from __future__ import annotations

__all__ = ["Memory", "Peer"]

import asyncio
from dataclasses import dataclass

from hongyan.auth.principal import Principal
from hongyan.servers.imap.handlers import HANDLERS
from hongyan.servers.imap.services import ImapServices
from hongyan.servers.imap.session import ImapSession
from tests.support.sessions import FakeConnection
from tests.views.client import ClientView, Known


@dataclass(frozen=True, slots=True)
class Memory:
    """What a client keeps of a mailbox on its disk; `count` were there, those of known UIDs are in `messages`."""

    uidvalidity: str
    modseq: int
    messages: dict[int, Known]
    count: int


class _Connection(FakeConnection):
    """Waits at each `drain` while `slow`."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.room = asyncio.Event()

    async def drain(self) -> None:
        self.flush()
        if self.slow:
            self.room.clear()
            await self.room.wait()


class Peer:
    """One client."""

    def __init__(self, services: ImapServices, principal: Principal, *, qresync: bool, condstore: bool) -> None:
        self.connection = _Connection()
        self.session = ImapSession(services, self.connection, HANDLERS)  # type: ignore[arg-type]
        self.connection.session = self.session
        self.session.logged_in(principal)
        self.view = ClientView()
        self.work: asyncio.Task[None] | None = None
        self.answer = b""
        self._read = 0
        self._tag = 0
        self._wants = (qresync, condstore)
        self.validity = ""
        self.modseq = 0
        """Up to where this client knows everything: what it will say when it comes back."""
        self.memories: dict[str, Memory] = {}

    async def start(self) -> None:
        """Enable what this client enables."""
        qresync, condstore = self._wants
        if qresync or condstore:
            await self.say("ENABLE", "ENABLE " + ("QRESYNC" if qresync else "CONDSTORE"))
            self.view.qresync, self.view.condstore = qresync, True

    @property
    def is_busy(self) -> bool:
        """Whether an answer is not complete: the client reads no further."""
        return self.work is not None

    async def say(self, command: str, text: str, *, slow: bool = False) -> bytes:
        """Carry out a command and return its tagged answer; with `slow`, stop to read it in the middle."""
        self._tag += 1
        self.view.begin(command, text)
        self.answer = b""
        self.connection.slow = slow
        self.session.receive_data(f"t{self._tag} {text}\r\n".encode())
        self.work = asyncio.get_running_loop().create_task(self._advance())
        await self.go_on(slow=slow)
        return self.answer

    async def _advance(self) -> None:
        while (work := self.session.advance()) is not None:
            await work
        self.connection.flush()

    async def go_on(self, *, slow: bool = False) -> None:
        """Read on, to the end or up to the next stop."""
        assert self.work is not None
        self.connection.slow = slow
        self.connection.room.set()
        stopped = asyncio.get_running_loop().create_task(self._stopped())
        await asyncio.wait({self.work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        self.listen()
        if self.work.done():
            self.work.result()
            self.work = None
            if self.view.command != "IDLE":
                assert self.answer, self.view.story[-3:]
                self.view.end()

    async def _stopped(self) -> None:
        while self.connection.room.is_set() or not self.connection.slow:
            await asyncio.sleep(0)

    def listen(self) -> None:
        """Take in what has come."""
        lines = self.connection.sent[self._read :].split(b"\r\n")
        self._read += sum(len(line) + 2 for line in lines[:-1])
        for line in lines[:-1]:
            if line.startswith(b"t%d " % self._tag):
                self.answer = line.partition(b" ")[2]
            self.view.hear(line)

    async def end_idle(self) -> None:
        """Say DONE."""
        self.session.receive_data(b"DONE\r\n")
        self.work = asyncio.get_running_loop().create_task(self._advance())
        self.view.command = "DONE"
        await self.go_on()

    def leave(self) -> None:
        """Hang up."""
        if self.work is not None:
            self.work.cancel()
        self.session.connection_lost()
