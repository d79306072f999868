"""Mail programs of the harness: SMTP, IMAP and POP3, each just enough to send, to change and to look.

They are told everything that can go wrong by exceptions: `Gone` when the connection ended, `Refused` when the server
said no. Both are for the journal to judge.
"""

from __future__ import annotations

__all__ = [
    "Dismissed",
    "Gone",
    "ImapClient",
    "ImapReply",
    "Pop3Client",
    "Refused",
    "SmtpClient",
    "Untagged",
    "dot_stuffed",
]

import asyncio
import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

_LIMIT = 1 << 26
_PATIENCE = 40.0

_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


class Gone(Exception):
    """The connection ended, or nothing was answered for a long time."""


class Dismissed(Gone):
    """The server has said goodbye, and that it cannot go on just now."""


class Refused(Exception):
    """The server said no."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


class _Line:
    """A connection that speaks in lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, endpoint: str) -> Self:
        host, _, port = endpoint.rpartition(":")
        try:
            async with asyncio.timeout(_PATIENCE):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=_LIMIT)
        except (OSError, TimeoutError) as error:
            raise Gone(str(error)) from error
        return cls(reader, writer)

    async def line(self) -> bytes:
        """Return the next line with its CRLF."""
        try:
            async with asyncio.timeout(_PATIENCE):
                octets = await self._reader.readuntil(b"\r\n")
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
            raise Gone(f"{type(error).__name__} {error}") from error
        return octets

    async def octets(self, count: int) -> bytes:
        """Return so many octets."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._reader.readexactly(count)
        except (OSError, EOFError, TimeoutError) as error:
            raise Gone(f"{type(error).__name__} {error}") from error

    async def send(self, octets: bytes) -> None:
        """Write, and wait until most of it is on its way."""
        try:
            self._writer.write(octets)
            async with asyncio.timeout(_PATIENCE):
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise Gone(str(error)) from error

    def close(self) -> None:
        """End, without a word."""
        self._writer.close()


class SmtpClient:
    """A connection to port 25 or 587."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._greeted: list[str] = []

    @classmethod
    async def open(cls, endpoint: str, login: tuple[str, str] | None = None) -> Self:
        """Connect, say EHLO and log in."""
        client = cls(await _Line.open(endpoint))
        await client._expect(220)
        await client._line.send(b"EHLO peer.elsewhere.example\r\n")
        await client._expect(250)
        if login is not None:
            token = base64.b64encode("\0{}\0{}".format(*login).encode())
            await client._line.send(b"AUTH PLAIN " + token + b"\r\n")
            await client._expect(235)
        return client

    async def deliver(
        self,
        sender: str,
        recipients: Sequence[str],
        octets: bytes,
        *,
        by_chunks: bool = False,
        on_sent: Callable[[], None] = lambda: None,
    ) -> None:
        """Send one message and return when it was accepted; `on_sent` is called when its last octet was written."""
        envelope = b"".join(b"RCPT TO:<%b>\r\n" % recipient.encode() for recipient in recipients)
        await self._line.send(b"MAIL FROM:<%b> BODY=8BITMIME\r\n" % sender.encode() + envelope)
        answers = [await self._reply() for _ in range(1 + len(recipients))]
        if refused := [said for code, said in answers if code // 100 != 2]:
            await self._line.send(b"RSET\r\n")
            await self._reply()
            raise Refused(refused[0])
        if by_chunks:
            half = len(octets) // 2
            await self._line.send(b"BDAT %d\r\n" % half + octets[:half])
            await self._expect(250)
            await self._line.send(b"BDAT %d LAST\r\n" % (len(octets) - half) + octets[half:])
        else:
            await self._line.send(b"DATA\r\n")
            await self._expect(354)
            await self._line.send(dot_stuffed(octets) + b".\r\n")
        on_sent()
        await self._expect(250)

    async def quit(self) -> None:
        """Say goodbye."""
        await self._line.send(b"QUIT\r\n")
        await self._expect(221)
        self._line.close()

    def close(self) -> None:
        """End, without a word."""
        self._line.close()

    async def _expect(self, wanted: int) -> None:
        code, said = await self._reply()
        if code == 421:
            raise Refused(said)
        if code != wanted:
            raise Refused(said)

    async def _reply(self) -> tuple[int, str]:
        lines = []
        while True:
            line = await self._line.line()
            lines.append(line.decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                return int(line[:3]), " / ".join(lines)


def dot_stuffed(octets: bytes) -> bytes:
    """Return the octets as DATA sends them."""
    return (b"." if octets.startswith(b".") else b"") + octets.replace(b"\r\n.", b"\r\n..")


@dataclass(frozen=True, slots=True)
class Untagged:
    """One untagged response: its text, with `{n}` where a literal stood, and the literals."""

    text: bytes
    literals: tuple[bytes, ...] = ()

    def number(self, name: bytes) -> int | None:
        """Return the number that stands after a word."""
        found = re.search(rb"\b" + name + rb" \(?(\d+)", self.text)
        return int(found[1]) if found else None

    @property
    def exists(self) -> int | None:
        """How many messages it says there are."""
        found = re.match(rb"\* (\d+) EXISTS", self.text)
        return int(found[1]) if found else None

    def flags(self) -> frozenset[str] | None:
        """Return the flags that it tells, \\Recent left out."""
        found = re.search(rb"\bFLAGS \(([^)]*)\)", self.text)
        return None if found is None else frozenset(found[1].decode().split()) - {"\\Recent"}


@dataclass(slots=True)
class ImapReply:
    """What came until the tagged answer, and that."""

    text: str = ""
    untagged: list[Untagged] = field(default_factory=list)

    def fetches(self) -> list[Untagged]:
        """Return the FETCH responses."""
        return [one for one in self.untagged if b" FETCH (" in one.text[:24]]

    def code(self, name: str) -> str | None:
        """Return what a response code says, wherever it stands."""
        for text in (self.text, *(one.text.decode("utf-8", "replace") for one in self.untagged)):
            found = re.search(rf"\[{name} ([^\]]*)\]", text)
            if found:
                return found[1]
        return None


class ImapClient:
    """A connection to port 143."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._tags = 0

    @classmethod
    async def open(cls, endpoint: str, user: str, secret: str) -> Self:
        """Connect, log in and ask for MODSEQs."""
        client = cls(await _Line.open(endpoint))
        await client._line.line()
        await client.command(f"LOGIN {user} {secret}")
        await client.command("ENABLE CONDSTORE")
        return client

    async def command(
        self, text: str, literal: bytes | None = None, *, on_sent: Callable[[], None] = lambda: None
    ) -> ImapReply:
        """Send a command and return when it was answered OK."""
        self._tags += 1
        tag = b"t%d" % self._tags
        octets = tag + b" " + text.encode()
        if literal is not None:
            octets += b" {%d+}\r\n" % len(literal) + literal
        await self._line.send(octets + b"\r\n")
        on_sent()
        return await self._until(tag)

    async def idle(self, until: asyncio.Event) -> ImapReply:
        """Wait in IDLE for an EXISTS or until the event, whichever comes first; return what came."""
        self._tags += 1
        tag = b"t%d" % self._tags
        await self._line.send(tag + b" IDLE\r\n")
        said = ImapReply()
        started = await self._response()
        if not started.text.startswith(b"+"):
            said.untagged.append(started)
        waiting = asyncio.create_task(until.wait())
        try:
            while not until.is_set() and not any(b" EXISTS" in one.text for one in said.untagged):
                response = asyncio.create_task(self._response())
                await asyncio.wait({waiting, response}, return_when=asyncio.FIRST_COMPLETED)
                if not response.done():
                    await self._line.send(b"DONE\r\n")
                    said.untagged.append(await response)
                    return await self._until(tag, said)
                said.untagged.append(await response)
        finally:
            waiting.cancel()
        await self._line.send(b"DONE\r\n")
        return await self._until(tag, said)

    async def _until(self, tag: bytes, said: ImapReply | None = None) -> ImapReply:
        said = said or ImapReply()
        if said.untagged and said.untagged[-1].text.startswith(tag + b" "):
            return said
        while True:
            response = await self._response()
            if response.text.startswith(b"* BYE [UNAVAILABLE]"):
                raise Dismissed(response.text.decode("utf-8", "replace").strip())
            if not response.text.startswith(tag + b" "):
                said.untagged.append(response)
                continue
            said.text = response.text.decode("utf-8", "replace").strip().partition(" ")[2]
            if not said.text.upper().startswith("OK"):
                raise Refused(said.text)
            return said

    async def _response(self) -> Untagged:
        text = b""
        literals: list[bytes] = []
        while True:
            line = await self._line.line()
            text += line
            found = _LITERAL.search(line)
            if found is None:
                return Untagged(text, tuple(literals))
            literals.append(await self._line.octets(int(found[1])))

    def close(self) -> None:
        """End, without a word."""
        self._line.close()


class Pop3Client:
    """A connection to port 110."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    @classmethod
    async def open(cls, endpoint: str, user: str, secret: str) -> Self:
        """Connect and log in."""
        client = cls(await _Line.open(endpoint))
        await client._status()
        await client.command(f"USER {user}")
        await client.command(f"PASS {secret}")
        return client

    async def command(self, text: str, *, on_sent: Callable[[], None] = lambda: None) -> str:
        """Send a command and return its answer's first line."""
        await self._line.send(text.encode() + b"\r\n")
        on_sent()
        return await self._status()

    async def listing(self, text: str) -> list[bytes]:
        """Send a command and return the lines of its answer, dots undone."""
        await self.command(text)
        lines = []
        while (line := await self._line.line()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return lines

    async def _status(self) -> str:
        said = (await self._line.line()).decode("utf-8", "replace").strip()
        if not said.startswith("+OK"):
            raise Refused(said)
        return said

    def close(self) -> None:
        """End, without a word."""
        self._line.close()
