"""How much one account gets in an hour."""

from __future__ import annotations

from hongyan.addresses import Address
from hongyan.audit.log import AuditLog
from hongyan.engines.memory import MemoryCounters
from hongyan.limits.bans import Bans
from hongyan.limits.smtp_rates import SmtpRateOptions, SmtpRates
from hongyan.mailauth.authentication import Authentication
from hongyan.screening.examined import Examined
from hongyan.screening.inflow import InflowCheck
from hongyan.screening.verdict import Disposition, Verdict
from hongyan.types import AccountId
from tests.support.clock import FakeClock

ANN, BEN = AccountId(1), AccountId(2)


def message(*accounts: AccountId, peer: str = "192.0.2.1") -> Examined:
    return Examined(
        mid="m",
        peer=peer,
        helo="mx.elsewhere.test",
        reverse_path=None,
        accounts={account: Address.parse(f"a{account}@hongyan.test") for account in accounts},
        octets=b"",
        body=0,
        authentication=Authentication(),
        encrypted=True,
    )


async def test_a_flood_is_put_off_for_the_account_that_it_is_meant_for() -> None:
    clock = FakeClock()
    counters = MemoryCounters(clock)
    rates = SmtpRates(SmtpRateOptions(account_messages=3), counters, Bans(counters, clock, AuditLog.__new__(AuditLog)))
    check = InflowCheck(rates)
    for number in range(3):
        assert await check.judge(message(ANN, peer=f"192.0.{number}.1")) == []
    (finding,) = await check.judge(message(ANN, BEN))
    assert (finding.disposition, finding.account) == (Disposition.DEFER, ANN)
    assert str(finding.reply).startswith("450 4.2.1 The recipient gets more mail than usual; try again in 60 minutes")
    verdict = Verdict((finding,))
    assert verdict.refusal([ANN]) == finding.reply
    assert verdict.refusal([ANN, BEN]) is None
    assert verdict.disposition_of_copy(ANN) is Disposition.JUNK
    assert await check.judge(message(ANN, peer="127.0.0.1")) == ()
    clock.advance(3600)
    assert await check.judge(message(ANN)) == []
    assert check.overdue() == ()
