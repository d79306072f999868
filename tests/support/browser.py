"""A browser as far as the API is concerned: cookies, Origin, Sec-Fetch-Site, and JSON; over a socket."""

from __future__ import annotations

__all__ = ["Answer", "Browser"]

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_PATIENCE = 20.0


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        """Return the document."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """Return the first field of a name, or nothing."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def problem(self) -> str:
        """What the problem is called."""
        assert self.header("content-type") == "application/problem+json", self.body
        return str(self.json()["type"]).rpartition(":")[2]


@dataclass
class Browser:
    """One browser at one server; with `tls` it comes by HTTPS."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    name: str = "localhost"
    agent: str = FIREFOX
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.name}:{self.port}"

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answer:
        """Ask as one of our own pages would; `headers` replace what is sent, empty ones leave it out."""
        octets = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        fields = {
            "Host": f"{self.name}:{self.port}",
            "Connection": "close",
            "User-Agent": self.agent,
            "Origin": self.origin if method != "GET" else "",
            "Sec-Fetch-Site": "same-origin",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/json" if octets else "",
            "Content-Length": str(len(octets)) if octets else "",
            **(headers or {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
        answer = await self._exchange(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + octets)
        self._keep_cookies(answer)
        return answer

    async def log_in(self, name: str, password: str, **wishes: object) -> Answer:
        """Log in with a password."""
        return await self.ask("POST", "/api/v1/session", {"name": name, "password": password, **wishes})

    async def _exchange(self, octets: bytes) -> Answer:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(
                self.host, self.port, ssl=self.tls, server_hostname="localhost" if self.tls else None
            )
            writer.write(octets)
            said = await reader.read()
            writer.transport.abort()
        head, _, body = said.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        pairs = [(name.lower(), value) for name, value in (line.split(": ", 1) for line in lines)]
        return Answer(int(first.split()[1]), pairs, body)

    def _keep_cookies(self, answer: Answer) -> None:
        self.set_cookies = [value for name, value in answer.headers if name == "set-cookie"]
        for said in self.set_cookies:
            pair, _, attributes = said.partition(";")
            name, _, value = pair.partition("=")
            self.cookies.pop(name, None)
            if "Max-Age=0" not in attributes:
                self.cookies[name] = value
