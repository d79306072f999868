"""How much other servers may bring: each published number counted, and each rule without its counters."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from hongyan.audit.events import CLI
from hongyan.config import Config
from hongyan.engines.memory import MemoryCounters
from hongyan.errors import Unavailable
from hongyan.limits.networks import wide_network_of
from hongyan.limits.smtp_rates import ACCOUNT_RULE, OFFENCES, SmtpRateOptions, SmtpRates, SmtpRule, rules_of
from tests.support.clock import FakeClock
from tests.support.door import Door

PEER = "192.0.2.1"
RULES = rules_of(SmtpRateOptions())
COUNTED = [rule for rule in RULES.values() if rule.name != ACCOUNT_RULE]
ON_OUTAGE: Mapping[str, bool] = {
    "connections": False,
    "messages": False,
    "recipients": False,
    "octets": False,
    "handshakes": False,
    "empty": False,
    "dictionary": True,
    "protocol": False,
    "early-talk": False,
    "account": False,
}
"""Whether a rule closes while the counters are away, as docs/abuse-limits.md says."""


@pytest.fixture
def rates(door: Door, clock: FakeClock) -> SmtpRates:
    return SmtpRates(SmtpRateOptions(), door.counters, door.bans)


def hosts_around(number: int) -> str:
    return f"192.0.2.{number % 256}"


@pytest.mark.parametrize("rule", [rule for rule in COUNTED if rule.limit], ids=lambda rule: rule.name)
async def test_an_address_may_do_so_much_and_no_more_until_the_window_frees(
    rates: SmtpRates, rule: SmtpRule, clock: FakeClock
) -> None:
    assert await rates.take(rule.name, PEER, rule.limit) is None
    broken = await rates.take(rule.name, PEER)
    assert broken is not None
    assert broken.rule == rule
    assert broken.seconds >= rule.period
    assert await rates.take(rule.name, "198.51.100.1") is None
    clock.advance(rule.period)
    assert await rates.take(rule.name, PEER) is None


@pytest.mark.parametrize("rule", COUNTED, ids=lambda rule: rule.name)
async def test_a_network_of_many_addresses_has_its_own_limit(rates: SmtpRates, rule: SmtpRule) -> None:
    for number in range(5):
        assert await rates.take(rule.name, hosts_around(number), rule.wide // 5) is None
    assert await rates.take(rule.name, hosts_around(9)) is not None
    assert await rates.take(rule.name, "192.0.3.9") is None


async def test_an_account_gets_so_much_mail_an_hour_whoever_brings_it(rates: SmtpRates, clock: FakeClock) -> None:
    for _ in range(1000):
        assert await rates.take_account(7) is None
    broken = await rates.take_account(7)
    assert broken is not None
    assert broken.minutes == "60 minutes"
    assert await rates.take_account(8) is None
    clock.advance(3600)
    assert await rates.take_account(7) is None


async def test_octets_are_counted_in_steps(rates: SmtpRates) -> None:
    for _ in range(16):
        assert await rates.take_octets(PEER, 256 << 20) is None
    assert await rates.take_octets(PEER, 1) is not None


@pytest.mark.parametrize("name", sorted(OFFENCES))
async def test_an_offence_is_a_ban_with_its_reason_and_its_end(
    rates: SmtpRates, door: Door, name: str, clock: FakeClock
) -> None:
    rule = RULES[name]
    assert await rates.take(name, PEER, rule.limit) is None
    assert rates.find_ban(PEER) is None
    assert await rates.take(name, PEER) is not None
    (ban,) = door.bans.list_bans()
    assert (ban.network, ban.name, ban.rule) == (PEER, "", name)
    assert ban.why == f"{rule.limit} {rule.what} within an hour"
    assert (ban.until - ban.since).total_seconds() == 3600
    assert rates.find_ban(PEER) == ban
    clock.advance(3600)
    assert rates.find_ban(PEER) is None


async def test_what_spreads_load_bans_nobody(rates: SmtpRates, door: Door) -> None:
    for name in RULES.keys() - OFFENCES - {ACCOUNT_RULE}:
        await rates.take(name, PEER, 10**9)
    assert door.bans.list_bans() == []


async def test_who_goes_on_trying_on_port_25_is_shut_out_there_and_keeps_the_mailbox(
    rates: SmtpRates, door: Door
) -> None:
    await rates.take("dictionary", PEER, 50)
    await rates.take("dictionary", PEER)
    for _ in range(100):
        assert not door.bans.is_shut_out(PEER)
        assert rates.find_ban(PEER) is not None
    assert door.bans.is_shut_out(PEER)
    assert not door.bans.is_shut_out(PEER, spared=OFFENCES)


async def test_a_ban_of_a_wide_network_is_met_and_lifted_by_any_address_in_it(rates: SmtpRates, door: Door) -> None:
    for number in range(6):
        await rates.take("dictionary", f"2001:db8:0:{number}::1", 50)
    assert [ban.network for ban in door.bans.list_bans()] == ["2001:db8::/48"]
    assert rates.find_ban("2001:db8:0:99::1") is not None
    assert rates.find_ban("2001:db8:1::1") is None
    await door.bans.lift("2001:db8:0:7::7", CLI)
    assert rates.find_ban("2001:db8:0:99::1") is None
    assert await rates.take("dictionary", "2001:db8:0:99::1") is None


@pytest.mark.parametrize("name", sorted(RULES))
async def test_without_counters_each_rule_does_what_is_published(door: Door, clock: FakeClock, name: str) -> None:
    class Away(MemoryCounters):
        async def take(self, key: str, limit: int, period: float, amount: int = 1) -> float:
            raise Unavailable(cause="away")

        async def count(self, key: str, period: float) -> int:
            raise Unavailable(cause="away")

    rates = SmtpRates(SmtpRateOptions(), Away(clock), door.bans)
    broken = await (rates.take_account(7) if name == ACCOUNT_RULE else rates.take(name, PEER))
    assert (broken is not None) == ON_OUTAGE[name] == RULES[name].closes
    assert (await rates.look(name, PEER) is not None) == ON_OUTAGE[name]


async def test_own_addresses_and_named_networks_are_exempt(door: Door) -> None:
    own = [ip_network("203.0.113.5")]
    options = SmtpRateOptions(exempt=("198.51.100.0/24",))
    rates = SmtpRates(options, door.counters, door.bans, own)
    exempt = [host for host in ("127.0.0.1", "::1", "203.0.113.5", "198.51.100.9", PEER) if rates.is_exempt(host)]
    assert exempt == ["127.0.0.1", "::1", "203.0.113.5", "198.51.100.9"]
    strict = SmtpRates(SmtpRateOptions(exempt_own=False), door.counters, door.bans, own)
    assert not any(strict.is_exempt(host) for host in exempt)


async def test_off_is_off(door: Door) -> None:
    rates = SmtpRates(SmtpRateOptions(enabled=False), door.counters, door.bans)
    assert await rates.take("dictionary", PEER, 10**6) is None
    assert await rates.take_account(7) is None
    assert await rates.look("empty", PEER) is None


def test_the_wide_network_of_an_address() -> None:
    hosts = ("192.0.2.77", "::ffff:192.0.2.77", "2001:db8:1:2:3::4", "nonsense")
    assert [wide_network_of(host) for host in hosts] == ["192.0.2.0/24", "192.0.2.0/24", "2001:db8:1::/48", "nonsense"]


def test_the_published_table_holds_every_rule_with_its_numbers() -> None:
    page = Path("docs/abuse-limits.md").read_text()
    for rule in RULES.values():
        outage = "closes" if ON_OUTAGE[rule.name] else "opens"
        numbers = [f"{number:,}" for number in (rule.limit, rule.wide) if number]
        row = next(line for line in page.splitlines() if line.startswith(f"| `{rule.name}` "))
        assert row.endswith(f"| {outage} |")
        assert all(f" {number}" in row for number in numbers), (row, numbers)
    assert f"{Config().admission.smtp.new_per_minute} new connections" in page


def test_impossible_numbers_are_refused() -> None:
    for wrong in ({"messages": 0}, {"ban": 0.0}, {"exempt": ("nonsense",)}, {"wide": 0}):
        with pytest.raises(ValueError, match=r"."):
            SmtpRateOptions(**wrong)  # type: ignore[arg-type]
