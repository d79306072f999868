"""ClamAV's daemon, asked over its socket: one connection for each scan, INSTREAM (clamd(8)).

    zINSTREAM NUL  *( size octets )  zero  ->  "stream: OK" / "stream: NAME FOUND" / "… ERROR", NUL

`size` is four octets in network order. The answer is one short line; anything else counts as none. A scanner that has
heard enough says so before the end and hangs up: what it said is read before anything else.
"""

from __future__ import annotations

__all__ = ["Clamd", "read_scan"]

import asyncio
import re
import struct
from typing import Final

from hongyan.clients.stream import OctetStream
from hongyan.screening.virus import Scan, ScanResult, VirusOptions, parse_place

_CHUNK: Final = 1 << 16
_SIZE: Final = struct.Struct("!I")
_LONGEST_ANSWER: Final = 1024
_FOUND: Final = re.compile(r"stream: ([^\0\r\n]{1,512}) FOUND")
_PING_TIMEOUT: Final = 2.0


class _Failed(Exception):
    """There is no answer, and why."""


class Clamd:
    """A `screening.virus.Scanner`."""

    def __init__(self, options: VirusOptions) -> None:
        self._place = parse_place(options.clamd)
        self._timeout = options.timeout
        self._turns = asyncio.Semaphore(options.at_once)

    async def scan(self, octets: bytes) -> Scan:
        """Have the octets scanned. Every way in which that can fail is a `Scan` too."""
        try:
            async with asyncio.timeout(self._timeout), self._turns:
                answer = await self._ask(b"zINSTREAM\0", octets)
        except TimeoutError:
            return Scan(ScanResult.FAILED, "it took too long")
        except OSError as error:
            return Scan(ScanResult.FAILED, error.strerror or type(error).__name__)
        except _Failed as failed:
            return Scan(ScanResult.FAILED, str(failed))
        return read_scan(answer)

    async def serves(self) -> bool:
        """Whether the scanner answers just now."""
        try:
            async with asyncio.timeout(_PING_TIMEOUT):
                return await self._ask(b"zPING\0") == "PONG"
        except (OSError, _Failed):
            return False

    async def version(self) -> str:
        """Return what the scanner says of its version and its signatures; empty when it does not answer."""
        try:
            async with asyncio.timeout(_PING_TIMEOUT):
                answer = await self._ask(b"zVERSION\0")
        except (OSError, _Failed):
            return ""
        return answer if answer.isprintable() else ""

    async def _ask(self, command: bytes, octets: bytes | None = None) -> str:
        """Send a command, with a message if there is one, and return the line of the answer."""
        stream = await self._open()
        try:
            stream.write(command)
            if octets is not None:
                await self._send(stream, octets)
            return await self._receive(stream)
        finally:
            stream.abort()

    async def _open(self) -> OctetStream:
        if isinstance(self._place, str):
            return await OctetStream.open_unix(self._place, timeout=self._timeout)
        return await OctetStream.open_named(*self._place, timeout=self._timeout)

    async def _send(self, stream: OctetStream, octets: bytes) -> None:
        """Write the message chunk by chunk, until the scanner has something to say."""
        for start in range(0, len(octets), _CHUNK):
            if not stream.is_quiet:
                return
            chunk = octets[start : start + _CHUNK]
            stream.write(_SIZE.pack(len(chunk)) + chunk)
            await stream.drain(self._timeout)
        stream.write(_SIZE.pack(0))

    async def _receive(self, stream: OctetStream) -> str:
        heard = b""
        while b"\0" not in heard:
            more = await stream.receive(self._timeout)
            if not more:
                raise _Failed("it hung up without an answer")
            heard += more
            if len(heard) > _LONGEST_ANSWER:
                raise _Failed("it says more than an answer")
        line, _, rest = heard.partition(b"\0")
        if rest or not line.isascii():
            raise _Failed("its answer is none")
        return line.decode("ascii").strip()


def read_scan(answer: str) -> Scan:
    """Return what an answer means. Only what is known to mean "clean" does."""
    if answer == "stream: OK":
        return Scan(ScanResult.CLEAN)
    if found := _FOUND.fullmatch(answer):
        return Scan(ScanResult.INFECTED, found[1])
    if answer == "INSTREAM size limit exceeded. ERROR":
        return Scan(ScanResult.TOO_LARGE)
    return Scan(ScanResult.FAILED, f"it answers {answer[:200]!r}")
