"""HTTP as a stranger meets it, over sockets and through the listener that serves mail too."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from hongyan import telemetry
from hongyan.clock import SystemRandom
from hongyan.domains.authority import Challenge
from hongyan.domains.certificates import Certificates
from hongyan.domains.challenges import HttpChallenges
from hongyan.domains.local_authority import LocalCertificate
from hongyan.servers.admission import Admission, AdmissionOptions
from hongyan.servers.arrival import ConnectionIds
from hongyan.servers.listener import Listener
from hongyan.servers.proxy import ProxyOptions, ProxyPolicy
from hongyan.servers.sockets import bind
from hongyan.servers.tls import Handshakes, TlsOptions
from hongyan.web.app import make_app
from hongyan.web.connection import HttpService
from hongyan.web.guard import Guard
from hongyan.web.options import WebOptions
from tests.support.clock import FakeClock

PATIENCE = 10.0
POLICY = "version: STSv1\r\nmode: testing\r\nmx: mail.hongyan.test\r\nmax_age: 86400\r\n"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> object:
        return json.loads(self.body)


@dataclass
class Web:
    """A web server of one test."""

    clock: FakeClock
    listener: Listener
    parts: dict[str, bool]
    asked: list[str] = field(default_factory=list)

    async def connect(self, tls: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self.listener.endpoints[0].port, ssl=tls, server_hostname="localhost" if tls else None
        )

    async def exchange(self, octets: bytes, tls: ssl.SSLContext | None = None) -> bytes:
        """Send octets, and return all that comes until the server closes."""
        reader, writer = await self.connect(tls)
        writer.write(octets)
        try:
            async with asyncio.timeout(PATIENCE):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.transport.abort()

    async def get(
        self,
        path: str,
        *,
        host: str = "localhost",
        method: str = "GET",
        headers: str = "",
        tls: ssl.SSLContext | None = None,
        proxy: bytes = b"",
    ) -> Answer:
        request = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n"
        return parse(await self.exchange(proxy + request.encode(), tls))


def parse(octets: bytes) -> Answer:
    head, _, body = octets.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


@contextlib.asynccontextmanager
async def serve(
    clock: FakeClock,
    *,
    options: WebOptions | None = None,
    app: Callable[[WebOptions], object] | None = None,
    certificates: Certificates | None = None,
    proxy: ProxyPolicy | None = None,
    admission: AdmissionOptions | None = None,
    challenges: HttpChallenges | None = None,
) -> AsyncIterator[Web]:
    options = options or WebOptions(names=("www.hongyan.test",), security_contact="mailto:security@hongyan.test")
    parts = {"database": True, "imap": True}
    asked: list[str] = []

    def check(name: str) -> Callable[[], object]:
        async def ask() -> bool:
            asked.append(name)
            return parts[name]

        return ask

    application = (
        app(options)
        if app
        else make_app(
            options,
            clock,
            {name: check(name) for name in parts},  # type: ignore[misc]
            lambda domain: POLICY if domain == "hongyan.test" else None,
            challenges or HttpChallenges(),
        )
    )
    service = HttpService(application, options)  # type: ignore[arg-type]
    listener = Listener(
        "https" if certificates else "http",
        bind(["127.0.0.1"], 0),
        service.serve,
        admission=Admission(admission or AdmissionOptions(), clock),
        handshakes=Handshakes(TlsOptions()),
        ids=ConnectionIds(SystemRandom()),
        find_context=certificates.context_finder() if certificates else None,
        implicit_tls=certificates is not None,
        proxy=proxy,
        farewell=service.farewell,
    )
    async with listener:
        yield Web(clock, listener, parts, asked)
    await asyncio.sleep(0)


@pytest.fixture
def tls(certificate: LocalCertificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate.authority))


# Health and metrics.


async def test_health_asks_every_part_and_says_which_is_not_well(clock: FakeClock) -> None:
    async with serve(clock) as web:
        answer = await web.get("/healthz")
        assert (answer.status, answer.json()) == (
            200,
            {"status": "ok", "parts": {"database": "ok", "imap": "ok"}},
        )
        web.parts["database"] = False
        clock.advance(1)
        answer = await web.get("/healthz")
        assert (answer.status, answer.json()) == (
            503,
            {"status": "degraded", "parts": {"database": "failed", "imap": "ok"}},
        )
        assert (await web.get("/healthz/live")).status == 200


async def test_a_crowd_that_asks_for_health_does_not_wear_out_the_database(clock: FakeClock) -> None:
    async with serve(clock) as web:
        await asyncio.gather(*(web.get("/healthz") for _ in range(20)))
        assert web.asked.count("database") == 1


async def test_a_check_that_fails_or_hangs_is_a_part_that_does_not_serve(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> bool:
        raise RuntimeError("broken")

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr("hongyan.web.health._CHECK_TIMEOUT", 0.01)

    def app(options: WebOptions) -> object:
        return make_app(options, clock, {"one": broken, "two": hangs}, lambda domain: None, HttpChallenges())

    async with serve(clock, app=app) as web:
        answer = await web.get("/healthz")
        assert answer.json() == {"status": "degraded", "parts": {"one": "failed", "two": "failed"}}


async def test_strangers_learn_only_whether_all_is_well(clock: FakeClock) -> None:
    proxy = ProxyPolicy(ProxyOptions(networks=("127.0.0.0/8",)))
    header = b"PROXY TCP4 192.0.2.7 198.51.100.2 51000 80\r\n"
    async with serve(clock, proxy=proxy) as web:
        answer = await web.get("/healthz", proxy=header)
        assert (answer.status, answer.json()) == (200, {"status": "ok"})
        assert (await web.get("/metrics", proxy=header)).status == 404
        near = header.replace(b"192.0.2.7", b"127.0.0.1")
        assert (await web.get("/metrics", proxy=near)).status == 200


async def test_metrics_are_read_on_this_machine_and_not_through_a_proxy_on_it(clock: FakeClock) -> None:
    async with serve(clock) as web:
        answer = await web.get("/metrics")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert b'hongyan_open_connections{listener="http"} 1.0' in answer.body
        for field_name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
            assert (await web.get("/metrics", headers=f"{field_name}: 192.0.2.7\r\n")).status == 404
        assert b'hongyan_httpserver_request_duration_seconds_count{code="404"' in (await web.get("/metrics")).body


# Well-known resources.


async def test_security_txt_says_whom_to_write_to(clock: FakeClock) -> None:
    async with serve(clock) as web:
        answer = await web.get("/.well-known/security.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.body.decode().split("\r\n") == [
            "Contact: mailto:security@hongyan.test",
            "Expires: 2026-06-30T00:00:00Z",
            "Preferred-Languages: zh, en",
            "",
        ]
    async with serve(clock, options=WebOptions()) as web:
        assert (await web.get("/.well-known/security.txt")).status == 404


async def test_the_mta_sts_policy_is_served_by_its_host_under_tls_alone(
    clock: FakeClock, certificate: LocalCertificate, tls: ssl.SSLContext
) -> None:
    path = "/.well-known/mta-sts.txt"
    async with serve(clock, certificates=Certificates([certificate.files])) as web:
        answer = await web.get(path, host="mta-sts.hongyan.test", tls=tls)
        assert (answer.status, answer.body.decode()) == (200, POLICY)
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await web.get(path, host="localhost", tls=tls)).status == 404
        assert (await web.get(path, host="mta-sts.other.test", tls=tls)).status == 421
    async with serve(clock) as web:
        assert (await web.get(path, host="mta-sts.hongyan.test")).status == 404


async def test_a_token_is_answered_under_the_name_that_it_proves_and_nothing_else_is(clock: FakeClock) -> None:
    challenges, place = HttpChallenges(), "/.well-known/acme-challenge"
    proof = Challenge("mta-sts.other.test", "a_token-of_an_order", "a_token-of_an_order.thumb")
    async with serve(clock, challenges=challenges) as web:
        await challenges.show([proof])
        answer = await web.get(f"{place}/{proof.token}", host="mta-sts.other.test")
        assert (answer.status, answer.body.decode()) == (200, proof.answer)
        assert (await web.get(f"{place}/{proof.token}", host="www.hongyan.test")).status == 404
        for path in ("", "/", "/other", f"/{proof.token}/", f"/{proof.token}/x", f"/../{proof.token}", "/%00"):
            assert (await web.get(place + path, host="mta-sts.other.test")).status in (307, 404), path
        await challenges.remove([proof])
        assert (await web.get(f"{place}/{proof.token}", host="mta-sts.other.test")).status == 421, "it is not ours"


async def test_what_is_not_there_is_not_found(clock: FakeClock) -> None:
    async with serve(clock) as web:
        for path in ("/.well-known/change-password", "/healthz/", "/../etc/passwd", "/%2e%2e/x", "//healthz"):
            assert (await web.get(path)).status in (307, 404), path
        assert (await web.get("/healthz", method="POST")).status == 405
        head = await web.get("/healthz", method="HEAD")
        assert (head.status, head.body) == (200, b"")


# The guard.


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:8080", 200),
        ("127.0.0.1", 200),
        ("www.hongyan.test", 200),
        ("www.hongyan.test.:8443", 200),
        ("evil.test", 421),
        ("www.hongyan.test.evil.test", 421),
        ("127.0.0.2", 421),
        ("[::1]", 421),
        ("[::1", 421),
        ("localhost:80:80", 421),
        ("localhost:", 421),
        ("localhost@evil.test", 421),
        ("", 421),
    ],
)
async def test_only_our_own_hosts_are_answered_for(clock: FakeClock, host: str, status: int) -> None:
    async with serve(clock) as web:
        assert (await web.get("/healthz", host=host)).status == status


HOSTILE_REQUESTS = [
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /healthz HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\x00\r\n\r\n",
    b"GET http://evil.test/healthz HTTP/1.1\r\nHost: evil.test\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"EHLO me\r\nMAIL FROM:<>\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 100,
]


@pytest.mark.parametrize("octets", HOSTILE_REQUESTS)
async def test_a_hostile_request_is_refused_and_the_connection_closes(clock: FakeClock, octets: bytes) -> None:
    async with serve(clock, options=WebOptions(header_timeout=0.2)) as web:
        with telemetry.capture() as events:
            said = await web.exchange(octets)
        # What is not even a line of HTTP is waited for in vain, until its deadline.
        assert re.match(rb"HTTP/1.1 4\d\d ", said) or octets.startswith(b"EHLO")
        assert said.count(b"HTTP/1.1 ") <= 1
        assert "panic" not in [event.msg for event in events]


async def test_each_answer_forbids_what_a_browser_need_not_do(
    clock: FakeClock, certificate: LocalCertificate, tls: ssl.SSLContext
) -> None:
    async with serve(clock) as web:
        for answer in (await web.get("/healthz"), await web.get("/nothing"), await web.get("/", host="evil.test")):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["date"] == "Thu, 01 Jan 2026 12:00:00 GMT"
            assert "server" not in answer.headers
            assert "strict-transport-security" not in answer.headers
        assert "strict-transport-security" not in (await web.get("/healthz", host="www.hongyan.test")).headers
    async with serve(clock, certificates=Certificates([certificate.files])) as web:
        answer = await web.get("/healthz", host="www.hongyan.test", tls=tls)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        answer = await web.get("/healthz", host="localhost", tls=tls)
        assert "strict-transport-security" not in answer.headers


def application(clock: FakeClock) -> Callable[[WebOptions], object]:
    """An application with the faults that ours must not have."""

    async def boom(request: Request) -> Response:
        raise RuntimeError("secret cause")

    async def half(request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("secret cause")

        return StreamingResponse(body())

    async def hang(request: Request) -> Response:
        await asyncio.Event().wait()
        return Response()

    async def echo(request: Request) -> Response:
        return PlainTextResponse(await request.body())

    async def much(request: Request) -> Response:
        return Response(b"x" * 50_000_000)

    routes = [
        Route("/boom", boom),
        Route("/half", half),
        Route("/hang", hang),
        Route("/much", much),
        Route("/echo", echo, methods=["POST"]),
    ]
    return lambda options: Guard(Starlette(routes=routes), options, clock, lambda host: False)


async def test_an_error_of_ours_says_nothing_of_its_cause_and_is_logged_once(clock: FakeClock) -> None:
    async with serve(clock, app=application(clock)) as web:
        with telemetry.capture() as events:
            answer = await web.get("/boom")
            assert answer.status == 500
            assert b"secret" not in answer.body
            assert b"secret" not in await web.exchange(b"GET /half HTTP/1.1\r\nHost: localhost\r\n\r\n")
        panics = [event for event in events if event.msg == "panic"]
        assert len(panics) == 2
        assert panics[0].fields["cid"]


async def test_an_error_of_the_whole_application_says_nothing_of_its_cause(clock: FakeClock) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret cause")

    async with serve(clock, app=lambda options: Guard(fail, options, clock, lambda host: False)) as web:
        answer = await web.get("/")
        assert (answer.status, answer.body) == (500, b"Something went wrong on our side.\n")


async def test_a_request_has_a_time_limit(clock: FakeClock) -> None:
    options = WebOptions(request_timeout=0.05)
    async with serve(clock, app=application(clock), options=options) as web:
        assert (await web.get("/hang")).status == 503


async def test_a_body_has_a_limit_also_when_it_does_not_say_its_length(clock: FakeClock) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunk = b"2000\r\n" + b"y" * 0x2000 + b"\r\n"
    async with serve(clock, app=application(clock)) as web:
        answer = parse(await web.exchange(head + chunk * 2 + b"0\r\n\r\n"))
        assert (answer.status, len(answer.body)) == (200, 0x4000)
        assert (await web.exchange(head + chunk * 9)).startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_says_it_is_too_large_is_not_waited_for(clock: FakeClock) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n"
    async with serve(clock, app=application(clock)) as web:
        assert (await web.exchange(head)).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "framing", [b"1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked", b"1.0\r\nTransfer-Encoding: chunked"]
)
async def test_a_request_that_is_framed_in_two_ways_reaches_no_application(clock: FakeClock, framing: bytes) -> None:
    octets = b"POST /echo HTTP/" + framing + b"\r\nHost: localhost\r\n\r\n0\r\n\r\n"
    async with serve(clock, app=application(clock)) as web:
        assert (await web.exchange(octets)).startswith(b"HTTP/1.1 400 ")


async def test_a_header_that_comes_octet_by_octet_has_a_deadline(clock: FakeClock) -> None:
    async with serve(clock, options=WebOptions(header_timeout=0.05)) as web:
        reader, writer = await web.connect()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: loc")
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        writer.transport.abort()


async def test_an_answer_that_nobody_reads_is_not_kept(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hongyan.web.connection._GRACE", 0.05)
    options = WebOptions(request_timeout=0.05, idle_timeout=0.05)
    async with serve(clock, app=application(clock), options=options) as web:
        with socket.create_connection(("127.0.0.1", web.listener.endpoints[0].port)) as deaf:
            deaf.sendall(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                while web.listener.connections == 0:
                    await asyncio.sleep(0)
                while web.listener.connections:
                    await asyncio.sleep(0.01)


async def test_a_connection_serves_one_request_after_the_other(clock: FakeClock) -> None:
    async with serve(clock) as web:
        request = b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
        said = await web.exchange(request * 3 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert said.count(b"HTTP/1.1 200 OK") == 4


async def test_a_drain_lets_a_request_end(clock: FakeClock) -> None:
    gate, reached = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Response:
        reached.set()
        await gate.wait()
        return PlainTextResponse("done")

    def app(options: WebOptions) -> object:
        return Guard(Starlette(routes=[Route("/wait", wait)]), options, clock, lambda host: False)

    async with serve(clock, app=app) as web:
        idle_reader, idle_writer = await web.connect()
        reader, writer = await web.connect()
        writer.write(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
            draining = asyncio.ensure_future(web.listener.drain(PATIENCE))
            assert await idle_reader.read() == b""
            gate.set()
            assert (await reader.read()).endswith(b"done")
            await draining
        idle_writer.close()
        writer.close()


async def test_who_is_over_a_limit_is_told_in_http(clock: FakeClock) -> None:
    async with serve(clock, admission=AdmissionOptions(connections_per_network=1)) as web:
        _, writer = await web.connect()
        answer = parse(await web.exchange(b""))
        assert answer.status == 503
        assert len(answer.body) == int(answer.headers["content-length"])
        writer.transport.abort()


@pytest.mark.parametrize(
    "wrong",
    [
        {"header_timeout": 0},
        {"max_header": 10},
        {"near": ("x",)},
        {"security_contact": "me@hongyan.test"},
        {"security_policy": "https://x\r\nContact: mailto:evil@x"},
    ],
)
def test_impossible_options_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        WebOptions(**wrong)
