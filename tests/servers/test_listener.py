"""The door: who comes in, who is turned away, and how the house closes."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from hongyan import telemetry
from hongyan.clock import SystemClock, SystemRandom
from hongyan.domains.certificates import Certificates
from hongyan.domains.local_authority import LocalCertificate, make_self_signed
from hongyan.errors import ConfigurationError
from hongyan.servers.admission import Admission, AdmissionOptions
from hongyan.servers.arrival import ConnectionIds
from hongyan.servers.listener import Listener
from hongyan.servers.proxy import ProxyOptions, ProxyPolicy
from hongyan.servers.sockets import bind
from hongyan.servers.tls import Handshakes, TlsOptions
from hongyan.telemetry import metrics
from tests.servers.harness import PATIENCE, client_context, line_server
from tests.support.clock import FakeClock

LOOPBACK = ProxyPolicy(ProxyOptions(networks=("127.0.0.0/8",)))
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.2 51000 25\r\n"
V2 = (
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0f"  # PROXY, TCP4, 15 octets: the addresses and one TLV without a value
    + bytes([192, 0, 2, 7, 198, 51, 100, 2])
    + (51000).to_bytes(2, "big")
    + (25).to_bytes(2, "big")
    + b"\x04\x00\x00"
)
V2_LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"


@pytest.fixture
def certificates(certificate: LocalCertificate) -> Certificates:
    return Certificates([certificate.files])


# TLS.


async def test_a_tls_port_serves_only_under_tls(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates, implicit_tls=True) as server:
        client = await server.connect(client_context(certificate), "mail.hongyan.test")
        assert await client.ask(b"ECHO x") == b"x"
        tls = server.sessions[0].connection.tls
        assert tls is not None
        assert (tls.version, tls.server_name) == ("TLSv1.3", "mail.hongyan.test")
        plain = await server.call()
        plain.send(b"ECHO x\r\n")
        assert b"x" not in await plain.rest()
        assert len(server.sessions) == 1
        await server.until(lambda: server.admission.open == 1)


async def test_a_port_may_ask_for_tls_1_3(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates, implicit_tls=True, profile="modern") as server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await server.call(client_context(certificate, ssl.TLSVersion.TLSv1_2))
        client = await server.connect(client_context(certificate))
        assert await client.ask(b"ECHO x") == b"x"


async def test_a_handshake_has_a_deadline(clock: FakeClock, certificates: Certificates) -> None:
    options = TlsOptions(handshake_timeout=0.05)
    async with line_server(clock, certificates=certificates, implicit_tls=True, tls=options) as server:
        client = await server.call()
        assert await client.rest() == b""
        await server.until(lambda: server.admission.open == 0)
        assert metrics.tls_handshakes_total.labels("test", "timeout")._value.get() >= 1


async def test_handshakes_wait_their_turn_and_a_flood_of_them_is_refused(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    options = TlsOptions(handshakes=1, handshakes_waiting=1)
    async with line_server(clock, certificates=certificates, implicit_tls=True, tls=options) as server:
        idle = await server.call()
        await server.until(lambda: server.listener._handshakes._waiting == 1)
        waits = asyncio.ensure_future(server.connect(client_context(certificate)))
        await server.until(lambda: server.listener._handshakes._waiting == 2)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await server.call(client_context(certificate))
        assert not waits.done()
        idle.reset()
        client = await waits
        assert await client.ask(b"ECHO x") == b"x"


async def test_new_certificates_meet_new_connections_and_the_old_ones_live_on(clock: FakeClock, tmp_path: Path) -> None:
    def trusting() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=files.chain)

    files = make_self_signed(tmp_path, ["localhost"], SystemClock())
    certificates = Certificates([files])
    async with line_server(clock, certificates=certificates, implicit_tls=True) as server:
        old_trust = trusting()
        old = await server.connect(old_trust)
        make_self_signed(tmp_path, ["localhost"], SystemClock())
        assert await certificates.reload()
        new = await server.connect(trusting())
        assert await new.ask(b"ECHO new") == b"new"
        assert await old.ask(b"ECHO old") == b"old"
        with pytest.raises(ssl.SSLError):
            await server.connect(old_trust)


# The PROXY protocol.


@pytest.mark.parametrize("header", [V1, V2])
async def test_a_trusted_proxy_says_who_the_client_is(clock: FakeClock, header: bytes) -> None:
    async with line_server(clock, proxy=LOOPBACK) as server:
        client = await server.call()
        client.send(header + b"ECHO x\r\n")
        assert [await client.line(), await client.line()] == [b"hello", b"x"]
        connection = server.sessions[0].connection
        assert connection.peer == ("192.0.2.7", 51000)
        assert connection.local == ("198.51.100.2", 25)


@pytest.mark.parametrize("header", [V1, V2])
async def test_a_header_may_come_octet_by_octet(clock: FakeClock, header: bytes) -> None:
    async with line_server(clock, proxy=LOOPBACK) as server:
        client = await server.call()
        for octet in header:
            client.send(bytes([octet]))
            for _ in range(3):
                await asyncio.sleep(0)
        client.send(b"ECHO x\r\n")
        assert [await client.line(), await client.line()] == [b"hello", b"x"]
        assert server.sessions[0].connection.peer.host == "192.0.2.7"


@pytest.mark.parametrize("header", [V1, V2])
async def test_tls_begins_right_behind_the_header(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates, header: bytes
) -> None:
    """The header and the ClientHello come in one piece."""
    async with line_server(clock, certificates=certificates, implicit_tls=True, proxy=LOOPBACK) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = client_context(certificate).wrap_bio(to_client, to_server, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            session.do_handshake()
        writer.write(header + to_server.read())
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    assert session.read() == b"hello\r\n"
                    break
                except ssl.SSLWantReadError:
                    writer.write(to_server.read())
                    to_client.write(await reader.read(65536))
        assert server.sessions[0].connection.peer.host == "192.0.2.7"
        writer.transport.abort()


async def test_a_proxy_speaks_for_itself_too(clock: FakeClock) -> None:
    async with line_server(clock, proxy=LOOPBACK) as server:
        client = await server.call()
        client.send(V2_LOCAL)
        assert await client.line() == b"hello"
        assert server.sessions[0].connection.peer.host == "127.0.0.1"


async def test_who_is_no_proxy_is_dropped_whatever_it_says(clock: FakeClock) -> None:
    policy = ProxyPolicy(ProxyOptions(networks=("192.0.2.0/24",)))
    async with line_server(clock, proxy=policy) as server:
        client = await server.call()
        client.send(V1 + b"ECHO x\r\n")
        assert b"hello" not in await read_until_lost(client.reader)
        assert server.sessions == []
        assert server.admission.open == 0


async def test_a_port_may_be_open_to_others_and_then_does_not_believe_them(clock: FakeClock) -> None:
    policy = ProxyPolicy(ProxyOptions(networks=("192.0.2.0/24",), direct=True))
    async with line_server(clock, proxy=policy) as server:
        client = await server.connect()
        assert await client.ask(V1.rstrip()) != b"hello"
        assert server.sessions[0].connection.peer.host == "127.0.0.1"


BROKEN_HEADERS = [
    b"EHLO me\r\n",
    b"PROXY TCP4 1 2 3 4\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
    V1[:-1] + b"x",
    V1.replace(b"\r", b""),
]


@pytest.mark.parametrize("octets", BROKEN_HEADERS)
async def test_a_trusted_proxy_without_a_good_header_is_dropped(clock: FakeClock, octets: bytes) -> None:
    async with line_server(clock, proxy=LOOPBACK) as server:
        client = await server.call()
        client.send(octets)
        assert await read_until_lost(client.reader) == b""
        assert server.sessions == []


async def test_a_house_that_closes_drops_half_a_header(clock: FakeClock) -> None:
    async with line_server(clock, proxy=LOOPBACK) as server:
        client = await server.call()
        client.send(V1[:20])
        await server.until(lambda: bool(server.listener._receptions))
        await server.listener.close()
        assert await read_until_lost(client.reader) == b""


async def test_a_proxy_that_says_nothing_is_dropped(clock: FakeClock) -> None:
    policy = ProxyPolicy(ProxyOptions(networks=("127.0.0.0/8",), timeout=0.05))
    async with line_server(clock, proxy=policy) as server:
        client = await server.call()
        client.send(V1[:10])
        assert await read_until_lost(client.reader) == b""


async def test_limits_count_the_client_and_not_the_proxy(clock: FakeClock) -> None:
    async with line_server(clock, proxy=LOOPBACK, admission=AdmissionOptions(connections_per_network=1)) as server:
        said = []
        for last in (b"7", b"8", b"7"):
            client = await server.call()
            client.send(b"PROXY TCP4 192.0.2." + last + b" 198.51.100.2 51000 25\r\n")
            said.append((await client.line())[:5])
        assert said == [b"hello", b"hello", b"no: T"]


async def read_until_lost(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


# Bans and limits.


async def test_the_banned_are_dropped_without_a_word(clock: FakeClock) -> None:
    async with line_server(clock, is_banned=lambda host: host == "127.0.0.1") as server:
        client = await server.call()
        assert await read_until_lost(client.reader) == b""
        assert server.sessions == []


@pytest.mark.parametrize("implicit_tls", [False, True])
async def test_who_is_over_a_limit_is_told_so_in_the_words_of_the_protocol(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates, implicit_tls: bool
) -> None:
    tls = client_context(certificate) if implicit_tls else None
    limits = AdmissionOptions(connections_per_network=1)
    async with line_server(clock, certificates=certificates, implicit_tls=implicit_tls, admission=limits) as server:
        client = await server.connect(tls)
        second = await server.call(tls)
        assert await second.line() == b"no: Too many connections from your address, close some first"
        assert await second.rest() == b""
        assert await client.ask(b"QUIT") == b"bye"
        client.close()
        await server.until(lambda: server.admission.open == 0)
        third = await server.connect(tls)
        assert await third.ask(b"ECHO x") == b"x"


async def test_a_flood_on_a_tls_port_gets_no_handshakes(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    limits = AdmissionOptions(new_per_minute=1)
    async with line_server(clock, certificates=certificates, implicit_tls=True, admission=limits) as server:
        await server.connect(client_context(certificate))
        told = await server.call(client_context(certificate))
        assert b"Too many new connections" in await told.line()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await server.call(client_context(certificate))


async def test_who_has_logged_in_finds_a_place_when_strangers_do_not(clock: FakeClock) -> None:
    limits = AdmissionOptions(connections=4, reserve=0.5)
    async with line_server(clock, admission=limits) as server:
        await server.connect()
        client = await server.connect()
        stranger = await server.call()
        assert await stranger.line() == b"no: Too many connections, try again later"
        assert await client.ask(b"LOGIN") == b"in"
        await server.connect()
        await server.connect()
        fifth = await server.call()
        assert await fifth.line() == b"no: Too many connections, try again later"


async def test_each_connection_has_a_name_of_its_own(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        for _ in range(3):
            await server.connect()
        names = [session.connection.cid for session in server.sessions]
        assert len(set(names)) == 3
        assert len({name.split("-")[0] for name in names}) == 1


async def test_events_name_the_connection_and_metrics_count_it(clock: FakeClock) -> None:
    with telemetry.capture() as events:
        async with line_server(clock) as server:
            before = metrics.open_connections.labels("test")._value.get()
            await server.connect()
            assert metrics.open_connections.labels("test")._value.get() == before + 1
        assert metrics.open_connections.labels("test")._value.get() == before
    accepted = next(event for event in events if event.msg == "accepted")
    assert accepted.fields["cid"] == server.sessions[0].connection.cid


# Faults.


async def test_a_protocol_that_cannot_be_made_costs_one_connection(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        good = server.listener._serve

        def broken(arrival: object) -> None:
            raise RuntimeError("broken")

        server.listener._serve = broken  # type: ignore[assignment,method-assign]
        with telemetry.capture() as events:
            client = await server.call()
            assert await read_until_lost(client.reader) == b""
        assert "panic" in [event.msg for event in events]
        server.listener._serve = good  # type: ignore[method-assign]
        await server.connect()
        assert server.admission.open == 1


async def test_a_process_without_descriptors_serves_again_when_it_has_some(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hongyan.servers.listener._PAUSE", 0.01)
    former = resource.getrlimit(resource.RLIMIT_NOFILE)
    "localhost".encode("idna")  # which opens files when it is first used
    for tls in (None, client_context(certificate)):
        async with line_server(clock, certificates=certificates, implicit_tls=tls is not None) as server:
            first = await server.connect(tls)
            callers = [socket.socket() for _ in range(4)]
            loop = asyncio.get_running_loop()
            with socket.socket() as probe:
                resource.setrlimit(resource.RLIMIT_NOFILE, (probe.fileno(), former[1]))
            try:
                for caller in callers:
                    caller.setblocking(False)
                    await loop.sock_connect(caller, ("127.0.0.1", server.port))
                assert await first.ask(b"ECHO x") == b"x"
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, former)
            for caller in callers:
                caller.close()
            second = await server.connect(tls)
            assert await second.ask(b"ECHO y") == b"y"
            assert server.listener.serving


# The end.


async def test_a_drain_lets_commands_end_and_says_farewell(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        idle, busy = await server.connect(), await server.connect()
        busy.send(b"WAIT\r\n")
        await server.until(lambda: "waiting" in server.sessions[1].story)
        draining = asyncio.ensure_future(server.listener.drain(PATIENCE))
        assert await idle.rest() == b"bye, stopping\r\n"
        idle.close()
        assert not server.listener.serving
        with pytest.raises(ConnectionRefusedError):
            await server.call()
        assert not draining.done()
        server.sessions[1].gate.set()
        assert await busy.rest() == b"waited\r\nbye, stopping\r\n"
        busy.close()
        await draining
        assert server.listener.connections == 0


async def test_a_drain_does_not_wait_for_ever(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        busy = await server.connect()
        busy.send(b"WAIT\r\n")
        await server.until(lambda: "waiting" in server.sessions[0].story)
        with telemetry.capture() as events:
            await server.listener.drain(0.05)
        assert [event.msg for event in events if event.levelname == "WARNING"] == ["drain-cut-short"]
        assert server.sessions[0].story == ["waiting", "cancelled", "lost"]
        assert server.listener.connections == 0


async def test_a_drain_ends_handshakes_too(clock: FakeClock, certificates: Certificates) -> None:
    async with line_server(clock, certificates=certificates, implicit_tls=True) as server:
        client = await server.call()
        await server.until(lambda: server.listener.connections == 1)
        await server.listener.drain(0.05)
        assert await read_until_lost(client.reader) == b""
        assert server.listener.connections == 0


async def test_a_drain_ends_a_connection_that_is_between_plain_text_and_tls(
    clock: FakeClock, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates) as server:
        client = await server.connect()
        assert await client.ask(b"STARTTLS") == b"go"
        await server.until(lambda: server.sessions[0].connection._state == 1)
        await server.listener.drain(0.05)
        assert server.sessions[0].story == ["lost"]
        assert server.listener.connections == 0


# Sockets.


async def test_both_families_are_served_on_one_port(clock: FakeClock) -> None:
    sockets = bind(["127.0.0.1", "::1"], 0)
    assert len({listening.getsockname()[1] for listening in sockets}) == 1
    async with line_server(clock, sockets=sockets) as server:
        await server.connect()
        reader, writer = await asyncio.open_connection("::1", server.port)
        assert await reader.readline() == b"hello\r\n"
        assert server.sessions[1].connection.peer.host == "::1"
        writer.close()


def test_a_port_that_is_taken_is_named() -> None:
    (listening,) = bind(["127.0.0.1"], 0)
    port = listening.getsockname()[1]
    with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}: Address already in use"):
        bind(["127.0.0.1"], port)
    listening.close()


def test_accepted_sockets_inherit_what_keeps_connections_alive() -> None:
    (listening,) = bind(["127.0.0.1"], 0)
    with listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 300
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


async def test_tls_without_a_certificate_is_refused_at_start(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="no certificates"):
        Listener(
            "test",
            [],
            lambda arrival: pytest.fail("nobody comes"),
            admission=Admission(AdmissionOptions(), clock),
            handshakes=Handshakes(TlsOptions()),
            ids=ConnectionIds(SystemRandom()),
            implicit_tls=True,
        )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TlsOptions(handshakes=0), "handshakes"),
        (lambda: ProxyOptions(networks=("nonsense",)), "does not appear"),
        (lambda: ProxyOptions(timeout=0), "time-out"),
    ],
)
def test_impossible_options_are_refused(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_errors_of_one_connection_are_told_from_those_of_the_process() -> None:
    from hongyan.servers import listener

    assert errno.ECONNABORTED in listener._NOT_OURS
    assert errno.EMFILE not in listener._NOT_OURS
