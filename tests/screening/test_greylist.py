"""Greylisting: only suspicious first contacts, and those who come again pass."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hongyan.addresses import Address
from hongyan.audit.log import AuditLog
from hongyan.engines.memory import MemoryCounters
from hongyan.errors import Unavailable
from hongyan.limits.bans import Bans
from hongyan.limits.smtp_rates import SmtpRateOptions, SmtpRates
from hongyan.screening.gate import Gate, GateOptions, Visit
from hongyan.screening.greylist import Greylist, GreylistOptions, Step, decide
from hongyan.screening.peers import KnownPeers
from hongyan.store.greylist import Contact, Triplet
from tests.support.clock import FakeClock

ANN = Address.parse("Ann+list@hongyan.test")
SENDER = Address.parse("friend@elsewhere.test")
OPTIONS = GreylistOptions(enabled=True)


@pytest.mark.parametrize(
    ("minutes", "step"),
    [(0, Step.WAIT), (4, Step.WAIT), (5, Step.PASS_NOW), (48 * 60, Step.PASS_NOW), (48 * 60 + 1, Step.BEGIN_ANEW)],
)
def test_who_comes_again_after_the_wait_and_within_the_window_passes(minutes: int, step: Step) -> None:
    first = FakeClock().now()
    now = first + timedelta(minutes=minutes)
    assert decide(Contact(first, None), now, OPTIONS) is step
    assert decide(Contact(first, first), now, OPTIONS) is Step.PASS


class Town:
    """A greylist, its store in memory for this test alone, and strangers."""

    def __init__(self, options: GreylistOptions = OPTIONS, *, spf: bool | None = False) -> None:
        self.clock = FakeClock()
        self.kept: dict[Triplet, Contact] = {}
        self.is_away = False
        self._spf = spf
        self.greylist = Greylist(options, self, self.clock, self._passes_spf)
        counters = MemoryCounters(self.clock)
        rates = SmtpRates(SmtpRateOptions(), counters, Bans(counters, self.clock, AuditLog.__new__(AuditLog)))
        self._gate = Gate(GateOptions(), rates, KnownPeers(self.clock, 1), hostname="mail.hongyan.test")

    async def _passes_spf(self, host: str, sender: Address) -> bool:
        if self._spf is None:
            raise RuntimeError("boom")
        return self._spf

    async def meet(self, triplet: Triplet, now: datetime) -> Contact:
        if self.is_away:
            raise Unavailable(cause="away")
        return self.kept.setdefault(triplet, Contact(now, None))

    async def pass_on(self, triplet: Triplet, now: datetime) -> None:
        self.kept[triplet] = Contact(self.kept[triplet].first_at, now)

    async def begin_anew(self, triplet: Triplet, now: datetime) -> None:
        self.kept[triplet] = Contact(now, None)

    async def expire_greylist(self, waiting: datetime, passed: datetime) -> int:
        return 0

    def visit(self, host: str = "192.0.2.1", *, name: str = "localhost") -> Visit:
        visit = self._gate.visit(host, "203.0.113.5", "cid")
        assert visit is not None
        visit.hello(name)
        return visit

    async def judge(self, visit: Visit, sender: Address | None = SENDER) -> str:
        self.greylist.begin(visit.host)
        finding = await self.greylist.judge(visit, sender, ANN)
        return "" if finding is None else str(finding.reply)


async def test_a_suspicious_first_contact_is_put_off_and_passes_when_it_comes_again() -> None:
    town = Town()
    assert await town.judge(town.visit()) == "450 4.7.1 You are not known here yet; try again in 5 minutes"
    town.clock.advance(241)
    assert await town.judge(town.visit("192.0.2.77")) == "450 4.7.1 You are not known here yet; try again in 1 minute"
    town.clock.advance(60)
    assert await town.judge(town.visit()) == ""
    assert await town.judge(town.visit("192.0.2.78")) == ""
    assert await town.judge(town.visit("192.0.3.1")) != ""
    assert {triplet.recipient for triplet in town.kept} == {"ann@hongyan.test"}


async def test_who_comes_again_too_late_waits_once_more() -> None:
    town = Town()
    await town.judge(town.visit())
    town.clock.advance(49 * 3600)
    assert await town.judge(town.visit()) != ""
    town.clock.advance(300)
    assert await town.judge(town.visit()) == ""


async def test_honest_strangers_and_known_peers_lose_no_time() -> None:
    town = Town()
    assert await town.judge(town.visit(name="mx.elsewhere.test")) == ""
    known = town.visit()
    known.is_known = True
    assert await town.judge(known) == ""
    assert town.kept == {}
    off = Town(GreylistOptions())
    assert await off.judge(off.visit()) == ""


async def test_a_domain_that_spf_vouches_for_stands_for_all_its_networks() -> None:
    town = Town(spf=True)
    assert await town.judge(town.visit()) != ""
    town.clock.advance(300)
    assert await town.judge(town.visit("198.51.100.1")) == ""
    assert list(town.kept) == [Triplet("spf", "elsewhere.test", "ann@hongyan.test")]


async def test_what_fails_opens() -> None:
    broken = Town(spf=None)
    assert await broken.judge(broken.visit()) != ""
    assert list(broken.kept) == [Triplet("192.0.2.0/24", "elsewhere.test", "ann@hongyan.test")]
    away = Town()
    away.is_away = True
    assert await away.judge(away.visit()) == ""
    assert await away.judge(away.visit(), None) == ""


def test_impossible_settings_are_refused() -> None:
    for wrong in ({"wait": 0.0}, {"window": 0.01}, {"keep": 0.5}):
        with pytest.raises(ValueError, match="greylisting"):
            GreylistOptions(**wrong)
