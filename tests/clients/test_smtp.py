"""The remote transport against scripted servers on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

import pytest

from hongyan.clients import smtp as smtp_module
from hongyan.clients import smtp_pool, smtp_session
from hongyan.clients.smtp import SmtpTransport
from hongyan.clients.smtp_options import SmtpOptions
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.clock import SystemClock
from hongyan.errors import Corrupt
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import Credentials, Hop, RemoteRoute
from hongyan.queue.security import Demand, TlsPolicy
from hongyan.queue.transport import Delivery
from hongyan.secret import Secret
from hongyan.telemetry import metrics
from hongyan.wire.smtp import client as client_module
from hongyan.wire.smtp.parameters import Body, Notify, OriginalRecipient, Ret
from tests.queue.values import queued_message, queued_recipient
from tests.support.ports import free_port
from tests.support.smtp_peer import DROP, OK, STALL, SmtpPeer, self_signed

MESSAGE = b"Subject: geese\r\n\r\n.dot\r\nbody\r\n"
HERE = ip_address("127.0.0.1")
TLS_NAME = "mx.example.net"


@dataclass
class Octets:
    """Content in memory; `broken_after` pieces it cannot be read any more."""

    pieces: tuple[bytes, ...] = (MESSAGE,)
    broken_after: int | None = None

    @property
    def header(self) -> bytes:
        return self.pieces[0].partition(b"\r\n\r\n")[0] + b"\r\n"

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))

    async def chunks(self) -> AsyncIterator[bytes]:
        for number, piece in enumerate(self.pieces):
            if number == self.broken_after:
                raise Corrupt(cause="a torn segment")
            yield piece


def transport(**options: object) -> SmtpTransport:
    trusting = TlsContexts.system()
    verified = ssl.create_default_context(cafile=str(self_signed(TLS_NAME)[1]))
    return SmtpTransport(
        SmtpOptions(**options),  # type: ignore[arg-type]
        "mail.ours.example",
        SystemClock(),
        tls=TlsContexts(trusting.opportunistic, verified),
    )


def route(*peers: SmtpPeer | int, tls: TlsPolicy = TlsPolicy.OPPORTUNISTIC, **fields: object) -> RemoteRoute:
    ports = [peer if isinstance(peer, int) else peer.port for peer in peers]
    hops = tuple(Hop(TLS_NAME, (HERE,), port, Demand(tls), is_vouched=True) for port in ports)
    return RemoteRoute("example.net", hops, **fields)  # type: ignore[arg-type]


def delivery(*addresses: str, content: Octets | None = None, **fields: object) -> Delivery:
    recipients = [
        queued_recipient(address, number=number) for number, address in enumerate(addresses or ("bob@example.net",))
    ]
    return Delivery(queued_message(**fields), tuple(recipients), content or Octets())


async def deliver(*peers: SmtpPeer | int, given: Delivery | None = None, **fields: object) -> list[Outcome]:
    sender = transport()
    outcomes = await sender.deliver(given or delivery(), route(*peers, **fields))  # type: ignore[arg-type]
    await sender.close()
    return [outcomes[number] for number in sorted(outcomes)]


async def deliver_one(*peers: SmtpPeer | int, **fields: object) -> Outcome:
    (outcome,) = await deliver(*peers, **fields)  # type: ignore[arg-type]
    return outcome


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs of a tenth of a second instead of minutes."""
    monkeypatch.setattr(client_module, "_TIMEOUT", 0.1)
    monkeypatch.setattr(client_module, "_TIMEOUTS", {})
    monkeypatch.setattr(client_module, "_CONTENT_TIMEOUT", 0.1)
    monkeypatch.setattr(smtp_session, "_HANDSHAKE_TIMEOUT", 0.5)


# -- What goes right ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING", "8BITMIME")])
async def test_a_message_arrives_as_it_is(extensions: tuple[str, ...]) -> None:
    async with SmtpPeer(extensions=extensions) as peer:
        outcome = await deliver_one(peer)
    assert (outcome.result, outcome.stage, outcome.status) == (Result.DELIVERED, Stage.END, "2.0.0")
    assert (outcome.remote, outcome.code) == ("mx.example.net[127.0.0.1]", 250)
    assert not outcome.is_encrypted
    assert peer.messages[0].octets == MESSAGE
    assert peer.commands[0] == "EHLO mail.ours.example"


async def test_a_large_message_arrives_in_pieces() -> None:
    pieces = (b"A: b\r\n\r\n", *(b"%d" % number * 20_000 + b"\r\n.\r\n" for number in range(40)))
    for extensions in ((), ("PIPELINING", "CHUNKING")):
        async with SmtpPeer(extensions=extensions) as peer:
            outcome = await deliver_one(peer, given=delivery(content=Octets(pieces)))
        assert outcome.result is Result.DELIVERED
        assert peer.messages[0].octets == b"".join(pieces)


async def test_what_the_sender_wished_is_handed_on() -> None:
    recipient = queued_recipient(notify=Notify.SUCCESS, original=OriginalRecipient("rfc822", "b@x"))
    message = queued_message(ret=Ret.HDRS, envelope_id="id=1", body=Body.EIGHT_BIT, reverse_path=None)
    given = Delivery(message, (recipient,), Octets())
    async with SmtpPeer(extensions=("DSN", "8BITMIME", "SIZE")) as peer:
        outcome = await deliver_one(peer, given=given)
    assert outcome.is_handed_on
    assert peer.messages[0].mail == f"MAIL FROM:<> SIZE={len(MESSAGE)} BODY=8BITMIME RET=HDRS ENVID=id+3D1"
    assert peer.messages[0].recipients == ["RCPT TO:<bob@example.net> NOTIFY=SUCCESS ORCPT=rfc822;b@x"]


async def test_smtputf8_is_asked_for_only_where_it_is_needed() -> None:
    async with SmtpPeer(extensions=()) as peer:
        assert (await deliver_one(peer, given=delivery(smtputf8=True))).result is Result.DELIVERED
        content = Octets(("Subject: 雁\r\n\r\n".encode(),))
        outcome = await deliver_one(peer, given=delivery(smtputf8=True, content=content))
    assert (outcome.result, outcome.status, outcome.stage) == (Result.FAILED, "5.6.7", Stage.CHECK)


# -- Recipients --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [(), ("PIPELINING", "CHUNKING")])
async def test_each_recipient_has_its_own_outcome(extensions: tuple[str, ...]) -> None:
    async with SmtpPeer(extensions=extensions) as peer:
        peer.script("RCPT", "550 5.1.1 Unknown", OK, "450 4.2.1 Busy", OK)
        outcomes = await deliver(peer, given=delivery("a@x.example", "b@x.example", "c@x.example", "d@x.example"))
    assert [outcome.result.value for outcome in outcomes] == ["failed", "delivered", "deferred", "delivered"]
    assert [outcome.text for outcome in outcomes[::2]] == ["550 5.1.1 Unknown", "450 4.2.1 Busy"]
    assert peer.messages[0].recipients == ["RCPT TO:<b@x.example>", "RCPT TO:<d@x.example>"]


async def test_a_hundred_recipients_go_in_one_transaction_and_the_rest_in_the_next() -> None:
    async with SmtpPeer() as peer:
        outcomes = await deliver(peer, given=delivery(*(f"r{number}@x.example" for number in range(230))))
    assert all(outcome.result is Result.DELIVERED for outcome in outcomes)
    assert [len(message.recipients) for message in peer.messages] == [100, 100, 30]
    assert peer.connections == 1


async def test_the_limit_that_a_server_announces_is_kept() -> None:
    async with SmtpPeer(extensions=("PIPELINING", "LIMITS RCPTMAX=2")) as peer:
        await deliver(peer, given=delivery(*(f"r{number}@x.example" for number in range(5))))
    assert [len(message.recipients) for message in peer.messages] == [2, 2, 1]


@pytest.mark.parametrize("reply", ["452 4.5.3 Too many", "452 Too many", "552 Too many recipients"])
async def test_too_many_recipients_are_sent_in_another_transaction(reply: str) -> None:
    async with SmtpPeer() as peer:
        peer.script("RCPT", OK, OK, reply, reply, OK, OK)
        outcomes = await deliver(peer, given=delivery(*(f"r{number}@x.example" for number in range(4))))
    assert all(outcome.result is Result.DELIVERED for outcome in outcomes)
    assert [len(message.recipients) for message in peer.messages] == [2, 2]


async def test_a_recipient_that_is_too_many_by_itself_waits() -> None:
    async with SmtpPeer() as peer:
        peer.script("RCPT", "452 4.5.3 Too many")
        outcomes = await deliver(peer, given=delivery("a@x.example", "b@x.example"))
    assert [outcome.result for outcome in outcomes] == [Result.DEFERRED] * 2
    assert peer.verbs.count("RCPT") <= 3


# -- Servers that say no -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "reply", "result"),
    [
        ("MAIL", "550 5.7.1 Not you", Result.FAILED),
        ("MAIL", "451 4.7.1 Greylisted", Result.DEFERRED),
        ("RCPT", "550 5.1.1 Unknown", Result.FAILED),
        ("RCPT", "451 4.7.1 Greylisted", Result.DEFERRED),
        ("DATA", "554 5.7.1 No", Result.FAILED),
        ("DATA", "451 Later", Result.DEFERRED),
        ("END", "554 5.7.1 Spam", Result.FAILED),
        ("END", "452 4.3.1 Full", Result.DEFERRED),
        ("MAIL", "530 5.7.0 Must issue STARTTLS", Result.DEFERRED),
    ],
)
async def test_what_a_host_says_of_the_message_is_final_for_this_attempt(verb: str, reply: str, result: Result) -> None:
    async with SmtpPeer() as first, SmtpPeer() as second:
        first.script(verb, reply)
        outcome = await deliver_one(first, second)
    assert (outcome.result, outcome.text) == (result, reply)
    assert second.connections == 0


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("CONNECT", "421 4.3.2 Busy"),
        ("CONNECT", "554 No service for you"),
        ("CONNECT", DROP),
        ("CONNECT", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("EHLO", "421 Not now"),
        ("EHLO", DROP),
        ("MAIL", "421 4.3.2 Going down"),
        ("MAIL", DROP),
        ("RCPT", "421 4.3.2 Going down"),
        ("DATA", "421 4.3.2 Going down"),
        ("DATA", DROP),
        ("MAIL", b"\x16\x03\x01\x02\r\n"),
    ],
)
async def test_a_host_that_turns_us_away_makes_way_for_the_next(verb: str, answer: str) -> None:
    async with SmtpPeer() as first, SmtpPeer() as second:
        first.script(verb, answer)
        outcome = await deliver_one(first, second)
    assert (outcome.result, len(second.messages), len(first.messages)) == (Result.DELIVERED, 1, 0)


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_host_that_stalls_makes_way_for_the_next(verb: str, quick: None) -> None:
    async with SmtpPeer() as first, SmtpPeer() as second:
        first.script(verb, STALL)
        outcome = await deliver_one(first, second)
    assert (outcome.result, len(second.messages)) == (Result.DELIVERED, 1)


async def test_a_closed_port_makes_way_for_the_next() -> None:
    async with SmtpPeer() as second:
        outcome = await deliver_one(free_port(), second)
    assert outcome.result is Result.DELIVERED


async def test_nobody_there_is_deferred_with_the_reason() -> None:
    outcome = await deliver_one(free_port(), free_port())
    assert (outcome.result, outcome.status, outcome.stage) == (Result.DEFERRED, "4.4.1", Stage.CONNECT)
    assert outcome.text == "No connection to the mail server (Connection refused)"


async def test_a_host_that_may_want_us_later_outweighs_one_that_never_does() -> None:
    async with SmtpPeer() as never:
        never.script("CONNECT", "554 5.7.1 Go away")
        assert (await deliver_one(never)).result is Result.FAILED
        assert (await deliver_one(never, free_port())).result is Result.DEFERRED
        assert (await deliver_one(free_port(), never)).result is Result.DEFERRED


@pytest.mark.parametrize("answer", [DROP, STALL, b"garbage\r\n"])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ("PIPELINING", "CHUNKING")])
async def test_after_the_end_was_sent_no_other_host_is_tried(
    answer: str, extensions: tuple[str, ...], quick: None
) -> None:
    async with SmtpPeer(extensions=extensions) as first, SmtpPeer() as second:
        first.script("END", answer)
        first.script("BDAT", answer)
        outcome = await deliver_one(first, second)
    assert (outcome.result, outcome.stage) == (Result.DEFERRED, Stage.END)
    assert second.connections == 0


async def test_a_server_that_stops_reading_is_given_up(quick: None) -> None:
    content = Octets((b"A: b\r\n\r\n", *(b"x" * 65_534 + b"\r\n",) * 300))
    async with SmtpPeer(extensions=()) as first:
        original = asyncio.StreamReader.readuntil

        async def deaf(self: asyncio.StreamReader, separator: bytes = b"\n") -> bytes:
            if separator == b"\r\n.\r\n":
                self._transport.pause_reading()  # type: ignore[attr-defined]
                await asyncio.Event().wait()
            return await original(self, separator)

        asyncio.StreamReader.readuntil = deaf  # type: ignore[method-assign, assignment]
        try:
            outcome = await deliver_one(first, given=delivery(content=content))
        finally:
            asyncio.StreamReader.readuntil = original  # type: ignore[method-assign]
    assert (outcome.result, outcome.status) == (Result.DEFERRED, "4.4.2")


async def test_a_server_that_refuses_in_the_middle_is_heard() -> None:
    content = Octets((b"A: b\r\n\r\n", *(b"x" * 998 + b"\r\n",) * 2000))
    async with SmtpPeer(extensions=("PIPELINING", "CHUNKING")) as peer:
        peer.script("BDAT", OK, "552 5.3.4 Too big")
        outcome = await deliver_one(peer, given=delivery(content=content))
    assert (outcome.result, outcome.text) == (Result.FAILED, "552 5.3.4 Too big")
    assert peer.messages == []


async def test_a_message_too_large_for_the_host_is_not_sent() -> None:
    async with SmtpPeer(extensions=("SIZE 10",)) as peer:
        outcome = await deliver_one(peer)
    assert (outcome.result, outcome.status) == (Result.FAILED, "5.3.4")
    assert "MAIL" not in peer.verbs


async def test_an_old_server_without_ehlo_is_greeted_with_helo() -> None:
    async with SmtpPeer() as peer:
        peer.script("EHLO", "502 What?")
        assert (await deliver_one(peer)).result is Result.DELIVERED
    assert peer.verbs[:2] == ["EHLO", "HELO"]


# -- Content -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extensions", [("PIPELINING",), ("PIPELINING", "CHUNKING")])
async def test_content_that_cannot_be_read_is_never_taken_for_whole(extensions: tuple[str, ...]) -> None:
    content = Octets((b"A: b\r\n\r\n", b"one\r\n", b"two\r\n"), broken_after=2)
    async with SmtpPeer(extensions=extensions) as first, SmtpPeer() as second:
        outcome = await deliver_one(first, second, given=delivery(content=content))
    assert (outcome.result, outcome.status) == (Result.DEFERRED, "4.3.0")
    assert first.messages == second.messages == []


async def test_recipients_that_were_served_before_content_broke_are_not_served_again() -> None:
    content = Octets((MESSAGE,))
    original = content.chunks
    calls = 0

    async def breaks_the_second_time() -> AsyncIterator[bytes]:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise Corrupt(cause="gone")
        async for piece in original():
            yield piece

    content.chunks = breaks_the_second_time  # type: ignore[method-assign]
    async with SmtpPeer(extensions=("PIPELINING", "LIMITS RCPTMAX=1")) as peer:
        outcomes = await deliver(peer, given=delivery("a@x.example", "b@x.example", content=content))
    assert [outcome.result for outcome in outcomes] == [Result.DELIVERED, Result.DEFERRED]


async def test_content_that_could_be_smuggled_is_not_sent() -> None:
    async with SmtpPeer() as peer:
        outcome = await deliver_one(peer, given=delivery(content=Octets((b"A: b\r\n\r\n\n.\nMAIL FROM:<x>\r\n",))))
    assert (outcome.result, outcome.status) == (Result.FAILED, "5.6.0")
    assert peer.messages == []


# -- TLS ---------------------------------------------------------------------------------------------------------------


def tls_peer(name: str = TLS_NAME, **fields: object) -> SmtpPeer:
    return SmtpPeer(tls=self_signed(name)[0], **fields)  # type: ignore[arg-type]


async def test_tls_is_used_where_it_is_offered_whatever_the_certificate() -> None:
    async with tls_peer("other.example") as peer:
        outcome = await deliver_one(peer)
    assert outcome.is_encrypted
    assert peer.messages[0].encrypted
    assert peer.verbs[:3] == ["EHLO", "STARTTLS", "EHLO"]


@pytest.mark.parametrize("name", [r"\000" * 63 + ".example", r"a\013\010b.example", "-.example", "xn--.example", "*"])
async def test_a_host_with_a_name_that_tls_does_not_know_is_sent_to_in_the_clear(name: str) -> None:
    """The DNS of strangers may say anything; what it says is an address, and no line is broken by a name."""
    async with SmtpPeer(tls=self_signed(TLS_NAME)[0]) as peer:
        sender, way = transport(), route(peer)
        (outcome,) = (await sender.deliver(delivery(), replace(way, hops=(replace(way.hops[0], host=name),)))).values()
        await sender.close()
    assert outcome.result is Result.DELIVERED
    assert outcome.remote == f"{name}[127.0.0.1]"
    assert outcome.remote.isprintable()


async def test_a_handshake_that_fails_is_followed_by_a_connection_in_the_clear() -> None:
    before = metrics.queue_plaintext_fallback_total._value.get()
    async with tls_peer() as peer:
        assert peer.tls is not None
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # Without a certificate no handshake succeeds.
        peer.tls = old
        outcome = await deliver_one(peer)
    assert (outcome.result, outcome.is_encrypted) == (Result.DELIVERED, False)
    assert peer.connections == 2
    assert not peer.messages[0].encrypted
    assert metrics.queue_plaintext_fallback_total._value.get() == before + 1


async def test_a_handshake_that_stalls_is_followed_by_a_connection_in_the_clear(quick: None) -> None:
    async with tls_peer() as peer:
        peer.script("STARTTLS", "220 Go ahead")  # and no handshake
        outcome = await deliver_one(peer)
    assert (outcome.result, peer.connections) == (Result.DELIVERED, 2)


async def test_starttls_taken_back_is_no_reason_to_go() -> None:
    async with tls_peer() as peer:
        peer.script("STARTTLS", "454 4.7.0 Not now")
        outcome = await deliver_one(peer)
    assert (outcome.result, outcome.is_encrypted, peer.connections) == (Result.DELIVERED, False, 1)


@pytest.mark.parametrize("policy", [TlsPolicy.REQUIRED, TlsPolicy.VERIFIED])
async def test_where_tls_is_required_nothing_goes_in_the_clear(policy: TlsPolicy) -> None:
    async with SmtpPeer() as peer:
        outcome = await deliver_one(peer, tls=policy)
        assert (outcome.result, outcome.status, peer.messages) == (Result.DEFERRED, "4.7.5", [])
    async with tls_peer() as peer:
        peer.script("STARTTLS", "454 4.7.0 Not now")
        outcome = await deliver_one(peer, tls=policy)
        assert (outcome.result, outcome.status, peer.messages) == (Result.DEFERRED, "4.7.5", [])
    async with tls_peer() as peer:
        peer.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        outcome = await deliver_one(peer, tls=policy)
        assert (outcome.result, outcome.status, peer.messages) == (Result.DEFERRED, "4.7.5", [])
        assert peer.connections == 1


async def test_a_certificate_is_checked_where_the_policy_asks_for_it() -> None:
    async with tls_peer() as peer:
        assert (await deliver_one(peer, tls=TlsPolicy.VERIFIED)).is_encrypted
    async with tls_peer("other.example") as peer:
        outcome = await deliver_one(peer, tls=TlsPolicy.VERIFIED)
        assert (outcome.result, outcome.status, peer.messages) == (Result.DEFERRED, "4.7.5", [])
        assert "self-signed certificate" in outcome.text
        assert (await deliver_one(peer, tls=TlsPolicy.REQUIRED)).is_encrypted


async def test_tls_can_be_left_out() -> None:
    async with tls_peer() as peer:
        assert not (await deliver_one(peer, tls=TlsPolicy.NEVER)).is_encrypted
    assert "STARTTLS" not in peer.verbs


async def test_replies_injected_after_starttls_are_thrown_away() -> None:
    injected = b"250-peer.example\r\n250 DSN\r\n250 OK\r\n250 OK\r\n354 Go\r\n250 2.0.0 injected\r\n"
    async with tls_peer(after_starttls=injected) as peer:
        outcome = await deliver_one(peer)
    # Octets in the clear where the handshake belongs: it fails, or they are dropped; never are they an answer.
    assert "injected" not in outcome.text
    assert not outcome.is_handed_on
    assert len(peer.messages) == 1


async def test_a_message_that_requires_tls_is_only_given_to_who_promises_it() -> None:
    async with tls_peer() as peer:
        outcome = await deliver_one(peer, given=delivery(require_tls=True))
        assert (outcome.result, outcome.status) == (Result.FAILED, "5.7.30")
    async with tls_peer(extensions=("REQUIRETLS",)) as peer:
        outcome = await deliver_one(peer, given=delivery(require_tls=True))
        assert outcome.result is Result.DELIVERED
        assert peer.messages[0].mail.endswith("REQUIRETLS")


# -- The smart host ----------------------------------------------------------------------------------------------------

LOGIN = Credentials("relay-user", Secret("relay-password"))


async def test_the_relay_is_logged_in_at_under_tls() -> None:
    async with tls_peer(extensions=("AUTH PLAIN LOGIN",)) as peer:
        assert (await deliver_one(peer, credentials=LOGIN)).result is Result.DELIVERED
    assert peer.verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


async def test_a_login_that_is_refused_costs_no_message() -> None:
    async with tls_peer(extensions=("AUTH PLAIN",)) as peer:
        peer.script("AUTH", "535 5.7.8 Wrong")
        outcome = await deliver_one(peer, credentials=LOGIN)
    assert (outcome.result, outcome.status, outcome.stage) == (Result.DEFERRED, "4.7.8", Stage.LOGIN)
    assert "relay-password" not in outcome.text


async def test_a_relay_without_auth_costs_no_message() -> None:
    async with tls_peer() as peer:
        assert (await deliver_one(peer, credentials=LOGIN)).status == "4.7.8"
    assert peer.messages == []


async def test_no_password_goes_in_the_clear_but_on_loopback() -> None:
    async with SmtpPeer(extensions=("AUTH PLAIN",)) as peer:
        assert (await deliver_one(peer, credentials=LOGIN)).result is Result.DELIVERED


# -- Sessions that are kept --------------------------------------------------------------------------------------------


async def test_a_session_is_used_again_for_the_same_destination() -> None:
    sender = transport()
    async with SmtpPeer() as peer:
        for _ in range(3):
            await sender.deliver(delivery(), route(peer))
        assert (peer.connections, len(peer.messages)) == (1, 3)
        other = RemoteRoute("example.com", route(peer).hops)
        await sender.deliver(delivery(), other)
        assert peer.connections == 2
        await sender.close()


async def test_a_refused_message_does_not_spoil_the_next() -> None:
    sender = transport()
    async with SmtpPeer() as peer:
        peer.script("RCPT", "550 5.1.1 Unknown", OK)
        first = await sender.deliver(delivery(), route(peer))
        second = await sender.deliver(delivery(), route(peer))
        await sender.close()
    assert (first[0].result, second[0].result, peer.connections) == (Result.FAILED, Result.DELIVERED, 1)


async def test_a_kept_session_that_the_server_closed_is_replaced() -> None:
    sender = transport()
    async with SmtpPeer() as peer:
        await sender.deliver(delivery(), route(peer))
        for task in list(peer._tasks):
            task.cancel()
        await asyncio.gather(*peer._tasks, return_exceptions=True)
        outcome = (await sender.deliver(delivery(), route(peer)))[0]
        await sender.close()
    assert (outcome.result, peer.connections) == (Result.DELIVERED, 2)


async def test_a_kept_session_that_breaks_at_mail_is_replaced() -> None:
    sender = transport()
    async with SmtpPeer() as peer:
        peer.script("MAIL", OK, "421 4.4.2 Idle too long", OK)
        peer.script("RSET", OK)
        await sender.deliver(delivery(), route(peer))
        outcome = (await sender.deliver(delivery(), route(peer)))[0]
        await sender.close()
    assert (outcome.result, peer.connections) == (Result.DELIVERED, 2)


async def test_a_session_ends_after_its_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_pool, "_MOST_MESSAGES", 2)
    sender = transport()
    async with SmtpPeer() as peer:
        for _ in range(3):
            await sender.deliver(delivery(), route(peer))
        await sender.close()
    assert peer.connections == 2


async def test_an_idle_session_says_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_pool, "_IDLE", 0.01)
    sender = transport()
    async with SmtpPeer() as peer:
        await sender.deliver(delivery(), route(peer))
        async with asyncio.timeout(5):
            while "QUIT" not in peer.verbs:
                await asyncio.sleep(0.005)
        assert sender._pool._idle == {}
        assert sender._pool._count == 0


async def test_closing_ends_what_is_kept() -> None:
    sender = transport()
    async with SmtpPeer() as peer:
        await sender.deliver(delivery(), route(peer))
        await sender.close()
        async with asyncio.timeout(5):
            while peer.open_now:
                await asyncio.sleep(0.005)
        assert peer.verbs[-1] == "QUIT"


async def test_a_cancelled_delivery_closes_its_connection() -> None:
    sender = transport()
    async with SmtpPeer() as peer:
        peer.script("END", STALL)
        task = asyncio.create_task(sender.deliver(delivery(), route(peer)))
        async with asyncio.timeout(5):
            while "DATA" not in peer.verbs:
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert sender._pool._count == 0


async def test_a_route_has_so_many_connections_at_a_time() -> None:
    sender = transport(connections=3)
    async with SmtpPeer() as peer:
        deliveries = (sender.deliver(delivery(), route(peer)) for _ in range(20))
        outcomes = await asyncio.gather(*deliveries)
        await sender.close()
    assert all(outcome[0].result is Result.DELIVERED for outcome in outcomes)
    assert peer.connections == peer.most_open == 3
    assert sender._slots._slots == {}


# -- Limits ------------------------------------------------------------------------------------------------------------


async def test_a_greeting_that_drips_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_session, "_OPENING_LIMIT", 0.1)
    async with SmtpPeer() as peer:
        peer.script("CONNECT", STALL)
        outcome = await deliver_one(peer)
    assert (outcome.result, outcome.status) == (Result.DEFERRED, "4.4.2")


async def test_a_transaction_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_session, "_SENDING_LIMIT", 0.1)
    async with SmtpPeer() as first, SmtpPeer() as second:
        first.script("RCPT", STALL)
        assert (await deliver_one(first, second)).result is Result.DELIVERED
        first.script("RCPT", OK)
        first.script("END", STALL)
        outcome = await deliver_one(first, second)
    assert (outcome.result, outcome.stage, len(second.messages)) == (Result.DEFERRED, Stage.END, 1)


async def test_the_search_for_a_host_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_module, "_SEARCH_LIMIT", -1.0)
    async with SmtpPeer() as peer:
        outcome = await deliver_one(peer)
    assert (outcome.result, peer.connections) == (Result.DEFERRED, 0)


async def test_the_source_address_is_used() -> None:
    sender = transport(source_ipv4="127.0.0.2")
    async with SmtpPeer() as peer:
        seen: list[object] = []
        accept = peer._accept
        peer._server.close()
        server = await asyncio.start_server(
            lambda reader, writer: (seen.append(writer.get_extra_info("peername")[0]), accept(reader, writer))[1],
            "127.0.0.1",
            0,
        )
        port = server.sockets[0].getsockname()[1]
        assert (await sender.deliver(delivery(), route(port)))[0].result is Result.DELIVERED
        await sender.close()
        server.close()
    assert seen == ["127.0.0.2"]


def test_impossible_options_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        SmtpOptions(connections=0)
    with pytest.raises(ValueError, match="IPv6"):
        SmtpOptions(source_ipv6="192.0.2.1")
    assert SmtpOptions().source_for(HERE) is None
