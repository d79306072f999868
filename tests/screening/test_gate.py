"""A stranger at the gate, stage by stage."""

from __future__ import annotations

import pytest

from hongyan.addresses import Address
from hongyan.audit.log import AuditLog
from hongyan.engines.memory import MemoryCounters
from hongyan.errors import Unavailable
from hongyan.limits.bans import Bans
from hongyan.limits.smtp_rates import SmtpRateOptions, SmtpRates
from hongyan.screening.gate import Gate, GateOptions, RecipientJudge, Visit
from hongyan.screening.peers import KnownPeers
from hongyan.screening.verdict import Disposition, Finding
from hongyan.wire.smtp import replies
from tests.support.clock import FakeClock

PEER = "192.0.2.1"
OURS = "203.0.113.5"
ANN = Address.parse("ann@hongyan.test")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Street:
    """A gate, and strangers who come to it."""

    def __init__(self, clock: FakeClock, *judges: RecipientJudge, **options: object) -> None:
        self.counters = MemoryCounters(clock)
        self.bans = Bans(self.counters, clock, AuditLog.__new__(AuditLog))
        self.rates = SmtpRates(SmtpRateOptions(), self.counters, self.bans)
        self.peers = KnownPeers(clock, 36)
        wanted = GateOptions(**options)  # type: ignore[arg-type]
        self.gate = Gate(wanted, self.rates, self.peers, hostname="Mail.hongyan.test", judges=judges)

    def visit(self, host: str = PEER) -> Visit:
        visit = self.gate.visit(host, OURS, "cid")
        assert visit is not None
        return visit


def code(finding: Finding | None) -> int:
    assert finding is not None
    assert finding.reply is not None
    return finding.reply.code


async def test_a_stranger_waits_for_the_greeting_and_who_brought_mail_does_not(clock: FakeClock) -> None:
    street = Street(clock)
    first = street.visit()
    assert (await first.connect()).delay == 2.0
    assert await first.recipient(None, ANN) is None
    first.taken()
    first.leave(handshake_failed=False)
    assert (await street.visit().connect()).delay == 0.0
    assert (await street.visit("192.0.2.2").connect()).delay == 2.0
    clock.advance(36 * 3600)
    assert (await street.visit().connect()).delay == 2.0


async def test_a_suspicious_stranger_stays_one_whatever_mail_is_taken_from_it(clock: FakeClock) -> None:
    street = Street(clock)
    visit = street.visit()
    await visit.connect()
    assert visit.hello("localhost") is None
    assert await visit.recipient(None, ANN) is None
    visit.taken()
    assert (await street.visit().connect()).delay == 2.0


async def test_mail_for_the_postmaster_makes_nobody_known(clock: FakeClock) -> None:
    street = Street(clock)
    visit = street.visit()
    await visit.connect()
    assert await visit.recipient(None, Address.parse("postmaster@hongyan.test")) is None
    visit.taken()
    assert (await street.visit().connect()).delay == 2.0


async def test_a_banned_peer_whose_mail_was_taken_before_is_told_to_come_again(clock: FakeClock) -> None:
    street = Street(clock)
    honest = street.visit()
    await honest.connect()
    assert await honest.recipient(None, ANN) is None
    honest.taken()
    for host in (PEER, "198.51.100.7"):
        street.bans.note(host, "", "dictionary", "50 unknown recipients", 3600)
    assert code((await street.visit().connect()).refusal) == 421
    assert code((await street.visit("198.51.100.7").connect()).refusal) == 554


async def test_mail_between_faults_makes_nobody_known(clock: FakeClock) -> None:
    street = Street(clock)
    visit = street.visit()
    await visit.connect()
    assert await visit.recipient(None, ANN) is None
    visit.penalty()
    visit.taken()
    assert (await street.visit().connect()).delay == 2.0


async def test_who_is_exempt_has_no_visit(clock: FakeClock) -> None:
    street = Street(clock)
    assert street.gate.visit("127.0.0.1", OURS, "cid") is None
    assert Street(clock, enabled=False).gate.visit(PEER, OURS, "cid") is None


async def test_our_own_name_is_refused_and_odd_names_are_only_suspicious(clock: FakeClock) -> None:
    street = Street(clock)
    visit = street.visit()
    assert code(visit.hello("MAIL.hongyan.test")) == 550
    assert code(visit.hello(f"[{OURS}]")) == 550
    odd = street.visit()
    assert odd.hello("localhost") is None
    assert odd.suspicion > 0
    plain = street.visit()
    assert plain.hello("mx.example.org") is None
    assert plain.suspicion == 0
    assert Street(clock, refuse_own_name=False).visit().hello("mail.hongyan.test") is None


async def test_names_that_do_not_exist_are_an_offence_across_connections(clock: FakeClock) -> None:
    street = Street(clock)
    for _ in range(50):
        visit = street.visit()
        assert (await visit.connect()).refusal is None
        assert await visit.unknown_recipient() is None
        visit.leave(handshake_failed=False)
    assert code(await street.visit().unknown_recipient()) == 421
    refusal = (await street.visit().connect()).refusal
    assert code(refusal) == 554
    assert (await street.visit("192.0.2.2").connect()).refusal is None
    clock.advance(3600)
    assert (await street.visit().connect()).refusal is None


async def test_a_harvest_from_many_addresses_of_a_network_is_seen(clock: FakeClock) -> None:
    street = Street(clock)
    for number in range(250):
        assert await street.visit(f"192.0.2.{number % 10}").unknown_recipient() is None
    assert code(await street.visit("192.0.2.77").unknown_recipient()) == 421
    assert code((await street.visit("192.0.2.200").connect()).refusal) == 554


async def test_nonsense_is_an_offence_across_connections(clock: FakeClock) -> None:
    street = Street(clock)
    for _ in range(100):
        assert await street.visit().refused_command() is None
    assert code(await street.visit().refused_command()) == 421
    assert code((await street.visit().connect()).refusal) == 554


async def test_who_talks_early_again_and_again_is_banned(clock: FakeClock) -> None:
    street = Street(clock)
    for _ in range(6):
        assert (await street.visit().connect()).refusal is None
        await street.visit().spoke_early()
    assert code((await street.visit().connect()).refusal) == 554


@pytest.mark.parametrize(("handshake_failed", "times"), [(True, 60), (False, 600)])
async def test_connections_that_bring_nothing_have_an_end(clock: FakeClock, handshake_failed: bool, times: int) -> None:
    street = Street(clock)
    for _ in range(times):
        visit = street.visit()
        assert (await visit.connect()).refusal is None
        visit.leave(handshake_failed=handshake_failed)
        clock.advance(0.1)
    assert code((await street.visit().connect()).refusal) == 421


async def test_messages_recipients_and_octets_are_put_off_when_they_are_too_many(clock: FakeClock) -> None:
    street = Street(clock)
    visit = street.visit()
    await street.rates.take("messages", PEER, 6000)
    await street.rates.take("recipients", PEER, 20_000)
    await street.rates.take_octets(PEER, 4096 << 20)
    assert code(await visit.mail()) == 450
    assert code(await visit.recipient(None, ANN)) == 450
    assert code(await visit.message(100)) == 450
    assert code(await visit.recipient(None, None)) == 450


async def test_faults_cost_time_and_the_tarpit_has_room_for_so_many(clock: FakeClock) -> None:
    street = Street(clock, tarpitted=2, tarpit_delay=5.0, free_faults=3)
    first, second, third = street.visit(), street.visit(), street.visit()
    assert [first.penalty() for _ in range(5)] == [0.0, 0.0, 0.0, 5.0, 5.0]
    assert [second.penalty() for _ in range(4)][-1] == 5.0
    assert [third.penalty() for _ in range(4)][-1] is None
    assert street.gate.tarpitted == 2
    first.leave(handshake_failed=False)
    assert third.penalty() == 5.0
    second.leave(handshake_failed=False)
    third.leave(handshake_failed=False)
    assert street.gate.tarpitted == 0


class Strict:
    """Refuses everybody."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def begin(self, host: str) -> None:
        self.begun.append(host)

    async def judge(self, visit: Visit, reverse_path: Address | None, recipient: Address) -> Finding | None:
        reply = replies.MESSAGE_REFUSED
        return Finding(check="strict", reason="so", disposition=Disposition.REJECT, text="so", reply=reply)


async def test_judges_are_asked_about_strangers_but_never_keep_anybody_from_the_postmaster(clock: FakeClock) -> None:
    strict = Strict()
    street = Street(clock, strict)
    visit = street.visit()
    await visit.connect()
    assert strict.begun == [PEER]
    assert code(await visit.recipient(None, ANN)) == 550
    assert await visit.recipient(None, None) is None
    for name in ("postmaster", "Abuse"):
        assert await visit.recipient(None, Address.parse(f"{name}@hongyan.test")) is None


async def test_a_good_name_is_asked_for_once_and_strangers_wait_when_it_cannot_be(clock: FakeClock) -> None:
    asked: list[str] = []

    async def has_good_name(network: str) -> bool:
        asked.append(network)
        if network == "192.0.2.9":
            raise Unavailable(cause="away")
        return network == PEER

    peers = KnownPeers(clock, 36, has_good_name)
    assert [await peers.knows(network) for network in (PEER, PEER, "192.0.2.2", "192.0.2.9")] == [
        True,
        True,
        False,
        False,
    ]
    assert asked == [PEER, "192.0.2.2", "192.0.2.9"]


def test_impossible_settings_are_refused() -> None:
    for wrong in ({"greeting_delay": 61.0}, {"tarpitted": -1}, {"tarpit_delay": -1.0}):
        with pytest.raises(ValueError, match=r"."):
            GateOptions(**wrong)  # type: ignore[arg-type]
