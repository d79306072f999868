"""How often somebody may fail to log in: the published numbers, counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.audit.events import CLI
from hongyan.auth.principal import LoginReason, LoginRefused
from hongyan.engines.memory import MemoryCounters
from hongyan.errors import NotFound, Unavailable
from hongyan.limits.networks import is_loopback, is_within, network_of, parse_networks
from hongyan.limits.rates import LimitOptions, LoginLimits, OverRate
from hongyan.secret import Secret
from hongyan.store.accounts import Service
from hongyan.telemetry import metrics
from tests.support.clock import FakeClock
from tests.support.door import Door, OpenDoor

_HOUR = 3600.0


async def _try(door: Door, name: str, secret: str | Secret, **fields: Any) -> LoginReason | None:
    try:
        await door.enter(name, secret, **fields)
    except LoginRefused as refusal:
        return refusal.reason
    return None


async def test_500_failures_of_a_network_pass_to_the_check_and_nothing_after_until_the_hour_frees(
    door: Door, clock: FakeClock
) -> None:
    ann = await door.add("ann@geese.test")
    before = metrics.authentication_ratelimited_total.labels("imap")._value.get()
    started = clock.monotonic()
    for number in range(500):
        assert await _try(door, f"u{number}@geese.test", "wrong") is LoginReason.UNKNOWN_NAME
        clock.advance(1)
    for secret in ("wrong", ann.app_password):
        assert await _try(door, "ann@geese.test", secret) is LoginReason.TOO_MANY_FAILURES
    assert metrics.authentication_ratelimited_total.labels("imap")._value.get() == before + 2
    with pytest.raises(LoginRefused) as caught:
        await door.enter("ann@geese.test", ann.app_password)
    assert caught.value.retry_after == pytest.approx(started + _HOUR - clock.monotonic())
    assert caught.value.sentence == "Too many failed logins, try again in 52 minutes."
    assert await _try(door, "ann@geese.test", ann.app_password, peer="192.0.2.2") is None
    clock.advance(caught.value.retry_after - 0.5)
    assert await _try(door, "ann@geese.test", ann.app_password) is LoginReason.TOO_MANY_FAILURES
    clock.advance(0.5)
    assert await _try(door, "ann@geese.test", ann.app_password) is None
    assert await _try(door, "ann@geese.test", "wrong") is LoginReason.WRONG_SECRET
    assert await _try(door, "ann@geese.test", ann.app_password) is LoginReason.TOO_MANY_FAILURES


async def test_failures_with_one_name_count_for_the_network_too(doors: OpenDoor) -> None:
    door = await doors(limits=LimitOptions(failures_per_network=30))
    ann = await door.add("ann@geese.test")
    for _ in range(30):
        assert await _try(door, "bob@geese.test", "wrong") is not None
    assert await _try(door, "ann@geese.test", ann.app_password) is LoginReason.TOO_MANY_FAILURES


async def test_an_ipv6_network_is_a_64(doors: OpenDoor) -> None:
    door = await doors(limits=LimitOptions(failures_per_network=5))
    ann = await door.add("ann@geese.test")
    for number in range(5):
        await _try(door, f"u{number}@geese.test", "wrong", peer=f"2001:db8::{number}:1")
    assert await _try(door, "ann@geese.test", ann.app_password, peer="2001:db8::ffff") is not None
    assert await _try(door, "ann@geese.test", ann.app_password, peer="2001:db8:0:1::1") is None


async def test_successes_count_for_nothing(doors: OpenDoor) -> None:
    door = await doors(limits=LimitOptions(failures_per_network=3, failures_per_name=2, failures_by_strangers=1))
    ann = await door.add("ann@geese.test")
    for _ in range(50):
        assert await _try(door, "ann@geese.test", ann.app_password) is None
    assert await _try(door, "ann@geese.test", ann.app_password, service=Service.POP3) is LoginReason.SERVICE_OFF
    assert len(door.counters._windows) == 0


async def test_the_owner_is_not_locked_out_from_elsewhere(door: Door, clock: FakeClock) -> None:
    ann = await door.add("ann@geese.test")
    for _ in range(10):
        assert await _try(door, "ann@geese.test", "wrong") is LoginReason.WRONG_SECRET
    assert await _try(door, "ANN@geese.test", ann.app_password) is LoginReason.TOO_MANY_FAILURES
    assert await _try(door, "ann@geese.test", ann.app_password, peer="192.0.2.2") is None
    bob = await door.add("bob@geese.test")
    assert await _try(door, "bob@geese.test", bob.app_password) is None
    clock.advance(15 * 60)
    assert await _try(door, "ann@geese.test", ann.app_password) is None


async def test_strangers_wait_when_many_networks_fail_and_known_networks_do_not(
    doors: OpenDoor, clock: FakeClock
) -> None:
    door = await doors()
    ann = await door.add("ann@geese.test")
    home, work = "198.51.100.7", "198.51.100.8"
    assert await _try(door, "ann@geese.test", ann.app_password, peer=home) is None
    for number in range(100):
        assert await _try(door, "ann@geese.test", "wrong", peer=f"203.0.113.{number}") is LoginReason.WRONG_SECRET
    assert door.slept == []
    assert await _try(door, "ann@geese.test", "wrong", peer="203.0.113.200") is LoginReason.WRONG_SECRET
    assert await _try(door, "ann@geese.test", ann.app_password, peer=work) is None
    assert door.slept == [2.0, 2.0]
    for peer in (home, work):
        assert await _try(door, "ann@geese.test", ann.app_password, peer=peer) is None
    assert door.slept == [2.0, 2.0]
    await door.logins.flush()
    restarted = await doors()
    for number in range(101):
        await _try(restarted, "ann@geese.test", "wrong", peer=f"203.0.113.{number}")
    assert restarted.slept == [2.0]
    for peer in (home, work):
        assert await _try(restarted, "ann@geese.test", ann.app_password, peer=peer) is None
    assert restarted.slept == [2.0]
    clock.advance(_HOUR)
    assert await _try(door, "ann@geese.test", "wrong", peer="203.0.113.201") is LoginReason.WRONG_SECRET
    assert door.slept == [2.0, 2.0]


async def test_limits_can_be_switched_off_and_networks_exempted(doors: OpenDoor) -> None:
    off = await doors(limits=LimitOptions(enabled=False, failures_per_network=1, failures_per_name=1))
    await off.add("ann@geese.test")
    for _ in range(9):
        assert await _try(off, "ann@geese.test", "wrong") is LoginReason.WRONG_SECRET
    nat = await doors(limits=LimitOptions(failures_per_network=2, failures_per_name=3, exempt=("192.0.2.0/24",)))
    for number in range(9):
        assert await _try(nat, f"u{number}@geese.test", "wrong") is LoginReason.UNKNOWN_NAME
    results = [await _try(nat, "ann@geese.test", "wrong") for _ in range(4)]
    assert results == [LoginReason.WRONG_SECRET] * 3 + [LoginReason.TOO_MANY_FAILURES]


async def test_a_crowd_of_attempts_at_once_does_not_slip_through(doors: OpenDoor) -> None:
    door = await doors(limits=LimitOptions(failures_per_network=5))
    await door.add("ann@geese.test", password=Secret("honk honk"))
    results = await asyncio.gather(*(_try(door, f"u{n}@geese.test", "wrong", service=Service.WEB) for n in range(20)))
    assert results.count(LoginReason.UNKNOWN_NAME) == 5
    assert results.count(LoginReason.TOO_MANY_FAILURES) == 15


async def test_when_the_counters_are_away_logins_pass(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await door.add("ann@geese.test")

    async def fail(*_arguments: object, **_named: object) -> float:
        raise Unavailable(cause="redis is away")

    monkeypatch.setattr(door.counters, "take", fail)
    monkeypatch.setattr(door.counters, "give_back", fail)
    assert await _try(door, "ann@geese.test", ann.app_password) is None
    assert await _try(door, "ann@geese.test", "wrong") is LoginReason.WRONG_SECRET


async def test_a_ban_is_listed_explained_and_lifted(door: Door, clock: FakeClock) -> None:
    ann = await door.add("ann@geese.test")
    assert door.bans.list_bans() == []
    for number in range(502):
        await _try(door, f"u{number}@geese.test", "wrong", peer="2001:db8::1")
    for _ in range(11):
        await _try(door, "ann@geese.test", "wrong", peer="192.0.2.9")
    named, whole = sorted(door.bans.list_bans(), key=lambda ban: ban.rule)
    assert (named.network, named.name, named.rule, named.refused) == ("192.0.2.9", "ann@geese.test", "name", 1)
    assert (whole.network, whole.name, whole.refused) == ("2001:db8::/64", "", 2)
    assert whole.why == "500 failed logins within an hour"
    assert (whole.until - whole.since).total_seconds() == _HOUR
    assert await door.bans.lift("2001:db8::/64", CLI) == [whole]
    assert await _try(door, "ann@geese.test", ann.app_password, peer="2001:db8::1") is None
    await door.bans.lift("192.0.2.9", CLI)
    assert await _try(door, "ann@geese.test", ann.app_password, peer="192.0.2.9") is None
    assert door.bans.list_bans() == []
    acts = await door.audit.query(event_prefix="limits:")
    assert [act.detail["network"] for act in acts] == ["192.0.2.9", "2001:db8::/64"]
    with pytest.raises(NotFound):
        await door.bans.lift("192.0.2.9", CLI)


async def test_a_ban_ends_by_itself(door: Door, clock: FakeClock) -> None:
    await door.add("ann@geese.test")
    for _ in range(11):
        await _try(door, "ann@geese.test", "wrong")
    assert len(door.bans.list_bans()) == 1
    clock.advance(15 * 60)
    assert door.bans.list_bans() == []


async def test_who_goes_on_trying_is_shut_out_until_the_ban_ends(doors: OpenDoor, clock: FakeClock) -> None:
    door = await doors(limits=LimitOptions(failures_per_network=1))
    for _ in range(101):
        await _try(door, "ann@geese.test", "wrong")
        assert not door.bans.is_shut_out("192.0.2.1")
    await _try(door, "ann@geese.test", "wrong")
    assert door.bans.is_shut_out("192.0.2.1")
    assert door.bans.is_shut_out("::ffff:192.0.2.1")
    assert not door.bans.is_shut_out("192.0.2.2")
    clock.advance(_HOUR)
    assert not door.bans.is_shut_out("192.0.2.1")


def test_networks_are_addresses_or_64s() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("a socket") == "a socket"
    assert is_loopback("::ffff:127.0.0.1")
    assert not is_loopback("a socket")
    networks = parse_networks(["192.0.2.0/24", "2001:db8::/32"])
    assert is_within("::ffff:192.0.2.7", networks)
    assert is_within("2001:db8:9::1", networks)
    assert not is_within("198.51.100.1", networks)
    assert not is_within("a socket", networks)
    assert not is_within("192.0.2.7", ())


def test_impossible_options_are_refused() -> None:
    for fault in ({"failures_per_name": 0}, {"stranger_delay": 60.0}, {"exempt": ("192.0.2.1/24",)}):
        with pytest.raises(ValueError):  # noqa: PT011 - each says something else
            LimitOptions(**fault)  # type: ignore[arg-type]


class _NoBans:
    def note(self, *_said: object) -> None:
        pass


@given(
    steps=st.lists(
        st.tuples(st.floats(0, 900), st.sampled_from(["192.0.2.1", "192.0.2.2"]), st.sampled_from("ab"), st.booleans()),
        max_size=60,
    )
)
@settings(max_examples=60, deadline=None)
async def test_no_window_ever_lets_more_failures_pass_than_it_says(steps: list[tuple[float, str, str, bool]]) -> None:
    clock = FakeClock()
    limits = LoginLimits(LimitOptions(failures_per_network=6, failures_per_name=3), MemoryCounters(clock), _NoBans())
    failed: list[tuple[float, str, str]] = []
    for wait, host, name, right in steps:
        clock.advance(wait)
        now = clock.monotonic()
        admitted = await limits.admit(host, name)
        of_name = [at for at, peer, who in failed if (peer, who) == (host, name) and at > now - 900]
        if isinstance(admitted, OverRate):
            assert admitted.seconds > 0
            of_network = [at for at, peer, _ in failed if peer == host and at > now - 3600]
            assert len(of_network) >= 6 or len(of_name) >= 3
            failed += [(now, host, "")] if admitted.rule == "name" else []
            continue
        assert len(of_name) < 3
        if right:
            await limits.succeeded(admitted)
        else:
            failed.append((now, host, name))
