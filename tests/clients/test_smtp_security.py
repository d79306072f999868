"""Mail to hosts that are held to TLS, and to hosts that take it away: never in the clear, never to the wrong one."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from hongyan.clients.smtp import SmtpTransport
from hongyan.clients.smtp_options import SmtpOptions
from hongyan.clients.tls_contexts import TlsContexts
from hongyan.engines.sql.transport import SqlTransport
from hongyan.mailauth.mta_sts import StsMode, StsPolicy
from hongyan.mailauth.resolver import TlsaRecord
from hongyan.queue.causes import Cause
from hongyan.queue.outcome import Outcome, Result, Stage
from hongyan.queue.route import Hop, RemoteRoute
from hongyan.queue.security import Demand, Demander, OutgoingTlsOptions, TlsLevel, TlsPolicy
from hongyan.queue.tls_memory import TlsMemory
from hongyan.queue.tls_results import PolicyType, ResultType, TlsResult
from hongyan.queue.transport import Delivery
from tests.clients.test_smtp import MESSAGE, Octets, delivery
from tests.support.authority import Authority, Issued, tlsa
from tests.support.clock import FakeClock
from tests.support.smtp_peer import SmtpPeer
from tests.support.storage import open_sqlite

HERE = ip_address("127.0.0.1")
HOST, DOMAIN = "mx.example.net", "example.net"
GEESE, FOXES = Authority(), Authority("Foxes")
GOOD = GEESE.issue(HOST)
FORGED = FOXES.issue(HOST)
POLICY = StsPolicy(StsMode.ENFORCE, (HOST,), 86_400)
TRUST = GEESE.trusting()


@dataclass
class Results:
    """Keeps what is noted."""

    noted: list[TlsResult] = field(default_factory=list)

    def note(self, result: TlsResult) -> None:
        self.noted.append(result)

    @property
    def failures(self) -> list[tuple[PolicyType, ResultType | None]]:
        return [(result.policy_type, result.failure) for result in self.noted]


@pytest.fixture
async def memory(tmp_path: Path) -> AsyncIterator[TlsMemory]:
    async with open_sqlite(tmp_path) as storage:
        yield TlsMemory(SqlTransport(storage.database), FakeClock(), OutgoingTlsOptions())


def transport(results: Results, memory: TlsMemory | None = None) -> SmtpTransport:
    tls = replace(TlsContexts.system(), verified=TRUST)
    return SmtpTransport(
        SmtpOptions(), "mail.ours.example", FakeClock(GEESE.now), tls=tls, memory=memory, results=results
    )


async def send(
    peer: SmtpPeer,
    demand: Demand,
    *,
    given: Delivery | None = None,
    memory: TlsMemory | None = None,
    **fields: object,
) -> tuple[Outcome, Results]:
    results = Results()
    sender = transport(results, memory)
    hop = Hop(HOST, (HERE,), peer.port, demand, **{"is_vouched": True, **fields})  # type: ignore[arg-type]
    outcomes = await sender.deliver(given or delivery(), RemoteRoute(DOMAIN, (hop,)))
    await sender.close()
    return outcomes[0], results


def dane(*records: TlsaRecord) -> Demand:
    return Demand(TlsPolicy.DANE, Demander.DANE, records, (HOST, DOMAIN))


STS = Demand(TlsPolicy.VERIFIED, Demander.MTA_STS, sts=POLICY, pattern=HOST)
TESTING = Demand(TlsPolicy.OPPORTUNISTIC, sts=replace(POLICY, mode=StsMode.TESTING), pattern=HOST)
PINNED = Demand(TlsPolicy.REQUIRED, Demander.MEMORY)
PINNED_HIGH = Demand(TlsPolicy.VERIFIED, Demander.MEMORY)
KNOWS_KEY = dane(tlsa(3, 1, 1, GOOD.certificate))
KNOWS_ROOT = dane(tlsa(2, 0, 1, GEESE.root.certificate))
ANY = Demand(TlsPolicy.OPPORTUNISTIC)


@pytest.mark.parametrize("demand", [KNOWS_KEY, KNOWS_ROOT, STS, TESTING, PINNED, PINNED_HIGH, ANY])
async def test_a_host_that_has_what_is_demanded_gets_the_mail(demand: Demand) -> None:
    async with SmtpPeer(tls=GOOD.context) as peer:
        outcome, results = await send(peer, demand)
    assert outcome.result is Result.DELIVERED
    assert outcome.is_encrypted
    assert peer.messages[0].octets == MESSAGE
    assert peer.messages[0].encrypted
    assert [result.failure for result in results.noted] == [None]
    assert (results.noted[0].host, results.noted[0].address) == (HOST, "127.0.0.1")
    assert results.noted[0].source == "127.0.0.1"


@pytest.mark.parametrize(
    ("demand", "cause"),
    [
        (KNOWS_KEY, Cause.DANE_FAILED),
        (STS, Cause.STS_FAILED),
        (PINNED, Cause.TLS_LESS_THAN_BEFORE),
        (PINNED_HIGH, Cause.TLS_LESS_THAN_BEFORE),
    ],
)
@pytest.mark.parametrize("way", ["not offered", "refused", "broken"])
async def test_a_host_that_takes_tls_away_gets_nothing(demand: Demand, cause: Cause, way: str) -> None:
    context = GOOD.context
    if way == "broken":  # it wants a certificate of ours, and there is none
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
    async with SmtpPeer(tls=None if way == "not offered" else context) as peer:
        if way == "refused":
            peer.script("STARTTLS", "454 4.7.0 TLS not available")
        outcome, results = await send(peer, demand)
    assert (outcome.result, outcome.stage, outcome.status) == (Result.DEFERRED, Stage.TLS, "4.7.5")
    assert outcome.text.startswith(cause.line)
    assert not peer.messages
    assert not {"MAIL", "RCPT", "DATA", "BDAT"} & set(peer.verbs)
    expected = ResultType.VALIDATION_FAILURE if way == "broken" else ResultType.STARTTLS_NOT_SUPPORTED
    assert results.noted[-1].failure is expected


@pytest.mark.parametrize(
    ("demand", "shown", "failure"),
    [
        (KNOWS_KEY, FORGED, ResultType.VALIDATION_FAILURE),
        (KNOWS_ROOT, FORGED, ResultType.VALIDATION_FAILURE),
        (KNOWS_ROOT, GEESE.issue("other.example"), ResultType.VALIDATION_FAILURE),
        (STS, FORGED, ResultType.CERTIFICATE_NOT_TRUSTED),
        (STS, GEESE.issue("other.example"), ResultType.CERTIFICATE_HOST_MISMATCH),
        (STS, GEESE.issue(HOST, days=(-3, -1)), ResultType.CERTIFICATE_EXPIRED),
        (PINNED_HIGH, FORGED, ResultType.CERTIFICATE_NOT_TRUSTED),
    ],
)
async def test_a_host_that_shows_the_wrong_certificate_gets_nothing(
    demand: Demand, shown: Issued, failure: ResultType
) -> None:
    async with SmtpPeer(tls=shown.context) as peer:
        outcome, results = await send(peer, demand)
    assert (outcome.result, outcome.text.startswith(demand.cause.line)) == (Result.DEFERRED, True)
    assert "MAIL" not in peer.verbs
    assert results.noted[-1].failure is failure
    assert peer.connections == 1


@pytest.mark.parametrize("demand", [KNOWS_KEY, STS, PINNED, ANY])
async def test_replies_that_were_put_in_before_tls_are_not_heard(demand: Demand) -> None:
    injected = b"250-mx.example.net\r\n250 REQUIRETLS\r\n250 OK\r\n250 OK\r\n354 OK\r\n250 OK\r\n"
    async with SmtpPeer(tls=GOOD.context, after_starttls=injected) as peer:
        outcome, _ = await send(peer, demand)
    assert outcome.result is Result.DELIVERED
    assert peer.messages[0].encrypted
    assert peer.messages[0].octets == MESSAGE


async def test_where_nothing_is_demanded_any_certificate_will_do_and_none_is_as_good(memory: TlsMemory) -> None:
    async with SmtpPeer(tls=FORGED.context) as peer:
        outcome, results = await send(peer, ANY, memory=memory)
        assert (outcome.result, outcome.is_encrypted, peer.connections) == (Result.DELIVERED, True, 2)
    assert [result.failure for result in results.noted] == [None]
    async with SmtpPeer() as peer:
        outcome, results = await send(peer, ANY, memory=memory)
        assert (outcome.result, outcome.is_encrypted, peer.connections) == (Result.DELIVERED, False, 1)
    assert results.failures == [(PolicyType.NONE, ResultType.STARTTLS_NOT_SUPPORTED)]


async def test_a_host_whose_certificate_does_not_hold_is_put_to_the_test_once_a_day(memory: TlsMemory) -> None:
    sender = transport(Results(), memory)
    async with SmtpPeer(tls=FORGED.context) as peer:
        peer.script("QUIT", "221 Bye")
        route = RemoteRoute(DOMAIN, (Hop(HOST, (HERE,), peer.port, ANY),))
        for expected in (2, 3):
            await sender.deliver(delivery(), route)
            await sender.close()
            assert peer.connections == expected
    await sender.close()


async def test_in_testing_mode_mail_goes_on_and_the_failure_is_noted() -> None:
    async with SmtpPeer(tls=FORGED.context) as peer:
        outcome, results = await send(peer, TESTING)
    assert outcome.result is Result.DELIVERED
    assert results.failures == [(PolicyType.STS, ResultType.CERTIFICATE_NOT_TRUSTED)]
    assert results.noted[0].policy == ("version: STSv1", "mode: testing", f"mx: {HOST}", "max_age: 86400")


@pytest.mark.parametrize("refusal", [Cause.STS_HOST_NOT_NAMED, Cause.DANE_UNAVAILABLE])
async def test_a_host_that_must_not_have_the_mail_is_not_even_asked(refusal: Cause) -> None:
    async with SmtpPeer(tls=GOOD.context) as peer:
        outcome, results = await send(peer, ANY, refusal=refusal)
    assert (outcome.result, outcome.text) == (Result.DEFERRED, refusal.line)
    assert peer.connections == 0
    assert results.noted[0].failure in (ResultType.VALIDATION_FAILURE, ResultType.DNSSEC_INVALID)


# -- what the message asks for -----------------------------------------------------------------------------------------

OFFERED = ("PIPELINING", "8BITMIME", "SIZE 10000000", "REQUIRETLS")


@pytest.mark.parametrize("demand", [KNOWS_KEY, STS, ANY])
async def test_what_requires_tls_goes_where_tls_is_promised(demand: Demand) -> None:
    async with SmtpPeer(OFFERED, tls=GOOD.context) as peer:
        outcome, _ = await send(peer, demand, given=delivery(require_tls=True))
    assert outcome.result is Result.DELIVERED
    assert peer.messages[0].mail.endswith(" REQUIRETLS")


@pytest.mark.parametrize(
    ("shown", "extensions", "is_vouched"),
    [(GOOD, OFFERED, False), (GOOD, OFFERED[:3], True), (FORGED, OFFERED, True), (None, OFFERED, True)],
)
async def test_what_requires_tls_goes_nowhere_else(
    shown: Issued | None, extensions: tuple[str, ...], is_vouched: bool
) -> None:
    async with SmtpPeer(extensions, tls=shown.context if shown else None) as peer:
        outcome, _ = await send(peer, ANY, given=delivery(require_tls=True), is_vouched=is_vouched)
    assert (outcome.result, outcome.status) == (Result.FAILED, "5.7.30")
    assert "MAIL" not in peer.verbs


async def test_of_two_hosts_the_one_that_promises_tls_gets_what_requires_it() -> None:
    async with SmtpPeer(OFFERED[:3], tls=GOOD.context) as first, SmtpPeer(OFFERED, tls=GOOD.context) as second:
        hops = tuple(Hop(HOST, (HERE,), peer.port, STS, is_vouched=True) for peer in (first, second))
        sender = transport(Results())
        outcomes = await sender.deliver(delivery(require_tls=True), RemoteRoute(DOMAIN, hops))
        await sender.close()
    assert outcomes[0].result is Result.DELIVERED
    assert (len(first.messages), len(second.messages)) == (0, 1)


@pytest.mark.parametrize("demand", [KNOWS_KEY, STS, PINNED_HIGH])
async def test_a_sender_may_waive_what_domains_demand(demand: Demand, memory: TlsMemory) -> None:
    waiving = Octets((b"TLS-Required: No\r\n" + MESSAGE,))
    async with SmtpPeer(tls=FORGED.context) as peer:
        outcome, _ = await send(peer, demand, given=delivery(content=waiving), memory=memory)
        assert outcome.result is Result.DELIVERED
        both, _ = await send(peer, demand, given=delivery(content=waiving, require_tls=True))
    assert both.result is not Result.DELIVERED
    assert await memory.level(DOMAIN) is TlsLevel.PLAIN


@pytest.mark.parametrize("demand", [ANY, STS])
async def test_how_tls_went_for_a_message_that_waives_it_is_not_reported(demand: Demand) -> None:
    """A report on TLS is such a message: reports would tell of reports for ever."""
    waiving = Octets((b"TLS-Required: No\r\n" + MESSAGE,))
    async with SmtpPeer(tls=GOOD.context) as peer:
        outcome, results = await send(peer, demand, given=delivery(content=waiving))
    assert outcome.result is Result.DELIVERED
    assert results.noted == []


# -- what is remembered ------------------------------------------------------------------------------------------------


async def test_a_certificate_below_the_domain_is_remembered_at_once(memory: TlsMemory) -> None:
    async with SmtpPeer(tls=GOOD.context) as peer:
        await send(peer, ANY, memory=memory)
    assert await memory.level(DOMAIN) is TlsLevel.VERIFIED


async def test_a_message_that_is_refused_teaches_nothing(memory: TlsMemory) -> None:
    async with SmtpPeer(tls=GOOD.context) as peer:
        peer.script("END", "550 5.7.1 No")
        await send(peer, ANY, memory=memory)
    assert await memory.level(DOMAIN) is TlsLevel.PLAIN


async def test_a_relay_and_a_certificate_of_nobody_teach_nothing_at_once(memory: TlsMemory) -> None:
    async with SmtpPeer(tls=FORGED.context) as peer:
        await send(peer, ANY, memory=memory)
        sender = transport(Results(), memory)
        route = RemoteRoute(DOMAIN, (Hop(HOST, (HERE,), peer.port, ANY),), is_relay=True)
        await sender.deliver(delivery(), route)
        await sender.close()
    assert await memory.level(DOMAIN) is TlsLevel.PLAIN
    assert timedelta(hours=OutgoingTlsOptions().confirm_after) >= timedelta(hours=1)
