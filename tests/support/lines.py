"""A client that speaks in lines: sends one, and waits for those that it wants to see."""

from __future__ import annotations

__all__ = ["Lines"]

import asyncio
import ssl

PATIENCE = 20.0  # seconds after which a test that waits has failed


class Lines:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @staticmethod
    async def connect(host: str, port: int, tls: ssl.SSLContext | None = None) -> Lines:
        """Connect; with a context, by TLS and to `localhost`, which the certificate names."""
        name = "localhost" if tls is not None else None
        return Lines(*await asyncio.open_connection(host, port, ssl=tls, server_hostname=name, limit=1 << 20))

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Do the handshake with `localhost`."""
        async with asyncio.timeout(PATIENCE):
            await self._writer.start_tls(context, server_hostname="localhost")

    def say(self, line: str) -> None:
        """Send a line."""
        self._writer.write(line.encode() + b"\r\n")

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._writer.write(octets)

    def has_octets(self) -> bool:
        """Whether something has come that was not read yet, or the end."""
        return bool(self._reader._buffer) or self._reader.at_eof()  # type: ignore[attr-defined]  # no public way

    async def line(self) -> bytes:
        """Return the next line without its end; nothing, when the server has closed."""
        async with asyncio.timeout(PATIENCE):
            return (await self._reader.readline()).removesuffix(b"\r\n")

    async def until(self, beginning: bytes) -> bytes:
        """Return the next line that begins so."""
        while not (line := await self.line()).startswith(beginning):
            assert line or not self._reader.at_eof(), f"closed before {beginning!r}"
        return line

    async def reply(self) -> bytes:
        """Return the last line of a reply of SMTP."""
        while (line := await self.line())[3:4] == b"-":
            pass
        return line

    async def command(self, tag: str, command: str) -> list[bytes]:
        """Carry out a command of IMAP that has to succeed; return the lines before its answer."""
        lines = await self.try_command(tag, command)
        assert lines[-1].startswith(f"{tag} OK".encode()), lines[-1]
        return lines[:-1]

    async def try_command(self, tag: str, command: str) -> list[bytes]:
        """Carry out a command of IMAP; return its lines, the answer last."""
        self.say(f"{tag} {command}")
        lines = [await self.line()]
        while not lines[-1].startswith(f"{tag} ".encode()):
            assert lines[-1] or not self._reader.at_eof(), f"closed after {lines}"
            lines.append(await self.line())
        return lines

    async def ended(self) -> list[bytes]:
        """Wait until the server closes; return what it said before."""
        lines = []
        while line := await self.line():
            lines.append(line)
        return lines

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (OSError, ssl.SSLError):
            pass
