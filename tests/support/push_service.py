"""A push service on loopback, by HTTPS, and a subscriber that reads what comes (RFC 8030, RFC 8291).

async with serve_pushes(authority) as service:
    …  # subscribe with service.url("a"), receiver.keys
    push = await service.pushed()
    receiver.read(push)
"""

from __future__ import annotations

__all__ = ["HOST", "Push", "PushReceiver", "PushService", "serve_pushes"]

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.authority import Authority

HOST = "push.geese.test"
_PATIENCE = 20.0


@dataclass
class PushReceiver:
    """A subscriber: its key, its secret, and how it reads."""

    key: EllipticCurvePrivateKey = field(default_factory=lambda: generate_private_key(SECP256R1()))
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        """What a PushSubscription is made with."""
        p256dh, auth = (base64.urlsafe_b64encode(one).decode().rstrip("=") for one in (self.public, self.auth))
        return {"p256dh": p256dh, "auth": auth}

    def decrypt(self, body: bytes) -> bytes:
        """Read one record as RFC 8188 and RFC 8291 have it."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self.key.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), sender))
        keying = HKDF(SHA256(), 32, self.auth, b"WebPush: info\0" + self.public + sender).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(keying)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(keying)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain[-1:] == b"\x02"
        return plain[:-1]

    def read(self, push: Push) -> Any:
        assert push.headers["content-encoding"] == "aes128gcm"
        return json.loads(self.decrypt(push.body))


@dataclass(frozen=True)
class Push:
    """One POST that came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class PushService:
    """Takes what is pushed.

    `answer` is what it says to that, `endless` that it never stops, `silent` to whose pushes it says nothing.
    """

    port: int = 0
    answer: bytes = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
    endless: bool = False
    silent: set[str] = field(default_factory=set)
    connections: int = 0
    pushes: list[Push] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)
    _read: int = 0

    def url(self, name: str) -> str:
        return f"https://{HOST}/push/{name}"

    async def pushed(self) -> Push:
        """Return the next push."""
        async with asyncio.timeout(_PATIENCE), self._came:
            await self._came.wait_for(lambda: len(self.pushes) > self._read)
        self._read += 1
        return self.pushes[self._read - 1]

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")[:-2]
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers["content-length"]))
            async with self._came:
                self.pushes.append(Push(first.split()[1], headers, body))
                self._came.notify_all()
            if first.split()[1].removeprefix("/push/") in self.silent:
                await reader.read()
            writer.write(self.answer)
            await writer.drain()
            while self.endless:
                writer.write(bytes(65_536))
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def serve_pushes(authority: Authority) -> AsyncIterator[PushService]:
    """Serve on loopback."""
    service = PushService()
    open_now: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        service.connections += 1
        await service.talk(reader, writer)
        open_now.discard(writer)

    async with await asyncio.start_server(talk, "127.0.0.1", 0, ssl=authority.server(HOST)) as serving:
        service.port = serving.sockets[0].getsockname()[1]
        try:
            yield service
        finally:
            for writer in open_now:
                writer.transport.abort()
