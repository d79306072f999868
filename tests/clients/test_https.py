"""A policy is fetched from whoever a domain names: each way in which that host may be hostile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from hongyan.clients.https import HttpsClient, HttpsFault, HttpsTrouble, Resource
from hongyan.clients.sts_fetcher import StsFetcher
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.mailauth.mta_sts import MAX_POLICY
from hongyan.mailauth.resolver import IPAddress
from hongyan.queue.route import is_public
from hongyan.queue.sts_policies import FetchFault
from hongyan.queue.tls_results import ResultType
from tests.support.authority import Authority
from tests.support.resolver import FakeResolver

HOST = "mta-sts.geese.test"
GEESE, FOXES = Authority(), Authority("Foxes")
RIGHT = GEESE.server(HOST)
TRUST = TlsContexts.system(str(GEESE.file()))
LIMIT = 1000
SHORT = 0.2
"""Seconds for those that never answer."""
PATIENCE = 20.0

BODY = b"version: STSv1\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\r\n" + BODY
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: TEXT/plain\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Host:
    """A server that reads a request, says what it is told to say, and then closes or falls silent."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextlib.asynccontextmanager
async def serve(
    *answer: bytes, tls: ssl.SSLContext | None = RIGHT, ends: bool = True, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Host]:
    host = Host()
    open_now: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host.connections += 1
        open_now.add(writer)
        try:
            host.requests.append(await reader.readuntil(b"\r\n\r\n"))
            for octets in answer:
                writer.write(octets)
                await writer.drain()
            if not ends:
                await reader.read()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(talk, address, port, ssl=tls) as serving:
        host.port = serving.sockets[0].getsockname()[1]
        try:
            yield host
        finally:
            for writer in open_now:
                writer.transport.abort()


def everywhere(_: IPAddress) -> bool:
    return True


def client(
    port: int, resolver: FakeResolver | None = None, may_connect: Callable[[IPAddress], bool] = everywhere
) -> HttpsClient:
    resolver = resolver or FakeResolver().add_address(HOST, "127.0.0.1")
    return HttpsClient(resolver, lambda: TRUST.find(verified=True), may_connect, port=port)


async def get(port: int, *, deadline: float = PATIENCE) -> Resource:
    return await client(port).get(HOST, "/policy", limit=LIMIT, deadline=deadline)


async def test_a_resource_is_fetched() -> None:
    async with serve(ANSWER) as host:
        assert await get(host.port) == Resource("text/plain", BODY)
    (request,) = host.requests
    assert request.startswith(b"GET /policy HTTP/1.1\r\nHost: mta-sts.geese.test\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER),
        (CHUNKED, b"8\r\nversion:\r\n", b"8;x=y\r\n STSv1\r\n\r\n0\r\n\r\n"),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n", BODY),
        tuple(ANSWER[at : at + 1] for at in range(len(ANSWER))),
    ],
)
async def test_the_ways_in_which_an_answer_may_come(answer: tuple[bytes, ...]) -> None:
    async with serve(*answer) as host:
        assert await get(host.port) == Resource("text/plain", BODY)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "204 No Content"])
async def test_octets_are_handed_over(status: str) -> None:
    async with serve(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as host:
        await client(host.port).post(HOST, "/r?x=1", "application/tlsrpt+gzip", b"report", deadline=PATIENCE)
    (request,) = host.requests
    assert request.startswith(b"POST /r?x=1 HTTP/1.1\r\n")
    assert b"Content-Type: application/tlsrpt+gzip\r\nContent-Length: 6\r\n" in request


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "500 Sorry"])
async def test_octets_that_are_not_taken_are_a_fault(status: str) -> None:
    async with serve(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()) as host:
        with pytest.raises(HttpsFault):
            await client(host.port).post(HOST, "/", "text/plain", b"report", deadline=PATIENCE)


def head(status: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (head("301 Moved", f"Location: https://{HOST}/policy", "Content-Length: 0"), "status is 301"),
        (head("302 Found", "Location: http://127.0.0.1/", "Content-Length: 0"), "status is 302"),
        (head("307 Moved", "Location: /other", "Content-Length: 0"), "status is 307"),
        (head("404 Not Found", "Content-Length: 0"), "status is 404"),
        (head("204 No Content"), "status is 204"),
        (head("101 Switching Protocols", "Upgrade: h2c"), ""),
        (head("200 OK", "Content-Length: 1001"), "too large"),
        (head("200 OK", "Content-Length: 99999999999999999999"), ""),
        (head("200 OK", "Content-Length: -1"), "not HTTP"),
        (head("200 OK", "Content-Length: 1", "Content-Length: 2"), "not HTTP"),
        (head("200 OK", "Content-Encoding: gzip", "Content-Length: 1"), "compressed"),
        (head("200 OK", "Content-Length: 16") + BODY[:-1], "not HTTP"),
        (head("200 OK") + b"x" * 1001, "too large"),
        (CHUNKED + b"fffffffffffffff\r\n" + b"x" * 2000, "too large"),
        (CHUNKED + b"1\r\nx\r\n" * 1001 + b"0\r\n\r\n", "too large"),
        (CHUNKED + (b"1;" + b"x" * 9000 + b"\r\nx\r\n") * 99, "too large"),
        (CHUNKED + b"1;" + b"x" * 20_000, ""),
        (CHUNKED + b"10\r\nversion", "not HTTP"),
        (CHUNKED + b"zz\r\n", "not HTTP"),
        (CHUNKED + b"0\r\n" + b"X: y\r\n" * 9000, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9000, "too large"),
        (head("200 OK", *("X: y" for _ in range(9000))), "not HTTP"),
        (head("200 OK", "X: " + "y" * 20_000), "not HTTP"),
        (b"220 mail.geese.test ESMTP\r\n", "not HTTP"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" * 9, "not HTTP"),
        (b"", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nA b\r\n\r\n", "not HTTP"),
    ],
)
async def test_an_answer_that_is_not_what_was_asked_for(answer: bytes, cause: str) -> None:
    async with serve(answer) as host:
        with pytest.raises(HttpsFault) as caught:
            await get(host.port)
    assert caught.value.trouble is HttpsTrouble.ANSWER
    assert cause in caught.value.cause
    assert host.connections == 1


@pytest.mark.parametrize(
    "answer", [(), (b"HTTP/1.1 200 OK\r\nContent-",), (ANSWER[:-3],), (CHUNKED, b"5\r\nvers"), (CHUNKED, b"1\r\nx\r\n")]
)
async def test_whoever_falls_silent_is_left_at_the_deadline(answer: tuple[bytes, ...]) -> None:
    async with serve(*answer, ends=False) as host:
        with pytest.raises(HttpsFault) as caught:
            await get(host.port, deadline=SHORT)
    assert caught.value.trouble is HttpsTrouble.CONNECTION
    assert "too long" in caught.value.cause


async def test_a_handshake_that_nobody_answers_is_left_at_the_deadline() -> None:
    async with serve(tls=None, ends=False) as host:
        with pytest.raises(HttpsFault) as caught:
            await get(host.port, deadline=SHORT)
    assert caught.value.trouble is HttpsTrouble.CONNECTION


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tls",
    [FOXES.server(HOST), GEESE.server("geese.test"), GEESE.server(HOST, days=(-3, -1)), GEESE.server(f"www.{HOST}")],
    ids=["of somebody else's authority", "for another name", "expired", "for a name below"],
)
async def test_a_certificate_that_does_not_hold(tls: ssl.SSLContext) -> None:
    async with serve(ANSWER, tls=tls) as host:
        with pytest.raises(HttpsFault) as caught:
            await get(host.port)
    assert caught.value.trouble is HttpsTrouble.CERTIFICATE
    assert not host.requests


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
async def test_tls_that_is_too_old_is_not_spoken() -> None:
    old = GEESE.server(HOST)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serve(ANSWER, tls=old) as host:
        with pytest.raises(HttpsFault) as caught:
            await get(host.port)
    assert (caught.value.trouble, caught.value.cause) == (HttpsTrouble.CONNECTION, "TLS failed")
    assert not host.requests


async def test_a_host_without_tls_is_told_nothing() -> None:
    async with serve(tls=None) as host:
        host_port = host.port
    async with serve(ANSWER, tls=None, port=host_port) as host:
        with pytest.raises(HttpsFault):
            await get(host.port, deadline=SHORT)
    assert not host.requests


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "::1", "::", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::"),
        "64:ff9b::7f00:1",
    ],
)
async def test_an_address_that_is_not_one_of_the_worlds_is_not_connected_to(address: str) -> None:
    async with serve(ANSWER) as host:
        resolver = FakeResolver().add_address(HOST, address)
        with pytest.raises(HttpsFault) as caught:
            await client(host.port, resolver, is_public).get(HOST, "/", limit=LIMIT, deadline=PATIENCE)
    assert caught.value.cause == "the host has no address that may be connected to"
    assert host.connections == 0


class Rebinding(FakeResolver):
    """Gives another address each time it is asked."""

    async def addresses(self, name: str, *, version: object = None) -> object:  # type: ignore[override]
        answer = await super().addresses(name)
        self.records["A", name] = [ip_address("127.0.0.1")]
        return answer


async def test_the_address_that_was_judged_is_the_one_that_is_connected_to() -> None:
    """DNS rebinding: the second answer leads within."""
    allowed = f"127.79.{os.getpid() % 250}.{os.getpid() // 250 % 250 + 1}"
    resolver = Rebinding().add_address(HOST, allowed)

    def may_connect(address: IPAddress) -> bool:
        return str(address) == allowed

    async with serve(ANSWER, address=allowed) as world, serve(address="127.0.0.1", port=world.port) as within:
        asking = client(world.port, resolver, may_connect)
        assert (await asking.get(HOST, "/", limit=LIMIT, deadline=PATIENCE)).octets == BODY
        assert [kind for kind, _ in resolver.asked].count("A") == 1
        with pytest.raises(HttpsFault):
            await asking.get(HOST, "/", limit=LIMIT, deadline=PATIENCE)
        assert (world.connections, within.connections) == (1, 0)


async def test_of_several_addresses_those_that_may_be_are_tried_in_turn() -> None:
    async with serve(ANSWER) as host:
        resolver = FakeResolver().add_address(HOST, "127.0.0.3", "127.0.0.2", "127.0.0.1")
        asking = client(host.port, resolver, lambda address: str(address) != "127.0.0.3")
        assert (await asking.get(HOST, "/", limit=LIMIT, deadline=PATIENCE)).octets == BODY
    many = FakeResolver().add_address(HOST, *(f"127.0.0.{number}" for number in (2, 3, 4, 1)))
    async with serve(ANSWER) as host:
        with pytest.raises(HttpsFault):
            await client(host.port, many).get(HOST, "/", limit=LIMIT, deadline=PATIENCE)
        assert host.connections == 0


async def test_a_name_that_is_not_found_or_cannot_be_asked_for() -> None:
    for resolver in (FakeResolver(), FakeResolver(failing={HOST})):
        with pytest.raises(HttpsFault) as caught:
            await client(443, resolver).get(HOST, "/", limit=LIMIT, deadline=PATIENCE)
        assert caught.value.trouble is HttpsTrouble.CONNECTION


# -- policies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "tls", "failure"),
    [
        (ANSWER.replace(b"text/plain", b"text/html"), RIGHT, ResultType.STS_POLICY_INVALID),
        (ANSWER.replace(b"Content-Type: text/plain; charset=utf-8\r\n", b""), RIGHT, ResultType.STS_POLICY_INVALID),
        (head("302 Found", "Content-Length: 0"), RIGHT, ResultType.STS_POLICY_FETCH_ERROR),
        (head("200 OK", f"Content-Length: {MAX_POLICY + 1}"), RIGHT, ResultType.STS_POLICY_FETCH_ERROR),
        (ANSWER, GEESE.server("geese.test"), ResultType.STS_WEBPKI_INVALID),
    ],
)
async def test_a_policy_that_cannot_be_had_is_reported_for_what_it_is(
    answer: bytes, tls: ssl.SSLContext, failure: ResultType
) -> None:
    async with serve(answer, tls=tls) as host:
        with pytest.raises(FetchFault) as caught:
            await StsFetcher(client(host.port)).fetch("geese.test")
    assert caught.value.failure is failure


async def test_a_policy_is_fetched_from_its_well_known_place() -> None:
    async with serve(ANSWER) as host:
        assert await StsFetcher(client(host.port)).fetch("geese.test") == BODY
    assert host.requests[0].startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.geese.test\r\n")
