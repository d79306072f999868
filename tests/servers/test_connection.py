"""The driver: what a session may rely on, whatever the peer does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import pytest

from hongyan import telemetry
from hongyan.domains.certificates import Certificates
from hongyan.domains.local_authority import LocalCertificate
from hongyan.servers.driver import ConnectionOptions
from hongyan.servers.tls import Handshakes, Secured, TlsOptions
from hongyan.telemetry import metrics
from tests.servers.harness import PATIENCE, client_context, line_server
from tests.support.clock import FakeClock


async def test_commands_are_answered_in_order_whether_they_wait_or_not(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        client.send(b"ECHO one\r\nWAIT\r\nECHO two\r\nWAIT\r\nECHO three\r\n")
        assert await client.line() == b"one"
        server.sessions[0].gate.set()
        assert [await client.line() for _ in range(4)] == [b"waited", b"two", b"waited", b"three"]


async def test_any_chunking_gives_the_same_answers(clock: FakeClock) -> None:
    octets = b"ECHO a\r\nWAIT\r\nECHO b\r\n"
    async with line_server(clock) as server:
        for cut in range(1, len(octets)):
            client = await server.connect()
            server.sessions[-1].gate.set()
            client.send(octets[:cut])
            await client.writer.drain()
            await asyncio.sleep(0)
            client.send(octets[cut:])
            assert [await client.line() for _ in range(3)] == [b"a", b"waited", b"b"]
            client.close()


async def test_the_replies_to_one_read_are_one_write(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        client.send(b"ECHO x\r\n" * 100)
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.readexactly(300) == b"x\r\n" * 100


async def test_a_session_speaks_by_itself_when_it_is_woken(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        session.pushed.append(b"news\r\n")
        session.connection.wake()
        session.connection.wake()
        assert await client.line() == b"news"


async def test_a_session_woken_during_a_command_speaks_after_it(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        client.send(b"WAIT\r\n")
        await server.until(lambda: "waiting" in session.story)
        session.pushed.append(b"news\r\n")
        session.connection.wake()
        session.gate.set()
        assert [await client.line(), await client.line()] == [b"waited", b"news"]


async def test_quit_flushes_and_closes(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        client.send(b"ECHO last\r\nQUIT\r\nECHO never\r\n")
        assert await client.rest() == b"last\r\nbye\r\n"
        client.close()
        await server.until(lambda: server.sessions[0].story == ["lost"])
        assert server.listener.connections == 0


async def test_a_farewell_reaches_a_peer_that_goes_on_sending(clock: FakeClock) -> None:
    """Were the socket closed with octets unread, the kernel would answer with a reset, and the farewell be lost."""
    async with line_server(clock) as server:
        client = await server.connect()
        client.send(b"QUIT\r\n" + b"ECHO x\r\n" * 100_000)
        assert await client.rest() == b"bye\r\n"


async def test_a_peer_that_never_closes_is_closed_in_the_end(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        assert await client.ask(b"QUIT") == b"bye"
        assert server.sessions[0].story == []
        server.pass_time(15)
        await server.until(lambda: server.sessions[0].story == ["lost"])


async def test_a_half_closed_peer_gets_its_answers(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        client.send(b"WAIT\r\nECHO after\r\nECHO cut")
        client.writer.write_eof()
        await server.until(lambda: "eof" in server.sessions[0].story)
        server.sessions[0].gate.set()
        assert await client.rest() == b"waited\r\nafter\r\n"


@pytest.mark.parametrize("orderly", [True, False])
async def test_a_command_at_work_ends_although_its_peer_is_gone(
    clock: FakeClock, certificate: LocalCertificate, orderly: bool
) -> None:
    async with line_server(clock, certificates=Certificates([certificate.files]), implicit_tls=True) as server:
        client = await server.connect(client_context(certificate))
        session = server.sessions[0]
        client.send(b"WAIT\r\n")
        await server.until(lambda: "waiting" in session.story)
        client.close() if orderly else client.reset()
        await server.until(lambda: session.connection._state >= 3)
        assert "lost" not in session.story
        session.gate.set()
        await server.until(lambda: "lost" in session.story)
        assert session.story.index("waited") < session.story.index("lost")


async def test_a_command_that_does_not_end_is_cancelled_a_while_after_its_peer_is_gone(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        client.send(b"WAIT\r\n")
        await server.until(lambda: "waiting" in session.story)
        client.reset()
        await server.until(lambda: session.connection._state >= 3)
        server.pass_time(40)
        await server.until(lambda: "lost" in session.story)
        assert session.story == ["waiting", "cancelled", "lost"]


@pytest.mark.parametrize("command", [b"BOOM", b"WAITBOOM", b"\x00"])
async def test_an_error_of_ours_is_told_once_and_ends_the_connection_politely(clock: FakeClock, command: bytes) -> None:
    before = metrics.panic_total.labels("test")._value.get()
    async with line_server(clock) as server:
        client, other = await server.connect(), await server.connect()
        with telemetry.capture() as events:
            client.send(b"ECHO x\r\n" + command + b"\r\nECHO never\r\n")
            said = await client.rest()
        assert said.endswith(b"bye, our fault\r\n")
        assert b"never" not in said
        panics = [event for event in events if event.msg == "panic"]
        assert len(panics) == 1
        assert panics[0].fields["cid"] == server.sessions[0].connection.cid
        assert panics[0].exc_info is not None
        assert metrics.panic_total.labels("test")._value.get() == before + 1
        assert await other.ask(b"ECHO well") == b"well"


async def test_a_session_that_cannot_even_fail_is_closed(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        server.fails_to_fail = True
        client = await server.connect()
        client.send(b"BOOM\r\n")
        assert await client.rest() == b""
        client.close()
        await server.until(lambda: server.listener.connections == 0)


# Time.


async def test_a_silent_peer_is_told_and_closed_on_time(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        server.pass_time(59)
        assert not server.sessions[0].closing
        server.pass_time(3)
        assert await client.rest() == b"bye, silent\r\n"


async def test_each_octet_buys_more_time_but_not_beyond_the_deadline(clock: FakeClock) -> None:
    """A slow loris sends an octet now and then."""
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        session.connection.expire_in(120)
        for sent in range(4):
            client.send(b"E")
            await server.until(lambda: session.buffered == sent + 1)  # noqa: B023
            server.pass_time(28)
            assert not session.closing
        server.pass_time(12)
        assert await client.rest() == b"bye, silent\r\n"


async def test_a_peer_that_is_held_is_answered_when_its_time_is_over(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        session.connection.hold(3)
        client.send(b"ECHO late\r\n")
        await server.until(lambda: session.buffered == len(b"ECHO late\r\n"))
        server.pass_time(2)
        assert session.buffered
        server.pass_time(2)
        assert await client.line() == b"late"
        assert await client.ask(b"ECHO soon") == b"soon"


async def test_a_peer_that_is_held_is_read_up_to_a_limit(clock: FakeClock) -> None:
    async with line_server(clock, connection=ConnectionOptions(read_ahead=4096)) as server:
        client = await server.connect()
        session = server.sessions[0]
        session.connection.hold(3)
        client.send(b"ECHO x\r\n" * 200_000)
        await server.until(lambda: session.buffered > 4096)
        for _ in range(100):
            await asyncio.sleep(0)
        assert session.buffered <= 4096 + 2 * 65536
        server.pass_time(4)
        async with asyncio.timeout(PATIENCE):
            assert await client.reader.readexactly(600_000) == b"x\r\n" * 200_000


async def test_a_peer_that_is_held_and_leaves_is_gone_at_once(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        session.connection.hold(30)
        client.reset()
        await server.until(lambda: session.story == ["lost"])
        server.pass_time(40)


async def test_a_server_that_stops_holds_nobody(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        server.sessions[0].connection.hold(30)
        await server.listener.drain(PATIENCE)
        assert await client.rest() == b"bye, stopping\r\n"


async def test_a_login_lifts_the_deadline(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        server.timeout = 1800
        client = await server.connect()
        server.sessions[0].connection.expire_in(60)
        assert await client.ask(b"LOGIN") == b"in"
        server.pass_time(1790)
        assert await client.ask(b"ECHO still") == b"still"


async def test_a_time_out_that_shrinks_is_kept_too(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        server.timeout = 1800
        client = await server.connect()
        server.pass_time(10)
        server.timeout = 20
        server.pass_time(17)
        assert await client.line() == b"bye, silent"


async def test_a_command_at_work_does_not_time_out(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        client.send(b"WAIT\r\n")
        await server.until(lambda: "waiting" in session.story)
        server.pass_time(600)
        session.gate.set()
        assert await client.line() == b"waited"
        server.pass_time(50)
        assert await client.ask(b"ECHO x") == b"x"


# Back-pressure.


def narrow_client(port: int) -> socket.socket:
    """A client whose kernel takes little for it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    return client


async def test_a_peer_that_does_not_read_costs_little_memory_and_is_dropped(clock: FakeClock) -> None:
    async with line_server(clock, connection=ConnectionOptions(write_timeout=30)) as server:
        client = narrow_client(server.port)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, b"BIG 100000\r\n")
        await server.until(lambda: bool(server.sessions) and server.sessions[0].connection.stalled)
        written = server.pieces
        assert written < 8192  # KiB: what the kernel holds, and 64 of our own
        for _ in range(20):
            await asyncio.sleep(0)
        assert server.pieces == written
        server.pass_time(25)
        assert server.sessions[0].story == []
        server.pass_time(10)
        await server.until(lambda: server.sessions[0].story == ["lost"])
        client.close()


async def test_a_peer_that_reads_slowly_gets_everything(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = narrow_client(server.port)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client, b"BIG 3000\r\nQUIT\r\n")
        received = 0
        async with asyncio.timeout(PATIENCE):
            while octets := await loop.sock_recv(client, 65536):
                received += len(octets)
        assert received == len(b"hello\r\n") + 3000 * 1024 + len(b"\r\nbye\r\n")
        client.close()


async def test_a_command_that_sends_much_lets_others_have_their_turn(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        greedy, modest = await server.connect(), await server.connect()
        greedy.send(b"BIG 20000\r\n")
        await server.until(lambda: server.pieces > 0)
        assert await modest.ask(b"ECHO x") == b"x"
        assert server.pieces < 20_000
        async with asyncio.timeout(PATIENCE):
            await greedy.reader.readexactly(20_000 * 1024)


async def test_a_peer_that_sends_without_reading_is_not_served_without_end(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = narrow_client(server.port)
        question = b"ECHO " + b"y" * 1000 + b"\r\n"
        await server.until(lambda: bool(server.sessions))
        session = server.sessions[0]
        sent = 0
        for _ in range(100_000):
            try:
                sent += client.send(question * 10)
            except BlockingIOError:
                if session.connection.stalled and session.buffered:
                    break
            await asyncio.sleep(0)
        else:
            pytest.fail("the server reads on and on")
        for _ in range(50):
            await asyncio.sleep(0)
        assert session.buffered < 256 * 1024
        client.close()


async def test_a_peer_that_sends_ahead_of_a_command_is_read_up_to_a_limit(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        session = server.sessions[0]
        client.send(b"WAIT\r\n" + (b"ECHO " + b"z" * 995 + b"\r\n") * 20_000 + b"QUIT\r\n")
        await server.until(lambda: session.buffered > 64 * 1024)
        for _ in range(50):
            await asyncio.sleep(0)
        assert session.buffered <= 64 * 1024 + 256 * 1024
        session.gate.set()
        said = await client.rest()
        assert said.count(b"\r\n") == 20_002
        assert said.endswith(b"bye\r\n")


# STARTTLS.


@pytest.fixture
def certificates(certificate: LocalCertificate) -> Certificates:
    return Certificates([certificate.files])


async def test_starttls_goes_on_in_the_same_session(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates) as server:
        client = await server.connect()
        assert server.sessions[0].connection.tls_offered
        assert await client.ask(b"STARTTLS") == b"go"
        await client.start_tls(client_context(certificate))
        assert await client.ask(b"ECHO safe") == b"safe"
        connection = server.sessions[0].connection
        assert connection.tls is not None
        assert connection.tls.version == "TLSv1.3"
        assert not connection.tls_offered
        assert server.sessions[0].story == ["tls TLSv1.3 localhost"]
        assert await client.ask(b"QUIT") == b"bye"


async def test_what_is_said_in_plain_text_behind_starttls_is_never_carried_out(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    """CVE-2011-0411."""
    async with line_server(clock, certificates=certificates) as server:
        client = await server.connect()
        assert await client.ask(b"STARTTLS\r\nECHO injected\r\nECHO inj") == b"go"
        await client.start_tls(client_context(certificate))
        assert await client.ask(b"ECHO safe") == b"safe"
        assert server.sessions[0].buffered == 0


async def test_octets_in_plain_text_in_place_of_a_handshake_end_the_connection(
    clock: FakeClock, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates) as server:
        client = await server.connect()
        assert await client.ask(b"STARTTLS") == b"go"
        client.send(b"ECHO injected\r\n")
        assert b"injected" not in await client.rest()
        await server.until(lambda: server.sessions[0].story == ["lost"])
        assert server.listener.connections == 0


async def test_a_session_that_keeps_plain_text_over_starttls_is_stopped(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates) as server:
        server.keeps_input = True
        client = await server.connect()
        with telemetry.capture() as events:
            assert await client.ask(b"STARTTLS\r\nECHO injected") == b"go"
            with contextlib.suppress(OSError):
                await client.start_tls(client_context(certificate))
                assert await client.rest() == b""
            await server.until(lambda: server.sessions[0].story[-1:] == ["lost"])
        assert "panic" in [event.msg for event in events]


async def test_a_peer_that_leaves_during_the_handshake_leaves_nothing_behind(
    clock: FakeClock, certificates: Certificates
) -> None:
    async with line_server(clock, certificates=certificates) as server:
        client = await server.connect()
        assert await client.ask(b"STARTTLS") == b"go"
        client.send(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        client.reset()
        await server.until(lambda: server.sessions[0].story == ["lost"])
        assert server.admission.open == 0


async def test_a_peer_that_leaves_before_a_farewell_under_tls_leaves_nothing_behind(
    clock: FakeClock, certificate: LocalCertificate, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Handshakes.start

    async def start(handshakes: Handshakes, *arguments: Any) -> Secured:
        """The turn of who waits for the handshake comes when the peer has gone."""
        secured = await begin(handshakes, *arguments)
        await server.until(secured.transport.is_closing)
        return secured

    monkeypatch.setattr(Handshakes, "start", start)
    async with line_server(clock, certificates=certificates) as server:
        client = await server.connect()
        connection = server.sessions[0].connection
        assert await client.ask(b"STARTTLS") == b"go"
        connection.shutdown()
        with telemetry.capture() as events:
            await client.start_tls(client_context(certificate))
            client.reset()
            await server.until(lambda: server.sessions[0].story[-1:] == ["lost"])
        assert "panic" not in [event.msg for event in events]
        assert server.admission.open == 0


async def test_a_handshake_behind_starttls_has_a_deadline(clock: FakeClock, certificates: Certificates) -> None:
    async with line_server(clock, certificates=certificates, tls=TlsOptions(handshake_timeout=0.05)) as server:
        client = await server.connect()
        assert await client.ask(b"STARTTLS") == b"go"
        client.send(b"\x16")
        assert await client.rest() == b""
        await server.until(lambda: server.admission.open == 0)


async def test_starttls_without_a_certificate_is_not_offered(clock: FakeClock) -> None:
    async with line_server(clock) as server:
        client = await server.connect()
        assert not server.sessions[0].connection.tls_offered
        client.send(b"STARTTLS\r\n")  # a session that says so nevertheless
        assert await client.line() == b"go"
        assert await client.rest() == b""
