"""A service that other servers find: on ports 25 and 443 of an address of its own, with its records in a signed DNS.

async with serve_publicly(folder, dns, host) as server:
    await submit(server, "goose@exim.test", "Honk")
    (answer,) = await wait_for_mail(server, 1)
"""

from __future__ import annotations

__all__ = [
    "HOSTNAME",
    "WRITER",
    "count_sessions",
    "our_zone",
    "serve_policy",
    "serve_publicly",
    "submit",
    "wait_for_mail",
    "wait_for_outcome",
]

import asyncio
import contextlib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hongyan.clients.source_pools import PoolOptions
from hongyan.config import Config
from hongyan.demonstration import DOMAIN
from hongyan.telemetry import metrics
from tests.support.cli import Cli
from tests.support.dnssec import SignedDns, SignedZone
from tests.support.lines import PATIENCE
from tests.support.server import SECRET, Server, in_thread, start_server

HOSTNAME = f"mail.{DOMAIN}"
WRITER = f"ann@{DOMAIN}"
_PAUSE = 0.05  # seconds between two looks into the queue


def our_zone(host: str) -> SignedZone:
    """Return our domain's zone before anything was published in it: where the host is."""
    return SignedZone(DOMAIN, [f"mail A {host}"])


@contextlib.asynccontextmanager
async def serve_publicly(
    folder: Path,
    dns: SignedDns,
    host: str,
    *,
    authorities: Path | None = None,
    policy_port: int = 443,
    change: Callable[[Config], Config] = lambda config: config,
) -> AsyncIterator[Server]:
    """Serve on `host`, from which mail leaves too, and put into the zone what `hongyan domain dns` prints."""

    def configure(config: Config) -> Config:
        trusted = "" if authorities is None else str(authorities)
        secured = replace(config.outgoing_tls, authorities=trusted, policy_port=policy_port)
        pools = {"only": PoolOptions((host,), (HOSTNAME,))}
        return change(replace(config, outgoing_tls=secured, pools=pools))

    wishes: dict[str, Any] = {"places": {"smtp": (host, 25), "https": (host, 443)}, "resolver": dns.server}
    async with start_server(folder / "data", change=configure, **wishes) as server:
        cli = Cli(folder / "data")
        printed = await in_thread(lambda: cli("domain", "dns", DOMAIN, "--zone"))
        await in_thread(lambda: dns.publish(DOMAIN, printed.out))
        yield server


async def submit(
    server: Server, recipient: str, subject: str, body: str = "Honk.", *, mail: Sequence[str] = (), rcpt: str = ""
) -> None:
    """Send a message as Ann's mail program does; `mail` and `rcpt` are more parameters of MAIL and RCPT."""
    octets = f"From: {WRITER}\r\nTo: {recipient}\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()
    port = server.app.endpoints["submissions"].port

    def send() -> None:
        with smtplib.SMTP_SSL("localhost", port, context=server.tls) as smtp:
            smtp.login(WRITER, SECRET)
            smtp.sendmail(WRITER, [recipient], octets, mail_options=list(mail), rcpt_options=[rcpt] if rcpt else [])

    await in_thread(send)


async def wait_for_mail(server: Server, count: int, name: str = "ann") -> list[bytes]:
    """Return the messages of an INBOX when there are so many; their lines end with LF."""
    imap = await server.imap(name)
    selected = b"\n".join(await imap.command("s", "SELECT INBOX"))
    if f"* {count} EXISTS".encode() not in selected:
        imap.say("i IDLE")
        await imap.until(f"* {count} EXISTS".encode())
        imap.say("DONE")
        await imap.until(b"i OK")
    return [b"\n".join(await imap.command("f", f"FETCH {number} BODY.PEEK[]")) for number in range(1, count + 1)]


async def wait_for_outcome(folder: Path) -> str:
    """Return what the queue says of its one recipient once it was tried: host, reply, cause."""
    cli = Cli(folder / "data")
    async with asyncio.timeout(PATIENCE):
        while True:
            listed = await in_thread(lambda: cli.json("queue", "list"))
            for message in listed["messages"]:
                for recipient in message["recipients"]:
                    if recipient["last"] is not None:
                        return str(recipient["last"]["text"])
            await asyncio.sleep(_PAUSE)


def count_sessions(kind: str) -> float:
    """Return how many sessions with other servers held to a policy of this kind: tlsa, sts or no-policy-found."""
    return float(metrics.tls_results_total.labels(kind, "")._value.get())


@contextlib.asynccontextmanager
async def serve_policy(host: str, policy: bytes, tls: ssl.SSLContext) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve an MTA-STS policy in chunks, as many web servers do; gives the port, and the requests that come."""
    fetched: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fetched.append(await reader.readuntil(b"\r\n\r\n"))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(policy), policy))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, host, 0, ssl=tls) as serving:
        yield serving.sockets[0].getsockname()[1], fetched
