"""A whole service for a test: in the test's own loop (`start_server`), or as a program (`start_demo`).

Both listen on free ports of loopback and keep their data in the test's folder. In the loop a test reaches everything
within; as a program the service is what a user starts.
"""

from __future__ import annotations

__all__ = ["Demo", "Server", "start_demo", "start_server"]

import asyncio
import contextlib
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hongyan.addresses import Address
from hongyan.app import App
from hongyan.cli.serving import say_in
from hongyan.clock import Clock
from hongyan.config import Config, Service
from hongyan.demonstration import (
    DOMAIN,
    DemoAccount,
    Demonstration,
    PlannedAccount,
    bind_free_ports,
    configure,
    furnish,
)
from hongyan.secret import Secret
from hongyan.servers.sockets import bind
from hongyan.store.accounts import Account
from tests.support.clock import FakeClock
from tests.support.lines import Lines

SECRET = "wild goose chase"
_PATIENCE = 30.0


@dataclass
class Server:
    """A service that runs in the test's loop."""

    app: App
    accounts: Mapping[str, DemoAccount]
    tls: ssl.SSLContext
    connections: list[Lines] = field(default_factory=list)

    async def connect(self, service: Service) -> Lines:
        """Return a connection to a service; where TLS comes first, it has begun."""
        endpoint = self.app.endpoints[service]
        begins_with_tls = service in ("submissions", "imaps", "pop3s", "https")
        lines = await Lines.connect(endpoint.host, endpoint.port, self.tls if begins_with_tls else None)
        self.connections.append(lines)
        return lines

    async def imap(self, name: str, secret: str = SECRET) -> Lines:
        """Return a connection over which the account is logged in."""
        imap = await self.connect("imaps")
        await imap.line()
        await imap.command("a", f'LOGIN {name}@{DOMAIN} "{secret}"')
        return imap

    async def account(self, name: str) -> Account:
        """Return an account of the demonstration's domain."""
        return await self.app.services.directory.accounts.get(Address.parse(f"{name}@{DOMAIN}"))

    async def bring(self, recipient: str, subject: str = "Hello", *, size: int = 0) -> bytes:
        """Let another server bring a message; return the last reply."""
        smtp = await self.connect("smtp")
        await smtp.reply()
        for line in ("EHLO elsewhere.test", "MAIL FROM:<friend@elsewhere.test>", f"RCPT TO:<{recipient}>"):
            smtp.say(line)
            reply = await smtp.reply()
            if not reply.startswith(b"250"):
                return reply
        smtp.say("DATA")
        await smtp.reply()
        smtp.say(f"From: friend@elsewhere.test\r\nSubject: {subject}\r\n\r\n{'x' * size}\r\n.")
        reply = await smtp.reply()
        await smtp.close()
        return reply


@contextlib.asynccontextmanager
async def start_server(
    folder: Path,
    *,
    change: Callable[[Config], Config] = lambda config: config,
    names: Sequence[str] = ("ann", "bob"),
    clock: Clock | None = None,
    places: Mapping[Service, tuple[str, int]] | None = None,
    **wishes: Any,
) -> AsyncIterator[Server]:
    """Serve the accounts of `names`, admin@ and user@; `wishes` are those of a `Demonstration`.

    `places`: where services are that others find by the DNS, such as port 25 of an address.
    """
    planned = [PlannedAccount(Address.parse(f"{name}@{DOMAIN}"), Secret(SECRET)) for name in ("admin", "user", *names)]
    wanted = Demonstration(data=folder, ports={}, accounts=planned, **wishes)
    config, certificate = configure(wanted)
    sockets = {str(service): bound for service, bound in bind_free_ports().items()}
    for service, (host, port) in (places or {}).items():
        for unused in sockets[service]:
            unused.close()
        sockets[service] = bind((host,), port)
    async with App(change(config), sockets=sockets, clock=clock, say=say_in) as app:
        accounts = {str(account.address): account for account in await furnish(app, wanted)}
        if isinstance(clock, FakeClock):
            clock.drives(app.wheel.turn)
        server = Server(app, accounts, ssl.create_default_context(cafile=str(certificate.authority)))
        try:
            yield server
        finally:
            for lines in server.connections:
                await lines.close()


@dataclass
class Demo:
    """A service that runs as a program: `hongyan demo --json`."""

    process: subprocess.Popen[str]
    told: Mapping[str, Any]

    def endpoint(self, service: str) -> tuple[str, int]:
        host, _, port = str(self.told[service]).rpartition(":")
        return host, int(port)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal, and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)


@contextlib.contextmanager
def start_demo(*options: str) -> Iterator[Demo]:
    """Start `hongyan demo --json`; it ends with the block."""
    command = [sys.executable, "-m", "hongyan", "demo", "--json", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the demonstration ended with {process.wait(_PATIENCE)}"
            yield Demo(process, json.loads(line))
        finally:
            process.stdin.close()
            process.wait(_PATIENCE)


async def in_thread(work: Callable[[], Any]) -> Any:
    """Run a blocking client while the service in this loop answers it."""
    async with asyncio.timeout(_PATIENCE):
        return await asyncio.to_thread(work)
