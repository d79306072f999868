"""Our ports as others meet them: what answers, what is refused, what is dropped, and which certificate is shown."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import pytest

from hongyan.clients.dns_query import NameServer
from hongyan.clients.port_probe import PortFacts, Reach, has_way_out, probe_port
from hongyan.clock import SystemClock
from hongyan.domains.findings import Severity
from hongyan.domains.local_authority import make_local_certificate
from hongyan.operations.server import judge_port, judge_resolvers
from tests.support.ports import free_port
from tests.support.resolver import FakeResolver

HERE = ip_address("127.0.0.1")


@asynccontextmanager
async def greeting(octets: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def probe(service: str, port: int, tls: ssl.SSLContext | None = None, name: str = "mail.geese.test") -> PortFacts:
    return await probe_port(service, HERE, port, name, tls=tls, patience=5.0)


async def test_a_port_that_greets_is_good_and_one_that_says_something_else_is_not() -> None:
    async with greeting(b"220 mail.geese.test ESMTP\r\n") as port:
        facts = await probe("smtp", port)
    assert judge_port(facts, "mail.geese.test").severity is Severity.GOOD
    async with greeting(b"SSH-2.0-x\r\n") as port:
        facts = await probe("smtp", port)
    assert "not as it should" in judge_port(facts, "mail.geese.test").sentence


async def test_a_refused_port_is_told_from_a_dropped_one() -> None:
    facts = await probe("imaps", free_port())
    assert facts.reach is Reach.REFUSED
    assert "refused" in judge_port(facts, "x").sentence
    dropped = PortFacts("submissions", HERE, 465, Reach.SILENT)
    assert "port 587" in judge_port(dropped, "x").remedy
    assert "25 only when asked" in judge_port(PortFacts("smtp", HERE, 25, Reach.SILENT), "x").remedy


async def test_the_certificate_has_to_be_valid_for_the_hosts_name(tmp_path: Path) -> None:
    made = make_local_certificate(tmp_path, "geese.test", SystemClock())
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(made.files.chain, made.files.key)
    trusting = ssl.create_default_context(cafile=str(made.authority))
    async with greeting(b"* OK ready\r\n", serving) as port:
        right = await probe("imaps", port, trusting, "geese.test")
        other = await probe("imaps", port, trusting, "swans.test")
        stranger = await probe("imaps", port, ssl.create_default_context(), "geese.test")
    assert judge_port(right, "geese.test").severity is Severity.GOOD, right
    assert other.tls_fault
    assert judge_port(stranger, "geese.test").severity is Severity.ERROR


STARTTLS = {
    "smtp": b"220 x\r\n|250-x\r\n250-STARTTLS\r\n250 SIZE\r\n|220 go\r\n",
    "imap": b"* OK x\r\n|a OK go\r\n",
    "pop3": b"+OK x\r\n|+OK go\r\n",
}


@asynccontextmanager
async def dialogue(told: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Say the parts of `told`, each but the first after a line of the client's; then begin TLS, or close."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *others = told.split(b"|")
        writer.write(first)
        for answer in others:
            await reader.readline()
            writer.write(answer)
        with suppress(OSError):
            if tls is not None:
                await writer.start_tls(tls)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("service", STARTTLS)
async def test_a_port_with_starttls_is_asked_for_it_and_its_certificate_judged(tmp_path: Path, service: str) -> None:
    made = make_local_certificate(tmp_path, "geese.test", SystemClock())
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(made.files.chain, made.files.key)
    trusting = ssl.create_default_context(cafile=str(made.authority))
    async with dialogue(STARTTLS[service], serving) as port:
        right = await probe(service, port, trusting, "geese.test")
        other = await probe(service, port, trusting, "swans.test")
    assert judge_port(right, "geese.test").severity is Severity.GOOD, right
    finding = judge_port(other, "swans.test")
    assert "no certificate that is valid for swans.test" in finding.sentence
    assert finding.severity is (Severity.WARNING if service == "smtp" else Severity.ERROR)


@pytest.mark.parametrize(("service", "told"), [("smtp", b"220 x\r\n|250 x\r\n|502 what?\r\n"), ("imap", b"* OK x\r\n")])
async def test_a_port_that_does_not_begin_tls_is_found(service: str, told: bytes) -> None:
    async with dialogue(told) as port:
        facts = await probe(service, port, ssl.create_default_context())
    assert facts.lacks_starttls
    assert "does not begin TLS" in judge_port(facts, "x").sentence


async def test_without_an_exchanger_that_greets_there_is_no_way_out() -> None:
    resolver = FakeResolver().add_mx("big.test", (10, "mx.big.test"))
    assert not await has_way_out(resolver, ["big.test", "gone.test"], 0.2)


@pytest.mark.parametrize(
    ("host", "severity"), [("8.8.8.8", Severity.WARNING), ("223.5.5.5", Severity.WARNING), ("127.0.0.1", Severity.GOOD)]
)
def test_a_public_resolver_is_warned_of(host: str, severity: Severity) -> None:
    (finding,) = judge_resolvers([NameServer(host, 53, trusted=False)])
    assert finding.severity is severity
