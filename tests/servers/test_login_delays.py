"""Delays between logins, as an operator may ask for them."""

from __future__ import annotations

from hongyan.servers.login_delays import LoginDelays
from hongyan.types import AccountId
from tests.support.clock import FakeClock

_ANN, _BOB = AccountId(1), AccountId(2)


def test_an_account_waits_from_one_login_to_the_next(clock: FakeClock) -> None:
    delays = LoginDelays(60, clock)
    assert delays.admit(_ANN)
    assert delays.admit(_BOB)
    clock.advance(59)
    assert not delays.admit(_ANN)
    clock.advance(1)
    assert delays.admit(_ANN)


def test_who_comes_too_early_does_not_wait_longer_for_it(clock: FakeClock) -> None:
    delays = LoginDelays(60, clock)
    delays.admit(_ANN)
    for _ in range(3):
        clock.advance(15)
        assert not delays.admit(_ANN)
    clock.advance(15)
    assert delays.admit(_ANN)


def test_without_a_delay_nobody_waits(clock: FakeClock) -> None:
    delays = LoginDelays(0, clock)
    assert delays.admit(_ANN)
    assert delays.admit(_ANN)


def test_only_so_many_accounts_are_remembered(clock: FakeClock) -> None:
    delays = LoginDelays(60, clock)
    for number in range(100_001):
        assert delays.admit(AccountId(number))
    assert delays.admit(AccountId(0))
    assert not delays.admit(AccountId(100_000))
