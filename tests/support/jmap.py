"""A client of JMAP for tests: HTTP/1.1 over a socket of the test's own, one exchange a connection."""

from __future__ import annotations

__all__ = ["CORE", "MAIL", "HttpAnswer", "JmapClient", "http"]

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hongyan.demonstration import DOMAIN
from tests.support.server import SECRET, Server

CORE = "urn:ietf:params:jmap:core"
MAIL = "urn:ietf:params:jmap:mail"

_PATIENCE = 20.0
_WITHOUT = ("Core/", "PushSubscription/")  # methods without an accountId


@dataclass(frozen=True)
class HttpAnswer:
    """What a server answers."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def http(
    server: Server,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    tls: bool = True,
) -> HttpAnswer:
    """Make one request of the server and return its answer."""
    endpoint = server.app.endpoints["https" if tls else "http"]
    context: ssl.SSLContext | None = server.tls if tls else None
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection(
            endpoint.host, endpoint.port, ssl=context, server_hostname="localhost" if tls else None
        )
        fields = {"Host": f"localhost:{endpoint.port}", "Connection": "close", "Content-Length": str(len(body))}
        fields |= headers or {}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        try:
            octets = await reader.read()
        finally:
            writer.transport.abort()
    head_octets, _, rest = octets.partition(b"\r\n\r\n")
    first, *lines = head_octets.decode().split("\r\n")
    found = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    if found.get("transfer-encoding") == "chunked":
        rest = _dechunk(rest)
    return HttpAnswer(int(first.split()[1]), found, rest)


def _dechunk(octets: bytes) -> bytes:
    body = b""
    while octets:
        size, _, octets = octets.partition(b"\r\n")
        body += octets[: int(size, 16)]
        octets = octets[int(size, 16) + 2 :]
    return body


class JmapClient:
    """An account over JMAP, by HTTP Basic."""

    def __init__(self, server: Server, name: str, secret: str | None = None) -> None:
        address = f"{name}@{DOMAIN}"
        self._server = server
        login = f"{address}:{SECRET if secret is None else secret}"
        self.authorization = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}
        self.using: Sequence[str] = (CORE, MAIL)
        self.account_id = ""

    async def open(self) -> JmapClient:
        """Read the session object, and know the accountId from it."""
        session = (await self.get("/jmap/session")).json()
        self.account_id = session["primaryAccounts"][MAIL]
        return self

    async def get(self, path: str, **more: str) -> HttpAnswer:
        """Fetch a resource."""
        return await http(self._server, "GET", path, headers=self.authorization | more)

    async def post(self, body: object, **more: str) -> HttpAnswer:
        """Send a request to the API: an object, or octets as they are."""
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self.authorization | {"Content-Type": "application/json"} | more
        return await http(self._server, "POST", "/jmap", headers=headers, body=octets)

    async def upload(self, octets: bytes, media_type: str = "text/plain", account: str | None = None) -> HttpAnswer:
        """Upload a blob."""
        path = f"/jmap/upload/{self.account_id if account is None else account}"
        headers = self.authorization | {"Content-Type": media_type}
        return await http(self._server, "POST", path, headers=headers, body=octets)

    async def calls(self, *calls: tuple[str, Mapping[str, Any]]) -> list[list[Any]]:
        """Make calls in one request and return their responses. An accountId is added where none is given."""
        made = [
            [
                name,
                arguments if name.startswith(_WITHOUT) else {"accountId": self.account_id, **arguments},
                f"c{number}",
            ]
            for number, (name, arguments) in enumerate(calls)
        ]
        answer = await self.post({"using": list(self.using), "methodCalls": made})
        assert answer.status == 200, answer.body
        return list(answer.json()["methodResponses"])

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Make one call and return the arguments of its response, which has the call's name."""
        ((told, response, _),) = await self.calls((name, arguments))
        assert told == name, response
        return dict(response)

    async def error(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Make one call and return the error that it gets."""
        ((told, response, _),) = await self.calls((name, arguments))
        assert told == "error", response
        return dict(response)

    async def mailboxes(self) -> dict[str, dict[str, Any]]:
        """Return the mailboxes by name."""
        got = await self.call("Mailbox/get", ids=None)
        return {box["name"]: box for box in got["list"]}
