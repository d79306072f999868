"""HTTPS as a client that trusts nobody: one GET for one small resource, or one POST, at a host that strangers chose.

Only public addresses are connected to, those that our own resolver gave; the certificate is verified for the host's
name, TLS is 1.2 or newer; a redirect is a failure; header, body, all octets and time have limits. The grammar is h11's.
"""

from __future__ import annotations

__all__ = ["AnswerReader", "HttpsClient", "HttpsFault", "HttpsTrouble", "Resource"]

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

import h11

from hongyan.clients.stream import OctetStream
from hongyan.errors import PeerFault
from hongyan.mailauth.resolver import DnsFault, IPAddress, Resolver

_MAX_HEADER: Final = 16_384
_MAX_OVERHEAD: Final = 65_536
"""Octets of an answer that are not the resource: headers, and how chunks are framed."""

_MAX_THANKS: Final = 65_536
"""Octets of what is answered to a POST."""

_SLICE: Final = 1024
_MOST_ADDRESSES: Final = 3
_CONNECT_TIMEOUT: Final = 10.0
_HANDSHAKE_TIMEOUT: Final = 15.0
_READ_TIMEOUT: Final = 20.0


class HttpsTrouble(Enum):
    """What kind of failure it was."""

    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    ANSWER = "answer"


class HttpsFault(PeerFault):
    """The resource could not be had."""

    def __init__(self, trouble: HttpsTrouble, cause: str, *, status: int = 0, retry_after: float = 0.0) -> None:
        """`status` is that of an answer that was refused, 0 without one; `retry_after` what it says, in seconds."""
        super().__init__(cause=cause)
        self.trouble = trouble
        self.status = status
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Resource:
    """What a host served."""

    media_type: str
    """In lower case, without parameters."""
    octets: bytes


class HttpsClient:
    """Fetches. To be used within one event loop."""

    def __init__(
        self,
        resolver: Resolver,
        trust: Callable[[], ssl.SSLContext],
        may_connect: Callable[[IPAddress], bool],
        *,
        port: int = 443,
    ) -> None:
        """`trust` is read when it is first needed; `may_connect` says which addresses are not off limits."""
        self._resolver = resolver
        self._trust = trust
        self._may_connect = may_connect
        self._port = port

    async def get(self, host: str, path: str, *, limit: int, deadline: float) -> Resource:
        """Return what a host serves under a path, of at most `limit` octets, within `deadline` seconds.

        Raises `HttpsFault`.
        """
        reader = AnswerReader(limit)
        return await self._ask(host, reader.request(host, path), reader, deadline)

    async def post(
        self,
        host: str,
        path: str,
        media_type: str,
        octets: bytes,
        *,
        deadline: float,
        fields: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Hand octets over to a host, within `deadline` seconds, with these header fields besides.

        Raises `HttpsFault` unless it says that it took them.
        """
        reader = AnswerReader(_MAX_THANKS, posts=True)
        await self._ask(host, reader.request(host, path, media_type, octets, fields), reader, deadline)

    async def ask(
        self, host: str, path: str, media_type: str, octets: bytes, *, limit: int, deadline: float
    ) -> Resource:
        """Post octets to a host and return its answer, of at most `limit` octets. Raises `HttpsFault`."""
        reader = AnswerReader(limit, posts=True)
        return await self._ask(host, reader.request(host, path, media_type, octets), reader, deadline)

    async def _ask(self, host: str, request: bytes, reader: AnswerReader, deadline: float) -> Resource:
        try:
            async with asyncio.timeout(deadline):
                stream = await self._connect(host)
                try:
                    return await _exchange(stream, request, reader)
                finally:
                    stream.abort()
        except TimeoutError:
            raise HttpsFault(HttpsTrouble.CONNECTION, "it took too long") from None

    async def _connect(self, host: str) -> OctetStream:
        try:
            answer = await self._resolver.addresses(host)
        except DnsFault as fault:
            raise HttpsFault(HttpsTrouble.CONNECTION, fault.cause) from None
        addresses = [address for address in answer.records if self._may_connect(address)][:_MOST_ADDRESSES]
        last = HttpsFault(HttpsTrouble.CONNECTION, "the host has no address that may be connected to")
        for address in addresses:
            try:
                return await self._open(host, address)
            except HttpsFault as fault:
                last = fault
        raise last

    async def _open(self, host: str, address: IPAddress) -> OctetStream:
        try:
            stream = await OctetStream.open(address, self._port, source=None, timeout=_CONNECT_TIMEOUT)
        except OSError as error:
            raise HttpsFault(HttpsTrouble.CONNECTION, f"no connection to {address}") from error
        try:
            await stream.start_tls(self._trust(), host, _HANDSHAKE_TIMEOUT)
        except ssl.SSLCertVerificationError as error:
            stream.abort()
            raise HttpsFault(HttpsTrouble.CERTIFICATE, error.verify_message) from error
        except OSError as error:
            stream.abort()
            raise HttpsFault(HttpsTrouble.CONNECTION, "TLS failed") from error
        except BaseException:
            stream.abort()
            raise
        return stream


async def _exchange(stream: OctetStream, request: bytes, reader: AnswerReader) -> Resource:
    stream.write(request)
    while True:
        resource = reader.receive(await stream.receive(_READ_TIMEOUT))
        if resource is not None:
            return resource


class AnswerReader:
    """One request and its answer, without the network."""

    def __init__(self, limit: int, *, posts: bool = False) -> None:
        """`limit`: how many octets the resource may have. `posts`: something is handed over, and nothing fetched."""
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEADER)
        self._limit = limit
        self._posts = posts
        self._received = 0
        self._size = 0
        self._pieces: list[bytes] = []
        self._media_type = ""

    def request(
        self,
        host: str,
        path: str,
        media_type: str = "",
        octets: bytes = b"",
        fields: Sequence[tuple[str, str]] = (),
    ) -> bytes:
        """Return the octets that ask for the resource, or hand over what is posted."""
        headers = [("Host", host), ("User-Agent", "Hongyan"), ("Accept", "*/*"), ("Connection", "close")]
        if self._posts:
            headers += [("Content-Type", media_type), ("Content-Length", str(len(octets))), *fields]
        method = "POST" if self._posts else "GET"
        request = self._connection.send(h11.Request(method=method, target=path, headers=headers)) or b""
        if octets:
            request += self._connection.send(h11.Data(data=octets)) or b""
        return request + (self._connection.send(h11.EndOfMessage()) or b"")

    def receive(self, octets: bytes) -> Resource | None:
        """Take in what came, b"" at the end; return the resource when it is complete. Raises `HttpsFault`."""
        self._received += len(octets)
        if self._received > self._limit + _MAX_OVERHEAD:
            raise HttpsFault(HttpsTrouble.ANSWER, "it is too large")
        try:
            # h11 measures a header while it is incomplete, and one that comes in one piece never is.
            for start in range(0, len(octets) or 1, _SLICE):
                self._connection.receive_data(octets[start : start + _SLICE])
                while (event := self._connection.next_event()) is not h11.NEED_DATA:
                    if isinstance(event, h11.EndOfMessage):
                        return Resource(self._media_type, b"".join(self._pieces))
                    self._take(event)
        except h11.RemoteProtocolError as error:
            raise HttpsFault(HttpsTrouble.ANSWER, "the answer is not HTTP") from error
        return None

    def _take(self, event: h11.Event | type[h11.NEED_DATA | h11.PAUSED]) -> None:
        if isinstance(event, h11.Response):
            self._media_type = _accept(event, self._limit, posted=self._posts)
        elif isinstance(event, h11.Data):
            self._size += len(event.data)
            if self._size > self._limit:
                raise HttpsFault(HttpsTrouble.ANSWER, "it is too large")
            self._pieces.append(bytes(event.data))
        elif not isinstance(event, h11.InformationalResponse):
            raise HttpsFault(HttpsTrouble.ANSWER, "the connection ended before the answer did")


def _accept(response: h11.Response, limit: int, *, posted: bool) -> str:
    """Return the media type of an answer that is taken."""
    is_good = response.status_code // 100 == 2 if posted else response.status_code == 200
    if not is_good:  # RFC 8461 §3.3: redirects are not followed
        cause = f"the status is {response.status_code}"
        wait = _retry_after(dict(response.headers).get(b"retry-after", b""))
        raise HttpsFault(HttpsTrouble.ANSWER, cause, status=response.status_code, retry_after=wait)
    headers = dict(response.headers)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise HttpsFault(HttpsTrouble.ANSWER, "the answer is compressed, which was not asked for")
    length = headers.get(b"content-length", b"0")
    if len(length) > 9 or int(length) > limit:
        raise HttpsFault(HttpsTrouble.ANSWER, "it is too large")
    return headers.get(b"content-type", b"").split(b";")[0].strip().lower().decode("ascii", "replace")


def _retry_after(given: bytes) -> float:
    """Return the seconds of RFC 9110 §10.2.3; a date is not looked at."""
    return float(given) if given.isdigit() and len(given) < 7 else 0.0
