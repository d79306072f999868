"""A client of a dialogue: sends octets, and holds each line of the server against what the script says."""

from __future__ import annotations

__all__ = ["Client", "Mismatch"]

import asyncio
import re
import ssl
import zlib

PATIENCE = 20.0  # seconds after which an answer that does not come has failed the test

_LIMIT = 1 << 26
_LONGEST_SHOWN = 300


class Mismatch(AssertionError):
    """The server says something else than the script."""


class Client:
    """One connection. `transcript` is what was said on it, for the report of a failure."""

    def __init__(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.name = name
        self.transcript: list[str] = []
        self._reader = reader
        self._writer = writer
        self._compressed: _Compressed | None = None

    def say(self, octets: bytes) -> None:
        """Send octets in one write."""
        self.transcript.append(f"C{self.name}: {_show(octets)}")
        self._writer.write(self._compressed.pack(octets) if self._compressed is not None else octets)

    def send_raw(self, octets: bytes) -> None:
        """Send octets past the compression."""
        self._writer.write(octets)

    async def drained(self) -> None:
        """Wait until the server has taken much of what was sent."""
        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()

    async def hear(self, pattern: re.Pattern[bytes], lines: int = 1) -> re.Match[bytes]:
        """Read so many lines, which have to match."""
        octets = b""
        for _ in range(lines):
            octets += await self._line()
        match = pattern.fullmatch(octets.removesuffix(b"\r\n"))
        if match is None or not octets.endswith(b"\r\n"):
            raise Mismatch(_show(octets) if octets else "(the server has closed)")
        return match

    async def tagged(self, tag: str) -> None:
        """Read up to an answer of IMAP with this tag, which has to be OK."""
        while not (line := await self._line()).startswith(tag.encode() + b" "):
            if not line:
                raise Mismatch("(the server has closed)")
        if not line.startswith(b"%b OK" % tag.encode()):
            raise Mismatch(_show(line))

    async def reply(self, code: bytes) -> None:
        """Read a whole reply of SMTP or POP3 that has to begin with `code`."""
        while (line := await self._line())[3:4] == b"-" and code[:1].isdigit():
            pass
        if not line.startswith(code):
            raise Mismatch(_show(line))

    async def closed(self) -> None:
        """Wait for the server to close, without another word."""
        async with asyncio.timeout(PATIENCE):
            try:
                rest = await self._reader.read()
            except ConnectionError:
                rest = b""
        if rest:
            raise Mismatch(_show(rest))

    async def start_tls(self, context: ssl.SSLContext) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._writer.start_tls(context, server_hostname="hongyan.test")

    def start_compression(self) -> None:
        """Compress from now on, both ways (RFC 4978)."""
        self._compressed = _Compressed(self._reader)
        self._reader = self._compressed

    def end(self) -> None:
        """Say that nothing more comes; answers are still read."""
        self._writer.write_eof()

    def abort(self) -> None:
        self._writer.transport.abort()

    def unread(self) -> str:
        """Return what the server has said and nobody has asked for."""
        return _show(bytes(self._reader._buffer))  # type: ignore[attr-defined]

    async def _line(self) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE):
                line = await self._reader.readuntil(b"\r\n")
        except TimeoutError:
            raise Mismatch("(nothing)") from None
        except asyncio.IncompleteReadError as end:
            line = end.partial
        except ConnectionError:
            line = b""
        self.transcript.append(f"S{self.name}: {_show(line)}")
        return line


class _Compressed(asyncio.StreamReader):
    """What comes compressed, in plain; and the compressor of what is sent."""

    def __init__(self, source: asyncio.StreamReader) -> None:
        super().__init__(_LIMIT)
        self._source = source
        self._inflate = zlib.decompressobj(-15)
        self._deflate = zlib.compressobj(9, zlib.DEFLATED, -15)

    def pack(self, octets: bytes) -> bytes:
        return self._deflate.compress(octets) + self._deflate.flush(zlib.Z_PARTIAL_FLUSH)

    async def _wait_for_data(self, func_name: str) -> None:
        octets = await self._source.read(1 << 16)
        if octets:
            self.feed_data(self._inflate.decompress(octets))
        else:
            self.feed_eof()


def _show(octets: bytes) -> str:
    text = octets.removesuffix(b"\r\n").decode("utf-8", "backslashreplace")
    text = text.replace("\r\n", "\n    ")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(octets)} octets)"
